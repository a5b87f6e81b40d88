"""Acknowledged means durable: no answer before the hub's, in the order of the publishes, for good and bad news."""

import asyncio

import pytest
from mqtt_peer import Gate, play

from cheng.protocols.mqtt_hub import PAYLOAD_INVALID, QUOTA_EXCEEDED
from cheng.protocols.mqtt_packets import V5, V311, Ack, Disconnect, Will
from cheng.protocols.mqtt_properties import Kind, Reason

both = pytest.mark.parametrize("version", [V311, V5])


def pubacks(*numbers: int) -> list[Ack]:
    return [Ack(Kind.PUBACK, number) for number in numbers]


@both
def test_a_publish_is_acknowledged_only_after_the_hub_has_made_it_durable(version: int) -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.hold = True
            peer = await gate.connect(version=version)
            peer.write(b"".join(bytes((0x32, 6, 0, 1, 97, 0, n, 0 if version == V5 else 120)) for n in (1, 2, 3)))
            assert await peer.everything() == []
            assert [len(call) for call in gate.hub.calls] == [3]
            gate.hub.held[0].set_result(None)
            assert [await peer.read() for _ in range(3)] == pubacks(1, 2, 3)
            assert gate.broker.counters.received == 3

    play(story)


def test_acknowledgements_keep_the_order_even_when_the_hub_does_not() -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.hold = True
            peer = await gate.connect()
            for number in (1, 2):
                peer.publish("a", b"x", 1, number)
                await gate.until(lambda number=number: len(gate.hub.held) == number)
            gate.hub.held[1].set_result(None)
            assert await peer.everything() == []
            gate.hub.held[0].set_result(None)
            assert [await peer.read() for _ in range(2)] == pubacks(1, 2)

    play(story)


@both
def test_a_publish_that_could_not_be_made_durable_is_not_acknowledged(version: int) -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.hold = True
            peer = await gate.connect(version=version)
            peer.publish("a", b"x", 1, 1)
            await gate.until(lambda: bool(gate.hub.held))
            gate.hub.held[0].set_exception(OSError("no space left"))
            rest = await peer.rest()
            assert [type(packet) for packet in rest] == ([Disconnect] if version == V5 else [])
            assert gate.broker.counters.failed == 1
            assert gate.broker.counters.pending == 0

    play(story)


def test_one_clients_poison_does_not_take_down_its_neighbour() -> None:
    def verdict(publish: object) -> int:
        if b"poison" in getattr(publish, "payload", b""):
            raise OSError("the store fell over")
        return 0

    async def story() -> None:
        async with Gate() as gate:
            gate.hub.verdict = verdict
            good, bad = await gate.connect("good"), await gate.connect("bad")
            for connection in gate.broker._board.connections:
                connection._transport.pause_reading()
            good.publish("a", b"fine", 1, 1)
            bad.publish("a", b"poison", 1, 1)
            for connection in gate.broker._board.connections:
                connection._transport.resume_reading()
            assert await good.read() == Ack(Kind.PUBACK, 1)
            assert [packet.reason for packet in await bad.rest() if isinstance(packet, Disconnect)] == [0x83]
            assert gate.hub.payloads.count(b"fine") >= 1

    play(story)


def test_refusals_are_told_to_version_5_and_kept_from_3_1_1_only_when_kept_aside() -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.verdict = lambda publish: {b"bad": PAYLOAD_INVALID, b"much": QUOTA_EXCEEDED}.get(
                publish.payload, 0
            )
            new, old = await gate.connect("new"), await gate.connect("old", V311)
            seen = await gate.connect("seen")
            await seen.subscribe("#")
            for peer in (new, old):
                for number, payload in enumerate([b"good", b"bad", b"much"], 1):
                    peer.publish("a", payload, 1, number)
            assert [await new.read() for _ in range(3)] == [
                Ack(Kind.PUBACK, 1),
                Ack(Kind.PUBACK, 2, PAYLOAD_INVALID),
                Ack(Kind.PUBACK, 3, QUOTA_EXCEEDED),
            ]
            assert await old.rest() == pubacks(1, 2)
            assert [message.payload for message in await seen.messages(2)] == [b"good", b"good"]
            assert await seen.everything() == []
            assert gate.broker.counters.refused == 4

    play(story)


def test_a_hub_that_is_slow_costs_no_client_its_connection() -> None:
    async def story() -> None:
        async with Gate(receive_maximum=2) as gate:
            gate.hub.hold = True
            peer = await gate.connect(version=V311, keep_alive=10)
            for number in range(1, 6):
                peer.publish("a", b"x", 1, number)
            await gate.until(lambda: bool(gate.broker._board.held and gate.hub.held))
            await gate.pass_time(100)
            assert gate.broker.counters.connections == 1
            gate.hub.hold = False
            gate.hub.held[0].set_result(None)
            assert [await peer.read() for _ in range(5)] == pubacks(1, 2, 3, 4, 5)
            assert await peer.everything() == []
            assert gate.broker._board.held == set()

    play(story)


def test_all_payloads_that_wait_for_the_hub_are_bounded_together() -> None:
    async def story() -> None:
        async with Gate(pending=1000) as gate:
            gate.hub.hold = True
            peers = [await gate.connect(f"c{number}") for number in range(5)]
            for peer in peers:
                for _ in range(10):
                    peer.publish("a", b"." * 400, 1, 1)
                    await asyncio.sleep(0)
            await gate.until(lambda: len(gate.broker._board.held) == 5)
            bound = 1000 + 5 * 10 * 400
            assert 1000 <= gate.broker.counters.pending <= bound
            gate.hub.hold = False
            while gate.broker.counters.pending or gate.broker._board.held:
                for answer in gate.hub.held:
                    if not answer.done():
                        answer.set_result(None)
                await asyncio.sleep(0)
            await gate.until(lambda: len(gate.hub.payloads) == 50)

    play(story)


def test_who_floods_the_hub_waits_alone() -> None:
    async def story() -> None:
        async with Gate(pending_each=2000) as gate:
            gate.hub.hold = True
            flood, other = await gate.connect("flood"), await gate.connect("other")
            for number in range(1, 11):
                flood.publish("a", b"." * 400, 1, number)
            await gate.until(lambda: len(gate.broker._board.held) == 1)
            other.publish("b", b"x", 1, 1)
            await gate.until(lambda: b"x" in gate.hub.payloads)
            gate.hub.hold = False
            for answer in gate.hub.held:
                answer.set_result(None)
            assert await other.read() == Ack(Kind.PUBACK, 1)
            assert [await flood.read() for _ in range(10)] == pubacks(*range(1, 11))

    play(story)


def test_what_arrives_while_two_calls_are_under_way_is_the_third() -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.hold = True
            peer = await gate.connect()
            for number in (1, 2):
                peer.publish("a", b"x", 1, number)
                await gate.until(lambda number=number: len(gate.hub.calls) == number)
            for number in range(3, 9):
                peer.publish("a", b"x", 1, number)
                await asyncio.sleep(0.01)
            assert len(gate.hub.calls) == 2
            gate.hub.hold = False
            gate.hub.held[1].set_result(None)
            gate.hub.held[0].set_result(None)
            assert [await peer.read() for _ in range(8)] == pubacks(*range(1, 9))
            assert [len(call) for call in gate.hub.calls] == [1, 1, 6]

    play(story)


def test_what_becomes_durable_after_its_sender_was_put_out_harms_nobody() -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.hold = True
            good, bad = await gate.connect("good"), await gate.connect("bad")
            bad.publish("a", b"x", 1, 1)
            bad.write(b"\xff\xff")
            good.publish("a", b"y", 1, 1)
            await gate.until(lambda: len(gate.hub.payloads) == 2)
            (bye,) = await bad.rest()
            assert isinstance(bye, Disconnect)
            for answer in gate.hub.held:
                answer.set_result(None)
            assert await good.read() == Ack(Kind.PUBACK, 1)
            assert await good.everything() == []

    play(story)


def test_stopping_acknowledges_what_became_durable_and_sends_no_wills() -> None:
    async def story() -> None:
        gate = Gate()
        async with gate:
            gate.hub.hold = True
            peer = await gate.connect(will=Will("w", b"gone"))
            peer.publish("a", b"x", 1, 1)
            await gate.until(lambda: bool(gate.hub.held))
            stopping = asyncio.create_task(gate.broker.stop())
            await gate.until(lambda: gate.broker._board.stopping)
            gate.hub.held[0].set_result(None)
            ack, bye = await peer.rest()
            peer.close()
            await stopping
            assert ack == Ack(Kind.PUBACK, 1)
            assert isinstance(bye, Disconnect)
            assert bye.reason == Reason.SHUTTING_DOWN
        assert gate.hub.payloads == [b"x"]

    play(story)


def test_stopping_gives_up_on_a_hub_that_never_answers() -> None:
    async def story() -> None:
        async with Gate(stop_time=0.01) as gate:
            gate.hub.hold = True
            peer = await gate.connect(version=V311)
            peer.publish("a", b"x", 1, 1)
            await gate.until(lambda: bool(gate.hub.held))
            await gate.broker.stop()
            assert await peer.rest() == []
            assert gate.hub.held[0].cancelled()

    play(story)
