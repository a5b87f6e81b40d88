"""From the POST of a reading to the alert on 500 open walls, each asking for what a browser would ask for.

A wall holds the stream of alerts open and, when it hears that something has changed, asks again for its parts (what
they are and how often stands in the page, `hx-get` and `hx-trigger`) and for the tiles of its map, one after the other.
All walls are one process beside the hub: what it needs for them is in the figure.
"""

import asyncio
import html
import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvloop

from bench import raw_http
from bench.measuring import Figure, cpu_seconds, folder, report
from bench.prepared import PASSWORD, Prepared, opened, prepare, up
from bench.single_post import START
from bench.sse import QUIET, quiet
from cheng.infrastructure.registration import NewThing
from cheng.security.actors import HOUSE
from cheng.web.people import session_cookie

CLAIM = "500 open dashboards on one hub: an alert is on every one ≤ 200 ms (p99) after its POST"
PAGES, PAGES_EACH = 500, 25
ALERTS, RATE = 60, 2.0
BATCHES = 2
"""Batches of 5,000 quiet readings a second."""
GOAL = 0.2
PATIENCE = 60
PART = re.compile(r'hx-get="([^"]+)"[^>]*hx-trigger="([^"]+)"')
ON_CHANGE = re.compile(r"cheng:(\w+)(?:-(\d+)s)? from:body")
MAP = re.compile(r'data-map="([^"]+)"')
TOPIC = b'"topic":"%s"'
BETWEEN_TILES = 2.0
"""Seconds between two looks at the map, `PAUSE` in static/map.js."""
ZOOM, TILES = 11, [(1629 + n % 3, 847 + n // 3) for n in range(6)]
"""The tiles of a map of 1,200 by 800 pixels over the place where the lamps stand."""
PLACE = (106.55, 29.56)


def placed(number: int) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [PLACE[0] + number % 100 / 2000, PLACE[1] + number // 100 / 2000]}


def filled(data: Path) -> tuple[Prepared, list[str]]:
    """Homes and lamps with their places, and the cookies of leaders who have signed in."""
    ready = prepare(data, ALERTS, lamps=QUIET)
    hub = opened(data)
    try:
        for kind, fields, many in (
            ("Household", {"compound": "Riverside", "station": "Old Town"}, ALERTS),
            ("Lamp", {"district": "East", "road": "Mill Road"}, QUIET),
        ):
            name = "home" if kind == "Household" else "lamp"
            rows = [NewThing(f"{name}-{n + 1}", kind, properties=fields, geometry=placed(n)) for n in range(many)]
            hub.things.put(rows, "bench")
        cookies = []
        for number in range(PAGES // PAGES_EACH):
            hub.accounts.create(HOUSE, f"leader-{number}", "Bench", ["leader"], "", PASSWORD)
            cookies.append(f"{session_cookie(hub)}={hub.door.sign_in(f'leader-{number}', PASSWORD)[0]}")
        return ready, cookies
    finally:
        hub.close()


class Wall:
    """One open page."""

    def __init__(self, port: int, cookie: str, heard: list[float]) -> None:
        self.port, self.cookie, self.heard = port, cookie, heard
        self.parts: list[tuple[str, str, float]] = []
        """topic, address, and the seconds for which it is not asked again"""
        self.tiles: list[str] = []
        self.due: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.asked = 0
        self.wake = asyncio.Event()

    async def open(self) -> None:
        """Loads the page, as far as a second visit does, and joins the stream."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**22)
        page = (await self.get("/dashboard")).decode()
        for address, trigger in PART.findall(page):
            for topic, pause in ON_CHANGE.findall(trigger):
                self.parts.append((topic, html.unescape(address), float(pause or 0)))
        told = json.loads(html.unescape(MAP.findall(page)[0]))
        for layer in told["layers"]:
            if not layer["moves"]:
                self.tiles += [layer["src"].format(z=ZOOM, x=x, y=y) for x, y in TILES]
        stream, out = await asyncio.open_connection("127.0.0.1", self.port)
        out.write(f"GET /live HTTP/1.1\r\nHost: x\r\nCookie: {self.cookie}\r\n\r\n".encode())
        await stream.readuntil(b"retry: 2000")
        self.tasks = [asyncio.create_task(self.listen(stream)), asyncio.create_task(self.look())]
        self.out = out

    async def get(self, address: str) -> bytes:
        head = f"GET {address} HTTP/1.1\r\nHost: x\r\nCookie: {self.cookie}\r\nHX-Request: true\r\n"
        plain = head.replace("HX-Request: true\r\n", "") if address == "/dashboard" else head
        self.writer.write(f"{plain}Accept: text/html\r\nAccept-Encoding: identity\r\n\r\n".encode())
        told = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        if not told.startswith(("http/1.1 200", "http/1.1 204")):
            raise SystemExit(f"{address} answered {told.splitlines()[0]}")
        length = re.search(r"content-length: (\d+)", told)
        return await self.reader.readexactly(int(length[1])) if length else b""

    async def listen(self, stream: asyncio.StreamReader) -> None:
        """Notes when alerts come, and what has to be asked for again, each at its pace."""
        while data := await stream.read(65536):
            now = time.perf_counter()
            self.heard += [now] * data.count(b"event: alert")
            for topic, address, pause in self.parts:
                if TOPIC % topic.encode() in data and now >= self.last.get(address, 0) + pause:
                    self.due.setdefault(address, now)
                    self.last[address] = now
            if TOPIC % b"map" in data:
                self.due.setdefault("tiles", max(now, self.last.get("tiles", 0) + BETWEEN_TILES))
            self.wake.set()
        raise SystemExit("a stream ended")

    async def look(self) -> None:
        """Asks for what is due."""
        while True:
            await self.wake.wait()
            if not self.due:
                self.wake.clear()
                continue
            address = min(self.due, key=lambda name: self.due[name])
            await asyncio.sleep(max(0.0, self.due[address] - time.perf_counter()))
            del self.due[address]
            if address == "tiles":
                self.last[address] = time.perf_counter()
            for each in self.tiles if address == "tiles" else [address]:
                await self.get(each)
                self.asked += 1

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.writer.close()
        self.out.close()


async def shown(pid: int, port: int, token: str, cookies: list[str]) -> tuple[list[float], float, float]:
    """Seconds from POST to each wall; answers a second that walls got meanwhile, and how many cores the hub used."""
    heard: list[list[float]] = [[] for _ in range(PAGES)]
    walls = [Wall(port, cookies[n // PAGES_EACH], heard[n]) for n in range(PAGES)]
    for begin in range(0, PAGES, 20):
        await asyncio.gather(*(wall.open() for wall in walls[begin : begin + 20]))
    post = socket.create_connection(("127.0.0.1", port))
    post.setblocking(False)
    loop = asyncio.get_running_loop()
    head = f"POST /ingest/observations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n".encode()
    sent = []
    begun, used = time.perf_counter() + 2, cpu_seconds(pid)
    for number in range(ALERTS):
        await asyncio.sleep(begun + number / RATE - time.perf_counter())
        body = b'{"id":"home-%d","attr":"gas","time":%d,"value":40}' % (number + 1, START)
        sent.append(time.perf_counter())
        await loop.sock_sendall(post, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await loop.sock_recv(post, 4096)
    for _ in range(PATIENCE):
        if all(len(times) >= ALERTS for times in heard):
            break
        await asyncio.sleep(1)
    seconds, used = time.perf_counter() - begun, cpu_seconds(pid) - used
    asked = sum(wall.asked for wall in walls)
    for wall in walls:
        wall.close()
    post.close()
    waits = [at - start for times in heard for start, at in zip(sent, times, strict=False)]
    return waits, asked / seconds, used / seconds


def one_round() -> tuple[float, float, float, float]:
    """Median and 99th percentile of the waits, answers a second, and the hub's share of a core."""
    with folder() as data:
        ready, cookies = filled(data)
        file = raw_http.write(data / "quiet", quiet(ready.token, 100))
        with up(data) as (process, port, _, _):
            load = raw_http.start(port, ALERTS / RATE + 20, 2, "", file, BATCHES)
            waits, asked, used = uvloop.run(shown(process.pid, port, ready.token, cookies))
            load.kill()
            load.wait()
    if len(waits) != ALERTS * PAGES:
        raise SystemExit(f"{len(waits):,} of {ALERTS * PAGES:,} deliveries came: the figure does not count")
    waits.sort()
    return waits[len(waits) // 2], waits[len(waits) * 99 // 100], asked, used


def figures(rounds: int) -> Iterator[Figure]:
    middles, lasts, asked, used = map(sorted, zip(*(one_round() for _ in range(rounds)), strict=True))
    half = rounds // 2
    note = f"p50 {middles[half] * 1000:.0f} ms; {asked[half]:.0f} answers a second to walls; hub {used[half]:.2f} cores"
    claim = f"POST to alert on {PAGES} open dashboards, {RATE:g} alerts/s beside {BATCHES * 5000:,} readings/s, p99"
    values = [last * 1000 for last in lasts]
    yield Figure(claim, f"≤ {GOAL * 1000:.0f} ms", "ms", values, lasts[half] <= GOAL, note, "fsync before ack")


def main(rounds: int = 3) -> None:
    report(*figures(rounds))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
