"""One reading a request: with a token, marked, judged, and durable before the answer."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench import raw_http
from bench.measuring import Figure, cpu_seconds, folder, report
from bench.prepared import opened, prepare, up

CLAIM = "One authenticated reading a POST, judged and durable before the answer: ≥ 19,000/s at 16 connections"
LAMPS, SECONDS, WARMING = 1_000, 6, 1.5
START = 1_795_132_800_000
ACCEPTED = '{"accepted":1,"marked":0,"refused":[]}'
GOALS = {16: 19_000, 64: 50_000}


def requests(tokens: list[str], count: int, start: int) -> Iterator[bytes]:
    """`count` requests; each lamp reports at times of its own, every second."""
    for number in range(count):
        lamp, turn = number % LAMPS + 1, number // LAMPS
        body = b'{"id":"lamp-%d","attr":"leakage","time":%d,"value":%d.5}' % (lamp, start + turn * 1000, turn % 4)
        yield (
            b"POST /ingest/observations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s"
        ) % (tokens[number % len(tokens)].encode(), len(body), body)


def one_round(connections: int) -> tuple[float, float, float]:
    """Requests a second, the hub's CPU µs for each, and the 99th percentile in ms."""
    with folder() as data:
        ready = prepare(data, gateways=connections, lamps=LAMPS)
        many = 80_000 * SECONDS // 1000 * 1000
        first = raw_http.write(data / "first", requests(ready.tokens, 60_000, START))
        file = raw_http.write(data / "requests", requests(ready.tokens, many, START + 1_000_000))
        with up(data) as (hub, port, _, _):
            warmed = raw_http.finished(raw_http.start(port, WARMING, connections, ACCEPTED, first))
            before = cpu_seconds(hub.pid)
            told = raw_http.finished(raw_http.start(port, SECONDS, connections, ACCEPTED, file))
            used = cpu_seconds(hub.pid) - before
        if told["answered"] > many or warmed["answered"] > 60_000:
            raise SystemExit("more was answered than there are readings: make more of them")
        kept = stored(data)
    acknowledged = told["answered"] + warmed["answered"]
    if kept != acknowledged:
        raise SystemExit(f"{acknowledged} acknowledged, {kept} in history: the rate does not count")
    return told["answered"] / told["seconds"], used / told["answered"] * 1e6, told["p99"]


def stored(data: Path) -> int:
    hub = opened(data)
    try:
        return hub.history.count()
    finally:
        hub.close()


def main(rounds: int = 3, *connections: int) -> None:
    for count in connections or (16, 64):
        rates, costs, waits = zip(*(one_round(count) for _ in range(rounds)), strict=True)
        goal = GOALS.get(count, 0)
        note = f"{sorted(costs)[len(costs) // 2]:.0f} µs of the hub's CPU each, p99 {max(waits):.1f} ms"
        claim = f"one reading a POST with a token, {count} keep-alive connections, judged"
        holds = sorted(rates)[len(rates) // 2] >= goal
        report(Figure(claim, f"≥ {goal:,}/s", "readings/s", list(rates), holds, note, "fsync before ack"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
