"""A hub behind the lean way in, on a free port, and requests made by hand."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from cheng.hub import Hub
from cheng.infrastructure.clock import ManualClock
from cheng.protocols import http_lean
from cheng.protocols.http import HttpDoor
from cheng.protocols.http_lean import Doorway
from cheng.security.actors import HOUSE
from laboratory import open_laboratory

NOW = 1_795_132_800_000


class Site:
    """A hub and its lean door on a free port."""

    def __init__(self, hub: Hub, port: int, doorway: Doorway) -> None:
        self.hub, self.port, self.doorway = hub, port, doorway
        self.token = hub.tokens.issue(HOUSE, "box", "device", {"prefixes": ["valve"]})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def post(self, body: bytes, *more: str, path: str = "/ingest/observations", token: str = "") -> bytes:
        lines = [f"POST {path} HTTP/1.1", "Host: hub", f"Authorization: Bearer {token or self.token}", *more]
        if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in more):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def get(self, thing: str, *more: str, token: str = "") -> bytes:
        lines = [f"GET /api/things/{thing}/state HTTP/1.1", "Host: hub", *more]
        return "\r\n".join([*lines, f"Authorization: Bearer {token or self.token}"]).encode() + b"\r\n\r\n"

    def ask(self, request: bytes, count: int = 1) -> list[tuple[int, dict[str, str], Any]]:
        with self.connect() as sock:
            sock.sendall(request)
            return [answer(sock) for _ in range(count)]


def answer(sock: socket.socket) -> tuple[int, dict[str, str], Any]:
    """One answer, byte for byte, so that the next one stays on the socket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, f"hung up after {head!r}"
        head += byte
    status, *lines = head.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(int(headers["content-length"]) - len(body))
    told = json.loads(body) if body.startswith(b"{") else body
    return int(status.split()[1]), headers, told


def line(thing: str = "valve-1", value: object = 5.0, at: int = 0, attr: str = "pressure") -> bytes:
    return json.dumps({"id": thing, "attr": attr, "time": NOW + at, "value": value}).encode()


async def streamed(write: Any, send: Any) -> None:
    """An answer whose chunks go out beside the server: as many as the client reads, and twenty at most."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-kind", b"stream")]})
    await send({"type": "http.response.body", "body": b"begin\n", "more_body": True})
    for _ in range(20):
        if not write(b"186a0\r\n" + b"." * 100_000 + b"\r\n"):
            return
        await asyncio.sleep(0.02)
    await send({"type": "http.response.body", "body": b""})


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind: it tells the body it was sent."""
    if scope["type"] != "http":
        return
    content, more = b"", True
    if scope["path"] == "/stream":
        await streamed(scope["extensions"][http_lean.STREAM], send)
        return
    while more:
        message = await receive()
        content, more = content + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 299, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@contextmanager
def opened(folder: Path, clock: ManualClock) -> Iterator[Site]:
    """A site that is there until the block is left."""
    hub = open_laboratory(folder, clock)
    door = HttpDoor(hub, pages)
    doorway = Doorway(door)
    config = uvicorn.Config(
        door,
        http=doorway.protocol,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,  # type: ignore[arg-type]
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()

    async def run() -> None:
        task = asyncio.create_task(server._serve([listening]))
        while not server.started:
            await asyncio.sleep(0.001)
        ready.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(10)
    yield Site(hub, listening.getsockname()[1], doorway)
    server.should_exit = True
    thread.join(10)
    hub.close()
