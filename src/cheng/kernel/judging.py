"""Judging: readings in, changes of alerts out; the same code for the live stream, for replay and for a dry run.

Event time decides. A reading is judged the moment it comes. One that comes late, within the lateness of its field,
has its thing's last stretch judged again from the settled state, and the difference is what is reported: alerts
added, moved or withdrawn. So the final set of alerts is the one that sorted delivery would have given.

Rules that look at one moment at a time are stepped by compiled kernels (`walking`); rules that look back, at places
or at other things are judged over whole stretches (`stretched`). What it costs follows the readings.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from cheng.kernel import book
from cheng.kernel.book import ADVANCE, ALONE, ARRANGE, BACKS, BASE, CROWDS, GO_BACK, KEEP, NOW, PROMPTS, SMALLEST
from cheng.kernel.columns import Marks, Rows, Times, rank, starts
from cheng.kernel.entities import Entity, Kept
from cheng.kernel.memory import Memory, Records
from cheng.kernel.planned import Lot, Planned
from cheng.kernel.rules import Change
from cheng.kernel.stretched import Stretched
from cheng.kernel.stretches import Readings, Register, Values
from cheng.kernel.ticking import Clock
from cheng.kernel.verdicts import Judged

__all__ = ["Judge", "Judged"]

MOST = 4096
"""Readings kept per thing at the most; beyond it the oldest go, and lateness and windows shrink with them."""
AT_ONCE = 16_384
"""Readings that kernels take in one go: more would not stay near the processor while they are put in order."""
BUDGET = 8_000_000
"""Readings that all things of a type may keep together if each keeps the most (32 bytes each)."""


class Grows(Protocol):
    """State by thing."""

    def grow(self, things: int) -> None: ...


class Judge:
    """All rules over one type of thing."""

    def __init__(self, entity: type[Entity], rules: Sequence[Judged], register: Register) -> None:
        self.entity, self.register, self.rules = entity, register, list(rules)
        columns = register.columns()
        self.fields: list[Kept] = sorted(entity.live().values(), key=lambda f: columns[f.name])
        self.lateness: Times = np.array([f.lateness.us for f in self.fields], np.int64)
        self.keep = int(self.lateness.max(initial=0))
        self.now, self.base = Values(len(self.fields)), Values(len(self.fields))
        """the last values, and those before the first reading that is remembered"""
        self.memory = Memory(len(self.fields))
        self.clock = Clock()
        self.planned = Planned(self)
        planned = set(map(id, self.planned.rules))
        self.stretched = Stretched(self, [judged for judged in self.rules if id(judged) not in planned])
        self.memory.book[KEEP], self.memory.book[ALONE] = self.keep, not self.stretched.rules
        self._timed = self.planned.clocked or bool(self.stretched.timed)
        """whether the passing of time alone can make a rule true"""
        self.look_back = max((judged.look_back for judged in self.stretched.rules), default=0)
        self.shortened = 0
        """how often readings of a thing went though they were not settled, or a window looked back on them"""
        self.grow()

    @property
    def most(self) -> int:
        """Readings kept of each thing at the most."""
        return int(self.memory.book[book.MOST])

    @most.setter
    def most(self, most: int) -> None:
        self.memory.book[book.MOST] = most

    @property
    def things(self) -> Records:
        """What is known of each thing: records by slot."""
        return self.memory.things

    def grow(self) -> None:
        """Makes room for things that were registered since."""
        things = self.register.size()
        if things <= len(self.things):
            return
        room = max(things, len(self.things) + len(self.things) // 4)
        self.most = max(16 * len(self.fields), min(MOST, BUDGET // room))
        grown: list[Grows] = [self.now, self.base, self.memory, self.stretched]
        for part in grown:
            part.grow(room)
        self.memory.enter(NOW, self.now.records)
        self.memory.enter(BASE, self.base.records)

    def warm_up(self) -> None:
        """Has the kernels ready: takes a lot of nothing, and settles nothing."""
        nothing, none = Readings.moments(np.zeros(0, np.intp), np.zeros(0, np.int64)), np.zeros(0, np.int64)
        self.planned.take(Lot(nothing, np.zeros(0, np.uint16)), GO_BACK, [])
        self.planned.settle(none, none, none)

    # -- what comes in

    def take(self, rows: Readings, marks: Marks | None = None) -> tuple[Marks, list[Change]]:
        """Judges good readings of this type, in order of arrival; returns their marks (n,) and what changed.

        The marks are written to an array of zeros, if one is given.
        """
        self.grow()
        marks = np.zeros(len(rows), np.uint16) if marks is None else marks
        changes: list[Change] = []
        if self.stretched.rules:
            lot = Lot(rows, marks)
            if not (self.planned.take(lot, ARRANGE, changes) and self._take_wide(lot, changes)):
                return self._take_parts(rows, marks)
            return marks, changes
        for begin in range(0, len(rows), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            part, own = rows.take(some) if len(rows) > AT_ONCE else rows, marks[some]
            if not self.planned.take(Lot(part, own), GO_BACK, changes):
                changes += self._take_parts(part, own)[1]
        return marks, changes

    def _take_wide(self, lot: Lot, changes: list[Change]) -> bool:
        """Goes on with an arranged lot where there are rules that are judged over stretches."""
        rows, (_, _, prompt, back, crowded, more) = lot.rows, lot.work
        prompts, backs, crowds = self.memory.book[[PROMPTS, BACKS, CROWDS]].tolist()
        order = np.argsort(crowded[:crowds])
        self.make_way(crowded[order], more[order])
        fresh = rows.take(prompt[:prompts][np.argsort(rows.slot[prompt[:prompts]], kind="stable")])
        changes += self.stretched.advance(fresh)
        slots = fresh.slot[starts(fresh.slot)]
        before = self.things["newest"][slots]
        self.planned.take(lot, ADVANCE, changes)
        changes += self.stretched.look_back(fresh, slots, before)
        self.planned.take(lot, GO_BACK, changes)
        changed = back[:backs][lot.work[0][:backs] > 0]
        if len(changed):
            slots = np.unique(rows.slot[changed])
            changes += self.stretched.again(self.stretched.rules, slots, self.memory.of(slots))
        return True

    def _take_parts(self, rows: Readings, marks: Marks) -> tuple[Marks, list[Change]]:
        """A batch with more readings of one thing than there is room for, in several goes."""
        order = np.argsort(rows.slot, kind="stable")
        part = np.empty(len(rows), np.intp)
        part[order] = rank(starts(rows.slot[order])) // (self.most // 2)
        changes: list[Change] = []
        for number in range(int(part.max()) + 1):
            marks[part == number], more = self.take(rows.take(part == number))
            changes += more
        return marks, changes

    # -- the clock

    def tick(self, now: int) -> list[Change]:
        """Judges what the passing of time alone has made true up to `now`, microseconds, for the things in use."""
        now = max(now, self.clock.now)  # a clock that fell back takes back nothing
        if not self._timed or self.clock.passes(self.register, self.memory, now):
            return []
        self.grow()
        slots = self.clock.due(self.register, self.memory, now)
        self.grow()  # somebody may have registered things in between
        since = self.until(slots)
        self.clock.follow(self.memory, now)
        if not len(slots):
            return []
        return self.planned.pass_time(slots, since, now) + self.stretched.pass_time(slots, since, now)

    def until(self, slots: Rows) -> Times:
        """(n,) up to where each thing is known: its newest reading, or where the clock was followed."""
        newest: Times = self.things["newest"][slots]
        return np.maximum(newest, self.clock.of(slots))

    # -- settling

    def make_way(self, slots: Rows, more: Rows) -> None:
        """Room for `more` readings of each of these things, by settling what nothing late can reach any more."""
        self.settle(slots, self.things["newest"][slots])
        needed = self.things["count"][slots] + more
        lacking = needed > self._room(slots)
        if not lacking.any():
            return
        slots, more, needed = slots[lacking], more[lacking], needed[lacking]
        self.memory.enlarge(slots, np.minimum(needed, self.most))
        crowd = needed > self._room(slots)
        if crowd.any():
            slots = slots[crowd]
            oldest = np.maximum(needed[crowd] - more[crowd] - (self.most // 2 - len(self.fields)), 0)
            cut = self.memory.readings["time"][self.things["start"][slots] + oldest]
            self.shortened += int((cut > self.things["newest"][slots] - self.keep - self.look_back).sum())
            self._settle(slots, cut, cut)

    def _room(self, slots: Rows) -> Rows:
        size = self.things["size"][slots].astype(np.intp)
        return np.where(size < 0, 0, SMALLEST << np.maximum(size, 0))

    def settle(self, slots: Rows, cut: Times) -> None:
        """Moves the settled state of these (ascending) things up to `cut` (n,), or as far as nothing late can reach."""
        cut = np.minimum(cut, self.things["newest"][slots] - self.keep)
        self._settle(slots, cut, cut - self.look_back)

    def _settle(self, slots: Rows, cut: Times, drop: Times) -> None:
        """Settles what lies before `cut` and forgets the readings before `drop`, both (n,)."""
        cut = np.maximum(cut, self.things["closed"][slots])
        if self.stretched.rules:
            self.stretched.settle(slots, cut)
        self.planned.settle(slots, cut, drop)

    # -- asking

    def standing(self) -> Iterator[tuple[str, Rows, Times]]:
        """By rule: the things whose alert stands, and its onset."""
        yield from self.planned.standing()
        yield from self.stretched.standing()
