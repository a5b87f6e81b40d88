"""Things walked through what they reported, and through the time between; arguments are those of `stepping`.

Kernels that tell events stop before a thing for which there might be no room, leave what they want in book[WANTED],
and return how far they came.
"""

from typing import Any

from cheng.kernel.book import (
    ABLE,
    ALWAYS,
    ASK_ALWAYS,
    ASKED,
    CLOCK,
    CLOCKED,
    ELAPSES,
    EVENTS,
    FIELDS,
    FIRST,
    FOLLOWED,
    HEAD,
    HOLD,
    LEFT,
    LOOK,
    LOOK_AT,
    LOOKED,
    NOTES,
    PROGRAMS,
    QUEUE,
    QUEUED,
    READINGS,
    ROOM,
    RULES,
    RUNNING,
    SILENCE,
    SILENCE_AT,
    SPAN,
    STOPPED,
    TABLES,
    THINGS,
    TOLD,
    WANTED,
    WIDEST,
    events_at,
    flags,
    integers,
    last_at,
    notes_at,
    queue_at,
    readings_at,
    things_at,
)
from cheng.kernel.columns import FAR, NEVER, Rows, Times
from cheng.kernel.compiled import called, compiled
from cheng.kernel.stepping import AT_REPORTS, add_note, ask, cell_of, elapse, last_heard, ripen, weigh

# -- the clock


@called
def next_silence(book: Any, row: int, slot: int, program: int, after: int) -> int:
    """When the next silence that a program speaks of comes to pass; FAR for none."""
    silence_at, silence, span = integers(book[SILENCE_AT]), integers(book[SILENCE]), integers(book[SPAN])
    found = FAR
    for at in range(silence_at[program], silence_at[program + 1]):
        moment = last_heard(book, row, slot, silence[at]) + span[silence[at]]
        if after < moment < found:
            found = moment
    return int(found)


@called
def pass_by(book: Any, row: int, slot: int, after: int, before: int) -> None:
    """What time alone makes true between two moments of a thing."""
    silence_at = integers(book[SILENCE_AT])
    for program in range(book[PROGRAMS]):
        if silence_at[program] == silence_at[program + 1]:
            continue
        rule = book[TABLES] + program
        now = after
        moment = next_silence(book, row, slot, program, now)
        while moment < before:
            elapse(book, row, slot, rule, now, moment)
            ask(book, row, slot, program, moment)
            ripen(book, row, slot, rule, moment)
            book[LOOKED] = max(book[LOOKED], moment)
            now = moment
            moment = next_silence(book, row, slot, program, now)
        elapse(book, row, slot, rule, now, before)
    if book[HEAD] >= 0:
        elapse(book, row, slot, -1, after, before)


@called
def next_due(book: Any, row: int, slot: int, head: int, after: int) -> int:
    """When the clock has to be asked next about a thing; FAR for never."""
    notes, hold, elapses, able = notes_at(book[NOTES]), integers(book[HOLD]), integers(book[ELAPSES]), flags(book[ABLE])
    due = FAR
    for program in range(book[PROGRAMS]):
        due = min(due, next_silence(book, row, slot, program, after))
    while head >= 0:
        note = notes[head]
        head = note.next
        waits = note.onset == NEVER and note.time != NEVER and able[note.rule]
        if waits and elapses[note.rule] != AT_REPORTS and note.time + hold[note.rule] > after:
            due = min(due, note.time + hold[note.rule])
    return int(due)


@called
def expect(book: Any, slot: int, due: int) -> None:
    """Queues a thing to be looked at, unless it is looked at before."""
    thing, queue = things_at(book[THINGS])[slot], queue_at(book[QUEUE])
    if due >= thing.queued:
        return
    thing.queued = due
    at = book[QUEUED]
    book[QUEUED] = at + 1
    while at > 0 and queue[(at - 1) // 2].time > due:
        queue[at] = queue[(at - 1) // 2]
        at = (at - 1) // 2
    queue[at].time, queue[at].slot = due, slot


@called
def pop(book: Any) -> None:
    """Takes the first moment out of the queue."""
    queue = queue_at(book[QUEUE])
    last = book[QUEUED] - 1
    book[QUEUED] = last
    time, slot = queue[last].time, queue[last].slot
    at = 0
    while 2 * at + 1 < last:
        child = 2 * at + 1
        if child + 1 < last and queue[child + 1].time < queue[child].time:
            child += 1
        if queue[child].time >= time:
            break
        queue[at] = queue[child]
        at = child
    queue[at].time, queue[at].slot = time, slot


@compiled
def due_by(book: Any, now: int, out: Rows) -> int:
    """Takes the things that are to be looked at by now out of the queue, each once; how many, at most all of out."""
    things, queue = things_at(book[THINGS]), queue_at(book[QUEUE])
    found = 0
    while book[QUEUED] > 0 and queue[0].time <= now and found < len(out):
        thing = things[queue[0].slot]
        if thing.queued == queue[0].time:
            thing.queued = FAR
            out[found] = queue[0].slot
            found += 1
        pop(book)
    return found


@compiled
def expect_all(book: Any, slots: Rows, due: Times) -> None:
    for number in range(len(slots)):
        expect(book, slots[number], due[number])


# -- through the readings of a thing


@called
def meet(book: Any, row: int, slot: int, time: int) -> None:
    """Looks at all rules of a thing, whatever was reported."""
    first, last = integers(book[FIRST]), last_at(row)
    for field in range(book[FIELDS]):
        if first[field] < first[field + 1]:
            weigh(book, row, slot, field, -1, cell_of(book, field, last[field].value), time)
    for program in range(book[PROGRAMS]):
        ask(book, row, slot, program, time)


@called
def ask_about(book: Any, row: int, slot: int, begin: int, end: int, time: int) -> None:
    """Judges the programs that look at what some readings reported, and those that are always asked."""
    look_at, look, always = integers(book[LOOK_AT]), integers(book[LOOK]), integers(book[ASK_ALWAYS])
    readings = readings_at(book[READINGS])
    for at in range(begin, end):
        field = readings[at].field
        for number in range(look_at[field], look_at[field + 1]):
            ask(book, row, slot, look[number], time)
    for number in range(book[ALWAYS]):
        ask(book, row, slot, always[number], time)


@called
def take_over(book: Any, row: int, slot: int, at: int, look: bool) -> None:
    """Makes a reading the last one of its field, and enters what the field's rules say of it."""
    reading, first = readings_at(book[READINGS])[at], integers(book[FIRST])
    field = reading.field
    last = last_at(row)[field]
    before = last.value
    last.value, last.latitude, last.time = reading.value, reading.latitude, reading.time
    if look and first[field] < first[field + 1]:
        old, new = cell_of(book, field, before), cell_of(book, field, reading.value)
        if old != new:
            weigh(book, row, slot, field, old, new, reading.time)


@called
def walk(book: Any, row: int, slot: int, begin: int, end: int, seen: int, until: int, fresh: bool) -> bool:
    """Steps the rules of a thing through its readings from begin to end, and on to `until`.

    Readings up to `seen` only give values. Returns whether the thing is still fresh.
    """
    readings, clocked, programs = readings_at(book[READINGS]), book[CLOCKED] > 0, book[PROGRAMS] > 0
    while begin < end:
        time = readings[begin].time
        look = time > seen
        if clocked and look:
            pass_by(book, row, slot, seen, time)
        at = begin
        while at < end and readings[at].time == time:
            take_over(book, row, slot, at, look and not fresh)
            at += 1
        if look:
            if fresh:
                meet(book, row, slot, time)
            elif programs:
                ask_about(book, row, slot, begin, at, time)
            if book[HEAD] >= 0:
                ripen(book, row, slot, -1, time)
            fresh, seen = False, time
        begin = at
    if clocked and until > seen:
        pass_by(book, row, slot, seen, until + 1)
    return fresh


@called
def lacks_room(book: Any, steps: int, more: int) -> bool:
    """Whether there might be no room for what a thing has to tell after so many readings; then says how much."""
    wanted = 2 * (book[RULES] + steps * book[WIDEST] + (steps + 1) * book[ASKED]) + more
    book[WANTED] = wanted
    return bool(book[TOLD] + wanted > book[ROOM] or book[LEFT] < wanted + 2 * book[RULES])


@called
def until_of(book: Any, slot: int) -> int:
    """Up to where a thing is known: its newest reading, or where the clock was followed while it was in use."""
    newest = things_at(book[THINGS])[slot].newest
    if slot >= book[FOLLOWED]:
        return int(newest)
    followed = book[CLOCK] if flags(book[RUNNING])[slot] else integers(book[STOPPED])[slot]
    return int(max(newest, followed))


@called
def believe(book: Any, slot: int, begin: int) -> None:
    """Notes what was told since event `begin` as what is believed of a thing."""
    notes, events, thing = notes_at(book[NOTES]), events_at(book[EVENTS]), things_at(book[THINGS])[slot]
    last = thing.believed
    while last >= 0 and notes[last].next >= 0:
        last = notes[last].next
    for at in range(begin, book[TOLD]):
        event = events[at]
        new = add_note(book, event.time, event.onset, 2 * event.rule + event.kind, -1)
        if last < 0:
            thing.believed = new
        else:
            notes[last].next = new
        last = new
