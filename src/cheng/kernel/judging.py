"""Judging: readings in, changes of alerts out; the same code for the live stream, for replay and for a dry run.

Event time decides. A reading is judged the moment it comes. One that comes late, within the lateness of its field,
has its thing's last stretch judged again from the settled state, and the difference is what is reported: alerts
added, moved or withdrawn. So the final set of alerts is the one that sorted delivery would have given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cheng.kernel.columns import NEVER, Bools, Marks, Rows, Times, ends, rank, starts
from cheng.kernel.conditions import Condition
from cheng.kernel.corrections import differences
from cheng.kernel.entities import Entity, Kept
from cheng.kernel.observations import Quality
from cheng.kernel.recents import BUDGET, MOST, Recents
from cheng.kernel.rules import Change, Latch, Rule, Spells
from cheng.kernel.stretches import Readings, Register, Stretch, Values


@dataclass
class Judged:
    """One rule with its state: live, and settled up to where nothing late can reach."""

    rule: type[Rule]
    when: Condition
    hold: int
    live: Latch = field(default_factory=Latch)
    settled: Latch = field(default_factory=Latch)
    broken: str = ""
    """why it cannot be judged at present; empty while it can"""

    @classmethod
    def of(cls, rule: type[Rule], when: Condition | None = None, hold: int | None = None) -> "Judged":
        """A rule, or the same rule with another condition or hold for a dry run."""
        return cls(rule, when or rule.when, rule.hold.us if hold is None else hold)

    @property
    def deadlines(self) -> frozenset[int]:
        return self.rule.deadlines()

    def step(self, latch: Latch, stretch: Stretch, fresh: Bools | None) -> list[Change]:
        """Judges a stretch and returns the alerts that began or ended; only `fresh` rows count, the rest is context."""
        holds, fails = self.when.judge(stretch)
        over = fails if self.rule.release is None else self.rule.release.judge(stretch).yes
        rows = np.arange(len(stretch)) if fresh is None else np.flatnonzero(fresh)
        slot = stretch.slot[rows]
        holds = holds[rows]
        if not holds.any() and latch.idle(slot):
            return []
        spells = latch.step(slot, stretch.time[rows], holds, over[rows], self.hold)
        return list(self._changes(spells, rows, stretch))

    def _changes(self, spells: Spells, rows: Rows, stretch: Stretch) -> Iterator[Change]:
        key = self.rule.key()
        columns = (spells.slot, spells.onset, spells.raised, spells.cleared)
        for slot, onset, raised, cleared in zip(*(column.tolist() for column in columns), strict=True):
            if raised >= 0:
                row = int(rows[raised])
                yield Change("raised", key, slot, onset, int(stretch.time[row]), self._values(stretch, row))
            if cleared >= 0:
                yield Change("cleared", key, slot, onset, int(stretch.time[rows[cleared]]), {})

    def _values(self, stretch: Stretch, row: int) -> dict[str, Any]:
        """What the text of the rule needs from the readings at the moment it fired; a position as a pair."""
        live = self.rule.subject.live()
        wanted = {*self.rule.text_blanks(), *(f.name for f in self.rule.needs())} & live.keys()
        values: dict[str, Any] = {}
        for name in sorted(wanted):
            value = float(stretch.column(live[name])[row])
            latitude = float(stretch.latitude(live[name])[row])
            values[name] = None if np.isnan(value) else value if np.isnan(latitude) else [value, latitude]
        return values


class Judge:
    """All rules over one type of thing."""

    def __init__(self, entity: type[Entity], rules: Sequence[Judged], register: Register) -> None:
        self.entity, self.register, self.rules = entity, register, list(rules)
        columns = register.columns()
        self.fields: list[Kept] = sorted(entity.live().values(), key=lambda f: columns[f.name])
        self.lateness: Times = np.array([f.lateness.us for f in self.fields], np.int64)
        self.keep = int(self.lateness.max(initial=0))
        self.look_back = max((judged.rule.look_back() for judged in self.rules), default=0)
        self.deadlines: frozenset[int] = frozenset(span for judged in self.rules for span in judged.deadlines)
        self.now, self.base = Values(len(self.fields)), Values(len(self.fields))
        self.recents = Recents()
        self.newest: Times = np.zeros(0, np.int64)
        """(things,) time of the newest good reading"""
        self.judged_until: Times = np.zeros(0, np.int64)
        """(things,) up to where the live state has gone: the newest reading, or a deadline after it"""
        self.ticked = NEVER
        self.most = MOST
        """readings kept of each thing at the most"""
        self.grow()

    def grow(self) -> None:
        """Makes room for things that were registered since."""
        things = self.register.size()
        if things <= len(self.newest):
            return
        room = max(things, len(self.newest) + len(self.newest) // 4)
        self.most = max(16 * len(self.fields), min(MOST, BUDGET // room))
        for values in (self.now, self.base):
            values.grow(room)
        self.recents.grow(room)
        for judged in self.rules:
            judged.live.grow(room)
            judged.settled.grow(room)
        more = (0, room - len(self.newest))
        self.newest = np.pad(self.newest, more, constant_values=NEVER)
        self.judged_until = np.pad(self.judged_until, more, constant_values=NEVER)

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
        late[good.slot[good.time <= self.judged_until[good.slot]]] = True
        again = late[good.slot]
        prompt = good.take(~again)
        twice = prompt.repeated()
        marks[order[~again][twice]] |= int(Quality.DUPLICATE)
        changes = self._advance(prompt.take(~twice)) if len(prompt) else []
        if again.any():
            twice, corrected = self._judge_again(good.take(again))
            marks[order[again][twice]] |= int(Quality.DUPLICATE)
            changes += corrected
        return marks, changes

    def tick(self, now: int) -> list[Change]:
        """Judges what the passing of time alone has made true up to `now`, microseconds."""
        self.grow()
        if not self.deadlines or now <= self.ticked:
            self.ticked = max(self.ticked, now)
            return []
        active, heads = self._active_heads()
        due = np.zeros(len(active), np.bool_)
        for span in self.deadlines:
            due |= (heads + span > self.ticked) & (heads + span <= now)
        slots = np.flatnonzero(due & active)
        self.ticked = now
        return self._advance(Readings.moments(slots[:0], heads[:0]), slots) if len(slots) else []

    def _active_heads(self) -> tuple[Bools, Times]:
        """Which things are in use, and when each was last heard of: its newest reading, or its registration."""
        size = self.register.size()
        return self.register.active(), np.maximum(self.newest[:size], self.register.registered())

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
        marks[order[behind]] = np.where(late, int(Quality.LATE), int(Quality.OUT_OF_ORDER))
        return marks

    def _advance(self, rows: Readings, looked_at: Rows | None = None) -> list[Change]:
        """Readings newer than all that their things have, or deadlines that passed: judged from the live state."""
        changes: list[Change] = []
        slots = rows.slot[starts(rows.slot)] if looked_at is None else looked_at
        plain = Stretch(rows, self.now, self.register)
        wide = self._with_context(rows, slots) if self.look_back else (plain, None)
        timed = self._with_moments(rows, slots) if self.deadlines else (plain, None)
        for judged in self.rules:
            stretch, fresh = timed if judged.deadlines else wide if judged.rule.look_back() else (plain, None)
            changes += self._step(judged, judged.live, stretch, fresh)
        if self.deadlines:
            last = ends(timed[0].first)
            at = timed[0].slot[last]
            self.judged_until[at] = np.maximum(self.judged_until[at], timed[0].time[last])
        if looked_at is None:
            self.now.update(rows)
            last = ends(starts(rows.slot))
            self.newest[rows.slot[last]] = rows.time[last]
            np.maximum(self.judged_until, self.newest, out=self.judged_until)
            self._remember(rows)
        return changes

    def _with_context(self, rows: Readings, slots: Rows) -> tuple[Stretch, Bools]:
        """The readings after those that windows look back on."""
        context, _ = self.recents.of(slots)
        stretch = Stretch(Readings.concat([context, rows]).sorted(), self.base, self.register)
        return stretch, stretch.time > self.judged_until[stretch.slot]

    def _with_moments(self, rows: Readings, slots: Rows) -> tuple[Stretch, Bools]:
        """The readings, with the deadlines that passed before, between and after them."""
        heads = self._active_heads()[1]
        parts = [Readings.moments(slots, heads[slots]), rows]
        if self.look_back:
            parts.insert(0, self.recents.of(slots)[0])
        moments = Readings.concat(parts).sorted().with_deadlines(self.deadlines, self.ticked)
        stretch = Stretch(moments, self.base if self.look_back else self.now, self.register)
        return stretch, stretch.time > self.judged_until[stretch.slot]

    def _step(self, judged: Judged, latch: Latch, stretch: Stretch, fresh: Bools | None) -> list[Change]:
        """A rule that cannot be judged says so and leaves the others alone."""
        try:
            changes = judged.step(latch, stretch, fresh)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            judged.broken = f"{type(error).__name__}: {error}"
            return []
        judged.broken = ""
        return changes

    def _make_way(self, slots: Rows, more: Rows) -> None:
        """Room for `more` readings of each of these things, by settling what nothing late can reach any more."""
        if (self.recents.count[slots] + more <= self.recents.room).all():
            return
        full = slots[self.recents.count[slots] + more > self.recents.room]
        self.settle(full, self.newest[full] - self.keep)
        self.recents.make_room(int((self.recents.count[slots] + more).max()), self.most)
        crowded = slots[self.recents.count[slots] + more > self.recents.room]
        if len(crowded):
            keep = self.most // 2 - len(self.fields)
            oldest = np.maximum(self.recents.count[crowded] - keep, 0)
            self.settle(crowded, self.recents.time[crowded, oldest], context=False)

    def settle(self, slots: Rows, cut: Times, *, context: bool = True) -> None:
        """Moves the settled state of these things up to `cut` (by thing): nothing late may reach behind it."""
        readings, unsettled = self.recents.of(slots)
        limit = np.full(len(self.newest), NEVER, np.int64)
        limit[slots] = cut
        due = readings.time < limit[readings.slot]
        if (due & unsettled).any():
            after = self._settled_until(slots)
            for judged in self.rules:
                stretch, fresh = self._frame(slots, readings, after, judged.deadlines)
                self._step(judged, judged.settled, stretch, fresh & (stretch.time < limit[stretch.slot]))
        drop = readings.time < limit[readings.slot] - (self.look_back if context else 0)
        self.base.update(readings.take(drop))
        self.recents.replace(slots, readings.take(~drop))
        self.recents.settled[slots] = 0
        kept = readings.slot[due & ~drop]
        np.add.at(self.recents.settled, kept, 1)

    def _settled_until(self, slots: Rows) -> Times:
        """By slot: the time of the last settled reading that is kept."""
        until = np.full(len(self.newest), NEVER, np.int64)
        some = slots[self.recents.settled[slots] > 0]
        until[some] = self.recents.time[some, self.recents.settled[some] - 1]
        return until

    def _frame(self, slots: Rows, readings: Readings, after: Times, deadlines: frozenset[int]) -> tuple[Stretch, Bools]:
        """What is remembered of these things, as a stretch, and which of its rows come `after` (by slot)."""
        if deadlines:
            heads = np.maximum(self.base.time.max(axis=0, initial=NEVER)[slots], self.register.registered()[slots])
            readings = Readings.concat([Readings.moments(slots, heads), readings]).sorted()
            readings = readings.with_deadlines(deadlines, self.ticked)
        stretch = Stretch(readings, self.base, self.register)
        return stretch, stretch.time > after[stretch.slot]

    def _judge_again(self, rows: Readings) -> tuple[Bools, list[Change]]:
        """Things with something late: their last stretch is judged again; returns duplicates and differences."""
        slots, counts = np.unique(rows.slot, return_counts=True)
        self._make_way(slots, counts)
        old = self.recents.of(slots)[0]
        both = Readings.concat([old, rows])
        order = np.lexsort((both.field, both.time, both.slot))
        repeated = both.take(order).repeated()
        merged = both.take(order[~repeated])
        twice = np.zeros(len(both), np.bool_)
        twice[order[repeated]] = True
        changes: list[Change] = []
        if len(merged) > len(old):
            after = self._settled_until(slots)
            for judged in self.rules:
                changes += self._difference(judged, slots, old, merged, after)
            self._keep(slots, merged)
            self.now.update(merged)
            last = ends(starts(merged.slot))
            self.newest[slots] = np.maximum(self.newest[slots], merged.time[last])
            np.maximum(self.judged_until, self.newest, out=self.judged_until)
        return twice[len(old) :], changes

    def _difference(
        self, judged: Judged, slots: Rows, old: Readings, merged: Readings, after: Times
    ) -> Iterator[Change]:
        found: list[list[Change]] = []
        latch = Latch(len(self.newest))
        for readings in (old, merged):
            latch.since[slots], latch.onset[slots] = judged.settled.since[slots], judged.settled.onset[slots]
            found.append(self._step(judged, latch, *self._frame(slots, readings, after, judged.deadlines)))
        judged.live.since[slots], judged.live.onset[slots] = latch.since[slots], latch.onset[slots]
        return differences(*found)

    def _remember(self, rows: Readings) -> None:
        if self.rules and len(rows):
            self._make_way(*np.unique(rows.slot, return_counts=True))
            self.recents.append(rows)

    def _keep(self, slots: Rows, merged: Readings) -> None:
        """Puts merged readings in the place of what was remembered; the settled ones stay settled."""
        until = self._settled_until(slots)
        self.recents.replace(slots, merged)
        self.recents.settled[slots] = 0
        np.add.at(self.recents.settled, merged.slot[merged.time <= until[merged.slot]], 1)
