"""Ask: one request as the writer of a page sees it: who asks, for what, in which language; and where things are."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request
from litestar.datastructures import FormMultiDict

from cheng.hub import Hub
from cheng.security.actors import ANONYMOUS, Actor
from cheng.security.guard import Guard
from cheng.security.permissions import Decision, Target, decide, reach
from cheng.security.sessions import Session
from cheng.standards.problems import Refused
from cheng.web.local import Local
from cheng.web.people import REPRESENTATION, identify, language_of

ASKED = "asked"
"""Key of the request's state under which its Ask is kept."""
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
LISTED_WHOLE = 100_000
"""The most rows of a CSV or GeoJSON download."""


@dataclass
class Ask:
    """One request."""

    request: Request[Any, Any, Any]
    hub: Hub
    """the house with everything in it"""
    actor: Actor
    session: Session | None
    local: Local
    """the reader's language, the city's zone and the present moment"""
    form: FormMultiDict = field(default_factory=lambda: FormMultiDict([]))
    """what a form sent; texts and uploaded files"""

    def _(self, message: str, /, **values: Any) -> str:
        """`message` in the reader's language, its blanks filled."""
        return self.local.language.gettext(message, **values)

    @property
    def now(self) -> int:
        """Microseconds UTC, the same during the whole request."""
        return self.local.now

    @property
    def signed_in(self) -> bool:
        return self.actor.name != ""

    @property
    def group(self) -> Hashable:
        """All that decides what a reader may know of an alert, and how it is said; for that, who they are is no
        matter."""
        actor = self.actor
        return actor.roles, actor.department, actor.kind, actor.scope, self.local.language.code

    @property
    def address(self) -> str:
        """Where the request came from: for the audit."""
        return self.request.client.host if self.request.client else ""

    @property
    def representation(self) -> str:
        """html, json, csv or geojson, by the address's ending or the Accept header."""
        return representation(self.request)

    @property
    def fragment(self) -> bool:
        """Whether htmx asks for a part of the page only."""
        return "hx-request" in self.request.headers and "hx-history-restore-request" not in self.request.headers

    # -- what was asked for

    def query(self, name: str, default: str = "") -> str:
        """A parameter of the address, without blanks around it, cut at 500 signs."""
        value = self.request.query_params.get(name, default)
        return plain(value)

    def queries(self, name: str) -> list[str]:
        """Every value of a parameter that may come more than once; empty ones left out."""
        values = self.request.query_params.getall(name, [])
        return [plain(value) for value in values if plain(value)][:100]

    def whole(self, name: str, default: int, low: int = 0, high: int = 2**62) -> int:
        """A whole number from the address. Refused (400) when it is none or out of bounds."""
        text = self.query(name)
        if not text:
            return default
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            message = "{name} has to be a whole number from {low} to {high}."
            raise Refused("not-a-number", message, {"name": name, "low": low, "high": high}, status=400)
        return number

    def choice(self, name: str, options: Sequence[str], default: str = "") -> str:
        """One of `options` from the address; the default when it is absent. Refused (400) when it is none of them."""
        text = self.query(name, default)
        if text not in options and text != default:
            message = "{name} has to be one of {options}."
            raise Refused("not-a-choice", message, {"name": name, "options": ", ".join(options)}, status=400)
        return text

    def limit(self, default: int = 50, most: int = 1000) -> int:
        """How many rows to show: `?limit=`, and many more for a download."""
        if self.representation in ("csv", "geojson"):
            return self.whole("limit", LISTED_WHOLE, 1, LISTED_WHOLE)
        return self.whole("limit", default, 1, most)

    # -- what the reader may

    def may(self, verb: str, thing: Target | str) -> bool:
        """Whether the reader may do this; for buttons that are shown or not. A kind's name asks "any of them?"."""
        if isinstance(thing, str):
            return bool(reach(self.actor, verb, thing))
        return decide(self.actor, verb, thing).allowed

    def require(self, verb: str, thing: Target | str, purpose: str = "") -> Decision:
        """Go on only if the reader may; else Refused (403), and the audit knows."""
        guard = Guard(self.hub.store, self.hub.clock)
        return guard.require(self.actor, verb, thing, purpose, self.address)

    # -- addresses

    def url(self, path: str, /, **query: Any) -> str:
        """An address of ours, below the house's prefix; None values are left out."""
        return address(self.hub.settings.root_path, path, query)

    def here(self, **changes: Any) -> str:
        """The address of this page with some parameters changed; None takes one away."""
        kept = {k: v for k, v in self.request.query_params.dict().items() if k not in changes and k != "lang"}
        return self.url(self.request.scope["path"], **{**kept, **changes})

    def twin(self, ending: str, **changes: Any) -> str:
        """The address of this page's .json, .csv or .geojson twin, with the filters in force."""
        kept = {k: v for k, v in self.request.query_params.dict().items() if k not in {*changes, "lang", "after"}}
        return self.url(f"{self.request.scope['path'].rstrip('/')}.{ending}", **{**kept, **changes})


def plain(value: object) -> str:
    """A parameter as a page can use it: no blanks around it, no zero byte (PostgreSQL cannot hold one), not endless."""
    return str(value).replace("\0", "").strip()[:500]


def address(prefix: str, path: str, query: dict[str, Any]) -> str:
    """`prefix` + `path` + query; the path may hold Chinese signs and blanks, the query lists."""
    pairs = []
    for key, value in query.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(key, each) for each in values if each is not None and each != ""]
    return prefix + quote(path, safe="/:@!$&'()*+,;=~%-._") + ("?" + urlencode(pairs) if pairs else "")


ACCEPTED = {
    "application/json": "json",
    "text/csv": "csv",
    "application/geo+json": "geojson",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/problem+json": "json",
}


def representation(request: Request[Any, Any, Any]) -> str:
    """By the ending of the address, else by what the client accepts; html when it does not say."""
    told: str | None = request.scope["state"].get(REPRESENTATION)
    if told:
        return told
    for part in request.headers.get("accept", "").split(","):
        if found := ACCEPTED.get(part.split(";")[0].strip().lower()):
            return found
    return "html"


async def ask_of(request: Request[Any, Any, Any]) -> Ask:
    """The dependency named `ask` of every page."""
    ask = plain_ask(request)
    if request.method in CHANGES and "form" in request.headers.get("content-type", ""):
        ask.form = await request.form()
    return ask


def plain_ask(request: Request[Any, Any, Any]) -> Ask:
    """An Ask without its form; also where no route was found and nobody looked at the session yet."""
    known: Ask | None = request.scope["state"].get(ASKED)
    if known is not None:
        return known
    hub: Hub = request.app.state.hub
    if "user" not in request.scope:
        identify(request.scope, hub)
    actor = request.scope.get("user") or ANONYMOUS
    local = Local(language_of(request, hub), hub.settings.zone, hub.clock.now())
    ask = request.scope["state"][ASKED] = Ask(request, hub, actor, request.scope.get("auth"), local)
    return ask
