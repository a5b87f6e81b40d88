"""The MQTT door: topics of the hub, and who may use which.

`cheng/<id>/<attr>` carries a plain value, `cheng/<id>` a JSON object of values, `cheng/batch` NDJSON, SenML or Arrow,
`cheng/events` events as NDJSON; commands come to a device on `cheng/<id>/set/<command>`. QoS 1 is acknowledged after
the commit. A client signs in with its token as password.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from cheng.hub import Hub
from cheng.infrastructure.resolving import Scope, resolve
from cheng.kernel.observations import Batch
from cheng.protocols.decoding import sniff
from cheng.protocols.decoding_rows import Builder, instant
from cheng.protocols.intake import Intake, Receipt
from cheng.protocols.mqtt_hub import ACCEPTED, PAYLOAD_INVALID, Principal, Publish
from cheng.protocols.singles import Places, Rows
from cheng.security.actors import Actor
from cheng.security.permissions import Target, decide
from cheng.standards.problems import InputError, Refused

ROOT = "cheng"
BATCH, EVENTS = f"{ROOT}/batch", f"{ROOT}/events"
TOPICS = 100_000
"""Topics remembered with what they name."""
SENDER = "mqtt"
"""In whose name single readings of many clients are handed in together."""
PAUSE = 0.02
"""Seconds after which a full house is asked again."""


class MqttDoor:
    """What stands behind the listener: see `mqtt_hub.Hub`."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.intake = Intake(hub)
        self.places = Places(hub.things)
        self._topics: dict[str, tuple[str, str]] = {}
        self._stamped = 0
        self._asked: tuple[Principal, Scope | None] = "", None
        """who was asked about last, and what they may report for: publishes of one client come in a row"""

    async def authenticate(self, client_id: str, username: str | None, password: bytes | None) -> Principal | None:
        """The token's owner; None refuses: no such token, or one that may report for nothing."""
        actor = self.hub.tokens.actor((password or b"").decode("utf-8", "replace"))
        if actor is None or not (actor.kind == "device" or decide(actor, "ingest", Target("thing")).allowed):
            return None
        return actor

    def may_subscribe(self, principal: Principal, topic_filter: str) -> bool:
        """A device may listen to its own things' commands, and to nothing with a wildcard above them."""
        levels = topic_filter.split("/")
        return len(levels) >= 3 and levels[0] == ROOT and levels[2] == "set" and self._covers(principal, levels[1])

    def may_publish(self, principal: Principal, topic: str) -> bool:
        """A device may report for its own things; batches are looked at line by line."""
        levels = topic.split("/")
        if levels[0] != ROOT or not 2 <= len(levels) <= 3:
            return False
        return topic in (BATCH, EVENTS) or self._covers(principal, levels[1])

    def _covers(self, principal: Principal, thing: str) -> bool:
        if principal is not self._asked[0]:
            assert isinstance(principal, Actor)
            self._asked = principal, self.intake.scope(principal)
        scope = self._asked[1]
        return scope is None or scope(thing)

    def receive(self, publishes: list[Publish]) -> Awaitable[Sequence[int] | None]:
        """Single readings of many devices go in as one batch; batches of one sender together, events one by one."""
        return self._receive(publishes)

    async def _receive(self, publishes: list[Publish]) -> Sequence[int] | None:
        rows, builder, began = Rows(), Builder(), time.monotonic()
        self._stamped = max(self._stamped, self.hub.clock.now())
        others: dict[tuple[Principal, str], list[int]] = {}
        for number, publish in enumerate(publishes):
            if publish.topic in (BATCH, EVENTS):
                others.setdefault((publish.principal, publish.topic), []).append(number)
            elif not self._place(rows, publish):
                self._read(builder, number + 1, publish)
        verdicts = [ACCEPTED] * len(publishes)
        singles = len(rows) + len(builder.rows) + len(builder.errors)
        work: list[Awaitable[None]] = []
        if rows:
            work.append(self._hand_in(rows.batch()))
        if builder.rows or builder.errors:
            work.append(self._take_single(builder, publishes, verdicts))
        for (principal, topic), numbers in others.items():
            assert isinstance(principal, Actor)
            take = self._take_events if topic == EVENTS else self._take_batches
            work.append(take(principal, numbers, publishes, verdicts))
        if len(work) == 1:
            await work[0]
        else:
            await all_of(work)
        if singles:
            refused = len(builder.errors)
            self.hub.inputs.took(SENDER, singles - refused, refused, time.monotonic() - began)
        return verdicts

    def _stamp(self) -> int:
        """The present moment, for no two readings the same: what a thing says twice at once would be a repetition."""
        self._stamped += 1
        return self._stamped

    def _place(self, rows: Rows, publish: Publish) -> bool:
        """A publish as rows, the cheap way; False when it has to be read the general way."""
        try:
            name, attr = self._topics[publish.topic]
        except KeyError:
            name, attr = self._split(publish.topic)
        said = value_of(publish.payload)
        add = self.places.add
        if attr:
            return add(rows, name, attr, self._stamp(), said)
        if type(said) is not dict:
            return False
        time, before = said.pop("time", None), len(rows)
        try:
            at = self._stamp() if time is None else instant(time)
        except (InputError, TypeError):
            return False
        if all([add(rows, name, each, at, value) for each, value in said.items()]):
            return True
        rows.cut(before)
        return False

    def _split(self, topic: str) -> tuple[str, str]:
        """The thing and the attribute that a topic names; the second is empty where the payload says it."""
        _, name, attr = f"{topic}/".split("/")[:3]
        if len(self._topics) >= TOPICS:
            self._topics.clear()
        self._topics[topic] = name, attr
        return name, attr

    def _read(self, builder: Builder, line: int, publish: Publish) -> None:
        """One publish as rows of the builder; the line is its place among the publishes."""
        name, attr = self._split(publish.topic)
        said = value_of(publish.payload)
        try:
            if attr:
                builder.add(line, name, attr, self._stamp(), said)
                return
            if not isinstance(said, dict):
                raise InputError("not-understood", "a JSON object of values is wanted here", line)
            time = said.pop("time", None)
            if not isinstance(time, int | float | str | None):
                raise InputError("bad-time", "'time' has to be ISO 8601 or an epoch number", line)
            at = self._stamp() if time is None else instant(time)
            for each, value in said.items():
                builder.add(line, name, str(each), at, value)
        except InputError as error:
            error.line = line
            builder.errors.append(error)

    async def _hand_in(self, batch: Batch) -> None:
        await self._when_there_is_room(lambda: asyncio.wrap_future(self.hub.pipeline.submit(batch, SENDER)), SENDER)

    async def _when_there_is_room(self, work: Callable[[], Awaitable[Any]], sender: str) -> Any:
        """Waits while the house is too busy: meanwhile nothing is acknowledged, and soon nothing more is read."""
        while True:
            try:
                self.hub.pipeline.inbox.check(sender)
                return await work()
            except Refused as refused:
                if refused.status != 429:
                    raise
            await asyncio.sleep(PAUSE)

    async def _take_single(self, builder: Builder, publishes: list[Publish], verdicts: list[int]) -> None:
        if builder.rows:
            batch, refused = resolve(builder.reports(), self.hub.things)
            builder.errors += refused
            if len(batch):
                await self._hand_in(batch)
        for error in builder.errors:
            verdicts[(error.line or 1) - 1] = PAYLOAD_INVALID
        kept = [(error, publishes[(error.line or 1) - 1]) for error in builder.errors]
        if kept:
            rows = [(error, f"{publish.topic} ".encode() + publish.payload) for error, publish in kept]
            await asyncio.to_thread(self.hub.refused.keep, "mqtt", kept[0][1].client_id, rows)

    async def _take_batches(
        self, actor: Actor, numbers: list[int], publishes: list[Publish], verdicts: list[int]
    ) -> None:
        """Batches of one sender: those of one format are decoded together."""
        formats: dict[str, list[int]] = {}
        for number in numbers:
            formats.setdefault(sniff(publishes[number].payload), []).append(number)
        for media_type, some in formats.items():
            payloads = [publishes[number].payload for number in some]
            take = partial(self.intake.take_many, payloads, media_type, actor, "mqtt")
            answers = await self._when_there_is_room(take, actor.name)
            for number, answer in zip(some, answers, strict=True):
                verdicts[number] = verdict(answer)

    async def _take_events(
        self, actor: Actor, numbers: list[int], publishes: list[Publish], verdicts: list[int]
    ) -> None:
        for number in numbers:
            payload = publishes[number].payload
            take = partial(self.intake.take_events, payload, actor, "mqtt")
            verdicts[number] = verdict(await self._when_there_is_room(take, actor.name))


def value_of(payload: bytes) -> Any:
    """What a payload says: JSON, else the text that it is; nothing where it is empty."""
    try:
        return msgspec.json.decode(payload) if payload else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return payload.decode("utf-8", "replace")


def verdict(answer: Receipt | InputError) -> int:
    """A batch is bad only when nothing of it was taken."""
    if isinstance(answer, InputError):
        return PAYLOAD_INVALID
    return PAYLOAD_INVALID if answer.refused and not answer.accepted else ACCEPTED


async def all_of(work: Sequence[Awaitable[None]]) -> None:
    """All of them to their end; raises what the first that failed raised."""
    for done in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(done, BaseException):
            raise done
