"""MQTT 3.1.1 over raw sockets, as much of it as a load needs: a client library would measure itself.

The flow takes QoS 1 from one publisher, to a broker and on to at most one subscriber, with a bounded number of messages
in flight. All messages are of one length, so that acknowledgements are made from whole reads with NumPy.
"""

import select
import socket
import struct
import time
from dataclasses import dataclass

import numpy as np

PUBACK = 0x40


def text(said: str) -> bytes:
    return struct.pack(">H", len(said.encode())) + said.encode()


def packet(kind: int, body: bytes) -> bytes:
    left, length = len(body), b""
    while True:
        left, digit = left >> 7, left & 0x7F
        length += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([kind]) + length + body


def publish(topic: str, payload: bytes, number: int = 0) -> bytes:
    """QoS 1 with a packet number, QoS 0 without."""
    head = text(topic) + (struct.pack(">H", number) if number else b"")
    return packet(0x32 if number else 0x30, head + payload)


def connect(port: int, name: str, user: str = "", password: str = "") -> socket.socket:
    """A session that begins clean, when the broker has said that it is welcome."""
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    flags = 0x02 | (0xC0 if user else 0)
    login = text(user) + text(password) if user else b""
    sock.sendall(packet(0x10, text("MQTT") + bytes([4, flags, 0, 0]) + text(name) + login))
    answer = exactly(sock, 4)
    if answer != b"\x20\x02\x00\x00":
        raise RuntimeError(f"the broker answered CONNECT with {answer!r}")
    return sock


def subscribe(sock: socket.socket, topic: str, qos: int) -> None:
    sock.sendall(packet(0x82, b"\x00\x01" + text(topic) + bytes([qos])))
    answer = exactly(sock, 5)
    if answer[0] != 0x90 or answer[4] != qos:
        raise RuntimeError(f"the broker answered SUBSCRIBE with {answer!r}")


def exactly(sock: socket.socket, count: int) -> bytes:
    said = b""
    while len(said) < count:
        if not (more := sock.recv(count - len(said))):
            raise RuntimeError("the broker hung up")
        said += more
    return said


@dataclass
class Flow:
    """Messages of QoS 1 from one socket to another, `window` in flight."""

    publisher: socket.socket
    subscriber: socket.socket | None
    messages: list[bytes]
    """PUBLISH packets of one length, packet numbers at their place and arbitrary"""
    place: int
    """where the packet number begins in the packets"""
    window: int = 1_000
    burst: int = 100

    def run(self) -> float:
        """Seconds until all were acknowledged to the publisher and, if there is one, came to the subscriber."""
        packets = np.frombuffer(b"".join(self.messages), np.uint8).reshape(len(self.messages), -1).copy()
        numbers = np.arange(len(packets)) % 65_535 + 1
        packets[:, self.place], packets[:, self.place + 1] = numbers >> 8, numbers & 255
        self.length = packets.shape[1]
        sent = acknowledged = 0
        self.came, self.rest = 0, b""
        poll = select.epoll()
        for sock in filter(None, (self.publisher, self.subscriber)):
            poll.register(sock, select.EPOLLIN)
        begun = time.perf_counter()
        while acknowledged < len(packets) * 4 or (self.subscriber and self.came < len(packets)):
            while sent < len(packets) and sent - acknowledged // 4 <= self.window - self.burst:
                self.publisher.sendall(packets[sent : sent + self.burst].tobytes())
                sent += self.burst
            for number, _ in poll.poll(30):
                if number == self.publisher.fileno():
                    acknowledged += len(self._read(self.publisher))
                elif self.subscriber:
                    self._take(self.subscriber)
        return time.perf_counter() - begun

    def _take(self, sock: socket.socket) -> None:
        data = self.rest + self._read(sock)
        whole = len(data) // self.length * self.length
        self.rest = data[whole:]
        packets = np.frombuffer(data[:whole], np.uint8).reshape(-1, self.length)
        acks = np.empty((len(packets), 4), np.uint8)
        acks[:, 0], acks[:, 1] = PUBACK, 2
        acks[:, 2:] = packets[:, self.place : self.place + 2]
        sock.sendall(acks.tobytes())
        self.came += len(packets)

    def _read(self, sock: socket.socket) -> bytes:
        if not (data := sock.recv(1 << 18)):
            raise RuntimeError("the broker hung up")
        return data
