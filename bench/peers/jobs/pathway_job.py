"""Above 80 for at least 60 s with Pathway: one static commit, sorted by event time, judged by a subscriber."""

import math

import pathway as pw
from measured_job import HOLD, LIMIT, measured


class Reading(pw.Schema):
    thing: str
    time: int
    value: float


def judge(path, lateness):
    """Lines that do not fit the schema are logged by Pathway and left out; of the lateness it has no need."""
    alerts, since = [], {}

    def change(key, row, time, is_addition):
        thing = row["thing"]
        if row["value"] <= LIMIT:
            since.pop(thing, None)
        elif row["time"] - since.setdefault(thing, row["time"]) >= HOLD:
            since[thing] = math.inf
            alerts.append(thing)

    readings = pw.io.jsonlines.read(path, schema=Reading, mode="static", json_field_paths={"thing": "/id"})
    pw.io.subscribe(readings, on_change=change, sort_by=[readings.time])
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return alerts


measured(judge)
