"""The things of one application in an invented city: where they stand, what they report, and what goes wrong.

A cast answers for all its things at once, in columns. What goes wrong is drawn hour by hour from the seed, so the
same city has the same bad days; what people mend is mended.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cheng.demo.town import Area, Town
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.things import Things
from cheng.kernel.reports import Reports
from cheng.standards.durations import Duration, hours, minutes, seconds

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Times = npt.NDArray[np.int64]
Values = Mapping[str, Any]
"""attribute: (n,) numbers, (n,) labels, or a pair of (n,) longitudes and latitudes."""

HOUR = hours(1).us
NEVER = -(2**62)
LONG = hours(48)


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong: how often in a hundred things and a day, how long, and how bad."""

    name: str
    often: float
    lasts: Duration = LONG
    """at the most; most of it people end before"""
    strength: tuple[float, float] = (0.5, 1.0)
    silent: bool = False
    """the thing does not report at all"""
    wet: float = 0.0
    """how many times as often again in the worst rain"""


@dataclass
class Chunk:
    """Readings of some things: one row for each thing and moment."""

    ids: Sequence[str]
    time: Times
    values: Values


class Cast:
    """All things of one type. Subclasses say `things`, `values` and what to do with commands."""

    app: ClassVar[str] = ""
    every: ClassVar[Duration] = minutes(30)
    restless: ClassVar[Duration] = seconds(15)
    """how often a thing reports while something is wrong with it"""
    troubles: ClassVar[tuple[Trouble, ...]] = ()
    first: ClassVar[tuple[str, ...]] = ()
    """troubles that come soon after the hub has opened, so that there is something to see"""

    def __init__(self, town: Town, count: int) -> None:
        self.town = town
        self.key = zlib.crc32(type(self).__qualname__.encode() + self.app.encode())
        self.rng = np.random.default_rng([town.seed, self.key])
        self.rows: list[NewThing] = list(self.things(count))
        self.ids = [row.id for row in self.rows]
        self.row = {name: n for n, name in enumerate(self.ids)}
        n = len(self.ids)
        self.phase = self.rng.integers(0, self.every.us, n)
        self.trouble = np.full(n, -1, np.int8)
        """which of `troubles` each thing has; -1 for none"""
        self.since: Times = np.zeros(n, np.int64)
        self.until: Times = np.zeros(n, np.int64)
        self.strength: Floats = np.zeros(n)
        self.touched: Times = np.full(n, NEVER, np.int64)
        """when something happened that a thing reports at once"""

    # -- what a subclass says

    def things(self, count: int) -> Iterator[NewThing]:
        raise NotImplementedError

    def values(self, rows: Rows, at: Times) -> Values:
        """What things report: rows (n,), each at a moment (n,) µs UTC."""
        raise NotImplementedError

    def wake(self, things: Things) -> None:
        """Remembers how its things stood when the city was left."""

    def obey(self, thing: str, command: str, arguments: Mapping[str, Any], at: int) -> None:
        """A thing is told to do something."""

    def events(self, start: int, end: int) -> list[dict[str, Any]]:
        """What happens in (start, end], as events are sent."""
        return []

    # -- what goes wrong

    def has(self, rows: Rows, name: str, at: Times) -> npt.NDArray[np.bool_]:
        """(n,) which of the rows have this trouble at that moment."""
        number = self.number(name)
        there: npt.NDArray[np.bool_] = (self.trouble[rows] == number) & (at >= self.since[rows])
        return there & (at < self.until[rows])

    def number(self, name: str) -> int:
        return next(n for n, trouble in enumerate(self.troubles) if trouble.name == name)

    def begin(self, row: int, name: str, at: int, strength: float = 1.0) -> None:
        """Something goes wrong with one thing, unless something is wrong already."""
        if self.until[row] > at:
            return
        number = self.number(name)
        self.trouble[row], self.since[row], self.strength[row] = number, at, strength
        self.until[row] = at + self.troubles[number].lasts.us
        self.touched[row] = at

    def mend(self, thing: str, at: int) -> None:
        """People have put it right; it says so."""
        row = self.row.get(thing)
        if row is not None and self.until[row] > at:
            self.until[row] = self.touched[row] = at

    def relive(self, start: int, end: int, unsolved: set[str]) -> None:
        """What went wrong in (start, end], of which only what is `unsolved` is still wrong."""
        for hour in range(start // HOUR, end // HOUR + 1):
            for at, row, number, strength in self._drawn(hour):
                if start < at <= end and self.ids[row] in unsolved:
                    self.begin(row, self.troubles[number].name, at, strength)

    def open_show(self, at: int) -> None:
        """Troubles that come within the first minutes after the hub has opened."""
        for n, name in enumerate(self.first):
            row = int(self.rng.integers(len(self.ids)))
            self.begin(row, name, at + seconds(5 + 13 * n + self.key % 11).us, 0.9)

    def _misfortunes(self, start: int, end: int) -> None:
        for hour in range(start // HOUR, end // HOUR + 1):
            for at, row, number, strength in self._drawn(hour):
                if start < at <= end:
                    self.begin(row, self.troubles[number].name, at, strength)

    @lru_cache(maxsize=256)  # noqa: B019  # shared by all casts, which live as long as their city
    def _drawn(self, hour: int) -> tuple[tuple[int, int, int, float], ...]:
        """What goes wrong in an hour: when, with which thing, what, and how badly."""
        drawn: list[tuple[int, int, int, float]] = []
        rng = np.random.default_rng([self.town.seed, self.key, hour])
        rain = float(self.town.weather.rain(np.array([hour * HOUR + HOUR // 2]))[0])
        for number, trouble in enumerate(self.troubles):
            often = trouble.often / 100 / 24 * (1 + trouble.wet * rain)
            for _ in range(int(rng.poisson(often * len(self.ids)))):
                at, row = hour * HOUR + int(rng.integers(HOUR)), int(rng.integers(len(self.ids)))
                drawn.append((at, row, number, float(rng.uniform(*trouble.strength))))
        return tuple(sorted(drawn))

    # -- reporting

    def report(self, start: int, end: int) -> Chunk | None:
        """What its things report in (start, end]: each at most once; None when none has its turn."""
        self._misfortunes(start, end)
        rows = np.arange(len(self.ids))
        wrong = (self.since <= end) & (self.until > start)
        period = np.where(wrong, min(self.restless.us, self.every.us), self.every.us)
        phase = self.phase % period
        at = (end - phase) // period * period + phase
        news = (self.touched > start) & (self.touched <= end)
        at = np.where(news & (at <= start), self.touched, np.maximum(at, np.where(news, self.touched, at)))
        silent = np.array([trouble.silent for trouble in self.troubles] or [False])
        mute = silent[np.maximum(self.trouble, 0)] & (self.trouble >= 0) & (self.since <= at) & (self.until > at)
        due = (at > start) & ~mute
        if not due.any():
            return None
        rows = rows[due]
        return Chunk([self.ids[row] for row in rows.tolist()], at[due], self.values(rows, at[due]))

    # -- for subclasses

    def noise(self, rows: Rows, at: Times, size: float, salt: int = 0) -> Floats:
        """(n,) a little unrest, the same for the same thing and moment."""
        mixed = (rows.astype(np.uint64) * np.uint64(2654435761) + at.astype(np.uint64) // np.uint64(1_000_000)) ^ (
            np.uint64(self.key + salt * 7919)
        )
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        return size * ((mixed >> np.uint64(40)).astype(np.float64) / 2**24 * 2 - 1)

    def age(self, rows: Rows, at: Times) -> Floats:
        """(n,) minutes since their trouble began."""
        return (at - self.since[rows]) / 60e6

    def place(self, area: Area) -> dict[str, Any]:
        return {"type": "Point", "coordinates": list(self.town.inside(area, self.rng))}


def reports_of(chunks: Sequence[Chunk]) -> Reports:
    """Chunks as a door's columns."""
    ids: dict[str, int] = {}
    attrs: dict[str, int] = {}
    texts: dict[str, int] = {}
    columns = _Columns()
    for chunk in chunks:
        who = np.array([ids.setdefault(name, len(ids)) for name in chunk.ids], np.int32)
        for attr, values in chunk.values.items():
            number = attrs.setdefault(attr, len(attrs))
            columns.add(who, number, chunk.time, values, lambda text: texts.setdefault(text, len(texts)))
    return columns.reports(list(ids), list(attrs), list(texts))


@dataclass
class _Columns:
    who: list[npt.NDArray[np.int32]] = field(default_factory=list)
    what: list[npt.NDArray[np.int32]] = field(default_factory=list)
    time: list[Times] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    latitude: list[Floats] = field(default_factory=list)
    text: list[npt.NDArray[np.int32]] = field(default_factory=list)

    def add(
        self, who: npt.NDArray[np.int32], what: int, time: Times, values: Any, number: Callable[[str], int]
    ) -> None:
        """One attribute of a chunk; NaN and "" mean that it is not reported."""
        nothing = np.full(len(time), np.nan)
        text, latitude = np.full(len(time), -1, np.int32), nothing
        if isinstance(values, tuple):
            value, latitude = np.asarray(values[0], np.float64), np.asarray(values[1], np.float64)
            there = ~np.isnan(value)
        elif np.asarray(values).dtype.kind in "UO":
            value, there = nothing, np.asarray(values) != ""
            text = np.array([number(str(word)) if word else -1 for word in values], np.int32)
        else:
            value = np.asarray(values, np.float64)
            there = ~np.isnan(value)
        self.who.append(who[there])
        self.what.append(np.full(int(there.sum()), what, np.int32))
        self.time.append(time[there])
        self.value.append(value[there])
        self.latitude.append(latitude[there])
        self.text.append(text[there])

    def reports(self, ids: list[str], attrs: list[str], texts: list[str]) -> Reports:
        joined: list[Any] = [
            np.concatenate(parts) if parts else np.zeros(0, kind)
            for parts, kind in (
                (self.who, np.int32),
                (self.what, np.int32),
                (self.time, np.int64),
                (self.value, np.float64),
                (self.latitude, np.float64),
                (self.text, np.int32),
            )
        ]
        who, what, time, value, latitude, text = joined
        line = np.arange(1, len(time) + 1, dtype=np.int32)
        return Reports(ids, who, attrs, what, time, value, latitude, texts, text, line)
