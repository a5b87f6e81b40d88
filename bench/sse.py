"""From the POST of a reading to the alert on 500 open event streams, while quiet readings come in all the time."""

import socket
import sys
import time

from bench import raw_http
from bench.measuring import Figure, folder, report
from bench.peers.audience import Audience
from bench.prepared import prepare, up
from bench.single_post import START

CLAIM = "An alert is on 500 open event streams ≤ 20 ms (p99) after its POST at half load, ≤ 1 s at full"
PAGES, PAGES_EACH = 500, 25
ALERTS, RATE = 500, 50
SENDERS = 32
"""Connections that alerts come in by: an answer takes longer than the pause between two of them."""
QUIET, BATCH = 10_000, 5_000
HALF, FULL = 100, 200
"""Batches a second: half a million readings, and a million."""


def subscribed(port: int, cookies: list[str]) -> list[socket.socket]:
    """Open streams, each read up to its first words."""
    streams = []
    for number in range(PAGES):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(f"GET /live HTTP/1.1\r\nHost: x\r\nCookie: {cookies[number // PAGES_EACH]}\r\n\r\n".encode())
        said = b""
        while b"retry: 2000" not in said:
            if not (more := sock.recv(4096)):
                raise SystemExit(f"the event stream answered {said!r}")
            said += more
        streams.append(sock)
    return streams


def quiet(token: str, batches: int) -> list[bytes]:
    """Requests of BATCH readings that raise nothing."""
    requests = []
    for number in range(batches):
        rows = (
            b'{"id":"lamp-%d","attr":"leakage","time":%d,"value":2.5}' % (1 + n % QUIET, START + number * 1000 + n)
            for n in range(BATCH)
        )
        body = b"\n".join(rows)
        head = f"POST /ingest/observations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        requests.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return requests


def one_round(rate: int) -> tuple[float, float, float]:
    """Median and 99th percentile of the waits in seconds, and the quiet readings taken in a second meanwhile."""
    with folder() as data:
        ready = prepare(data, ALERTS, officers=PAGES // PAGES_EACH, lamps=QUIET)
        file = raw_http.write(data / "quiet", quiet(ready.token, min(rate * 4, 400)))
        with up(data) as (_, port, _, _):
            streams = subscribed(port, ready.cookies)
            posts = [socket.create_connection(("127.0.0.1", port)) for _ in range(SENDERS)]
            audience = Audience(streams, b"event: alert", posts)
            head = f"POST /ingest/observations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ready.token}\r\n".encode()

            def raise_one(number: int) -> None:
                body = b'{"id":"home-%d","attr":"gas","time":%d,"value":40}' % (number + 1, START)
                posts[number % SENDERS].sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

            seconds = ALERTS / RATE + 3
            load = raw_http.start(port, seconds, 4, "", file, rate)
            time.sleep(2)
            audience.paced(raise_one, RATE, ALERTS)
            told = raw_http.finished(load)
    waits = sorted(audience.waits)
    if len(waits) != ALERTS * PAGES:
        raise SystemExit(f"{len(waits):,} of {ALERTS * PAGES:,} deliveries came: the figure does not count")
    return waits[len(waits) // 2], waits[len(waits) * 99 // 100], told["answered"] * BATCH / told["seconds"]


def main(rounds: int = 3) -> None:
    for rate, goal, name in ((HALF, 0.02, "half"), (FULL, 1.0, "full")):
        middles, lasts, taken = zip(*(one_round(rate) for _ in range(rounds)), strict=True)
        milliseconds = [last * 1000 for last in lasts]
        note = f"p50 {sorted(middles)[len(middles) // 2] * 1000:.1f} ms; {min(taken):,.0f} quiet readings/s taken"
        claim = (
            f"POST to alert on {PAGES} event streams, {RATE} alerts/s, p99 at {name} load ({rate * BATCH:,} offered/s)"
        )
        holds = sorted(lasts)[len(lasts) // 2] <= goal
        report(Figure(claim, f"≤ {goal * 1000:,.0f} ms", "ms", milliseconds, holds, note, "fsync before ack"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
