"""Carries commands from the bus to devices that listen: `cheng/<thing>/set/<command>`, arguments as a JSON object."""

import logging
from typing import Protocol

import msgspec

from cheng.infrastructure.bus import CUT_OFF, Bus

log = logging.getLogger(__name__)
TOPICS = "commands/*"
EXPIRES = 600
"""Seconds that a command waits for a device that is away; told later it would surprise people."""


class Publisher(Protocol):
    """The part of the listener that is needed: see `mqtt_broker.Broker.publish`."""

    def publish(
        self, topic: str, payload: bytes, qos: int = 0, retain: bool = False, expires: int | None = None
    ) -> int: ...


async def carry_commands(bus: Bus, listener: Publisher, room: int = 100_000) -> None:
    """Publishes every command from now on, with QoS 1, until the bus is closed or the task is cancelled.

    `room`: how many may wait; whoever sends more at once than that is told in the log what was not carried.
    """
    while True:
        async with bus.subscribe(TOPICS, limit=room) as commands:
            async for message in commands:
                if message.topic == CUT_OFF:
                    log.error("%s commands came faster than they could be carried", message.body["missed"])
                    break
                body = message.body
                topic = f"cheng/{body['thing']}/set/{body['command']}"
                listener.publish(topic, msgspec.json.encode(body["arguments"]), qos=1, expires=EXPIRES)
            else:
                return
