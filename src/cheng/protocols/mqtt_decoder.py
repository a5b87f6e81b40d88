"""Bytes into MQTT packets, with no socket anywhere: `Decoder.feed(data)` gives the packets that are complete.

Sources: OASIS MQTT 3.1.1 §3, OASIS MQTT 5.0 §3.
"""

from collections.abc import Callable

from cheng.protocols.mqtt_packets import (
    V5,
    V311,
    Ack,
    Auth,
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    Publish,
    SubAck,
    Subscribe,
    Topic,
    UnsubAck,
    Unsubscribe,
    Will,
)
from cheng.protocols.mqtt_properties import (
    NONE,
    Kind,
    ProtocolError,
    Reader,
    Reason,
    decode_text,
    forbidden,
    malformed,
    read_properties,
)

# What one connection may make the decoder remember: 64 topics of at most 256 bytes.
_TOPICS_REMEMBERED = 64
_TOPIC_REMEMBERED_BYTES = 256
_FLAGGED = (Kind.PUBREL, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE)
_FIRST_BYTES = frozenset(kind << 4 | (2 if kind in _FLAGGED else 0) for kind in Kind if kind != Kind.WILL)


class Decoder:
    """Turns a stream of bytes into packets, in linear time however the bytes are cut.

    `limit` and `connect_limit` are bytes for a whole packet; the second holds until the first packet has come.
    `version` is set by the CONNECT that is read; a client's side sets it itself.
    """

    __slots__ = ("_held", "_limit", "_need", "_topics", "error", "limit", "version")

    def __init__(self, limit: int = 0x0FFFFFFF, connect_limit: int | None = None, version: int = 0) -> None:
        self.version = version
        self.limit = limit
        self.error: ProtocolError | None = None
        """What broke the stream; nothing can be read after it."""
        self._limit = limit if connect_limit is None else connect_limit
        self._held = bytearray()
        self._need = 2
        self._topics: dict[bytes, str] = {}

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that these bytes complete. When the stream breaks, those before the break; see `error`.

        Raises ProtocolError only when fed again after the break.
        """
        if self.error is not None:
            raise self.error
        if self._held:
            self._held += data
            if len(self._held) < self._need:
                return []
            data = bytes(self._held)
            self._held.clear()
        packets: list[Packet] = []
        try:
            done = self._decode(data, packets)
        except ProtocolError as error:
            self.error = error
            return packets
        if done < len(data):
            self._held += data[done:]
        return packets

    def _decode(self, data: bytes, packets: list[Packet]) -> int:
        """Appends every complete packet and says where the incomplete one starts."""
        size = len(data)
        start = 0
        while size - start >= 2:
            first = data[start]
            publish = 0x30 <= first < 0x40
            if not publish and first not in _FIRST_BYTES:
                raise malformed("The first byte of a packet is not one that MQTT knows.")
            length = data[start + 1]
            at = start + 2
            if length > 0x7F:
                at, length = _long_length(data, at, length & 0x7F)
                if not at:
                    self._need = size - start + 1
                    return start
            end = at + length
            if end - start > self._limit:
                raise ProtocolError(
                    "packet-too-large",
                    f"The packet has {end - start} bytes; at most {self._limit} are taken.",
                    number=Reason.PACKET_TOO_LARGE,
                )
            if end > size:
                self._need = end - start
                return start
            packets.append(self._publish(first, data, at, end) if publish else self._other(first, data, at, end))
            self._limit = self.limit
            start = end
        self._need = 2
        return start

    def _publish(self, first: int, data: bytes, at: int, end: int) -> Publish:
        body = at + 2
        if body > end:
            raise malformed("PUBLISH ends before its topic.")
        body += data[at] << 8 | data[at + 1]
        raw = data[at + 2 : body]
        topic = self._topics.get(raw)
        qos = first >> 1 & 3
        packet_id = 0
        if qos:
            body += 2
        if body > end:
            raise malformed("PUBLISH ends before its payload.")
        if qos:
            packet_id = data[body - 2] << 8 | data[body - 1]
        if topic is None or qos == 3 or first & 14 == 8 or (qos and not packet_id):
            topic = self._topic(raw, first, packet_id)
        if self.version == V5:
            if body < end and not data[body]:
                return Publish(topic, data[body + 1 : end], qos, first & 1 == 1, first & 8 == 8, packet_id)
            reader = Reader(data, body, end)
            properties = read_properties(reader, Kind.PUBLISH)
            _check_topic(properties.response_topic)
            return Publish(topic, reader.rest(), qos, first & 1 == 1, first & 8 == 8, packet_id, properties)
        return Publish(topic, data[body:end], qos, first & 1 == 1, first & 8 == 8, packet_id)

    def _topic(self, raw: bytes, first: int, packet_id: int) -> str:
        """What need not be asked again for a topic seen before; raises what is wrong with the flags, too."""
        qos = first >> 1 & 3
        if qos == 3:
            raise malformed("PUBLISH has QoS 3.")
        if first & 14 == 8:
            raise forbidden("PUBLISH with QoS 0 is marked as a repetition.")
        if qos and not packet_id:
            raise forbidden("The packet identifier is 0; it has to be 1 to 65535.")
        topic = decode_text(raw)
        _check_topic(topic)
        if not topic and self.version != V5:
            raise malformed("The topic is empty.")
        if len(raw) <= _TOPIC_REMEMBERED_BYTES:
            if len(self._topics) >= _TOPICS_REMEMBERED:
                self._topics.clear()
            self._topics[raw] = topic
        return topic

    def _other(self, first: int, data: bytes, at: int, end: int) -> Packet:
        kind = first >> 4
        if 4 <= kind <= 7 and end - at == 2:
            packet_id = data[at] << 8 | data[at + 1]
            if packet_id:
                return Ack(kind, packet_id)
        reader = Reader(data, at, end)
        packet = _connect(reader, self) if kind == Kind.CONNECT else _READERS[kind](reader, self.version)
        reader.finish()
        return packet


def _long_length(data: bytes, at: int, length: int) -> tuple[int, int]:
    """Where the body starts and how long it is, for a length of two to four bytes; (0, 0) when it is cut off."""
    for shift in (7, 14, 21):
        if at >= len(data):
            return 0, 0
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at, length
    raise malformed("The length of a packet is written in more than four bytes.")


def _check_topic(topic: str | None) -> None:
    if topic and ("#" in topic or "+" in topic):
        raise ProtocolError(
            "topic-invalid",
            "A topic to publish to holds a wildcard, + or #; name one topic.",
            number=Reason.TOPIC_INVALID,
        )


def _connect(reader: Reader, decoder: Decoder) -> Connect:
    name = reader.binary()
    version = reader.u8()
    if name not in (b"MQTT", b"MQIsdp"):
        raise malformed("This is not MQTT.")
    # Kept even when it is refused below, so that the answer has a form the client can read.
    decoder.version = V5 if version >= V5 else V311
    if name != b"MQTT" or version not in (V311, V5):
        raise ProtocolError(
            "unsupported-version",
            f"Version {version} of the protocol is not spoken here; use 4 (3.1.1) or 5.",
            number=Reason.UNSUPPORTED_VERSION,
        )
    flags = reader.u8()
    keep_alive = reader.u16()
    if flags & 1 or flags >> 3 & 3 == 3 or (not flags & 4 and flags & 0x38):
        raise malformed("The connect flags contradict each other.")
    if version == V311 and flags & 0xC0 == 0x40:
        raise malformed("A password without a user name is not allowed in version 3.1.1.")
    properties = read_properties(reader, Kind.CONNECT) if version == V5 else NONE
    client_id = reader.text()
    will = None
    if flags & 4:
        extra = read_properties(reader, Kind.WILL) if version == V5 else NONE
        topic = reader.text()
        _check_topic(topic)
        _check_topic(extra.response_topic)
        if not topic:
            raise malformed("The topic of the will is empty.")
        will = Will(topic, reader.binary(), flags >> 3 & 3, flags & 0x20 != 0, extra)
    username = reader.text() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    return Connect(client_id, version, flags & 2 != 0, keep_alive, username, password, will, properties)


def _connack(reader: Reader, version: int) -> ConnAck:
    flags = reader.u8()
    if flags > 1:
        raise malformed("CONNACK has flags that do not exist.")
    reason = reader.u8()
    return ConnAck(flags == 1, reason, read_properties(reader, Kind.CONNACK) if version == V5 else NONE)


def _ack(kind: Kind) -> Callable[[Reader, int], Packet]:
    def read(reader: Reader, version: int) -> Packet:
        packet_id = reader.packet_id()
        if version != V5 or reader.pos == reader.end:
            return Ack(kind, packet_id)
        reason = reader.u8()
        return Ack(kind, packet_id, reason, None if reader.pos == reader.end else read_properties(reader, kind))

    return read


def _subscribe(reader: Reader, version: int) -> Subscribe:
    packet_id = reader.packet_id()
    properties = read_properties(reader, Kind.SUBSCRIBE) if version == V5 else NONE
    if len(properties.subscription_ids) > 1:
        raise forbidden("SUBSCRIBE has two subscription identifiers.")
    topics: list[Topic] = []
    while reader.pos < reader.end or not topics:
        text = reader.text()
        options = reader.u8()
        if options & 3 == 3 or options & (0xC0 if version == V5 else 0xFC) or options >> 4 == 3:
            raise malformed("The options of a subscription are not ones that MQTT knows.")
        topics.append(Topic(text, options & 3, options & 4 != 0, options & 8 != 0, options >> 4))
    return Subscribe(packet_id, tuple(topics), properties)


def _reasons(kind: Kind, make: type[SubAck] | type[UnsubAck]) -> Callable[[Reader, int], Packet]:
    def read(reader: Reader, version: int) -> Packet:
        packet_id = reader.packet_id()
        properties = read_properties(reader, kind) if version == V5 else NONE
        return make(packet_id, tuple(reader.rest()), properties)

    return read


def _unsubscribe(reader: Reader, version: int) -> Unsubscribe:
    packet_id = reader.packet_id()
    properties = read_properties(reader, Kind.UNSUBSCRIBE) if version == V5 else NONE
    filters = [reader.text()]
    while reader.pos < reader.end:
        filters.append(reader.text())
    return Unsubscribe(packet_id, tuple(filters), properties)


def _ending(kind: Kind, make: type[Disconnect] | type[Auth]) -> Callable[[Reader, int], Packet]:
    def read(reader: Reader, version: int) -> Packet:
        if version != V5 and kind == Kind.AUTH:
            raise malformed("AUTH does not exist in version 3.1.1.")
        if version != V5 or reader.pos == reader.end:
            return make()
        reason = reader.u8()
        return make(reason, NONE if reader.pos == reader.end else read_properties(reader, kind))

    return read


_READERS: dict[int, Callable[[Reader, int], Packet]] = {
    Kind.CONNACK: _connack,
    Kind.PUBACK: _ack(Kind.PUBACK),
    Kind.PUBREC: _ack(Kind.PUBREC),
    Kind.PUBREL: _ack(Kind.PUBREL),
    Kind.PUBCOMP: _ack(Kind.PUBCOMP),
    Kind.SUBSCRIBE: _subscribe,
    Kind.SUBACK: _reasons(Kind.SUBACK, SubAck),
    Kind.UNSUBSCRIBE: _unsubscribe,
    Kind.UNSUBACK: _reasons(Kind.UNSUBACK, UnsubAck),
    Kind.PINGREQ: lambda _reader, _version: PingReq(),
    Kind.PINGRESP: lambda _reader, _version: PingResp(),
    Kind.DISCONNECT: _ending(Kind.DISCONNECT, Disconnect),
    Kind.AUTH: _ending(Kind.AUTH, Auth),
}
