"""A load generator that costs little: raw sockets, requests made beforehand, one request under way a connection.

Runs as a process of its own: `python -m bench.raw_http PORT SECONDS CONNECTIONS EXPECTED FILE [RATE]`. FILE holds
requests, each as its length in four bytes and itself; connection n sends the n-th, the (n + CONNECTIONS)-th and so on,
from the start again when there are no more. An answer counts when it is 2xx and its body is EXPECTED. Prints JSON.
"""

import json
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write(file: Path, requests: Iterable[bytes]) -> Path:
    """Requests as this generator reads them."""
    file.write_bytes(b"".join(struct.pack("<I", len(request)) + request for request in requests))
    return file


def start(
    port: int, seconds: float, connections: int, expected: str, file: Path, rate: float = 0
) -> subprocess.Popen[str]:
    """The generator as a process; `rate` in requests a second, 0 for as many as are answered."""
    words = [str(port), str(seconds), str(connections), expected, str(file), str(rate)]
    return subprocess.Popen([sys.executable, "-m", "bench.raw_http", *words], stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a generator has to tell: answered, seconds, p50 and p99 in ms, its own CPU seconds."""
    said, _ = process.communicate()
    if process.returncode:
        raise SystemExit("the load generator stopped: the rate does not count")
    told: dict[str, Any] = json.loads(said)
    return told


def read(file: Path) -> list[bytes]:
    data, at, requests = file.read_bytes(), 0, []
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        requests.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return requests


def answered(sock: socket.socket, expected: bytes) -> None:
    """Takes one answer off the socket."""
    said = sock.recv(65536)
    while b"\r\n\r\n" not in said or not body_of(said)[1]:
        more = sock.recv(65536)
        if not more:
            raise SystemExit(f"hung up after {said!r}")
        said += more
    if not said.startswith(b"HTTP/1.1 2") or (expected and body_of(said)[0] != expected):
        raise SystemExit(f"answered {said!r}")


def body_of(answer: bytes) -> tuple[bytes, bool]:
    """The body so far and whether it is whole."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)  # a 204 has none
    return body, len(body) >= length


def main(port: int, seconds: float, count: int, expected: bytes, requests: list[bytes], rate: float) -> None:
    poll = select.epoll()
    socks: dict[int, socket.socket] = {}
    turn: dict[int, int] = {}
    sent: dict[int, float] = {}
    idle: list[int] = []
    waits: list[float] = []
    for place in range(count):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(sock, select.EPOLLIN)
        socks[sock.fileno()], turn[sock.fileno()] = sock, place
        idle.append(sock.fileno())
    now = began = time.perf_counter()
    due = began
    while now < began + seconds or sent:
        while idle and now < began + seconds and (not rate or due <= now):
            number = idle.pop(0)
            due += 1 / rate if rate else 0
            socks[number].sendall(requests[turn[number] % len(requests)])
            turn[number] += count
            sent[number] = now
        patience = max(due - now, 0.0) if rate and idle else 1.0
        for number, _ in poll.poll(patience):
            answered(socks[number], expected)
            waits.append(time.perf_counter() - sent.pop(number))
            idle.append(number)
        now = time.perf_counter()
    waits.sort()
    told = {"answered": len(waits), "seconds": now - began, "cpu": time.process_time()}
    told |= {"p50": waits[len(waits) // 2] * 1000, "p99": waits[len(waits) * 99 // 100] * 1000}
    print(json.dumps(told))


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        float(sys.argv[2]),
        int(sys.argv[3]),
        sys.argv[4].encode(),
        read(Path(sys.argv[5])),
        float(sys.argv[6]),
    )
