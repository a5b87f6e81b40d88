"""Request heads that come again and again: each is read once by a strict parser, then known by its bytes.

A device that keeps its connection sends the same head with every reading. Only a head that could mean one thing to
everybody is taken here: one Content-Length, no Transfer-Encoding, HTTP/1.1; whatever else comes goes to the server
behind, whose parser is the same and refuses what could be read in two ways (two lengths, bare line feeds, folds).
"""

from dataclasses import dataclass, field

import httptools

from cheng.hub import Hub
from cheng.infrastructure.resolving import Scope
from cheng.protocols.decoding import NDJSON
from cheng.protocols.intake import Intake
from cheng.security.actors import Actor
from cheng.security.permissions import Target, decide

OBSERVATIONS, EVENTS = "/ingest/observations", "/ingest/events"
STATE_BEGIN, STATE_END = "/api/things/", "/state"
KNOWN = 8_192
"""Heads remembered."""
LONGEST_KNOWN = 1_024
"""Bytes of a head that is remembered."""
HEADERS = frozenset(
    (b"content-length", b"authorization", b"content-type", b"content-encoding", b"connection", b"if-none-match")
)
"""What is looked at."""
ELSEWHERE = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"cookie"))
"""What makes a request the business of the server behind."""


@dataclass(slots=True)
class Head:
    """A request for the lean door, from somebody with a valid token."""

    path: str
    length: int
    """bytes of the body"""
    headers: dict[bytes, bytes]
    """of HEADERS, with small letters"""
    token: str
    actor: Actor
    thing: str = ""
    """whose state is asked for; "" for a delivery"""
    single: bool = False
    """whether it may be one line of NDJSON"""
    may: Scope | None = None
    """for which things the actor may report"""
    version: int = -1
    """of the book of tokens, when the actor was looked up"""
    second: int = -1
    ends: bool = False
    """whether the connection ends with the answer"""


@dataclass
class Reading:
    """What the parser finds."""

    url: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    complete: bool = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.complete = True


class Heads:
    """Heads by their bytes; nobody's token is looked up more than once a second unless tokens changed."""

    def __init__(self, hub: Hub, intake: Intake) -> None:
        self.tokens, self.prefix, self.intake = hub.tokens, hub.settings.root_path, intake
        self.second = 0
        """moves once a second"""
        self._known: dict[bytes, Head] = {}

    def find(self, raw: bytes) -> Head | None:
        """The head that these bytes are, up to and with its empty line; None when it is not for the lean door."""
        head = self._known.get(raw)
        if head is None:
            head = self._read(raw)
            if head is None:
                return None
            if len(raw) <= LONGEST_KNOWN:
                if len(self._known) >= KNOWN:
                    self._known.clear()
                self._known[raw] = head
        if head.second == self.second and head.version == self.tokens.version:
            return head
        actor = self.tokens.actor(head.token)
        if actor is None or not (head.thing or may_report(actor)):
            self._known.pop(raw, None)
            return None
        head.actor, head.second, head.version = actor, self.second, self.tokens.version
        head.may = None if head.thing else self.intake.scope(actor)
        return head

    def _read(self, raw: bytes) -> Head | None:
        found = Reading()
        parser = httptools.HttpRequestParser(found)
        try:
            parser.feed_data(raw)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return None
        headers = {name: value for name, value in found.headers if name in HEADERS}
        path = self._path(parser.get_method(), found.url, headers)
        several = len(found.headers) != len({name for name, _ in found.headers})
        plain = found.complete and parser.get_http_version() == "1.1" and not several
        if not path or not plain or any(name in ELSEWHERE for name, _ in found.headers):
            return None
        scheme, _, token = headers.pop(b"authorization", b"").decode("latin-1").partition(" ")
        actor = self.tokens.actor(token.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            return None
        length = int(headers.pop(b"content-length", b"0"))
        plain = headers.get(b"content-type", NDJSON.encode()) == NDJSON.encode() and b"content-encoding" not in headers
        head = Head(path, length, headers, token.strip(), actor, thing_of(path), path == OBSERVATIONS and plain)
        head.ends = not parser.should_keep_alive()
        return head

    def _path(self, method: bytes, url: bytes, headers: dict[bytes, bytes]) -> str:
        """The path of a request that is for the lean door, else nothing."""
        path = url.decode("latin-1").removeprefix(self.prefix)
        if method == b"POST" and path in (OBSERVATIONS, EVENTS) and b"content-length" in headers:
            return path
        plain = method == b"GET" and b"content-length" not in headers and "?" not in path and "%" not in path
        return path if plain and thing_of(path) else ""


def may_report(actor: Actor) -> bool:
    """Whether there is anything this actor may report for; which things is asked line by line."""
    return actor.kind == "device" or decide(actor, "ingest", Target("thing")).allowed


def thing_of(path: str) -> str:
    """The id in a path that asks for a thing's state; nothing when it does not."""
    if not path.startswith(STATE_BEGIN) or not path.endswith(STATE_END):
        return ""
    name = path[len(STATE_BEGIN) : -len(STATE_END)]
    return "" if "/" in name else name
