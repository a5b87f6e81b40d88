"""Who asks: by the session's cookie or a bearer token, before anything else; and in which language."""

import asyncio
from typing import Any

from litestar import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from cheng.security.actors import ANONYMOUS
from cheng.web.house_of import House
from cheng.web.texts import Catalogues, Language

REPRESENTATION = "representation"
"""Key of the request's state under which the ending of its address is kept."""
LANGUAGE_COOKIE = "cheng_language"
FORM_COOKIE = "cheng_form"
TOLD = "cheng_told"
"""Cookie of the page after a form was taken: the one sentence to show, as hexadecimal digits, or TAKEN for none."""
TAKEN = "taken"
CLOSED = "sessions/closed"
"""Topic of the bus: somebody signed out or changed the password; streams look whether their session is still there."""
SAFE = ("GET", "HEAD", "OPTIONS")


def session_cookie(house: House) -> str:
    """The cookie's name; with https and no prefix the browser itself keeps other hosts from setting it."""
    settings = house.settings
    return "__Host-cheng_session" if settings.secure_cookies and not settings.root_path else "cheng_session"


class People(ASGIMiddleware):
    """Puts the Actor into `scope["user"]` (`request.user`) and the Session or None into `scope["auth"]`."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)
    exclude_opt_key = "static"

    def __init__(self, house: House) -> None:
        self.house = house

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        names = {name for name, _ in scope["headers"]}
        if b"authorization" in names or b"cookie" not in names:
            identify(scope, self.house)  # tokens are in memory
        else:
            await asyncio.to_thread(identify, scope, self.house)
        await next_app(scope, receive, send)


def nobody(scope: Scope) -> None:
    scope["user"], scope["auth"] = ANONYMOUS, None


def identify(scope: Scope, house: House) -> None:
    """Fill in who asks. A bearer token that is not valid makes nobody of the caller, never somebody else."""
    nobody(scope)
    request: Request[Any, Any, Any] = Request(scope)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind:
        found = house.tokens.actor(secret.strip()) if kind.lower() == "bearer" else None
        if found is not None:
            scope["user"] = found
        return
    if is_api(scope) and scope.get("method") not in SAFE:
        return  # a program's door does not believe cookies: another site's page could send them along
    session = house.sessions.find(request.cookies.get(session_cookie(house)))
    if session is not None:
        scope["user"], scope["auth"] = session.actor, session


def is_api(scope: Scope) -> bool:
    """Whether the route is a door for programs, which declares `opt={"api": True}`."""
    handler = scope.get("route_handler")
    return bool(handler is not None and handler.opt.get("api"))


def language_of(request: Request[Any, Any, Any], house: House) -> Language:
    """`?lang=`, else the cookie, else Accept-Language, else the house's own."""
    catalogues: Catalogues = request.app.state.catalogues
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return catalogues.best(chosen, request.headers.get("accept-language"), house.settings.language)
