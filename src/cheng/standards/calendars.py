"""When a limit is due, on each of the four clocks, and which days people work.

- **emergency** runs through nights and holidays; **calendar** days are 24 hours each.
- **working hours** run only while offices are open: four working hours from 17:00 are due at 11:00 of the next
  working day (open 08:00-12:00 and 14:00-18:00).
- **working days** follow the Civil Code, articles 201 and 203: the day it starts is not counted, and the last day
  ends when the office closes. Three working days from any hour of a Monday are due on Thursday at 18:00; from a
  Saturday, on Wednesday at 18:00. A fraction is that part of the office hours of the day that follows: half a
  working day from Monday is due on Tuesday at 12:00.

A pause gives back the time that the clock would have run; on working days, one day for each close of office
that fell into it, so that a short pause cannot win a day.

Times are microseconds since 1970-01-01 UTC. The national table knows the years that a notice of the State Council
has settled. In any other year plain weekends count: `known(year)` and `provisional(due)` say so, for pages to show.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from cheng.standards.durations import Clock, Duration
from cheng.standards.problems import Problem, SpecError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = 3_600_000_000
DAY = 24 * HOUR
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)
UNITS: Mapping[Clock, str] = {
    "emergency": "hour",
    "calendar": "day",
    "working hours": "working hour",
    "working days": "working day",
}
OFFICE = ((time(8), time(12)), (time(14), time(18)))


@dataclass(frozen=True)
class Holidays:
    """Days off and make-up days, and the years for which they are settled."""

    off: Mapping[date, str]
    """each day off and the name of its holiday, weekends inside it included"""
    makeup: Mapping[date, str]
    """each Saturday or Sunday that is worked, and the holiday it makes up for"""
    notices: Mapping[int, tuple[str, ...]]
    """year: the notices that settled it, with the day of issue"""

    @classmethod
    def read(cls, text: str) -> Self:
        """From CSV with columns year, name, first, last, makeup (dates apart by blanks), notice, issued.

        Raises SpecError with every line that cannot be understood.
        """
        off: dict[date, str] = {}
        makeup: dict[date, str] = {}
        notices: dict[int, list[str]] = {}
        problems: list[Problem] = []
        for line, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
            try:
                first, last = date.fromisoformat(row["first"]), date.fromisoformat(row["last"])
                worked = [date.fromisoformat(day) for day in (row["makeup"] or "").split()]
                year, notice = int(row["year"]), f"{row['notice']} {row['issued']}".strip()
                if last < first:
                    raise ValueError(f"the last day {last} is before the first {first}")
                if weekdays := [day for day in worked if day.weekday() < 5]:
                    raise ValueError(f"{weekdays[0]} is no weekend and needs no making up")
            except (KeyError, TypeError, ValueError) as problem:
                hint = "columns are year, name, first, last, makeup, notice, issued; dates like 2026-10-01"
                problems.append(Problem("H101", f"this holiday cannot be read: {problem}", f"line {line}", hint))
                continue
            off |= {first + timedelta(n): row["name"] for n in range((last - first).days + 1)}
            makeup |= dict.fromkeys(worked, row["name"])
            if notice not in notices.setdefault(year, []):
                notices[year].append(notice)
        if problems:
            raise SpecError(problems)
        return cls(off, makeup, {year: tuple(known) for year, known in notices.items()})

    def __or__(self, other: "Holidays") -> "Holidays":
        """Both tables; where they differ about a day, `other` wins (a city's own days over the national ones)."""
        off = {day: name for day, name in self.off.items() if day not in other.makeup} | dict(other.off)
        makeup = {day: name for day, name in self.makeup.items() if day not in other.off} | dict(other.makeup)
        return Holidays(off, makeup, {**other.notices, **self.notices})


@lru_cache(maxsize=1)
def national() -> Holidays:
    """The holidays of China as the State Council gave notice of them, 2015 onwards."""
    return Holidays.read(files("cheng.standards").joinpath("holidays_cn.csv").read_text("utf-8"))


@dataclass(frozen=True)
class Calendar:
    """Days and hours that a city's offices work, and what is due when. Pure; safe to share between threads."""

    timezone: str = "Asia/Shanghai"
    """IANA name; ZoneInfoNotFoundError when there is no such zone"""
    holidays: Holidays = field(default_factory=national, hash=False)
    office: Sequence[tuple[time, time]] = OFFICE
    """opening and closing times of a working day, in order, not overlapping; ValueError otherwise"""

    def __post_init__(self) -> None:
        ZoneInfo(self.timezone)
        bounds = [bound for session in self.office for bound in session]
        if not bounds or any(late <= early for early, late in pairwise(bounds)):
            raise ValueError("office hours are pairs of opening and closing times, in order: ((08:00, 12:00), …)")

    def known(self, year: int) -> bool:
        """Is there a notice for this year? If not, plain weekends count and every due date in it is provisional."""
        return year in self.holidays.notices

    def provisional(self, due_us: int) -> bool:
        """Does this due date lie in a year whose holidays are not settled yet?"""
        return not self.known(self.day(due_us).year)

    def day(self, us: int) -> date:
        """The local date of an instant."""
        return self._local(us).date()

    def hour(self, us: int) -> float:
        """Hours since midnight in the city."""
        local = self._local(us)
        return local.hour + local.minute / 60 + local.second / 3600

    def is_workday(self, day: date) -> bool:
        """Monday to Friday without the holidays, and the weekend days that make up for them."""
        if day in self.holidays.makeup:
            return True
        return day not in self.holidays.off and day.weekday() < 5

    def is_open(self, us: int) -> bool:
        """Are offices open at this instant? The closing minute itself is closed."""
        local = self._local(us)
        return self.is_workday(local.date()) and any(a <= local.time() < b for a, b in self.office)

    def due(self, start_us: int, limit: Duration) -> int:
        """When `limit` from `start_us` is over, µs. An extension is `due(due, limit)`.

        ValueError when the answer lies outside 1970-2100.
        """
        if limit.clock == "working hours":
            return self._after_hours(start_us, round(limit.amount * HOUR))
        if limit.clock == "working days":
            return self._after_days(start_us, limit.amount)
        return start_us + limit.us

    def elapsed(self, start_us: int, end_us: int, clock: Clock) -> Duration:
        """How long `clock` ran from start to end; zero when the end is before the start.

        The unit is hour, day, working hour or working day. `elapsed(start, due(start, x), x.clock)` is x.
        """
        if end_us <= start_us:
            amount = 0.0
        elif clock == "working hours":
            amount = (self._office_time(end_us) - self._office_time(start_us)) / HOUR
        elif clock == "working days":
            amount = max(self._days_done(end_us) - self._rank(self.day(start_us) + timedelta(1)), 0.0)
        else:
            amount = (end_us - start_us) / (DAY if clock == "calendar" else HOUR)
        return Duration(amount, UNITS[clock])

    def shift(self, due_us: int, paused_us: int, resumed_us: int, clock: Clock) -> int:
        """The due date after the clock stood still from `paused_us` to `resumed_us`, µs.

        ValueError when it resumes before it paused.
        """
        if resumed_us < paused_us:
            raise ValueError("a pause cannot end before it begins")
        if clock == "working hours":
            return self._after_hours(due_us, self._office_time(resumed_us) - self._office_time(paused_us))
        if clock == "working days":
            return self._after_days(due_us, self._closes(resumed_us) - self._closes(paused_us), keep=True)
        return due_us + resumed_us - paused_us

    # Everything below counts along the sorted list of working days: rank 0 is the first one in 1970.

    @cached_property
    def _workdays(self) -> npt.NDArray[np.int64]:
        """Ordinals of all working days."""
        days = np.arange(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1)
        works = (days - 1) % 7 < 5
        for table, value in ((self.holidays.off, False), (self.holidays.makeup, True)):
            for day in table:
                works[day.toordinal() - FIRST_DAY.toordinal()] = value
        return days[works].astype(np.int64)

    @cached_property
    def _office_length(self) -> int:
        """Office hours of one working day, µs."""
        return sum(_of_day(closes) - _of_day(opens) for opens, closes in self.office)

    def _local(self, us: int) -> datetime:
        return (EPOCH + us * MICROSECOND).astimezone(ZoneInfo(self.timezone))

    def _instant(self, rank: int, worked: int) -> int:
        """The first instant at which `worked` µs of office time of the working day with this rank are over."""
        if not 0 <= rank < len(self._workdays):
            raise ValueError(f"the answer lies outside {FIRST_DAY.year}-{LAST_DAY.year}")
        for opens, closes in self.office:
            length = _of_day(closes) - _of_day(opens)
            if worked <= length:
                break
            worked -= length
        opened = datetime.combine(date.fromordinal(int(self._workdays[rank])), opens, ZoneInfo(self.timezone))
        return (opened - EPOCH) // MICROSECOND + worked

    def _rank(self, day: date) -> int:
        """How many working days lie before this day."""
        return int(np.searchsorted(self._workdays, day.toordinal()))

    def _worked(self, local: datetime) -> int:
        """Office time of that day that is over, µs; 0 on a day off."""
        if not self.is_workday(local.date()):
            return 0
        now = _of_day(local.time())
        return sum(min(max(now - _of_day(opens), 0), _of_day(closes) - _of_day(opens)) for opens, closes in self.office)

    def _office_time(self, us: int) -> int:
        """All office time before this instant, µs since 1970."""
        local = self._local(us)
        return self._rank(local.date()) * self._office_length + self._worked(local)

    def _days_done(self, us: int) -> float:
        """Working days that are over at this instant, the part of today included."""
        local = self._local(us)
        return self._rank(local.date()) + self._worked(local) / self._office_length

    def _closes(self, us: int) -> int:
        """How often offices have closed for the day until this instant."""
        return int(self._days_done(us))

    def _after_hours(self, start_us: int, office_us: int) -> int:
        if office_us <= 0:
            return start_us
        total = self._office_time(start_us) + office_us
        rank, worked = divmod(total, self._office_length)
        return self._instant(rank, worked) if worked else self._instant(rank - 1, self._office_length)

    def _after_days(self, start_us: int, amount: float, *, keep: bool = False) -> int:
        """`keep` moves a due date by whole days and keeps its hour, which may be inside a day."""
        if amount <= 0:
            return start_us
        local = self._local(start_us)
        if keep and self._worked(local):
            return self._instant(self._rank(local.date()) + int(amount), self._worked(local))
        whole = int(amount)
        worked = round((amount - whole) * self._office_length)
        rank = self._rank(local.date() + timedelta(1)) + whole
        return self._instant(rank, worked) if worked else self._instant(rank - 1, self._office_length)


def _of_day(moment: time) -> int:
    """Microseconds since midnight."""
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1_000_000 + moment.microsecond
