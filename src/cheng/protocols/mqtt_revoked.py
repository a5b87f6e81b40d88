"""Puts devices out whose token was revoked: a connection that is open does not outlive the right to it."""

from typing import Protocol

from cheng.infrastructure.bus import Bus
from cheng.security.tokens import as_actor

REVOKED = "tokens/revoked"
"""The topic of the bus; its body has the token's name and role."""


class Expeller(Protocol):
    """The part of the listener that is needed: see `mqtt_broker.Broker.disconnect`."""

    def disconnect(self, principal: object) -> int: ...


async def expel_revoked(bus: Bus, listener: Expeller) -> None:
    """Ends the sessions of every token that is revoked from now on, until the bus is closed."""
    async with bus.subscribe(REVOKED) as messages:
        async for message in messages:
            if message.topic == REVOKED:
                listener.disconnect(as_actor(message.body["name"], message.body["role"], {}))
