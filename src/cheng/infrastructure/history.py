"""History: everything that was ever acknowledged, in one place to ask.

A reading is written to the log (durable) and held in the tail (readable at once). Chunks of the tail are sorted into
segments, in memory first and, when there is enough, in files; files of like size become one. After a crash the log
replays exactly what no file has yet. One process owns the directory.
"""

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from cheng.infrastructure import history_queries as queries
from cheng.infrastructure.history_base import Base
from cheng.infrastructure.history_compaction import Keep, Settling, Shape
from cheng.infrastructure.history_rows import FOREVER, Ask
from cheng.infrastructure.history_segments import Segment
from cheng.infrastructure.log import Careless, Disk, Log
from cheng.infrastructure.log_frames import Damage
from cheng.kernel.observations import Batch, Frame
from cheng.standards.durations import Duration
from cheng.standards.problems import Refused

log = logging.getLogger(__name__)

__all__ = ["Damage", "History", "Keep", "Segment", "Shape"]

OLD = "{directory} was written by an older Cheng, which kept its history in DuckDB. Start with a new data folder."


class History:
    """Readings and events of one hub, kept in `directory`. Every method may be called from any thread."""

    def __init__(
        self,
        directory: Path | str,
        *,
        chunk_rows: int = 262_144,
        flush_rows: int = 4_194_304,
        tail_rows: int = 8_388_608,
        shape: Shape | None = None,
        roll_bytes: int = 64 << 20,
        fsync: bool = True,
        background: bool = True,
        checkpoint: Callable[[], int] | None = None,
        damaged: Callable[[Damage], None] | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Opens the directory and takes in what the log has beyond the segments.

        `chunk_rows` are sorted together; `flush_rows` are held before they go into a file; with `tail_rows` held,
        `append` waits. In the `background` threads of its own do that, and merge files. `checkpoint()` is the first
        number that somebody else still needs from the log; without it the log is cut behind every flush. `damaged`
        hears of everything stored that cannot be read any more.
        """
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        if (self.directory / "history.duckdb").exists():
            raise Refused("old-history", OLD, {"directory": str(self.directory)}, 503)
        self.damages: list[Damage] = []
        self.trouble: Refused | None = None
        """why the last flush failed, until one succeeds"""
        self._damaged, self._checkpoint = damaged, checkpoint
        self._flush_rows, self._tail_rows = flush_rows, tail_rows
        kept = disk or (Disk() if fsync else Careless())
        self._log = Log(
            self.directory / "log", roll_bytes=roll_bytes, disk=kept, written=self._hold, damaged=self._report
        )
        self._base = Base(self.directory, chunk_rows=chunk_rows, disk=kept, damaged=self._report)
        self._settling = Settling(self._base, shape or Shape())
        self._workers: list[Worker] = []
        self._recover()
        self._workers = [Worker("history", self._settle), Worker("history-merge", self._merge)] if background else []

    def _recover(self) -> None:
        flushed = self._base.flushed
        for first, frame in self._log.replay(flushed):
            self._base.add(first, frame)
            self._settle()
        self._log.advance(flushed + 1)

    def _hold(self, first: int, frame: Frame) -> None:
        self._base.add(first, frame)

    def _report(self, damage: Damage) -> None:
        self.damages.append(damage)
        if self._damaged is not None:
            self._damaged(damage)

    def held(self) -> tuple[int, int]:
        """Readings that no file but the log has yet, and how many make `append` wait."""
        return self._base.held, self._tail_rows

    # -- writing ------------------------------------------------------------------------------------------------

    @property
    def next(self) -> int:
        """The number the next row will get; every row below is durable and seen by readers."""
        return self._log.next

    def append(self, frame: Frame) -> int:
        """The number of the first row of a batch or of events, which are durable and readable now.

        Refused `disk-full`, `history-failed` (507) or `disk-failed` (503): nothing was taken.
        """
        if self._base.held >= self._tail_rows:
            self._moving(lambda: self._base.relieve(self._flush_rows, self._tail_rows))
        first = self._log.append(frame)
        if self._base.full():
            if self._workers:
                self._workers[0].wake()
            else:
                self._settle()
        return first

    def flush(self) -> int:
        """Moves everything held into a file; the number of rows. Refused `history-failed`: it stays held."""
        return self._moving(lambda: self._base.flush(self._flush_rows))

    def _moving(self, step: Callable[[], int]) -> int:
        try:
            moved = step()
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

    def _settle(self) -> None:
        """Sorts what is full, and writes it into a file when it has become enough."""
        self._base.settle()
        with suppress(Refused):  # `trouble` says so; the rows are durable and held, and the next append tries again
            moved = self._moving(lambda: self._base.relieve(self._flush_rows, self._flush_rows))
            if moved and self._workers and self._settling.mergeable():
                self._workers[1].wake()

    def _merge(self) -> None:
        try:
            self._settling.compact()
        except Refused as refused:  # the files stay as they are; the next flush tries again
            self.trouble = refused

    def replay(self, after: int = -1) -> Iterator[tuple[int, Frame]]:
        """(first number, frame) of everything above `after`, as it arrived; as far back as `checkpoint` kept it."""
        return self._log.replay(after)

    # -- ageing -------------------------------------------------------------------------------------------------

    def compact(self) -> int:
        """Writes what is held into a file, merges small files, mends damaged ones; the number of rows written.

        Takes its time: call it from a thread of its own. Ingest and readers go on.
        """
        moved = self.flush()
        self._settling.compact()
        return moved

    def retain(self, policy: Mapping[int, Keep | Duration | int], now: int, *, events: Duration | None = None) -> int:
        """Drops, or rolls up, the readings of each attribute that are older than `policy` (int: µs) keeps them, and
        drops `events` that are older; how many."""
        keeps = {attr: keep if isinstance(keep, Keep) else Keep(_duration(keep)) for attr, keep in policy.items()}
        self.flush()
        return self._settling.retain(keeps, events, now)

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
        return sum(piece.rows for piece in self._base.pieces())

    def digest(self) -> str:
        """SHA-256 of all readings and events that can be asked for, wherever they lie and in whatever order they came.

        Of several readings with the same thing, attribute and time the first that came counts; so shuffled deliveries
        agree as long as such readings have the same value. Numbers, and marks that speak of the arrival (late, out of
        order, duplicate, jump), are left out; and so are roll-ups.
        """
        return queries.digest(self._base)

    def bytes(self) -> int:
        """Bytes on disk: log and segments."""
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
            segments = self._base.segments
            for segment in segments:
                _link(self._base.folder / segment.name, target / "segments" / segment.name)
            return segments[-1].last if segments else -1

    def close(self) -> None:
        """Flushes what is held, if it can, and lets go of the directory."""
        for worker in self._workers:
            worker.close()
        with suppress(Refused):
            self.flush()
        self._log.close()


class Worker:
    """A thread that does one thing whenever it is woken."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._work, self._woken, self._closing = work, threading.Event(), False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def close(self) -> None:
        """Waits until what is being done is done."""
        self._closing = True
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._woken.wait()
            self._woken.clear()
            if not self._closing:
                try:
                    self._work()
                except Exception:
                    log.exception("%s could not do its work; it is tried again", self._thread.name)


def _duration(keep: Duration | int) -> Duration:
    return keep if isinstance(keep, Duration) else Duration(keep / 1_000_000, "second")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
