"""Segments: the settled part of history in Parquet files, sorted by attribute, thing and time.

One attribute over the whole city is one stretch of a file, and one thing is one row group within it, so the
statistics of the row groups keep both questions quick. A segment never changes: it is written, synced, renamed,
entered in the manifest, and one day replaced. The manifest knows the checksum of every file.
"""

import os
import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from cheng.infrastructure.history_tail import READINGS
from cheng.infrastructure.log import Disk

DAY = 86_400_000_000
"""microseconds"""
ENCODINGS = {"seq": "DELTA_BINARY_PACKED", "thing": "DELTA_BINARY_PACKED", "time": "DELTA_BINARY_PACKED"}
DICTIONARIES = ["attr", "value", "latitude", "quality"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One Parquet file of readings, as the manifest knows it; first and last are both inside."""

    name: str
    day: int | None
    """days since 1970-01-01 UTC if all its readings are of one day"""
    rows: int
    size: int
    """bytes"""
    check: int
    """crc32 of the file"""
    footer: int
    """crc32 of its footer, which says where everything lies and has no checksum of its own"""
    time_first: int
    time_last: int
    thing_first: int
    thing_last: int
    attrs: Sequence[int]

    def may_hold(self, start: int, end: int, things: Sequence[int] | None, attrs: Sequence[int] | None) -> bool:
        """Could a reading in [start, end) of these things and attributes be here?"""
        return (
            self.time_first < end
            and self.time_last >= start
            and (attrs is None or not set(self.attrs).isdisjoint(attrs))
            and (things is None or any(self.thing_first <= thing <= self.thing_last for thing in things))
        )


@dataclass(slots=True)
class _Span:
    """Smallest and largest of what went into a segment so far."""

    rows: int = 0
    time: tuple[int, int] = (1 << 63, -(1 << 63))
    thing: tuple[int, int] = (1 << 31, -(1 << 31))
    attrs: set[int] = field(default_factory=set)

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        self.time = _wider(self.time, batch.column("time").to_numpy())
        self.thing = _wider(self.thing, batch.column("thing").to_numpy())
        self.attrs.update(np.unique(batch.column("attr").to_numpy()).tolist())


def _wider(span: tuple[int, int], values: npt.NDArray[Any]) -> tuple[int, int]:
    return min(span[0], int(values.min())), max(span[1], int(values.max()))


class Writer:
    """Writes sorted readings into as many segments as `largest` rows each make."""

    def __init__(self, directory: Path, disk: Disk, *, largest: int, group: int) -> None:
        self.directory, self.disk, self.largest, self.group = directory, disk, largest, group

    def write(self, reader: pa.RecordBatchReader, day: int | None) -> list[Segment]:
        """The segments, synced and under their final names, in no manifest yet. OSError: nothing is left behind."""
        made: list[Segment] = []
        try:
            while (segment := self._one(reader, day)) is not None:
                made.append(segment)
            if made:
                self.disk.sync_directory(self.directory)
        except BaseException:
            remove(self.directory, [segment.name for segment in made])
            raise
        return made

    def _one(self, reader: pa.RecordBatchReader, day: int | None) -> Segment | None:
        span = _Span()
        draft = self.directory / f"{uuid.uuid4().hex}.tmp"
        try:
            with pq.ParquetWriter(draft, READINGS, **self._format()) as writer:
                for batch in reader:
                    if batch.num_rows:
                        writer.write_batch(batch.cast(READINGS), row_group_size=self.group)
                        span.add(batch)
                    if span.rows >= self.largest:
                        break
            return self._publish(draft, day, span) if span.rows else None
        finally:
            draft.unlink(missing_ok=True)

    def _format(self) -> dict[str, Any]:
        return {
            "compression": "zstd",
            "use_dictionary": DICTIONARIES,
            "column_encoding": ENCODINGS,
            "write_page_checksum": True,
            "data_page_version": "2.0",
        }

    def _publish(self, draft: Path, day: int | None, span: _Span) -> Segment:
        fd = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.disk.sync(fd)
        finally:
            os.close(fd)
        name = f"{'mixed' if day is None else day_name(day)}-{draft.stem[:12]}.parquet"
        draft.rename(self.directory / name)
        path = self.directory / name
        size, check, footer = path.stat().st_size, checksum(path), footer_checksum(path)
        return Segment(name, day, span.rows, size, check, footer, *span.time, *span.thing, sorted(span.attrs))


def day_name(day: int) -> str:
    """`day` counted from 1970-01-01 as a date, or as a bare number where the calendar has none."""
    try:
        return str((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date())
    except OverflowError:
        return f"day{day}"


def checksum(path: Path) -> int:
    """crc32 of a file."""
    check = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            check = zlib.crc32(block, check)
    return check


def footer_checksum(path: Path) -> int:
    """crc32 of a Parquet file's footer with its length; -1 if the length cannot be."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little") + 8
        if length > size:
            return -1
        file.seek(size - length)
        return zlib.crc32(file.read())


def remove(directory: Path, names: Sequence[str]) -> None:
    """Deletes segment files; one that is gone already is no matter."""
    for name in names:
        (directory / name).unlink(missing_ok=True)


def salvage(path: Path, segment: Segment, group: int) -> pa.RecordBatchReader:
    """The row groups of a damaged segment whose pages all have the right checksum, in order; often all but one."""
    return pa.RecordBatchReader.from_batches(READINGS, _readable(path, segment, group))


def _readable(path: Path, segment: Segment, group: int) -> Iterator[pa.RecordBatch]:
    if not path.exists() or footer_checksum(path) != segment.footer:
        return
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for index in range(file.num_row_groups):
            try:
                table = file.read_row_group(index).cast(READINGS)
            except (OSError, pa.ArrowException):
                continue
            yield from table.to_batches(max_chunksize=group)
