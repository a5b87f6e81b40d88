"""How soon the hub is there on existing data, and what it takes when nobody asks for anything."""

import http.client
import statistics
import sys
import time

from bench.measuring import Figure, folder, report, resident_mb
from bench.prepared import prepare, up

CLAIM = "`cheng up` on existing data is ready in ≤ 3 s; idle it takes ≤ 300 MB"
SETTLING = 5
"""Seconds after which an idle hub has done what it does at the start."""


def ready(port: int) -> None:
    """Returns when the hub says that it is ready."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/readyz")
        if connection.getresponse().status == 200:
            return
        time.sleep(0.01)


def main(rounds: int = 3) -> None:
    seconds, memory = [], []
    with folder() as data:
        prepare(data)
        for _ in range(rounds):
            start = time.perf_counter()
            with up(data) as (process, port, _, _):
                ready(port)
                seconds.append(time.perf_counter() - start)
                time.sleep(SETTLING)
                memory.append(resident_mb(process.pid))
    soon, small = statistics.median(seconds) <= 3, statistics.median(memory) <= 300
    report(
        Figure("`cheng up` on existing data, until it says that it is ready", "≤ 3 s", "s", seconds, soon),
        Figure("resident memory of an idle hub", "≤ 300 MB", "MB", memory, small),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
