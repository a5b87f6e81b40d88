"""river's half-space trees over readings: argument a file with one reading a line; prints seconds and CPU seconds."""

import json
import sys
import time
from pathlib import Path

from river import anomaly

values = [float(line) for line in Path(sys.argv[1]).read_text().split()]
low, high = min(values), max(values)
rows = [{"value": (value - low) / (high - low or 1.0)} for value in values]  # it wants 0 to 1
trees = anomaly.HalfSpaceTrees(seed=1)
wall, cpu = time.perf_counter(), time.process_time()
for row in rows:
    trees.score_one(row)
    trees.learn_one(row)
print(json.dumps({"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}))
