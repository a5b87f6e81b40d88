"""What came in by a door, in columns, before the register has been asked who and what is meant."""

from dataclasses import dataclass, field

import numpy as np

from cheng.kernel.columns import Bools, Floats, Ints, Rows, Times


@dataclass(slots=True)
class Reports:
    """n readings as sent. Names are held once each: `ids[id[i]]` reports `attrs[attr[i]]`."""

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
        columns = (self.time[rows], self.value[rows], self.latitude[rows])
        texts = (self.texts, self.text[rows], self.line[rows], self.units, unit)
        return Reports(self.ids, self.id[rows], self.attrs, self.attr[rows], *columns, *texts)


def microseconds(numbers: Floats) -> Times:
    """Epoch times of unknown unit to microseconds, by magnitude: seconds below 1e11, then ms, µs and ns."""
    size = np.abs(numbers)
    factor = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1.0], 1e-3)
    return np.round(numbers * factor).astype(np.int64)
