"""How well duplicates are found among Boston's 311 requests of 2015, and how long a look takes at a million cases.

Who closed a request sometimes wrote of which earlier one it was a duplicate: those pairs are the right answers. January
and February are what the weights of `methods.likeness` were fitted to (`python -m bench.duplicates fit` does it
again), March is measured. Asked are types whose desks named originals at least twice before March: where nobody ever
writes it down, nothing can be missed. The file has no texts and no photos: both are left out here. A request at City
Hall's own address has no known place (4,653 of 26,788 do) and is left out, too.

The file lies in ../shared/data; another quarter of the same layout may be given instead.
"""

import csv
import gzip
import re
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import insert, select

from bench.measuring import ROOT, Figure, folder, report
from cheng.apps.city import urban_management
from cheng.infrastructure.cells import cell
from cheng.infrastructure.tables import cases
from cheng.kernel.columns import Floats
from cheng.methods import likeness
from cheng.testing import Town, city

CLAIM = "Duplicates: the named original first in 85 % of March 2015's in Boston; a look at 1,000,000 cases in ≤ 20 ms"
DATA = ROOT.parent / "shared/data/service_requests/boston_311_2015/boston_311_2015Q1.csv.gz"
REACH, BACK, OVER = 200.0, 90 * 24.0, 14 * 24.0
"""Metres, hours before, and hours since the other was closed, as `infrastructure.duplicates` has them."""
SQUARE = 0.003
NAMED = re.compile(r"(?<!\d)(?:10100)?(1\d{6})(?!\d)")
HIDDEN = 1000
"""More requests than that at one place: an address that stands for none."""
FEWEST = 2
MILLION = 1_000_000
GOAL = 20.0
TURNS = 200


@dataclass
class Requests:
    """The columns of the file, hours from the first of January; and what is known of duplicates."""

    opened: Floats
    closed: Floats
    longitude: Floats
    latitude: Floats
    type: np.ndarray
    group: np.ndarray
    duplicate: np.ndarray
    """closed as one"""
    named: np.ndarray
    """and the original was named"""
    matter: np.ndarray
    """the same number: known to be one matter"""

    @classmethod
    def of(cls, path: Path) -> "Requests":
        with gzip.open(path, "rt") as lines:
            rows = list(csv.DictReader(lines))
        first = hours(f"01/01/{rows[0]['OPEN_DT'][6:10]} 12:00:00 AM")
        told = [row["CLOSURE_REASON"].lower() for row in rows]
        duplicate = np.array(["duplicate" in each or "dupicate" in each for each in told])
        named, matter = originals(rows, duplicate)
        return cls(
            np.array([hours(row["OPEN_DT"]) - first for row in rows]),
            np.array([hours(row["CLOSED_DT"]) - first if row["CLOSED_DT"] else np.inf for row in rows]),
            np.array([float(row["LONGITUDE"] or "nan") for row in rows]),
            np.array([float(row["LATITUDE"] or "nan") for row in rows]),
            np.array([row["TYPE"] for row in rows]),
            np.array([row["REASON"] for row in rows]),
            duplicate,
            named,
            matter,
        )

    def placed(self) -> np.ndarray:
        """Those whose place is known."""
        often = Counter(zip(self.longitude.tolist(), self.latitude.tolist(), strict=True))
        hidden = {place for place, count in often.items() if count > HIDDEN}
        here = zip(self.longitude.tolist(), self.latitude.tolist(), strict=True)
        return np.array([place not in hidden and place[0] == place[0] for place in here])


@dataclass
class Pairs:
    """Each request with those before it that may be the same."""

    one: np.ndarray
    other: np.ndarray
    away: Floats
    hours: Floats
    shared: np.ndarray
    same: np.ndarray

    def chances(self) -> Floats:
        return likeness.chance(self.away, self.hours, self.shared)

    def some(self, which: np.ndarray) -> "Pairs":
        return Pairs(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def hours(text: str) -> float:
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC).timestamp() / 3600


def originals(rows: list[dict[str, str]], duplicate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whose original is named, and a number for each matter."""
    place = {row["CASE_ENQUIRY_ID"]: n for n, row in enumerate(rows)}
    matter, named = list(range(len(rows))), np.zeros(len(rows), bool)

    def root(n: int) -> int:
        while matter[n] != n:
            n = matter[n]
        return n

    for n in np.flatnonzero(duplicate).tolist():
        found = NAMED.search(rows[n]["CLOSURE_REASON"])
        original = place.get(f"10100{found[1]}") if found else None
        if original is not None and original != n:
            matter[root(n)] = root(original)
            named[n] = True
    return named, np.array([root(n) for n in range(len(rows))])


def pairs_of(all_: Requests) -> Pairs:
    """As the hub would find them when each came in; without those of whom nobody wrote what they are a duplicate of."""
    usable = all_.placed()
    squares: dict[tuple[int, int], list[int]] = defaultdict(list)
    one, other = list[int](), list[int]()
    for n in np.argsort(all_.opened, kind="stable").tolist():
        if not usable[n]:
            continue
        row, column = int(all_.latitude[n] / SQUARE), int(all_.longitude[n] / SQUARE)
        around = [m for up in (-1, 0, 1) for right in (-1, 0, 1) for m in squares[row + up, column + right]]
        squares[row, column].append(n)
        near = np.array(around, np.int64)
        now = all_.opened[n]
        near = near[(now - all_.opened[near] < BACK) & (all_.closed[near] > now - OVER)]
        one += [n] * len(near)
        other += near.tolist()
    a, b = np.array(one), np.array(other)
    away = distances(all_, a, b)
    known = (away <= REACH) & (all_.named[a] | ~all_.duplicate[a])
    a, b, away = a[known], b[known], away[known]
    group, type_ = all_.group[a] == all_.group[b], all_.type[a] == all_.type[b]
    shared = np.where(type_, likeness.SAME, np.where(group, likeness.GROUP, likeness.OTHER))
    same = all_.matter[a] == all_.matter[b]
    return Pairs(a, b, away, all_.opened[a] - all_.opened[b], shared, same)


def distances(all_: Requests, a: np.ndarray, b: np.ndarray) -> Floats:
    middle = float(np.nanmedian(all_.latitude))
    metres = np.radians(1.0) * likeness.EARTH
    east = (all_.longitude[a] - all_.longitude[b]) * metres * np.cos(np.radians(middle))
    return np.hypot(east, (all_.latitude[a] - all_.latitude[b]) * metres)


def fitted(pairs: Pairs, weight: float) -> Floats:
    """START, -NEAR, -SOON, SAME_CLASS, SAME_GROUP by Newton's method; `weight` of pairs that are the same: for each
    duplicate whose original is named there are others whose original is not."""
    near, soon = np.log1p(pairs.away / 10), np.log1p(pairs.hours)
    classes = [pairs.shared == likeness.SAME, pairs.shared == likeness.GROUP]
    columns = np.column_stack([np.ones(len(near)), near, soon, *classes]).astype(np.float64)
    counts = np.where(pairs.same, weight, 1.0)
    found = np.zeros(columns.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (counts * (pairs.same - chance)) - 1e-3 * found
        bend = (columns * (counts * chance * (1 - chance))[:, None]).T @ columns + 1e-3 * np.eye(len(found))
        found += np.linalg.solve(bend, slope)
    return found


# -- how well


def ranks(pairs: Pairs, chances: Floats) -> list[int]:
    """Of each request that has a known original among its candidates: the best place of one in the list, from 0."""
    found = []
    for n in np.unique(pairs.one[pairs.same]).tolist():
        mine = np.flatnonzero(pairs.one == n)
        order = mine[np.argsort(-chances[mine], kind="stable")]
        found.append(int(np.flatnonzero(pairs.same[order])[0]))
    return found


def newest_first(pairs: Pairs) -> Floats:
    """What a plain rule says: the same type within 50 m, the newest first."""
    return np.where((pairs.shared == likeness.SAME) & (pairs.away <= 50), 1 / (1 + pairs.hours), 0.0)


def share(part: float, whole: float) -> list[float]:
    return [100 * part / whole if whole else 0.0]


def quality(path: Path, fit: bool) -> Iterator[Figure]:
    all_ = Requests.of(path)
    march = (datetime(2015, 3, 1, tzinfo=UTC) - datetime(2015, 1, 1, tzinfo=UTC)).total_seconds() / 3600
    early = all_.opened < march
    often = Counter(all_.type[all_.named & early].tolist())
    asked = np.isin(all_.type, [type_ for type_, count in often.items() if count >= FEWEST])
    pairs = pairs_of(all_)
    pairs = pairs.some(asked[pairs.one])
    if fit:
        weight = (all_.duplicate & asked & early).sum() / (all_.named & asked & early).sum()
        train = pairs.some(early[pairs.one])
        print("fitted to", int(train.same.sum()), "pairs:", fitted(train, weight).round(3).tolist(), f"x {weight:.2f}")
    test = pairs.some(~early[pairs.one])
    chances, places = test.chances(), ranks(test, test.chances())
    plain = ranks(test, newest_first(test))
    known = int((all_.named & asked & ~early).sum())
    what = f"{len(places)} of {known} requests whose original is named have it within 200 m and 90 days"
    first, five = sum(place < 1 for place in places), sum(place < 5 for place in places)
    by_rule = share(sum(place < 1 for place in plain), len(plain))[0]
    note = f"{what}; the plain rule (same type, 50 m, newest first) {by_rule:.1f} %"
    yield Figure(
        "the named original comes first", "≥ 85 %", "%", share(first, len(places)), first >= 0.85 * len(places), note
    )
    yield Figure("it is among the five shown", "≥ 95 %", "%", share(five, len(places)), five >= 0.95 * len(places))
    for least in (0.03, 0.1, 0.2):
        shown = chances >= least
        right = int((test.same & shown).sum())
        told, recall = float(chances[shown].mean()), share(right, int(test.same.sum()))[0]
        note = f"recall {recall:.0f} %; {int(shown.sum())} pairs; told chance {told:.3f}"
        claim = f"pairs from chance {least:.0%} on that a closing note confirms (without texts and photos)"
        yield Figure(claim, "told, no goal", "%", share(right, int(shown.sum())), True, note)


# -- how quick


def fill(town: Town, rng: np.random.Generator) -> None:
    """One case opened as every case is, and copies of its line over a year and a city of 55 km²."""
    about = {"class": "E0102", "source": "citizen", "street": "East"}
    town.hub.cases.open_case(
        "urban_management.handle_report", values=about, text="路边有垃圾堆，两天没人清理", place=(120.62, 31.3)
    )
    with town.hub.store.read() as conn:
        line = dict(conn.execute(select(cases)).mappings().one())
    now = town.clock.now()
    for start in range(0, MILLION, 10_000):
        rows = [copy(line, number, now, rng) for number in range(start, start + 10_000)]
        with town.hub.store.write() as conn:
            conn.execute(insert(cases), rows)


def copy(line: dict[str, object], number: int, now: int, rng: np.random.Generator) -> dict[str, object]:
    opened = now - (MILLION - number) * 31_500_000
    closed = opened + int(rng.integers(1, 10 * 86_400)) * 1_000_000
    place = (float(rng.uniform(120.58, 120.66)), float(rng.uniform(31.27, 31.335)))
    ended = {"closed": closed, "state": "closed", "due": None} if closed < now else {}
    code = f"E0{rng.integers(1, 7)}{rng.integers(1, 20):02}"
    own = {"id": f"copy-{number}", "number": f"20200101-{number:07}", "longitude": place[0], "latitude": place[1]}
    return {**line, **own, "cell": cell(place), "opened": opened, "class_code": code, **ended}


def speed() -> Iterator[Figure]:
    rng = np.random.default_rng(7)
    with folder() as data, city(data, urban_management) as town:
        fill(town, rng)
        waits, busy, found = [], 0.0, 0
        for _ in range(TURNS):
            place = (float(rng.uniform(120.59, 120.65)), float(rng.uniform(31.28, 31.325)))
            told = ("E0102", "垃圾没人清理", (), town.clock.now(), "urban_management.handle_report")
            began, used = time.perf_counter(), time.thread_time()
            found += len(town.hub.duplicates.like(place, *told))
            waits.append(1000 * (time.perf_counter() - began))
            busy += 1000 * (time.thread_time() - used)
        began = time.perf_counter()
        pairs = len(town.hub.duplicates.pairs().pairs)
        whole = time.perf_counter() - began
    middle = statistics.median(waits)
    p95 = sorted(waits)[int(0.95 * TURNS)]
    note = (
        f"p95 {p95:.1f} ms, {busy / TURNS:.1f} CPU ms; {found / TURNS:.1f} suggestions a look; SQLite, a year in 55 km²"
    )
    yield Figure(f"what is like a report, {MILLION:,} cases", "≤ 20 ms", "ms", waits, middle <= GOAL, note)
    yield Figure("pairs of the whole city, once a minute", "≤ 2 s", "s", [whole], whole <= 2, f"{pairs} pairs shown")


def main() -> None:
    fit = "fit" in sys.argv[1:]
    paths = [Path(word) for word in sys.argv[1:] if word != "fit"]
    path = paths[0] if paths else DATA
    if not path.is_file():
        raise SystemExit(f"the requests are not on this machine: {path}")
    report(*quality(path, fit))
    if not fit:
        report(*speed())


if __name__ == "__main__":
    main()
