"""A city gate for MQTT tests: a hub whose answers the test decides, a clock it turns, and raw clients."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Self

from cheng.protocols.mqtt_broker import Broker
from cheng.protocols.mqtt_decoder import Decoder
from cheng.protocols.mqtt_hub import Limits, Owner, Publish
from cheng.protocols.mqtt_packets import (
    V5,
    Ack,
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    SubAck,
    Subscribe,
    Topic,
    encode,
)
from cheng.protocols.mqtt_packets import Publish as PublishPacket
from cheng.protocols.mqtt_properties import NONE, Kind, Properties
from cheng.protocols.mqtt_topics import covers


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class TestHub:
    """Everybody is who they say; `device-…` users may use only their own topics. Holds answers back when told."""

    __test__ = False

    def __init__(self) -> None:
        self.calls: list[list[Publish]] = []
        self.verdict: Callable[[Publish], int] = lambda publish: 0
        self.hold = False
        self.held: list[asyncio.Future[Sequence[int] | None]] = []

    async def authenticate(self, client_id: str, username: str | None, password: bytes | None) -> Hashable | None:
        return None if username == "stranger" else username or "anyone"

    def may_subscribe(self, principal: Hashable, topic_filter: str) -> bool:
        return not str(principal).startswith("device-") or covers(f"cheng/{principal}/#", topic_filter)

    def may_publish(self, principal: Hashable, topic: str) -> bool:
        return not str(principal).startswith("device-") or covers(f"cheng/{principal}/#", topic)

    def receive(self, publishes: list[Publish]) -> Awaitable[Sequence[int] | None]:
        self.calls.append(publishes)
        answer: asyncio.Future[Sequence[int] | None] = asyncio.get_running_loop().create_future()
        if self.hold:
            self.held.append(answer)
        else:
            try:
                answer.set_result([self.verdict(publish) for publish in publishes])
            except OSError as error:
                answer.set_exception(error)
        return answer

    @property
    def payloads(self) -> list[bytes]:
        return [publish.payload for call in self.calls for publish in call]


class Peer:
    """A client made of the codec and a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: int) -> None:
        self.reader = reader
        self.writer = writer
        self.version = version
        self.decoder = Decoder(version=version)
        self.packets: list[Packet] = []
        self.connack = ConnAck()

    def send(self, *packets: Packet) -> None:
        self.write(b"".join(encode(packet, self.version) for packet in packets))

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def publish(self, topic: str, payload: bytes, qos: int = 0, number: int = 0, **more: Any) -> None:
        self.send(PublishPacket(topic, payload, qos, packet_id=number, **more))

    async def read(self) -> Packet:
        """The next packet; EOFError when the connection is over."""
        while not self.packets:
            data = await self.reader.read(65536)
            if not data:
                raise EOFError
            self.packets = self.decoder.feed(data)
        return self.packets.pop(0)

    async def messages(self, count: int) -> list[PublishPacket]:
        """The next `count` publishes, acknowledged when they are QoS 1."""
        found: list[PublishPacket] = []
        while len(found) < count:
            packet = await self.read()
            if isinstance(packet, PublishPacket):
                found.append(packet)
                if packet.qos == 1:
                    self.send(Ack(Kind.PUBACK, packet.packet_id))
        return found

    async def everything(self) -> list[Packet]:
        """All that the listener has to say for now; a ping marks the end."""
        self.send(PingReq())
        found = []
        while not isinstance(packet := await self.read(), PingResp):
            found.append(packet)
        return found

    async def rest(self) -> list[Packet]:
        """All that comes until the listener closes."""
        found = []
        try:
            while True:
                found.append(await self.read())
        except (EOFError, ConnectionError):
            return found

    async def subscribe(self, *topics: str | Topic, number: int = 0) -> tuple[int, ...]:
        wanted = tuple(Topic(topic, 1) if isinstance(topic, str) else topic for topic in topics)
        properties = Properties(subscription_ids=(number,)) if number else NONE
        self.send(Subscribe(7, wanted, properties))
        answer = await self.read()
        assert isinstance(answer, SubAck)
        return answer.reasons

    async def leave(self, reason: int = 0, **properties: Any) -> None:
        self.send(Disconnect(reason, Properties(**properties) if properties else NONE))
        await self.rest()
        self.close()

    def close(self) -> None:
        self.writer.close()


class Gate:
    """A broker on a free port with a test hub and a test clock; `async with Gate() as gate`."""

    def __init__(self, owner: Owner = lambda principal: principal, **limits: Any) -> None:
        self.hub = TestHub()
        self.clock = Clock()
        self.broker = Broker(self.hub, Limits(**{"stop_time": 0.1} | limits), now=self.clock, owner=owner)
        self.port = 0
        self.peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        self.port = await self.broker.start("127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        for peer in self.peers:
            peer.close()
        await self.broker.stop()

    async def open(self, version: int = V5) -> Peer:
        """A socket on which nothing was said yet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        peer = Peer(reader, writer, version)
        self.peers.append(peer)
        return peer

    async def connect(self, client_id: str = "one", version: int = V5, **connect: Any) -> Peer:
        """A client that has had its CONNACK; `properties` as keyword arguments of Properties."""
        peer = await self.open(version)
        properties = Properties(**connect.pop("properties", {}))
        peer.send(Connect(client_id, version, properties=properties, **connect))
        answer = await peer.read()
        assert isinstance(answer, ConnAck)
        peer.connack = answer
        return peer

    async def pass_time(self, seconds: float) -> None:
        self.clock.time += seconds
        self.broker.sweep()

    async def until(self, truth: Callable[[], bool]) -> None:
        """Lets the event loop turn until something is so."""
        while not truth():
            await asyncio.sleep(0)

    def deaf_socket(self) -> socket.socket:
        """A connected socket with a receive buffer so small that it fills at once."""
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", self.port))
        deaf.setblocking(False)
        return deaf


def play(story: Callable[[], Awaitable[None]]) -> None:
    """Runs a story to its end, 20 seconds at most."""

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(bounded())
