"""Late readings put among the others of their thing; where that changes nothing that was judged, that is all.

A reading changes nothing if no rule looks at more than one field, if its own field was in the same cell of its table
before, and if no rule held at its moment, whose alert might begin by looking once more. Arguments are those of
`walking`.
"""

from typing import Any

from cheng.kernel.book import (
    BASE,
    FIELDS,
    FIRST,
    HOLDS,
    NOW,
    PROGRAMS,
    READINGS,
    SCRATCH,
    THINGS,
    WORD_AT,
    integers,
    last_at,
    readings_at,
    row_of,
    things_at,
    words,
)
from cheng.kernel.columns import NEVER
from cheng.kernel.compiled import called
from cheng.kernel.stepping import cell_of


@called
def place_of(book: Any, slot: int, time: int, field: int) -> int:
    """Where a reading belongs among those of a thing; -1 if it is there already."""
    thing, readings = things_at(book[THINGS])[slot], readings_at(book[READINGS])
    at = thing.start + thing.count
    while at > thing.start:
        other = readings[at - 1]
        if other.time < time or (other.time == time and other.field < field):
            break
        if other.time == time and other.field == field:
            return -1
        at -= 1
    return int(at)


@called
def insert(book: Any, slot: int, time: int, field: int, value: float, latitude: float) -> int:
    """Puts a reading among those of a thing, for which there is room; where it is now, -1 if it was there already."""
    thing, readings = things_at(book[THINGS])[slot], readings_at(book[READINGS])
    at = place_of(book, slot, time, field)
    if at < 0:
        return -1
    for moved in range(thing.start + thing.count, at, -1):
        readings[moved] = readings[moved - 1]
    reading = readings[at]
    reading.time, reading.field, reading.value, reading.latitude = time, field, value, latitude
    thing.count += 1
    return at


@called
def value_before(book: Any, slot: int, at: int, field: int) -> float:
    """What a field of a thing was before the reading at a place."""
    start, readings = things_at(book[THINGS])[slot].start, readings_at(book[READINGS])
    while at > start:
        at -= 1
        if readings[at].field == field:
            return float(readings[at].value)
    return float(last_at(row_of(book, BASE, slot))[field].value)


@called
def holds_any(book: Any, field: int, value: float) -> bool:
    """Whether any rule with a table holds of a value of its field."""
    first, holds = integers(book[FIRST]), words(book[HOLDS])
    count = (first[field + 1] - first[field] + 63) >> 6
    if count == 0:
        return False
    place = integers(book[WORD_AT])[field] + cell_of(book, field, value) * count
    found = False
    for word in range(place, place + count):
        found |= holds[word] > 0
    return found


@called
def held_any(book: Any, slot: int, at: int) -> bool:
    """Whether any rule with a table held of a thing before the reading at a place."""
    start, readings = things_at(book[THINGS])[slot].start, readings_at(book[READINGS])
    fields, before, met = book[FIELDS], last_at(row_of(book, BASE, slot)), last_at(book[SCRATCH])
    for field in range(fields):
        met[field].time = NEVER
    left = fields
    while left > 0 and at > start:
        at -= 1
        field = readings[at].field
        if met[field].time == NEVER:
            met[field].time = readings[at].time
            left -= 1
            if holds_any(book, field, readings[at].value):
                return True
    held = False
    for field in range(fields):
        held |= met[field].time == NEVER and holds_any(book, field, before[field].value)
    return held


@called
def is_moment_alone(book: Any, slot: int, at: int) -> bool:
    """Whether a thing has no other reading of the same moment."""
    thing, readings = things_at(book[THINGS])[slot], readings_at(book[READINGS])
    time = readings[at].time
    if at > thing.start and readings[at - 1].time == time:
        return False
    return bool(at + 1 == thing.start + thing.count or readings[at + 1].time != time)


@called
def slip_in(book: Any, slot: int, at: int) -> bool:
    """Takes a late reading, at its place, into the last values of a thing; False if more has to be done about it."""
    reading, first = readings_at(book[READINGS])[at], integers(book[FIRST])
    field = reading.field
    if book[PROGRAMS] > 0 or things_at(book[THINGS])[slot].fresh != 0:
        return False
    if first[field] < first[field + 1]:
        before = value_before(book, slot, at, field)
        if cell_of(book, field, before) != cell_of(book, field, reading.value):
            return False
    if is_moment_alone(book, slot, at) and held_any(book, slot, at):
        return False
    last = last_at(row_of(book, NOW, slot))[field]
    if last.time < reading.time:
        last.value, last.latitude, last.time = reading.value, reading.latitude, reading.time
    return True
