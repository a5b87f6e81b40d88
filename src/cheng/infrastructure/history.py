"""History: everything that was ever acknowledged, in one place to ask.

A reading is written to the log (durable), held in the tail (readable at once), flushed in bulk into a hot table in
DuckDB together with the number it goes up to, and settles into sorted Parquet segments when its day is over. After
a crash the log replays exactly what the hot table lacks. One process owns the directory.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from cheng.infrastructure import history_queries as queries
from cheng.infrastructure.history_base import Base
from cheng.infrastructure.history_compaction import Keep, Settling, Shape
from cheng.infrastructure.history_queries import FOREVER, Ask
from cheng.infrastructure.history_segments import Segment
from cheng.infrastructure.log import Careless, Disk, Log
from cheng.infrastructure.log_frames import Damage
from cheng.kernel.observations import Batch, Frame
from cheng.standards.durations import Duration
from cheng.standards.problems import Refused

__all__ = ["Damage", "History", "Keep", "Segment", "Shape"]


class History:
    """Readings and events of one hub, kept in `directory`. Every method may be called from any thread."""

    def __init__(
        self,
        directory: Path | str,
        *,
        flush_rows: int = 65_536,
        tail_rows: int = 524_288,
        shape: Shape | None = None,
        roll_bytes: int = 64 << 20,
        memory: str = "1GB",
        threads: int | None = None,
        fsync: bool = True,
        background: bool = True,
        checkpoint: Callable[[], int] | None = None,
        damaged: Callable[[Damage], None] | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Opens the directory and takes in what the log has beyond the hot table.

        `flush_rows` are held before they are flushed, by a thread of its own if `background`; with `tail_rows` held,
        `append` waits. `checkpoint()` is the first number that somebody else still needs from the log; without it
        the log is cut behind every flush. `damaged` hears of everything stored that cannot be read any more.
        """
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.damages: list[Damage] = []
        self.trouble: Refused | None = None
        """why the last flush failed, until one succeeds"""
        self._damaged, self._checkpoint, self._tail_rows = damaged, checkpoint, tail_rows
        kept = disk or (Disk() if fsync else Careless())
        self._log = Log(
            self.directory / "log", roll_bytes=roll_bytes, disk=kept, written=self._hold, damaged=self._report
        )
        self._base = Base(
            self.directory, capacity=flush_rows, disk=kept, memory=memory, threads=threads, damaged=self._report
        )
        self._settling = Settling(self._base, shape or Shape())
        self._recover()
        self._wake, self._closing = threading.Event(), False
        self._flusher: threading.Thread | None = None
        if background:
            self._flusher = threading.Thread(target=self._flush_when_full, name="history", daemon=True)
            self._flusher.start()

    def _recover(self) -> None:
        flushed = self._base.flushed
        for first, frame in self._log.replay(flushed):
            self._base.tail.add(first, frame)
            if self._base.tail.full():
                self._base.flush()
        self._log.advance(flushed + 1)

    def _hold(self, first: int, frame: Frame) -> None:
        self._base.tail.add(first, frame)

    def _report(self, damage: Damage) -> None:
        self.damages.append(damage)
        if self._damaged is not None:
            self._damaged(damage)

    # -- writing ------------------------------------------------------------------------------------------------

    @property
    def next(self) -> int:
        """The number the next row will get; every row below is durable and seen by readers."""
        return self._log.next

    def append(self, frame: Frame) -> int:
        """The number of the first row of a batch or of events, which are durable and readable now.

        Refused `disk-full`, `history-failed` (507) or `disk-failed` (503): nothing was taken.
        """
        if len(self._base.tail) >= self._tail_rows:
            self.flush()
        first = self._log.append(frame)
        if self._base.tail.full():
            if self._flusher is None:
                self._flush_if_possible()
            else:
                self._wake.set()
        return first

    def flush(self) -> int:
        """Moves everything held into the hot table; the number of rows. Refused `history-failed`: it stays held."""
        try:
            moved = self._base.flush()
        except Refused as refused:
            self.trouble = refused
            raise
        self.trouble = None
        if moved:
            self.trim()
        return moved

    def trim(self) -> int:
        """Cuts the log behind what is flushed and what `checkpoint` still needs; the number of bytes freed."""
        needed = self._base.flushed + 1
        return self._log.truncate(needed if self._checkpoint is None else min(needed, self._checkpoint()))

    def _flush_if_possible(self) -> None:
        try:
            self.flush()
        except Refused:  # `trouble` says so; the rows are durable and held, and the next append tries again
            return

    def _flush_when_full(self) -> None:
        while not self._closing:
            self._wake.wait()
            self._wake.clear()
            if not self._closing:
                self._flush_if_possible()

    def replay(self, after: int = -1) -> Iterator[tuple[int, Frame]]:
        """(first number, frame) of everything above `after`, as it arrived; as far back as `checkpoint` kept it."""
        return self._log.replay(after)

    # -- ageing -------------------------------------------------------------------------------------------------

    def compact(self, now: int) -> int:
        """Moves finished days into segments, merges small segments, mends damaged ones; the number of rows moved.

        Takes its time: call it from a thread of its own. Ingest and readers go on.
        """
        self.flush()
        return self._settling.compact(now)

    def retain(self, policy: Mapping[int, Keep | Duration | int], now: int) -> int:
        """Drops, or rolls up, the readings of each attribute that are older than `policy` (int: µs) keeps them."""
        self.flush()
        return self._settling.retain(policy, now)

    def prove(self) -> list[Damage]:
        """Reads all that is stored against its checksums, for a nightly job; all damage known. `compact` mends it."""
        self._base.prove()
        for _ in self._log.replay(self._log.first - 1):
            pass
        return self.damages[:]

    # -- reading ------------------------------------------------------------------------------------------------

    def readings(
        self,
        things: Sequence[int] | None = None,
        attrs: Sequence[int] | None = None,
        start: int = -FOREVER,
        end: int = FOREVER,
        *,
        limit: int | None = None,
        good_only: bool = False,
        dedupe: bool = True,
    ) -> pa.Table:
        """seq, thing, attr, time, value, latitude, quality in [start, end), by thing, time and seq.

        With `dedupe`, of several readings of one thing, attribute and time the first that arrived.
        """
        return queries.readings(self._base, Ask(start, end, things, attrs, good_only), limit, dedupe)

    def series(
        self, thing: int, attr: int, start: int = -FOREVER, end: int = FOREVER, points: int | None = None
    ) -> pa.Table:
        """time, value, latitude, quality of one thing; with more than `points`, the extremes of each stretch.

        Where readings have been rolled up, the mean of each bucket at its start stands for them.
        """
        return queries.series(self._base, Ask(start, end, [thing], [attr]), points)

    def buckets(
        self, thing: int, attr: int, start: int, end: int, width_us: int, *, good_only: bool = True
    ) -> pa.Table:
        """bucket (its start), count, min, max, mean, last; buckets are counted from `start`, empty ones left out."""
        return queries.buckets(self._base, Ask(start, end, [thing], [attr], good_only), width_us)

    def latest(self, attr: int | None = None, *, good_only: bool = True) -> pa.Table:
        """thing, attr, time, value, latitude, quality, seq of the last reading of each thing and attribute."""
        return queries.latest(self._base, attr, good_only)

    def events(
        self,
        types: Sequence[int] | None = None,
        start: int = -FOREVER,
        end: int = FOREVER,
        limit: int | None = None,
    ) -> pa.Table:
        """seq, type, time, quality, payload (JSON text) in [start, end), by time and seq."""
        return queries.events(self._base, types, start, end, limit)

    def scan(
        self,
        attrs: Sequence[int] | None = None,
        start: int = -FOREVER,
        end: int = FOREVER,
        *,
        things: Sequence[int] | None = None,
        rows: int = 65_536,
    ) -> Iterator[Batch]:
        """Every reading in [start, end) by time and arrival, duplicates too, in batches of at most `rows`."""
        return queries.scan(self._base, Ask(start, end, things, attrs), rows)

    # -- housekeeping -------------------------------------------------------------------------------------------

    def count(self) -> int:
        """Readings that can be asked for, each once."""
        with self._base.snapshot() as snapshot:
            (row,) = snapshot.cursor.execute("SELECT count(*) FROM readings").fetchall()
            held = sum(chunk.count for chunk in snapshot.chunks)
            return int(row[0]) + held + sum(segment.rows for segment in snapshot.segments)

    def bytes(self) -> int:
        """Bytes on disk: log, hot table and segments."""
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())

    def segments(self) -> tuple[Segment, ...]:
        """The segments of now."""
        return self._base.segments

    def export(self, directory: Path | str) -> int:
        """A copy of one moment in a new directory, which `History` opens; the number it goes up to.

        Segments are hard links where the file system allows. Ingest and readers go on.
        """
        target = Path(directory)
        (target / "segments").mkdir(parents=True)
        with self._base.changing:
            self.flush()
            with self._base.snapshot() as snapshot:
                for segment in snapshot.segments:
                    _link(self._base.folder / segment.name, target / "segments" / segment.name)
                name = str(target / "history.duckdb").replace("'", "''")
                snapshot.cursor.execute(f"ATTACH '{name}' AS copied")
                snapshot.cursor.execute("COPY FROM DATABASE history TO copied")
                snapshot.cursor.commit()
                snapshot.cursor.execute("DETACH copied")
                return snapshot.flushed

    def close(self) -> None:
        """Flushes what is held, if it can, and lets go of the directory."""
        self._closing = True
        self._wake.set()
        if self._flusher is not None:
            self._flusher.join()
        self._flush_if_possible()
        self._base.close()
        self._log.close()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
