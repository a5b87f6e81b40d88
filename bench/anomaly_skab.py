"""How `unusual` does on a water loop with faults put in: SKAB, eight sensors at 1 Hz, each row labelled.

The leaderboard's measures over all rows of all files: FAR is the share of sound rows that are told, MAR that of faulty
rows that are not. As there, the first 400 rows of a file, which are sound, are for learning: nothing is told in them.
`unusual` tells what begins, once, and its alert is taken to stand for a while: the rates depend on how long.
"""

import csv
from pathlib import Path

import numpy as np

from bench.anomaly_nab import SHARED, TOLD, moment
from bench.measuring import Figure, report
from cheng.kernel.columns import Bools
from cheng.kernel.unusual import ROW, score

CLAIM = "Unusual readings: false and missed alarms on SKAB's water loop"
LEARNING = 400
STANDS = (180, 600)
"""Seconds, which are rows."""
PUBLISHED = (
    "published, FAR / MAR on all 35 files, trained: T²+Q 5.1 / 86.1, isolation forest 6.9 / 72.1, "
    "autoencoder 7.6 / 66.6, T² 12.1 / 52.6, LSTM 14.4 / 40.4"
)


def told(file: Path) -> tuple[Bools, Bools]:
    """(n,) rows at which any of the sensors told something, and the truth."""
    with file.open() as lines:
        rows = list(csv.reader(lines, delimiter=";"))
    names = rows[0]
    time = np.array([moment(row[0]) for row in rows[1:]])
    sensors = [column for column, name in enumerate(names) if name not in ("datetime", "anomaly", "changepoint")]
    begins = np.zeros(len(time), np.bool_)
    for column in sensors:
        value = np.array([float(row[column]) for row in rows[1:]])
        begins |= score(np.zeros(1, ROW), np.zeros(len(time), np.intp), time, value) >= TOLD
    begins[:LEARNING] = False
    truth = np.array([float(row[names.index("anomaly")]) > 0 for row in rows[1:]])
    return begins, truth


def standing(begins: Bools, rows: int) -> Bools:
    """Where something was told within the last rows."""
    total = np.concatenate((np.zeros(rows, np.intp), np.cumsum(begins)))
    found: Bools = np.greater(total[rows:], total[:-rows])
    return found


def main() -> None:
    files = [file for kind in ("valve1", "other") for file in sorted((SHARED / "anomaly_skab" / kind).glob("*.csv"))]
    if not files:
        raise SystemExit("the SKAB files are not on this machine: ../shared/data/anomaly_skab")
    runs = [told(file) for file in files]
    truth = np.concatenate([true for _, true in runs])
    figures = []
    for rows in STANDS:
        stands = np.concatenate([standing(begins, rows) for begins, _ in runs])
        far, mar = 100 * float(stands[~truth].mean()), 100 * float((~stands[truth]).mean())
        name = f"an alert stands {rows} s"
        figures.append(Figure(f"FAR, {name}", "", "%", [far], True))
        figures.append(Figure(f"MAR, {name}", "", "%", [mar], True, PUBLISHED))
    found = sum(bool(begins[true].any()) for begins, true in runs)
    false = sum(int((begins & ~true).sum()) for begins, true in runs) / (float((~truth).sum()) / 3600)
    figures.append(
        Figure(f"faults told, of {len(runs)}", "", "", [found], True, f"{false:.0f} rows an hour told without one")
    )
    report(*figures)


if __name__ == "__main__":
    main()
