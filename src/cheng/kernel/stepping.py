"""The rules of one thing, stepped from moment to moment: compiled, for rules that look at one moment at a time.

What holds is known for each field from a table: a value lies on one of the numbers that rules compare the field with,
between two of them, or is not known, and for each of these cells the table has the answers of all rules, a bit each.
Only where a value changes its cell do rules change. Rules over several fields, arithmetic, the register or silences
are programs for a stack of numbers: 1 for yes, 0 for no, NaN for not known.

`book` is the judge's (`book`), `row` where the thing's last values lie. The list of notes worked on begins at
book[HEAD]. Unless book[ALOUD] is set, alerts neither begin nor end.
"""

from typing import Any

import numpy as np

from cheng.kernel.book import (
    ABLE,
    ALOUD,
    CODE,
    EDGE_AT,
    EDGES,
    ELAPSES,
    EVENTS,
    FIELDS,
    FIRST,
    FIXED,
    FREE,
    HEAD,
    HOLD,
    HOLDS,
    LEFT,
    LOOKED,
    NOTES,
    NUMBER,
    OVER,
    PROGRAM_AT,
    REGISTER,
    REGISTERED,
    SPAN,
    SPOKEN,
    SPOKEN_AT,
    STACK,
    TABLES,
    TOLD,
    VALUES,
    WORD_AT,
    events_at,
    flags,
    floats,
    integers,
    last_at,
    notes_at,
    row_of,
    words,
)
from cheng.kernel.columns import NEVER
from cheng.kernel.compiled import called

CONSTANT, VALUE, FROM_REGISTER, SILENT, NOT, ADD, SUBTRACT, MULTIPLY, DIVIDE = range(9)
GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, EQUAL, BOTH, EITHER = range(9, 16)
RAISED, CLEARED = 0, 1
AT_REPORTS, BY_CLOCK, SILENCES = range(3)
"""When a hold elapses: with a report; by the clock; by the clock, which also makes silences come to pass."""
ONE = np.uint64(1)
ALL = ~np.uint64(0)


# -- notes


@called
def add_note(book: Any, time: int, onset: int, rule: int, following: int) -> int:
    at = book[FREE]
    note = notes_at(book[NOTES])[at]
    book[FREE] = note.next
    book[LEFT] -= 1
    note.time, note.onset, note.rule, note.next = time, onset, rule, following
    return int(at)


@called
def drop_note(book: Any, at: int) -> int:
    """Returns the note after it."""
    note = notes_at(book[NOTES])[at]
    following = note.next
    note.next = book[FREE]
    book[FREE] = at
    book[LEFT] += 1
    return int(following)


@called
def note_of(book: Any, head: int, rule: int) -> int:
    """The note of a rule in a list; -1 for none."""
    notes = notes_at(book[NOTES])
    while head >= 0 and notes[head].rule != rule:
        head = notes[head].next
    return head


@called
def without(book: Any, head: int, at: int) -> int:
    """A list after one of its notes is taken out."""
    if head == at:
        return drop_note(book, at)
    notes = notes_at(book[NOTES])
    before = head
    while notes[before].next != at:
        before = notes[before].next
    notes[before].next = drop_note(book, at)
    return head


# -- what is told


@called
def tell(book: Any, row: int, slot: int, rule: int, kind: int, onset: int, time: int) -> None:
    """Writes down that an alert begins, with the values of the moment, or ends."""
    at = book[TOLD]
    event = events_at(book[EVENTS])[at]
    event.slot, event.rule, event.kind, event.onset, event.time = slot, rule, kind, onset, time
    if kind == RAISED:
        last, values = last_at(row), last_at(row_of(book, VALUES, at))
        for field in range(book[FIELDS]):
            values[field] = last[field]
    book[TOLD] = at + 1


@called
def ripen(book: Any, row: int, slot: int, rule: int, time: int) -> None:
    """Begins the alerts of a rule, or of all (-1), that have held long enough at this moment."""
    notes, hold, able = notes_at(book[NOTES]), integers(book[HOLD]), flags(book[ABLE])
    at = book[HEAD] if book[ALOUD] else -1
    while at >= 0:
        note = notes[at]
        at = note.next
        if note.onset != NEVER or note.time == NEVER or (rule >= 0 and note.rule != rule):
            continue
        if time - note.time >= hold[note.rule] and able[note.rule]:
            note.onset = note.time
            tell(book, row, slot, note.rule, RAISED, note.onset, time)


@called
def elapse(book: Any, row: int, slot: int, rule: int, after: int, before: int) -> None:
    """Begins the alerts whose holds have elapsed between two moments: of a rule, or of all (-1) without silences."""
    notes, hold, elapses, able = notes_at(book[NOTES]), integers(book[HOLD]), integers(book[ELAPSES]), flags(book[ABLE])
    at = book[HEAD] if book[ALOUD] else -1
    while at >= 0:
        note = notes[at]
        at = note.next
        if note.onset != NEVER or note.time == NEVER or not able[note.rule]:
            continue
        moment = note.time + hold[note.rule]
        wanted = note.rule == rule if rule >= 0 else elapses[note.rule] == BY_CLOCK
        if wanted and after < moment < before:
            note.onset = note.time
            tell(book, row, slot, note.rule, RAISED, note.onset, moment)
            book[LOOKED] = max(book[LOOKED], moment)


@called
def change(book: Any, row: int, slot: int, rule: int, holds: bool, over: bool, time: int) -> None:
    """Enters what a rule says now."""
    notes = notes_at(book[NOTES])
    at = note_of(book, book[HEAD], rule)
    if holds:
        if at < 0:
            book[HEAD] = add_note(book, time, NEVER, rule, book[HEAD])
        elif notes[at].time == NEVER:
            notes[at].time = time
        return
    if at < 0:
        return
    note = notes[at]
    note.time = NEVER
    if over and book[ALOUD] and note.onset != NEVER:
        tell(book, row, slot, rule, CLEARED, note.onset, time)
        note.onset = NEVER
    if note.onset == NEVER:
        book[HEAD] = without(book, book[HEAD], at)


# -- tables


@called
def cell_of(book: Any, field: int, value: float) -> int:
    """0 below the first number of a field, 1 on it, 2 above it, and so on; the last for NaN."""
    edges, edge_at = floats(book[EDGES]), integers(book[EDGE_AT])
    begin, end = int(edge_at[field]), int(edge_at[field + 1])
    if value != value:
        return 2 * (end - begin) + 1
    if begin == end or value < edges[begin]:
        return 0
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if edges[middle] < value:
            low = middle + 1
        else:
            high = middle
    on = 1 if low < end and edges[low] == value else 0
    return 2 * (low - begin) + on


@called
def weigh(book: Any, row: int, slot: int, field: int, old: int, new: int, time: int) -> None:
    """Rules of a field whose value went from one cell to another; from -1, all of them are looked at."""
    first, word_at = integers(book[FIRST]), integers(book[WORD_AT])
    all_holds, all_over = words(book[HOLDS]), words(book[OVER])
    count = (first[field + 1] - first[field] + 63) >> 6
    for word in range(count):
        place = word_at[field] + new * count + word
        holds, over, bits = all_holds[place], all_over[place], ALL
        if old >= 0:
            before = word_at[field] + old * count + word
            bits = (holds ^ all_holds[before]) | (over & ~all_over[before])
        if book[HEAD] < 0:
            bits &= holds
        rule = first[field] + 64 * word
        while bits and rule < first[field + 1]:
            if bits & ONE:
                change(book, row, slot, rule, holds & ONE == ONE, over & ONE == ONE, time)
            bits, holds, over = bits >> ONE, holds >> ONE, over >> ONE
            rule += 1


# -- programs


@called
def compared(op: int, left: float, right: float) -> float:
    if np.isnan(left) or np.isnan(right):
        return np.nan
    if op == GREATER:
        holds = left > right
    elif op == GREATER_EQUAL:
        holds = left >= right
    elif op == LESS:
        holds = left < right
    elif op == LESS_EQUAL:
        holds = left <= right
    else:
        holds = left == right
    return 1.0 if holds else 0.0


@called
def reckoned(op: int, left: float, right: float) -> float:
    if op == ADD:
        result = left + right
    elif op == SUBTRACT:
        result = left - right
    elif op == MULTIPLY:
        result = left * right
    else:
        result = np.nan if right == 0 else left / right
    return np.nan if np.isinf(result) else result


@called
def joined(op: int, left: float, right: float) -> float:
    decides = 0.0 if op == BOTH else 1.0
    if left == decides or right == decides:
        return decides
    return np.nan if np.isnan(left) or np.isnan(right) else 1.0 - decides


@called
def last_heard(book: Any, row: int, slot: int, silence: int) -> int:
    """When a thing reported any of the fields that a silence speaks of, or was registered."""
    spoken_at, spoken, last = integers(book[SPOKEN_AT]), integers(book[SPOKEN]), last_at(row)
    since = integers(book[REGISTERED])[slot]
    for at in range(spoken_at[silence], spoken_at[silence + 1]):
        since = max(since, last[spoken[at]].time)
    return int(since)


@called
def leaf(book: Any, row: int, slot: int, op: int, number: float, time: int) -> float:
    """What a program reads: a constant, a last value, a number from the register, or whether a silence lasts."""
    if op == CONSTANT:
        return number
    which = int(number)
    if op == VALUE:
        return float(last_at(row)[which].value)
    if op == FROM_REGISTER:
        return float(floats(book[FIXED])[which * book[REGISTER] + slot])
    return 1.0 if time - last_heard(book, row, slot, which) >= integers(book[SPAN])[which] else 0.0


@called
def truth(book: Any, row: int, slot: int, begin: int, end: int, time: int) -> float:
    """What a program says at a moment: 1, 0, or NaN for not known."""
    code, number, stack = integers(book[CODE]), floats(book[NUMBER]), floats(book[STACK])
    top = -1
    for at in range(begin, end):
        op = code[at]
        if op <= SILENT:
            top += 1
            stack[top] = leaf(book, row, slot, op, number[at], time)
        elif op == NOT:
            stack[top] = 1.0 - stack[top]
        else:
            top -= 1
            left, right = stack[top], stack[top + 1]
            if op <= DIVIDE:
                stack[top] = reckoned(op, left, right)
            elif op <= EQUAL:
                stack[top] = compared(op, left, right)
            else:
                stack[top] = joined(op, left, right)
    return float(stack[0])


@called
def ask(book: Any, row: int, slot: int, program: int, time: int) -> None:
    """Judges the rule behind a program at a moment."""
    rule = book[TABLES] + program
    if not flags(book[ABLE])[rule]:
        return
    edges = integers(book[PROGRAM_AT])
    begin, middle, end = edges[2 * program], edges[2 * program + 1], edges[2 * program + 2]
    yes = truth(book, row, slot, begin, middle, time)
    over = yes == 0.0 if middle == end else truth(book, row, slot, middle, end, time) == 1.0
    change(book, row, slot, rule, yes == 1.0 and not over, over, time)
