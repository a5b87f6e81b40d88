"""The web application: every page module of the folders below, behind one door with the same rules for all.

A page module has `routes`, a list of what `cheng.web.pages.get` and `post` made; a protocol's module may have one,
too. Nobody lists them anywhere: the folder is the list.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide

from cheng.web.ask import ask_of
from cheng.web.assets import Assets
from cheng.web.desk.presence import Presence
from cheng.web.errors import HANDLERS
from cheng.web.guards import check_needs, checked
from cheng.web.headers import secure
from cheng.web.house.crier import Crier
from cheng.web.house_of import House
from cheng.web.metrics import Counts
from cheng.web.modules import offered
from cheng.web.navigation import Navigation, first_part
from cheng.web.people import REPRESENTATION, People
from cheng.web.portal.limits import Limits
from cheng.web.shared import Shared
from cheng.web.templating import FOLDER as TEMPLATES
from cheng.web.templating import Templates
from cheng.web.texts import Catalogues

ENDINGS = ("json", "csv", "geojson")
FORM_ROOM = 2_000_000
"""Bytes a request may have beyond the files it brings."""


class Web(Litestar):
    """Litestar with what has to hold for every answer: our prefix, the twins' endings, HEAD, and safe headers."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Any ASGI event; pages see the path without our prefix and without a twin's ending."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        began = time.perf_counter()
        settings = self.state.hub.settings
        scope = self.arrived(scope, settings.root_path)
        bare = scope["method"] == "HEAD"
        if bare:
            scope["method"] = "GET"

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = secure(message["headers"], settings, scope)
                self.count(scope["method"], message["status"], time.perf_counter() - began)
            elif bare and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await super().__call__(scope, receive, sent)

    def arrived(self, scope: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """The scope without our prefix, and with a twin's ending moved out of the path into the request's state."""
        path: str = scope["path"]
        if prefix and (path == prefix or path.startswith(prefix + "/")):
            path = path[len(prefix) :] or "/"
        state = dict(scope.get("state") or {})
        stem, dot, ending = path.rpartition(".")
        if dot and ending in ENDINGS and first_part(stem) in self.state.twinned and path not in self.state.literal:
            state[REPRESENTATION] = ending
            path = stem
        return {**scope, "path": path, "raw_path": path.encode(), "root_path": "", "state": state}

    def count(self, method: str, status: int, seconds: float) -> None:
        """For /metrics: requests by method and status class, and the time they took."""
        counts: Counts = self.state.counts
        counts.add("cheng_http_requests_total", "Requests answered.", method=method, status=f"{status // 100}xx")
        counts.add("cheng_http_seconds_total", "Time until answers began, summed up.", seconds)


def create_app(hub: House, more: Iterable[Any] = (), folders: Sequence[Path] = ()) -> Web:
    """The application of a hub. Raises SpecError when a route does not say who may use it.

    `more`: further routes beside those found; `folders`: where templates are looked for before the house's own.
    """
    counts = Counts()
    shared = Shared()
    state = {"hub": hub, "crier": Crier(hub, shared), "shared": shared, "presence": Presence(), "counts": counts}
    state |= {"limits": Limits()}
    state |= {"catalogues": Catalogues.load()}
    state |= {"templates": Templates(Assets.read(), (*folders, TEMPLATES)), "twinned": set(), "literal": set()}
    app = Web(
        route_handlers=[route for routes in offered("routes") for route in routes] + list(more),
        state=State(state, deep_copy=False),
        dependencies={"ask": Provide(ask_of)},
        exception_handlers=HANDLERS,
        guards=[checked],
        middleware=[People(hub)],
        compression_config=CompressionConfig(backend="gzip", gzip_compress_level=5, exclude_opt_key="uncompressed"),
        request_max_body_size=hub.settings.upload_limit + FORM_ROOM,
        logging_config=None,
        openapi_config=None,
        include_in_schema=False,
    )
    check_needs(app.routes)
    app.state.navigation = Navigation.of(app.routes)
    app.state.twinned = {first_part(route.path) for route in app.routes if twinned(route)}
    app.state.literal = {route.path for route in app.routes if "." in route.path}
    return app


def twinned(route: Any) -> bool:
    """Whether a route is one of our pages, which have twins."""
    return any(handler.opt.get("page") for handler in getattr(route, "route_handlers", ()))
