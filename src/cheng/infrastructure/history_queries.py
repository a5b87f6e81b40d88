"""The questions history answers, each over one snapshot: hot table, tail, segments and rolled-up readings.

Texts of SQL are fixed; what a caller asks travels in parameters only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from cheng.infrastructure.history_base import Base, Snapshot
from cheng.infrastructure.history_segments import DAY
from cheng.infrastructure.history_tail import EVENTS, READINGS, events_of, readings_of
from cheng.kernel.observations import BAD, Batch

FOREVER = 1 << 61
"""microseconds; times beyond are cut to it, so that differences stay within 64 bits"""
BAD_MARKS = int(BAD)
COLUMNS = "SELECT seq, thing, attr, time, value, latitude, quality"
LATEST = pa.schema([*list(READINGS)[1:], READINGS.field("seq")])
SERIES = pa.schema(
    [("time", pa.int64()), ("value", pa.float64()), ("latitude", pa.float64()), ("quality", pa.uint16())]
)
BUCKETS = pa.schema(
    [("bucket", pa.int64()), ("count", pa.int64())] + [(name, pa.float64()) for name in ("min", "max", "mean", "last")]
)

ONE_OF_EACH = "QUALIFY row_number() OVER (PARTITION BY thing, attr, time ORDER BY seq) = 1"
ONE_POINT = "QUALIFY row_number() OVER (PARTITION BY time ORDER BY seq) = 1"
ORDERED = "ORDER BY thing, time, seq"
ARRIVED = "ORDER BY time, seq"

RAW_POINTS = "SELECT time, seq, value, latitude, quality FROM source"
ROLLED_POINTS = """UNION ALL SELECT time, -1 AS seq, total / count AS value, latitude, 0::USMALLINT AS quality
FROM rollups WHERE thing = $thing AND attr = $attr AND time >= $start AND time < $end"""
ALL_POINTS = "SELECT time, value, latitude, quality FROM points ORDER BY time, seq"
FEWER_POINTS = """, span AS (SELECT min(time) AS low, max(time) - min(time) + 1 AS width, count(*) AS n FROM points),
ends AS (
    SELECT unnest([
        arg_min({'time': time, 'value': value, 'latitude': latitude, 'quality': quality, 'seq': seq}, number),
        arg_max({'time': time, 'value': value, 'latitude': latitude, 'quality': quality, 'seq': seq}, number)]) AS pick
    FROM (SELECT *, nullif(value, 'NaN'::DOUBLE) AS number FROM points), span
    WHERE n > $points
    GROUP BY floor((time - low)::DOUBLE / width * $halves)
)
SELECT time, value, latitude, quality FROM (
    SELECT DISTINCT pick.time AS time, pick.value AS value, pick.latitude AS latitude, pick.quality AS quality,
        pick.seq AS seq FROM ends WHERE pick IS NOT NULL
    UNION ALL SELECT time, value, latitude, quality, seq FROM points, span WHERE n <= $points
) ORDER BY time, seq"""

RAW_BUCKETS = """SELECT $start + (time - $start) // $width * $width AS bucket, 1::BIGINT AS n, value AS low,
value AS high, value AS total, value AS final, time AS moment, seq FROM source WHERE NOT isnan(value)"""
ROLLED_BUCKETS = """UNION ALL SELECT $start + (time - $start) // $width * $width, count, low, high, total, last,
last_time, last_seq FROM rollups WHERE thing = $thing AND attr = $attr AND time >= $start AND time < $end"""
BUCKETED = """SELECT bucket, sum(n)::BIGINT AS count, min(low) AS min, max(high) AS max, sum(total) / sum(n) AS mean,
arg_max(final, {'moment': moment, 'seq': seq}) AS last FROM parts GROUP BY bucket ORDER BY bucket"""

LATEST_OF = """SELECT thing, attr, time, value, latitude, quality, seq FROM (
    SELECT thing, attr, bad, time, seq, value, latitude, quality FROM latest
    UNION ALL
    SELECT thing, attr, (quality & $bad) <> 0, time, seq, value, latitude, quality FROM source
) WHERE ($any OR attr = $attr) AND NOT (bad AND $good)
QUALIFY row_number() OVER (PARTITION BY thing, attr ORDER BY time DESC, seq DESC) = 1 ORDER BY thing, attr"""

DAYS = "SELECT DISTINCT (time - ((time % $day) + $day) % $day) // $day AS day FROM source ORDER BY day"


@dataclass(slots=True)
class Ask:
    """What a query is about. `start` is inside, `end` is not; None means every thing, every attribute."""

    start: int = -FOREVER
    end: int = FOREVER
    things: Sequence[int] | None = None
    attrs: Sequence[int] | None = None
    good_only: bool = False
    segments: bool = True
    params: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start, self.end = max(self.start, -FOREVER), min(self.end, FOREVER)
        self.things = None if self.things is None else [int(thing) for thing in self.things]
        self.attrs = None if self.attrs is None else [int(attr) for attr in self.attrs]

    def condition(self) -> str:
        """The WHERE of every part of the source; fills `params`."""
        parts = ["WHERE time >= $start AND time < $end"]
        self.params |= {"start": self.start, "end": self.end}
        if self.things is not None:
            parts.append("AND thing = $thing" if len(self.things) == 1 else "AND thing IN $things")
            self.params |= {"thing": self.things[0]} if len(self.things) == 1 else {"things": list(self.things)}
        if self.attrs is not None:
            parts.append("AND attr = $attr" if len(self.attrs) == 1 else "AND attr IN $attrs")
            self.params |= {"attr": self.attrs[0]} if len(self.attrs) == 1 else {"attrs": list(self.attrs)}
        if self.good_only:
            parts.append("AND (quality & $bad) = 0")
            self.params["bad"] = BAD_MARKS
        return " ".join(parts)


def source(base: Base, snapshot: Snapshot, ask: Ask) -> str:
    """`WITH source AS (…)`: every reading of the snapshot that `ask` is about, once."""
    where = ask.condition()
    parts = [COLUMNS, "FROM readings", where]
    held = readings_of(snapshot.chunks, ask.start, ask.end, ask.things, ask.attrs)
    if held.num_rows:
        snapshot.cursor.register("held", held)
        parts += ["UNION ALL", COLUMNS, "FROM held", where]
    wanted = [one for one in snapshot.segments if one.may_hold(ask.start, ask.end, ask.things, ask.attrs)]
    files = base.files(wanted) if ask.segments else []
    if files:
        ask.params["files"] = files
        parts += ["UNION ALL", COLUMNS, "FROM read_parquet($files)", where]
    return " ".join(["WITH source AS (", *parts, ")"])


def _table(snapshot: Snapshot, params: dict[str, Any], *sql: str) -> pa.Table:
    return snapshot.cursor.sql("\n".join(sql), params=params).to_arrow_table()


def readings(base: Base, ask: Ask, limit: int | None, dedupe: bool) -> pa.Table:
    """Table of `READINGS`, by thing, time and number."""
    if ask.things == [] or ask.attrs == []:
        return READINGS.empty_table()
    with base.snapshot() as snapshot:
        parts = [source(base, snapshot, ask), COLUMNS, "FROM source", ONE_OF_EACH if dedupe else "", ORDERED]
        if limit is not None:
            parts.append("LIMIT $limit")
            ask.params["limit"] = limit
        return _table(snapshot, ask.params, *parts).cast(READINGS)


def series(base: Base, ask: Ask, points: int | None) -> pa.Table:
    """Table of `SERIES` by time; with `points`, about that many: the least and the greatest of each stretch."""
    with base.snapshot() as snapshot:
        parts = [source(base, snapshot, ask), ", points AS (", RAW_POINTS, ONE_POINT]
        if snapshot.rolled_up:
            parts.append(ROLLED_POINTS)
        parts.append(")")
        if points is None:
            parts.append(ALL_POINTS)
        else:
            parts.append(FEWER_POINTS)
            ask.params |= {"points": points, "halves": max(1, points // 2)}
        return _table(snapshot, ask.params, *parts).cast(SERIES)


def buckets(base: Base, ask: Ask, width: int) -> pa.Table:
    """Table of `BUCKETS`; buckets are `width` long and counted from `ask.start`; empty ones are left out."""
    with base.snapshot() as snapshot:
        parts = [source(base, snapshot, ask), ", parts AS (", RAW_BUCKETS]
        parts += [ROLLED_BUCKETS] if snapshot.rolled_up else []
        ask.params["width"] = width
        return _table(snapshot, ask.params, *parts, ")", BUCKETED).cast(BUCKETS)


def latest(base: Base, attr: int | None, good_only: bool) -> pa.Table:
    """Table of `LATEST`: the last reading of every thing and attribute, also of those that are only in segments."""
    ask = Ask(attrs=None if attr is None else [attr], segments=False)
    with base.snapshot() as snapshot:
        head = source(base, snapshot, ask)
        ask.params |= {"bad": BAD_MARKS, "any": attr is None, "attr": -1 if attr is None else attr, "good": good_only}
        return _table(snapshot, ask.params, head, LATEST_OF).cast(LATEST)


def events(base: Base, types: Sequence[int] | None, start: int, end: int, limit: int | None) -> pa.Table:
    """Table of `EVENTS` by time and number."""
    if types is not None and not len(types):
        return EVENTS.empty_table()
    params: dict[str, Any] = {"start": max(start, -FOREVER), "end": min(end, FOREVER)}
    where = "WHERE time >= $start AND time < $end"
    if types is not None:
        params["types"] = [int(one) for one in types]
        where += " AND type IN $types"
    parts = ["SELECT * FROM events", where]
    with base.snapshot() as snapshot:
        held = events_of(snapshot.chunks)
        if held.num_rows:
            snapshot.cursor.register("happened", held)
            parts += ["UNION ALL SELECT * FROM happened", where]
        parts.append(ARRIVED)
        if limit is not None:
            params["limit"] = limit
            parts.append("LIMIT $limit")
        return _table(snapshot, params, *parts).cast(EVENTS)


def scan(base: Base, ask: Ask, rows: int) -> Iterator[Batch]:
    """Readings by time and number in batches of at most `rows`, day after day, so that memory stays bounded."""
    if ask.attrs == [] or ask.things == []:
        return
    with base.snapshot() as snapshot:
        head = source(base, snapshot, ask)
        days = snapshot.cursor.sql("\n".join([head, DAYS]), params=ask.params | {"day": DAY}).fetchall()
        for (day,) in days:
            start, end = max(ask.start, day * DAY), min(ask.end, (day + 1) * DAY)
            part = Ask(start, end, ask.things, ask.attrs, ask.good_only)
            sql = "\n".join([source(base, snapshot, part), COLUMNS, "FROM source", ARRIVED])
            for batch in snapshot.cursor.sql(sql, params=part.params).to_arrow_reader(rows):
                if batch.num_rows:
                    yield batch_of(batch)


def batch_of(rows: pa.RecordBatch | pa.Table) -> Batch:
    """The columns of a table of `READINGS` as a batch; the sequence numbers are left behind."""
    names = ("thing", "attr", "time", "value", "latitude", "quality")
    thing, attr, time, value, latitude, quality = (np.asarray(rows.column(name)) for name in names)
    return Batch(thing, attr, time, value, latitude, quality)
