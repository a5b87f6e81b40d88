"""The tail: what the log has and no segment has yet, in columns that readers see without copying.

Rows are copied once into a chunk of fixed capacity. Below its count a chunk never changes, so a view of it is a
slice. Columns that hold nothing, as latitudes mostly do, are not there.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.infrastructure.history_rows import Ask, Mask, Rows
from cheng.infrastructure.history_segments import Part, Segment, in_memory
from cheng.infrastructure.history_tables import event_parts, table_of
from cheng.kernel.observations import Batch, Events, Frame

GAP = np.full(1, np.nan)
UNMARKED = np.zeros(1, np.uint16)


@dataclass(slots=True, eq=False)
class Chunk:
    """Readings in the order of their numbers, and the events between them."""

    first: int
    """covers numbers from here on"""
    columns: tuple[npt.NDArray[Any], ...]
    """thing, attr, time, value"""
    latitude: npt.NDArray[np.float64] | None = None
    quality: npt.NDArray[np.uint16] | None = None
    rows: int = 0
    runs: list[tuple[int, int]] = field(default_factory=list)
    """(row, number): from this row on numbers count up from this one"""
    events: list[tuple[int, Events]] = field(default_factory=list)
    event_count: int = 0
    last: int = -1
    time_first: int = 1 << 62
    time_last: int = -(1 << 62)

    @classmethod
    def sized(cls, first: int, capacity: int) -> "Chunk":
        columns = tuple(np.empty(capacity, dtype) for dtype in (np.int32, np.int32, np.int64, np.float64))
        return cls(first, columns, last=first - 1)

    def room(self) -> int:
        return len(self.columns[0]) - max(self.rows, self.event_count)

    def add(self, first: int, frame: Frame) -> None:
        """Takes in as many rows as there is room for, or fewer; `first` is the number of the first."""
        if isinstance(frame, Events):
            self.events.append((first, frame))
            self.event_count += len(frame)
        else:
            self._add_readings(first, frame)
        self.last = first + len(frame) - 1

    def _add_readings(self, first: int, batch: Batch) -> None:
        start, end = self.rows, self.rows + len(batch)
        for column, part in zip(self.columns, (batch.thing, batch.attr, batch.time, batch.value), strict=True):
            column[start:end] = part
        if self.latitude is None and batch.located():
            self.latitude = np.full(len(self.columns[0]), np.nan)
        if self.latitude is not None:
            self.latitude[start:end] = batch.latitude
        if self.quality is None and batch.marked():
            self.quality = np.zeros(len(self.columns[0]), np.uint16)
        if self.quality is not None:
            self.quality[start:end] = batch.quality
        if not self.runs or self.runs[-1][1] + start - self.runs[-1][0] != first:
            self.runs.append((start, first))
        self.time_first = min(self.time_first, int(np.minimum.reduce(batch.time)))
        self.time_last = max(self.time_last, int(np.maximum.reduce(batch.time)))
        self.rows = end

    def view(self) -> "Chunk":
        """What is there now; later rows do not show in it."""
        return Chunk(
            self.first, tuple(column[: self.rows] for column in self.columns), self.latitude, self.quality, self.rows,
            self.runs[:], self.events[:], self.event_count, self.last, self.time_first, self.time_last,
        )  # fmt: skip

    def seq(self, rows: npt.NDArray[np.intp]) -> Any:
        """(n,) int64: the numbers of n rows."""
        starts, numbers = np.array(self.runs or [(0, 0)]).T
        if len(starts) == 1:
            return rows + (numbers[0] - starts[0])
        run = starts.searchsorted(rows, "right") - 1
        return rows + (numbers - starts)[run]

    def read(self, ask: Ask) -> Rows | None:
        """What is asked for, in the order of numbers; None if there is nothing of it."""
        if self.time_first >= ask.end or self.time_last < ask.start:
            return None
        thing, attr, time, value = (column[: self.rows] for column in self.columns)
        rows = np.flatnonzero(ask.names(thing)) if ask.things is not None else np.arange(self.rows)
        if ask.attrs is not None:
            rows = rows[among(attr[rows], ask.attrs)]
        rows = rows[(time[rows] >= ask.start) & (time[rows] < ask.end)]
        if ask.bad and self.quality is not None:
            rows = rows[self.quality[rows] & ask.bad == 0]
        if not len(rows):
            return None
        latitude = np.full(len(rows), np.nan) if self.latitude is None else self.latitude[rows]
        quality = np.zeros(len(rows), np.uint16) if self.quality is None else self.quality[rows]
        return Rows(self.seq(rows), thing[rows], attr[rows], time[rows], value[rows], latitude, quality)

    def settled(self) -> Segment:
        """The same as a segment in memory."""
        thing, attr, time, value = (column[: self.rows] for column in self.columns)
        latitude = GAP if self.latitude is None else self.latitude[: self.rows]
        quality = UNMARKED if self.quality is None else self.quality[: self.rows]
        rows = Rows(self.seq(np.arange(self.rows)), thing, attr, time, value, latitude, quality)
        return in_memory(rows, rows.settled_order(), self.parts(), self.first, self.last)

    def parts(self) -> list[Part]:
        """The events as tables for a segment."""
        return event_parts(table_of(self.events)) if self.events else []


def among(column: npt.NDArray[np.int32], wanted: Any) -> Mask:
    """(n,) is it one of the wanted?"""
    found: Mask = column == wanted[0] if len(wanted) == 1 else np.isin(column, wanted)
    return found
