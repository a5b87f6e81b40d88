"""Carries commands from the bus to devices that listen: `cheng/<thing>/set/<command>`, arguments as a JSON object.

A command is `delivered` when the device has acknowledged it; whether it did what it was told shows in what it reports.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from cheng.infrastructure.bus import CUT_OFF, Bus
from cheng.infrastructure.command_book import CommandBook

log = logging.getLogger(__name__)
TOPICS = "commands/*"
EXPIRES = 600
"""Seconds that a command waits for a device that is away; told later it would surprise people."""
ROOM = 1_000_000
"""Commands that may wait to be carried: all lamps of a large city at dusk, some hundred bytes each."""
ABREAST = 500
"""Commands carried before others get their turn."""


class Publisher(Protocol):
    """The part of the listener that is needed: see `mqtt_broker.Broker.publish`."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 0,
        retain: bool = False,
        expires: int | None = None,
        taken: Callable[[], None] | None = None,
    ) -> int: ...


class Delivered:
    """Notes in the book which commands were acknowledged: those of one moment in one go, in a thread."""

    def __init__(self, book: CommandBook) -> None:
        self.book = book
        self._numbers: list[int] = []
        self._writing: asyncio.Task[None] | None = None

    def note(self, number: int) -> None:
        self._numbers.append(number)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._numbers:
                numbers, self._numbers = self._numbers, []
                await asyncio.to_thread(self.book.mark, numbers, "delivered")
        except Exception:
            log.exception("that commands were delivered could not be written down")
        finally:
            self._writing = None


async def carry_commands(bus: Bus, listener: Publisher, delivered: Callable[[int], None], room: int = ROOM) -> None:
    """Publishes every command from now on, with QoS 1, until the bus is closed or the task is cancelled.

    `delivered` is told the number of each that its device has acknowledged. `room`: how many may wait; whoever sends
    more at once than that is told in the log what was not carried.
    """
    cut_off = True
    while cut_off:
        cut_off = False
        async with bus.subscribe(TOPICS, limit=room) as commands:
            while waiting := await commands.several(ABREAST):
                for message in waiting:
                    if message.topic == CUT_OFF:
                        log.error("%s commands came faster than they could be carried", message.body["missed"])
                        cut_off = True
                        continue
                    body = message.body
                    topic = f"cheng/{body['thing']}/set/{body['command']}"
                    arguments, taken = msgspec.json.encode(body["arguments"]), partial(delivered, body["id"])
                    listener.publish(topic, arguments, qos=1, expires=EXPIRES, taken=taken)
                await asyncio.sleep(0)
