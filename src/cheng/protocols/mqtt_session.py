"""What the listener keeps of one client: what it subscribed to, what waits for it, what it has not acknowledged.

A session outlives its connections. All bounds are in `Limits`.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from cheng.protocols.mqtt_hub import Counters, Limits, Principal
from cheng.protocols.mqtt_packets import V5, Ack, Publish, Will, encode
from cheng.protocols.mqtt_properties import NONE, Kind, Properties
from cheng.protocols.mqtt_topics import Subscription


class Message(msgspec.Struct, gc=False):
    """A message on its way to subscribers; shared by all of them."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: Properties | None = None
    expires: float | None = None
    """On the listener's clock."""
    frames: dict[int, bytes] = {}
    """The bytes of the plainest deliveries (QoS 0), by version and retain flag."""
    taken: Callable[[], None] | None = None
    """Is told once, when the first client has acknowledged it."""

    def acknowledged(self) -> None:
        """A client has it."""
        if self.taken is not None:
            self.taken()
            self.taken = None


class Delivery(msgspec.Struct):
    """A message for one client."""

    message: Message
    qos: int
    retain: bool
    numbers: tuple[int, ...] = ()
    """The subscription identifiers that matched."""
    packet_id: int = 0
    dup: bool = False
    released: bool = False
    """QoS 2: the client has it (PUBREC), only PUBREL and PUBCOMP are left."""


class Link(Protocol):
    """The connection of a client, as its session sees it."""

    version: int
    send_quota: int
    max_packet: int

    def writable(self) -> bool:
        """Is there room in the socket's buffer?"""

    def send(self, data: bytes) -> None:
        """Sends soon, together with what else there is."""

    def close(self, reason: int | None = None, text: str = "") -> None:
        """Ends the connection, and tells a version 5 client why."""

    def alias(self, topic: str) -> tuple[int, bool]:
        """The alias of a topic and whether the client knows it already; 0 for none."""

    def forget_alias(self, topic: str) -> None:
        """The message that was to introduce the alias was not sent."""


class Pool:
    """What all sessions share: limits, counters, the clock, and the bytes that wait for all clients together."""

    __slots__ = ("counters", "limits", "now", "queued")

    def __init__(self, limits: Limits, counters: Counters, now: Callable[[], float]) -> None:
        self.limits = limits
        self.counters = counters
        self.now = now
        self.queued = 0


class Session:
    """One client's state, whether it is connected or not."""

    def __init__(self, client_id: str, principal: Principal, pool: Pool) -> None:
        self.client_id = client_id
        self.principal = principal
        self.link: Link | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.incoming: dict[int, bool] = {}
        """QoS 2 packet identifiers from the client that are not released yet; True once the hub has the message."""
        self.expiry = 0.0
        """Seconds that the session outlives its connection."""
        self.ends: float | None = None
        """When it ends, while the client is away."""
        self.will: Will | None = None
        """Only while it waits for its delay."""
        self.will_due = 0.0
        self._pool = pool
        self._queue: deque[Delivery] = deque()
        self._held = 0  # bytes, queued or in flight
        self._inflight: dict[int, Delivery] = {}
        self._last_id = 0

    def deliver(self, delivery: Delivery, extra_room: int = 0) -> None:
        """Sends now, or queues, or drops: QoS 0 when the client is away, anything when there is no room.

        `extra_room` is how many messages above the limit may wait: retained ones, which lie in memory anyway.
        """
        link = self.link
        if link is None and delivery.qos == 0:
            return
        ready = link if not self._queue and link is not None and self._may_send(link, delivery) else None
        if ready is not None and delivery.qos == 0:
            self._transmit(ready, delivery)
            return
        size = _size(delivery)
        if not self._room(size, extra_room):
            self._pool.counters.dropped += 1
            return
        self._held += size
        self._pool.queued += size
        if ready is None:
            self._queue.append(delivery)
        elif not self._transmit(ready, delivery):
            self._give_back(delivery)

    def _room(self, size: int, extra: int) -> bool:
        limits = self._pool.limits
        if len(self._queue) >= limits.queue + extra or self._pool.queued + size > limits.queued:
            return False
        return extra > 0 or not self._held or self._held + size <= limits.queue_size

    def pump(self) -> None:
        """Sends what waits, as far as the client and its socket take it."""
        link = self.link
        queue = self._queue
        while queue and link is not None and self._may_send(link, queue[0]):
            delivery = queue.popleft()
            if not self._transmit(link, delivery) or delivery.qos == 0:
                self._give_back(delivery)

    @property
    def waiting(self) -> int:
        """Messages queued or not acknowledged."""
        return len(self._queue) + len(self._inflight)

    def resume(self, link: Link) -> None:
        """A client came back: what it has not acknowledged comes first, in the old order, marked as a repetition."""
        self.link = link
        self.ends = None
        again = [delivery for delivery in self._inflight.values() if not delivery.released]
        for delivery in again:
            del self._inflight[delivery.packet_id]
            delivery.dup = True
        for delivery in reversed(again):
            self._queue.appendleft(delivery)
        for packet_id in self._inflight:
            link.send(encode(Ack(Kind.PUBREL, packet_id), link.version))
        self.pump()

    def acknowledged(self, packet_id: int, kind: int, failed: bool) -> bool:
        """PUBACK, PUBREC or PUBCOMP came. False when nothing with this identifier waits for that."""
        delivery = self._inflight.get(packet_id)
        if delivery is None or (delivery.qos == 1) != (kind == Kind.PUBACK):
            return False
        if not failed:
            delivery.message.acknowledged()
        if kind == Kind.PUBREC and not failed:
            delivery.released = True
            return True
        if kind == Kind.PUBCOMP and not delivery.released:
            return False
        del self._inflight[packet_id]
        self._give_back(delivery)
        self.pump()
        return True

    def clear(self) -> None:
        """Forgets everything that waits, and gives its room back."""
        self._pool.queued -= self._held
        self._held = 0
        self._queue.clear()
        self._inflight.clear()
        self.incoming.clear()

    def _may_send(self, link: Link, delivery: Delivery) -> bool:
        return link.writable() and (delivery.qos == 0 or len(self._inflight) < link.send_quota)

    def _give_back(self, delivery: Delivery) -> None:
        size = _size(delivery)
        self._held -= size
        self._pool.queued -= size

    def _transmit(self, link: Link, delivery: Delivery) -> bool:
        """False when the message has expired or is too large for the client."""
        message = delivery.message
        expired = message.expires is not None and not delivery.dup and message.expires <= self._pool.now()
        frame = b"" if expired else self._frame(link, delivery)
        if not frame:
            self._pool.counters.dropped += 1
            return False
        if delivery.qos:
            self._inflight[delivery.packet_id] = delivery
        link.send(frame)
        self._pool.counters.sent += 1
        return True

    def _frame(self, link: Link, delivery: Delivery) -> bytes:
        """The bytes; none when the client does not take packets that large."""
        message = delivery.message
        if delivery.qos and not delivery.packet_id:
            delivery.packet_id = self._next_id()
        alias, known = link.alias(message.topic)
        plain = not (delivery.qos or delivery.numbers or alias or message.expires is not None)
        if plain:
            key = link.version << 1 | delivery.retain
            frame = message.frames.get(key)
            if frame is None:
                frame = message.frames[key] = _encode(delivery, link.version, message.properties, message.topic)
        else:
            properties = self._properties(delivery, alias) if link.version == V5 else None
            frame = _encode(delivery, link.version, properties, "" if known else message.topic)
        if len(frame) > link.max_packet:
            if alias and not known:
                link.forget_alias(message.topic)
            return b""
        return frame

    def _properties(self, delivery: Delivery, alias: int) -> Properties:
        message = delivery.message
        source = message.properties or NONE
        left = None if message.expires is None else max(1, int(message.expires - self._pool.now()))
        return msgspec.structs.replace(
            source, message_expiry=left, subscription_ids=delivery.numbers, topic_alias=alias or None
        )

    def _next_id(self) -> int:
        number = self._last_id
        while True:
            number = number % 0xFFFF + 1
            if number not in self._inflight:
                self._last_id = number
                return number


def _size(delivery: Delivery) -> int:
    return len(delivery.message.payload) + len(delivery.message.topic) + 100


def _encode(delivery: Delivery, version: int, properties: Properties | None, topic: str) -> bytes:
    payload = delivery.message.payload
    packet = Publish(topic, payload, delivery.qos, delivery.retain, delivery.dup, delivery.packet_id, properties)
    return encode(packet, version)
