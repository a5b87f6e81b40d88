"""How fast `unusual` is, beside river's half-space trees on the same readings in the same run, one core each.

Both take one reading after the other, score it, then learn from it. Argument: rounds.
"""

import json
import sys
import time

import numpy as np

from bench.anomaly_nab import corpus
from bench.measuring import Figure, folder, report
from bench.peers.lane import HOMES
from bench.peers.streams import JOBS, python, run, venv
from cheng.kernel.columns import Floats, Times
from cheng.kernel.unusual import ROW, score

CLAIM = "Unusual readings: readings scored a second, ten times river's half-space trees"
PEERS = True
RIVER = "0.26.1"
READINGS = 20_000
"""For river, out of the same series: it needs a while."""
GOAL = 10


def ours(times: Times, values: Floats) -> float:
    """CPU seconds for all readings as one series."""
    began = time.process_time()
    score(np.zeros(1, ROW), np.zeros(len(values), np.intp), times, values)
    return time.process_time() - began


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    home = HOMES / "river"
    home.mkdir(parents=True, exist_ok=True)
    venv(home, f"river=={RIVER}")
    series = max(corpus(None), key=lambda one: len(one.time))
    many = -(-READINGS // len(series.value))
    value = np.tile(series.value, many)[:READINGS]
    step = int(np.median(np.diff(series.time)))
    times = series.time[0] + step * np.arange(len(value) * 50)
    ours(times[:100], value[:100])
    mine, theirs = [], []
    with folder() as room:
        (room / "values").write_text("\n".join(map(str, value.tolist())))
        for _ in range(rounds):
            said = json.loads(run([str(python(home)), str(JOBS / "river_job.py"), str(room / "values")]))
            theirs.append(READINGS / said["cpu_seconds"])
            mine.append(len(times) / ours(times, np.tile(value, 50)))
    ratio = [one / other for one, other in zip(mine, theirs, strict=True)]
    note = f"{series.name}; one core, by CPU seconds; {ROW.itemsize} bytes a series"
    report(
        Figure("readings scored and learned", "", "readings/CPU s", mine, True, note),
        Figure(f"the same by river {RIVER}, HalfSpaceTrees", "", "readings/CPU s", theirs, True),
        Figure("ratio", f"≥ {GOAL}×", "×", ratio, min(ratio) >= GOAL),
        Figure("CPU seconds for a million readings", "", "s", [1e6 / rate for rate in mine], True),
    )


if __name__ == "__main__":
    main()
