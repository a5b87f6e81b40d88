"""A stretch of readings of one type of thing, laid out as rows that expressions can be judged over."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cheng.kernel.book import LAST
from cheng.kernel.columns import NEVER, Bools, ByThing, Floats, Ints, Rows, Times, carry, last_row, starts, window_start
from cheng.kernel.frames import Blank, Somewhere, Truth
from cheng.standards.places import covers


class Register(Protocol):
    """What the judging asks of the register; one per type of thing, arrays by slot."""

    def columns(self) -> dict[str, int]:
        """The live fields by name, numbered from 0."""

    def size(self) -> int:
        """How many things of the type there are."""

    def fixed(self, name: str) -> Floats:
        """(size,) a number or label code from the register, NaN where it is missing."""

    def target(self, ref: Blank, name: str) -> Floats:
        """(size,) the current value of a field of the thing that the reference points to."""

    def places(self, place: Somewhere) -> npt.NDArray[Any]:
        """(size,) the place of each thing, or of the thing referred to, as shapely geometry; (1,) for `every`."""

    def code(self, field: Blank, label: str) -> float:
        """The code of a label; NaN for a label nobody has used."""

    def registered(self) -> Times:
        """(size,) when each thing was registered or last put into use, microseconds: silence counts from there."""

    def active(self) -> Bools:
        """(size,) things that are in use: neither retired nor waiting."""


class Values:
    """The last reading of each field of each thing: arrays of shape (fields, things)."""

    def __init__(self, fields: int, things: int = 0) -> None:
        self.records: npt.NDArray[Any] = np.zeros((0, fields), LAST)
        """(things, fields)"""
        self.grow(things)

    def grow(self, things: int) -> None:
        more = np.zeros((things - len(self.records), self.records.shape[1]), LAST)
        more["value"] = more["latitude"] = np.nan
        more["time"] = NEVER
        self.records = np.concatenate((self.records, more))
        self.value: Floats = self.records["value"].T
        self.latitude: Floats = self.records["latitude"].T
        self.time: Times = self.records["time"].T


class Readings:
    """Readings of one type of thing, columns of one length, sorted by thing and time."""

    __slots__ = ("field", "latitude", "slot", "time", "value")

    def __init__(self, slot: Rows, field: Ints, time: Times, value: Floats, latitude: Floats) -> None:
        self.slot, self.field, self.time, self.value, self.latitude = slot, field, time, value, latitude

    def __len__(self) -> int:
        return len(self.time)

    def columns(self) -> tuple[Any, ...]:
        """Slot, field, time, value, latitude."""
        return self.slot, self.field, self.time, self.value, self.latitude

    def take(self, rows: Rows | Bools | slice) -> "Readings":
        return Readings(self.slot[rows], self.field[rows], self.time[rows], self.value[rows], self.latitude[rows])

    def sorted(self) -> "Readings":
        """By thing, time and field; of two with the same three the one that came first stands first."""
        return self.take(np.lexsort((self.field, self.time, self.slot)))

    def repeated(self) -> Bools:
        """Sorted rows whose thing, time and field are those of the row above."""
        return ~(starts(self.slot) | starts(self.time) | starts(self.field))

    @staticmethod
    def moments(slot: Rows, time: Times) -> "Readings":
        """Rows at which nothing is reported, only looked."""
        nothing = np.full(len(slot), np.nan)
        return Readings(slot, np.full(len(slot), -1, np.int32), time, nothing, nothing)

    @staticmethod
    def concat(parts: "list[Readings]") -> "Readings":
        names = ("slot", "field", "time", "value", "latitude")
        return Readings(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def last_heard(fields: frozenset[Blank], slots: Rows, before: Values, register: Register) -> Times:
    """(n,) when each thing reported any of the fields for the last time, or was registered if that was later."""
    heard: Times = register.registered()[slots]
    for field in fields:
        heard = np.maximum(heard, before.time[register.columns()[field.name], slots])
    return heard


def fallen_silent(
    fields: frozenset[Blank], span: int, rows: Readings, slots: Rows, before: Values, register: Register, until: ByThing
) -> Readings:
    """The moments at which these things have not reported any of the fields for `span` microseconds.

    Sorted rows, ascending slots; after the last report of a thing only moments up to `until` (by thing).
    """
    columns = register.columns()
    reports = rows.take(np.isin(rows.field, [columns[field.name] for field in fields]))
    heard = np.maximum(reports.time, register.registered()[reports.slot])
    slot = np.concatenate((slots, reports.slot))
    time = np.concatenate((last_heard(fields, slots, before, register), heard))
    order = np.lexsort((time, slot))
    slot, time = slot[order], time[order]
    following = until[slot] + 1
    goes_on = slot[1:] == slot[:-1]
    following[:-1][goes_on] = time[1:][goes_on]
    due = time + span < following
    return Readings.moments(slot[due], time[due] + span)


class Stretch:
    """A Frame over readings: what a thing reported at one moment is one row, the rest is carried over."""

    def __init__(self, readings: Readings, before: Values, register: Register, scores: Floats | None = None) -> None:
        """scores: how unusual each reading was; NaN, or none at all, where nobody asks."""
        begins = starts(readings.slot) | starts(readings.time)
        self.readings, self._before, self._register = readings, before, register
        self._row: Rows | None = None if begins.all() else np.cumsum(begins) - 1
        self.slot: Rows = readings.slot if self._row is None else readings.slot[begins]
        self.time: Times = readings.time if self._row is None else readings.time[begins]
        self.first: Bools = starts(self.slot)
        self._columns = register.columns()
        self._scores = scores
        self._kept: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.time)

    def reported(self, fields: frozenset[Blank]) -> Bools:
        wanted = [self._columns[field.name] for field in fields]
        hit = self.readings.field == wanted[0] if len(wanted) == 1 else np.isin(self.readings.field, wanted)
        if self._row is None:
            return hit
        rows = np.zeros(len(self), np.bool_)
        rows[self._row[hit]] = True
        return rows

    def _dense(self, field: Blank, values: Floats, before: Floats) -> Floats:
        number = self._columns[field.name]
        hit = self.readings.field == number
        if self._row is None and hit.all():
            return values
        rows = np.flatnonzero(hit) if self._row is None else self._row[hit]
        dense = np.full(len(self), np.nan)
        dense[rows] = values[hit]
        present = np.zeros(len(self), np.bool_)
        present[rows] = True
        return carry(dense, present, self.first, before[number, self.slot])

    def column(self, field: Blank) -> Floats:
        if field not in self._kept:
            if field.live:
                self._kept[field] = self._dense(field, self.readings.value, self._before.value)
            else:
                self._kept[field] = self._register.fixed(field.name)[self.slot]
        kept: Floats = self._kept[field]
        return kept

    def latitude(self, field: Blank) -> Floats:
        key = ("latitude", field)
        if key not in self._kept:
            self._kept[key] = self._dense(field, self.readings.latitude, self._before.latitude)
        kept: Floats = self._kept[key]
        return kept

    def carried(self, field: Blank) -> Floats:
        before: Floats = self._before.value[self._columns[field.name], self.slot]
        return before

    def code(self, field: Blank, label: str) -> float:
        return self._register.code(field, label)

    def unusual(self, field: Blank) -> Floats:
        found = np.full(len(self), np.nan)
        if self._scores is not None:
            hit = np.flatnonzero(self.readings.field == self._columns[field.name])
            found[hit if self._row is None else self._row[hit]] = self._scores[hit]
        return found

    def hop(self, ref: Blank, field: Blank) -> Floats:
        return self._register.target(ref, field.name)[self.slot]

    def within(self, position: Blank, place: Somewhere) -> Truth:
        places = self._register.places(place)
        inside, known = covers(
            places if place.every else places[self.slot], self.column(position), self.latitude(position)
        )
        return Truth(inside & known, ~inside & known)

    def window(self, width: int) -> Rows:
        if width not in self._kept:
            self._kept[width] = window_start(self.slot, self.time, width)
        kept: Rows = self._kept[width]
        return kept

    def last_seen(self, fields: frozenset[Blank]) -> Times:
        present = self.reported(fields)
        things = self.slot[self.first]
        heard = last_heard(fields, things, self._before, self._register)
        source = last_row(present | self.first)
        before = heard[np.cumsum(self.first) - 1]
        return np.where(present[source], np.maximum(self.time[source], self._register.registered()[self.slot]), before)
