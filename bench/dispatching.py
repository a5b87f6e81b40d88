"""How well departments are suggested on the closed cases of a real district: trained on the old, tested on the new.

The data are not ours to give away: without ../shared/data nothing is measured, and that is said.
"""

import csv
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from bench.measuring import ROOT, Figure, report
from cheng.methods.dispatching import NOTHING, Score, judge, merged, train

CLAIM = "Which department a case goes to: the first suggestion beats the plain rule, learnt from closed cases"
DATA = ROOT / ".." / "shared" / "data" / "service_requests" / "shenzhen_pingshan"
CUT = date(2018, 10, 15)
FIELDS = {
    "class": "SUB_TYPE_ID",
    "group": "MAIN_TYPE_ID",
    "kind": "EVENT_TYPE_ID",
    "request": "EVENT_PROPERTY_ID",
    "source": "EVENT_SRC_ID",
    "street": "STREET_NAME",
    "community": "COMMUNITY_NAME",
}
AGAIN = 3
"""Days between two trainings in the figure for a model that is kept up to date."""
WHY = "the goal was set before it was known what the data allow"

Rows = Sequence[Mapping[str, str]]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The cases, the oldest first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["CREATE_TIME"])


def columns(rows: Rows) -> dict[str, list[str]]:
    return {field: ["" if row[of] == "-" else row[of] for row in rows] for field, of in FIELDS.items()}


def parts(rows: Rows, cut: date, until: date = date.max) -> tuple[Rows, Rows]:
    """Before the day, and from it on."""
    before = [row for row in rows if row["CREATE_TIME"] < cut.isoformat()]
    return before, [row for row in rows if cut.isoformat() <= row["CREATE_TIME"] < until.isoformat()]


def score(before: Rows, after: Rows, names: Mapping[str, str]) -> Score:
    """Trained on the one, tested on the other."""
    model = train(columns(before), [names[row["DISPOSE_UNIT_NAME"]] for row in before])
    found = judge(model, columns(after), [names[row["DISPOSE_UNIT_NAME"]] for row in after], by="class")
    return sum(found.values(), NOTHING)


def kept_up(rows: Rows, names: Mapping[str, str]) -> Score:
    """Trained anew every few days, tested on the days until the next training."""
    total, day, last = NOTHING, CUT, date.fromisoformat(rows[-1]["CREATE_TIME"][:10])
    while day <= last:
        before, after = parts(rows, day, day + timedelta(AGAIN))
        total += score(before, after, names) if after else NOTHING
        day += timedelta(AGAIN)
    return total


def ceiling(rows: Rows, names: Mapping[str, str]) -> tuple[float, float, float]:
    """Of the rows after the day: right, in percent, for whoever knew the best department for each set of equal cases;
    the same without looking at the case itself, where there are others like it; and the share of those there are.
    """
    like: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row in rows:
        like[tuple(row[of] for of in FIELDS.values())][names[row["DISPOSE_UNIT_NAME"]]] += 1
    best = sum(max(counts.values()) for counts in like.values())
    shared = [counts for counts in like.values() if counts.total() > 1]
    others = sum(n for counts in shared for unit, n in counts.items() if rest(counts, unit) <= n - 1)
    many = sum(counts.total() for counts in shared)
    return 100 * best / len(rows), 100 * others / max(many, 1), 100 * many / len(rows)


def rest(counts: Counter[str], unit: str) -> int:
    """The most cases of any other department."""
    return max((n for other, n in counts.items() if other != unit), default=0)


def told(name: str, goal: float, found: Score, note: str = "") -> None:
    first, three, majority = (100 * n / found.cases for n in (found.first, found.three, found.majority))
    text = f"plain rule {majority:.1f} %, first three {three:.1f} %, {found.cases:,} cases; {note}".rstrip("; ")
    report(Figure(name, f"> {goal:.1f} %", "% right", [first], first > goal, text, why=WHY))


def main() -> None:
    path = DATA / "pingshan_livelihood_requests_2018.csv"
    if not path.exists():
        print(f"not measured: the cases are not on this machine (../shared/data/{DATA.parent.name}/{DATA.name})")
        return
    rows = rows_of(path)
    before, after = parts(rows, CUT)
    raw = {row["DISPOSE_UNIT_NAME"]: row["DISPOSE_UNIT_NAME"] for row in rows}
    start = time.perf_counter()
    same = merged(raw)
    bare = {name: name.partition("（")[0] for name in raw}
    found = score(before, after, same)
    took = time.perf_counter() - start
    unseen, certain = 100 * found.unseen / found.cases, 100 * found.certain / found.cases
    note = f"{len(set(same.values()))} departments of {len(raw)} names; chance told on average {certain:.1f} %, "
    note += f"department never seen before in {unseen:.1f} %, trained in {took:.1f} s"
    told("trained once before 2018-10-15, tested after, names made one", 51.3, found, note)
    told("the same, all brackets dropped", 51.3, score(before, after, bare), f"{len(set(bare.values()))} departments")
    told("the same, names as they came", 51.3, score(before, after, raw), f"{len(raw)} departments")
    told(f"trained again every {AGAIN} days", 51.3, kept_up(rows, same), "what a night's job comes to")
    best, others, many = ceiling(after, same)
    text = f"{many:.0f} % of the cases have others just like them: who knew only those is right in {others:.1f} %"
    report(Figure("the ceiling: the best answer to each set of equal cases after the day", "", "%", [best], True, text))


if __name__ == "__main__":
    main()
