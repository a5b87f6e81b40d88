"""The MQTT door: topics of the hub, and who may use which.

`cheng/<id>/<attr>` carries a plain value, `cheng/<id>` a JSON object of values, `cheng/batch` NDJSON, SenML or Arrow,
`cheng/events` events as NDJSON; commands come to a device on `cheng/<id>/set/<command>`. QoS 1 is acknowledged after
the commit. A client signs in with its token as password.
"""

import asyncio
from collections.abc import Awaitable, Sequence

import msgspec

from cheng.hub import Hub
from cheng.infrastructure.resolving import resolve
from cheng.protocols.decoding import Builder, instant, sniff
from cheng.protocols.intake import Intake
from cheng.protocols.mqtt_hub import ACCEPTED, PAYLOAD_INVALID, Principal, Publish
from cheng.security.actors import Actor
from cheng.security.permissions import Target, decide
from cheng.standards.problems import InputError

ROOT = "cheng"
BATCH, EVENTS = "batch", "events"


class MqttDoor:
    """What stands behind the listener: see `mqtt_hub.Hub`."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.intake = Intake(hub)

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
        return topic in (f"{ROOT}/{BATCH}", f"{ROOT}/{EVENTS}") or self._covers(principal, levels[1])

    def _covers(self, principal: Principal, thing: str) -> bool:
        assert isinstance(principal, Actor)
        scope = self.intake.scope(principal)
        return scope is None or scope(thing)

    def receive(self, publishes: list[Publish]) -> Awaitable[Sequence[int] | None]:
        """Single readings of many devices go in as one batch; batches and events one by one."""
        return self._receive(publishes)

    async def _receive(self, publishes: list[Publish]) -> Sequence[int] | None:
        verdicts = [ACCEPTED] * len(publishes)
        builder = Builder()
        larger: list[int] = []
        for number, publish in enumerate(publishes):
            if publish.topic in (f"{ROOT}/{BATCH}", f"{ROOT}/{EVENTS}"):
                larger.append(number)
            else:
                self._read(builder, number + 1, publish)
        await self._take_single(builder, publishes, verdicts)
        for number in larger:
            verdicts[number] = await self._take_batch(publishes[number])
        return verdicts

    def _read(self, builder: Builder, line: int, publish: Publish) -> None:
        """One publish as rows of the builder; the line is its place among the publishes."""
        levels = publish.topic.split("/")
        now = self.hub.clock.now()
        try:
            said = msgspec.json.decode(publish.payload) if publish.payload else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = publish.payload.decode("utf-8", "replace")
        try:
            if len(levels) == 3:
                builder.add(line, levels[1], levels[2], now, said)
                return
            if not isinstance(said, dict):
                raise InputError("not-understood", "a JSON object of values is wanted here", line)
            time = said.pop("time", None)
            at = now if time is None else instant(time)
            for attr, value in said.items():
                builder.add(line, levels[1], str(attr), at, value)
        except InputError as error:
            error.line = line
            builder.errors.append(error)

    async def _take_single(self, builder: Builder, publishes: list[Publish], verdicts: list[int]) -> None:
        if builder.rows:
            batch, refused = resolve(builder.reports(), self.hub.things)
            builder.errors += refused
            if len(batch):
                await asyncio.wrap_future(self.hub.pipeline.submit(batch))
        for error in builder.errors:
            verdicts[(error.line or 1) - 1] = PAYLOAD_INVALID
        kept = [(error, publishes[(error.line or 1) - 1]) for error in builder.errors]
        if kept:
            rows = [(error, f"{publish.topic} ".encode() + publish.payload) for error, publish in kept]
            await asyncio.to_thread(self.hub.refused.keep, "mqtt", kept[0][1].client_id, rows)

    async def _take_batch(self, publish: Publish) -> int:
        assert isinstance(publish.principal, Actor)
        try:
            if publish.topic.endswith(EVENTS):
                receipt = await self.intake.take_events(publish.payload, publish.principal, "mqtt")
            else:
                media_type = sniff(publish.payload)
                receipt = await self.intake.take(publish.payload, media_type, publish.principal, "mqtt")
        except InputError:
            return PAYLOAD_INVALID
        return PAYLOAD_INVALID if receipt.refused and not receipt.accepted else ACCEPTED
