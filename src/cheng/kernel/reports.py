"""What came in by a door, in columns, before the register has been asked who and what is meant."""

from dataclasses import dataclass, field

import numpy as np

from cheng.kernel.columns import Bools, Floats, Ints, Rows, Times


@dataclass(slots=True)
class Reports:
    """n readings as sent. Names are held once each: `ids[id[i]]` reports `attrs[attr[i]]`.

    Names that were looked up where they stood are held by their numbers in the register, counted downwards: a thing as
    -1 - its index, an attribute's name likewise, a label as -2 - its number.
    """

    ids: list[str]
    id: Ints
    """(n,) index into ids"""
    attrs: list[str]
    attr: Ints
    """(n,) index into attrs"""
    time: Times
    """(n,) microseconds UTC"""
    value: Floats
    """(n,) the number, a position's longitude, or NaN where `text` says it"""
    latitude: Floats
    """(n,) degrees, NaN but for positions"""
    texts: list[str]
    text: Ints
    """(n,) index into texts, -1 where the value is a number or a position"""
    line: Ints
    """(n,) line or row in the payload, from 1"""
    units: list[str] = field(default_factory=list)
    unit: Ints | None = None
    """(n,) index into units, -1 for the field's own; None: all in the field's own"""

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: Rows | Bools) -> "Reports":
        """The rows picked by an index array or a mask."""
        unit = None if self.unit is None else self.unit[rows]
        time, value, latitude = self.time[rows], self.value[rows], self.latitude[rows]
        text, line = self.text[rows], self.line[rows]
        thing, attr = self.id[rows], self.attr[rows]
        return Reports(
            self.ids, thing, self.attrs, attr, time, value, latitude, self.texts, text, line, self.units, unit
        )

    def followed_by(self, other: "Reports") -> "Reports":
        """These rows, then the other's. A name that both have stands twice."""
        if not len(other):
            return self
        units = [*self.units, *other.units]
        return Reports(
            ids=[*self.ids, *other.ids],
            id=np.append(self.id, _on(other.id, len(self.ids))),
            attrs=[*self.attrs, *other.attrs],
            attr=np.append(self.attr, _on(other.attr, len(self.attrs))),
            time=np.append(self.time, other.time),
            value=np.append(self.value, other.value),
            latitude=np.append(self.latitude, other.latitude),
            texts=[*self.texts, *other.texts],
            text=np.append(self.text, _on(other.text, len(self.texts))),
            line=np.append(self.line, other.line),
            units=units,
            unit=np.append(_units(self, 0), _units(other, len(self.units))) if units else None,
        )


def _on(codes: Ints, count: int) -> Ints:
    """Codes of names that stand behind so many others; those that are no index stay as they are."""
    return np.where(codes < 0, codes, codes + np.int32(count))


def _units(reports: Reports, count: int) -> Ints:
    """(n,) the unit of each row, behind so many others; -1 for the field's own."""
    return np.full(len(reports), -1, np.int32) if reports.unit is None else _on(reports.unit, count)


def microseconds(numbers: Floats) -> Times:
    """Epoch times of unknown unit to microseconds, by magnitude: seconds below 1e11, then ms, µs and ns."""
    size = np.abs(numbers)
    factor = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1.0], 1e-3)
    times: Times = np.round(numbers * factor).astype(np.int64)
    return times
