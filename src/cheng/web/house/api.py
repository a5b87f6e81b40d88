"""What programs may ask: the OpenAPI document, made from the routes themselves, and a page to read it on.

A page is offered as its `.json` twin. A module of protocols that answers outside the pages tells its own part in a
dictionary named `openapi_paths`: path → path item.
"""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import BaseRouteHandler

from cheng.web.guards import PUBLIC, handlers_of
from cheng.web.modules import offered
from cheng.web.pages import Answer, Ask, Page, get

BLANK = re.compile(r"\{(\w+):(\w+)\}")
SCHEMAS = {"int": {"type": "integer"}, "float": {"type": "number"}}
PROBLEM = {
    "type": "object",
    "description": "Problem details, RFC 9457",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "a sentence for a person, in the language asked for"},
        "code": {"type": "string", "description": "a stable word that a program may match on"},
    },
}
REFUSAL = {
    "description": "Refused or not there; problem details say why.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
HIDDEN = ("/static/", "/favicon", "/robots", "/api", "/sign-", "/live")
"""What is of no use to a program."""


def document(routes: Iterable[Any], city: str, server: str) -> dict[str, Any]:
    """OpenAPI 3.1 of every page and door."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.path == "/" or route.path.startswith(HIDDEN):
            continue
        for handler in handlers_of(route):
            for method in sorted(getattr(handler, "http_methods", set()) - {"OPTIONS"}):
                twin = ".json" if method == "GET" and handler.opt.get("page") else ""
                path = BLANK.sub(r"{\1}", route.path) + twin
                paths.setdefault(path, {})[method.lower()] = operation(route.path, handler, method)
    for more in offered("openapi_paths"):
        paths |= more
    return {
        "openapi": "3.1.0",
        "info": {"title": city, "version": version("cheng"), "description": "Everything the pages show, for programs."},
        "servers": [{"url": server or "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Problem": PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def operation(path: str, handler: BaseRouteHandler, method: str) -> dict[str, Any]:
    """One method of one path, with what its docstring and its declaration say."""
    whole = " ".join((handler.fn.__doc__ or "").split())
    needs = handler.opt["needs"]
    told: dict[str, Any] = {
        "operationId": f"{method.lower()}{re.sub(r'[^a-zA-Z0-9]+', '-', path.split(':')[0])}-{handler.handler_name}",
        "summary": whole.split(": ")[0].split(". ")[0].rstrip("."),
        "description": whole,
        "tags": [path.strip("/").split("/")[0] or "house"],
        "parameters": [parameter(name, kind) for name, kind in BLANK.findall(path)],
        "responses": {"200": answers(handler, method), "default": REFUSAL},
        "security": [{}] if needs == PUBLIC else [{"token": []}],
    }
    if isinstance(needs, tuple):
        told["x-needs"] = " ".join(needs)
    if method == "POST":
        told["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
        told["responses"]["303"] = {"description": "Taken; where to look next."}
    return told


def parameter(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": SCHEMAS.get(kind, {"type": "string"})}


def answers(handler: BaseRouteHandler, method: str) -> dict[str, Any]:
    """What comes back when all is well."""
    if not handler.opt.get("page"):
        return {"description": "As described."}
    if method != "GET":
        return {"description": "The page again.", "content": {"text/html": {"schema": {"type": "string"}}}}
    return {"description": "The page's data.", "content": {"application/json": {"schema": {"type": "object"}}}}


@get("/api/openapi.json", needs=PUBLIC, api=True)
def openapi(request: Request[Any, Any, Any]) -> Answer:
    """The OpenAPI document."""
    settings = request.app.state.hub.settings
    told = document(request.app.routes, settings.city, settings.public_url or settings.root_path)
    return Response(msgspec.json.encode(told), media_type="application/json", headers={"Cache-Control": "no-cache"})


@get("/api", needs=PUBLIC)
def reading_page(ask: Ask) -> Page:
    """What programs may ask, to read."""
    settings = ask.hub.settings
    told = document(ask.request.app.routes, settings.city, settings.public_url or settings.root_path)
    server = settings.public_url or str(ask.request.base_url).rstrip("/") + settings.root_path
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in told["paths"].items():
        for method, each in item.items():
            line = {"method": method.upper(), "path": path, "summary": each.get("summary", "")}
            line |= {"description": each.get("description", ""), "needs": each.get("x-needs", "")}
            line |= {"public": each.get("security") == [{}]}
            groups.setdefault((each.get("tags") or ["house"])[0], []).append(line)
    return Page("house/api.html", {"groups": groups, "server": server})


routes = [openapi, reading_page]
