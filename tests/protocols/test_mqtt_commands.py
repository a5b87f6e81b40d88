"""Commands go from the bus to devices, in their order, and a flood of them is told, not swallowed."""

import asyncio
import json
import logging

import pytest

from cheng.infrastructure.bus import Bus
from cheng.protocols.mqtt_commands import EXPIRES, carry_commands

Sent = list[tuple[str, dict[str, object], int, int | None]]


class Listener:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.sent: Sent = []

    def publish(
        self, topic: str, payload: bytes, qos: int = 0, retain: bool = False, expires: int | None = None
    ) -> int:
        self.sent.append((topic, json.loads(payload), qos, expires))
        return 1


def told(bus: Bus, number: int) -> None:
    body = {"id": number, "thing": "lamp-1", "command": "dim", "arguments": {"level": number}}
    bus.publish("commands/lamp-1", body)


def test_each_command_reaches_the_topic_of_its_thing() -> None:
    async def story() -> Sent:
        bus, listener = Bus(), Listener()
        carrying = asyncio.create_task(carry_commands(bus, listener))
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
        carrying = asyncio.create_task(carry_commands(bus, listener, room=2))
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
