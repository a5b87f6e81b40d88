"""Rules of the conversation: who breaks them is told why (version 5) and put out; what both agreed on is kept."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt_peer import Gate, play
from test_mqtt_packets import packets

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
    Subscribe,
    Topic,
    encode,
)
from cheng.protocols.mqtt_properties import Kind, Properties, Reason


def alias(number: int) -> Properties:
    return Properties(topic_alias=number)


@pytest.mark.parametrize(
    ("packet", "number"),
    [
        (Connect("again", V5), Reason.PROTOCOL_ERROR),
        (ConnAck(), Reason.PROTOCOL_ERROR),
        (PingResp(), Reason.PROTOCOL_ERROR),
        (Auth(), Reason.PROTOCOL_ERROR),
        (Publish("", b""), Reason.PROTOCOL_ERROR),
        (Publish("", b"", properties=alias(3)), Reason.TOPIC_ALIAS_INVALID),
        (Publish("a", b"", properties=alias(17)), Reason.TOPIC_ALIAS_INVALID),
        (Publish("a", b"", properties=Properties(subscription_ids=(1,))), Reason.PROTOCOL_ERROR),
        (Publish("a", b"." * 2000), Reason.PACKET_TOO_LARGE),
        (Subscribe(1, (Topic("$share/g/a", 0, no_local=True),)), Reason.PROTOCOL_ERROR),
        (Disconnect(0, Properties(session_expiry=9)), Reason.PROTOCOL_ERROR),
    ],
)
def test_who_breaks_a_rule_is_told_which(packet: Packet, number: int) -> None:
    async def story() -> None:
        async with Gate(packet=1000) as gate:
            peer = await gate.connect()
            peer.send(packet)
            (bye,) = await peer.rest()
            assert isinstance(bye, Disconnect)
            assert bye.reason == number
            assert bye.properties.reason_string
            assert gate.broker.counters.protocol_errors == 1

    play(story)


@pytest.mark.parametrize(
    "raw", [b"\x00\x00", b"GET / HTTP/1.1\r\n\r\n", b"\xc0\x00", b"\x10\x04\0\2hj", b"\x16\3\1\2\0"]
)
def test_what_is_no_connect_is_closed_without_a_word(raw: bytes) -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.open()
            peer.write(raw)
            assert await peer.rest() == []

    play(story)


def test_other_versions_are_refused_in_words_they_know() -> None:
    async def story() -> None:
        async with Gate() as gate:
            for version, spoken, answer in ((3, V311, 1), (6, V5, Reason.UNSUPPORTED_VERSION)):
                peer = await gate.open(spoken)
                peer.write(b"\x10\x0d\0\4MQTT" + bytes((version, 2)) + b"\0\0\0\0\0")
                (refusal,) = await peer.rest()
                assert isinstance(refusal, ConnAck)
                assert refusal.reason == answer

    play(story)


def test_connects_that_cannot_be_taken_say_why() -> None:
    async def story() -> None:
        async with Gate(client_id=10, topic=20) as gate:
            assert (await gate.connect("", V311, clean=False)).connack.reason == 2
            assert (await gate.connect("x" * 11)).connack.reason == Reason.CLIENT_ID_INVALID
            extended = {"auth_method": "SCRAM"}
            assert (await gate.connect(properties=extended)).connack.reason == Reason.BAD_AUTH_METHOD
            peer = await gate.open()
            peer.write(b"\x10\x0e\0\4MQTT\5\2\0\0\3\x21\0\0\0")
            (refusal,) = await peer.rest()
            assert isinstance(refusal, ConnAck)
            assert refusal.reason in (Reason.PROTOCOL_ERROR, Reason.MALFORMED)
            assigned = (await gate.connect("")).connack.properties.assigned_client_id
            assert assigned
            assert (await gate.connect("", V311)).connack.reason == 0

    play(story)


def test_topic_aliases_both_ways() -> None:
    async def story() -> None:
        async with Gate(topic_aliases=2) as gate:
            peer = await gate.connect(properties={"topic_alias_max": 1})
            assert peer.connack.properties.topic_alias_max == 2
            plain = await gate.connect("plain")
            await plain.subscribe("#")
            await peer.subscribe("#")
            peer.publish("long/topic", b"1", properties=alias(2))
            peer.publish("", b"2", properties=alias(2))
            peer.publish("other", b"3", properties=alias(2))
            peer.publish("", b"4", properties=alias(2))
            heard = [(m.topic, m.properties.topic_alias if m.properties else None) for m in await peer.messages(4)]
            assert heard == [("long/topic", 1), ("", 1), ("other", None), ("other", None)]
            assert [m.topic for m in await plain.messages(4)] == ["long/topic", "long/topic", "other", "other"]
            assert [p.topic for call in gate.hub.calls for p in call] == ["long/topic", "long/topic", "other", "other"]

    play(story)


def test_the_receive_maximum_binds_both_sides() -> None:
    async def story() -> None:
        async with Gate(receive_maximum=3) as gate:
            gate.hub.hold = True
            greedy = await gate.connect("greedy")
            assert greedy.connack.properties.receive_max == 3
            greedy.send(*(Publish("a", b"", 1, packet_id=number) for number in range(1, 5)))
            (bye,) = await greedy.rest()
            assert isinstance(bye, Disconnect)
            assert bye.reason == Reason.RECEIVE_MAXIMUM_EXCEEDED
            old = await gate.connect("old", V311)
            old.send(*(Publish("a", b"", 2, packet_id=number) for number in range(1, 5)))
            assert await old.rest() == []
            gate.hub.hold = False
            peer = await gate.connect("p", properties={"receive_max": 2})
            await peer.subscribe("b")
            for number in range(5):
                gate.broker.publish("b", b"%d" % number, qos=1)
            first = await peer.everything()
            assert len(first) == 2
            peer.send(*(Ack(Kind.PUBACK, p.packet_id) for p in first if isinstance(p, Publish)))
            assert [m.payload for m in await peer.messages(3)] == [b"2", b"3", b"4"]

    play(story)


def test_a_client_gets_no_packet_larger_than_it_takes() -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.connect(properties={"max_packet": 60, "topic_alias_max": 5})
            await peer.subscribe("a")
            gate.broker.publish("a", b"." * 100, qos=1)
            gate.broker.publish("a", b"." * 20, qos=1)
            (message,) = await peer.messages(1)
            assert (message.topic, len(message.payload)) == ("a", 20)
            assert await peer.everything() == []
            assert gate.broker.counters.dropped == 1
            assert gate.broker._board.exchange._pool.queued == 0

    play(story)


def test_quality_2_is_not_released_before_it_is_received() -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.hold = True
            peer = await gate.connect()
            peer.send(Publish("a", b"", 2, packet_id=1), Ack(Kind.PUBREL, 1))
            (bye,) = await peer.rest()
            assert isinstance(bye, Disconnect)
            assert bye.reason == Reason.PROTOCOL_ERROR

    play(story)


def test_acknowledgements_of_nothing_are_let_pass() -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.connect()
            await peer.subscribe("a")
            gate.broker.publish("a", b"x", qos=1)
            (message,) = await peer.messages(1)
            for kind in (Kind.PUBACK, Kind.PUBREC, Kind.PUBCOMP):
                peer.send(Ack(kind, 77, 0x80))
            peer.send(Ack(Kind.PUBCOMP, message.packet_id))
            assert await peer.everything() == []

    play(story)


def test_a_client_that_goes_while_the_hub_is_asked_who_it_is_leaves_nothing_behind() -> None:
    async def story() -> None:
        async with Gate(connect_time=5) as gate:
            asked: list[asyncio.Future[object]] = []

            async def wait(client_id: str, username: str | None, password: bytes | None) -> object:
                asked.append(asyncio.get_running_loop().create_future())
                return await asked[-1]

            gate.hub.authenticate = wait
            peer = await gate.open()
            peer.send(Connect("x", V5), PingReq())
            await gate.until(lambda: bool(asked))
            await gate.pass_time(6)
            assert await peer.rest() == []
            await gate.until(lambda: asked[0].cancelled())
            assert (gate.broker.counters.connections, gate.broker.counters.sessions) == (0, 0)
            assert gate.broker.counters.timeouts == 1

    play(story)


@pytest.mark.parametrize("version", [V311, V5])
def test_bytes_that_come_one_by_one_are_understood(version: int) -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.open(version)
            said = [Connect("x", version), Publish("a", b"payload", 1, packet_id=1), PingReq()]
            for byte in b"".join(encode(packet, version) for packet in said):
                peer.write(bytes((byte,)))
                await asyncio.sleep(0)
            answers = [await peer.read() for _ in range(3)]
            assert {type(answer) for answer in answers} == {ConnAck, Ack, PingResp}

    play(story)


any_packets = st.sampled_from([V311, V5]).flatmap(
    lambda version: st.tuples(st.just(version), st.lists(packets(version), min_size=1, max_size=12))
)


@settings(max_examples=100)
@given(any_packets, st.booleans())
def test_no_conversation_however_odd_breaks_the_listener(odd: tuple[int, list[Packet]], connect: bool) -> None:
    version, several = odd
    unexpected: list[object] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: unexpected.append(context))
        async with Gate(inflight=2, receive_maximum=3, topic_aliases=2) as gate:
            neighbour = await gate.connect("neighbour")
            peer = await (gate.connect("odd", version) if connect else gate.open(version))
            peer.send(*several)
            peer.writer.write_eof()
            await peer.rest()
            await gate.until(lambda: gate.broker.counters.connections == 1)
            gate.broker.sweep()
            await neighbour.everything()

    play(story)
    assert unexpected == []
