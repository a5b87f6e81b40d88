"""Judging: readings in, changes of alerts out; the same code for the live stream, for replay and for a dry run.

Event time decides. A reading is judged the moment it comes. One that comes late, within the lateness of its field,
has its thing's last stretch judged again from the settled state, and the difference is what is reported: alerts
added, moved or withdrawn. So the final set of alerts is the one that sorted delivery would have given.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from cheng.kernel.columns import NEVER, Bools, Marks, Rows, Times, ends, rank, runs, starts
from cheng.kernel.entities import Entity, Kept
from cheng.kernel.observations import Quality
from cheng.kernel.recents import BUDGET, MOST, Recents
from cheng.kernel.rules import Change, Latch
from cheng.kernel.stretches import Readings, Register, Stretch, Values, fallen_silent, last_heard
from cheng.kernel.verdicts import Clockwork, Judged

__all__ = ["Judge", "Judged"]


class Grows(Protocol):
    """State by thing."""

    def grow(self, things: int) -> None: ...


class Judge:
    """All rules over one type of thing.

    Prompt readings are judged from the live state of each rule. Late ones, and rules that time alone can move, are
    judged over all that is remembered of their things, from the settled state on, up to where the clock has run.
    """

    def __init__(self, entity: type[Entity], rules: Sequence[Judged], register: Register) -> None:
        self.entity, self.register, self.rules = entity, register, list(rules)
        self.prompt = [judged for judged in self.rules if not judged.timed]
        self.timed = [judged for judged in self.rules if judged.timed]
        columns = register.columns()
        self.fields: list[Kept] = sorted(entity.live().values(), key=lambda f: columns[f.name])
        self.lateness: Times = np.array([f.lateness.us for f in self.fields], np.int64)
        self.keep = int(self.lateness.max(initial=0))
        self.look_back = max((judged.look_back for judged in self.rules), default=0)
        self.now, self.base = Values(len(self.fields)), Values(len(self.fields))
        """the last values, and those before the first reading in `recents`"""
        self.recents = Recents()
        self.newest: Times = np.zeros(0, np.int64)
        """(things,) time of the newest good reading"""
        self.closed: Times = np.zeros(0, np.int64)
        """(things,) what lies before is settled; readings from there on may still change what was judged"""
        self.ticked: Times = np.zeros(0, np.int64)
        """(things,) up to where the clock has been followed"""
        self.most = MOST
        """readings kept of each thing at the most"""
        self.shortened = 0
        """how often readings of a thing went though they were not settled, or a window looked back on them"""
        self._scratch = Latch()
        self.grow()

    def grow(self) -> None:
        """Makes room for things that were registered since."""
        things = self.register.size()
        if things <= len(self.newest):
            return
        room = max(things, len(self.newest) + len(self.newest) // 4)
        self.most = max(16 * len(self.fields), min(MOST, BUDGET // room))
        more = (0, room - len(self.newest))
        grown: list[Grows] = [self.now, self.base, self.recents, self._scratch, *self.rules]
        for part in grown:
            part.grow(room)
        self.newest = np.pad(self.newest, more, constant_values=NEVER)
        self.closed = np.pad(self.closed, more, constant_values=NEVER)
        self.ticked = np.pad(self.ticked, more, constant_values=NEVER)

    # -- what comes in

    def take(self, rows: Readings) -> tuple[Marks, list[Change]]:
        """Judges good readings of this type, in order of arrival; returns their marks (n,) and what changed."""
        self.grow()
        if len(rows) > self.most // 2:
            part = self._rank(rows.slot) // (self.most // 2)
            if part.any():
                return self._take_parts(rows, part)
        return self._take(rows)

    def _take_parts(self, rows: Readings, part: Rows) -> tuple[Marks, list[Change]]:
        """A batch with more readings of one thing than there is room for, in several goes."""
        marks, changes = np.zeros(len(rows), np.uint16), []
        for number in range(int(part.max()) + 1):
            marks[part == number], more = self._take(rows.take(part == number))
            changes += more
        return marks, changes

    @staticmethod
    def _rank(slot: Rows) -> Rows:
        """The how many-th reading of its thing each is, from 0, in order of arrival."""
        order = np.argsort(slot, kind="stable")
        ranks = np.empty(len(slot), np.intp)
        ranks[order] = rank(starts(slot[order]))
        return ranks

    def _take(self, rows: Readings) -> tuple[Marks, list[Change]]:
        marks = self._time_marks(rows)
        order = np.lexsort((rows.field, rows.time, rows.slot))
        order = order[(marks[order] & int(Quality.LATE)) == 0]
        good = rows.take(order)
        late = np.zeros(len(self.newest), np.bool_)
        late[good.slot[good.time <= self.newest[good.slot]]] = True
        again = late[good.slot]
        prompt = good.take(~again)
        twice = prompt.repeated()
        marks[order[~again][twice]] |= int(Quality.DUPLICATE)
        changes = self._advance(prompt.take(~twice)) if len(prompt) else []
        if again.any():
            more, corrected = self._go_back(good.take(again))
            marks[order[again]] |= more
            changes += corrected
        return marks, changes

    def _time_marks(self, rows: Readings) -> Marks:
        """Late and out-of-order marks, each reading against what its thing had sent before it."""
        marks = np.zeros(len(rows), np.uint16)
        order = np.argsort(rows.slot, kind="stable")
        slot, time = rows.slot[order], rows.time[order]
        first = starts(slot)
        before = self.newest[slot]
        if not first.all():
            times, place = np.unique(time, return_inverse=True)
            group = (np.cumsum(first) - 1) * len(times)
            highest = times[np.maximum.accumulate(group + place) - group]
            above = np.concatenate((before[:1], highest[:-1]))
            above[first] = NEVER
            before = np.maximum(before, above)
        behind = np.flatnonzero(time < before)
        late = time[behind] + self.lateness[rows.field[order[behind]]] < before[behind]
        late |= time[behind] < self.closed[slot[behind]]
        marks[order[behind]] = np.where(late, int(Quality.LATE), int(Quality.OUT_OF_ORDER))
        return marks

    def _advance(self, rows: Readings) -> list[Change]:
        """Sorted readings, newer than all that their things have."""
        last = ends(starts(rows.slot))
        slots = rows.slot[last]
        self._remember(rows)
        held = self.recents.of(slots) if self.look_back or self.timed else rows
        plain = Stretch(rows, self.now, self.register)
        wide = Stretch(held, self.base, self.register) if self.look_back else plain
        fresh = wide.time > self.newest[wide.slot] if self.look_back else None
        changes: list[Change] = []
        for judged in self.prompt:
            found = judged.step(judged.live, wide, fresh) if judged.look_back else judged.step(judged.live, plain)
            changes += judged.believe(found or [])
        self.now.update(rows)
        self.newest[slots] = rows.time[last]
        return changes + self._again(self.timed, slots, held)

    def _go_back(self, rows: Readings) -> tuple[Marks, list[Change]]:
        """Sorted readings of things of which one is late; returns their marks (n,) and what has to be corrected."""
        slots, counts = runs(rows.slot)
        self._make_way(slots, counts)
        late = rows.time < self.closed[rows.slot]
        marks = np.where(late, int(Quality.LATE), 0).astype(np.uint16)
        timely = np.flatnonzero(~late)
        old = self.recents.of(slots)
        both = Readings.concat([old, rows.take(timely)])
        order = np.lexsort((both.field, both.time, both.slot))
        repeated = both.take(order).repeated()
        twice = order[repeated] - len(old)
        marks[timely[twice]] |= int(Quality.DUPLICATE)
        merged = both.take(order[~repeated])
        if len(merged) == len(old):
            return marks, []
        self.recents.replace(slots, merged)
        self.now.update(merged)
        last = ends(starts(merged.slot))
        at = merged.slot[last]
        self.newest[at] = np.maximum(self.newest[at], merged.time[last])
        return marks, self._again(self.rules, slots, merged)

    # -- the clock

    def tick(self, now: int) -> list[Change]:
        """Judges what the passing of time alone has made true up to `now`, microseconds, for the things in use."""
        self.grow()
        active = np.flatnonzero(self.register.active())
        due = [self._due(judged, active, now) for judged in self.timed]
        self.ticked[active] = np.maximum(self.ticked[active], now)
        changes: list[Change] = []
        for judged, slots in zip(self.timed, due, strict=True):
            if len(slots):
                changes += self._again([judged], slots, self.recents.of(slots))
        return changes

    def _due(self, judged: Judged, slots: Rows, now: int) -> Rows:
        """Those of these things for which a silence or a hold has come to pass since the last tick."""
        since = np.maximum(self.newest[slots], self.ticked[slots])
        moments = [last_heard(silent.of, slots, self.now, self.register) + silent.span.us for silent in judged.silences]
        waiting = (judged.live.since[slots] != NEVER) & (judged.live.onset[slots] == NEVER)
        moments.append(np.where(waiting, judged.live.since[slots] + judged.hold, NEVER))
        due = np.zeros(len(slots), np.bool_)
        for moment in moments:
            due |= (moment > since) & (moment <= now)
        return slots[due]

    # -- judging over what is remembered

    def _again(self, rules: list[Judged], slots: Rows, readings: Readings) -> list[Change]:
        """Judges these (ascending) things from the settled state on; returns what has to be corrected."""
        until = np.maximum(self.newest, self.ticked)
        latch, changes = self._scratch, list[Change]()
        plain = Stretch(readings, self.base, self.register)
        for judged in rules:
            latch.copy(judged.settled, slots)
            found = judged.step(latch, *self._from_settled(judged, latch, slots, plain, until))
            if found is not None:
                judged.live.copy(latch, slots)
                changes += judged.correct(slots, found)
        return changes

    def _from_settled(
        self, judged: Judged, latch: Latch, slots: Rows, plain: Stretch, until: Times
    ) -> tuple[Stretch, Bools, Clockwork | None]:
        """What a latch in the settled state of these things has to step over to get to `until` (by thing)."""
        if not judged.timed:
            return plain, (plain.time >= self.closed[plain.slot]) & (plain.time <= until[plain.slot]), None
        readings = plain.readings
        waiting = slots[latch.since[slots] != NEVER]
        parts = [readings, Readings.moments(waiting, self.closed[waiting] - 1)]
        for silent in judged.silences:
            parts.append(fallen_silent(silent.of, silent.span.us, readings, slots, self.base, self.register, until))
        stretch = Stretch(Readings.concat(parts).sorted(), self.base, self.register)
        fresh = (stretch.time >= self.closed[stretch.slot]) & (stretch.time <= until[stretch.slot])
        heads = (stretch.time == self.closed[stretch.slot] - 1) & (latch.since[stretch.slot] != NEVER)
        return stretch, fresh | heads, Clockwork(heads, until)

    # -- remembering

    def _remember(self, rows: Readings) -> None:
        self._make_way(*runs(rows.slot))
        self.recents.append(rows)

    def _make_way(self, slots: Rows, more: Rows) -> None:
        """Room for `more` readings of each of these things, by settling what nothing late can reach any more."""
        lacking = self.recents.count[slots] + more > self.recents.room
        if not lacking.any():
            return
        slots, more = slots[lacking], more[lacking]
        self.settle(slots, self.newest[slots])
        self.recents.make_room(int((self.recents.count[slots] + more).max()), self.most)
        crowded = slots[self.recents.count[slots] + more > self.recents.room]
        if len(crowded):
            keep = self.most // 2 - len(self.fields)
            oldest = np.maximum(self.recents.count[crowded] - keep, 0)
            cut = self.recents.time[crowded, oldest]
            self.shortened += int((cut > self.newest[crowded] - self.keep - self.look_back).sum())
            self._settle(crowded, cut, cut)

    def settle(self, slots: Rows, cut: Times) -> None:
        """Moves the settled state of these (ascending) things up to `cut` (n,), or as far as nothing late can reach."""
        cut = np.minimum(cut, self.newest[slots] - self.keep)
        self._settle(slots, cut, cut - self.look_back)

    def _settle(self, slots: Rows, cut: Times, drop: Times) -> None:
        """Settles what lies before `cut` and forgets the readings before `drop`, both (n,)."""
        cut = np.maximum(cut, self.closed[slots])
        readings = self.recents.of(slots)
        until = np.full(len(self.newest), NEVER, np.int64)
        until[slots] = cut - 1
        due = (readings.time >= self.closed[readings.slot]) & (readings.time <= until[readings.slot])
        plain = Stretch(readings, self.base, self.register)
        for judged in self.rules if due.any() else self.timed:
            onset = judged.settled.onset[slots]
            way = self._from_settled(judged, judged.settled, slots, plain, until)
            if judged.move(judged.settled, *way) is None:
                judged.settled.since[slots] = NEVER
            # What counts is what was reported, whatever the register says today.
            judged.settled.onset[slots] = onset
            judged.close(slots, cut)
        self.closed[slots] = cut
        until[slots] = drop
        gone = readings.time < until[readings.slot]
        self.base.update(readings.take(gone))
        self.recents.replace(slots, readings.take(~gone))
