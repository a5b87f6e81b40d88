"""Readings in columns on their way through history: the question they answer, their order, their first of each."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cheng.infrastructure.history_packing import KEY
from cheng.kernel.compiled import compiled
from cheng.kernel.observations import BAD, Batch

FOREVER = 1 << 61
"""microseconds; times beyond are cut to it, so that differences stay within 64 bits"""
READINGS = pa.schema(
    [
        ("seq", pa.int64()),
        ("thing", pa.int32()),
        ("attr", pa.int32()),
        ("time", pa.int64()),
        ("value", pa.float64()),
        ("latitude", pa.float64()),
        ("quality", pa.uint16()),
    ]
)
DTYPES: tuple[Any, ...] = (np.int64, np.int32, np.int32, np.int64, np.float64, np.float64, np.uint16)

Order = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]


@compiled
def stable_order(order: Any, column: Any, least: int, most: int) -> Any:
    """`order` (row numbers) sorted by `column`, whose values lie in [least, most]; equal ones stay as they lie."""
    n = len(order)
    keys, others = np.empty(n, np.uint64), np.empty(n, np.uint64)
    now, then = order.copy(), np.empty_like(order)
    span = np.uint64(most) - np.uint64(least)
    for row in range(n):
        keys[row] = np.uint64(np.int64(column[order[row]])) - np.uint64(least)
    counts = np.empty(2048, np.int64)
    shift = 0
    while shift < 64 and span >> np.uint64(shift) > np.uint64(0):
        counts[:] = 0
        for row in range(n):
            counts[np.int64(keys[row] >> np.uint64(shift) & np.uint64(2047))] += 1
        total: Any = 0
        for place in range(2048):
            count: Any = counts[place]
            counts[place] = total
            total += count
        for row in range(n):
            digit: Any = np.int64(keys[row] >> np.uint64(shift) & np.uint64(2047))
            others[counts[digit]], then[counts[digit]] = keys[row], now[row]
            counts[digit] += 1
        keys, others = others, keys
        now, then = then, now
        shift += 11
    return now


@dataclass(slots=True)
class Rows:
    """Readings with their numbers; columns of one length n."""

    seq: npt.NDArray[np.int64]
    thing: npt.NDArray[np.int32]
    attr: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    latitude: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def sized(cls, n: int) -> Self:
        """Room for n rows, with anything in it."""
        return cls(*(np.empty(n, dtype) for dtype in DTYPES))

    def columns(self) -> Any:
        """A tuple in the order of `READINGS`."""
        return self.seq, self.thing, self.attr, self.time, self.value, self.latitude, self.quality

    def take(self, rows: npt.NDArray[Any] | slice) -> Self:
        """The rows picked by an index array, a mask or a slice."""
        return type(self)(*(column[rows] for column in self.columns()))

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """One after the other."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.sized(0)
        return cls(*(np.concatenate(columns) for columns in zip(*(part.columns() for part in parts), strict=True)))

    def narrow(self) -> Self:
        """The same with one value in place of a column that has the same in all rows."""
        same = replace(self)
        if len(self) and self.attr[0] == self.attr[-1] and (self.attr == self.attr[0]).all():
            same.attr = self.attr[:1]
        if not self.quality.any():
            same.quality = self.quality[:1]
        if np.isnan(self.latitude).all():
            same.latitude = self.latitude[:1]
        return same

    def key(self) -> Longs:
        """attr * 2**32 + thing, by which segments are sorted."""
        return self.attr.astype(np.int64) * KEY + self.thing

    def order_by(self, *names: str) -> Order:
        """The order by the columns named, the weightiest last; rows that agree in all stay as they lie."""
        order = np.arange(len(self), dtype=np.int32)
        for name in names if len(self) > 1 else ():
            column = getattr(self, name)
            order = stable_order(order, column, int(column.min()), int(column.max()))
        return order

    def settled_order(self) -> Order:
        """The order by attribute, thing and time; rows that agree in all three stay as they lie."""
        order = self.order_by("thing", "attr")
        return order if self._by_time(order) else self.order_by("time", "thing", "attr")

    def _by_time(self, order: Order) -> bool:
        return bool(rising(order, self.thing, self.attr, self.time))

    def first_of_each(self) -> Mask:
        """(n,) of rows sorted by attribute, thing and time: is it another one than the row before?"""
        fresh = np.ones(len(self), np.bool_)
        fresh[1:] = self.time[1:] != self.time[:-1]
        fresh[1:] |= self.thing[1:] != self.thing[:-1]
        fresh[1:] |= self.attr[1:] != self.attr[:-1]
        return fresh

    def table(self) -> pa.Table:
        """As a table of `READINGS`."""
        return pa.Table.from_arrays([pa.array(column) for column in self.columns()], schema=READINGS)

    @classmethod
    def of_table(cls, table: pa.Table) -> Self:
        """From a table of `READINGS`."""
        return cls(*(np.asarray(table.column(name), dtype) for name, dtype in zip(READINGS.names, DTYPES, strict=True)))

    def batch(self) -> Batch:
        """Without the numbers."""
        return Batch(self.thing, self.attr, self.time, self.value, self.latitude, self.quality)


@compiled
def rising(order: Any, thing: Any, attr: Any, time: Any) -> bool:
    """Do times never fall from one row of a thing and attribute to the next?"""
    for at in range(1, len(order)):
        here, before = order[at], order[at - 1]
        if time[here] < time[before] and thing[here] == thing[before] and attr[here] == attr[before]:
            return False
    return True


@dataclass(slots=True)
class Ask:
    """What a query is about. `start` is inside, `end` is not; None means every thing, every attribute."""

    start: int = -FOREVER
    end: int = FOREVER
    things: Sequence[int] | None = None
    attrs: Sequence[int] | None = None
    good_only: bool = False
    _named: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_), init=False, repr=False)
    """(things + 1,) whether each is one of `things`, by its index; the last one is not"""

    def __post_init__(self) -> None:
        self.start, self.end = max(self.start, -FOREVER), min(self.end, FOREVER)
        self.things = None if self.things is None else sorted({int(thing) for thing in self.things})
        self.attrs = None if self.attrs is None else sorted({int(attr) for attr in self.attrs})
        if self.things is not None and len(self.things) > 1:
            self._named = np.zeros(max(self.things[-1], 0) + 2, np.bool_)
            self._named[[thing for thing in self.things if thing >= 0]] = True

    def between(self, start: int, end: int) -> Self:
        """The same about [start, end)."""
        part = copy(self)
        part.start, part.end = start, end
        return part

    def names(self, thing: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """(n,) which of these is one of the things asked for; there has to be one."""
        assert self.things is not None
        one: npt.NDArray[np.bool_] = thing == self.things[0]
        return one if len(self.things) == 1 else self._named[np.minimum(thing, len(self._named) - 1)]

    @classmethod
    def of_all(cls, start: int = -(1 << 63), end: int = 1 << 63) -> Self:
        """About everything in [start, end), however far from now it is dated."""
        ask = cls()
        ask.start, ask.end = start, end
        return ask

    @property
    def bad(self) -> int:
        """The marks that leave a reading out."""
        return int(BAD) if self.good_only else 0

    @property
    def nothing(self) -> bool:
        """Can no reading be meant?"""
        return self.things == [] or self.attrs == [] or self.start >= self.end

    def ranges(self) -> list[tuple[int, int]]:
        """(first key, last key) of what is asked for; more than that lies in them unless `exact`."""
        half = KEY // 2
        if self.attrs is None:
            return [(-(1 << 62), 1 << 62)]
        if self.things is None:
            return [(attr * KEY - half, attr * KEY + half - 1) for attr in self.attrs]
        if self.exact:
            return [(attr * KEY + thing, attr * KEY + thing) for attr in self.attrs for thing in self.things]
        return [(attr * KEY + first, attr * KEY + last) for attr in self.attrs for first, last in self.stretches()]

    def stretches(self) -> list[tuple[int, int]]:
        """(first, last) of the stretches in which the things lie, cut at the widest gaps; there has to be one."""
        things = np.array(self.things)
        gaps = np.diff(things)
        wide = np.argsort(gaps, kind="stable")[len(gaps) - FEW + 1 :] if len(gaps) >= FEW else np.arange(len(gaps))
        cuts = np.sort(wide[gaps[wide] > GAP])
        firsts, lasts = things[np.append(0, cuts + 1)], things[np.append(cuts, len(gaps))]
        return list(zip(firsts.tolist(), lasts.tolist(), strict=True))

    @property
    def exact(self) -> bool:
        """Do the ranges say it all?"""
        return self.things is None or (self.attrs is not None and len(self.things) <= FEW)


FEW = 16
"""things that are looked for one by one, and stretches of things that are"""
GAP = 1_000
"""things that are read over rather than looked for anew"""
