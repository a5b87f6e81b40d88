"""Before any page: may this person come here, and was it really our own page that sent the form?

Every route declares what it needs; one that does not keeps the house from starting.
"""

import asyncio
import base64
import secrets
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import BaseRoute

from cheng.security import csrf
from cheng.security.actors import ANONYMOUS, Actor
from cheng.security.guard import Guard
from cheng.security.permissions import SIGN_IN, VERBS, reach
from cheng.standards.problems import Problem, Refused, SpecError
from cheng.web.people import FORM_COOKIE, SAFE

Needs = str | tuple[str, str]
PUBLIC = "public"
"""Anybody may come."""
SIGNED_IN = "signed-in"
"""Anybody with an account; also one who has to change the password first."""
FIELD = "csrf"
HEADER = "x-csrf-token"
Connection = ASGIConnection[Any, Any, Any, Any]


def check_needs(routes: Iterable[BaseRoute]) -> None:
    """Raises SpecError naming every route that does not say who may use it."""
    problems = []
    for route in routes:
        for handler in handlers_of(route):
            if getattr(handler, "http_methods", None) == {"OPTIONS"}:
                continue
            needs = handler.opt.get("needs")
            known = needs in (PUBLIC, SIGNED_IN) or (
                isinstance(needs, tuple) and len(needs) == 2 and needs[1] in VERBS.get(needs[0], "").split()
            )
            if not known:
                hint = 'declare needs=("see", "case"), needs=SIGNED_IN or needs=PUBLIC'
                problems.append(
                    Problem("W001", f"The route {route.path} does not say who may use it", str(handler), hint)
                )
    if problems:
        raise SpecError(problems)


def handlers_of(route: BaseRoute) -> list[BaseRouteHandler]:
    many = getattr(route, "route_handlers", None)
    return list(many) if many is not None else [cast(Any, route).route_handler]


async def checked(connection: Connection, handler: BaseRouteHandler) -> None:
    """Both questions, in this order. (One guard, because Litestar copies the handler for each.)"""
    if connection.scope.get("method") == "OPTIONS":
        return
    await may_enter(connection, handler)
    await from_our_page(connection, handler)


async def may_enter(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse whoever the route is not for. Objects are decided on in the page itself, by `ask.require`."""
    needs: Needs = handler.opt["needs"]
    actor: Actor = connection.scope.get("user") or ANONYMOUS
    if needs == PUBLIC:
        return
    if actor.name == "":
        if not isinstance(needs, tuple) or not reach(actor, *needs):
            raise Refused(SIGN_IN.code, SIGN_IN.reason, status=401)
        return
    if isinstance(needs, tuple) and not reach(actor, *needs):
        hub = connection.app.state.hub
        guard = Guard(hub.store, hub.clock)
        address = connection.client.host if connection.client else ""
        await asyncio.to_thread(guard.require, actor, *needs, address=address)


async def from_our_page(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse a change that another site's page could have sent with the reader's cookies."""
    if connection.scope.get("method") in SAFE or handler.opt.get("api"):
        return
    request = cast("Request[Any, Any, Any]", connection)
    actor: Actor = request.scope.get("user") or ANONYMOUS
    if actor.name and request.scope.get("auth") is None:
        return  # came with a bearer token, which no browser sends by itself
    headers = request.headers
    host = headers.get("host", "")
    told = urlsplit(request.app.state.hub.settings.public_url).netloc
    fits = [csrf.own_page(headers.get("origin"), headers.get("sec-fetch-site"), name) for name in (host, told) if name]
    given = headers.get(HEADER) or ""
    if not given and "form" in headers.get("content-type", ""):
        given = str((await request.form()).get(FIELD) or "")
    if not any(fits) or not csrf.same(unmasked(given), wanted(request)):
        message = "This form did not come from a page of ours, or the page was open for too long. Please try again."
        raise Refused("not-our-form", message, status=403)


def wanted(request: Request[Any, Any, Any]) -> str | None:
    """What this reader's forms have to carry: the session's secret, or the cookie's while nobody is signed in."""
    session = request.scope.get("auth")
    return session.csrf if session is not None else request.cookies.get(FORM_COOKIE)


def masked(secret: str) -> str:
    """The secret as it is written into a page: different each time, so that compressed pages do not give it away."""
    plain = secret.encode()
    pad = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(pad + bytes(a ^ b for a, b in zip(pad, plain, strict=True))).decode()


def unmasked(given: str) -> str:
    """The other way round; anything else than a masked secret comes out as something that fits nothing."""
    try:
        both = base64.urlsafe_b64decode(given.encode())
    except (ValueError, UnicodeEncodeError):
        return ""
    half = len(both) // 2
    return bytes(a ^ b for a, b in zip(both[:half], both[half:], strict=False)).decode("utf-8", "replace")
