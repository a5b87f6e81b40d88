"""Array kernels: what is done to whole columns of readings, sorted by thing and time.

`first` marks the rows that begin a thing. All functions take and give arrays of one length n and run in one pass.
"""

import itertools

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Rows = npt.NDArray[np.intp]
Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.uint16]
Bools = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).min // 2
"""The time of what has not happened; far enough from the edge to be reckoned with."""
FAR = np.iinfo(np.int64).max
"""The time of what is not expected."""


class ByThing:
    """A time for each of some things."""

    def __init__(self, slots: Rows, times: Times) -> None:
        """slots (n,) ascending, times (n,)"""
        self._slots, self._times = slots, times

    def __getitem__(self, slot: Rows) -> Times:
        """(k,) the time of each of these things, which have to be among them."""
        return self._times[np.searchsorted(self._slots, slot)]


def distinct(numbers: npt.NDArray[np.signedinteger], size: int) -> list[int]:
    """Which of the numbers from 0 to size - 1 occur, in order, in one pass and without sorting."""
    found = np.zeros(size, np.bool_)
    found[numbers] = True
    there: list[int] = np.flatnonzero(found).tolist()
    return there


def starts(key: npt.NDArray[np.generic]) -> Bools:
    """Where a sorted key changes; the first row always."""
    first = np.ones(len(key), np.bool_)
    np.not_equal(key[1:], key[:-1], out=first[1:])
    return first


def ends(first: Bools) -> Bools:
    """The last row of each thing."""
    last = np.ones(len(first), np.bool_)
    last[:-1] = first[1:]
    return last


def last_row(marked: Bools) -> Rows:
    """For each row the nearest marked row up to it; -1 before the first."""
    rows: Rows = np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1))
    return rows


def next_row(marked: Bools) -> Rows:
    """For each row the nearest marked row from it on; n after the last."""
    n = len(marked)
    rows: Rows = n - 1 - last_row(marked[::-1])[::-1]
    return rows


def carry(values: Floats, present: Bools, first: Bools, before: Floats) -> Floats:
    """Fills rows without a value from the row above, and from `before` (n,) where the thing has none yet."""
    source = last_row(present | first)
    filled = np.where(present, values, np.nan)[source]
    return np.where(present[source], filled, before[source])


def rank(first: Bools) -> Rows:
    """0, 1, 2, … within each thing."""
    rows = np.arange(len(first))
    return rows - last_row(first)


def window_start(slot: Rows, time: Times, width: int) -> Rows:
    """For each row the first row of its thing later than `time - width`; rows sorted by slot and time."""
    if not len(time):
        return np.zeros(0, np.intp)
    earliest = int(time.min())
    width = min(width, int(time.max()) - earliest + 1)
    span = int(time.max()) - earliest + width + 1
    group = np.cumsum(starts(slot)) - 1
    # One search over all things while their times, laid end to end, fit into 64 bits; else thing by thing.
    if (int(group[-1]) + 1) * span < np.iinfo(np.int64).max:
        key = group * span + (time - earliest)
        found: Rows = np.maximum(np.searchsorted(key, key - width, side="right"), last_row(starts(slot)))
        return found
    result = np.empty(len(time), np.intp)
    edges = np.append(np.flatnonzero(starts(slot)), len(time))
    for begin, end in itertools.pairwise(edges):
        passed = time[begin:end].astype(object)
        result[begin:end] = begin + np.searchsorted(passed, passed - width, side="right")
    return result


def running_min(values: Floats, start: Rows) -> Floats:
    """The least of values[start[i] : i + 1] for each i, NaN passed over; start[i] <= i.

    A table of minima over spans of 1, 2, 4, … rows answers each window with two look-ups.
    """
    rows = np.arange(len(values))
    table = np.where(np.isnan(values), np.inf, values)
    result = np.full(len(values), np.inf)
    level = np.frexp((rows - start + 1).astype(np.float64))[1] - 1
    for power in range(int(level.max(initial=-1)) + 1):
        here = level == power
        shift = 1 << power
        result[here] = np.minimum(table[start[here]], table[rows[here] - shift + 1])
        table = np.minimum(table, np.concatenate((table[shift:], np.full(min(shift, len(table)), np.inf))))
    result[np.isposinf(result)] = np.nan
    return result
