"""The present state of a thing as JSON, by a token: as fast as it goes while the hub is idle, and how long it takes
while readings come in at half the full rate."""

import sys
import time
from collections.abc import Iterator

from bench import raw_http
from bench.measuring import Figure, cpu_seconds, folder, report
from bench.prepared import prepare, up
from bench.single_post import ACCEPTED, START, requests
from bench.sse import BATCH, HALF, QUIET, quiet

CLAIM = "`GET` of a thing's state: ≥ 10,000/s a core while idle, p99 ≤ 15 ms under half load"
LAMPS, CONNECTIONS, SECONDS = 1_000, 16, 5
UNDER_LOAD = 500
"""Questions a second while readings come in."""


def questions(token: str) -> Iterator[bytes]:
    for number in range(LAMPS):
        yield (
            b"GET /api/things/lamp-%d/state HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n"
            % (number + 1, token.encode())
        )


def one_round() -> tuple[float, float, float]:
    """Answers a second and for each CPU second of the hub while it is idle; the 99th percentile in ms under load."""
    with folder() as data:
        ready = prepare(data, lamps=QUIET)
        first = raw_http.write(data / "first", requests([ready.token], LAMPS, START))
        file = raw_http.write(data / "questions", questions(ready.token))
        load = raw_http.write(data / "load", quiet(ready.token, 400))
        with up(data) as (hub, port, _, _):
            raw_http.finished(raw_http.start(port, 1, CONNECTIONS, ACCEPTED, first, LAMPS))
            raw_http.finished(raw_http.start(port, 1, CONNECTIONS, "", file))
            before = cpu_seconds(hub.pid)
            idle = raw_http.finished(raw_http.start(port, SECONDS, CONNECTIONS, "", file))
            used = cpu_seconds(hub.pid) - before
            readings = raw_http.start(port, SECONDS + 2, 4, "", load, HALF)
            time.sleep(1.5)
            busy = raw_http.finished(raw_http.start(port, SECONDS, CONNECTIONS, "", file, UNDER_LOAD))
            taken = raw_http.finished(readings)
        if taken["answered"] / taken["seconds"] < 0.9 * HALF:
            print(f"only {taken['answered'] * BATCH / taken['seconds']:,.0f} readings/s were taken meanwhile")
    return idle["answered"] / idle["seconds"], idle["answered"] / used, busy["p99"]


def main(rounds: int = 3) -> None:
    rates, per_core, waits = zip(*(one_round() for _ in range(rounds)), strict=True)
    core = sorted(per_core)[len(per_core) // 2]
    wait = sorted(waits)[len(waits) // 2]
    report(
        Figure(
            f"GET of a thing's state with a token, {CONNECTIONS} connections, idle, for each core the hub used",
            "≥ 10,000/s",
            "answers/s",
            list(per_core),
            core >= 10_000,
            f"{sorted(rates)[len(rates) // 2]:,.0f}/s by the clock",
        ),
        Figure(
            f"p99 of it while {HALF * BATCH:,} readings/s come in",
            "≤ 15 ms",
            "ms",
            list(waits),
            wait <= 15,
            f"{UNDER_LOAD} a second",
        ),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
