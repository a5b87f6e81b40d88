"""A year of one thing that reports every second, drawn in 1,000 points: only the pages that matter are opened.

Argument: --days (365 for the claim; less for a short run).
"""

import argparse
import time

import numpy as np

from bench.measuring import Figure, folder, report
from cheng.infrastructure.history import History
from cheng.kernel.observations import Batch

CLAIM = "A chart of a year of seconds is there in ≤ 100 ms"
LONG = "--days 365"
SECOND, DAY = 1_000_000, 86_400
BATCH = 262_144
POINTS, ASKED = 1_000, 9


def values_of(second: np.ndarray) -> np.ndarray:
    """A day's course and some unrest, one decimal."""
    unrest = (second * 2_654_435_761 % 1_000) / 1_000 - 0.5
    found: np.ndarray = np.round(15 + 10 * np.sin(second / DAY * 2 * np.pi) + unrest, 1)
    return found


def filled(history: History, seconds: int) -> None:
    for first in range(0, seconds, BATCH):
        second = np.arange(first, min(first + BATCH, seconds))
        none = np.zeros(len(second), np.int32)
        history.append(Batch.of(none, none, second * SECOND, values_of(second)))
    history.compact()


def right(series: np.ndarray, seconds: int) -> bool:
    """Are the least and the greatest of each stretch there?"""
    value = values_of(np.arange(seconds))
    stretch = (np.arange(seconds) / (((seconds - 1) * SECOND + 1) / (POINTS // 2) / SECOND)).astype(int)
    begins = np.flatnonzero(np.append(True, stretch[1:] != stretch[:-1]))
    edges = np.stack([np.minimum.reduceat(value, begins), np.maximum.reduceat(value, begins)], 1)
    return sorted(series.tolist()) == sorted(edges.ravel().tolist())


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--days", type=int, default=60)
    seconds = words.parse_args().days * DAY
    with folder() as place:
        history = History(place, fsync=False)
        try:
            filled(history, seconds)
            took = []
            for _ in range(ASKED):
                start = time.perf_counter()
                series = history.series(0, 0, 0, seconds * SECOND, POINTS)
                took.append((time.perf_counter() - start) * 1000)
            if not right(series["value"].to_numpy(), seconds):
                raise SystemExit("the chart is not that of the readings")
        finally:
            history.close()
    claim = f"{seconds:,} readings of one thing, a second apart, as {POINTS:,} points"
    report(Figure(claim, "≤ 100 ms", "ms", took, sorted(took)[ASKED // 2] <= 100))


if __name__ == "__main__":
    main()
