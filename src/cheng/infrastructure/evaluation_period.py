"""A period of the evaluation: every number of it, and every case behind a number, of the same moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from cheng.infrastructure.evaluation_columns import LEFT_OUT, Array
from cheng.infrastructure.evaluation_counting import (
    COUNTS,
    EVERYTHING,
    NAMES,
    PENDING,
    WHOLE,
    By,
    Counted,
    Only,
    call_backs,
    tally,
)
from cheng.methods.evaluation import REPEATS, CallBacks, Rate
from cheng.standards.calendars import MICROSECOND

SPOT = 3
"""Decimals of a degree by which reports are of the same spot: about a hundred metres."""
COURSE = (("report.all", "started"), ("whole.due", "settled"), ("whole.in_time", "settled"))
DAY, HOUR = 86_400_000_000, 3_600_000_000


@dataclass(frozen=True, slots=True)
class Behind:
    """One case behind a number."""

    case: str
    number: str
    at: int
    """µs: when it was decided"""
    department: str
    person: str
    counts: bool
    """whether it stands above the line, too"""
    left_out: str = ""


@dataclass
class Period:
    """What was counted, month by month of opening."""

    parts: list[Counted]
    zone: ZoneInfo

    def counts(self, by: By, only: Only = EVERYTHING) -> dict[str, dict[str, int]]:
        """Subject → name of a count → how many; subjects without anything are left out."""
        return self.counts_by((by,), only)[0]

    def counts_by(self, ways: Sequence[By], only: Only = EVERYTHING) -> list[dict[str, dict[str, int]]]:
        """The same for several ways to compare, which takes little longer than one of them."""
        totals: list[dict[str, Array]] = [{} for _ in ways]
        for it in self.parts:
            for by, total in zip(ways, totals, strict=True):
                for name, row in tally(it, by, only):
                    total[name] = total[name] + row if name in total else row
        return [{name: dict(zip(COUNTS, row.tolist(), strict=True)) for name, row in total.items()} for total in totals]

    def said(self, only: Only = EVERYTHING) -> CallBacks:
        """What people answered when they were called back."""
        parts = [call_backs(it, only) for it in self.parts]
        names = ("valid", "reached", "solved", "satisfied", "mostly")
        return CallBacks(*(sum(getattr(part, name) for part in parts) for name in names))

    def cycle(self, only: Only = EVERYTHING) -> tuple[int, int]:
        """How many cases were closed, and how long they took together, µs."""
        count = took = 0
        for it in self.parts:
            runs, mine = it.lot.runs, it.lot.of_step(WHOLE)
            done = np.flatnonzero(it.span.holds(runs["done"][mine]) & (it.out[mine] == 0)) + mine.start
            rows = only.of(it, done)
            count += len(rows)
            took += int((runs["done"][rows] - runs["started"][rows]).sum())
        return count, took

    def spots(self, only: Only = EVERYTHING) -> list[tuple[float, float, int]]:
        """Where the same was reported REPEATS times or more: longitude, latitude, how often."""
        places = []
        for it in self.parts:
            rows = self._opened(it, only)
            places.append(np.stack([it.lot.cases[name][rows] for name in ("longitude", "latitude")], axis=1))
        points = np.concatenate(places) if places else np.zeros((0, 2))
        points = np.round(points[~np.isnan(points).any(axis=1)], SPOT)
        if not len(points):
            return []
        spots, often = np.unique(points, axis=0, return_counts=True)
        worst = np.argsort(-often, kind="stable")
        worst = worst[often[worst] >= REPEATS]
        return [(float(x), float(y), int(n)) for (x, y), n in zip(spots[worst], often[worst], strict=True)]

    def hours(self, only: Only = EVERYTHING) -> list[list[int]]:
        """How many reports came on each day of the week (Monday first) in each hour of the day."""
        table = np.zeros(7 * 24, np.int64)
        for it in self.parts:
            local = self._local(it.lot.cases["opened"][self._opened(it, only)])
            weekday, hour = (local // DAY + 3) % 7, local % DAY // HOUR
            table += np.bincount(weekday * 24 + hour, minlength=7 * 24)
        return [[int(n) for n in row] for row in table.reshape(7, 24)]

    def days(self, only: Only = EVERYTHING) -> dict[date, tuple[int, int, int]]:
        """The course: for each day how many cases were reported, how many were due for closing and how many of these
        were closed in time."""
        found: dict[int, list[int]] = {}
        for it in self.parts:
            for at, (count, column) in enumerate(COURSE):
                there = only.of(it, it.rows(count))
                number, often = np.unique(self._local(it.lot.runs[column][there]) // DAY, return_counts=True)
                for day, n in zip(number.tolist(), often.tolist(), strict=True):
                    found.setdefault(day, [0, 0, 0])[at] += n
        first = date(1970, 1, 1).toordinal()
        return {date.fromordinal(first + day): (n[0], n[1], n[2]) for day, n in sorted(found.items())}

    # -- what is behind them

    def behind(self, rate: Rate, only: Only = EVERYTHING) -> list[Behind]:
        """Every case below the line of a rate, those above it marked, and those left out with the reason."""
        rows = [row for it in self.parts for row in self._behind(it, rate, only)]
        return sorted(rows, key=lambda row: (row.at, row.number))

    def _behind(self, it: Counted, rate: Rate, only: Only) -> Iterator[Behind]:
        kind = rate.below.partition(".")[0]
        mine, below = it.lot.of_step(step_of(kind)), it.rows(rate.below)
        without = (it.out[mine] != 0) & (it.how[mine] != 0) & (it.how[mine] != PENDING)
        rows = only.of(it, np.union1d(below, np.flatnonzero(without) + mine.start))
        counts, above = np.isin(rows, below), np.isin(rows, it.rows(rate.above))
        runs, lines, words = it.lot.runs, it.lot.cases, it.lot.words
        moment = runs["started" if kind == "report" else "settled"]
        for at, row in enumerate(rows.tolist()):
            case, out = int(runs["case"][row]), "" if counts[at] else LEFT_OUT[runs["left_out"][row]]
            yield Behind(
                lines["id"][case].decode(),
                lines["number"][case].decode(),
                int(moment[row]),
                words[runs["department"][row]],
                words[runs["person"][row]],
                bool(above[at]),
                out,
            )

    def _opened(self, it: Counted, only: Only) -> Array:
        """The cases that were reported in the period."""
        rows: Array = it.lot.runs["case"][only.of(it, it.rows("report.all"))]
        return rows

    def _local(self, moment: Array) -> Array:
        """µs since 1970 on the clocks of the city."""
        hours, place = np.unique(moment // HOUR, return_inverse=True)
        ahead = [datetime.fromtimestamp(hour * 3600, self.zone).utcoffset() for hour in hours.tolist()]
        offsets = np.array([0 if told is None else told // MICROSECOND for told in ahead], np.int64)
        local: Array = moment + offsets[place] if len(hours) else moment
        return local


def step_of(kind: str) -> int:
    """The step whose runs a count is of; reports are the case as a whole."""
    return NAMES.index(kind) if kind in NAMES else WHOLE
