"""Settling: what becomes of readings as they age. Each step is one transaction, and readers see before or after.

Finished days leave the hot table for segments of their own. Days with few readings, and readings that come late,
share `mixed` segments, so that a clock gone mad does not make a file for every day of a century. Four small
segments of a kind become one. Expired readings are rolled up into buckets, or simply go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from cheng.infrastructure.history_base import Base
from cheng.infrastructure.history_queries import BAD_MARKS
from cheng.infrastructure.history_segments import DAY, Segment, Writer, salvage
from cheng.standards.durations import Duration, hours

HOUR = hours(1)
SORTED = "ORDER BY attr, thing, time, seq"
COLUMNS = "SELECT seq, thing, attr, time, value, latitude, quality"
SETTLED = "(time < $cutoff OR seq < $threshold)"
PER_DAY = "SELECT (time - ((time % $day) + $day) % $day) // $day AS day, count(*) FROM readings"
REMEMBER = """CREATE OR REPLACE TEMP TABLE fresh AS
SELECT thing, attr, bad, time, seq, value, latitude, quality FROM (
    FROM latest UNION ALL
    SELECT thing, attr, (quality & $bad) <> 0 AS bad, time, seq, value, latitude, quality FROM readings"""
NEWEST = ") QUALIFY row_number() OVER (PARTITION BY thing, attr, bad ORDER BY time DESC, seq DESC) = 1"
ROLL_UP = """INSERT INTO rollups
SELECT attr, thing, time - ((time % width) + width) % width AS start, width, count(*), min(value), max(value),
    sum(value), arg_max(value, {'time': time, 'seq': seq}), arg_max(latitude, {'time': time, 'seq': seq}),
    max(time), arg_max(seq, {'time': time, 'seq': seq})
FROM source JOIN expiry USING (attr)
WHERE time < before AND width > 0 AND (quality & $bad) = 0 AND NOT isnan(value)
GROUP BY ALL"""
EXPIRED = "EXISTS (SELECT 1 FROM expiry WHERE expiry.attr = source.attr AND source.time < expiry.before)"
HOT_EXPIRED = "EXISTS (SELECT 1 FROM expiry WHERE expiry.attr = readings.attr AND readings.time < expiry.before)"


@dataclass(frozen=True, slots=True)
class Shape:
    """When and how readings settle."""

    hot_rows: int = 4_000_000
    """more than so many in the hot table, and the older half settles before its day is over"""
    segment_rows: int = 4_000_000
    """the largest segment"""
    day_rows: int = 65_536
    """a day with fewer shares a segment with others"""
    group_rows: int = 65_536
    """rows in a row group"""
    fan: int = 4
    """so many small segments become one"""
    grace: Duration = HOUR
    """a day is finished so long after its end"""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long an attribute is kept: its readings, and after that their buckets. None is for ever."""

    raw: Duration | None = None
    width: Duration | None = None
    """of the buckets expired readings are rolled up into; None: they go without"""
    rolled: Duration | None = None
    """age at which the buckets go as well"""


class Settling:
    """Compaction, mending and retention over one `Base`; one caller at a time, readers and ingest go on."""

    def __init__(self, base: Base, shape: Shape) -> None:
        self.base, self.shape = base, shape
        self.writer = Writer(base.folder, base.disk, largest=shape.segment_rows, group=shape.group_rows)

    def compact(self, now: int) -> int:
        """Moves what is settled at `now` into segments, then merges and mends them; the number of rows moved."""
        with self.base.changing:
            self.base.flush()
            rule = {"cutoff": (now - self.shape.grace.us) // DAY * DAY, "threshold": self._threshold()}
            moved = 0
            for day, count in self._settled_days(rule):
                if count >= self.shape.day_rows:
                    own = {"low": day * DAY, "high": (day + 1) * DAY}
                    moved += self._move(f"{SETTLED} AND time >= $low AND time < $high", rule | own, day)
            moved += self._move(SETTLED, rule, None)
            self._merge_all()
            self._mend_all()
            return moved

    def _threshold(self) -> int:
        with self.base.cursor() as cursor:
            (row,) = cursor.execute("SELECT count(*), max(seq) FROM readings").fetchall()
        return row[1] - self.shape.hot_rows // 2 if row[0] > self.shape.hot_rows else -1

    def _settled_days(self, rule: dict[str, int]) -> list[tuple[int, int]]:
        sql = "\n".join([PER_DAY, "WHERE", SETTLED, "GROUP BY ALL ORDER BY day"])
        with self.base.cursor() as cursor:
            return cursor.execute(sql, rule | {"day": DAY}).fetchall()

    def _move(self, condition: str, rule: dict[str, int], day: int | None) -> int:
        with self.base.change() as change:
            sql = "\n".join([COLUMNS, "FROM readings WHERE", condition, SORTED])
            reader = change.cursor.sql(sql, params=rule).to_arrow_reader(self.shape.group_rows)
            change.added += self.writer.write(reader, day)
            if change.added:
                _remember(change.cursor, condition, rule)
                change.cursor.execute(" ".join(["DELETE FROM readings WHERE", condition]), rule)
            return sum(segment.rows for segment in change.added)

    def _merge_all(self) -> None:
        while group := self._mergeable():
            with self.base.change() as change:
                files = self.base.files(group)
                if len(files) < len(group):
                    continue  # one is damaged: it is mended first, and no longer counts as mergeable
                sql = "\n".join([COLUMNS, "FROM read_parquet($files)", SORTED])
                reader = change.cursor.sql(sql, params={"files": files}).to_arrow_reader(self.shape.group_rows)
                change.added += self.writer.write(reader, group[0].day)
                change.removed += group

    def _mergeable(self) -> list[Segment]:
        """The smallest segments of a day, or of mixed days, if there are enough small ones."""
        kinds: dict[int | None, list[Segment]] = {}
        for segment in self.base.segments:
            if segment.rows < self.shape.segment_rows and segment.name not in self.base.broken:
                kinds.setdefault(segment.day, []).append(segment)
        for group in kinds.values():
            if len(group) >= self.shape.fan:
                smallest = sorted(group, key=lambda segment: segment.rows)[: self.shape.fan]
                if sum(segment.rows for segment in smallest) <= self.shape.segment_rows:
                    return smallest
        return []

    def _mend_all(self) -> None:
        """Replaces damaged segments by what can still be read of them; the damaged file is kept aside."""
        aside = self.base.directory / "damaged"
        for segment in self.base.segments:
            if segment.name in self.base.broken:
                path = self.base.folder / segment.name
                with self.base.change() as change:
                    change.added += self.writer.write(salvage(path, segment, self.shape.group_rows), segment.day)
                    change.removed.append(segment)
                    _keep_aside(path, aside)

    def retain(self, policy: Mapping[int, Keep | Duration | int], now: int) -> int:
        """Rolls up or drops readings older than their attribute is kept, by whole UTC days; the number dropped."""
        rules = {attr: keep if isinstance(keep, Keep) else Keep(_duration(keep)) for attr, keep in policy.items()}
        expiry = {attr: (now - keep.raw.us) // DAY * DAY for attr, keep in rules.items() if keep.raw is not None}
        widths = [keep.width.us if keep.width else 0 for attr, keep in rules.items() if attr in expiry]
        table = pa.table(
            {
                "attr": pa.array(list(expiry), pa.int32()),
                "before": pa.array(list(expiry.values()), pa.int64()),
                "width": pa.array(widths, pa.int64()),
            }
        )
        with self.base.changing:
            self.base.flush()
            dropped = self._expire_hot(table) if expiry else 0
            for segment in self.base.segments:
                if any(expiry.get(attr, segment.time_first) > segment.time_first for attr in segment.attrs):
                    dropped += self._expire(segment, table)
            self._expire_rollups(rules, now)
        return dropped

    def _expire_hot(self, expiry: pa.Table) -> int:
        with self.base.change() as change:
            cursor = change.cursor
            cursor.register("expiry", expiry)
            _remember(cursor, HOT_EXPIRED, {})
            cursor.execute(" ".join(["WITH source AS (FROM readings)", ROLL_UP]), {"bad": BAD_MARKS})
            (row,) = cursor.execute(" ".join(["DELETE FROM readings WHERE", HOT_EXPIRED])).fetchall()
            change.rolled_up = row[0] > 0
            return int(row[0])

    def _expire(self, segment: Segment, expiry: pa.Table) -> int:
        files = self.base.files([segment])
        if not files:
            return 0
        with self.base.change() as change:
            change.cursor.register("expiry", expiry)
            source = "WITH source AS (SELECT * FROM read_parquet($files))"
            params: dict[str, Any] = {"files": files}
            change.cursor.execute(" ".join([source, ROLL_UP]), params | {"bad": BAD_MARKS})
            sql = " ".join([source, COLUMNS, "FROM source WHERE NOT", EXPIRED, SORTED])
            reader = change.cursor.sql(sql, params=params).to_arrow_reader(self.shape.group_rows)
            change.added += self.writer.write(reader, segment.day)
            change.removed.append(segment)
            change.rolled_up = True
            return segment.rows - sum(one.rows for one in change.added)

    def _expire_rollups(self, rules: Mapping[int, Keep], now: int) -> None:
        with self.base.cursor() as cursor:
            for attr, keep in rules.items():
                if keep.rolled is not None:
                    cursor.execute("DELETE FROM rollups WHERE attr = ? AND time < ?", [attr, now - keep.rolled.us])


def _remember(cursor: duckdb.DuckDBPyConnection, condition: str, rule: dict[str, int]) -> None:
    """Readings are about to leave the hot table: keeps the last of each thing and attribute."""
    cursor.execute(" ".join([REMEMBER, "WHERE", condition, NEWEST]), rule | {"bad": BAD_MARKS})
    cursor.execute("DELETE FROM latest")
    cursor.execute("INSERT INTO latest FROM fresh")


def _keep_aside(path: Path, aside: Path) -> None:
    if path.exists():
        aside.mkdir(exist_ok=True)
        target = aside / path.name
        target.unlink(missing_ok=True)
        target.hardlink_to(path)


def _duration(keep: Duration | int) -> Duration:
    return keep if isinstance(keep, Duration) else Duration(keep / 1_000_000, "second")
