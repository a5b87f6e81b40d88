"""What the judging of one type of thing keeps in mind: a record by thing, its last readings, and notes about rules.

Memory follows what happens. A record has a fixed size; the readings of a thing lie in one block that grows with them;
of a rule there is a note only while it holds or its alert stands, and one for what was reported and may yet change.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.kernel.book import (
    ALOUD,
    ARENA,
    BLOCKS,
    DUE,
    EVENT,
    EVENTS,
    FIELDS,
    FREE,
    LAST,
    LEFT,
    LIVE,
    NOTE,
    NOTES,
    PLACES,
    QUEUE,
    QUEUED,
    READING,
    READINGS,
    ROOM,
    SCRATCH,
    SETTLED,
    SMALLEST,
    STACK,
    THING,
    THINGS,
    USED,
    VALUES,
    address,
)
from cheng.kernel.columns import FAR, NEVER, Rows, Times
from cheng.kernel.settling import enlarge, write_notes
from cheng.kernel.stretches import Readings
from cheng.kernel.walking import expect_all

Records = npt.NDArray[Any]
DEEPEST = 64
"""Numbers that a program may have on its stack."""
LISTS = ("live", "settled", "believed")


class Memory:
    """The book of a judge and the arrays it speaks of, and how they grow."""

    def __init__(self, fields: int) -> None:
        self.book: Times = np.zeros(PLACES, np.int64)
        self.book[FREE] = self.book[BLOCKS:] = -1
        self.book[FIELDS], self.book[ALOUD] = fields, 1
        self._kept: dict[int, npt.NDArray[Any]] = {}
        self.fresh = LIVE | SETTLED
        """whether a new thing has to have all its rules looked at; not when none holds of what is not known"""
        self.things: Records = self.enter(THINGS, np.zeros(0, THING))
        self.readings: Records = self.enter(READINGS, np.zeros(0, READING))
        self.notes: Records = self.enter(NOTES, np.zeros(0, NOTE))
        self._queue: Records = self.enter(QUEUE, np.zeros(0, DUE))
        """when to ask the clock about which thing: a heap"""
        self._due: Times = self._queue["time"]
        self.events, self.values = self.room_for_events(1024)
        self.enter(SCRATCH, np.zeros(fields, LAST))
        self.enter(STACK, np.zeros(DEEPEST))

    def enter(self, place: int, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Lets the book speak of an array, which is kept alive for it."""
        kept = np.ascontiguousarray(array)
        self.book[place], self._kept[place] = address(kept), kept
        return kept

    def grow(self, things: int) -> None:
        more = np.zeros(things - len(self.things), THING)
        for name in ("newest", "closed", "looked"):
            more[name] = NEVER
        for name in ("live", "settled", "believed", "tail", "size"):
            more[name] = -1
        more["queued"], more["fresh"] = FAR, self.fresh
        self.things = self.enter(THINGS, np.concatenate((self.things, more)))
        self._room_for_readings(SMALLEST * things)

    def room_for_events(self, count: int) -> tuple[Records, Records]:
        """Room for so many events, with the values of the moment by field; what was there is gone."""
        self.events = self.enter(EVENTS, np.zeros(count, EVENT))
        self.values = self.enter(VALUES, np.empty((count, int(self.book[FIELDS])), LAST))
        self.book[ROOM] = count
        return self.events, self.values

    def room_for_notes(self, needed: int) -> None:
        """Makes sure that so many notes can be taken."""
        if self.book[LEFT] >= needed:
            return
        old = len(self.notes)
        more = np.zeros(max(needed, old, 1024), NOTE)
        more["next"] = np.arange(old + 1, old + 1 + len(more))
        more["next"][-1] = self.book[FREE]
        self.notes = self.enter(NOTES, np.concatenate((self.notes, more)))
        self.book[FREE] = old
        self.book[LEFT] += len(more)

    def soonest(self) -> int:
        """The moment at which the clock has to be asked next; FAR for never."""
        return int(self._due.item(0)) if self.book.item(QUEUED) else FAR

    def room_in_queue(self, needed: int) -> None:
        """Makes sure that so many moments can be queued."""
        lacking = int(self.book[QUEUED]) + needed - len(self._queue)
        if lacking > 0:
            more = np.zeros(max(lacking, len(self._queue)), DUE)
            self._queue = self.enter(QUEUE, np.concatenate((self._queue, more)))
            self._due = self._queue["time"]

    def enlarge(self, slots: Rows, needed: Rows) -> None:
        """Room for so many readings of these things."""
        rooms = SMALLEST << np.ceil(np.log2(np.maximum(needed, SMALLEST) / SMALLEST)).astype(np.int64)
        self._room_for_readings(int(self.book[USED]) + int(rooms.sum()))
        enlarge(self.book, slots, needed)

    def _room_for_readings(self, needed: int) -> None:
        """Room for so many readings in all; memory that is not written to costs nothing."""
        if needed > len(self.readings):
            more = np.empty(max(needed, 2 * len(self.readings)), READING)
            used = int(self.book[USED])
            more[:used] = self.readings[:used]
            self.readings = self.enter(READINGS, more)
            self.book[ARENA] = len(more)

    def of(self, slots: Rows) -> Readings:
        """The readings of these things, in the order of the slots."""
        count = self.things["count"][slots].astype(np.intp)
        thing = np.repeat(slots, count)
        before = np.cumsum(count) - count
        found = self.readings[np.repeat(self.things["start"][slots] - before, count) + np.arange(len(thing))]
        fields = found["field"].astype(np.int32)
        return Readings(thing, fields, found["time"].copy(), found["value"].copy(), found["latitude"].copy())

    def expect(self, slots: Rows, due: Times) -> None:
        """Queues things to be looked at, each at its moment; FAR for never."""
        wanted = due != FAR
        self.room_in_queue(int(wanted.sum()))
        expect_all(self.book, slots[wanted], due[wanted])

    def noted(self, which: str, begin: int = 0, end: int | None = None) -> tuple[Rows, Records]:
        """Whose each note of the lists (live, settled or believed) of some things is, and the notes."""
        slots = begin + np.flatnonzero(self.things[which][begin:end] >= 0)
        at, whose, notes = self.things[which][slots], [slots[:0]], [self.notes[:0]]
        while len(at):
            whose.append(slots)
            notes.append(self.notes[at])
            more = notes[-1]["next"] >= 0
            slots, at = slots[more], notes[-1]["next"][more]
        return np.concatenate(whose), np.concatenate(notes)

    def note(self, which: str, slots: Rows, time: Times, onset: Times, rule: Rows) -> None:
        """Adds notes (n,) to the lists of things; of one thing they stand in the order given."""
        self.room_for_notes(len(slots))
        columns = (np.ascontiguousarray(column[::-1]) for column in (slots, time, onset, rule))
        write_notes(self.book, LISTS.index(which), *columns)
