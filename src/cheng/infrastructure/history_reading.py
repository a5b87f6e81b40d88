"""How readings come out of segments and chunks: those that answer a question, or all of them in order."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cheng.infrastructure.history_packing import PAGE
from cheng.infrastructure.history_rows import Ask, Order, Rows
from cheng.infrastructure.history_segments import Segment
from cheng.infrastructure.history_tail import Chunk
from cheng.infrastructure.history_unpacking import unpack

Piece = Segment | Chunk
Report = Callable[[Segment, int], None]
"""told the segment and the entry that is damaged"""
BATCH = 1 << 20
"""words that are read in one go"""
SLICE = 256
"""pages in a slice of everything"""
ENDLESS = (1 << 63) - 1
NO_KEYS = np.zeros(0, np.int64)


def gather(pieces: Sequence[Piece], ask: Ask, report: Report, wide: bool = True) -> Rows:
    """The readings asked for: those of one thing and attribute in the order of pieces, and sorted within segments.

    Without `wide`, seq and latitude hold nothing of use.
    """
    if ask.nothing:
        return Rows.sized(0)
    segments = [piece for piece in pieces if isinstance(piece, Segment)]
    found = [within(segments, ask, keys, wide, report) for keys in ask.ranges()]
    if not ask.exact and ask.things is not None:
        found = [rows.take(ask.names(rows.thing)) for rows in found]
    held = (piece.read(ask) for piece in pieces if isinstance(piece, Chunk))
    return Rows.concat([*found, *(rows for rows in held if rows is not None)])


def within(segments: Sequence[Segment], ask: Ask, keys: tuple[int, int], wide: bool, report: Report) -> Rows:
    """The readings with a key in the range, of the time asked for."""
    return opened(
        [Job.of(one, begin, end) for one in segments for begin, end in one.runs(ask, *keys)], ask, keys, wide, report
    )


def opened(jobs: "Sequence[Job]", ask: Ask, keys: tuple[int, int], wide: bool, report: Report) -> Rows:
    """The readings with a key in the range, of the time asked for, that lie in these pages."""
    rows = Rows.sized(PAGE * sum(job.end - job.begin for job in jobs))
    taken = at = 0
    while at < len(jobs):
        stop, size = at, 0
        while stop < len(jobs) and (stop == at or size + jobs[stop].size <= BATCH):
            size += jobs[stop].size
            stop += 1
        taken += _batch(
            jobs[at:stop], size, tuple(column[taken:] for column in rows.columns()), ask, keys, wide, report
        )
        at = stop
    return rows.take(slice(taken))


class Job(NamedTuple):
    """Pages that lie side by side in a segment."""

    segment: Segment
    begin: int
    end: int
    start: int
    """word"""
    size: int
    """words"""

    @classmethod
    def of(cls, segment: Segment, begin: int, end: int) -> "Job":
        start = int(segment.places[begin, 0])
        return cls(segment, begin, end, start, int(segment.places[end - 1, 1]) - start)


def _batch(
    jobs: Sequence[Job], size: int, into: Any, ask: Ask, keys: tuple[int, int], wide: bool, report: Report
) -> int:
    words: Any = np.empty(size, np.uint64)
    room, at, row = memoryview(words).cast("B"), 0, 0
    places = np.concatenate([job.segment.places[job.begin : job.end] for job in jobs])
    checks = np.concatenate([job.segment.check[job.begin : job.end] for job in jobs])
    for segment, begin, end, start, length in jobs:
        segment.read_into(room[at * 8 : (at + length) * 8], start * 8)
        places[row : row + end - begin, :2] += at - start
        at, row = at + length, row + end - begin
    spoilt = np.zeros(len(places), np.bool_)
    count = unpack(words, places, checks, keys, (ask.start, ask.end - 1), ask.bad, wide, into, spoilt)
    if spoilt.any():
        numbers = [(job.segment, page) for job in jobs for page in range(job.begin, job.end)]
        for page in np.flatnonzero(spoilt).tolist():
            report(*numbers[page])
    return int(count)


def in_order(segments: Sequence[Segment], report: Report) -> Iterator[tuple[Rows, Order]]:
    """All readings in slices of some hundred pages, each with its order by attribute, thing, time and number.

    The segments must be in the order of their numbers. No slice has anything that sorts before an earlier one.
    """
    for keys, ask in _boxes(segments):
        rows = within(segments, ask, keys, True, report)
        if len(rows):
            yield rows, rows.settled_order()


def _boxes(segments: Sequence[Segment]) -> Iterator[tuple[tuple[int, int], Ask]]:
    """(first key, last key) and times that have some `SLICE` pages each, in order; together they are everything."""
    ends = np.sort(np.concatenate([NO_KEYS, *(one.key_last for one in segments)]))
    begin = -ENDLESS - 1
    for cut in [*np.unique(ends[SLICE - 1 :: SLICE]).tolist(), ENDLESS]:
        if ends.searchsorted(cut, "right") - ends.searchsorted(cut) <= SLICE:
            yield (begin, cut), Ask.of_all()
        else:  # a thing with very many readings: one stretch of time after the other
            yield (begin, cut - 1), Ask.of_all()
            times = np.sort(np.concatenate([one.high[one.key_last == cut] for one in segments]))
            start = -ENDLESS - 1
            for end in [*np.unique(times[SLICE - 1 :: SLICE]).tolist(), ENDLESS]:
                yield (cut, cut), Ask.of_all(start, end + 1)
                start = end + 1
        begin = cut + 1


def tables(
    segments: Sequence[Segment],
    kind: int,
    report: Report,
    start: int = -ENDLESS - 1,
    end: int = ENDLESS + 1,
    key: int | None = None,
) -> Iterator[pa.Table]:
    """The tables of a kind that may hold something of [start, end), and of `key`."""
    for segment in segments:
        for entry in range(segment.pages, segment.pages + len(segment.tables)):
            one, low, high, first, last = segment.about(entry)
            if one == kind and low < end and high >= start and (key is None or first <= key <= last):
                table = segment.table(entry)
                if table is None:
                    report(segment, entry)
                else:
                    yield table
