"""A month of the demo city's cases through all stages of urban management, as a replay goes through them."""

import sys
import time

from sqlalchemy import and_, case, func, select

from bench.case_city import FLOW, CaseCity, case_city
from bench.measuring import Figure, folder, report
from cheng.infrastructure.tables import acts, case_runs, cases

CLAIM = "73,000 cases of a month go through all stages in ≤ 10 minutes of machine time"
LONG = "73000"
CASES = 73_000
SHORT = 3_000
DAYS = 30
SHARE = 500
"""Acts that share a commit, as a replay may have it."""
GOAL = 600
WHY = "how long an act takes depends on the machine: see the seconds of the bare loop beside its name"


def check(city: CaseCity, count: int) -> tuple[int, float]:
    """The number of acts and the share that was handled in time; SystemExit when something does not add up."""
    with city.hub.store.read() as conn:
        closed, versions = conn.execute(
            select(func.count(), func.sum(cases.c.version)).where(cases.c.state == "closed", cases.c.flow == FLOW)
        ).one()
        written = conn.execute(select(func.count()).select_from(acts)).scalar_one()
        whole = case((case_runs.c.n == 0, 1))
        runs, wholes, done = conn.execute(
            select(func.count(), func.count(whole), func.count(case_runs.c.done)).select_from(case_runs)
        ).one()
        handled = and_(case_runs.c.step == "feedback", case_runs.c.left_out == "")
        late = case((case_runs.c.done > case_runs.c.due, 1))
        steps, too_late = conn.execute(select(func.count(), func.count(late)).where(handled)).one()
    told = {
        "closed cases": (closed, count),
        "acts": (written, versions),
        "acts of the log": (written, count + city.crews.done),
        "runs, each finished": (done, runs),
        "runs of whole cases": (wholes, count),
        "runs, one an act and one a case": (runs, written),
    }
    if wrong := [f"{name}: {found} instead of {wanted}" for name, (found, wanted) in told.items() if found != wanted]:
        raise SystemExit("; ".join(wrong))
    return written, 1 - too_late / steps


def main(count: int = SHORT) -> None:
    with folder() as data, case_city(data, CASES // DAYS) as city:
        told = list(city.told(count))
        start, used = time.perf_counter(), time.process_time()
        city.live_through(iter(told), SHARE)
        wall, cpu = time.perf_counter() - start, time.process_time() - used
        written, share = check(city, count)
        note = f"{written:,} acts, {wall:.0f} s by the clock, {share:.1%} handled in time"
        note += "; all closed, acts and runs add up"
        name = f"{count:,} cases from their report to the close, {SHARE} acts a commit"
        goal = GOAL * count / CASES
        report(Figure(name, f"≤ {goal:,.0f} s", "CPU s", [cpu], cpu <= goal, note, "fsync before ack", WHY))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
