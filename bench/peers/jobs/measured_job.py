"""What the jobs of Python peers share; they run in the peers' environments and know nothing of ours."""

import json
import resource
import sys
import time

LIMIT = 80.0
HOLD = 60_000
"""Milliseconds."""


def cpu():
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in used)


def measured(judge, prepare=None):
    """Runs `judge(file, lateness in seconds, state)`, which gives the alerting things, and tells what it took.

    What `prepare(file)` makes is the state; its time does not count.
    Arguments: NDJSON, where the alerting things are written, one a line, and the lateness.
    """
    source, target, lateness = sys.argv[1:4]
    state = [prepare(source)] if prepare else []
    before, start = cpu(), time.perf_counter()
    alerts = judge(source, int(lateness), *state)
    told = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu() - before}
    with open(target, "w", encoding="utf-8") as file:
        file.writelines(f"{thing}\n" for thing in alerts)
    print(json.dumps(told), flush=True)
