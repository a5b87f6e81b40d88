"""The codec: every packet survives its bytes, however they are cut; noise raises nothing but ProtocolError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.protocols.mqtt_decoder import Decoder
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
    encode,
)
from cheng.protocols.mqtt_properties import _TABLE, NONE, Kind, Properties, ProtocolError

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
topics = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=20)
ids = st.integers(1, 0xFFFF)
qualities = st.integers(0, 2)
FORMS = {
    "flag": st.integers(0, 1),
    "u16": st.integers(1, 0xFFFF),
    "u32": st.integers(1, 0xFFFFFFFF),
    "text": texts,
    "binary": st.binary(max_size=20),
    "pairs": st.lists(st.tuples(texts, texts), min_size=1, max_size=3).map(tuple),
    "varints": st.lists(st.integers(1, 0x0FFFFFFF), min_size=1, max_size=3).map(tuple),
}


def properties(kind: Kind) -> st.SearchStrategy[Properties]:
    fields = {name: FORMS[form] for _, name, form, kinds in _TABLE if kind in kinds}
    if "response_topic" in fields:
        fields["response_topic"] = topics
    if kind == Kind.SUBSCRIBE:
        fields["subscription_ids"] = st.integers(1, 100).map(lambda number: (number,))
    some = st.fixed_dictionaries({}, optional=fields)
    return some.map(lambda chosen: Properties(**chosen) if chosen else NONE)


def packets(version: int) -> st.SearchStrategy[Packet]:
    v5 = version == V5

    def extra(kind: Kind) -> st.SearchStrategy[Properties]:
        return properties(kind) if v5 else st.just(NONE)

    def maybe(kind: Kind) -> st.SearchStrategy[Properties | None]:
        return extra(kind).map(lambda found: None if found is NONE else found)

    flags = st.booleans()
    codes = st.integers(0, 255)
    reason = codes if v5 else st.just(0)
    several = st.lists(codes, max_size=3).map(tuple)
    options = st.builds(Topic, texts, qualities, flags, flags, qualities) if v5 else st.builds(Topic, texts, qualities)
    will = st.builds(Will, topics, st.binary(), qualities, flags, extra(Kind.WILL))
    login = st.tuples(texts, st.none() | st.binary()) | st.tuples(st.none(), st.binary() if v5 else st.none())
    alive = st.integers(0, 0xFFFF)
    connect = st.builds(
        lambda name, clean, seconds, user, last, more: Connect(name, version, clean, seconds, *user, last, more),
        *(texts, flags, alive, login, st.none() | will, extra(Kind.CONNECT)),
    )
    payload = st.binary(max_size=300)
    kinds = (Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP)
    endings = st.builds(Disconnect, reason, extra(Kind.DISCONNECT))
    return st.one_of(
        connect,
        st.builds(ConnAck, flags, codes, extra(Kind.CONNACK)),
        st.builds(Publish, topics, payload, st.just(0), flags, properties=maybe(Kind.PUBLISH)),
        st.builds(Publish, topics, payload, st.integers(1, 2), flags, flags, ids, maybe(Kind.PUBLISH)),
        *(st.builds(Ack, st.just(kind), ids, reason, maybe(kind)) for kind in kinds),
        st.builds(Subscribe, ids, st.lists(options, min_size=1, max_size=3).map(tuple), extra(Kind.SUBSCRIBE)),
        st.builds(SubAck, ids, several, extra(Kind.SUBACK)),
        st.builds(Unsubscribe, ids, st.lists(texts, min_size=1, max_size=3).map(tuple), extra(Kind.UNSUBSCRIBE)),
        st.builds(UnsubAck, ids, several if v5 else st.just(()), extra(Kind.UNSUBACK)),
        st.sampled_from([PingReq(), PingResp()]),
        endings | st.builds(Auth, reason, extra(Kind.AUTH)) if v5 else endings,
    )


streams = st.sampled_from([V311, V5]).flatmap(
    lambda version: st.tuples(st.just(version), st.lists(packets(version), max_size=6))
)


@given(streams)
def test_every_packet_survives_its_bytes(stream: tuple[int, list[Packet]]) -> None:
    version, several = stream
    decoder = Decoder(version=version)
    assert decoder.feed(b"".join(encode(packet, version) for packet in several)) == several
    assert decoder.error is None


@given(streams, st.data())
def test_cutting_the_bytes_anywhere_changes_nothing(stream: tuple[int, list[Packet]], data: st.DataObject) -> None:
    version, several = stream
    raw = b"".join(encode(packet, version) for packet in several)
    pieces = Decoder(version=version)
    found: list[Packet] = []
    size = data.draw(st.integers(1, 7))
    for start in range(0, len(raw), size):
        found += pieces.feed(raw[start : start + size])
    assert found == several


def read_all(raw: bytes, size: int, version: int) -> tuple[list[Packet], bool]:
    decoder = Decoder(version=version, limit=1000)
    found: list[Packet] = []
    try:
        for start in range(0, len(raw), size):
            found += decoder.feed(raw[start : start + size])
    except ProtocolError:
        pass
    return found, decoder.error is not None


first_bytes = st.sampled_from([kind << 4 | flags for kind in range(16) for flags in (0, 2, 3, 10)])
framed = st.builds(lambda first, body: bytes((first, len(body))) + body, first_bytes, st.binary(max_size=40))


@given(st.binary(max_size=200) | st.lists(framed, max_size=4).map(b"".join), st.sampled_from([0, V311, V5]))
def test_noise_breaks_the_stream_and_nothing_else(raw: bytes, version: int) -> None:
    whole = read_all(raw, max(1, len(raw)), version)
    assert read_all(raw, 1, version) == whole
    for packet in whole[0]:
        encode(packet, V5)


@given(streams, st.data())
def test_one_changed_byte_breaks_at_most_the_stream(stream: tuple[int, list[Packet]], data: st.DataObject) -> None:
    version, several = stream
    raw = bytearray(b"".join(encode(packet, version) for packet in several))
    if raw:
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    read_all(bytes(raw), 64, version)


def test_the_packets_before_a_break_are_given_and_then_the_break_is_raised() -> None:
    decoder = Decoder(version=V311)
    assert decoder.feed(encode(PingReq(), V311) + b"\xff\x00" + encode(PingReq(), V311)) == [PingReq()]
    assert decoder.error is not None
    with pytest.raises(ProtocolError):
        decoder.feed(b"")


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (b"\x36\x05\0\1a\0\1", 0x81),  # QoS 3
        (b"\x38\x03\0\1a", 0x82),  # a repetition with QoS 0
        (b"\x32\x05\0\1a\0\0", 0x82),  # packet identifier 0
        (b"\x30\x03\0\1#", 0x90),  # wildcard
        (b"\x30\x03\0\1\0", 0x81),  # U+0000
        (b"\x30\x03\0\1\xff", 0x81),  # not UTF-8
        (b"\x30\x02\0\0", 0x81),  # empty topic in 3.1.1
        (b"\x30\xff\xff\xff\xff", 0x81),  # length in five bytes
        (b"\x30\xff\xff\xff\x7f", 0x95),  # too large
        (b"\x80\x06\0\1\0\1a\0", 0x81),  # SUBSCRIBE with wrong flags
        (b"\x82\x02\0\1", 0x81),  # SUBSCRIBE without a filter
        (b"\x82\x06\0\1\0\1a\3", 0x81),  # QoS 3
        (b"\xc0\x01\0", 0x81),  # PINGREQ with a body
        (b"\x10\x06\0\4HTTP", 0x81),
        (b"\x10\x0a\0\4MQTT\x03\2\0\0", 0x84),
        (b"\x10\x0c\0\6MQIsdp\3\2\0\0", 0x84),
        (b"\x10\x0c\0\4MQTT\x04\3\0\0\0\0", 0x81),  # reserved flag
        (b"\x10\x0c\0\4MQTT\x04\x1a\0\0\0\0", 0x81),  # QoS of a will that is not there
        (b"\xf0\x00", 0x81),  # AUTH in 3.1.1
    ],
)
def test_what_the_standard_forbids_is_named_by_its_reason(raw: bytes, number: int) -> None:
    decoder = Decoder(limit=1 << 20, version=V311)
    assert decoder.feed(raw) == []
    assert decoder.error is not None
    assert decoder.error.number == number


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"\2\x24\1", 0x81),  # a property that does not belong here
        (b"\2\x7f\1", 0x81),  # unknown
        (b"\2\1\2", 0x82),  # a flag that is 2
        (b"\4\1\1\1\1", 0x82),  # twice
        (b"\3\x23\0\0", 0x94),  # topic alias 0
        (b"\2\x0b\0", 0x82),  # subscription identifier 0
        (b"\x09\1", 0x81),  # longer than the packet
        (b"\1\1", 0x81),  # cut off
    ],
)
def test_wrong_properties_are_named_by_their_reason(body: bytes, number: int) -> None:
    decoder = Decoder(version=V5)
    raw = b"\0\1a" + body
    decoder.feed(bytes((0x30, len(raw))) + raw)
    assert decoder.error is not None
    assert decoder.error.number == number


def test_the_first_packet_has_a_limit_of_its_own() -> None:
    connect = encode(Connect("x" * 40), V311)
    large = encode(Publish("a", b"." * 90), V311)
    decoder = Decoder(limit=200, connect_limit=60)
    assert len(decoder.feed(connect + large)) == 2
    decoder = Decoder(limit=200, connect_limit=60)
    assert decoder.feed(large) == []
    assert decoder.error is not None


def test_a_field_that_does_not_fit_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="65535"):
        encode(Publish("x" * 70_000, b""), V311)
