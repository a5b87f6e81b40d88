"""Segments: readings sorted by attribute, thing and time in checked pages, and tables of what else there is.

A segment holds everything of a range of numbers, and the segments of a history lie end to end. It never changes: it
is written, synced, renamed, and one day replaced by another that covers its range. So the names say it all:
`first-last-generation.seg`. Head and index stand in the file twice. A segment may lie in memory as well.
"""

import io
import os
import struct
import uuid
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cheng.infrastructure.history_packing import pack
from cheng.infrastructure.history_rows import Ask, Mask, Rows
from cheng.infrastructure.log import Disk

MAGIC = b"CHGSEG2\n"
HEAD = struct.Struct("<8sqqqqI")
"""magic, first, last, where the index begins, its bytes, its crc32; zeros; last of all the crc32 of all that"""
ROOM = 64
"""bytes of a head"""
READINGS, EVENTS, ROLLED, LAST = range(4)
KINDS = (EVENTS, ROLLED, LAST)
"""kinds of what a segment holds: pages of readings; tables of events, of roll-ups, of last readings that expired"""
ENTRY = np.dtype(
    [
        *[("kind", "<i4"), ("rows", "<i4"), ("offset", "<i8"), ("length", "<i8"), ("check", "<u8")],
        *[("first", "<i8"), ("last", "<i8"), ("time_first", "<i8"), ("time_last", "<i8")],
        *[("least", "<f8"), ("most", "<f8")],
    ]
)
"""a page or a table: bytes and rows, its check word, and the least and greatest key, time and value in it"""
FEW = 4
"""pages"""
TABLE_ROWS = 65_536
BLOCK = 1 << 17
"""words that are packed in one go"""
ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")

Entries = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A table to go into a segment, with the least and greatest key and time in it."""

    kind: int
    table: pa.Table
    keys: tuple[int, int]
    times: tuple[int, int]


class Segment:
    """One segment, open for reading from any thread until nobody holds it any more."""

    def __init__(self, name: str, first: int, last: int, source: int | memoryview, index: Entries | None) -> None:
        """`source` is a file descriptor, which is closed in the end, or the bytes; `index` is None if unreadable."""
        self.name, self.first, self.last, self.source = name, first, last, source
        self.size = os.fstat(source).st_size if isinstance(source, int) else len(source)
        if isinstance(source, int):
            weakref.finalize(self, os.close, source)
        self.unreadable = index is None
        self.damaged: set[int] = set()
        """entries that were found damaged"""
        entries: Entries = np.zeros(0, ENTRY) if index is None else index
        pages = entries[entries["kind"] == READINGS]
        self.pages = len(pages)
        self.tables = entries[self.pages :].copy()
        """entries of tables; an entry's number counts pages first"""
        names = ("check", "first", "last", "time_first", "time_last", "least", "most")
        self.check, self.key_first, self.key_last, self.low, self.high, self.least, self.most = (
            np.ascontiguousarray(pages[name]) for name in names
        )
        self.places = np.stack(
            [pages["offset"] // 8, (pages["offset"] + pages["length"]) // 8, pages["rows"]], 1
        ).astype(np.int64)
        """(pages, 3): first word, word after the last, rows"""
        self.rows = int(self.places[:, 2].sum())
        self.holds = self.rows + int(self.tables["rows"].sum())
        """readings, events, and what stays of those that expired"""
        self.weight = 16 * self.holds - 15 * self.rows
        """what it costs to merge it, in readings"""
        self.time_first = int(self.low.min()) if self.pages else 1 << 62
        self.time_last = int(self.high.max()) if self.pages else -(1 << 62)

    def runs(self, ask: Ask, low: int, high: int) -> list[tuple[int, int]]:
        """(first, after the last) of the pages that may hold what is asked for with a key in [low, high].

        A few pages too many are read in one go rather than left out.
        """
        if self.time_first >= ask.end or self.time_last < ask.start:
            return []
        begin = int(self.key_last.searchsorted(low))
        end = int(self.key_first.searchsorted(high, "right"))
        if end - begin <= FEW:
            return [(begin, end)] if begin < end else []
        hit = (self.low[begin:end] < ask.end) & (self.high[begin:end] >= ask.start)
        if ask.attrs is None and ask.things is not None:
            hit &= self._with_things(ask.things[0], ask.things[-1])[begin:end]
        pages = np.flatnonzero(hit) + begin
        if not len(pages):
            return []
        cuts = np.flatnonzero(np.diff(pages) > FEW)
        begins, ends = pages[np.append(0, cuts + 1)], pages[np.append(cuts, len(pages) - 1)] + 1
        return list(zip(begins.tolist(), ends.tolist(), strict=True))

    def _with_things(self, first: int, last: int) -> Mask:
        """(pages,) could a thing from `first` to `last` be in it, whatever its attribute?"""
        half = 1 << 31
        mixed = (self.key_first + half) >> 32 != (self.key_last + half) >> 32
        begin = ((self.key_first + half) & 0xFFFFFFFF) - half
        end = ((self.key_last + half) & 0xFFFFFFFF) - half
        found: Mask = mixed | ((begin <= last) & (end >= first))
        return found

    def read_into(self, room: "memoryview[int]", offset: int) -> None:
        """Fills `room` from byte `offset` on; what cannot be read is zero, and fails its check."""
        if not isinstance(self.source, int):
            room[:] = self.source[offset : offset + len(room)]
            return
        done = 0
        with suppress(OSError):
            while done < len(room) and (got := os.preadv(self.source, [room[done:]], offset + done)):
                done += got
        if done < len(room):
            room[done:] = bytes(len(room) - done)

    def redundant(self) -> bool:
        """Can both heads and both indexes still be read?"""
        return not isinstance(self.source, int) or len(list(_indexes(self.source, self.first, self.last))) == 4

    def place(self, entry: int) -> tuple[int, int, int]:
        """(byte, bytes, rows) of an entry; all of it for a number below zero."""
        if entry < 0:
            return 0, self.size, self.holds
        if entry < self.pages:
            start, end, rows = self.places[entry].tolist()
            return start * 8, (end - start) * 8, rows
        one = self.tables[entry - self.pages]
        return int(one["offset"]), int(one["length"]), int(one["rows"])

    def about(self, entry: int) -> tuple[int, int, int, int, int]:
        """(kind, least time, greatest time, least key, greatest key) of a table."""
        one = self.tables[entry - self.pages]
        return int(one["kind"]), int(one["time_first"]), int(one["time_last"]), int(one["first"]), int(one["last"])

    def table(self, entry: int) -> pa.Table | None:
        """A table of events, roll-ups or last readings; None if it is damaged."""
        offset, length, _ = self.place(entry)
        data = bytearray(length)
        self.read_into(memoryview(data), offset)
        if zlib.crc32(data) != int(self.tables[entry - self.pages]["check"]):
            return None
        with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
            return stream.read_all()


class Writer:
    """Packs sorted readings and tables into one segment, into a file or into memory."""

    def __init__(self, sink: BinaryIO) -> None:
        self.sink, self.at = sink, ROOM
        self.pages: list[Entries] = []
        self.tables: list[Entries] = []
        self.rows = 0
        sink.write(bytes(ROOM))
        self._out: Any = np.empty(BLOCK, np.uint64)
        self._index = np.empty((BLOCK // 64, 8), np.int64)
        self._checks = np.empty(BLOCK // 64, np.uint64)

    def add(self, rows: Rows, order: npt.NDArray[np.int32]) -> None:
        """Readings in the order given; none of them sorts before what was added earlier."""
        row, columns = 0, rows.narrow().columns()
        while row < len(order):
            row, used, pages = pack(columns, order, row, self._out, self._index, self._checks)
            index = self._index[:pages]
            made = np.zeros(pages, ENTRY)
            made["kind"], made["rows"], made["check"] = READINGS, index[:, 1], self._checks[:pages]
            made["offset"] = index[:, 0] * 8 + self.at
            made["length"] = np.diff(index[:, 0], append=used) * 8
            for name, column in (("first", 2), ("last", 3), ("time_first", 4), ("time_last", 5)):
                made[name] = index[:, column]
            made["least"], made["most"] = index[:, 6:].view(np.float64).T
            self.pages.append(made)
            self._write(memoryview(self._out[:used]).cast("B"))
        self.rows += len(order)

    def add_table(self, part: Part) -> None:
        buffer = io.BytesIO()
        with pa.ipc.new_stream(buffer, part.table.schema, options=ZSTD) as stream:
            stream.write_table(part.table)
        data = buffer.getvalue()
        data += bytes(-len(data) % 8)
        entry = (
            part.kind,
            part.table.num_rows,
            self.at,
            len(data),
            zlib.crc32(data),
            *part.keys,
            *part.times,
            np.nan,
            np.nan,
        )
        self.tables.append(np.array([entry], ENTRY))
        self._write(data)

    def _write(self, data: "bytes | memoryview[int]") -> None:
        self.sink.write(data)
        self.at += len(data)

    def finish(self, first: int, last: int) -> Entries:
        """Index and heads, each twice; the index."""
        index = np.concatenate([np.zeros(0, ENTRY), *self.pages, *self.tables])
        raw = index.tobytes()
        head = HEAD.pack(MAGIC, first, last, self.at, len(raw), zlib.crc32(raw))
        head = head.ljust(ROOM - 4, b"\0")
        head += zlib.crc32(head).to_bytes(4, "little")
        self.sink.write(raw)
        self.sink.write(raw)
        self.sink.write(head)
        self.sink.seek(0)
        self.sink.write(head)
        return index


def in_memory(rows: Rows, order: npt.NDArray[np.int32], tables: Iterable[Part], first: int, last: int) -> Segment:
    """A segment that is in no file yet."""
    buffer = io.BytesIO()
    writer = Writer(buffer)
    writer.add(rows, order)
    for part in tables:
        writer.add_table(part)
    index = writer.finish(first, last)
    return Segment("", first, last, buffer.getbuffer(), index)


def write(
    directory: Path, disk: Disk, fill: Callable[[Writer], None], first: int, last: int, generation: int
) -> Segment:
    """The segment that `fill` makes, synced and under its final name. OSError: nothing is left behind."""
    draft = directory / f"{uuid.uuid4().hex}.tmp"
    try:
        with draft.open("xb", buffering=0) as file:
            writer = Writer(file)
            fill(writer)
            writer.finish(first, last)
            disk.sync(file.fileno())
        path = directory / f"{first:020d}-{last:020d}-{generation:08x}.seg"
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    disk.sync_directory(directory)
    return opened(path)


def opened(path: Path) -> Segment:
    """A segment file; one whose two heads or indexes are damaged is `unreadable`."""
    first, last, _ = range_of(path)
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        index = next(_indexes(fd, first, last), None)
        return Segment(path.name, first, last, fd, index)
    except BaseException:
        os.close(fd)
        raise


def range_of(path: Path) -> tuple[int, int, int]:
    """First and last number, and generation, as the name says."""
    first, last, generation = path.stem.split("-")
    return int(first), int(last), int(generation, 16)


def _indexes(fd: int, first: int, last: int) -> Iterator[Entries]:
    """The index, as often as it can be read whole."""
    size = os.fstat(fd).st_size
    for place in (0, max(0, size - ROOM)):
        head = os.pread(fd, ROOM, place)
        if len(head) < ROOM or zlib.crc32(head[:-4]) != int.from_bytes(head[-4:], "little"):
            continue
        magic, low, high, offset, length, check = HEAD.unpack(head[: HEAD.size])
        for copy in (offset, offset + length):
            raw = os.pread(fd, length, copy)
            if (magic, low, high) == (MAGIC, first, last) and len(raw) == length and zlib.crc32(raw) == check:
                yield np.frombuffer(raw, ENTRY)


def survey(directory: Path) -> tuple[list[Path], list[Path]]:
    """(segments in the order of their numbers, files that another one has replaced or that were never finished)."""
    void = list(directory.glob("*.tmp"))
    kept: list[Path] = []
    paths = sorted(
        directory.glob("*-*-*.seg"), key=lambda path: (range_of(path)[0], -range_of(path)[1], -range_of(path)[2])
    )
    for path in paths:
        covered = kept and range_of(kept[-1])[1] >= range_of(path)[1]
        (void if covered else kept).append(path)
    return kept, void
