"""The MQTT door with real clients: readings in by every topic, and nobody reaches another's things."""

import asyncio
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from cheng.hub import Hub
from cheng.infrastructure.clock import ManualClock
from cheng.protocols.mqtt import MqttDoor
from cheng.protocols.mqtt_broker import Broker
from cheng.protocols.mqtt_packets import V311, Connect, encode
from cheng.protocols.mqtt_packets import Publish as PublishPacket
from cheng.protocols.mqtt_revoked import REVOKED, expel_revoked
from cheng.security.actors import HOUSE, Actor
from cheng.standards.problems import Refused
from laboratory import open_laboratory
from needs import need


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock) -> Iterator[Hub]:
    hub = open_laboratory(tmp_path, clock)
    yield hub
    hub.close()


@pytest.fixture
def port(hub: Hub) -> Iterator[int]:
    """A listener of our own on a free port, in a thread of its own."""
    found: list[int] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        broker = Broker(MqttDoor(hub), owner=lambda actor: actor.name if isinstance(actor, Actor) else "")
        found.append(await broker.start("127.0.0.1", 0))
        guard = asyncio.create_task(expel_revoked(hub.bus, broker))
        await asyncio.sleep(0)
        ready.set()
        await asyncio.to_thread(done.wait)
        hub.bus.close()
        await guard
        await broker.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    yield found[0]
    done.set()
    thread.join()


def publish(port: int, password: str, topic: str, message: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("mosquitto_pub")
    need("mosquitto", program is not None, "mosquitto_pub is not on this machine")
    words = ["-h", "127.0.0.1", "-p", str(port), "-u", "device", "-P", password, "-q", "1", "-V", "5"]
    return subprocess.run(
        [str(program), *words, "-t", topic, "-m", message], capture_output=True, text=True, timeout=20
    )


def test_a_value_an_object_and_a_batch_arrive_and_are_durable(hub: Hub, port: int) -> None:
    password = hub.tokens.issue(HOUSE, "gateway", "device", {"prefixes": ["valve"]})
    now = hub.clock.now() // 1000
    assert publish(port, password, "cheng/valve-1/pressure", "12.5").returncode == 0
    assert publish(port, password, "cheng/valve-2", '{"pressure": 7, "state": "open"}').returncode == 0
    line = f'{{"id":"valve-3","attr":"pressure","time":{now},"value":9}}'
    assert publish(port, password, "cheng/batch", line).returncode == 0
    stored = hub.history.readings()
    assert sorted(stored["value"].to_pylist()) == [0.0, 7.0, 9.0, 12.5]


def test_a_wrong_token_and_a_foreign_thing_are_refused(hub: Hub, port: int) -> None:
    password = hub.tokens.issue(HOUSE, "own", "device", {"ids": ["valve-1"]})
    assert publish(port, "cheng_wrong", "cheng/valve-1/pressure", "1").returncode != 0
    publish(port, password, "cheng/valve-2/pressure", "1")
    publish(port, password, "cheng/batch", '{"id":"valve-2","attr":"pressure","time":1700000000,"value":9}')
    assert hub.history.count() == 0


def test_a_token_that_may_report_for_nothing_does_not_come_in(hub: Hub, port: int) -> None:
    for role in ("citizen", "leader"):
        password = hub.tokens.issue(HOUSE, role, role)
        assert publish(port, password, "cheng/valve-1/pressure", "1").returncode != 0
    assert publish(port, hub.tokens.issue(HOUSE, "op", "operator"), "cheng/valve-1/pressure", "1").returncode == 0
    assert hub.history.count() == 1


def test_nonsense_is_kept_aside_with_its_topic(hub: Hub, port: int) -> None:
    password = hub.tokens.issue(HOUSE, "own", "device", {"ids": ["valve-1"]})
    publish(port, password, "cheng/valve-1/pressure", "soft")
    publish(port, password, "cheng/valve-1", "[1]")
    kept = hub.refused.list()
    assert [k.payload for k in kept] == [b"cheng/valve-1 [1]", b"cheng/valve-1/pressure soft"]
    assert kept[1].reason == "'pressure' is 'soft', it has to be a number in kPa"


def test_who_may_listen_where(hub: Hub) -> None:
    door = MqttDoor(hub)
    device = hub.tokens.actor(hub.tokens.issue(HOUSE, "own", "device", {"ids": ["valve-1"]}))
    assert device is not None
    assert door.may_subscribe(device, "cheng/valve-1/set/#")
    assert door.may_subscribe(device, "cheng/valve-1/set/open")
    for foreign in ("#", "cheng/#", "cheng/+/set/#", "cheng/valve-2/set/#", "cheng/valve-1/#", "$SYS/#"):
        assert not door.may_subscribe(device, foreign), foreign
    for topic in ("cheng/valve-2/pressure", "other/valve-1", "cheng", "cheng/valve-1/set/open", "cheng/valve-1/a/b"):
        assert not door.may_publish(device, topic), topic


def test_a_revoked_token_is_put_out_at_once(hub: Hub, port: int) -> None:
    password = hub.tokens.issue(HOUSE, "own", "device", {"ids": ["valve-1"]})
    connected, put_out = threading.Event(), threading.Event()
    device = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    device.username_pw_set("device", password)
    device.on_connect = lambda *_: connected.set()
    device.on_disconnect = lambda *_: put_out.set()
    device.connect("127.0.0.1", port)
    device.loop_start()
    try:
        assert connected.wait(10)
        hub.tokens.revoke(HOUSE, "own")
        hub.bus.publish(REVOKED, {"name": "own", "role": "device"})
        assert put_out.wait(10)
    finally:
        device.loop_stop()


def test_what_a_thing_says_twice_at_once_is_two_readings(hub: Hub, port: int) -> None:
    password = hub.tokens.issue(HOUSE, "gateway", "device", {"prefixes": ["valve"]})
    with raw(port, password) as sock:
        sock.sendall(b"".join(packet(number, b"cheng/valve-1/pressure", b"%d" % number) for number in range(1, 101)))
        assert acknowledged(sock, 100) == list(range(1, 101))
    assert hub.history.readings()["quality"].to_pylist() == [0] * 100


def test_a_full_house_lets_a_client_wait_and_drops_nothing(
    hub: Hub, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = hub.tokens.issue(HOUSE, "gateway", "device", {"prefixes": ["valve"]})
    submit, refusals = hub.pipeline.submit, [429, 429, 429]

    def busy(*work: Any) -> Any:
        if refusals:
            raise Refused("busy", "More is coming in than can be taken just now.", status=refusals.pop())
        return submit(*work)

    monkeypatch.setattr(hub.pipeline, "submit", busy)
    line = b'{"id":"valve-3","attr":"pressure","time":%d,"value":9}' % (hub.clock.now() // 1000)
    with raw(port, password) as sock:
        sock.sendall(packet(1, b"cheng/valve-1/pressure", b"1") + packet(2, b"cheng/batch", line))
        assert acknowledged(sock, 2) == [1, 2]
    assert hub.history.count() == 2


def test_batches_that_come_together_are_answered_each_for_itself(hub: Hub, port: int) -> None:
    password = hub.tokens.issue(HOUSE, "gateway", "device", {"ids": ["valve-1"]})
    now = hub.clock.now() // 1000
    mine, foreign = (b'{"id":"valve-%d","attr":"pressure","time":%d,"value":9}' % (n, now) for n in (1, 2))
    with raw(port, password) as sock:
        sock.sendall(b"".join(packet(n, b"cheng/batch", each) for n, each in enumerate((mine, foreign, b"{"), 1)))
        assert acknowledged(sock, 3) == [1, 2, 3]
    assert hub.history.count() == 1
    assert sorted(kept.code for kept in hub.refused.list()) == ["not-understood", "not-yours"]


def raw(port: int, password: str) -> socket.socket:
    """A client of version 3.1.1 that has been let in."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.sendall(encode(Connect("raw", V311, True, 0, "gateway", password.encode(), None), V311))
    assert sock.recv(4) == b"\x20\x02\x00\x00"
    return sock


def packet(number: int, topic: bytes, payload: bytes) -> bytes:
    return encode(PublishPacket(topic.decode(), payload, 1, packet_id=number), V311)


def acknowledged(sock: socket.socket, count: int) -> list[int]:
    said = b""
    while len(said) < 4 * count:
        more = sock.recv(4096)
        assert more, "hung up"
        said += more
    assert all(said[at : at + 2] == b"\x40\x02" for at in range(0, len(said), 4))
    return [int.from_bytes(said[at + 2 : at + 4], "big") for at in range(0, len(said), 4)]
