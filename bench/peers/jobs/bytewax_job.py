"""Above 80 for at least 60 s as a Bytewax dataflow: lines in batches, then a step with a state for each thing.

Without a lateness readings are judged in order of arrival. With one they go through a session window that is never
over: its clock is the event time, so it hands readings on in order once the watermark has passed them.
"""

import itertools
import math
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
import bytewax.operators.windowing as windows
import orjson
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from measured_job import HOLD, LIMIT, measured

BATCH = 1000


class Lines(FixedPartitionedSource, StatefulSourcePartition):
    def __init__(self, path):
        self.path, self.file = path, None

    def list_parts(self):
        return ["only"]

    def build_part(self, step_id, for_part, resume_state):
        self.file = open(self.path, "rb")  # noqa: SIM115  # read until the process ends
        return self

    def next_batch(self):
        lines = list(itertools.islice(self.file, BATCH))
        if not lines:
            raise StopIteration
        return lines

    def snapshot(self):
        return self.file.tell()


def decode(lines):
    readings = []
    for line in lines:
        try:
            said = orjson.loads(line)
            thing, value = said["id"], said["value"]
            if isinstance(thing, str) and isinstance(value, float | int) and math.isfinite(value):
                readings.append((thing, (int(said["time"]), value)))
        except (ValueError, KeyError, TypeError):
            continue
    return readings


class Above(StatefulBatchLogic, windows.WindowLogic):
    """Since when a thing is above the limit; infinity once it was told."""

    def __init__(self):
        self.since = None

    def on_batch(self, values):
        return [alert for reading in values for alert in self.on_value(reading)], StatefulBatchLogic.RETAIN

    def on_value(self, reading):
        time, value = reading
        if value <= LIMIT:
            self.since = None
        elif self.since is None:
            self.since = time
        elif time - self.since >= HOLD:
            self.since = math.inf
            return (time,)
        return ()

    def on_merge(self, original):
        return ()

    def on_close(self):
        return ()

    def snapshot(self):
        return self.since


class Kept(DynamicSink, StatelessSinkPartition):
    def __init__(self, alerts):
        self.alerts = alerts

    def build(self, step_id, worker_index, worker_count):
        return self

    def write_batch(self, items):
        self.alerts.extend(thing for thing, _ in items)


def flow(path, lateness, alerts):
    made = Dataflow("above")
    readings = op.flat_map_batch("decode", op.input("lines", made, Lines(path)), decode)
    if lateness:
        began = datetime.now(UTC)
        clock = windows.EventClock(
            lambda reading: datetime.fromtimestamp(reading[0] / 1000, UTC),
            timedelta(seconds=lateness),
            now_getter=lambda: began,
            to_system_utc=lambda _: None,
        )
        endless = windows.SessionWindower(timedelta(days=1))
        found = windows.window("judge", readings, clock, endless, lambda _: Above()).down
    else:
        found = op.stateful_batch("judge", readings, lambda _: Above())
    op.output("alerts", found, Kept(alerts))
    return made


def judge(path, lateness):
    alerts = []
    run_main(flow(path, lateness, alerts))
    return alerts


measured(judge)
