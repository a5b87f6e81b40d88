"""Nobody publishes or listens as somebody else; who falls silent or does not read is put out; commands arrive."""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from mqtt_peer import Gate, play

from cheng.protocols.mqtt_packets import V5, V311, Ack, Connect, Disconnect, Will
from cheng.protocols.mqtt_packets import Publish as PublishPacket
from cheng.protocols.mqtt_properties import Kind, Reason
from needs import need

both = pytest.mark.parametrize("version", [V311, V5])


def test_a_stranger_is_refused_and_so_is_a_client_when_the_hub_cannot_be_asked() -> None:
    async def story() -> None:
        async with Gate() as gate:
            assert (await gate.connect(username="stranger")).connack.reason == Reason.NOT_AUTHORIZED
            assert (await gate.connect(version=V311, username="stranger")).connack.reason == 5

            async def broken(client_id: str, username: str | None, password: bytes | None) -> object:
                raise OSError("no directory")

            gate.hub.authenticate = broken
            peer = await gate.connect()
            assert peer.connack.reason == Reason.SERVER_UNAVAILABLE
            assert await peer.rest() == []
            assert gate.broker.counters.connects_refused == 3

    play(story)


@both
def test_a_device_publishes_and_hears_only_under_its_own_name(version: int) -> None:
    async def story() -> None:
        async with Gate() as gate:
            refused = 0x87 if version == V5 else 0x80
            peer = await gate.connect("d", version, username="device-1")
            asked = ("#", "cheng/#", "cheng/+/set/x", "cheng/device-2/x", "$share/g/#", "cheng/device-1/set/+")
            assert await peer.subscribe(*asked) == (*[refused] * 5, 1)
            peer.publish("cheng/device-2/t", b"1")
            peer.publish("cheng/device-1/t", b"2", 1, 1)
            assert await peer.read() == Ack(Kind.PUBACK, 1)
            peer.publish("cheng/device-2/t", b"3", 1, 2)
            if version == V5:
                assert await peer.read() == Ack(Kind.PUBACK, 2, 0x87)
            else:
                assert await peer.rest() == []
            assert gate.hub.payloads == [b"2"]
            will = Will("cheng/device-2/t", b"4")
            again = await gate.connect("d2", version, username="device-1", will=will)
            assert again.connack.reason == (0x87 if version == V5 else 5)

    play(story)


def test_a_client_identifier_is_taken_over_by_its_owner_only() -> None:
    async def story() -> None:
        async with Gate() as gate:
            first = await gate.connect("x", username="device-1", properties={"session_expiry": 60})
            thief = await gate.connect("x", username="device-2")
            assert thief.connack.reason == Reason.CLIENT_ID_INVALID
            assert await first.everything() == []
            second = await gate.connect("x", username="device-1", clean=False, properties={"session_expiry": 60})
            assert second.connack.session_present
            (bye,) = await first.rest()
            assert isinstance(bye, Disconnect)
            assert bye.reason == Reason.TAKEN_OVER
            await second.leave()
            assert (await gate.connect("x", V311, username="device-2", clean=False)).connack.reason == 2
            assert gate.broker.counters.takeovers == 1

    play(story)


def test_an_owner_whose_rights_changed_finds_its_session_again() -> None:
    async def story() -> None:
        async with Gate(owner=lambda principal: str(principal).partition("/")[0]) as gate:
            first = await gate.connect("x", username="device-1/old", properties={"session_expiry": 60})
            await first.leave()
            second = await gate.connect("x", username="device-1/new", clean=False)
            assert second.connack.session_present
            second.publish("cheng/device-1/new/t", b"", 1, 1)
            await second.read()
            assert gate.hub.calls[0][0].principal == "device-1/new"
            assert (await gate.connect("x", username="device-2/new")).connack.reason == Reason.CLIENT_ID_INVALID

    play(story)


def test_a_principal_whose_rights_are_taken_away_is_put_out() -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.connect("x", username="device-1", will=Will("cheng/device-1/w", b"bye"))
            away = await gate.connect("y", username="device-1", properties={"session_expiry": 60})
            await away.leave()
            other = await gate.connect("z", username="device-2")
            gate.hub.may_publish = lambda principal, topic: False
            assert gate.broker.disconnect("device-1") == 2
            (bye,) = await peer.rest()
            assert isinstance(bye, Disconnect)
            assert await other.everything() == []
            assert gate.broker.counters.sessions == 1
            assert gate.hub.payloads == []

    play(story)


def test_who_says_nothing_or_falls_silent_is_disconnected() -> None:
    async def story() -> None:
        async with Gate(connect_time=10, keep_alive=30) as gate:
            half_open = await gate.open()
            await gate.until(lambda: gate.broker.counters.connections == 1)
            alive = await gate.connect("a", keep_alive=20)
            silent = await gate.connect("b", keep_alive=4)
            told = await gate.connect("c")
            assert (told.connack.properties.server_keep_alive, alive.connack.properties.server_keep_alive) == (30, None)
            await gate.pass_time(5.9)
            assert await alive.everything() == await silent.everything() == []
            await gate.pass_time(6.1)
            assert [packet.reason for packet in await silent.rest() if isinstance(packet, Disconnect)] == [0x8D]
            assert await half_open.rest() == []
            assert await alive.everything() == await told.everything() == []
            await gate.pass_time(45.1)
            assert len(await told.rest()) == 1
            assert gate.broker.counters.timeouts == 4

    play(story)


def test_a_client_that_does_not_read_costs_a_bounded_queue_and_is_put_out() -> None:
    async def story() -> None:
        async with Gate(write_buffer=4096, queue=50, inflight=5, stall_time=30) as gate:
            deaf = gate.deaf_socket()
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(deaf, b"\x10\x10\0\4MQTT\x04\2\0\0\0\4deaf\x82\x06\0\1\0\1#\0")
            await gate.until(lambda: bool(gate.broker._board.exchange._tree.match("a").plain))
            good = await gate.connect("good")
            (connection,) = [one for one in gate.broker._board.connections if one._stalled is None and one.version == 4]
            number = 0
            while not gate.broker.counters.dropped:
                number += 1
                good.publish("a", b"." * 10_000, 1, number)
                assert await good.read() == Ack(Kind.PUBACK, number)
            session = gate.broker._board.exchange.sessions["deaf"]
            assert session.waiting <= 50
            assert connection._transport.get_write_buffer_size() < 200_000
            await gate.pass_time(29)
            assert gate.broker.counters.connections == 2
            await gate.pass_time(2)
            await gate.until(lambda: gate.broker.counters.connections == 1)
            assert gate.broker._board.exchange._pool.queued == 0
            assert await good.everything() == []
            deaf.close()

    play(story)


def test_connections_beyond_the_limit_are_closed_at_once() -> None:
    async def story() -> None:
        async with Gate(connections=2, sessions_each=1) as gate:
            first = await gate.connect("a")
            second = await gate.connect("b")
            assert second.connack.reason == Reason.QUOTA_EXCEEDED
            second.close()
            await gate.until(lambda: gate.broker.counters.connections == 1)
            await gate.open()
            await gate.until(lambda: gate.broker.counters.connections == 2)
            assert await (await gate.open()).rest() == []
            assert await first.everything() == []
            await first.leave()
            await gate.until(lambda: gate.broker.counters.connections == 1)
            assert (await gate.connect("b")).connack.reason == 0
            assert gate.broker._board.exchange._owned == {"anyone": 1}

    play(story)


def test_packets_that_follow_connect_at_once_wait_for_its_answer() -> None:
    async def story() -> None:
        async with Gate() as gate:
            peer = await gate.open(V311)
            peer.send(Connect("a"), PublishPacket("t", b"1", 1, packet_id=1), Disconnect())
            _answer, *more = await peer.rest()
            assert more == []  # it said good-bye before its publish was durable
            assert gate.hub.payloads == [b"1"]

    play(story)


def test_the_hub_sends_commands_to_who_is_there_and_to_who_comes_back() -> None:
    async def story() -> None:
        async with Gate() as gate:
            device = await gate.connect("d", clean=False, properties={"session_expiry": 600})
            await device.subscribe("cheng/lamp/set/+")
            assert gate.broker.publish("cheng/lamp/set/dim", b"30", qos=1) == 1
            assert (await device.messages(1))[0].payload == b"30"
            await device.leave()
            gate.broker.publish("cheng/lamp/set/dim", b"old", qos=1, expires=5)
            gate.broker.publish("cheng/lamp/set/dim", b"new", qos=1, expires=500)
            gate.broker.publish("cheng/lamp/set/dim", b"lost", qos=0)
            assert gate.broker.publish("cheng/other/set/dim", b"", qos=1) == 0
            await gate.pass_time(10)
            device = await gate.connect("d", clean=False)
            assert device.connack.session_present
            (message,) = await device.messages(1)
            assert message.payload == b"new"
            assert message.properties is not None
            assert message.properties.message_expiry == 490
            assert await device.everything() == []
            with pytest.raises(ValueError, match="not a topic"):
                gate.broker.publish("cheng/#", b"")

    play(story)


def test_clients_come_over_tls_too(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    need("openssl", openssl is not None, "openssl, which makes the test's certificate, is not on this machine")
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    subprocess.run(
        f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost "
        f"-keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )

    async def story() -> None:
        async with Gate() as gate:
            server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            server.load_cert_chain(certificate, key)
            port = await gate.broker.start("127.0.0.1", 0, ssl=server)
            client = ssl.create_default_context(cafile=certificate)
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
            writer.write(b"\x10\x0d\0\4MQTT\x04\2\0\0\0\1a\x32\x06\0\1a\0\1x")
            assert await reader.readexactly(8) == b"\x20\2\0\0\x40\2\0\1"
            writer.close()
            await writer.wait_closed()

    play(story)
