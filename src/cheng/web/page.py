"""Page: what a handler returns. One set of data, seen as a page, as JSON, as CSV or as GeoJSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from litestar.response.base import ASGIResponse

from cheng.security.seen import cleared
from cheng.standards.problems import Refused
from cheng.web.ask import Ask, plain_ask
from cheng.web.fields import Column, reduced, shown
from cheng.web.people import FORM_COOKIE, LANGUAGE_COOKIE, TOLD
from cheng.web.tables import as_csv, as_geojson, readable
from cheng.web.templating import Templates, Words
from cheng.web.texts import LANGUAGES

YEAR = 31_536_000
VARY = "Accept, Accept-Language, Cookie, HX-Request"
BODY = {"json": "application/json", "csv": "text/csv; charset=utf-8", "geojson": "application/geo+json"}


class Page(Response[Any]):
    """A page and its twins."""

    def __init__(
        self,
        template: str | Sequence[str],
        data: Mapping[str, Any] | msgspec.Struct | None = None,
        *,
        extra: Mapping[str, Any] | None = None,
        rows: str = "",
        columns: Sequence[Column] = (),
        keep: Sequence[str] = ("url", "geometry"),
        geometry: str = "geometry",
        personal: bool = False,
        fragment: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`template`: a name, or several of which the first that exists is taken.

        `data`: what the page says; also its JSON. `extra`: what only the template needs (forms, choices).
        `rows`: the key of `data` that holds the list for .csv and .geojson; `columns` says which columns it has, at
        which level, and everything else in its rows but the keys in `keep` is dropped; `personal`: sensitive columns
        are shown, `ask.require("see-personal", …)` having said yes. `fragment`: the block htmx gets.
        """
        super().__init__(content=b"", status_code=status, headers=dict(headers or {}))
        self.templates = (template,) if isinstance(template, str) else tuple(template)
        self.data: dict[str, Any] = dict(data) if isinstance(data, Mapping) else struct_fields(data)
        self.extra = dict(extra or {})
        self.rows, self.columns, self.keep, self.geometry = rows, columns, keep, geometry
        self.personal = personal
        self.fragment = fragment
        self.body: bytes | None = None

    def draw(self, ask: Ask) -> None:
        """Make the bytes; handlers do it in their own thread, so that a long list holds nobody else up."""
        if self.body is None:
            self.reduce(ask)
            kind = ask.representation
            self.body = self.html(ask, ask.request) if kind == "html" else self.twin(ask, kind)

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **given: Any) -> ASGIResponse:
        """Litestar asks for the bytes."""
        ask = plain_ask(request)
        self.draw(ask)
        kind = ask.representation
        media = MediaType.HTML if kind == "html" else BODY[kind]
        headers = {**self.headers, "Vary": VARY}
        headers.setdefault("Cache-Control", "no-store" if ask.signed_in else "no-cache")
        if kind in ("csv", "geojson"):
            name = request.scope["path"].strip("/").replace("/", "-") or "list"
            ascii_name = name.encode("ascii", "ignore").decode().replace('"', "") or "list"
            headers["Content-Disposition"] = f'inline; filename="{ascii_name}.{kind}"'
        return ASGIResponse(
            body=self.body or b"",
            status_code=self.status_code or 200,
            media_type=media,
            headers=headers,
            cookies=[*self.cookies, *(given.get("cookies") or ())],
            background=self.background,
        )

    def reduce(self, ask: Ask) -> None:
        """Take out of the rows what this reader may not see; every representation is made of what is left."""
        if not self.columns:
            return
        levels = cleared(ask.actor, self.personal)
        self.data[self.rows] = reduced(self.data[self.rows], self.columns, levels, [*self.keep, self.geometry])
        self.columns = shown(self.columns, levels)

    def twin(self, ask: Ask, kind: str) -> bytes:
        """JSON of all data, or CSV or GeoJSON of its rows."""
        if kind == "json":
            return msgspec.json.encode(self.plain(ask), enc_hook=str)
        if not self.rows:
            raise Refused("no-list", "This page is no list; it has a .json twin only.", status=406)
        rows: list[Mapping[str, Any]] = msgspec.to_builtins(self.data[self.rows], enc_hook=str)
        columns = self.columns or columns_of(rows, self.geometry)
        if kind == "csv":
            return as_csv(rows, columns, ask.local, bom=ask.query("bom") == "1")
        return as_geojson(rows, columns, ask.local, self.geometry)

    def plain(self, ask: Ask) -> dict[str, Any]:
        """The data with its moments as ISO 8601, where the columns say which they are."""
        kinds = {column.key: column.kind for column in self.columns}
        if not kinds:
            return self.data
        rows = [{k: readable(v, kinds.get(k, ""), ask.local) for k, v in row.items()} for row in self.data[self.rows]]
        return {**self.data, self.rows: rows}

    def html(self, ask: Ask, request: Request[Any, Any, Any]) -> bytes:
        """The page, or for htmx the block that changed."""
        words = Words(ask, request.app.state.templates, request.app.state.navigation)
        block = self.fragment if ask.fragment else ""
        told = ask.request.cookies.get(TOLD, "") if not block else ""
        whole = {**self.data, **self.extra, "columns": self.columns, "told": sentence(told), "taken": bool(told)}
        templates: Templates = request.app.state.templates
        body = templates.render(self.templates, words, whole, block).encode()
        if told:
            self.cookies.append(cookie(ask, TOLD, "", 0))
        if words.new_form_secret:
            self.cookies.append(cookie(ask, FORM_COOKIE, words.new_form_secret))
        if request.query_params.get("lang") in LANGUAGES:
            self.cookies.append(cookie(ask, LANGUAGE_COOKIE, request.query_params["lang"], YEAR))
        return body


def cookie(ask: Ask, name: str, value: str, age: int | None = None) -> Cookie:
    """A cookie of ours: not for scripts, only below our prefix, by https alone where that is set. `age` in seconds."""
    settings = ask.hub.settings
    return Cookie(
        key=name,
        value=value,
        path=settings.root_path or "/",
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
        max_age=age,
    )


def sentence(told: str) -> str:
    """The text a cookie brought, see `pages.see_other`."""
    try:
        return bytes.fromhex(told).decode()[:300]
    except ValueError:
        return ""


def struct_fields(data: msgspec.Struct | None) -> dict[str, Any]:
    """A struct's fields, one level deep."""
    return {} if data is None else {name: getattr(data, name) for name in data.__struct_fields__}


def columns_of(rows: Sequence[Mapping[str, Any]], geometry: str) -> list[Column]:
    """Columns for rows that came without: their keys, as they are."""
    keys: Iterable[str] = dict.fromkeys(key for row in rows for key in row if key != geometry)
    return [Column(key, key) for key in keys]
