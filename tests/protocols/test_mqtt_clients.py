"""Clients that others wrote: mosquitto's and paho's, in both versions, against the listener."""

import asyncio
import shutil
import subprocess
from typing import Any

import pytest
from mqtt_peer import Gate, play
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cheng.protocols.mqtt_hub import PAYLOAD_INVALID
from needs import need

PUB, SUB = shutil.which("mosquitto_pub"), shutil.which("mosquitto_sub")
MISSING = "mosquitto_pub and mosquitto_sub are not on this machine"


async def run(*words: str, say: bytes | None = None) -> tuple[int, str]:
    """Exit code and everything said."""
    process = await asyncio.create_subprocess_exec(
        *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    out, _ = await process.communicate(say)
    return process.returncode or 0, out.decode()


@pytest.mark.parametrize("version", ["311", "5"])
@pytest.mark.parametrize("quality", ["0", "1", "2"])
def test_mosquitto_publishes_lines_and_hears_them(version: str, quality: str) -> None:
    need("mosquitto", bool(PUB and SUB), MISSING)
    assert PUB is not None
    assert SUB is not None

    async def story() -> None:
        async with Gate() as gate:
            common = ("-p", str(gate.port), "-V", version, "-q", quality)
            hearing = asyncio.create_task(run(SUB, *common, "-t", "city/#", "-v", "-C", "50"))
            await gate.until(lambda: bool(gate.broker._board.exchange._tree.match("city/a").plain))
            lines = [f"{number}" for number in range(50)]
            code, said = await run(PUB, *common, "-t", "city/a", "-l", say="\n".join(lines).encode())
            assert (code, said) == (0, "")
            assert [payload.decode() for payload in gate.hub.payloads] == lines
            assert await hearing == (0, "".join(f"city/a {line}\n" for line in lines))

    play(story)


def test_mosquitto_is_told_that_it_may_not_come_in_or_publish() -> None:
    need("mosquitto", bool(PUB and SUB), MISSING)
    assert PUB is not None

    async def story() -> None:
        async with Gate() as gate:
            common = (PUB, "-p", str(gate.port), "-V", "5", "-q", "1", "-m", "x")
            code, said = await run(*common, "-t", "a", "-u", "stranger")
            assert (code, "not authori" in said.lower()) == (135, True)
            _, said = await run(*common, "-t", "cheng/device-2/x", "-u", "device-1")
            assert "not authori" in said.lower()
            assert gate.hub.calls == []

    play(story)


def test_mosquitto_gets_a_retained_message_and_a_will() -> None:
    need("mosquitto", bool(PUB and SUB), MISSING)
    assert PUB is not None
    assert SUB is not None

    async def story() -> None:
        async with Gate() as gate:
            at = ("-p", str(gate.port))
            await run(PUB, *at, "-t", "s/lamp", "-m", "on", "-r", "-q", "1")
            assert await run(SUB, *at, "-t", "s/+", "-C", "1", "-F", "%r %p") == (0, "1 on\n")
            seen = asyncio.create_task(run(SUB, *at, "-t", "w", "-C", "1"))
            dying = await asyncio.create_subprocess_exec(
                *(SUB, *at, "-t", "x", "--will-topic", "w", "--will-payload", "gone"), stdout=subprocess.DEVNULL
            )
            await gate.until(lambda: bool(gate.broker._board.exchange._tree.match("x").plain))
            await gate.until(lambda: bool(gate.broker._board.exchange._tree.match("w").plain))
            dying.kill()
            await dying.wait()
            assert await seen == (0, "gone\n")

    play(story)


class Paho:
    """A paho client whose callbacks fill lists; it runs in a thread of its own."""

    def __init__(self, gate: Gate, name: str, version: int, clean: bool | None = None, **will: Any) -> None:
        self.gate = gate
        self.heard: list[MQTTMessage] = []
        self.reasons: dict[int, int] = {}
        self.connected: list[Any] = []
        self.gone: list[Any] = []
        self.granted: list[Any] = []
        self.client = Client(CallbackAPIVersion.VERSION2, name, clean_session=clean, protocol=version)
        self.client.on_connect = lambda client, data, flags, reason, properties: self.connected.append(flags)
        self.client.on_disconnect = lambda client, data, flags, reason, properties: self.gone.append(reason)
        self.client.on_message = lambda client, data, message: self.heard.append(message)
        self.client.on_subscribe = lambda client, data, number, reasons, properties: self.granted.append(reasons)
        self.client.on_publish = self._published
        if will:
            self.client.will_set(**will)

    def _published(self, client: Client, data: object, number: int, reason: ReasonCode, properties: object) -> None:
        self.reasons[number] = reason.value

    async def start(self) -> None:
        self.connected.clear()
        # connect() waits for the socket, and the listener lives in this very thread.
        await asyncio.to_thread(self.client.connect, "127.0.0.1", self.gate.port)
        self.client.loop_start()
        await self.until(lambda: bool(self.connected))

    async def until(self, truth: Any) -> None:
        """Waits for the client's thread."""
        while not truth():
            await asyncio.sleep(0.002)

    async def subscribe(self, topic: str, quality: int) -> None:
        count = len(self.granted)
        self.client.subscribe(topic, quality)
        await self.until(lambda: len(self.granted) > count)

    async def stop(self) -> None:
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


@pytest.mark.parametrize("version", [4, 5])
def test_paho_is_acknowledged_only_when_the_hub_says_so(version: int) -> None:
    async def story() -> None:
        async with Gate() as gate:
            gate.hub.hold = True
            paho = Paho(gate, "paho", version)
            await paho.start()
            info = paho.client.publish("a", b"x", 1)
            await gate.until(lambda: bool(gate.hub.held))
            assert not info.is_published()
            gate.hub.held[0].set_result([PAYLOAD_INVALID])
            await paho.until(info.is_published)
            assert paho.reasons[info.mid] == (PAYLOAD_INVALID if version == 5 else 0)
            gate.hub.hold = False
            await paho.stop()

    play(story)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("quality", [0, 1, 2])
def test_paho_sends_and_hears_five_hundred_in_order(version: int, quality: int) -> None:
    async def story() -> None:
        async with Gate() as gate:
            paho = Paho(gate, "paho", version)
            await paho.start()
            await paho.subscribe("city/+/x", quality)
            for number in range(500):
                paho.client.publish(f"city/{number % 7}/x", b"%d" % number, quality)
            await paho.until(lambda: len(paho.heard) == 500)
            assert [int(message.payload) for message in paho.heard] == list(range(500))
            assert {message.qos for message in paho.heard} == {quality}
            assert gate.hub.payloads == [b"%d" % number for number in range(500)]
            await paho.stop()

    play(story)


def test_paho_keeps_its_session_and_gets_what_waited() -> None:
    async def story() -> None:
        async with Gate() as gate:
            paho = Paho(gate, "keeps", 4, clean=False)
            await paho.start()
            await paho.subscribe("cmd/#", 1)
            await paho.stop()
            await gate.until(lambda: gate.broker.counters.connections == 0)
            for number in range(3):
                gate.broker.publish("cmd/x", b"%d" % number, qos=1)
            paho = Paho(gate, "keeps", 4, clean=False)
            await paho.start()
            assert paho.connected[0].session_present
            await paho.until(lambda: len(paho.heard) == 3)
            assert [message.payload for message in paho.heard] == [b"0", b"1", b"2"]
            await paho.stop()

    play(story)


def test_paho_is_taken_over_and_its_will_carries_properties() -> None:
    async def story() -> None:
        async with Gate() as gate:
            seen = Paho(gate, "seen", 5)
            await seen.start()
            await seen.subscribe("will/#", 1)
            carried = Properties(PacketTypes.WILLMESSAGE)
            carried.UserProperty = ("cause", "test")
            first = Paho(gate, "same", 5, topic="will/same", payload=b"gone", qos=1, properties=carried)
            first.client.reconnect_delay_set(60, 60)
            await first.start()
            second = await gate.connect("same")
            assert not second.connack.session_present
            await first.until(lambda: bool(first.gone))
            assert first.gone[0].value == 0x8E
            await seen.until(lambda: bool(seen.heard))
            assert seen.heard[0].properties is not None
            assert seen.heard[0].properties.UserProperty == [("cause", "test")]
            await first.stop()
            await seen.stop()

    play(story)
