"""Frames of the log: a sealed header and the raw columns of one batch, readable again or known to be damaged.

A frame is 32 bytes of header (magic, kind, flags, count, length, first sequence number, checksum of the payload,
checksum of the header, all little-endian) and its payload. Both checksums start from the salt of their file, so
that bytes sent by a device can never pass for a frame when a damaged file is searched for the next one.
"""

import os
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.kernel.observations import Batch, Events, Frame

MAGIC = b"\xc9CHG"
HEADER = struct.Struct("<4sHHIIQI")
CHECK = struct.Struct("<I")
SIZE = HEADER.size + CHECK.size
READINGS, EVENTS = 1, 2
LATITUDE, QUALITY = 1, 2
"""flags: the column is there; left out it is all NaN, or no mark at all"""
LARGEST = 1 << 30
"""bytes in a payload; whoever has more sends several batches"""


@dataclass(slots=True)
class Body:
    """A frame that has no place in the log yet."""

    kind: int
    flags: int
    count: int
    parts: list[bytes | memoryview]
    """its payload: the columns where they lie, one after the other"""
    length: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Something stored that cannot be read as it was written; `first` and `count` are known if the header was."""

    place: str
    """the file, without its folder"""
    offset: int
    length: int
    reason: str
    """`torn`, `header`, `payload`, `missing` or `segment`"""
    first: int | None = None
    count: int | None = None


@dataclass(slots=True)
class Found:
    """What lies at one place of a log file: a frame, or (`frame` is None) what is wrong there."""

    offset: int
    length: int
    reason: str = ""
    first: int | None = None
    count: int | None = None
    frame: Frame | None = None


def encode(frame: Frame) -> Body:
    """The columns of `frame` as little-endian bytes. ValueError: columns of unequal length, or text not in UTF-8."""
    if isinstance(frame, Batch):
        return _encode_readings(frame)
    return _encode_events(frame)


I8, F8, I4, U4, U2 = map(np.dtype, ("<i8", "<f8", "<i4", "<u4", "<u2"))


def _raw(column: Any, dtype: np.dtype[Any], count: int) -> memoryview:
    values: Any = np.ascontiguousarray(column, dtype)
    if values.shape != (count,):
        raise ValueError(f"a column of shape {values.shape} in a batch of {count}")
    return memoryview(values).cast("B") if count else memoryview(b"")


def _encode_readings(batch: Batch) -> Body:
    count = len(batch)
    flags = (LATITUDE if batch.located() else 0) | (QUALITY if batch.marked() else 0)
    latitude, quality = _raw(batch.latitude, F8, count), _raw(batch.quality, U2, count)
    parts: list[bytes | memoryview] = [_raw(batch.time, I8, count), _raw(batch.value, F8, count)]
    parts += [latitude] if flags & LATITUDE else []
    parts += [_raw(batch.thing, I4, count), _raw(batch.attr, I4, count)]
    parts += [quality] if flags & QUALITY else []
    return _body(READINGS, flags, count, parts)


def _encode_events(events: Events) -> Body:
    count = len(events)
    if len(events.payload) != count:
        raise ValueError(f"{len(events.payload)} payloads for {count} events")
    text = b"".join(events.payload)
    for one in events.payload if not text.isascii() else ():
        one.decode("utf-8")
    lengths = [len(one) for one in events.payload]
    columns = [(events.time, I8), (events.type, I4), (lengths, U4), (events.quality, U2)]
    return _body(EVENTS, 0, count, [*(_raw(column, dtype, count) for column, dtype in columns), text])


def _body(kind: int, flags: int, count: int, parts: list[bytes | memoryview]) -> Body:
    length = sum(len(part) for part in parts)
    if length > LARGEST:
        raise ValueError(f"a batch of {length} bytes is more than the log takes at once ({LARGEST})")
    return Body(kind, flags, count, parts, length)


def seal(body: Body, first: int, salt: int) -> bytes:
    """The header that makes `body` the frame starting at sequence number `first` in the file with `salt`."""
    check = salt
    for part in body.parts:
        check = zlib.crc32(part, check)
    head = HEADER.pack(MAGIC, body.kind, body.flags, body.count, body.length, first, check)
    return head + CHECK.pack(zlib.crc32(head, salt))


def decode(kind: int, flags: int, count: int, payload: bytes) -> Frame | None:
    """The frame whose columns lie in `payload`; None if the header promises something else than what is there."""
    if kind == READINGS:
        wide = 24 + 8 * bool(flags & LATITUDE) + 2 * bool(flags & QUALITY)
        return _decode_readings(flags, count, payload) if len(payload) == wide * count else None
    if kind == EVENTS and len(payload) >= 18 * count:
        return _decode_events(count, payload)
    return None


def _decode_readings(flags: int, count: int, payload: bytes) -> Batch:
    take = _Columns(payload, count)
    time, value = take("<i8"), take("<f8")
    latitude = take("<f8") if flags & LATITUDE else np.full(count, np.nan)
    thing, attr = take("<i4"), take("<i4")
    return Batch(thing, attr, time, value, latitude, take("<u2") if flags & QUALITY else np.zeros(count, np.uint16))


def _decode_events(count: int, payload: bytes) -> Events | None:
    take = _Columns(payload, count)
    time, kind, lengths, quality = take("<i8"), take("<i4"), take("<u4"), take("<u2")
    ends = np.cumsum(lengths, dtype=np.int64) + 18 * count
    if count and ends[-1] != len(payload):
        return None
    starts = ends - lengths
    texts = [payload[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    return Events(kind, time, quality, texts)


class _Columns:
    """Takes one column after the other off a payload, without copying."""

    def __init__(self, payload: bytes, count: int) -> None:
        self.payload, self.count, self.at = payload, count, 0

    def __call__(self, dtype: str) -> npt.NDArray[Any]:
        column: npt.NDArray[Any] = np.frombuffer(self.payload, dtype, self.count, self.at)
        self.at += column.nbytes
        native = column.dtype.newbyteorder("=")
        return column if sys.byteorder == "little" else column.astype(native)


def read(fd: int, salt: int) -> Iterator[Found]:
    """Everything in a log file from its start: frames, damaged stretches, and last of all a torn tail if any."""
    size, at = os.fstat(fd).st_size, 0
    while at < size:
        found = _at(fd, at, size, salt)
        if found.reason == "header":
            further = _search(fd, at + 1, size, salt)
            found.length = (size if further is None else further) - at
            found.reason = "torn" if further is None else "header"
        yield found
        at += found.length


def _at(fd: int, at: int, size: int, salt: int) -> Found:
    head = _header(os.pread(fd, SIZE, at), salt)
    if head is None:
        return Found(at, size - at, "header")
    _, kind, flags, count, length, first, check = head
    if at + SIZE + length > size:
        return Found(at, size - at, "torn", first, count)
    payload = os.pread(fd, length, at + SIZE)
    frame = decode(kind, flags, count, payload) if zlib.crc32(payload, salt) == check else None
    return Found(at, SIZE + length, "payload" if frame is None else "", first, count, frame)


def _header(raw: bytes, salt: int) -> tuple[Any, ...] | None:
    if len(raw) < SIZE or raw[:4] != MAGIC:
        return None
    if CHECK.unpack_from(raw, HEADER.size)[0] != zlib.crc32(raw[: HEADER.size], salt):
        return None
    return HEADER.unpack_from(raw)


def _search(fd: int, start: int, size: int, salt: int) -> int | None:
    """Where the next sealed header begins, from `start` on; None if there is none."""
    rest = os.pread(fd, size - start, start)
    at = rest.find(MAGIC)
    while at >= 0:
        if _header(rest[at : at + SIZE], salt) is not None:
            return start + at
        at = rest.find(MAGIC, at + 1)
    return None
