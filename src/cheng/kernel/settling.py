"""What nothing late can reach any more, taken into the settled state; and room for what comes.

Arguments and what is returned are those of `walking`.
"""

from typing import Any

from cheng.kernel.book import (
    ABLE,
    ALONE,
    ALOUD,
    ARENA,
    BASE,
    BLOCKS,
    CROWDED,
    FIELDS,
    HEAD,
    KEEP,
    LACKING,
    LOOKED,
    MOST,
    NOTES,
    READINGS,
    SCRATCH,
    SETTLED,
    SMALLEST,
    THINGS,
    USED,
    flags,
    last_at,
    notes_at,
    readings_at,
    row_of,
    things_at,
)
from cheng.kernel.columns import NEVER, Rows, Times
from cheng.kernel.compiled import called, compiled
from cheng.kernel.stepping import RAISED, add_note, drop_note, note_of, without
from cheng.kernel.walking import lacks_room, walk


@called
def copy_row(book: Any, source: int, target: int) -> None:
    """Copies the last values of a thing."""
    old, new = last_at(source), last_at(target)
    for field in range(book[FIELDS]):
        new[field] = old[field]


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


@called
def settle_thing(book: Any, slot: int, cut: int, drop: int) -> None:
    """Settles what a thing reported before the cut, and forgets what it reported before `drop`."""
    thing, readings = things_at(book[THINGS])[slot], readings_at(book[READINGS])
    end = thing.start
    while end < thing.start + thing.count and readings[end].time < cut:
        end += 1
    row = row_of(book, BASE, slot)
    if drop < cut:  # what is remembered begins before what is settled
        copy_row(book, row, book[SCRATCH])
        row = book[SCRATCH]
    book[HEAD], book[LOOKED], book[ALOUD] = thing.settled, NEVER, 0
    fresh = walk(book, row, slot, thing.start, end, thing.closed - 1, cut - 1, thing.fresh & SETTLED > 0)
    book[ALOUD] = 1
    thing.fresh = (thing.fresh & ~SETTLED) | (SETTLED if fresh else 0)
    thing.settled = book[HEAD]
    if thing.settled >= 0:
        forget_holds(book, slot)
    if thing.believed >= 0:
        settle_believed(book, slot, cut)
    thing.closed = max(thing.closed, cut)
    forget_readings(book, slot, drop)


@compiled
def settle(book: Any, slots: Rows, cut: Times, drop: Times, at: int) -> int:
    """Settles what things (k,) reported before the cut (k,), and forgets what they reported before `drop` (k,)."""
    while at < len(slots):
        if lacks_room(book, 0, 0):
            return at
        settle_thing(book, slots[at], cut[at], drop[at])
        at += 1
    return at


# -- room


@called
def enlarge_thing(book: Any, slot: int, needed: int) -> bool:
    """Moves the readings of a thing to a block with room for so many; False if there is no such block."""
    thing, readings = things_at(book[THINGS])[slot], readings_at(book[READINGS])
    size = 0
    while SMALLEST << size < needed:
        size += 1
    if thing.size >= size:
        return True
    start, old = book[BLOCKS + size], thing.start
    if start >= 0:
        book[BLOCKS + size] = readings[start].time
    elif book[USED] + (SMALLEST << size) > book[ARENA]:
        return False
    else:
        start = book[USED]
        book[USED] += SMALLEST << size
    for row in range(thing.count):
        readings[start + row] = readings[old + row]
    if thing.size >= 0:
        readings[old].time = book[BLOCKS + thing.size]
        book[BLOCKS + thing.size] = old
    thing.start, thing.size = start, size
    return True


@called
def make_way(book: Any, slot: int, more: int) -> bool:
    """Sees to it that there is room for more readings of a thing; False if that is not for a kernel to do."""
    thing = things_at(book[THINGS])[slot]
    room = SMALLEST << thing.size if thing.size >= 0 else 0
    if thing.count + more <= room:
        return True
    if book[ALONE]:
        cut = max(thing.newest - book[KEEP], thing.closed)
        settle_thing(book, slot, cut, cut)
        if thing.count + more <= room:
            return True
        if thing.count + more <= book[MOST] and enlarge_thing(book, slot, thing.count + more):
            return True
    book[CROWDED], book[LACKING] = slot, more
    return False


@compiled
def enlarge(book: Any, slots: Rows, needed: Rows) -> None:
    """Room for so many readings (k,) of things (k,); there have to be enough in all."""
    for number in range(len(slots)):
        enlarge_thing(book, slots[number], needed[number])


@compiled
def write_notes(book: Any, which: int, slots: Rows, time: Times, onset: Times, rule: Rows) -> None:
    """Puts notes (n,) before all others of their things: in the list live (0), settled (1) or believed (2)."""
    things = things_at(book[THINGS])
    for number in range(len(slots)):
        thing = things[slots[number]]
        head = thing.live if which == 0 else thing.settled if which == 1 else thing.believed
        head = add_note(book, time[number], onset[number], rule[number], head)
        if which == 0:
            thing.live = head
        elif which == 1:
            thing.settled = head
        else:
            thing.believed = head
