"""Lines of NDJSON into columns, compiled: plain lines about what the register knows, in one pass over their bytes.

A line is plain when it holds id, attr, time and value, each once and in any order; a whole epoch number or ISO 8601; a
number, flag or text. All other lines are only found here, and left to the decoder that reads one at a time.
"""

from typing import NamedTuple

import numpy as np

from cheng.kernel.columns import NEVER, Floats, Ints, Rows, Times
from cheng.kernel.compiled import compiled, part
from cheng.kernel.meanings import LONGEST_NAME, WORD
from cheng.kernel.names import Table, find
from cheng.kernel.reports import Reports
from cheng.kernel.words import Text, byte, word
from cheng.protocols.decoding_numbers import (
    BROKEN,
    NEGATIVE,
    QUOTE,
    after_space,
    float_at,
    moment_at,
    number_at,
    string_end,
    whole_us,
)

END, COMMA, COLON, OPEN, CLOSE = 10, 44, 58, 123, 125
ID, ATTR, TIME, VALUE = 0, 1, 2, 3
ALL = 0b1111
FOUR, FIVE, SIX, SEVEN = (np.uint64((1 << 8 * n) - 1) for n in (4, 5, 6, 7))
NAME_OF_ID, NAME_OF_ATTR, NAME_OF_TIME, NAME_OF_VALUE, TRUE, FALSE = (
    np.uint64(int.from_bytes(said, "little")) for said in (b'"id"', b'"attr"', b'"time"', b'"value"', b"true", b"false")
)
NO_TEXT, NEW_TEXT = -1, -(2**31)
LATEST = 9_200_000_000_000_000_000


class Columns(NamedTuple):
    """What is found, a row for each plain line; all of one length. Names are numbers as in `Reports`."""

    thing: Ints
    attr: Ints
    time: Times
    """microseconds UTC"""
    value: Floats
    """NaN for labels; for new texts where they begin in the payload"""
    word: Ints
    """-1 for numbers, NEW_TEXT for texts that the register does not know"""
    line: Ints
    """from 1"""


def room_for(count: int) -> Columns:
    """Columns of so many rows, with nothing in them yet."""
    return Columns(
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(count, np.int64),
        np.empty(count, np.float64),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
    )


def reports_of(columns: Columns, rows: int) -> Reports:
    """The first rows of the columns."""
    thing, attr, word, line = (column[:rows] for column in (columns.thing, columns.attr, columns.word, columns.line))
    nowhere = np.full(rows, np.nan)
    return Reports([], thing, [], attr, columns.time[:rows], columns.value[:rows], nowhere, [], word, line)


@part
def key_at(text: Text, at: int) -> tuple[int, int]:
    """Behind a key in its quotes, and which it is; -1 for others."""
    eight = word(text, at)
    if eight & FOUR == NAME_OF_ID:
        return at + 4, ID
    if eight & SIX == NAME_OF_ATTR:
        return at + 6, ATTR
    if eight & SIX == NAME_OF_TIME:
        return at + 6, TIME
    if eight & SEVEN == NAME_OF_VALUE:
        return at + 7, VALUE
    return -1, -1


@part
def name_at(text: Text, at: int, names: Table) -> tuple[int, int]:
    """Behind a string, and the number of the name in it; -1 for none that is known."""
    end = string_end(text, at + 1) if byte(text, at) == QUOTE else -1
    if end < 0:
        return -1, -1
    number = find(names, text, at + 1, end)
    return (end + 1, number) if number >= 0 else (-1, -1)


@part
def time_at(text: Text, at: int) -> tuple[int, int]:
    """Behind a time, and its microseconds."""
    if byte(text, at) == QUOTE:
        end = string_end(text, at + 1)
        us = moment_at(text, at + 1, end) if end >= 0 else NEVER
        return (end + 1, us) if us != NEVER else (-1, 0)
    end, said, _, form = number_at(text, at)
    if form & BROKEN:
        return -1, 0
    return end, whole_us(-said if form & NEGATIVE else said)


@part
def text_at(text: Text, at: int, words: Table) -> tuple[int, float, int]:
    """Behind a text, and the number of the label it is; a new one is taken when it is short and ASCII."""
    begin, end = at + 1, string_end(text, at + 1)
    number = find(words, text, begin, end) if end >= 0 else -1
    if number >= 0:
        return end + 1, np.nan, WORD - number
    for place in range(begin, end):
        if byte(text, place) > 127:
            return -1, 0.0, NO_TEXT
    return (end + 1, float(begin), NEW_TEXT) if 0 <= end - begin <= LONGEST_NAME else (-1, 0.0, NO_TEXT)


@part
def value_at(text: Text, at: int, words: Table) -> tuple[int, float, int]:
    """Behind a value, the number it is, and the number of the label it is."""
    if byte(text, at) == QUOTE:
        return text_at(text, at, words)
    eight = word(text, at)
    if eight & FOUR == TRUE:
        return at + 4, 1.0, NO_TEXT
    if eight & FIVE == FALSE:
        return at + 5, 0.0, NO_TEXT
    end, value = float_at(text, at)
    return end, value, NO_TEXT


@part
def field_at(text: Text, at: int, key: int, row: int, ids: Table, attrs: Table, words: Table, to: Columns) -> int:
    """Behind what a key says, which is written into the row."""
    if key == ID:
        at, number = name_at(text, at, ids)
        to.thing[row] = -1 - number
    elif key == ATTR:
        at, number = name_at(text, at, attrs)
        to.attr[row] = -1 - number
    elif key == TIME:
        at, to.time[row] = time_at(text, at)
    else:
        at, to.value[row], to.word[row] = value_at(text, at, words)
    return at


@part
def line_at(text: Text, at: int, row: int, ids: Table, attrs: Table, words: Table, to: Columns) -> int:
    """The end of a plain line, which is written into the row; -1 when it is none."""
    at = after_space(text, at)
    seen, open_or_comma = 0, OPEN
    while byte(text, at) == open_or_comma:
        at, key = key_at(text, after_space(text, at + 1))
        if key < 0 or seen & (1 << key):
            return -1
        at = after_space(text, at)
        if byte(text, at) != COLON:
            return -1
        at = field_at(text, after_space(text, at + 1), key, row, ids, attrs, words, to)
        if at < 0:
            return -1
        seen, open_or_comma = seen | (1 << key), COMMA
        at = after_space(text, at)
    if byte(text, at) != CLOSE or seen != ALL:
        return -1
    at = after_space(text, at + 1)
    return at if byte(text, at) == END else -1


@compiled
def times_in(text: Text, size: int, wanted: int) -> int:
    """How often a byte stands in the first `size` of a text."""
    count = 0
    for at in range(size):
        count += text[at] == wanted
    return count


@compiled
def scan(
    text: Text, size: int, ids: Table, attrs: Table, words: Table, to: Columns, rest: Rows
) -> tuple[int, int, int]:
    """Reads `size` bytes of a text; how many rows, other lines and new texts there were.

    `to` and `rest` (2-D: line, begin, end) have room for as many as there are lines.
    """
    at, line, row, others, new = 0, 1, 0, 0, 0
    while at < size:
        end = line_at(text, at, row, ids, attrs, words, to) if byte(text, at) != END else at
        if end > at:
            to.line[row] = line
            new += to.word[row] == NEW_TEXT
            row += 1
        elif end < 0:
            end = at
            while byte(text, end) != END:
                end += 1
            rest[others, 0], rest[others, 1], rest[others, 2] = line, at, end
            others += 1
        at = end + 1
        line += 1
    return row, others, new
