"""The rules of a type that look back, at places or at other things: judged over stretches of readings, whole columns.

This is the general form: any rule can be judged so, and the compiled steps have to come to the same.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cheng.kernel.columns import FAR, NEVER, Bools, ByThing, Floats, Rows, Times
from cheng.kernel.conditions import parts
from cheng.kernel.expressions import Unusual
from cheng.kernel.habits import Habits
from cheng.kernel.rules import Change, Latch
from cheng.kernel.stretches import Readings, Stretch, fallen_silent, last_heard
from cheng.kernel.verdicts import Clockwork, Judged

if TYPE_CHECKING:
    from cheng.kernel.judging import Judge


class Stretched:
    """Judges the rules of a judge that have no plan.

    Prompt readings are judged from the live state of each rule. Late ones, and rules that time alone can move, are
    judged over all that is remembered of their things, from the settled state on, up to where the clock has run.
    """

    def __init__(self, judge: "Judge", rules: Sequence[Judged]) -> None:
        self._judge, self.rules = judge, list(rules)
        self.timed = [judged for judged in self.rules if judged.timed]
        self._prompt = [judged for judged in self.rules if not judged.timed]
        columns = judge.register.columns()
        said = (part for judged in self.rules for over in (judged.when, judged.rule.release) for part in parts(over))
        self.habits = Habits({columns[part.of.name] for part in said if isinstance(part, Unusual)})
        self._scores: Floats | None = None
        """of the rows that are new"""

    def grow(self, things: int) -> None:
        """Makes room for things that were registered since."""
        self.habits.grow(things)

    def advance(self, rows: Readings) -> list[Change]:
        """Judges rules that do not look back over sorted rows that are new; before they become the last values."""
        self._scores = self.habits.advance(rows)
        plain = Stretch(rows, self._judge.now, self._judge.register, self._scores)
        changes: list[Change] = []
        for judged in self._prompt:
            if not judged.look_back:
                changes += judged.believe(judged.step(judged.live, plain) or [])
        return changes

    def look_back(self, rows: Readings, slots: Rows, newest: Times) -> list[Change]:
        """Judges the others, when the rows are remembered; newest (k,) is what these things had before."""
        judge = self._judge
        looking = [judged for judged in self._prompt if judged.look_back]
        if not (looking or self.timed):
            return []
        held = judge.memory.of(slots)
        scores = None
        if self._scores is not None:
            scores = np.full(len(held), np.nan)
            scores[held.time > ByThing(slots, newest)[held.slot]] = self._scores
        wide = Stretch(held, judge.base, judge.register, scores)
        fresh = wide.time > ByThing(slots, newest)[wide.slot]
        changes: list[Change] = []
        for judged in looking:
            changes += judged.believe(judged.step(judged.live, wide, fresh) or [])
        return changes + self.again(self.timed, slots, held)

    def again(self, rules: list[Judged], slots: Rows, readings: Readings) -> list[Change]:
        """Judges these (ascending) things from the settled state on; returns what has to be corrected."""
        judge = self._judge
        until = ByThing(slots, judge.until(slots))
        changes = list[Change]()
        scores = self.habits.again(slots, readings, judge.things["closed"], until)
        plain = Stretch(readings, judge.base, judge.register, scores)
        for judged in rules:
            latch = Latch()
            latch.copy(judged.settled, slots)
            found = judged.step(latch, *self._from_settled(judged, latch, slots, plain, until, scores))
            if found is not None:
                judged.live.copy(latch, slots)
                changes += judged.correct(slots, found)
            if judged.timed:
                self._expect(judged, slots)
        return changes

    def _from_settled(
        self, judged: Judged, latch: Latch, slots: Rows, plain: Stretch, until: ByThing, scores: Floats | None
    ) -> tuple[Stretch, Bools, Clockwork | None]:
        """What a latch in the settled state of these things has to step over to get to `until`."""
        judge = self._judge
        closed: Times = judge.things["closed"]
        if not judged.timed:
            return plain, (plain.time >= closed[plain.slot]) & (plain.time <= until[plain.slot]), None
        readings = plain.readings
        waiting = slots[latch.of(slots)[0] != NEVER]
        moments = [readings, Readings.moments(waiting, closed[waiting] - 1)]
        for silent in judged.silences:
            moments.append(fallen_silent(silent.of, silent.span.us, readings, slots, judge.base, judge.register, until))
        rows = Readings.concat(moments).sorted()
        spread = None
        if scores is not None:
            spread = np.full(len(rows), np.nan)
            spread[rows.field >= 0] = scores
        stretch = Stretch(rows, judge.base, judge.register, spread)
        fresh = (stretch.time >= closed[stretch.slot]) & (stretch.time <= until[stretch.slot])
        heads = (stretch.time == closed[stretch.slot] - 1) & (latch.of(stretch.slot)[0] != NEVER)
        return stretch, fresh | heads, Clockwork(heads, until)

    # -- the clock

    def pass_time(self, slots: Rows, since: Times, now: int) -> list[Change]:
        """What time alone has made true of these things after `since` (n,)."""
        changes: list[Change] = []
        for judged in self.timed:
            due = np.zeros(len(slots), np.bool_)
            for moment in self._moments(judged, slots):
                due |= (moment > since) & (moment <= now)
            if due.any():
                changes += self.again([judged], slots[due], self._judge.memory.of(slots[due]))
            self._expect(judged, slots)
        return changes

    def _moments(self, judged: Judged, slots: Rows) -> Iterator[Times]:
        """(n,) when silences and holds come to pass."""
        now, register = self._judge.now, self._judge.register
        for silent in judged.silences:
            yield last_heard(silent.of, slots, now, register) + silent.span.us
        since, onset = judged.live.of(slots)
        yield np.where((since != NEVER) & (onset == NEVER), since + judged.hold, NEVER)

    def _expect(self, judged: Judged, slots: Rows) -> None:
        """Has things looked at again when something may come to pass."""
        until, due = self._judge.until(slots), np.full(len(slots), FAR)
        for moment in self._moments(judged, slots):
            due = np.minimum(due, np.where(moment > until, moment, FAR))
        self._judge.memory.expect(slots, due)

    # -- settling

    def settle(self, slots: Rows, cut: Times) -> None:
        """Settles what lies before `cut` (n,) of these (ascending) things."""
        judge = self._judge
        readings, until = judge.memory.of(slots), ByThing(slots, cut - 1)
        due = (readings.time >= judge.things["closed"][readings.slot]) & (readings.time <= until[readings.slot])
        scores = self.habits.settle(readings, due)
        plain = Stretch(readings, judge.base, judge.register, scores)
        for judged in self.rules if due.any() else self.timed:
            _, onset = judged.settled.of(slots)
            way = self._from_settled(judged, judged.settled, slots, plain, until, scores)
            held = judged.move(judged.settled, *way) is not None
            since, _ = judged.settled.of(slots)
            # What counts is what was reported, whatever the register says today.
            judged.settled.put(slots, since if held else np.full(len(slots), NEVER), onset)
            judged.close(slots, cut)

    def standing(self) -> Iterator[tuple[str, Rows, Times]]:
        """By rule: the things whose alert stands, and its onset."""
        for judged in self.rules:
            slots = judged.live.slots
            _, onset = judged.live.of(slots)
            yield judged.rule.key(), slots[onset != NEVER], onset[onset != NEVER]
