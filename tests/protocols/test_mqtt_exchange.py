"""Who gets which message: wildcards, sharing, retained messages, wills, sessions and their bounds."""

import pytest
from mqtt_peer import Gate, Peer, play

from cheng.protocols.mqtt_packets import V5, V311, Ack, Publish, Topic, UnsubAck, Unsubscribe, Will
from cheng.protocols.mqtt_properties import NONE, Kind, Properties, Reason

STAY = {"session_expiry": 600}


async def payloads(peer: Peer) -> list[bytes]:
    return [packet.payload for packet in await peer.everything() if isinstance(packet, Publish)]


async def send(peer: Peer, topic: str, payload: bytes, **more: object) -> None:
    """Publishes with QoS 1 and waits until it is through."""
    peer.publish(topic, payload, 1, 99, **more)
    while not isinstance(await peer.read(), Ack):
        pass


def test_a_message_goes_to_all_whose_filters_match_once_and_with_the_best_quality() -> None:
    async def story() -> None:
        async with Gate() as gate:
            one, two = await gate.connect("one"), await gate.connect("two", V311)
            await one.subscribe(Topic("a/+", 0), number=5)
            await one.subscribe(Topic("a/#", 1), Topic("$share/g/b", 0), number=6)
            await two.subscribe(Topic("#", 0))
            two.publish("a/b", b"x", 1, 1)
            (message,) = await one.messages(1)
            assert message.qos == 1
            assert message.properties is not None
            assert sorted(message.properties.subscription_ids) == [5, 6]
            assert [p for p in await two.everything() if isinstance(p, Publish)] == [Publish("a/b", b"x")]
            one.send(Unsubscribe(3, ("a/#", "a/#", "never")))
            assert await one.read() == UnsubAck(3, (0, 0x11, 0x11))
            await send(two, "a", b"y")
            assert await payloads(one) == []

    play(story)


def test_no_local_retain_as_published_and_shared_subscriptions() -> None:
    async def story() -> None:
        async with Gate() as gate:
            one, two = await gate.connect("one"), await gate.connect("two")
            await one.subscribe(Topic("a", 1, no_local=True), Topic("a/#", 0, retain_as_published=True))
            await two.subscribe(Topic("a", 0, no_local=True))
            await send(two, "a", b"from two", retain=True)
            (message,) = await one.messages(1)
            assert (message.qos, message.retain) == (1, True)
            assert await payloads(two) == []
            one.publish("a", b"from one", 1, 1)
            assert [m.payload for m in await one.messages(1)] == [b"from one"]
            assert await payloads(one) == []
            assert await payloads(two) == [b"from one"]
            await one.subscribe("$share/g/s/#")
            await two.subscribe("$share/g/s/#")
            for number in range(4):
                await send(await gate.connect("sender"), f"s/{number}", b"s")
            heard = len(await payloads(one)), len(await payloads(two))
            assert heard == (2, 2)
            await two.leave()
            await send(await gate.connect("sender"), "s/x", b"still")
            assert (await one.messages(1))[0].payload == b"still"

    play(story)


def test_filters_that_cannot_be_taken_are_answered_one_by_one() -> None:
    async def story() -> None:
        async with Gate(subscriptions=2, topic=20, topic_levels=4) as gate:
            peer = await gate.connect()
            asked = ("a/#/b", "a/b/c/d/e", "x" * 30, "$share/g/", "one", "two", "three", "two")
            bad = Reason.FILTER_INVALID
            assert await peer.subscribe(*asked) == (bad, bad, bad, bad, 1, 1, Reason.QUOTA_EXCEEDED, 1)
            peer.publish("x" * 30, b"", 1, 1)
            assert await peer.read() == Ack(Kind.PUBACK, 1, Reason.TOPIC_INVALID)
            old = await gate.connect("old", V311)
            assert await old.subscribe("a+", "a") == (0x80, 1)

    play(story)


def test_retained_messages_come_with_the_subscription_as_its_options_say() -> None:
    async def story() -> None:
        async with Gate(retained=3) as gate:
            peer = await gate.connect()
            for name in ("a", "b", "c", "d"):
                await send(peer, f"r/{name}", name.encode(), retain=True)
            await send(peer, "r/b", b"", retain=True)
            assert gate.broker.counters.retained == 2
            assert gate.broker.counters.dropped == 1
            assert await peer.subscribe(Topic("r/+", 1, retain_handling=1)) == (1,)
            first = await peer.messages(2)
            assert {(message.payload, message.retain, message.qos) for message in first} == {
                (b"a", True, 1),
                (b"c", True, 1),
            }
            await peer.subscribe(Topic("r/+", 0, retain_handling=1), Topic("r/a", 0, retain_handling=2))
            assert await payloads(peer) == []
            await peer.subscribe(Topic("r/+", 0), Topic("$share/g/r/+", 0))
            assert len(await payloads(peer)) == 2
            gate.broker.publish("r/a", b"new", retain=True)
            assert await payloads(peer) == [b"new", b"new"]

    play(story)


def test_retained_messages_expire() -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.connect()
            await send(peer, "r", b"x", retain=True, properties=Properties(message_expiry=10, content_type="t"))
            await gate.pass_time(4)
            await peer.subscribe("r")
            (message,) = await peer.messages(1)
            assert message.properties == Properties(message_expiry=6, content_type="t")
            await gate.pass_time(7)
            await peer.subscribe("r")
            assert await payloads(peer) == []
            assert gate.broker.counters.retained == 0

    play(story)


def test_many_retained_messages_reach_a_client_that_reads_slowly() -> None:
    async def story() -> None:
        async with Gate(queue=10, write_buffer=2000, inflight=3) as gate:
            for number in range(200):
                gate.broker.publish(f"r/{number}", b"." * 500, 1, retain=True)
            peer = await gate.connect()
            await peer.subscribe("r/#")
            assert len(await peer.messages(200)) == 200

    play(story)


@pytest.mark.parametrize("version", [V311, V5])
def test_what_was_not_acknowledged_comes_again_and_in_order(version: int) -> None:
    async def story() -> None:
        async with Gate(inflight=2) as gate:
            stay = STAY if version == V5 else {}
            peer = await gate.connect("d", version, clean=False, properties=stay)
            await peer.subscribe(Topic("a", 2))
            for number in range(4):
                gate.broker.publish("a", b"%d" % number, qos=1 + number % 2)
            first = [packet for packet in await peer.everything() if isinstance(packet, Publish)]
            assert [(p.payload, p.dup, p.packet_id) for p in first] == [(b"0", False, 1), (b"1", False, 2)]
            peer.send(Ack(Kind.PUBREC, 2))
            assert await peer.read() == Ack(Kind.PUBREL, 2)
            peer.close()
            await gate.until(lambda: gate.broker.counters.connections == 0)
            peer = await gate.connect("d", version, clean=False, properties=stay)
            assert peer.connack.session_present
            again = await peer.everything()
            assert again[0] == Ack(Kind.PUBREL, 2)
            assert isinstance(again[1], Publish)
            assert (again[1].payload, again[1].dup, again[1].packet_id) == (b"0", True, 1)
            peer.send(Ack(Kind.PUBCOMP, 2), Ack(Kind.PUBACK, 1))
            rest = [packet for packet in await peer.everything() if isinstance(packet, Publish)]
            assert [(p.payload, p.dup, p.qos) for p in rest] == [(b"2", False, 1), (b"3", False, 2)]

    play(story)


def test_sessions_end_when_their_time_is_over_or_a_clean_start_says_so() -> None:
    async def story() -> None:
        async with Gate(session_expiry=100) as gate:
            peer = await gate.connect("d", properties={"session_expiry": 0xFFFFFFFF})
            assert peer.connack.properties.session_expiry == 100
            await peer.subscribe("a")
            await peer.leave()
            await gate.pass_time(99)
            peer = await gate.connect("d", clean=False, properties={"session_expiry": 10})
            assert peer.connack.session_present
            await peer.leave(session_expiry=50)
            gate.broker.publish("a", b"x", qos=1)
            await gate.pass_time(49)
            assert gate.broker.counters.sessions == 1
            await gate.pass_time(1)
            assert gate.broker.counters.sessions == 0
            assert gate.broker._board.exchange._pool.queued == 0
            assert gate.broker.publish("a", b"x") == 0
            await (await gate.connect("d", properties=STAY)).leave()
            assert not (await gate.connect("d", clean=True)).connack.session_present

    play(story)


def test_the_queue_of_a_client_that_is_away_is_bounded_in_number_and_bytes() -> None:
    async def story() -> None:
        async with Gate(queue=3, queue_size=1000, queued=1500) as gate:
            for name in ("a", "b"):
                peer = await gate.connect(name, properties=STAY)
                await peer.subscribe(f"{name}/#")
                await peer.leave()
            for _ in range(5):
                gate.broker.publish("a/x", b"", qos=1)
            assert gate.broker.counters.dropped == 2
            gate.broker.publish("b/x", b"." * 900, qos=1)
            gate.broker.publish("b/x", b"." * 900, qos=1)
            assert gate.broker.counters.dropped == 3
            gate.broker.publish("a/x", b"." * 900, qos=1)
            assert gate.broker.counters.dropped == 4
            back = await gate.connect("a", clean=False)
            assert len(await back.messages(3)) == 3
            assert await back.everything() == []

    play(story)


def test_rights_that_were_lost_meanwhile_end_the_subscriptions_of_a_kept_session() -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.connect("d", properties=STAY)
            await peer.subscribe("a", "b")
            await peer.leave()
            gate.hub.may_subscribe = lambda principal, topic: topic == "b"
            peer = await gate.connect("d", clean=False)
            gate.broker.publish("a", b"no")
            gate.broker.publish("b", b"yes")
            assert await payloads(peer) == [b"yes"]

    play(story)


def test_a_will_is_sent_when_a_client_goes_without_a_good_bye() -> None:
    async def story() -> None:
        async with Gate() as gate:
            seen = await gate.connect("seen")
            await seen.subscribe("w/#")
            will = Will("w/x", b"gone", 1, True, Properties(user_properties=(("k", "v"),)))
            (await gate.connect("a", will=will)).close()
            (message,) = await seen.messages(1)
            assert (message.payload, message.properties) == (b"gone", will.properties)
            assert gate.hub.payloads == [b"gone"]
            await (await gate.connect("b", will=will)).leave()
            await (await gate.connect("c", will=Will("w/c", b"told"))).leave(Reason.DISCONNECT_WITH_WILL)
            assert [m.payload for m in await seen.messages(1)] == [b"told"]
            broken = await gate.connect("d", V311, will=Will("w/d", b"broken"))
            broken.write(b"\xff\xff")
            assert [m.payload for m in await seen.messages(1)] == [b"broken"]
            assert await payloads(seen) == []
            assert gate.broker.counters.retained == 1

    play(story)


def test_a_will_waits_for_its_delay_but_not_longer_than_its_session() -> None:
    async def story() -> None:
        async with Gate() as gate:
            seen = await gate.connect("seen")
            await seen.subscribe("#")

            async def lose(client_id: str, delay: int, expiry: int, clean: bool = True) -> None:
                will = Will("w", client_id.encode(), 0, False, Properties(will_delay=delay))
                peer = await gate.connect(client_id, clean=clean, will=will, properties={"session_expiry": expiry})
                peer.close()
                await gate.until(lambda: gate.broker.counters.connections == 1)

            await lose("late", 10, 60)
            await lose("session", 10, 5)
            await lose("back", 10, 60)
            assert await payloads(seen) == []
            await gate.pass_time(5)
            assert [m.payload for m in await seen.messages(1)] == [b"session"]
            assert await payloads(seen) == []
            await (await gate.connect("back", clean=False, properties=STAY)).leave()
            await gate.pass_time(5)
            assert [m.payload for m in await seen.messages(1)] == [b"late"]
            assert await payloads(seen) == []
            await lose("new", 10, 60)
            await (await gate.connect("new", clean=True)).leave()
            assert await payloads(seen) == [b"new"]
            await gate.pass_time(60)
            assert await payloads(seen) == []

    play(story)


def test_what_a_message_carries_is_passed_on() -> None:
    async def story() -> None:
        async with Gate() as gate:
            one, old = await gate.connect("one"), await gate.connect("old", V311)
            await one.subscribe("q")
            await old.subscribe("q")
            carried = Properties(
                payload_format=1,
                content_type="text/plain",
                response_topic="answer",
                correlation_data=b"17",
                user_properties=(("k", "1"), ("k", "2")),
            )
            one.publish("q", b"?", 0, properties=carried)
            (message,) = await one.messages(1)
            assert message.properties == carried
            assert gate.hub.calls[0][0].properties == carried
            assert (await old.messages(1))[0].properties is None
            one.publish("q", b"?", 0, properties=NONE)
            assert (await one.messages(1))[0].properties in (None, NONE)

    play(story)


def test_quality_2_reaches_the_hub_and_the_subscriber_exactly_once() -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.connect("d", properties=STAY)
            await peer.subscribe(Topic("a", 2))
            gate.hub.hold = True
            peer.publish("a", b"x", 2, 7)
            await gate.until(lambda: bool(gate.hub.held))
            peer.close()
            await gate.until(lambda: gate.broker.counters.connections == 0)
            peer = await gate.connect("d", clean=False, properties=STAY)
            peer.publish("a", b"x", 2, 7, dup=True)
            assert await peer.everything() == []
            gate.hub.held[0].set_result(None)
            message, answer = await peer.read(), await peer.read()
            assert answer == Ack(Kind.PUBREC, 7)
            assert isinstance(message, Publish)
            peer.publish("a", b"x", 2, 7, dup=True)
            assert await peer.read() == Ack(Kind.PUBREC, 7)
            peer.send(Ack(Kind.PUBREL, 7), Ack(Kind.PUBREL, 7))
            assert await peer.read() == Ack(Kind.PUBCOMP, 7)
            assert await peer.read() == Ack(Kind.PUBCOMP, 7, Reason.PACKET_ID_NOT_FOUND)
            peer.send(Ack(Kind.PUBREC, message.packet_id), Ack(Kind.PUBREC, 999))
            assert await peer.read() == Ack(Kind.PUBREL, message.packet_id)
            assert await peer.read() == Ack(Kind.PUBREL, 999, Reason.PACKET_ID_NOT_FOUND)
            peer.send(Ack(Kind.PUBCOMP, message.packet_id))
            assert await peer.everything() == []
            assert gate.hub.payloads == [b"x"]
            assert gate.broker._board.exchange.sessions["d"].waiting == 0

    play(story)


@pytest.mark.parametrize("version", [V311, V5])
def test_quality_2_that_is_refused_or_lost_may_be_sent_again(version: int) -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.verdict = lambda publish: 0x99
            peer = await gate.connect(version=version)
            peer.publish("a", b"x", 2, 7)
            if version == V5:
                assert await peer.read() == Ack(Kind.PUBREC, 7, 0x99)
                peer.publish("a", b"x", 2, 7)
                assert await peer.read() == Ack(Kind.PUBREC, 7, 0x99)
                assert len(gate.hub.payloads) == 2
            else:
                assert await peer.read() == Ack(Kind.PUBREC, 7)
            gate.hub.hold = True
            peer.publish("a", b"y", 2, 8)
            await gate.until(lambda: bool(gate.hub.held))
            gate.hub.held[0].set_exception(OSError())
            await peer.rest()

    play(story)
