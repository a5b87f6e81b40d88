"""What every door for reports of people does: who sends it, how often, is it the same again, and what are its photos.

Nothing is kept before everything was looked at: a report that is refused leaves nothing behind.
"""

import hashlib
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from cheng.hub import Hub
from cheng.infrastructure.blobs import Blob, check_no_program, gone, media_type
from cheng.infrastructure.report_book import NewReport, Receipt, tidy
from cheng.infrastructure.tables import blobs
from cheng.security import audit
from cheng.security.actors import Actor
from cheng.standards.problems import Refused

MINUTE = 60_000_000
FROM_KEY, FROM_ADDRESS, WRONG = 300, 600, 20
"""Requests in one minute: with one key, from one address, and from one address with keys that are none."""
SAME_FOR = 10 * MINUTE
"""For so long the same words from the same sender are the same report, unless it says otherwise by a key of its own."""
REMEMBERED = 10_000
MOST_PHOTOS = 9
SHA256 = re.compile(r"[0-9a-f]{64}")

Photo = bytes | str
"""A picture, or the SHA-256 of one that the same sender has brought before."""


class Pace:
    """So many in a minute for each name, and then a sentence."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._minute = -1
        self._counts: Counter[str] = Counter()

    def check(self, name: str, now: int) -> None:
        """Count one; Refused (429) when it is one too many. `now` in µs."""
        with self._lock:
            if now // MINUTE != self._minute:
                self._minute, self._counts = now // MINUTE, Counter()
            self._counts[name] += 1
            many = self._counts[name] > self.most
        if many:
            raise Refused("too-often", "These were too many requests in one minute; please wait for a minute.", {}, 429)


class Again:
    """Which reports came a moment ago, word for word. In memory: after a restart each is a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: OrderedDict[str, int] = OrderedDict()

    def key(self, words: str, now: int) -> str:
        """A key that is the same as long as the same words come again within SAME_FOR of the first time."""
        with self._lock:
            while self._first and (len(self._first) > REMEMBERED or next(iter(self._first.values())) <= now - SAME_FOR):
                self._first.popitem(last=False)
            return f"{words}-{self._first.setdefault(words, now)}"


class Filing:
    """Takes reports on behalf of the doors of one hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.by_key, self.by_address, self.wrong = Pace(FROM_KEY), Pace(FROM_ADDRESS), Pace(WRONG)
        self.again = Again()

    @property
    def now(self) -> int:
        """The clock on the wall, also where the city's is sped up."""
        return self.hub.tokens.clock.now()

    def visit(self, address: str) -> None:
        """Somebody comes by. Refused (429) when too often."""
        self.by_address.check(address, self.now)

    def sender(self, token: str, address: str) -> Actor:
        """Who sends this key. Refused (401): none, forged or revoked; (403): its role
        files no reports; (429): too often."""
        actor = self.hub.tokens.actor(token.strip()) if token else None
        if actor is None:
            self.wrong.check(address, self.now)
            if not token:
                raise Refused("no-key", "Send the key that you were given; without one no report is taken.", {}, 401)
            message = "This key is not valid: it was mistyped, was never ours, or has been revoked."
            raise Refused("bad-key", message, {}, 401)
        self.by_key.check(actor.name, self.now)
        self.hub.guard.require(actor, "report", "case", address=address)
        return actor

    def file(
        self, actor: Actor, report: NewReport, photos: Sequence[Photo] = (), key: str = "", address: str = ""
    ) -> Receipt:
        """File a report; the same one again gets the same answer. `key`: by which the sender says that it is the same.
        Refused with a sentence for everything that cannot be, before anything is kept."""
        tidy(report)
        self.hub.reports.areas(report.place)
        checked(photos)
        names = [each if isinstance(each, str) else hashlib.sha256(each).hexdigest() for each in photos]
        for sha256 in (each for each in photos if isinstance(each, str)):
            self.brought(actor, sha256)
        whole = replace(report, photos=tuple(names), key=self.same(actor, replace(report, photos=tuple(names)), key))
        for data in (each for each in photos if isinstance(each, bytes)):
            self.hub.blobs.keep(data, photo=True)
        receipt = self.hub.reports.file(whole)
        self.noted(actor, f"case:{receipt.filed.entry.number}", report.source, address)
        return receipt

    def same(self, actor: Actor, report: NewReport, key: str) -> str:
        """The key of a report in the book: of each sender its own."""
        if key and not (key.isprintable() and len(key) <= 200):
            raise Refused("bad-key-of-request", "The key of a request has 1 to 200 printable characters.", {}, 422)
        if key:
            return f"report-{digest(actor.name, key)}"
        told = [getattr(report, name) for name in NewReport.__dataclass_fields__]
        return f"report-{self.again.key(digest(actor.name, repr(told)), self.now)}"

    def noted(self, actor: Actor, thing: str, source: str, address: str) -> None:
        now = self.hub.clock.now()

        def write(conn: Connection) -> None:
            audit.record(conn, now, actor, "report", thing, address=address, detail={"source": source})

        self.hub.store.afterwards(write)

    # -- photos

    def keep(self, actor: Actor, data: bytes, address: str = "") -> Blob:
        """Keep a picture for a report that is still to come."""
        self.hub.guard.require(actor, "upload", "blob", address=address)
        checked([data])
        blob = self.hub.blobs.keep(data, photo=True)
        with self.hub.store.write() as conn:
            self.hub.blobs.record(conn, blob, actor.name, self.hub.clock.now())
        return blob

    def brought(self, actor: Actor, sha256: str) -> None:
        """Refused (404) unless this sender has brought that picture."""
        with self.hub.store.read() as conn:
            by = conn.execute(select(blobs.c.by).where(blobs.c.sha256 == sha256)).scalar()
        if by != actor.name:
            raise gone()


def checked(photos: Sequence[Photo]) -> None:
    """Refused for more than MOST_PHOTOS, and for a picture that is none or carries a program."""
    if len(photos) > MOST_PHOTOS:
        raise Refused("too-many-photos", "Please send at most {most} photos.", {"most": MOST_PHOTOS}, 422)
    for data in (each for each in photos if isinstance(each, bytes)):
        if data:
            media_type(data, photo=True)
        check_no_program(data)


def digest(*words: Any) -> str:
    return hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()[:40]
