"""What goes wrong, told plainly: a page for a person, problem details (RFC 9457) for a program, never a stack trace."""

import http
import logging
import secrets
from collections.abc import Mapping
from typing import Any, cast

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from sqlalchemy.exc import DBAPIError

from cheng.standards.problems import InputError, Refused
from cheng.web.ask import Ask, plain_ask
from cheng.web.page import Page
from cheng.web.people import REPRESENTATION, is_api

LOG = logging.getLogger("cheng.web")
TITLES = {
    400: "We could not read this request",
    401: "Please sign in",
    403: "You may not do this",
    404: "There is no such page",
    405: "This cannot be done here",
    406: "We cannot answer in this form",
    409: "This is not possible just now",
    413: "This is too large",
    415: "We cannot read this kind of file",
    422: "Something is missing or not right",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "We cannot answer just now",
    507: "There is no room left",
}
SENTENCES = {
    400: "The request is not complete or not well formed.",
    404: "The address may be mistyped, or what was there has moved.",
    405: "This address exists, but not for this kind of request.",
    413: "Please send less at once; the limit is {limit}.",
    415: "Please send it in another format.",
    429: "Please wait a moment and try again.",
    500: "It has been written down under the number {incident}; nothing you entered was half done.",
    503: "The house is busy or starting; please try again in a moment.",
    507: "Nothing can be kept at the moment; what is there can still be read.",
}


def on_refused(request: Request[Any, Any, Any], error: Refused) -> Response[Any]:
    """A sentence for the screen."""
    ask = plain_ask(request)
    if error.code == "change-password" and wants_page(ask) and request.method == "GET":
        return Redirect(ask.url("/account/password"))
    if error.status == 401 and wants_page(ask) and request.method == "GET" and not ask.fragment:
        query = request.url.query
        back = request.scope["path"] + (f"?{query}" if query else "")
        return Redirect(ask.url("/sign-in", next=back))
    headers = {}
    if error.status == 429:
        headers["Retry-After"] = str(60 * int(error.values.get("minutes", 1)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(ask, error.status, error.code, ask._(error.message, **error.values), headers)


def on_input_error(request: Request[Any, Any, Any], error: InputError) -> Response[Any]:
    """A device or partner sent what cannot be taken; the door that took it has kept and counted it."""
    status = 400 if error.code.startswith("not-") else 422
    extra = {} if error.line is None else {"line": error.line}
    return answer(plain_ask(request), status, error.code, error.reason, {}, extra)


def on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What Litestar itself refuses: no such route, wrong method, a body that is too large or not well formed."""
    ask = plain_ask(request)
    status = error.status_code
    if status >= 500:
        return on_anything(request, error)
    headers = {key: value for key, value in (error.headers or {}).items() if key.lower() in ("allow", "retry-after")}
    limit = ask.local.size(ask.hub.settings.upload_limit)
    sentence = ask._(SENTENCES.get(status, SENTENCES[400]), limit=limit)
    return answer(ask, status, http.HTTPStatus(status).phrase.lower().replace(" ", "-"), sentence, headers)


def on_store(request: Request[Any, Any, Any], error: DBAPIError) -> Response[Any]:
    """A full disk or a busy store is said so; anything else is our mistake."""
    told = str(error.orig).lower()
    if "full" in told or "no space" in told or "disk i/o" in told:
        status = 507
    elif "locked" in told or "busy" in told or error.connection_invalidated:
        status = 503
    else:
        return on_anything(request, error)
    LOG.error("the store refused %s %s: %s", request.method, request.scope["path"], error.orig)
    ask = plain_ask(request)
    return answer(ask, status, "store", ask._(SENTENCES[status]), {"Retry-After": "5"})


def on_anything(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our mistake: a number for the person, the whole story for the log."""
    incident = secrets.token_hex(4)
    LOG.error("incident %s: %s %s", incident, request.method, request.scope["path"], exc_info=error)
    ask = plain_ask(request)
    sentence = ask._(SENTENCES[500], incident=incident)
    return answer(ask, 500, "incident", sentence, {}, {"incident": incident})


def answer(
    ask: Ask,
    status: int,
    code: str,
    sentence: str,
    headers: Mapping[str, str],
    extra: Mapping[str, Any] | None = None,
) -> Response[Any]:
    """The page or the problem details."""
    title = ask._(TITLES.get(status, TITLES[400]))
    problem = {"type": f"urn:cheng:problem:{code}", "title": title, "status": status, "detail": sentence, "code": code}
    problem |= dict(extra or {})
    if wants_page(ask) and not ask.fragment:
        ask.request.scope["state"].pop(REPRESENTATION, None)
        return Page("house/problem.html", problem, status=status, headers=headers)
    body = msgspec.json.encode(problem)
    told = {**headers, "Vary": "Accept", "Cache-Control": "no-store"}
    return Response(body, status_code=status, media_type="application/problem+json", headers=told)


def wants_page(ask: Ask) -> bool:
    """Whether a person with a browser asks."""
    request = ask.request
    if REPRESENTATION in request.scope["state"] or is_api(request.scope):
        return False
    return "text/html" in request.headers.get("accept", "")


HANDLERS = cast(
    Any,
    {
        Refused: on_refused,
        InputError: on_input_error,
        HTTPException: on_http,
        DBAPIError: on_store,
        Exception: on_anything,
    },
)
