"""Commands go from the bus to devices, in their order, and a flood of them is told, not swallowed."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from mqtt_peer import Gate
from sqlalchemy import insert

from cheng.infrastructure.bus import Bus
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.command_book import CommandBook
from cheng.infrastructure.tables import commands
from cheng.protocols.mqtt_commands import EXPIRES, Delivered, carry_commands
from cheng.protocols.mqtt_packets import Topic
from laboratory import open_laboratory

Sent = list[tuple[str, dict[str, object], int, int | None]]


class Listener:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.sent: Sent = []

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 0,
        retain: bool = False,
        expires: int | None = None,
        taken: Callable[[], None] | None = None,
    ) -> int:
        self.sent.append((topic, json.loads(payload), qos, expires))
        return 1


def never(number: int) -> None:
    raise AssertionError("nobody acknowledged anything")


def told(bus: Bus, number: int) -> None:
    body = {"id": number, "thing": "lamp-1", "command": "dim", "arguments": {"level": number}}
    bus.publish("commands/lamp-1", body)


def test_each_command_reaches_the_topic_of_its_thing() -> None:
    async def story() -> Sent:
        bus, listener = Bus(), Listener()
        carrying = asyncio.create_task(carry_commands(bus, listener, never))
        await asyncio.sleep(0)
        for number in range(3):
            told(bus, number)
        bus.publish("alerts/raised", {})
        while len(listener.sent) < 3:
            await asyncio.sleep(0)
        bus.close()
        await carrying
        return listener.sent

    assert asyncio.run(story()) == [("cheng/lamp-1/set/dim", {"level": n}, 1, EXPIRES) for n in range(3)]


def test_too_many_at_once_are_told_and_the_next_ones_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> Sent:
        bus, listener = Bus(), Listener()
        carrying = asyncio.create_task(carry_commands(bus, listener, never, room=2))
        await asyncio.sleep(0)
        for number in range(5):
            told(bus, number)
        while not caplog.records:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        told(bus, 9)
        while not listener.sent:
            await asyncio.sleep(0)
        carrying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await carrying
        return listener.sent

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(story()) == [("cheng/lamp-1/set/dim", {"level": 9}, 1, EXPIRES)]
    assert "3 commands came faster" in caplog.text


def test_a_command_is_delivered_when_its_device_has_acknowledged_it(tmp_path: Path, clock: ManualClock) -> None:
    hub = open_laboratory(tmp_path, clock)
    book = CommandBook(hub.store, hub.things, hub.bus, clock)
    with hub.store.write() as conn:
        row = {"thing": "lamp-1", "command": "dim", "arguments": {"level": 4}, "at": clock.now(), "by": "li"}
        numbers = [conn.execute(insert(commands).returning(commands.c.id), row).scalar_one() for _ in range(3)]

    async def story() -> None:
        async with Gate() as gate:
            delivered = Delivered(book)
            carrying = asyncio.create_task(carry_commands(hub.bus, gate.broker, delivered.note))
            lamp = await gate.connect("lamp-1")
            await lamp.subscribe(Topic("cheng/lamp-1/set/#", 1))
            for number in numbers[:2]:
                body = {"id": number, "thing": "lamp-1", "command": "dim", "arguments": {"level": 4}}
                hub.bus.publish("commands/lamp-1", body)
            await lamp.messages(1)  # and acknowledges it
            while book.of_thing("lamp-1")[-1].state != "delivered":
                await asyncio.sleep(0.01)
            hub.bus.close()
            await carrying

    asyncio.run(asyncio.wait_for(story(), 20))
    assert [told.state for told in book.of_thing("lamp-1")] == ["sent", "sent", "delivered"]
    hub.close()
