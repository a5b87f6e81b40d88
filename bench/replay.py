"""A quarter of Boston's 311 requests through the real flow: how many rows and acts a second, and whether each request
that was closed in time there comes out in time here.

The file lies in ../shared/data; another quarter of the same layout may be given instead.
"""

import itertools
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from bench.measuring import ROOT, Figure, folder, report
from cheng.apps.city import urban_management
from cheng.infrastructure.tables import acts, case_runs, cases
from cheng.loading import CaseTable, Loaded, Taken, load_cases
from cheng.loading_targets import HereTarget
from cheng.protocols.files_cases import CaseReading
from cheng.testing import Town, city

CLAIM = "A replay of Boston's requests: ≥ 500 acts a second on disk, and in time as it was for ≥ 99.9 %"
DATA = ROOT.parent / "shared/data/service_requests/boston_311_2015/boston_311_2015Q1.csv.gz"
COLUMNS = {
    "id": "CASE_ENQUIRY_ID",
    "opened": "OPEN_DT",
    "closed": "CLOSED_DT",
    "due": "TARGET_DT",
    "in_time": "OnTime_Status",
    "class": "TYPE",
    "group": "REASON",
    "department": "QUEUE",
    "text": "CASE_TITLE",
    "note": "CLOSURE_REASON",
    "address": "Location",
    "source": "Source",
    "lat": "LATITUDE",
    "lon": "LONGITUDE",
}
LIMIT = ("13", "working days")
GOAL = 500


def quiet(rows: int, total: int, taken: Taken) -> None:
    """Nobody watches."""


def load(town: Town, path: Path) -> tuple[Loaded, float, float]:
    """What became of the file; seconds, and CPU seconds."""
    table = CaseTable(urban_management.handle_report.key(), LIMIT, "", [])
    how = CaseReading(zone="America/New_York")
    began, used = time.perf_counter(), time.process_time()
    loaded = load_cases(HereTarget(town.hub), table, path, COLUMNS, quiet, how)
    return loaded, time.perf_counter() - began, time.process_time() - used


def judged(town: Town) -> tuple[int, int]:
    """Acts there are, and closed cases that had a limit."""
    limited = (cases.c.state == "closed") & (case_runs.c.step == "handle") & case_runs.c.due.is_not(None)
    joined = select(func.count()).select_from(cases.join(case_runs, case_runs.c.case == cases.c.id)).where(limited)
    with town.hub.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(acts)).scalar_one()), int(
            conn.execute(joined).scalar_one()
        )


def main() -> None:
    path = next(itertools.chain(map(Path, sys.argv[1:]), [DATA]))
    if not path.is_file():
        print(f"not measured: the requests are not on this machine ({path.name} of ../shared/data)")
        return
    with folder() as data, city(data, urban_management) as town:
        loaded, seconds, cpu = load(town, path)
        done, limited = judged(town)
        again, over, _ = load(town, path)
    added, agrees = loaded.counts["added"], loaded.counts["agrees"]
    told = agrees + loaded.counts["disagrees"]
    right = 100 * agrees / max(told, 1)
    pace = done / seconds
    held = f"{added:,} cases, {1e3 * cpu / max(added, 1):.2f} CPU ms each, {len(loaded.refused)} refused"
    note = f"{agrees:,} of {told:,} that say it; {limited:,} closed with a limit"
    report(
        Figure("acts", f"≥ {GOAL}/s", "acts/s", [pace], pace >= GOAL, held, "fsync before ack"),
        Figure("rows", "", "rows/s", [added / seconds], True, "reading of the file included", "fsync before ack"),
        Figure("in time as it was", "≥ 99.9 %", "%", [right], right >= 99.9, note),
        Figure("the same file again", "", "rows/s", [again.counts["unchanged"] / over], True, "changes nothing"),
    )


if __name__ == "__main__":
    main()
