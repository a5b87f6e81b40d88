"""How well `unusual` finds what people labelled in the NAB series, by NAB's published scoring, standard profile.

A row told inside a labelled window counts once a window, the more the earlier: a sigmoid over the place in it. A row
told outside costs 0.11, less just behind a window, and a window missed costs 1. The first 15 % of a series (750 rows
at most) do not count. 0 is who tells nothing, 100 who tells every window with its first row and nothing else. One
threshold holds for all series; NAB picks the best one, we also show our own, and the one the other categories pick.

The series lie in ../shared/data, 21 of the 58 and 27 of the windows; a folder that is laid out as NAB's own repository
may be given instead: its data/ and labels/combined_windows.json.
"""

import csv
import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.measuring import ROOT, Figure, report
from cheng.kernel.columns import Bools, Floats, Rows, Times
from cheng.kernel.unusual import ROW, score

CLAIM = "Unusual readings: NAB score, standard profile, above 70.5"
SHARED = ROOT.parent / "shared" / "data"
GOAL = 70.5
TOLD = 0.5
FALSE, FIRST, FIRST_MOST = 0.11, 0.15, 750
PUBLISHED = "Published for all 58 series: ARTime 74.9, HTM 70.1, CAD-OSE 69.9, KNN-CAD 58.0, windowed Gaussian 39.7"
BESIDE = "On these 21, from their published rows: ARTime 81.0, HTM 72.5, CAD-OSE 69.1, KNN-CAD 48.7, Gaussian 25.0"


@dataclass
class Series:
    """One file: its rows, and what each is worth when it is told."""

    name: str
    time: Times
    value: Floats
    worth: Floats
    window: Rows
    """(n,) number of the window; -1 outside, -2 where nothing counts"""
    windows: int

    @property
    def category(self) -> str:
        return self.name.partition("/")[0]


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def place_worth(place: Floats) -> Floats:
    """What a place is worth, -1 the first row of a window, 0 the last, more than 0 behind it."""
    worth: Floats = 2 / (1 + np.exp(5 * np.minimum(place, 3.0))) - 1
    return np.where(place > 3, -1.0, worth)


def series(name: str, file: Path, labelled: list[list[str]]) -> Series:
    with file.open() as lines:
        rows = list(csv.reader(lines))[1:]
    time = np.array([moment(row[0]) for row in rows])
    n = len(rows)
    worth, window = np.full(n, -FALSE), np.full(n, -1)
    spans = [
        (int(np.flatnonzero(time == moment(a))[0]), int(np.flatnonzero(time == moment(b))[0])) for a, b in labelled
    ]
    for number, (first, last) in enumerate(spans):
        width = last - first + 1
        inside = np.arange(first, last + 1)
        worth[inside] = place_worth((inside - last - 1) / width) / place_worth(np.array([-1.0]))
        window[inside] = number
        behind = np.arange(last + 1, spans[number + 1][0] if number + 1 < len(spans) else n)
        worth[behind] = place_worth((behind - last) / (width - 1)) * FALSE
    window[: min(int(FIRST * n), FIRST_MOST)] = -2
    return Series(name, time, np.array([float(row[1]) for row in rows]), worth, window, len(spans))


def corpus(folder: Path | None) -> list[Series]:
    data = SHARED / "anomaly_nab" if folder is None else folder / "data"
    ours = SHARED / "split_labels/dev/nab_combined_windows.json"
    labels = ours if folder is None else folder / "labels/combined_windows.json"
    if not labels.is_file():
        raise SystemExit(f"the NAB series are not on this machine: {labels}")
    return [series(name, data / name, some) for name, some in sorted(json.loads(labels.read_bytes()).items())]


def scores(some: list[Series]) -> list[Floats]:
    """Each series by itself, as its readings would come."""
    return [score(np.zeros(1, ROW), np.zeros(len(one.time), np.intp), one.time, one.value) for one in some]


class Sweep:
    """What some series are worth together under every threshold."""

    def __init__(self, some: list[Series], told: list[Floats]) -> None:
        self.windows = sum(one.windows for one in some)
        order, worth, above = self._rows(some, told)
        total = np.empty(len(order))
        best: dict[int, float] = {}
        sum_ = -float(self.windows)
        for row, (window, gain) in enumerate(zip(order.tolist(), worth.tolist(), strict=True)):
            if window < 0:
                sum_ += gain
            elif gain > best.get(window, -1.0):
                sum_ += gain - best.get(window, -1.0)
                best[window] = gain
            total[row] = sum_
        last = np.append(above[1:] != above[:-1], True)[: len(above)]
        self.thresholds = np.append(np.inf, above[last])
        self.totals = np.append(-float(self.windows), total[last])

    @staticmethod
    def _rows(some: list[Series], told: list[Floats]) -> tuple[Rows, Floats, Floats]:
        """The rows that count, the highest score first: their window, worth and score."""
        windows, worths, above = [], [], []
        for number, (one, score_) in enumerate(zip(some, told, strict=True)):
            counts: Bools = one.window != -2
            windows.append(np.where(one.window >= 0, one.window + 1000 * number, -1)[counts])
            worths.append(one.worth[counts])
            above.append(score_[counts])
        window, worth, score_ = (np.concatenate(column) for column in (windows, worths, above))
        order = np.argsort(-score_, kind="stable")
        return window[order], worth[order], score_[order]

    def at(self, threshold: float) -> float:
        """The sum of all worths under a threshold."""
        return float(self.totals[np.searchsorted(-self.thresholds, -threshold, side="right") - 1])

    def best(self) -> float:
        """The threshold with the largest sum."""
        return float(self.thresholds[np.argmax(self.totals)])

    def normalised(self, total: float) -> float:
        return 100 * (total + self.windows) / (2 * self.windows)


def left_out(some: list[Series], told: list[Floats]) -> float:
    """The sum where each category is scored with the threshold that is best for the others."""
    total = 0.0
    for category in {one.category for one in some}:
        mine = [n for n, one in enumerate(some) if one.category == category]
        others = [n for n, one in enumerate(some) if one.category != category]
        threshold = Sweep([some[n] for n in others], [told[n] for n in others]).best()
        total += Sweep([some[n] for n in mine], [told[n] for n in mine]).at(threshold)
    return total


def line(one: Series, told: Floats) -> str:
    hit = told >= TOLD
    found = sum(bool(hit[one.window == number].any()) for number in range(one.windows))
    false = int(hit[one.window == -1].sum())
    return f"{one.name:58} {found} of {one.windows} windows, {false} told outside, {Sweep([one], [told]).at(TOLD):6.2f}"


def main() -> None:
    some = corpus(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    scores(some[:1])
    began = time.process_time()
    told = scores(some)
    seconds = time.process_time() - began
    print("\n".join(line(one, score_) for one, score_ in zip(some, told, strict=True)))
    sweep = Sweep(some, told)
    best = sweep.normalised(float(sweep.totals.max()))
    ours, others = sweep.normalised(sweep.at(TOLD)), sweep.normalised(left_out(some, told))
    what = f"{len(some)} series, {sweep.windows} windows"
    note = f"threshold {sweep.best():.3f}; {sum(len(one.time) for one in some)} readings in {seconds:.2f} CPU s"
    print(PUBLISHED, BESIDE, sep="\n")
    report(
        Figure(f"NAB score, best threshold, {what}", f"> {GOAL}", "", [best], best > GOAL, note),
        Figure(f"NAB score, the threshold of our guides, {TOLD}", f"> {GOAL}", "", [ours], ours > GOAL),
        Figure("NAB score, each category by the threshold of the others", f"> {GOAL}", "", [others], others > GOAL),
    )


if __name__ == "__main__":
    main()
