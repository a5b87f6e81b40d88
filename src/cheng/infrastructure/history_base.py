"""What history stands on: the database file, the manifest of segments, and snapshots that agree with both.

A reader takes the tail first and then one transaction. The transaction says up to which number the hot table goes
and which version of the manifest holds, so that every reading is seen exactly once whatever is flushed, moved or
merged meanwhile. A replaced file is deleted when no reader can still see it.
"""

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cheng.infrastructure.history_segments import Segment, checksum, remove
from cheng.infrastructure.history_tail import Chunk, Tail, events_of, readings_of
from cheng.infrastructure.log import Disk
from cheng.infrastructure.log_frames import Damage
from cheng.standards.problems import Refused

TABLES = (
    """CREATE TABLE IF NOT EXISTS readings(
    seq BIGINT, thing INTEGER, attr INTEGER, time BIGINT, value DOUBLE, latitude DOUBLE, quality USMALLINT)""",
    "CREATE TABLE IF NOT EXISTS events(seq BIGINT, type INTEGER, time BIGINT, quality USMALLINT, payload VARCHAR)",
    """CREATE TABLE IF NOT EXISTS latest(thing INTEGER, attr INTEGER, bad BOOLEAN,
    time BIGINT, seq BIGINT, value DOUBLE, latitude DOUBLE, quality USMALLINT)""",
    """CREATE TABLE IF NOT EXISTS rollups(attr INTEGER, thing INTEGER, time BIGINT, width BIGINT, count BIGINT,
    low DOUBLE, high DOUBLE, total DOUBLE, last DOUBLE, latitude DOUBLE, last_time BIGINT, last_seq BIGINT)""",
    """CREATE TABLE IF NOT EXISTS segments(name VARCHAR, day BIGINT, rows BIGINT, size BIGINT,
    check_sum BIGINT, footer BIGINT, time_first BIGINT, time_last BIGINT,
    thing_first BIGINT, thing_last BIGINT, attrs INTEGER[])""",
    "CREATE TABLE IF NOT EXISTS moment(name VARCHAR, number BIGINT)",
    "INSERT INTO moment SELECT * FROM (VALUES ('flushed', -1), ('version', 0)) WHERE NOT EXISTS (FROM moment)",
)
MOMENT = "SELECT name, number FROM moment"
NOT_KEPT = (
    "The history of the hub could not be written. What was acknowledged is safe in the log; "
    "make room on the disk, and the hub catches up by itself."
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What there is beside the hot table."""

    segments: tuple[Segment, ...]
    rolled_up: bool
    """are there rolled-up readings?"""


@dataclass(slots=True)
class Snapshot:
    """One moment of history: a transaction on the hot table, the tail beyond it, the segments below it."""

    cursor: duckdb.DuckDBPyConnection
    flushed: int
    chunks: list[Chunk]
    segments: tuple[Segment, ...]
    rolled_up: bool
    """are there rolled-up readings?"""


@dataclass(slots=True)
class Change:
    """A transaction that may add and replace segments; it holds as a whole or not at all."""

    cursor: duckdb.DuckDBPyConnection
    added: list[Segment]
    removed: list[Segment]
    rolled_up: bool = False
    """rolled-up readings were added"""


class Base:
    """Owns history.duckdb and segments/ in `directory`."""

    def __init__(
        self,
        directory: Path,
        *,
        capacity: int,
        disk: Disk,
        memory: str,
        threads: int | None,
        damaged: Callable[[Damage], None],
    ) -> None:
        self.directory, self.disk = directory, disk
        self.folder = directory / "segments"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tail = Tail(capacity)
        self.changing = threading.RLock()
        """held by whatever changes segments"""
        self._flushing, self._lock = threading.Lock(), threading.Lock()
        self._pins: Counter[int] = Counter()
        self._dead: list[tuple[int, str]] = []
        self._checked: set[str] = set()
        self.broken: set[str] = set()
        """names of damaged segments, left out of every answer"""
        self._damaged = damaged
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "temp_directory": str(directory / "spill"),
            "python_enable_replacements": "false",
        }
        if threads is not None:
            self._config["threads"] = threads
        self._db = self._connect()
        self._load()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.directory / "history.duckdb"), config=self._config)

    def _load(self) -> None:
        for statement in TABLES:
            self._db.execute(statement)
        self._manifests: dict[int, Manifest] = {}
        self._read_manifest()
        known = {segment.name for segment in self.segments}
        remove(self.folder, [path.name for path in self.folder.iterdir() if path.name not in known])

    def _read_manifest(self) -> None:
        segments = tuple(Segment(*row) for row in self._db.execute("SELECT * FROM segments").fetchall())
        rolled_up = bool(self._db.execute("SELECT 1 FROM rollups LIMIT 1").fetchall())
        self._version = dict(self._db.execute(MOMENT).fetchall())["version"]
        self._manifests[self._version] = Manifest(segments, rolled_up)

    @property
    def flushed(self) -> int:
        """Everything up to this number is in the hot table or in segments."""
        with self.cursor() as cursor:
            return int(dict(cursor.execute(MOMENT).fetchall())["flushed"])

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The manifest as it is now."""
        return self._manifests[self._version].segments

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Everything that was acknowledged before the call, each reading once, for as long as the block lasts."""
        with self._lock:
            pin = self._version
            self._pins[pin] += 1
        try:
            chunks = self.tail.views()
            with self.cursor() as cursor:
                cursor.begin()
                moment = dict(cursor.execute(MOMENT).fetchall())
                later = [chunk for chunk in chunks if chunk.last > moment["flushed"]]
                manifest = self._manifests[moment["version"]]
                yield Snapshot(cursor, moment["flushed"], later, manifest.segments, manifest.rolled_up)
        except duckdb.FatalException:
            self._reopen()
            raise
        finally:
            with self._lock:
                self._pins[pin] -= 1
            self._sweep()

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One transaction on hot table and manifest; `changing` must be held."""
        version = self._version + 1
        change = Change(self.cursor(), [], [])
        with change.cursor:
            try:
                change.cursor.begin()
                yield change
                self._enter(change, version)
            except BaseException as error:
                self._manifests.pop(version, None)
                remove(self.folder, [segment.name for segment in change.added])
                if isinstance(error, duckdb.Error | OSError):
                    raise _refusal(error) from error
                raise
            self._commit(change, version)
        with self._lock:
            if version in self._manifests:
                self._version = version
                self._checked.update(segment.name for segment in change.added)
                self._dead += [(version, segment.name) for segment in change.removed]
        self._sweep()

    def _commit(self, change: Change, version: int) -> None:
        try:
            change.cursor.commit()
        except duckdb.FatalException as error:
            # It may be in the database or not: the files stay, and the manifest of the next start decides.
            self._reopen()
            raise _refusal(error) from error
        except duckdb.Error as error:
            self._manifests.pop(version, None)
            remove(self.folder, [segment.name for segment in change.added])
            raise _refusal(error) from error

    def _enter(self, change: Change, version: int) -> None:
        if not (change.added or change.removed or change.rolled_up):
            return
        gone = {segment.name for segment in change.removed}
        kept = [segment for segment in self.segments if segment.name not in gone]
        rolled_up = change.rolled_up or self._manifests[self._version].rolled_up
        self._manifests[version] = Manifest((*kept, *change.added), rolled_up)
        for name in gone:
            change.cursor.execute("DELETE FROM segments WHERE name = ?", [name])
        for one in change.added:
            row = [*dataclasses.astuple(one)[:-1], list(one.attrs)]
            change.cursor.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        change.cursor.execute("UPDATE moment SET number = ? WHERE name = 'version'", [version])

    def _sweep(self) -> None:
        """Forgets manifests, and deletes replaced files, that no reader can see any more."""
        with self._lock:
            self._pins = +self._pins
            oldest = min([*self._pins, self._version])
            for version in [version for version in self._manifests if version < oldest]:
                del self._manifests[version]
            gone = [name for version, name in self._dead if version <= oldest]
            self._dead = [(version, name) for version, name in self._dead if version > oldest]
        remove(self.folder, gone)

    def _reopen(self) -> None:
        """After a fatal error the database refuses everything until it is opened anew; the tail is still here."""
        with self._lock:
            self._db.close()
            self._db = self._connect()
            self._read_manifest()
        self.tail.drop(self.flushed)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one thread; close it."""
        with self._lock:
            try:
                return self._db.cursor()
            except duckdb.ConnectionException:  # an earlier attempt to open it anew had failed
                self._db = self._connect()
                return self._db.cursor()

    def flush(self) -> int:
        """Moves the tail into the hot table in one transaction; the number of rows moved.

        Refused `history-failed` (507): nothing was moved and nothing is lost, the log still has it.
        """
        with self._flushing:
            chunks = self.tail.seal()
            if not chunks:
                return 0
            try:
                self._insert(chunks)
            except duckdb.Error as error:
                if isinstance(error, duckdb.FatalException):
                    self._reopen()
                raise _refusal(error) from error
            self.tail.drop(chunks[-1].last)
        return sum(chunk.count + chunk.event_count for chunk in chunks)

    def _insert(self, chunks: list[Chunk]) -> None:
        with self.cursor() as cursor:
            cursor.begin()
            if any(chunk.count for chunk in chunks):
                cursor.register("incoming", readings_of(chunks))
                cursor.execute("INSERT INTO readings SELECT * FROM incoming")
            if any(chunk.events for chunk in chunks):
                cursor.register("happened", events_of(chunks))
                cursor.execute("INSERT INTO events SELECT * FROM happened")
            cursor.execute("UPDATE moment SET number = ? WHERE name = 'flushed'", [chunks[-1].last])
            cursor.commit()

    def files(self, segments: Sequence[Segment]) -> list[str]:
        """Paths of the segments whose checksum is right; each file is proved once, before its first use."""
        return [str(self.folder / segment.name) for segment in segments if self._sound(segment)]

    def _sound(self, segment: Segment) -> bool:
        if segment.name in self._checked:
            return True
        if segment.name in self.broken:
            return False
        path = self.folder / segment.name
        try:
            sound = path.stat().st_size == segment.size and checksum(path) == segment.check
        except OSError:
            sound = False
        if sound:
            self._checked.add(segment.name)
        else:
            self.broken.add(segment.name)
            self._damaged(Damage(segment.name, 0, segment.size, "segment", None, segment.rows))
        return sound

    def prove(self) -> None:
        """Reads every segment again and compares it with its checksum."""
        self._checked.clear()
        with self.snapshot() as snapshot:
            self.files(snapshot.segments)

    def close(self) -> None:
        """Closes the database."""
        self._db.close()


def _refusal(error: BaseException) -> Refused:
    refused = Refused("history-failed", NOT_KEPT, status=507)
    refused.__cause__ = error
    return refused
