"""The rules of a type that are stepped by compiled kernels: what the kernels are given, and what they tell."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan, nan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cheng.kernel.book import ARRANGE, CROWDED, FIXED, LACKING, REGISTER, REGISTERED, STAGE, TOLD, WANTED
from cheng.kernel.columns import NEVER, Floats, Marks, Rows, Times
from cheng.kernel.corrections import differences
from cheng.kernel.lots import CORRECTION, OLD, pass_time, take_lot
from cheng.kernel.plans import Plan
from cheng.kernel.rules import Change
from cheng.kernel.settling import settle
from cheng.kernel.stepping import RAISED
from cheng.kernel.stretches import Readings

if TYPE_CHECKING:
    from cheng.kernel.judging import Judge

KINDS: tuple[Literal["raised", "cleared"], ...] = ("raised", "cleared")


@dataclass
class Lot:
    """Readings of one type, in order of arrival, and what is made of them."""

    rows: Readings
    marks: Marks
    new: bool = True
    work: Rows = field(init=False)
    """(6, n) for the kernels: see `arrivals.arrange`"""

    def __post_init__(self) -> None:
        self.work = np.empty((6, len(self.rows)), np.intp)


class Planned:
    """Steps the rules of a judge that have a plan."""

    def __init__(self, judge: "Judge") -> None:
        self._judge = judge
        self.plan = Plan(judge.rules, judge.register, judge.fields, judge.memory)
        self.rules = self.plan.rules
        self.clocked = self.plan.clocked
        self._keys = [judged.rule.key() for judged in self.rules]
        numbers = judge.register.columns()
        self._told_by = [
            [(name, numbers[name], told.scalar) for name, told in judged.told.items()] for judged in self.rules
        ]
        """what goes with an alert of each rule, and whether one number says it"""
        self._silent = any(judged.silences for judged in self.rules)
        self._registered: Times | None = None
        self._fixed: list[Floats] = []
        wanted = 4 * (len(self.rules) + 64)
        judge.memory.room_for_events(4 * wanted)
        judge.memory.room_for_notes(wanted)

    # -- what the kernels are given

    def _look_around(self) -> None:
        """What the register says; rules for which it has no answer are left out meanwhile."""
        if self.plan.fixed:
            self._look_up()
        if self._silent:
            registered = self._judge.register.registered()
            if registered is not self._registered:
                self._registered = registered
                self._judge.memory.enter(REGISTERED, registered)

    def _look_up(self) -> None:
        columns, missing = [], dict[int, str]()
        nothing = np.full(self._judge.register.size(), np.nan)
        for which, name in enumerate(self.plan.fixed):
            try:
                columns.append(self._judge.register.fixed(name))
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                missing[which] = f"{type(error).__name__}: {error}"
                columns.append(nothing)
        for number, needs in enumerate(self.plan.needs, self.plan.first_program):
            self.rules[number].broken = next((missing[which] for which in sorted(needs) if which in missing), "")
            self.plan.able[number] = not self.rules[number].broken
        if len(columns) != len(self._fixed) or any(a is not b for a, b in zip(columns, self._fixed, strict=True)):
            self._fixed = columns
            self._judge.memory.enter(FIXED, np.array(columns))
            self._judge.memory.book[REGISTER] = len(columns[0])

    def _flush(self, changes: list[Change]) -> None:
        """Takes what kernels have told, and sees to it that they can go on."""
        memory = self._judge.memory
        book = memory.book
        if book[TOLD]:
            changes += self._changes(int(book[TOLD]))
            book[TOLD] = 0
        if book[LACKING]:
            lacking = int(book[LACKING])
            book[LACKING] = 0
            self._judge.make_way(np.array([book[CROWDED]]), np.array([lacking]))
        wanted = int(book[WANTED])
        if wanted > len(memory.events):
            memory.room_for_events(8 * wanted)
        memory.room_for_notes(wanted + 2 * len(self.rules))

    # -- what they do

    def take(self, lot: Lot, last: int, changes: list[Change]) -> bool:
        """Takes a lot up to the last stage asked for; False if a thing has more rows than can be taken at once."""
        memory, rows = self._judge.memory, lot.rows
        if lot.new:
            lot.new = False
            memory.book[STAGE] = ARRANGE
            if self.clocked:
                memory.room_in_queue(len(rows))
        self._look_around()
        given = (*rows.columns(), self._judge.lateness, lot.marks, lot.work, last)
        while not take_lot(memory.book, *given):
            if memory.book[STAGE] == ARRANGE:
                return False
            self._flush(changes)
        self._flush(changes)
        return True

    def settle(self, slots: Rows, cut: Times, drop: Times) -> None:
        """Settles things up to `cut` (n,) and forgets what they reported before `drop` (n,)."""
        self._look_around()
        at, nothing = 0, list[Change]()
        while (at := settle(self._judge.memory.book, slots, cut, drop, at)) < len(slots):
            self._flush(nothing)

    def pass_time(self, slots: Rows, since: Times, now: int) -> list[Change]:
        """What time alone has made true of these things after `since` (n,)."""
        changes: list[Change] = []
        at = 0
        if self.clocked:
            self._judge.memory.room_in_queue(len(slots))
            self._look_around()
            while (at := pass_time(self._judge.memory.book, slots, since, now, at)) < len(slots):
                self._flush(changes)
            self._flush(changes)
        return changes

    # -- what they tell

    def _changes(self, count: int) -> Iterator[Change]:
        found: dict[int, tuple[list[Change], list[Change]]] = {}
        for at, (onset, time, slot, rule, kind) in enumerate(self._judge.memory.events[:count].tolist()):
            values = self._values(rule, at) if kind & ~CORRECTION == RAISED else {}
            change = Change(KINDS[kind & 1], self._keys[rule], slot, onset, time, values)
            if kind < CORRECTION:
                yield change
            else:
                found.setdefault(rule, ([], []))[kind < OLD].append(change)
        for before, after in found.values():
            yield from differences(before, after)

    def _values(self, rule: int, at: int) -> dict[str, Any]:
        """What the text of a rule needs from the readings at the moment it fired; a position as a pair."""
        last = self._judge.memory.values
        values: dict[str, Any] = {}
        for name, number, scalar in self._told_by[rule]:
            value = last["value"].item(at, number)
            latitude = nan if scalar else last["latitude"].item(at, number)
            values[name] = None if isnan(value) else value if isnan(latitude) else [value, latitude]
        return values

    # -- asking

    def standing(self) -> Iterator[tuple[str, Rows, Times]]:
        """By rule: the things whose alert stands, and its onset."""
        slots, notes = self._judge.memory.noted("live")
        stands = notes["onset"] != NEVER
        slots, rules, onsets = slots[stands], notes["rule"][stands], notes["onset"][stands]
        for number in np.unique(rules).tolist():
            mine = rules == number
            yield self._keys[number], slots[mine], onsets[mine]
