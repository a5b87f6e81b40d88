"""A lot of readings taken by the things of one type: on from where they were, again from the settled state, on in time.

Kernels stop before a thing for which there might be no room, leave in the book what they lack, and go on when called
again.
"""

from typing import Any

from cheng.kernel.arrivals import arrange
from cheng.kernel.book import (
    ABLE,
    ADVANCE,
    ARRANGE,
    AT,
    BACKS,
    BASE,
    CLOCKED,
    DONE,
    EVENTS,
    GO_BACK,
    HEAD,
    LIVE,
    LOOKED,
    NOTES,
    NOW,
    PROMPTS,
    READINGS,
    SCRATCH,
    SETTLED,
    STAGE,
    THINGS,
    TOLD,
    events_at,
    flags,
    notes_at,
    readings_at,
    row_of,
    things_at,
)
from cheng.kernel.columns import NEVER, Floats, Ints, Marks, Rows, Times
from cheng.kernel.compiled import called, compiled
from cheng.kernel.late import insert, slip_in
from cheng.kernel.observations import Quality
from cheng.kernel.settling import copy_row, make_way
from cheng.kernel.stepping import add_note, drop_note
from cheng.kernel.walking import believe, expect, lacks_room, next_due, until_of, walk

CORRECTION, OLD = 2, 4
"""Added to the kind of an event that takes the place of others, and of those others."""
LATE, DUPLICATE = int(Quality.LATE), int(Quality.DUPLICATE)


# -- on from where they were


@called
def go_on(book: Any, slot: int, new: int) -> None:
    """Judges a thing to which `new` readings were appended, newer than all it had."""
    thing, readings, told = things_at(book[THINGS])[slot], readings_at(book[READINGS]), book[TOLD]
    end = thing.start + thing.count
    seen = max(thing.newest, thing.looked)
    thing.newest = readings[end - 1].time
    until, row = until_of(book, slot), row_of(book, NOW, slot)
    book[HEAD], book[LOOKED] = thing.live, thing.looked
    fresh = walk(book, row, slot, end - new, end, seen, until, thing.fresh & LIVE > 0)
    thing.fresh = (thing.fresh & ~LIVE) | (LIVE if fresh else 0)
    thing.live, thing.looked = book[HEAD], book[LOOKED]
    if book[TOLD] > told:
        believe(book, slot, told)
    if book[CLOCKED] > 0:
        expect(book, slot, next_due(book, row, slot, thing.live, until))


@called
def advance(book: Any, slot: Rows, field: Ints, time: Times, value: Floats, latitude: Floats, order: Rows) -> bool:
    """Takes rows newer than all that their things have, sorted within each; False if it had to stop."""
    things, readings = things_at(book[THINGS]), readings_at(book[READINGS])
    at, end = book[AT], book[PROMPTS]
    while at < end:
        one = slot[order[at]]
        after = at
        while after < end and slot[order[after]] == one:
            after += 1
        book[AT] = at
        if lacks_room(book, after - at, 0) or not make_way(book, one, after - at):
            return False
        thing = things[one]
        for number in range(at, after):
            row = order[number]
            reading = readings[thing.start + thing.count]
            reading.time, reading.field, reading.value = time[row], field[row], value[row]
            reading.latitude = latitude[row]
            thing.count += 1
        go_on(book, one, after - at)
        at = after
    return True


# -- again from the settled state


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
    for at in range(begin, book[TOLD]):
        events_at(book[EVENTS])[at].kind += CORRECTION
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
def take_back(
    book: Any, slot: int, rows: Rows, field: Ints, time: Times, value: Floats, latitude: Floats, marks: Marks
) -> bool:
    """Takes sorted rows of a thing, for which there is room; whether any of them is new.

    It goes on from where it was, unless one of those that come late changes what came of the others.
    """
    thing = things_at(book[THINGS])[slot]
    newest, seen = thing.newest, max(thing.newest, thing.looked)
    new, prompt, again = False, 0, False
    for row in rows:
        if time[row] < thing.closed:
            marks[row] = LATE
            continue
        at = insert(book, slot, time[row], field[row], value[row], latitude[row])
        if at < 0:
            marks[row] |= DUPLICATE
            continue
        new, newest = True, max(newest, time[row])
        if time[row] > seen:
            prompt += 1
        elif not again:
            again = not slip_in(book, slot, at)
    if prompt > 0 and not again:
        go_on(book, slot, prompt)
    thing.newest = newest
    if again:
        rewalk(book, slot)
    return new


@called
def count_believed(book: Any, slot: int) -> int:
    notes, at, found = notes_at(book[NOTES]), things_at(book[THINGS])[slot].believed, 0
    while at >= 0:
        found += 1
        at = notes[at].next
    return found


@called
def go_back(
    book: Any,
    slot: Rows,
    field: Ints,
    time: Times,
    value: Floats,
    latitude: Floats,
    order: Rows,
    marks: Marks,
    changed: Rows,
) -> bool:
    """Takes sorted rows of things that have newer ones; False if it had to stop.

    marks (n,) are added to; changed (n,) says for each place in `order` whether the row's thing has anything new.
    """
    things = things_at(book[THINGS])
    at, end = book[AT], book[BACKS]
    while at < end:
        one = slot[order[at]]
        after = at
        while after < end and slot[order[after]] == one:
            after += 1
        book[AT] = at
        if lacks_room(book, things[one].count + after - at, count_believed(book, one)):
            return False
        if not make_way(book, one, after - at):
            return False
        new = take_back(book, one, order[at:after], field, time, value, latitude, marks)
        while at < after:
            changed[at] = new
            at += 1
    return True


@compiled
def take_lot(
    book: Any,
    slot: Rows,
    field: Ints,
    time: Times,
    value: Floats,
    latitude: Floats,
    lateness: Times,
    marks: Marks,
    work: Any,
    last: int,
) -> bool:
    """Goes on with a lot (n,) from the stage in the book up to the last one asked for; False if it had to stop.

    marks (n,) are filled, and work (6, n) is: see `arrange`; its first row says what of the rows in the fourth is new.
    """
    if book[STAGE] == ARRANGE:
        if not arrange(book, slot, field, time, lateness, marks, work):
            return False
        book[STAGE], book[AT] = ADVANCE, 0
    if book[STAGE] == ADVANCE and last >= ADVANCE:
        if not advance(book, slot, field, time, value, latitude, work[2]):
            return False
        book[STAGE], book[AT] = GO_BACK, 0
    if book[STAGE] == GO_BACK and last >= GO_BACK:
        if not go_back(book, slot, field, time, value, latitude, work[3], marks, work[0]):
            return False
        book[STAGE] = DONE
    return True


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
