"""The desk's list over real HTTP, with a hundred thousand cases in the store."""

import http.client
import statistics
import sys
import time
import uuid
from pathlib import Path

from sqlalchemy import insert, select

from bench.measuring import Figure, folder, report
from bench.prepared import OFFICE, opened, prepare, up
from cheng.infrastructure.tables import cases

CLAIM = "The desk's list answers in ≤ 50 ms at 100,000 cases"
CASES = 100_000
OPEN = 20_000
STEP = 1_000_000
GOAL = 0.050


def fill(data: Path) -> None:
    """One case opened as every case is, and copies of its line with other times, departments and states."""
    hub = opened(data)
    try:
        values = {"compound": "Riverside", "station": "Old Town", "id": "home-1", "name": "home-1", "owner": OFFICE}
        hub.cases.open_case("home_safety.go_and_see", values=values, alert_key="bench", level="emergency")
        with hub.store.write() as conn:
            line = dict(conn.execute(select(cases)).mappings().one())
            for start in range(0, CASES, 10_000):
                conn.execute(insert(cases), [copy(line, n) for n in range(start, start + 10_000)])
    finally:
        hub.close()


def copy(line: dict[str, object], number: int) -> dict[str, object]:
    opened_at = int(str(line["opened"])) - number * STEP
    ended = None if number < OPEN else opened_at + STEP
    return {
        **line,
        "id": str(uuid.UUID(int=number)),
        "number": f"20200101-{number:06d}",
        "alert": f"bench-{number}",
        "department": OFFICE if number % 5 == 0 else f"Office {number % 40}",
        "opened": opened_at,
        "due": None if ended else opened_at + 600 * STEP,
        "closed": ended,
        "state": "closed" if ended else "open",
    }


def main(turns: int = 60) -> None:
    waits = []
    with folder() as data:
        ready = prepare(data)
        fill(data)
        with up(data) as (_, port, _, _):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for _ in range(turns):
                start = time.perf_counter()
                connection.request("GET", "/desk.json?tab=department", headers={"cookie": ready.cookie})
                answer = connection.getresponse()
                content = answer.read()
                waits.append(time.perf_counter() - start)
                if answer.status != 200 or b"20200101-" not in content:
                    raise SystemExit(f"the desk answered {answer.status}")
    holds = statistics.median(waits) <= GOAL
    milliseconds = [wait * 1000 for wait in waits]
    report(Figure(f"the desk's list with {CASES:,} cases", "≤ 50 ms", "ms", milliseconds, holds))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
