"""Settling: what becomes of segments as they age. Each step replaces whole files, and readers see before or after.

Neighbours of like size become one, so that a reading is written anew only as often as the history has grown by the
factor `fan`. Expired readings are rolled up into buckets, or simply go. What is damaged is mended.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cheng.infrastructure.history_base import Base, following
from cheng.infrastructure.history_packing import KEY
from cheng.infrastructure.history_reading import in_order, tables, within
from cheng.infrastructure.history_rows import Ask, Rows
from cheng.infrastructure.history_segments import EVENTS, KINDS, LAST, ROLLED, Segment, Writer
from cheng.infrastructure.history_tables import last_of_each, merged_parts, rolled_up
from cheng.standards.durations import Duration

DAY = 86_400_000_000
"""microseconds"""


@dataclass(frozen=True, slots=True)
class Shape:
    """How segments grow."""

    segment_rows: int = 8_388_608
    """the largest segment a merge makes"""
    fan: int = 8
    """so many neighbours of like size become one"""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long an attribute is kept: its readings, and after that their buckets. None is for ever."""

    raw: Duration | None = None
    width: Duration | None = None
    """of the buckets expired readings are rolled up into; None: they go without"""
    rolled: Duration | None = None
    """age at which the buckets go as well"""


@dataclass(slots=True)
class Limits:
    """What expires, by attribute number: readings and roll-ups before a time, with the width of their buckets."""

    before: npt.NDArray[np.int64]
    width: npt.NDArray[np.int64]
    rolled: npt.NDArray[np.int64]
    events: int

    @classmethod
    def of(cls, policy: Mapping[int, Keep], events: Duration | None, now: int) -> "Limits":
        size = max(policy, default=-1) + 2  # the last entry is for attributes beyond: nothing expires
        limits = cls(np.full(size, NEVER), np.zeros(size, np.int64), np.full(size, NEVER), NEVER)
        for attr, keep in policy.items():
            if keep.raw is not None:
                limits.before[attr] = (now - keep.raw.us) // DAY * DAY
                limits.width[attr] = keep.width.us if keep.width else 0
            if keep.rolled is not None:
                limits.rolled[attr] = now - keep.rolled.us
        if events is not None:
            limits.events = (now - events.us) // DAY * DAY
        return limits

    def row(self, attr: npt.NDArray[np.int64] | npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Where in the arrays an attribute stands."""
        return np.where((attr >= 0) & (attr < len(self.before) - 1), attr, len(self.before) - 1).astype(np.int64)


NEVER = -(1 << 63)


@dataclass(slots=True)
class Dropped:
    """What stays of the readings that expire in a segment."""

    rows: int = 0
    rolled: list[pa.Table] = field(default_factory=list)
    last: list[Rows] = field(default_factory=list)

    def sieve(self, rows: Rows, limits: Limits) -> Rows:
        """The rows that do not expire."""
        at = limits.row(rows.attr)
        gone = rows.time < limits.before[at]
        if not gone.any():
            return rows
        expired = rows.take(gone)
        self.rows += len(expired)
        self.rolled.append(rolled_up(expired, limits.width[at[gone]]))
        self.last.append(last_of_each(expired))
        return rows.take(~gone)


class Settling:
    """Compaction, mending and retention over one `Base`; one caller at a time, readers and ingest go on."""

    def __init__(self, base: Base, shape: Shape) -> None:
        self.base, self.shape = base, shape

    def compact(self) -> int:
        """Mends what is damaged and merges what is small; the number of segments that went into others."""
        merged = 0
        with self.base.changing:
            for segment in self.base.segments:
                if segment.damaged:
                    self._mend(segment)
            while group := self.mergeable():
                self.base.replace(group, self.base.written(group, 0))
                merged += len(group)
        return merged

    def mergeable(self) -> Sequence[Segment]:
        """Neighbours of like size, if there are enough of them, with the smaller ones between; the smallest first."""
        segments = self.base.segments
        levels = [int(math.log(max(segment.weight, 1), self.shape.fan)) for segment in segments]
        for level in sorted(set(levels)):
            begin = 0
            for end, its in enumerate(levels, 1):
                if its > level or segments[end - 1].damaged:
                    begin = end
                while sum(one.weight for one in segments[begin:end]) > self.shape.segment_rows:
                    begin += 1
                if levels[begin:end].count(level) >= self.shape.fan:
                    return segments[begin:end]
        return ()

    def _mend(self, segment: Segment) -> None:
        """Replaces a damaged segment by what can still be read of it; the damaged file is kept aside."""
        path, aside = self.base.folder / segment.name, self.base.directory / "damaged"
        if path.exists():
            aside.mkdir(exist_ok=True)
            (aside / path.name).unlink(missing_ok=True)
            (aside / path.name).hardlink_to(path)
        self.base.replace([segment], self.base.written([segment], following(segment)))

    # -- retention

    def retain(self, policy: Mapping[int, Keep], events: Duration | None, now: int) -> int:
        """Rolls up or drops readings, and drops events, older than they are kept, by whole days UTC; how many."""
        limits, dropped = Limits.of(policy, events, now), 0
        with self.base.changing:
            for segment in self.base.segments:
                if self._expired(segment, limits):
                    dropped += self._expire(segment, limits)
        return dropped

    def _expired(self, segment: Segment, limits: Limits) -> bool:
        """Is there anything in it that has expired?"""
        half = KEY // 2
        first, last = (segment.key_first + half) >> 32, (segment.key_last + half) >> 32
        mixed = first != last
        before = np.where(mixed, limits.before.max(), limits.before[limits.row(first)])
        for page in np.flatnonzero(segment.low < before).tolist():
            keys = int(segment.key_first[page]), int(segment.key_last[page])
            rows = within([segment], Ask.of_all(end=int(before[page])), keys, False, self.base.report)
            if (rows.time < limits.before[limits.row(rows.attr)]).any():
                return True
        oldest = {EVENTS: limits.events, ROLLED: int(limits.rolled.max()), LAST: NEVER}
        return any(one["time_first"] < oldest[int(one["kind"])] for one in segment.tables)

    def _expire(self, segment: Segment, limits: Limits) -> int:
        dropped, report = Dropped(), self.base.report
        happened = [0]

        def fill(writer: Writer) -> None:
            for rows, order in in_order([segment], report):
                kept = dropped.sieve(rows.take(order), limits)
                writer.add(kept, kept.order_by())
            found = {kind: list(tables([segment], kind, report)) for kind in KINDS}
            happened[0] = sum(table.num_rows for table in found[EVENTS])
            found[EVENTS] = [table.filter(pc.field("time") >= limits.events) for table in found[EVENTS]]
            happened[0] -= sum(table.num_rows for table in found[EVENTS])
            found[ROLLED] = [_still_kept(table, limits) for table in [*found[ROLLED], *dropped.rolled]]
            found[LAST] += [rows.table() for rows in dropped.last]
            for part in merged_parts(found):
                writer.add_table(part)

        new = self.base.make(fill, [segment], following(segment))
        self.base.replace([segment], new)
        return dropped.rows + happened[0]


def _still_kept(table: pa.Table, limits: Limits) -> pa.Table:
    attr, time = table["attr"].to_numpy(), table["time"].to_numpy()
    return table.filter(pa.array(time >= limits.rolled[limits.row(attr)]))
