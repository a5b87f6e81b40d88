"""Things walked again: from the settled state after something late, to settle, and when time alone has passed.

Arguments and what is returned are those of `walking`.
"""

from typing import Any

from cheng.kernel.book import (
    ABLE,
    ALOUD,
    BASE,
    CLOCKED,
    EVENTS,
    FIELDS,
    HEAD,
    LIVE,
    LOOKED,
    NOTES,
    NOW,
    READINGS,
    SCRATCH,
    SETTLED,
    THINGS,
    TOLD,
    events_at,
    flags,
    last_at,
    notes_at,
    readings_at,
    row_of,
    things_at,
)
from cheng.kernel.columns import NEVER, Bools, Floats, Ints, Marks, Rows, Times
from cheng.kernel.compiled import called, compiled
from cheng.kernel.observations import Quality
from cheng.kernel.stepping import RAISED, add_note, drop_note, note_of, without
from cheng.kernel.walking import believe, expect, lacks_room, next_due, until_of, walk

OLD = 2
"""Added to the kind of what was believed before."""
LATE, DUPLICATE = int(Quality.LATE), int(Quality.DUPLICATE)


@called
def copy_row(book: Any, source: int, target: int) -> None:
    """Copies the last values of a thing."""
    old, new = last_at(source), last_at(target)
    for field in range(book[FIELDS]):
        new[field] = old[field]


# -- again from the settled state


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
def settled_notes(book: Any, slot: int) -> int:
    """A list of notes to judge a thing with from its settled state; the live one goes.

    Rules that cannot be judged at present stay as they are.
    """
    thing, notes, able = things_at(book[THINGS])[slot], notes_at(book[NOTES]), flags(book[ABLE])
    head, at = -1, thing.settled
    while at >= 0:
        note = notes[at]
        if able[note.rule]:
            head = add_note(book, note.time, note.onset, note.rule, head)
        at = note.next
    while thing.live >= 0:
        note = notes[thing.live]
        if not able[note.rule]:
            head = add_note(book, note.time, note.onset, note.rule, head)
        thing.live = drop_note(book, thing.live)
    return head


@called
def as_believed(book: Any, slot: int, begin: int) -> bool:
    """Whether what was told since event `begin` is what was believed anyway, of rules that can be judged."""
    notes, events, able = notes_at(book[NOTES]), events_at(book[EVENTS]), flags(book[ABLE])
    known, at = 0, things_at(book[THINGS])[slot].believed
    while at >= 0:
        note = notes[at]
        at = note.next
        if not able[note.rule >> 1]:
            continue
        known += 1
        found = False
        for number in range(begin, book[TOLD]):
            event = events[number]
            if 2 * event.rule + event.kind == note.rule and event.onset == note.onset and event.time == note.time:
                found = True
                break
        if not found:
            return False
    return bool(known == book[TOLD] - begin)


@called
def believe_instead(book: Any, slot: int, begin: int) -> None:
    """What was told since event `begin` takes the place of what was believed, which is told too."""
    notes, able, thing = notes_at(book[NOTES]), flags(book[ABLE]), things_at(book[THINGS])[slot]
    old = thing.believed
    thing.believed = -1
    believe(book, slot, begin)
    while old >= 0:
        note = notes[old]
        following = note.next
        if able[note.rule >> 1]:
            event = events_at(book[EVENTS])[book[TOLD]]
            event.slot, event.rule, event.kind = slot, note.rule >> 1, OLD + (note.rule & 1)
            event.onset, event.time = note.onset, note.time
            book[TOLD] += 1
            drop_note(book, old)
        else:
            note.next = thing.believed
            thing.believed = old
        old = following


@called
def rewalk(book: Any, slot: int) -> None:
    """Judges a thing from its settled state on; where the outcome is another, tells it and what was believed."""
    thing, told, row = things_at(book[THINGS])[slot], book[TOLD], book[SCRATCH]
    until, end = until_of(book, slot), thing.start + thing.count
    copy_row(book, row_of(book, BASE, slot), row)
    book[HEAD] = settled_notes(book, slot)
    book[LOOKED] = NEVER
    fresh = walk(book, row, slot, thing.start, end, thing.closed - 1, until, thing.fresh & SETTLED > 0)
    thing.live, thing.looked = book[HEAD], book[LOOKED]
    thing.fresh = (thing.fresh & ~LIVE) | (LIVE if fresh else 0)
    copy_row(book, row, row_of(book, NOW, slot))
    if as_believed(book, slot, told):
        book[TOLD] = told
    else:
        believe_instead(book, slot, told)
    if book[CLOCKED] > 0:
        expect(book, slot, next_due(book, row, slot, thing.live, until))


@called
def insert(book: Any, slot: int, time: int, field: int, value: float, latitude: float) -> int:
    """Puts a reading among those of a thing, for which there is room; the mark it earns."""
    thing, readings = things_at(book[THINGS])[slot], readings_at(book[READINGS])
    if time < thing.closed:
        return LATE
    at = place_of(book, slot, time, field)
    if at < 0:
        return DUPLICATE
    for moved in range(thing.start + thing.count, at, -1):
        readings[moved] = readings[moved - 1]
    reading = readings[at]
    reading.time, reading.field, reading.value, reading.latitude = time, field, value, latitude
    thing.count += 1
    thing.newest = max(thing.newest, time)
    return 0


@called
def count_believed(book: Any, slot: int) -> int:
    notes, at, found = notes_at(book[NOTES]), things_at(book[THINGS])[slot].believed, 0
    while at >= 0:
        found += 1
        at = notes[at].next
    return found


@compiled
def go_back(
    book: Any,
    slot: Rows,
    field: Ints,
    time: Times,
    value: Floats,
    latitude: Floats,
    order: Rows,
    marks: Marks,
    changed: Bools,
    at: int,
) -> int:
    """Takes sorted rows of things that have newer ones; returns how many of them were taken.

    marks (all rows of the lot,) are added to; changed (n,) is filled with whether the row's thing has anything new.
    """
    things = things_at(book[THINGS])
    while at < len(order):
        one = slot[order[at]]
        after = at
        while after < len(order) and slot[order[after]] == one:
            after += 1
        if lacks_room(book, things[one].count + after - at, count_believed(book, one)):
            return at
        new = False
        for number in range(at, after):
            row = order[number]
            mark = insert(book, one, time[row], field[row], value[row], latitude[row])
            marks[row] = mark if mark == LATE else marks[row] | mark
            new |= mark == 0
        if new:
            rewalk(book, one)
        while at < after:
            changed[at] = new
            at += 1
    return at


# -- settling


@called
def settle_alert(book: Any, slot: int, rule: int, onset: int) -> None:
    """Enters into the settled state since when an alert stands; NEVER for none."""
    thing, notes = things_at(book[THINGS])[slot], notes_at(book[NOTES])
    at = note_of(book, thing.settled, rule)
    if at < 0:
        if onset != NEVER:
            thing.settled = add_note(book, NEVER, onset, rule, thing.settled)
        return
    notes[at].onset = onset
    if onset == NEVER and notes[at].time == NEVER:
        thing.settled = without(book, thing.settled, at)


@called
def settle_believed(book: Any, slot: int, cut: int) -> None:
    """Takes what was reported before the cut into the settled state: it is not corrected any more."""
    thing, notes = things_at(book[THINGS])[slot], notes_at(book[NOTES])
    at, last = thing.believed, -1
    while at >= 0:
        said = notes[at]
        following = said.next
        if said.time < cut:
            settle_alert(book, slot, said.rule >> 1, said.onset if said.rule & 1 == RAISED else NEVER)
            drop_note(book, at)
            if last < 0:
                thing.believed = following
            else:
                notes[last].next = following
        else:
            last = at
        at = following


@called
def forget_holds(book: Any, slot: int) -> None:
    """Rules that cannot be judged at present do not go on holding in the settled state."""
    thing, notes, able = things_at(book[THINGS])[slot], notes_at(book[NOTES]), flags(book[ABLE])
    at = thing.settled
    while at >= 0:
        note = notes[at]
        following = note.next
        if not able[note.rule]:
            note.time = NEVER
            if note.onset == NEVER:
                thing.settled = without(book, thing.settled, at)
        at = following


@called
def forget_readings(book: Any, slot: int, before: int) -> None:
    """Takes the readings of a thing from before a moment out; its values before the first are theirs."""
    thing, readings, last = (
        things_at(book[THINGS])[slot],
        readings_at(book[READINGS]),
        last_at(row_of(book, BASE, slot)),
    )
    start, gone = thing.start, 0
    while gone < thing.count and readings[start + gone].time < before:
        reading = readings[start + gone]
        base = last[reading.field]
        base.value, base.latitude, base.time = reading.value, reading.latitude, reading.time
        gone += 1
    thing.count -= gone
    for row in range(start, start + thing.count if gone > 0 else start):
        readings[row] = readings[row + gone]


@compiled
def settle(book: Any, slots: Rows, cut: Times, drop: Times, at: int) -> int:
    """Settles what things (k,) reported before the cut (k,), and forgets what they reported before `drop` (k,)."""
    things, readings, row = things_at(book[THINGS]), readings_at(book[READINGS]), book[SCRATCH]
    book[ALOUD] = 0
    while at < len(slots):
        slot = slots[at]
        thing = things[slot]
        if lacks_room(book, 0, 0):
            break
        end = thing.start
        while end < thing.start + thing.count and readings[end].time < cut[at]:
            end += 1
        copy_row(book, row_of(book, BASE, slot), row)
        book[HEAD], book[LOOKED] = thing.settled, NEVER
        fresh = thing.fresh & SETTLED > 0
        fresh = walk(book, row, slot, thing.start, end, thing.closed - 1, cut[at] - 1, fresh)
        thing.fresh = (thing.fresh & ~SETTLED) | (SETTLED if fresh else 0)
        thing.settled = book[HEAD]
        forget_holds(book, slot)
        settle_believed(book, slot, cut[at])
        thing.closed = max(thing.closed, cut[at])
        forget_readings(book, slot, drop[at])
        at += 1
    book[ALOUD] = 1
    return at


# -- the clock


@compiled
def pass_time(book: Any, slots: Rows, since: Times, now: int, at: int) -> int:
    """Judges what time alone has made true of things (k,) after `since` (k,) up to now; how many are done."""
    things = things_at(book[THINGS])
    while at < len(slots):
        slot = slots[at]
        thing, row = things[slot], row_of(book, NOW, slot)
        if lacks_room(book, 0, 0):
            return at
        told = book[TOLD]
        book[HEAD], book[LOOKED] = thing.live, thing.looked
        walk(book, row, slot, 0, 0, since[at], now, False)
        thing.live, thing.looked = book[HEAD], book[LOOKED]
        if book[TOLD] > told:
            believe(book, slot, told)
        expect(book, slot, next_due(book, row, slot, thing.live, max(since[at], now)))
        at += 1
    return at
