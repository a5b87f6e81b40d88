"""What the MQTT listener asks of the hub behind it, what bounds it, and what it counts."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Protocol

import msgspec

from cheng.protocols.mqtt_properties import Properties, Reason

ACCEPTED = 0x00
"""The verdict on a publish that is durable."""
PAYLOAD_INVALID = int(Reason.PAYLOAD_INVALID)
"""The verdict on a payload that cannot be taken and was kept aside, durably."""
QUOTA_EXCEEDED = int(Reason.QUOTA_EXCEEDED)
"""The verdict on a publish that was not kept at all, because its sender sends too much."""

Principal = Hashable
"""Who a client is. The listener only compares principals, counts their sessions and hands them back."""

Owner = Callable[[Principal], Hashable]
"""Whose a session is: what stays the same of a principal when its rights change."""


class Publish(msgspec.Struct, gc=False):
    """One message that a client published."""

    principal: Principal
    client_id: str
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties | None = None
    """Version 5 only: content type, response topic, user properties and so on."""


class Hub(Protocol):
    """What stands behind the listener. All is called on the event loop's thread."""

    async def authenticate(self, client_id: str, username: str | None, password: bytes | None) -> Principal | None:
        """Who this is; None refuses the client ("not authorized")."""

    def may_subscribe(self, principal: Principal, topic_filter: str) -> bool:
        """May the client read all that this filter matches? `$share/name/` is taken off; see `mqtt_topics.covers`."""

    def may_publish(self, principal: Principal, topic: str) -> bool:
        """May the client publish here? Also asked of its will, when it connects and when it is sent."""

    def receive(self, publishes: list[Publish]) -> Awaitable[Sequence[int] | None]:
        """Takes publishes, in the order they came, and resolves when they are durable.

        Resolves to None when all are accepted, else to one verdict for each: ACCEPTED, PAYLOAD_INVALID (refused and
        kept aside), QUOTA_EXCEEDED (refused and not kept) or another reason code of MQTT 5 from 0x80 on, which is
        taken as kept aside. Version 3.1.1, which knows no reasons, gets its PUBACK for what is kept aside, and is
        disconnected without one for what is not kept.
        Raising anything means: nothing of this call is known to be durable. Calls may overlap; acknowledgements keep
        the order of the calls. A call that raised for several clients is repeated client by client, so that one
        client's message cannot harm the others'; hence the hub may see a message twice, as always with QoS 1.
        """


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds the listener. Times are seconds, sizes bytes."""

    connections: int = 20_000
    sessions: int = 100_000
    """Connected or kept for clients that are away."""
    sessions_each: int = 20_000
    """Of one owner; a whole district's devices may share one token."""
    connect_time: float = 10
    """From the opened socket to the answered CONNECT."""
    stall_time: float = 30
    """How long a client may leave its socket unread, or its close unanswered."""
    linger_time: float = 5
    """How long a client that is put out may take to read why."""
    tick: float = 0.5
    """How often keep-alive, expiry and delays are looked at."""
    stop_time: float = 2
    """How long `stop` waits for the hub to answer, and then again for the clients to go."""

    packet: int = 1 << 20
    connect_packet: int = 1 << 16
    """The first packet of a connection, whose sender nobody knows yet."""
    client_id: int = 256
    topic: int = 1024
    topic_levels: int = 32
    receive_maximum: int = 4096
    """Publishes of one client that are not yet acknowledged; version 5 is told, 3.1.1 is no longer read from."""
    pending: int = 64 << 20
    """What publishes of all clients that the hub has not answered yet may take; beyond it nobody is read from."""
    pending_each: int = 16 << 20
    """The same of one client, so that the others are read from while it has to wait."""
    topic_aliases: int = 16
    keep_alive: int = 0
    """The longest keep-alive that version 5 may choose; 0 leaves it to the client."""
    session_expiry: int = 7 * 86_400

    inflight: int = 256
    """Messages sent to one client that it has not acknowledged yet."""
    queue: int = 1000
    """Messages waiting for one client."""
    queue_size: int = 1 << 20
    queued: int = 128 << 20
    """Messages waiting for all clients."""
    write_buffer: int = 1 << 18
    subscriptions: int = 100
    """Of one client."""
    retained: int = 10_000
    retained_size: int = 64 << 20


class Counters(msgspec.Struct):
    """What happened since the start, and how things are now (the first four)."""

    connections: int = 0
    sessions: int = 0
    retained: int = 0
    pending: int = 0
    """Bytes of publishes that wait for the hub."""
    connects: int = 0
    """CONNECTs accepted."""
    connects_refused: int = 0
    received: int = 0
    """Publishes from clients that the hub accepted."""
    received_bytes: int = 0
    refused: int = 0
    """Publishes from clients that were not allowed, or that the hub did not accept."""
    failed: int = 0
    """Publishes that the hub could not make durable; their senders were disconnected."""
    sent: int = 0
    """Publishes to clients."""
    dropped: int = 0
    """Publishes to clients that found no room, or had expired, or were too large for the client."""
    protocol_errors: int = 0
    timeouts: int = 0
    """Clients disconnected because they were silent, half open or did not read."""
    takeovers: int = 0
