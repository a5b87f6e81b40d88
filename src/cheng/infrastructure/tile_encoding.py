"""Vector tiles as bytes: Mapbox Vector Tile 2.1, from columns.

What comes in lies in units of the tile; it is rounded to whole ones here, and what that leaves without length or area
is left out. Rings come out wound as the specification wants: outer ones with a positive area where y goes down.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cheng.kernel.compiled import called, compiled, part
from cheng.methods.tiles import EXTENT

POINT, LINE, POLYGON = 1, 2, 3
VERSION = 2
MOVE, DRAW, CLOSE = 1, 2, 15
"""Commands, the last one with its count."""
MOST_OF_A_FEATURE, MOST_OF_A_RING, MOST_OF_A_VERTEX, MOST_OF_A_TAG = 40, 16, 12, 10
"""Bytes that each can take."""
Word = str | int | float | bool
Ints = npt.NDArray[np.int64]


class Shapes(NamedTuple):
    """Geometries of one kind as flat columns, in units of a tile."""

    kind: int
    x: npt.NDArray[np.float64]
    """(vertices,)"""
    y: npt.NDArray[np.float64]
    rings: Ints
    """(parts + 1,) where the vertices of each part begin; rings of polygons are closed, their last vertex the first"""
    outer: npt.NDArray[np.bool_]
    """(parts,) whether a ring is an outer one; the holes in it follow it"""
    features: Ints
    """(features + 1,) where the parts of each feature begin"""

    @classmethod
    def points(cls, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> "Shapes":
        """A point for each feature."""
        each = np.arange(len(x) + 1)
        return cls(POINT, x, y, each, np.ones(len(x), np.bool_), each)


class Column(NamedTuple):
    """What is said of each feature under one key."""

    codes: npt.NDArray[Any]
    """(features,) positions in `words`; -1 where nothing is said"""
    words: Sequence[Word]


def tile(layers: Iterable[bytes]) -> bytes:
    """A tile of encoded layers."""
    return b"".join(b"\x1a" + varint(len(layer)) + layer for layer in layers)


def encode_layer(
    name: str, shapes: Shapes, columns: Mapping[str, Column], ids: npt.NDArray[np.int64] | None = None
) -> bytes:
    """One layer; b"" when nothing of it is left. `ids` (features,): numbers of 0 or more by which they are known."""
    count = len(shapes.features) - 1
    tags, values = np.empty((count, len(columns)), np.int32), list[Word]()
    for number, column in enumerate(columns.values()):
        tags[:, number] = _codes(column, values)
    size = count * (MOST_OF_A_FEATURE + MOST_OF_A_TAG * len(columns))
    size += MOST_OF_A_RING * (len(shapes.rings) - 1) + MOST_OF_A_VERTEX * len(shapes.x)
    out = np.empty(size, np.uint8)
    work = np.empty(size, np.uint8)
    longest = int(np.diff(shapes.rings).max(initial=0)) if shapes.kind != POINT else 1
    corners = np.empty((longest, 2), np.int64)
    known = np.arange(0) if ids is None else np.asarray(ids, np.int64)
    written = _features(*shapes, known, tags, corners, np.zeros(2, np.int64), work, out)
    if not written:
        return b""
    told = name.encode()
    head = b"\x78" + varint(VERSION) + b"\x0a" + varint(len(told)) + told
    keys = b"".join(b"\x1a" + varint(len(key.encode())) + key.encode() for key in columns)
    said = b"".join(b"\x22" + varint(len(value)) + value for value in map(_value, values))
    return head + out[:written].tobytes() + keys + said + b"\x28" + varint(EXTENT)


def varint(number: int) -> bytes:
    """A whole number of 0 or more, seven bits a byte."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _codes(column: Column, values: list[Word]) -> npt.NDArray[Any]:
    """(features,) the places in `values` of what a column says; only what it really says is added there."""
    codes = np.asarray(column.codes)
    said = codes >= 0
    used = np.flatnonzero(np.bincount(codes[said], minlength=len(column.words)))
    place = np.full(len(column.words) + 1, -1, np.int32)
    place[used] = np.arange(len(values), len(values) + len(used))
    values += [column.words[at] for at in used.tolist()]
    return place[np.where(said, codes, len(column.words))]


def _value(word: Word) -> bytes:
    if isinstance(word, str):
        text = word.encode()
        return b"\x0a" + varint(len(text)) + text
    if isinstance(word, bool):
        return b"\x38" + bytes([word])
    if isinstance(word, int):
        return b"\x28" + varint(word) if word >= 0 else b"\x30" + varint(-2 * word - 1)
    return b"\x15" + struct.pack("<f", word)


# -- machine code


@part
def _put(out: Any, at: Any, number: Any) -> Any:
    """Writes a varint; where it ends."""
    while number > 127:
        out[at] = number & 127 | 128
        number >>= 7
        at += 1
    out[at] = number
    return at + 1


@part
def _turned(number: Any) -> Any:
    """Zigzag: small numbers of either sign become small numbers of none."""
    return 2 * number if number >= 0 else -2 * number - 1


@called
def _corners(x: Any, y: Any, start: Any, end: Any, closed: Any, corners: Any) -> Any:
    """Whole vertices of a part, each different from the one before; how many. A ring ends before its first one."""
    count = 0
    for at in range(start, end):
        across, down = np.int64(np.floor(x[at] + 0.5)), np.int64(np.floor(y[at] + 0.5))
        if count == 0 or across != corners[count - 1, 0] or down != corners[count - 1, 1]:
            corners[count, 0], corners[count, 1] = across, down
            count += 1
    while closed and count > 1 and corners[0, 0] == corners[count - 1, 0] and corners[0, 1] == corners[count - 1, 1]:
        count -= 1
    return count


@called
def _area(corners: Any, count: Any) -> Any:
    """Twice the area of a ring, by the surveyor's formula."""
    total = 0
    for at in range(count):
        after = at + 1 if at + 1 < count else 0
        total += corners[at, 0] * corners[after, 1] - corners[after, 0] * corners[at, 1]
    return total


@called
def _way(corners: Any, count: Any, back: Any, closed: Any, cursor: Any, work: Any, at: Any) -> Any:
    """Writes a part: to its first vertex, along the others, and for a ring the word that it closes."""
    for step in range(count):
        vertex = count - 1 - step if back else step
        if step == 0:
            at = _put(work, at, 1 << 3 | MOVE)
        elif step == 1:
            at = _put(work, at, (count - 1) << 3 | DRAW)
        for axis in range(2):
            at = _put(work, at, _turned(corners[vertex, axis] - cursor[axis]))
            cursor[axis] = corners[vertex, axis]
    return _put(work, at, CLOSE) if closed else at


@called
def _geometry(
    kind: Any, x: Any, y: Any, rings: Any, outer: Any, first: Any, last: Any, corners: Any, cursor: Any, work: Any
) -> Any:
    """Writes the geometry of a feature into `work`; how many bytes it takes, 0 when nothing is left of it."""
    cursor[:] = 0
    at, hollow = 0, False
    if kind == POINT:
        at = _put(work, at, (rings[last] - rings[first]) << 3 | MOVE)
        for vertex in range(rings[first], rings[last]):
            _corners(x, y, vertex, vertex + 1, False, corners)
            for axis in range(2):
                at = _put(work, at, _turned(corners[0, axis] - cursor[axis]))
                cursor[axis] = corners[0, axis]
        return at if rings[last] > rings[first] else 0
    for ring in range(first, last):
        count = _corners(x, y, rings[ring], rings[ring + 1], kind == POLYGON, corners)
        if kind == LINE:
            if count > 1:
                at = _way(corners, count, False, False, cursor, work, at)
            continue
        area = _area(corners, count)
        if outer[ring]:
            hollow = area != 0
        if area != 0 and hollow:
            at = _way(corners, count, (area > 0) != outer[ring], True, cursor, work, at)
    return at


@called
def _length(number: Any) -> Any:
    """Bytes that a varint takes."""
    size = 1
    while number > 127:
        number >>= 7
        size += 1
    return size


@compiled
def _features(
    kind: Any,
    x: Any,
    y: Any,
    rings: Any,
    outer: Any,
    features: Any,
    ids: Any,
    tags: Any,
    corners: Any,
    cursor: Any,
    work: Any,
    out: Any,
) -> Any:
    """Writes every feature that has something left of it into `out`; how many bytes they take."""
    end = 0
    for feature in range(len(features) - 1):
        room = _geometry(kind, x, y, rings, outer, features[feature], features[feature + 1], corners, cursor, work)
        if room == 0:
            continue
        said = 0
        for key in range(tags.shape[1]):
            if tags[feature, key] >= 0:
                said += _length(key) + _length(tags[feature, key])
        body = 2 + 1 + _length(room) + room
        body += (1 + _length(said) + said) if said else 0
        body += 1 + _length(ids[feature]) if len(ids) else 0
        out[end] = 0x12
        end = _put(out, end + 1, body)
        if len(ids):
            out[end] = 0x08
            end = _put(out, end + 1, ids[feature])
        if said:
            out[end] = 0x12
            end = _put(out, end + 1, said)
            for key in range(tags.shape[1]):
                if tags[feature, key] >= 0:
                    end = _put(out, end, key)
                    end = _put(out, end, np.int64(tags[feature, key]))
        out[end], out[end + 1], out[end + 2] = 0x18, kind, 0x22
        end = _put(out, end + 3, room)
        out[end : end + room] = work[:room]
        end += room
    return end
