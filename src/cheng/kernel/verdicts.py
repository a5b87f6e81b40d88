"""One rule with its state: what holds, what it has reported, and what late readings can no longer change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from cheng.kernel.columns import NEVER, Bools, ByThing, Rows, Times, starts
from cheng.kernel.conditions import Condition, Silent
from cheng.kernel.corrections import differences
from cheng.kernel.rules import Change, Latch, Rule, Spells, held_since
from cheng.kernel.stretches import Stretch


class Steps(NamedTuple):
    """What a latch steps through; `row` is the row of the stretch whose truth and values each step has. All (n,)."""

    row: Rows
    slot: Rows
    time: Times
    holds: Bools
    over: Bools

    def with_elapsed(self, since: Times, hold: int, until: ByThing) -> "Steps":
        """Adds the moments at which a hold has elapsed by the clock: between two rows, or after the last."""
        following = until[self.slot] + 1
        goes_on = self.slot[1:] == self.slot[:-1]
        following[:-1][goes_on] = self.time[1:][goes_on]
        elapsed = since + hold
        rows = np.flatnonzero(self.holds & (elapsed > self.time) & (elapsed < following))
        if not len(rows):
            return self
        added = self._replace(time=elapsed)
        return Steps(*(np.insert(old, rows + 1, new[rows]) for old, new in zip(self, added, strict=True)))


class Clockwork(NamedTuple):
    """What a timed rule has to know besides its rows."""

    heads: Bools
    """(n,) rows before the fresh ones that stand for a condition which has held since then"""
    until: ByThing
    """up to where the clock is known to have run"""


@dataclass
class Judged:
    """One rule with its state: live, and settled up to where nothing late can reach."""

    rule: type[Rule]
    when: Condition
    hold: int
    live: Latch = field(default_factory=Latch)
    settled: Latch = field(default_factory=Latch)
    believed: dict[int, list[Change]] = field(default_factory=dict)
    """by thing: the alerts that began or ended since the settled state, as they were reported"""
    broken: str = ""
    """why it cannot be judged at present; empty while it can"""

    @classmethod
    def of(cls, rule: type[Rule], when: Condition | None = None, hold: int | None = None) -> "Judged":
        """A rule, or the same rule with another condition or hold for a dry run."""
        return cls(rule, rule.when if when is None else when, rule.hold.us if hold is None else hold)

    def __post_init__(self) -> None:
        release = self.rule.release
        over = release.silences() if release is not None else frozenset()
        self.silences: frozenset[Silent] = self.when.silences() | over
        self.timed = bool(self.silences) or self.rule.is_timed()
        """whether the passing of time alone can begin or end its alerts"""
        self.look_back = max(self.when.look_back(), release.look_back() if release is not None else 0)
        """microseconds of earlier readings it needs"""
        live = self.rule.subject.live()
        wanted = {*self.rule.text_blanks(), *(f.name for f in self.rule.needs())} & live.keys()
        self.told = {name: live[name] for name in sorted(wanted)}
        """the fields whose values go with an alert"""

    def step(
        self, latch: Latch, stretch: Stretch, fresh: Bools | None = None, clock: Clockwork | None = None
    ) -> list[Change] | None:
        """Judges a stretch and returns the alerts that began or ended; None if it cannot, and then `broken` says why.

        fresh (n,) the rows that count, the rest is context.
        """
        found = self.move(latch, stretch, fresh, clock)
        return None if found is None else list(self._changes(*found, stretch)) if len(found[0].slot) else []

    def move(
        self, latch: Latch, stretch: Stretch, fresh: Bools | None, clock: Clockwork | None
    ) -> tuple[Spells, Steps] | None:
        """The same without saying what changed in words: the spells and the steps they refer to."""
        try:
            holds, fails = self.when.judge(stretch)
            release = self.rule.release
            over = fails if release is None else release.judge(stretch).yes
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self.broken = f"{type(error).__name__}: {error}"
            return None
        self.broken = ""
        if release is not None:
            holds = holds & ~over
        if clock is not None:
            holds, over = holds | clock.heads, over & ~clock.heads
        rows = np.arange(len(stretch)) if fresh is None else np.flatnonzero(fresh)
        steps = Steps(rows, stretch.slot[rows], stretch.time[rows], holds[rows], over[rows])
        if clock is not None and self.hold:
            since = held_since(steps.time, steps.holds, starts(steps.slot), latch.of(steps.slot)[0])
            steps = steps.with_elapsed(since, self.hold, clock.until)
        return latch.step(steps.slot, steps.time, steps.holds, steps.over, self.hold), steps

    def _changes(self, spells: Spells, steps: Steps, stretch: Stretch) -> Iterator[Change]:
        key = self.rule.key()
        columns = (spells.slot, spells.onset, spells.raised, spells.cleared)
        for slot, onset, raised, cleared in zip(*(column.tolist() for column in columns), strict=True):
            if raised >= 0:
                values = self._values(stretch, int(steps.row[raised]))
                yield Change("raised", key, slot, onset, int(steps.time[raised]), values)
            if cleared >= 0:
                yield Change("cleared", key, slot, onset, int(steps.time[cleared]), {})

    def _values(self, stretch: Stretch, row: int) -> dict[str, Any]:
        """What the text of the rule needs from the readings at the moment it fired; a position as a pair."""
        values: dict[str, Any] = {}
        for name, told in self.told.items():
            value, latitude = float(stretch.column(told)[row]), float(stretch.latitude(told)[row])
            values[name] = None if isnan(value) else value if isnan(latitude) else [value, latitude]
        return values

    # -- what was reported, until it is settled

    def believe(self, found: list[Change]) -> list[Change]:
        """Remembers what is reported now."""
        for change in found:
            self.believed.setdefault(change.slot, []).append(change)
        return found

    def correct(self, slots: Rows, found: list[Change]) -> list[Change]:
        """What has to be reported so that these alerts are believed instead of those reported so far."""
        before = [change for slot in slots.tolist() for change in self.believed.pop(slot, ())]
        self.believe(found)
        return list(differences(before, found))

    def close(self, slots: Rows, cut: Times) -> None:
        """Takes what was reported before the cut (n,) into the settled state: it is not corrected any more."""
        if not self.believed:
            return
        since, onset = self.settled.of(slots)
        for number, (slot, end) in enumerate(zip(slots.tolist(), cut.tolist(), strict=True)):
            rest = []
            for change in self.believed.pop(slot, ()):
                if change.time >= end:
                    rest.append(change)
                else:
                    onset[number] = change.onset if change.kind == "raised" else NEVER
            if rest:
                self.believed[slot] = rest
        self.settled.put(slots, since, onset)
