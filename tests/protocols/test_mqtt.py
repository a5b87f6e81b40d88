"""The MQTT door with real clients: readings in by every topic, and nobody reaches another's things."""

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from cheng.hub import Hub
from cheng.infrastructure.clock import ManualClock
from cheng.protocols.mqtt import MqttDoor
from cheng.protocols.mqtt_broker import Broker
from cheng.protocols.mqtt_revoked import REVOKED, expel_revoked
from cheng.security.actors import HOUSE, Actor
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
