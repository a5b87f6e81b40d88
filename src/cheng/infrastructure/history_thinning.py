"""A long history in few points: the least and the greatest of each stretch, without opening every page.

The index of a segment knows the least and the greatest value of each page. A page that lies within one stretch, and in
whose time nothing else does, has to be opened only if one of the two is the stretch's own.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cheng.infrastructure.history_packing import KEY
from cheng.infrastructure.history_reading import Job, Piece, Report, gather, opened
from cheng.infrastructure.history_rows import Ask, Mask, Rows
from cheng.infrastructure.history_segments import Segment
from cheng.infrastructure.history_tail import Chunk
from cheng.kernel.compiled import compiled

WORTH = 64
"""pages from which on it pays to leave some closed"""

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@compiled
def extremes(time: Longs, value: Floats, begin: int, end: int, stretches: int) -> npt.NDArray[np.int64]:
    """The rows of the least and greatest value of each of equal stretches of [begin, end); NaN is neither.

    Times rise, and lie in [begin, end).
    """
    n, count = len(time), 0
    kept = np.empty(min(n, 2 * stretches + 2), np.int64)
    width = (end - begin) / stretches
    row = 0
    while row < n:
        stretch = np.int64((time[row] - begin) / width)
        least = most = -1
        while row < n and np.int64((time[row] - begin) / width) == stretch:
            if not np.isnan(value[row]):
                least = row if least < 0 or value[row] < value[least] else least
                most = row if most < 0 or value[row] > value[most] else most
            row += 1
        for one in (min(least, most), max(least, most)):
            if one >= 0 and count < len(kept) and (count == 0 or kept[count - 1] != one):
                kept[count] = one
                count += 1
    return kept[:count]


class Pages:
    """The pages of segments that hold nothing but readings of one thing and attribute within the time asked for."""

    def __init__(self, segments: Sequence[Segment], key: int, ask: Ask) -> None:
        self.segments = segments
        numbers = [_whole(one, key, ask) for one in segments]
        self.segment = np.repeat(np.arange(len(segments)), [len(pages) for pages in numbers])
        self.number = np.concatenate([np.zeros(0, np.int64), *numbers])
        both = list(zip(segments, numbers, strict=True))
        self.low, self.high = (
            np.concatenate([np.zeros(0, np.int64), *(getattr(one, name)[pages] for one, pages in both)])
            for name in ("low", "high")
        )
        self.least, self.most = (
            np.concatenate([np.zeros(0), *(getattr(one, name)[pages] for one, pages in both)])
            for name in ("least", "most")
        )
        runs = ([np.arange(*run) for run in one.runs(ask, key, key)] for one in segments)
        self.others = [
            Job.of(one, page, page + 1)
            for (one, pages), run in zip(both, runs, strict=True)
            for page in np.setdiff1d(np.concatenate([np.zeros(0, np.int64), *run]), pages).tolist()
        ]
        """to open all further pages that may hold some of the readings"""

    def __len__(self) -> int:
        return len(self.number)

    def jobs(self, which: Mask) -> list[Job]:
        """To open those."""
        picked = zip(self.segment[which].tolist(), self.number[which].tolist(), strict=True)
        return [Job.of(self.segments[segment], page, page + 1) for segment, page in picked]

    def alone(self, times: Longs) -> Mask:
        """(pages,) does no other page, and none of these times, lie in its time?"""
        order = np.argsort(self.low, kind="stable")
        low, high = self.low[order], self.high[order]
        free = np.ones(len(order), np.bool_)
        free[1:] = low[1:] > np.maximum.accumulate(high)[:-1]
        free[:-1] &= high[:-1] < low[1:]
        times = np.sort(times)
        free &= times.searchsorted(low) == times.searchsorted(high, "right")
        found = np.empty(len(order), np.bool_)
        found[order] = free
        return found

    def telling(self, times: Longs, begin: int, end: int, stretches: int) -> Mask:
        """(pages,) may the first or last reading, or the least or greatest of an equal stretch of [begin, end), be in
        it? Those that reach over a stretch or share their time with others are always opened.
        """
        width = (end - begin) / stretches
        stretch = ((self.low - begin) / width).astype(np.int64)
        found: Mask = (stretch != ((self.high - begin) / width).astype(np.int64)) | ~self.alone(times)
        closed = ~found
        for value in (self.least, -self.most):
            order = np.lexsort((self.low, np.where(closed & ~np.isnan(value), value, np.inf), stretch))
            first = np.ones(len(order), np.bool_)
            first[1:] = stretch[order][1:] != stretch[order][:-1]
            found[order[first]] = True
        found[[self.low.argmin(), self.high.argmax()]] = True
        return found


def _whole(one: Segment, key: int, ask: Ask) -> Longs:
    """The pages with nothing but readings of this key, all of them in the time asked for."""
    begin, stop = one.key_first.searchsorted(key), one.key_last.searchsorted(key, "right")
    inside = (one.low[begin:stop] >= ask.start) & (one.high[begin:stop] < ask.end)
    return np.flatnonzero(inside) + begin


def by_time(rows: Rows) -> Rows:
    """The first of each time, of readings of one thing and attribute in the order in which they came."""
    if len(rows) > 1 and (rows.time[1:] <= rows.time[:-1]).any():
        rows = rows.take(rows.order_by("time"))
        rows = rows.take(rows.first_of_each())
    return rows


def thinned(pieces: Sequence[Piece], ask: Ask, points: int | None, times: Longs, report: Report) -> tuple[Rows, bool]:
    """Readings of one thing and attribute by time, the first of each time, and whether some were left out.

    Without `points` none are. Of very many, those are left out that are neither the first nor the last nor, together
    with what else there is at `times`, the least or the greatest in one of `points // 2` equal stretches.
    """
    assert ask.things is not None
    assert ask.attrs is not None
    key = ask.attrs[0] * KEY + ask.things[0]
    pages = Pages([piece for piece in pieces if isinstance(piece, Segment)], key, ask)
    if points is None or len(pages) < max(WORTH, points):
        return by_time(gather(pieces, ask, report)), False
    held = (piece.read(ask) for piece in pieces if isinstance(piece, Chunk))
    found = opened(pages.others, ask, (key, key), True, report)
    others = Rows.concat([found, *(rows for rows in held if rows is not None)])
    known = np.concatenate([others.time, times])
    begin = min(int(pages.low.min()), int(known.min(initial=pages.low[0])))
    end = max(int(pages.high.max()), int(known.max(initial=pages.high[0]))) + 1
    wanted = pages.telling(others.time, begin, end, max(1, points // 2))
    rows = Rows.concat([others, opened(pages.jobs(wanted), ask, (key, key), True, report)])
    return by_time(rows.take(rows.order_by("seq"))), not wanted.all()
