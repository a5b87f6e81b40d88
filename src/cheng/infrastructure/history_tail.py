"""The tail: what the log has and the hot table does not have yet, in columns that readers see without copying.

Rows are copied once into a chunk of fixed capacity. Below its count a chunk never changes, so a view of it is a
slice. A flush takes whole chunks; what is flushed is therefore always the end of a chunk.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cheng.kernel.observations import Batch, Events, Frame

Rows = npt.NDArray[np.bool_]

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
EVENTS = pa.schema(
    [
        ("seq", pa.int64()),
        ("type", pa.int32()),
        ("time", pa.int64()),
        ("quality", pa.uint16()),
        ("payload", pa.string()),
    ]
)
DTYPES = (np.int64, np.int32, np.int32, np.int64, np.float64, np.float64, np.uint16)


@dataclass(slots=True)
class Chunk:
    """Rows that are flushed together: readings in columns of `READINGS`, and the events between them."""

    columns: tuple[npt.NDArray[Any], ...]
    count: int = 0
    events: list[tuple[int, Events]] = field(default_factory=list)
    event_count: int = 0
    last: int = -1

    @classmethod
    def sized(cls, capacity: int) -> "Chunk":
        return cls(tuple(np.empty(capacity, dtype) for dtype in DTYPES))

    def room(self) -> int:
        return len(self.columns[0]) - max(self.count, self.event_count)

    def add(self, first: int, batch: Batch) -> None:
        start, end = self.count, self.count + len(batch)
        parts = (batch.thing, batch.attr, batch.time, batch.value, batch.latitude, batch.quality)
        self.columns[0][start:end] = np.arange(first, first + len(batch))
        for column, part in zip(self.columns[1:], parts, strict=True):
            column[start:end] = part
        self.count, self.last = end, first + len(batch) - 1

    def add_events(self, first: int, events: Events) -> None:
        self.events.append((first, events))
        self.event_count += len(events)
        self.last = first + len(events) - 1

    def view(self) -> "Chunk":
        """The rows that are there now; later ones do not show in it."""
        columns = tuple(column[: self.count] for column in self.columns)
        return Chunk(columns, self.count, self.events[:], self.event_count, self.last)


class Tail:
    """Chunks in the order of their numbers; `add` is called by one thread at a time."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._lock = threading.Lock()
        self._sealed: list[Chunk] = []
        self._open = Chunk.sized(capacity)

    def add(self, first: int, frame: Frame) -> None:
        """Takes in a frame that is durable; a chunk that is full is sealed."""
        done, total = 0, len(frame)
        while done < total:
            with self._lock:
                step = min(total - done, self._open.room())
                part = frame if step == total else frame.take(slice(done, done + step))
                if isinstance(part, Batch):
                    self._open.add(first + done, part)
                else:
                    self._open.add_events(first + done, part)
                if not self._open.room():
                    self._seal()
            done += step

    def _seal(self) -> None:
        if self._open.last >= 0:
            self._sealed.append(self._open)
            self._open = Chunk.sized(self.capacity)

    def seal(self) -> list[Chunk]:
        """Everything that is there now, for a flush."""
        with self._lock:
            self._seal()
            return self._sealed[:]

    def drop(self, flushed: int) -> None:
        """Forgets the chunks that lie in the hot table up to number `flushed`."""
        with self._lock:
            self._sealed = [chunk for chunk in self._sealed if chunk.last > flushed]

    def views(self) -> list[Chunk]:
        """What is there now, for a reader."""
        with self._lock:
            chunks = [*self._sealed, self._open.view()]
        return [chunk for chunk in chunks if chunk.last >= 0]

    def full(self) -> bool:
        """Is there a sealed chunk to flush?"""
        return bool(self._sealed)

    def __len__(self) -> int:
        with self._lock:
            return sum(chunk.count + chunk.event_count for chunk in [*self._sealed, self._open])


def readings_of(
    chunks: Sequence[Chunk],
    start: int | None = None,
    end: int | None = None,
    things: Sequence[int] | None = None,
    attrs: Sequence[int] | None = None,
) -> pa.Table:
    """The readings of chunks as a table of `READINGS`; a first sieve only, the query sieves again."""
    parts = []
    for chunk in chunks:
        columns = chunk.columns if len(chunk.columns[0]) == chunk.count else chunk.view().columns
        rows = _rows(columns, start, end, things, attrs)
        parts.append(pa.Table.from_arrays([pa.array(_pick(c, rows)) for c in columns], schema=READINGS))
    return pa.concat_tables(parts) if parts else READINGS.empty_table()


def _pick(column: npt.NDArray[Any], rows: Rows | None) -> npt.NDArray[Any]:
    return column if rows is None else column[rows]


def _rows(
    columns: tuple[npt.NDArray[Any], ...],
    start: int | None,
    end: int | None,
    things: Sequence[int] | None,
    attrs: Sequence[int] | None,
) -> Rows | None:
    _, thing, attr, time = columns[:4]
    wanted: Rows | None = None
    for column, values in ((thing, things), (attr, attrs)):
        if values is not None:
            hit = column == values[0] if len(values) == 1 else np.isin(column, values)
            wanted = hit if wanted is None else wanted & hit
    if start is not None and end is not None:
        hit = (time >= start) & (time < end)
        wanted = hit if wanted is None else wanted & hit
    return wanted


def events_of(chunks: Sequence[Chunk]) -> pa.Table:
    """The events of chunks as a table of `EVENTS`."""
    parts = [
        pa.table(
            [
                pa.array(np.arange(first, first + len(events))),
                pa.array(np.ascontiguousarray(events.type)),
                pa.array(np.ascontiguousarray(events.time)),
                pa.array(np.ascontiguousarray(events.quality)),
                pa.array(events.payload, pa.binary()).cast(pa.string()),
            ],
            schema=EVENTS,
        )
        for chunk in chunks
        for first, events in chunk.events
    ]
    return pa.concat_tables(parts) if parts else EVENTS.empty_table()
