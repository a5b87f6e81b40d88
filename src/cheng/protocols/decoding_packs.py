"""Records of a SenML pack into columns, compiled: one pass over their bytes, base fields carried on.

A pack is plain when it is ASCII and its records have no other fields than those of RFC 8428, section 4.3, for names,
times, units and single values, each at most once and without escapes. Any other is left to the decoder that knows all.
"""

from typing import NamedTuple

import numpy as np

from cheng.kernel.columns import Floats, Ints, Rows
from cheng.kernel.compiled import compiled, part
from cheng.kernel.meanings import WORD
from cheng.kernel.names import Table, find, same
from cheng.kernel.words import Text, byte, word
from cheng.protocols.decoding_ndjson import CLOSE, COLON, COMMA, FALSE, FIVE, FOUR, OPEN, TRUE, Columns
from cheng.protocols.decoding_numbers import QUOTE, SPACE, float_at, string_end

BEGIN, END = 91, 93
LINE_FEED, TAB, RETURN = 10, 9, 13
SLASH = 47
BN, BT, BU, BV, N, T, U, V, VS, VB = range(10)
STRINGS, NUMBERS = 1 << BN | 1 << BU | 1 << N | 1 << U | 1 << VS, 1 << BT | 1 << BV | 1 << T | 1 << V
RELATIVE = 2.0**28
"""Times below it are counted from now (RFC 8428, section 4.5.3)."""
LATEST = 9e12
LONGEST = 1_000
"""Bytes of a whole name."""
UNITS = 64
"""Different units in one pack."""
BAD, SKIPPED, TAKEN = -1, 0, 1


class Record(NamedTuple):
    """The fields of the record that is read, by their numbers; base fields stay for the next one."""

    begin: Rows
    end: Rows
    number: Floats
    name: Text
    """(LONGEST + 8,) the whole name"""
    units: Rows
    """(UNITS, 2) where each unit stands"""
    so_far: Rows
    """(4,) how many rows, undated records, other records and units there are so far"""


class Found(NamedTuple):
    """What a pack holds besides its columns; room for as many as there are records."""

    unit: Ints
    """by row, -1 for none"""
    undated: Rows
    """records without an absolute time"""
    others: Rows
    """(n, 9) what has a name or text that the register does not know: its record, where bn, n and vs (-1 for none)
    begin and end, its unit and its time"""
    values: Floats
    """(n,) their numbers"""


def record_of_zeros() -> Record:
    """As a scan begins with it."""
    places = (np.zeros(10, np.intp), np.zeros(10, np.intp), np.zeros(10))
    return Record(*places, np.zeros(LONGEST + 8, np.uint8), np.zeros((UNITS, 2), np.intp), np.zeros(4, np.intp))


def room_beside(count: int) -> Found:
    """Room for what a pack of so many records holds besides its columns."""
    return Found(np.empty(count, np.int32), np.empty(count, np.intp), np.empty((count, 9), np.intp), np.empty(count))


@part
def after_white(text: Text, at: int) -> int:
    while byte(text, at) <= SPACE and byte(text, at) in (SPACE, TAB, RETURN, LINE_FEED):
        at += 1
    return at


@part
def key_at(text: Text, at: int) -> tuple[int, int]:
    """Behind a key in its quotes, and which it is; -1 for others."""
    if byte(text, at) != QUOTE:
        return -1, -1
    first, second, third = byte(text, at + 1), byte(text, at + 2), byte(text, at + 3)
    if second == QUOTE:
        key = N if first == 110 else T if first == 116 else U if first == 117 else V if first == 118 else -1
        return at + 3, key
    if third != QUOTE:
        return -1, -1
    if first == 98:
        key = BN if second == 110 else BT if second == 116 else BU if second == 117 else BV if second == 118 else -1
        return at + 4, key
    key = VS if first == 118 and second == 115 else VB if first == 118 and second == 98 else -1
    return at + 4, key


@part
def field_at(text: Text, at: int, key: int, record: Record) -> int:
    """Behind what a key says, which is put into the record; -1 for what is not of its kind."""
    if STRINGS >> key & 1:
        end = string_end(text, at + 1) if byte(text, at) == QUOTE else -1
        record.begin[key], record.end[key] = at + 1, end
        return end + 1 if end >= 0 else -1
    if NUMBERS >> key & 1:
        at, record.number[key] = float_at(text, at)
        return at
    eight = word(text, at)
    record.number[VB] = 1.0 if eight & FOUR == TRUE else 0.0
    return at + 4 if eight & FOUR == TRUE else at + 5 if eight & FIVE == FALSE else -1


@part
def record_at(text: Text, at: int, record: Record) -> tuple[int, int]:
    """Behind a record, and which fields it had; -1 when it is not plain."""
    record.begin[N], record.end[N], record.number[T] = 0, 0, 0.0
    seen, open_or_comma = 0, OPEN
    while byte(text, at) == open_or_comma:
        at, key = key_at(text, after_white(text, at + 1))
        if key < 0 or seen >> key & 1:
            return -1, 0
        at = after_white(text, at)
        if byte(text, at) != COLON:
            return -1, 0
        at = field_at(text, after_white(text, at + 1), key, record)
        if at < 0:
            return -1, 0
        seen, open_or_comma = seen | 1 << key, COMMA
        at = after_white(text, at)
    return (at + 1, seen) if byte(text, at) == CLOSE and seen else (-1, 0)


@part
def whole_name(text: Text, record: Record) -> tuple[int, int]:
    """Puts base name and name together; how long they are, and where the attribute's begins: behind the last slash,
    without one behind the last colon. -1 when they are too long.
    """
    name, size, slash, colon = record.name, 0, -1, -1
    if record.end[BN] - record.begin[BN] + record.end[N] - record.begin[N] > LONGEST:
        return -1, 0
    for key in (BN, N):
        for at in range(record.begin[key], record.end[key]):
            name[size] = byte(text, at)
            slash = size if name[size] == SLASH else slash
            colon = size if name[size] == COLON else colon
            size += 1
    return size, (slash if slash >= 0 else colon) + 1


@part
def unit_of(text: Text, seen: int, record: Record) -> int:
    """The number of the unit that holds for the record, -1 for none; UNITS when there are too many."""
    key = U if seen >> U & 1 and record.end[U] > record.begin[U] else BU
    begin, end = record.begin[key], record.end[key]
    if begin == end:
        return -1
    for unit in range(record.so_far[3]):
        start = record.units[unit, 0]
        if record.units[unit, 1] - start == end - begin and same(text, begin, end, text, start):
            return unit
    unit = int(record.so_far[3])
    if unit < UNITS:
        record.units[unit, 0], record.units[unit, 1] = begin, end
        record.so_far[3] += 1
    return unit


@part
def put_name(text: Text, row: int, ids: Table, attrs: Table, record: Record, to: Columns) -> int:
    """Enters what a record is about: TAKEN, or SKIPPED when the register does not know it; BAD when it is too long."""
    size, cut = whole_name(text, record)
    if size < 0:
        return BAD
    thing = find(ids, record.name, 0, cut - 1) if cut > 0 else -1
    attr = find(attrs, record.name, cut, size)
    to.thing[row], to.attr[row] = -1 - thing, -1 - attr
    return TAKEN if thing >= 0 and attr >= 0 else SKIPPED


@part
def put_value(text: Text, row: int, seen: int, words: Table, record: Record, to: Columns) -> int:
    """Enters what a record says: TAKEN, or SKIPPED for a word that is not known; BAD for a sum that is no number."""
    to.word[row], to.value[row] = -1, record.number[VB]
    if seen >> V & 1:
        record.end[VS] = -1
        to.value[row] = record.number[V] + record.number[BV]
        return TAKEN if np.isfinite(to.value[row]) else BAD
    if seen >> VS & 1:
        number = find(words, text, record.begin[VS], record.end[VS])
        to.word[row], to.value[row] = WORD - number, np.nan
        return TAKEN if number >= 0 else SKIPPED
    record.end[VS] = -1
    return TAKEN


@part
def put_aside(row: int, record: Record, to: Columns, found: Found) -> None:
    """Enters a record among the others."""
    number = record.so_far[2]
    other = found.others[number]
    other[0], other[7], other[8] = to.line[row], found.unit[row], to.time[row]
    other[1], other[2], other[3], other[4] = record.begin[BN], record.end[BN], record.begin[N], record.end[N]
    other[5], other[6] = record.begin[VS], record.end[VS]
    found.values[number] = to.value[row]
    record.so_far[2] += 1


@part
def put(
    text: Text, seen: int, line: int, ids: Table, attrs: Table, words: Table, record: Record, to: Columns, found: Found
) -> int:
    """Enters a record: TAKEN as a row, SKIPPED when there is none in it, BAD when it is not plain."""
    if not seen & (1 << V | 1 << VS | 1 << VB):
        return SKIPPED
    time = record.number[BT] + record.number[T]
    if time < RELATIVE:
        found.undated[record.so_far[1]] = line
        record.so_far[1] += 1
        return SKIPPED
    row = int(record.so_far[0])
    to.line[row], found.unit[row] = line, unit_of(text, seen, record)
    if time > LATEST or found.unit[row] >= UNITS:
        return BAD
    to.time[row] = np.int64(np.rint(time * 1e6))
    known, said = put_name(text, row, ids, attrs, record, to), put_value(text, row, seen, words, record, to)
    if known == SKIPPED or said == SKIPPED:
        put_aside(row, record, to, found)
    return min(known, said)


@compiled
def scan_pack(
    text: Text, size: int, ids: Table, attrs: Table, words: Table, record: Record, to: Columns, found: Found
) -> bool:
    """Reads a pack of `size` bytes; whether it was plain.

    `record` comes with zeros, `to` and `found` with room for all records.
    """
    at, line, begin_or_comma = after_white(text, 0), 0, BEGIN
    while byte(text, at) == begin_or_comma:
        at, seen = record_at(text, after_white(text, at + 1), record)
        if at < 0:
            return False
        line += 1
        done = put(text, seen, line, ids, attrs, words, record, to, found)
        if done == BAD:
            return False
        record.so_far[0] += done
        at, begin_or_comma = after_white(text, at), COMMA
    return byte(text, at) == END and line > 0 and after_white(text, at + 1) == size + 1  # behind the end of line of PAD
