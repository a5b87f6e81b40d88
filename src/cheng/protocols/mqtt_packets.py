"""The packets of MQTT 3.1.1 and 5.0 and their bytes: `encode(packet, version)`; the way back is `mqtt_decoder`.

Sources: OASIS MQTT 3.1.1 §3, OASIS MQTT 5.0 §3.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from cheng.protocols.mqtt_properties import (
    NONE,
    Kind,
    Properties,
    write_binary,
    write_properties,
    write_text,
    write_varint,
)

V311 = 4
V5 = 5


class Will(msgspec.Struct, frozen=True):
    """What a client wants published when it goes without saying so."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = NONE


class Connect(msgspec.Struct, frozen=True):
    """A client introduces itself."""

    client_id: str
    version: int = V311
    clean: bool = True
    keep_alive: int = 0
    """Seconds; 0 never."""
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = NONE


class ConnAck(msgspec.Struct, frozen=True):
    """The server's answer to CONNECT. `reason` is the return code in version 3.1.1."""

    session_present: bool = False
    reason: int = 0
    properties: Properties = NONE


class Publish(msgspec.Struct, gc=False):
    """One message. `packet_id` is 0 with QoS 0."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: Properties | None = None


class Ack(msgspec.Struct, gc=False):
    """PUBACK, PUBREC, PUBREL or PUBCOMP, as `kind` says."""

    kind: int
    packet_id: int
    reason: int = 0
    properties: Properties | None = None


class Topic(msgspec.Struct, frozen=True):
    """One topic filter in a SUBSCRIBE, with its options."""

    filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


class Subscribe(msgspec.Struct, frozen=True):
    """A client asks for topics."""

    packet_id: int
    topics: tuple[Topic, ...]
    properties: Properties = NONE


class SubAck(msgspec.Struct, frozen=True):
    """The answer to SUBSCRIBE: one granted QoS or reason for each filter."""

    packet_id: int
    reasons: tuple[int, ...]
    properties: Properties = NONE


class Unsubscribe(msgspec.Struct, frozen=True):
    """A client no longer wants these filters."""

    packet_id: int
    filters: tuple[str, ...]
    properties: Properties = NONE


class UnsubAck(msgspec.Struct, frozen=True):
    """The answer to UNSUBSCRIBE; 3.1.1 carries no reasons."""

    packet_id: int
    reasons: tuple[int, ...] = ()
    properties: Properties = NONE


class PingReq(msgspec.Struct, frozen=True):
    """A client is still there."""


class PingResp(msgspec.Struct, frozen=True):
    """So is the server."""


class Disconnect(msgspec.Struct, frozen=True):
    """The end of a connection, and in version 5 why."""

    reason: int = 0
    properties: Properties = NONE


class Auth(msgspec.Struct, frozen=True):
    """Extended authentication of version 5."""

    reason: int = 0
    properties: Properties = NONE


Packet = (
    Connect
    | ConnAck
    | Publish
    | Ack
    | Subscribe
    | SubAck
    | Unsubscribe
    | UnsubAck
    | PingReq
    | PingResp
    | Disconnect
    | Auth
)


def _frame(first: int, body: bytes) -> bytes:
    return bytes((first,)) + write_varint(len(body)) + body


def _connect(packet: Connect, version: int) -> bytes:
    will = packet.will
    flags = packet.clean << 1 | (packet.username is not None) << 7 | (packet.password is not None) << 6
    if will is not None:
        flags |= 4 | will.qos << 3 | will.retain << 5
    out = [b"\0\4MQTT", bytes((version, flags)), packet.keep_alive.to_bytes(2, "big")]
    if version == V5:
        out.append(write_properties(packet.properties))
    out.append(write_text(packet.client_id))
    if will is not None:
        if version == V5:
            out.append(write_properties(will.properties))
        out += (write_text(will.topic), write_binary(will.payload))
    if packet.username is not None:
        out.append(write_text(packet.username))
    if packet.password is not None:
        out.append(write_binary(packet.password))
    return _frame(0x10, b"".join(out))


def _connack(packet: ConnAck, version: int) -> bytes:
    body = bytes((packet.session_present, packet.reason))
    return _frame(0x20, body + write_properties(packet.properties) if version == V5 else body)


def _publish(packet: Publish, version: int) -> bytes:
    head = write_text(packet.topic)
    if packet.qos:
        head += packet.packet_id.to_bytes(2, "big")
    if version == V5:
        head += write_properties(packet.properties)
    size = write_varint(len(head) + len(packet.payload))
    first = 0x30 | packet.dup << 3 | packet.qos << 1 | packet.retain
    return b"".join((bytes((first,)), size, head, packet.payload))


def _ack(packet: Ack, version: int) -> bytes:
    first = packet.kind << 4 | (2 if packet.kind == Kind.PUBREL else 0)
    body = packet.packet_id.to_bytes(2, "big")
    if version == V5 and packet.properties:
        body += bytes((packet.reason,)) + write_properties(packet.properties)
    elif version == V5 and packet.reason:
        body += bytes((packet.reason,))
    return bytes((first, len(body))) + body if len(body) < 0x80 else _frame(first, body)


def _subscribe(packet: Subscribe, version: int) -> bytes:
    out = [packet.packet_id.to_bytes(2, "big")]
    if version == V5:
        out.append(write_properties(packet.properties))
    for topic in packet.topics:
        options = topic.qos | topic.no_local << 2 | topic.retain_as_published << 3 | topic.retain_handling << 4
        out += (write_text(topic.filter), bytes((options,)))
    return _frame(0x82, b"".join(out))


def _unsubscribe(packet: Unsubscribe, version: int) -> bytes:
    head = packet.packet_id.to_bytes(2, "big") + (write_properties(packet.properties) if version == V5 else b"")
    return _frame(0xA2, head + b"".join(map(write_text, packet.filters)))


def _reasons(packet: SubAck | UnsubAck, version: int) -> bytes:
    head = packet.packet_id.to_bytes(2, "big") + (write_properties(packet.properties) if version == V5 else b"")
    return _frame(0x90 if type(packet) is SubAck else 0xB0, head + bytes(packet.reasons))


def _ending(packet: Disconnect | Auth, version: int) -> bytes:
    first = 0xE0 if type(packet) is Disconnect else 0xF0
    if version != V5 or (not packet.reason and packet.properties is NONE):
        return bytes((first, 0))
    return _frame(first, bytes((packet.reason,)) + write_properties(packet.properties))


_WRITERS: dict[type, Callable[[Any, int], bytes]] = {
    Connect: _connect,
    ConnAck: _connack,
    Publish: _publish,
    Ack: _ack,
    Subscribe: _subscribe,
    SubAck: _reasons,
    Unsubscribe: _unsubscribe,
    UnsubAck: _reasons,
    PingReq: lambda _packet, _version: b"\xc0\0",
    PingResp: lambda _packet, _version: b"\xd0\0",
    Disconnect: _ending,
    Auth: _ending,
}


def encode(packet: Packet, version: int) -> bytes:
    """The bytes of a packet in version 4 (3.1.1) or 5. ValueError or OverflowError when a field does not fit."""
    return _WRITERS[type(packet)](packet, version)
