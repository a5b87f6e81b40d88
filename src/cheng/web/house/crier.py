"""Tells everybody who has a page open what happened, each thing made ready once for all who may know the same.

Readers whose rights and language are the same are one group: an alert becomes a sentence and bytes once for each group
and is then written to its readers, one write a reader for all that happened in one turn of the event loop. Who does
not read is let go; the page comes back and says what it heard last.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select

from cheng.infrastructure.bus import CUT_OFF, Message, Subscription
from cheng.infrastructure.tables import sessions
from cheng.security.permissions import Target
from cheng.security.seen import cleared
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import alert_url
from cheng.web.city.words import alert_text
from cheng.web.house.changes import Changes
from cheng.web.house_of import House
from cheng.web.people import CLOSED
from cheng.web.shared import Shared

TOPICS = ("alerts/*", "cases/*", "readings", "things/*", "jobs/*", CLOSED)
RAISED = "alerts/raised"
HEARTBEAT = 20.0
"""Seconds after which a line goes to everybody, so that proxies keep the connections, and sessions are looked at."""
TOGETHER = 1.0
"""Seconds over which changes of one topic are told as one."""
PAGES_A_SECOND, MAPS_A_SECOND = 200, 20
"""Pages that are told of changes in a second, and of those on the map: that one asks for a dozen tiles. With few pages
open nobody waits; with many, alerts must not wait behind what all of them ask for."""
DRAWN = frozenset(("alerts", "cases", "things"))
"""Topics that parts of pages are drawn from."""
MAPPED, ON_MAP = frozenset(("alerts", "things")), frozenset(("map",))
ROOM = 100_000
"""Messages that may wait to be told."""
TOLD_A_SECOND = 100
"""Alerts that a group is told in one second. Of a storm the page shows the list, which it is told to ask for again."""
IN_ONE_GO, IN_WORDS = 128, 20
"""Readers written to, and alerts put into words, before the loop may turn to something else."""


class Chunk(NamedTuple):
    """Bytes for readers: as they are, and as a chunk of HTTP."""

    plain: bytes
    framed: bytes

    @classmethod
    def of(cls, plain: bytes) -> "Chunk":
        return cls(plain, b"%x\r\n%b\r\n" % (len(plain), plain))


@dataclass(eq=False)
class Reader:
    """One open page."""

    account: str
    session: str
    """the digest under which its session is known"""
    put: Callable[[Chunk], bool]
    """takes bytes without waiting; False when the page does not read"""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """set when nothing more will come"""


@dataclass
class Group:
    """Readers who may know the same, in one language; `ask` is what one of them asked."""

    ask: Ask
    readers: set[Reader] = field(default_factory=set)
    second: float = 0.0
    told: int = 0
    """alerts in this second"""

    def alerts(self, messages: Iterable[Message], now: float) -> bytes:
        """The alerts among the messages that these readers may see."""
        if now - self.second >= 1:
            self.second, self.told = now, 0
        self.ask = replace(self.ask, local=replace(self.ask.local, now=self.ask.hub.clock.now()))
        parts: list[bytes] = []
        for message in messages:
            if self.told < TOLD_A_SECOND and may_see(self.ask, message.body):
                self.told += 1
                parts.append(event("alert", as_toast(self.ask, message.body), str(message.body["number"])))
        return b"".join(parts)


class Crier:
    """One per house; belongs to the event loop on which pages are served."""

    def __init__(self, house: House, shared: Shared) -> None:
        self.house = house
        self.groups: dict[Hashable, Group] = {}
        self.open: Counter[str] = Counter()
        """open pages by account"""
        self._changed: set[str] = set()
        self._since = 0.0
        """when the first of them changed"""
        self._looked = 0.0
        self._shared = shared
        self._lanes = Changes[Reader](PAGES_A_SECOND), Changes[Reader](MAPS_A_SECOND)
        self._task: asyncio.Task[None] | None = None

    def join(self, ask: Ask, session: str, put: Callable[[Chunk], bool]) -> Reader:
        """Someone who is told from now on, until they `leave`."""
        if self._task is None or self._task.done():
            self._looked = clock()
            heard = self.house.bus.subscribe(*TOPICS, limit=ROOM)
            self._task = asyncio.get_running_loop().create_task(self._run(heard))
        key = ask.group
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(ask)
        group.ask = ask
        reader = Reader(ask.actor.name, session, put)
        group.readers.add(reader)
        self.open[reader.account] += 1
        return reader

    def leave(self, ask: Ask, reader: Reader) -> None:
        key = ask.group
        group = self.groups[key]
        group.readers.discard(reader)
        for lane in self._lanes:
            lane.forget(reader)
        self.open[reader.account] -= 1
        if not group.readers:
            del self.groups[key]
        if not self.groups and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, heard: Subscription) -> None:
        try:
            while True:
                messages = await self._next(heard)
                if messages and messages[-1].topic == CUT_OFF:
                    heard = self.house.bus.subscribe(*TOPICS, limit=ROOM)
                    self._change(["alerts", "cases", "things"])
                elif heard.closed and not messages:
                    return
                await self._tell(messages)
        finally:
            heard.close()
            for group in self.groups.values():
                for reader in group.readers:
                    reader.over.set()

    async def _next(self, heard: Subscription) -> list[Message]:
        """What has happened; nothing when it is time for something else."""
        now = clock()
        due = self._looked + HEARTBEAT
        if self._changed:
            due = min(due, self._since + TOGETHER)
        due = min(due, *(lane.due() for lane in self._lanes))
        try:
            async with asyncio.timeout(max(0.0, due - now)):
                return await heard.several()
        except TimeoutError:
            return []

    async def _tell(self, messages: Sequence[Message]) -> None:
        self._change({message.topic.split("/")[0] for message in messages} - {"sessions", "bus"})
        self._pass_on()
        raised = [message for message in messages if message.topic == RAISED]
        for group in list(self.groups.values()):
            for begin in range(0, len(raised), IN_WORDS):
                await write(list(group.readers), group.alerts(raised[begin : begin + IN_WORDS], clock()))
        for lane in self._lanes:
            for topics, readers in lane.take(clock()).items():
                await write(readers, b"".join(event("changed", {"topic": topic}) for topic in sorted(topics)))
        ended = {str(message.body.get("account", "")) for message in messages if message.topic == CLOSED}
        if ended or clock() - self._looked >= HEARTBEAT:
            await self._look("" in ended or clock() - self._looked >= HEARTBEAT, ended)

    def _change(self, topics: Iterable[str]) -> None:
        if topics and not self._changed:
            self._since = clock()
        self._changed.update(topics)
        if not DRAWN.isdisjoint(topics):
            self._shared.changed()

    def _pass_on(self) -> None:
        """What has changed goes to all readers, when it is time for it."""
        if not self._changed or clock() - self._since < TOGETHER:
            return
        topics, self._changed = frozenset(self._changed), set()
        pages, maps = self._lanes
        for group in self.groups.values():
            pages.add(group.readers, topics)
            if not MAPPED.isdisjoint(topics):
                maps.add(group.readers, ON_MAP)

    async def _look(self, at_all: bool, accounts: set[str]) -> None:
        """Lets go whose session has ended, of some accounts or at all of them; the others hear that we are here."""
        everybody = [reader for group in self.groups.values() for reader in group.readers]
        readers = [reader for reader in everybody if at_all or reader.account in accounts]
        if at_all:
            self._looked = clock()
        still = await asyncio.to_thread(still_open, self.house, [reader.session for reader in readers])
        for reader in readers:
            if reader.session not in still:
                reader.over.set()
        if at_all:
            await write([reader for reader in readers if reader.session in still], b": here\n\n")


async def write(readers: Sequence[Reader], content: bytes) -> None:
    """Gives everybody the same; who cannot take it is let go."""
    chunk = Chunk.of(content)
    for begin in range(0, len(readers) if content else 0, IN_ONE_GO):
        await asyncio.sleep(0)
        for reader in readers[begin : begin + IN_ONE_GO]:
            if not reader.over.is_set() and not reader.put(chunk):
                reader.over.set()


def clock() -> float:
    return asyncio.get_running_loop().time()


def event(name: str, body: dict[str, Any], number: str = "") -> bytes:
    """One server-sent event."""
    known = f"id: {number}\n" if number else ""
    return f"{known}event: {name}\ndata: ".encode() + msgspec.json.encode(body) + b"\n\n"


def still_open(house: House, keys: Sequence[str]) -> set[str]:
    """Those of the sessions that are still there; looking at them does not make them last longer."""
    found: set[str] = set()
    now = house.sessions.clock.now()
    with house.store.read() as conn:
        for begin in range(0, len(keys), 1000):
            some = sessions.c.token_hash.in_(keys[begin : begin + 1000])
            asked = select(sessions.c.token_hash).where(some, sessions.c.expires > now)
            found.update(conn.execute(asked).scalars())
    return found


def may_see(ask: Ask, body: dict[str, Any]) -> bool:
    """Whether a reader may see the alert: it is the business of one of their departments, or they see them all."""
    return any(ask.may("see", Target("alert", body["id"], department=name)) for name in body["departments"])


def as_toast(ask: Ask, body: dict[str, Any]) -> dict[str, Any]:
    """What the page shows in its corner: the alert without what this reader may not know."""
    text = alert_text(ask, ask.hub.model.rules.get(body["rule"]), body.get("values") or {}, cleared(ask.actor))
    number = body["number"]
    return {"id": body["id"], "number": number, "level": body["level"], "text": text, "url": alert_url(ask, number)}
