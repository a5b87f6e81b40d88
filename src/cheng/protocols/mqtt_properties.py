"""The smallest pieces of MQTT on the wire: numbers, texts, reason codes and the properties of version 5.

Sources: OASIS MQTT 3.1.1 §1.5 and §2.2; OASIS MQTT 5.0 §1.5, §2.2.2 (properties) and §2.4 (reason codes).
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec

from cheng.standards.problems import InputError


class Kind(IntEnum):
    """What a packet is: the upper four bits of its first byte. `WILL` is no packet, but has properties of its own."""

    WILL = 0
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Reason(IntEnum):
    """The reason codes of MQTT 5.0 that this house sends or looks at."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_MATCHING_SUBSCRIBERS = 0x10
    NO_SUBSCRIPTION_EXISTED = 0x11
    UNSPECIFIED = 0x80
    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_ERROR = 0x83
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID_INVALID = 0x85
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SHUTTING_DOWN = 0x8B
    BAD_AUTH_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    TAKEN_OVER = 0x8E
    FILTER_INVALID = 0x8F
    TOPIC_INVALID = 0x90
    PACKET_ID_IN_USE = 0x91
    PACKET_ID_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    QUOTA_EXCEEDED = 0x97
    PAYLOAD_INVALID = 0x99


@dataclass(eq=False)
class ProtocolError(InputError):
    """A client broke the protocol, and the connection has to end. The only error the codec raises."""

    number: int = Reason.MALFORMED
    """The reason code (0x80 and above) a version 5 client is told."""


def malformed(reason: str) -> ProtocolError:
    """The bytes cannot be read as MQTT."""
    return ProtocolError("malformed-packet", reason)


def forbidden(reason: str) -> ProtocolError:
    """The bytes can be read, but the protocol does not allow them here."""
    return ProtocolError("protocol-error", reason, number=Reason.PROTOCOL_ERROR)


class Reader:
    """Reads one packet's body from front to back; raises ProtocolError when it ends too soon."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        start = self.pos
        stop = start + size
        if stop > self.end:
            raise malformed("The packet ends before its last field does.")
        self.pos = stop
        return self.data[start:stop]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.end - self.pos)

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two bytes, big end first."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Four bytes, big end first."""
        return int.from_bytes(self.take(4), "big")

    def varint(self) -> int:
        """A variable byte integer of at most four bytes."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise malformed("A length is written in more than four bytes.")

    def binary(self) -> bytes:
        """Bytes after their two-byte length."""
        return self.take(self.u16())

    def text(self) -> str:
        """UTF-8 text after its two-byte length."""
        return decode_text(self.binary())

    def packet_id(self) -> int:
        """A packet identifier, never 0."""
        number = self.u16()
        if number == 0:
            raise forbidden("The packet identifier is 0; it has to be 1 to 65535.")
        return number

    def finish(self) -> None:
        """Nothing may be left over."""
        if self.pos != self.end:
            raise malformed("The packet is longer than its fields.")


def decode_text(raw: bytes) -> str:
    """UTF-8 as MQTT allows it: no surrogates, no U+0000."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise malformed("A text is not valid UTF-8.") from error
    if "\0" in text:
        raise malformed("A text holds the character U+0000.")
    return text


def write_varint(value: int) -> bytes:
    """A variable byte integer; ValueError above 268,435,455."""
    if value < 0x80:
        return bytes((value,))
    if value > 0x0FFFFFFF:
        raise ValueError("a variable byte integer holds at most 268435455")
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_binary(data: bytes) -> bytes:
    """Bytes with their two-byte length in front; ValueError above 65,535 bytes."""
    if len(data) > 0xFFFF:
        raise ValueError("a text or binary field holds at most 65535 bytes")
    return len(data).to_bytes(2, "big") + data


def write_text(text: str) -> bytes:
    """UTF-8 with its two-byte length in front."""
    return write_binary(text.encode())


class Properties(msgspec.Struct, kw_only=True, frozen=True):
    """What version 5 adds to a packet. None, and empty for the two that may repeat, means: not there."""

    payload_format: int | None = None
    message_expiry: int | None = None
    """Seconds."""
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    subscription_ids: tuple[int, ...] = ()
    session_expiry: int | None = None
    """Seconds; 0xFFFFFFFF never expires."""
    assigned_client_id: str | None = None
    server_keep_alive: int | None = None
    auth_method: str | None = None
    auth_data: bytes | None = None
    request_problem_info: int | None = None
    will_delay: int | None = None
    """Seconds."""
    request_response_info: int | None = None
    response_info: str | None = None
    server_reference: str | None = None
    reason_string: str | None = None
    receive_max: int | None = None
    topic_alias_max: int | None = None
    topic_alias: int | None = None
    max_qos: int | None = None
    retain_available: int | None = None
    user_properties: tuple[tuple[str, str], ...] = ()
    max_packet: int | None = None
    """Bytes."""
    wildcard_available: int | None = None
    subscription_ids_available: int | None = None
    shared_available: int | None = None


NONE = Properties()
"""No properties at all."""

_ACKS = {Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP, Kind.SUBACK, Kind.UNSUBACK}
_MESSAGE = {Kind.PUBLISH, Kind.WILL}
_BOTH = {Kind.CONNECT, Kind.CONNACK}
_LOGIN = _BOTH | {Kind.AUTH}
_EVERY = set(Kind) - {Kind.PINGREQ, Kind.PINGRESP}

_TABLE: tuple[tuple[int, str, str, set[Kind]], ...] = (
    (0x01, "payload_format", "flag", _MESSAGE),
    (0x02, "message_expiry", "u32", _MESSAGE),
    (0x03, "content_type", "text", _MESSAGE),
    (0x08, "response_topic", "text", _MESSAGE),
    (0x09, "correlation_data", "binary", _MESSAGE),
    (0x0B, "subscription_ids", "varints", {Kind.PUBLISH, Kind.SUBSCRIBE}),
    (0x11, "session_expiry", "u32", _BOTH | {Kind.DISCONNECT}),
    (0x12, "assigned_client_id", "text", {Kind.CONNACK}),
    (0x13, "server_keep_alive", "u16", {Kind.CONNACK}),
    (0x15, "auth_method", "text", _LOGIN),
    (0x16, "auth_data", "binary", _LOGIN),
    (0x17, "request_problem_info", "flag", {Kind.CONNECT}),
    (0x18, "will_delay", "u32", {Kind.WILL}),
    (0x19, "request_response_info", "flag", {Kind.CONNECT}),
    (0x1A, "response_info", "text", {Kind.CONNACK}),
    (0x1C, "server_reference", "text", {Kind.CONNACK, Kind.DISCONNECT}),
    (0x1F, "reason_string", "text", _ACKS | {Kind.CONNACK, Kind.DISCONNECT, Kind.AUTH}),
    (0x21, "receive_max", "u16", _BOTH),
    (0x22, "topic_alias_max", "u16", _BOTH),
    (0x23, "topic_alias", "u16", {Kind.PUBLISH}),
    (0x24, "max_qos", "flag", {Kind.CONNACK}),
    (0x25, "retain_available", "flag", {Kind.CONNACK}),
    (0x26, "user_properties", "pairs", _EVERY),
    (0x27, "max_packet", "u32", _BOTH),
    (0x28, "wildcard_available", "flag", {Kind.CONNACK}),
    (0x29, "subscription_ids_available", "flag", {Kind.CONNACK}),
    (0x2A, "shared_available", "flag", {Kind.CONNACK}),
)
_BY_ID = {number: (name, form, kinds) for number, name, form, kinds in _TABLE}
_NEVER_ZERO = {
    "receive_max": Reason.PROTOCOL_ERROR,
    "max_packet": Reason.PROTOCOL_ERROR,
    "topic_alias": Reason.TOPIC_ALIAS_INVALID,
}


def _read_value(reader: Reader, form: str) -> Any:
    match form:
        case "flag":
            value = reader.u8()
            if value > 1:
                raise forbidden("A property that is 0 or 1 has another value.")
            return value
        case "u16":
            return reader.u16()
        case "u32":
            return reader.u32()
        case "text":
            return reader.text()
        case "binary":
            return reader.binary()
        case "pairs":
            return (reader.text(), reader.text())
        case _:
            value = reader.varint()
            if value == 0:
                raise forbidden("The subscription identifier is 0.")
            return value


def read_properties(reader: Reader, kind: Kind) -> Properties:
    """The properties of a packet of this kind, from their length on."""
    size = reader.varint()
    if size == 0:
        return NONE
    end = reader.pos + size
    if end > reader.end:
        raise malformed("The properties are longer than the packet.")
    found: dict[str, Any] = {}
    while reader.pos < end:
        _read_property(reader, kind, found)
    if reader.pos != end:
        raise malformed("The last property is longer than the properties.")
    for name in ("user_properties", "subscription_ids"):
        if name in found:
            found[name] = tuple(found[name])
    return Properties(**found)


def _read_property(reader: Reader, kind: Kind, found: dict[str, Any]) -> None:
    entry = _BY_ID.get(reader.varint())
    if entry is None or kind not in entry[2]:
        raise malformed(f"A property does not belong into {kind.name}.")
    name, form, _ = entry
    value = _read_value(reader, form)
    if form in ("pairs", "varints"):
        found.setdefault(name, []).append(value)
    elif name in found:
        raise forbidden(f"The property {name} is there twice.")
    elif value == 0 and name in _NEVER_ZERO:
        raise ProtocolError("protocol-error", f"The property {name} is 0.", number=_NEVER_ZERO[name])
    else:
        found[name] = value


def _write_value(value: Any, form: str) -> bytes:
    match form:
        case "flag":
            return bytes((value,))
        case "u16":
            return struct.pack("!H", value)
        case "u32":
            return struct.pack("!I", value)
        case "text":
            return write_text(value)
        case _:
            return write_binary(value)


def write_properties(properties: Properties | None) -> bytes:
    """The properties with their length in front."""
    if properties is None or properties is NONE:
        return b"\0"
    out: list[bytes] = []
    for number, name, form, _ in _TABLE:
        value = getattr(properties, name)
        if form == "pairs":
            out.extend(b"\x26" + write_text(key) + write_text(text) for key, text in value)
        elif form == "varints":
            out.extend(b"\x0b" + write_varint(one) for one in value)
        elif value is not None:
            out.append(bytes((number,)) + _write_value(value, form))
    body = b"".join(out)
    return write_varint(len(body)) + body
