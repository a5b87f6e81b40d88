"""The log: what was acknowledged is on the disk, in one order, before anything else is done with it.

Append-only files of checksummed frames. Readings and events share one sequence of numbers from 0. `append` answers
after fdatasync; callers that come at the same time share one (group commit). A file is named after the first
number it may hold, its generation and its salt; what an older file still says from that number on is void. So a
frame whose fsync failed is never trusted: it is written once more into a new file, and the old one cannot speak.
"""

import contextlib
import errno
import fcntl
import itertools
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cheng.infrastructure.log_frames import Body, Damage, Found, encode, read, seal
from cheng.kernel.observations import Frame
from cheng.standards.problems import Refused

FULL = "The disk of the hub is full. Nothing of this delivery was taken; make room and send it again."
FAILED = "The disk of the hub failed to keep this delivery. Nothing of it was taken; send it again."
IN_USE = "Another process already keeps the log in {directory}. Stop it first."
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Disk:
    """The few calls the log makes on the operating system; a test puts a failing one in its place."""

    def create(self, path: Path) -> int:
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o640)

    def write(self, fd: int, data: bytes, offset: int) -> None:
        """All of `data`, or OSError; a short write goes on where it stopped."""
        view = memoryview(data)
        while view:
            done = os.pwrite(fd, view, offset)
            view, offset = view[done:], offset + done

    def sync(self, fd: int) -> None:
        getattr(os, "fdatasync", os.fsync)(fd)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def sync_directory(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class Careless(Disk):
    """No fsync: for demonstrations and tests, never for a city."""

    def sync(self, fd: int) -> None:
        """Left to the operating system."""

    def sync_directory(self, path: Path) -> None:
        """Left to the operating system."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the log, as its name says."""

    path: Path
    first: int
    generation: int
    salt: int

    @classmethod
    def named(cls, path: Path) -> "File":
        first, generation, salt = path.stem.split("-")
        return cls(path, int(first), int(generation, 16), int(salt, 16))


@dataclass(slots=True)
class _Waiting:
    frame: Frame
    body: Body
    first: int = -1
    error: Refused | None = None


class Log:
    """Sequence numbers count readings and events from 0, without gaps unless the disk lost some."""

    def __init__(
        self,
        directory: Path,
        *,
        roll_bytes: int = 64 << 20,
        fsync: bool = True,
        disk: Disk | None = None,
        written: Callable[[int, Frame], None] | None = None,
        damaged: Callable[[Damage], None] | None = None,
    ) -> None:
        """`written(first, frame)` is called in order once a frame is durable, before its caller is answered."""
        self.directory = directory
        self.damages: list[Damage] = []
        self._roll_bytes = roll_bytes
        self._disk = disk or (Disk() if fsync else Careless())
        self._written, self._damaged = written, damaged
        self._gate, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[_Waiting] = []
        self._fd, self._end, self._salt = -1, 0, 0
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _hold(directory)
        files = self._files()
        self._generation = files[-1].generation if files else 0
        self._next = self._ending(files[-1]) if files else 0

    @property
    def next(self) -> int:
        """The number the next row will get; everything below is durable."""
        return self._next

    @property
    def first(self) -> int:
        """The first number that may still be in the files."""
        files = self._files()
        return files[0].first if files else self._next

    def append(self, frame: Frame) -> int:
        """The number of the first row of `frame`, which is durable now.

        Refused `disk-full` (507) or `disk-failed` (503): nothing was taken. ValueError: columns that do not fit.
        """
        if not len(frame):
            return self._next
        mine = _Waiting(frame, encode(frame))
        with self._gate:
            self._waiting.append(mine)
        with self._writing:
            if mine.first < 0 and mine.error is None:
                with self._gate:
                    group, self._waiting = self._waiting, []
                self._commit(group)
        if mine.error is not None:
            raise mine.error
        if mine.first < 0:
            raise Refused("disk-failed", FAILED, status=503)
        return mine.first

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            end = self._keep(group)
        except OSError as error:
            for one in group:
                full = error.errno in NO_ROOM
                one.error = (
                    Refused("disk-full", FULL, status=507) if full else Refused("disk-failed", FAILED, status=503)
                )
                one.error.__cause__ = error
            return
        first, self._next = self._next, end
        for one in group:
            if self._written is not None:
                self._written(first, one.frame)
            one.first = first
            first += one.body.count

    def _keep(self, group: list[_Waiting]) -> int:
        """Writes and syncs the frames of `group`; the number after the last. A failed fsync gets one new file."""
        size = sum(one.body.length for one in group)
        for last_try in (False, True):
            self._make_ready(size)
            parts: list[bytes | memoryview] = []
            first = self._next
            for one in group:
                parts += [seal(one.body, first, self._salt), *one.body.parts]
                first += one.body.count
            data = b"".join(parts)
            try:
                self._disk.write(self._fd, data, self._end)
            except OSError:
                self._cut()
                raise
            try:
                self._disk.sync(self._fd)
            except OSError:
                self._cut()
                self._abandon()
                if last_try:
                    raise
                continue
            self._end += len(data)
            return first
        raise AssertionError("unreachable")

    def _make_ready(self, size: int) -> None:
        if self._fd >= 0 and self._end and self._end + size > self._roll_bytes:
            self._abandon()
        if self._fd >= 0:
            return
        self._generation += 1
        self._salt = secrets.randbits(32)
        path = self.directory / f"{self._next:020d}-{self._generation:08x}-{self._salt:08x}.log"
        fd = self._disk.create(path)
        try:
            self._disk.sync_directory(self.directory)
        except OSError:
            os.close(fd)
            raise
        self._fd, self._end = fd, 0

    def _cut(self) -> None:
        """Takes a half-written frame off again; where even that fails, the file is left and its rest is void."""
        try:
            self._disk.truncate(self._fd, self._end)
        except OSError:
            self._abandon()

    def _abandon(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def advance(self, to: int) -> None:
        """Numbers below `to` are in use elsewhere: never give them out again, even if the log lost their frames."""
        with self._writing:
            if to > self._next:
                self._next = to
                self._abandon()

    def replay(self, after: int = -1) -> Iterator[tuple[int, Frame]]:
        """(first number, frame) of every row above `after` that was durable when the replay began, in order.

        Stops at a torn tail. A damaged frame is reported (`damages`, and the callback) and passed over.
        """
        expected, stop = after + 1, self._next
        for file, found in self._found(after, stop):
            if found.frame is None or found.first is None or found.count is None:
                if found.reason != "torn":
                    self._report(
                        Damage(file.path.name, found.offset, found.length, found.reason, found.first, found.count)
                    )
                    expected = -1 if found.first is None or found.count is None else found.first + found.count
                continue
            if expected >= 0 and found.first > expected:
                self._report(Damage(file.path.name, found.offset, 0, "missing", expected, found.first - expected))
            skip = max(0, after + 1 - found.first)
            if skip < found.count:
                yield found.first + skip, found.frame.take(slice(skip, None)) if skip else found.frame
            expected = found.first + found.count

    def _found(self, after: int, stop: int) -> Iterator[tuple[File, Found]]:
        """What lies in the files between two numbers, without the rows that a later file has made void."""
        files = self._files()
        bounds = [*(file.first for file in files[1:]), stop]
        for file, bound in zip(files, bounds, strict=False):
            if bound <= after + 1:
                continue
            try:
                fd = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:  # truncated meanwhile: its rows are in history
                continue
            try:
                for found in read(fd, file.salt):
                    if found.first is not None and found.first >= min(bound, stop):
                        break
                    if found.first is None or found.count is None or found.first + found.count > after + 1:
                        yield file, found
            finally:
                os.close(fd)

    def truncate(self, before: int) -> int:
        """Deletes the files all of whose rows are below `before`; the number of bytes that became free."""
        freed = 0
        with self._writing:
            files = self._files()
            if files and before >= self._next and files[-1].path.stat().st_size:
                self._abandon()
                with contextlib.suppress(OSError):  # no room even for an empty file whose name keeps the count
                    self._make_ready(0)
                files = self._files()
            for file, following in itertools.pairwise(files):
                if following.first > before:
                    break
                freed += file.path.stat().st_size
                if any(damage.place == file.path.name and damage.reason != "torn" for damage in self.damages):
                    file.path.rename(file.path.with_suffix(".damaged"))
                else:
                    file.path.unlink()
        return freed

    def bytes(self) -> int:
        """Bytes on disk."""
        return sum(file.path.stat().st_size for file in self._files())

    def close(self) -> None:
        """Lets go of the files; everything acknowledged is on disk already."""
        with self._writing:
            self._abandon()
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def _files(self) -> list[File]:
        files = [File.named(path) for path in self.directory.glob("*-*-*.log")]
        return sorted(files, key=lambda file: (file.generation, file.first))

    def _ending(self, last: File) -> int:
        """The number after the last row of the newest file; a complete frame that is damaged keeps its numbers."""
        following = last.first
        fd = os.open(last.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for found in read(fd, last.salt):
                if found.reason == "torn":
                    self._report(_damage(last, found))
                elif found.first is not None and found.count is not None:
                    following = max(following, found.first + found.count)
        finally:
            os.close(fd)
        return following

    def _report(self, damage: Damage) -> None:
        if damage in self.damages:
            return
        self.damages.append(damage)
        if self._damaged is not None:
            self._damaged(damage)


def refusal(error: OSError) -> Refused:
    """What to answer when the disk did not take something."""
    full = error.errno in NO_ROOM
    answer = Refused("disk-full", FULL, status=507) if full else Refused("disk-failed", FAILED, status=503)
    answer.__cause__ = error
    return answer


def _damage(file: File, found: Found) -> Damage:
    return Damage(file.path.name, found.offset, found.length, found.reason, found.first, found.count)


def _hold(directory: Path) -> int:
    fd = os.open(directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise Refused("in-use", IN_USE, {"directory": str(directory)}, 503) from error
    return fd
