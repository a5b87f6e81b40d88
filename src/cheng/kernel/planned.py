"""The rules of a type that are stepped by compiled kernels: what the kernels are given, and what they tell."""

from collections.abc import Callable, Iterator
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cheng.kernel.book import FIXED, REGISTER, REGISTERED, TOLD, WANTED
from cheng.kernel.columns import NEVER, Bools, Floats, Marks, Rows, Times
from cheng.kernel.corrections import differences
from cheng.kernel.plans import Plan
from cheng.kernel.rewalking import OLD, go_back, pass_time, settle
from cheng.kernel.rules import Change
from cheng.kernel.stepping import RAISED
from cheng.kernel.stretches import Readings
from cheng.kernel.walking import advance

if TYPE_CHECKING:
    from cheng.kernel.judging import Judge

KINDS: tuple[Literal["raised", "cleared"], ...] = ("raised", "cleared")


class Planned:
    """Steps the rules of a judge that have a plan."""

    def __init__(self, judge: "Judge") -> None:
        self._judge = judge
        self.plan = Plan(judge.rules, judge.register, judge.fields, judge.memory)
        self.rules = self.plan.rules
        self.clocked = self.plan.clocked
        self._keys = [judged.rule.key() for judged in self.rules]
        numbers = judge.register.columns()
        self._told_by = [[(name, numbers[name]) for name in judged.told] for judged in self.rules]
        """what goes with an alert of each rule"""
        self._silent = any(judged.silences for judged in self.rules)
        self._registered: Times | None = None
        self._fixed: list[Floats] = []

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

    def _run(self, kernel: Callable[..., int], size: int, *given: Any, after: Callable[[], None]) -> None:
        """Lets a kernel do all it has to, in as many goes as there is room for what it tells."""
        memory = self._judge.memory
        self._look_around()
        at = 0
        while at < size:
            done = kernel(memory.book, *given, at)
            after()
            memory.book[TOLD] = 0
            if done == at:
                wanted = int(memory.book[WANTED])
                if wanted > len(memory.events):
                    memory.room_for_events(8 * wanted)
                memory.room_for_notes(wanted + 2 * len(self.rules))
            at = done

    # -- what they do

    def advance(self, rows: Readings, prompt: Rows) -> list[Change]:
        """Takes rows newer than all that their things have, sorted within each thing."""
        changes: list[Change] = []
        if self.clocked:
            self._judge.memory.room_in_queue(len(prompt))
        self._run(advance, len(prompt), *rows.columns(), prompt, after=lambda: changes.extend(self._changes()))
        return changes

    def go_back(self, rows: Readings, back: Rows, marks: Marks) -> tuple[Bools, list[Change]]:
        """Puts rows in among older ones; returns which are of things that have anything new, and the corrections."""
        found: list[tuple[int, Change]] = []
        changed = np.zeros(len(back), np.bool_)
        if self.clocked:
            self._judge.memory.room_in_queue(len(back))
        given = (*rows.columns(), back, marks, changed)
        self._run(go_back, len(back), *given, after=lambda: found.extend(self._both()))
        return changed, list(self._corrected(found))

    def settle(self, slots: Rows, cut: Times, drop: Times) -> None:
        """Settles things up to `cut` (n,) and forgets what they reported before `drop` (n,)."""
        self._run(settle, len(slots), slots, cut, drop, after=lambda: None)

    def pass_time(self, slots: Rows, since: Times, now: int) -> list[Change]:
        """What time alone has made true of these things after `since` (n,)."""
        changes: list[Change] = []
        if self.clocked:
            self._judge.memory.room_in_queue(len(slots))
            self._run(pass_time, len(slots), slots, since, now, after=lambda: changes.extend(self._changes()))
        return changes

    # -- what they tell

    def _changes(self) -> list[Change]:
        events = self._judge.memory.events[: self._judge.memory.book[TOLD]].tolist()
        return [
            Change(
                KINDS[kind & 1], self._keys[rule], slot, onset, time, self._values(rule, at) if kind == RAISED else {}
            )
            for at, (onset, time, slot, rule, kind) in enumerate(events)
        ]

    def _values(self, rule: int, at: int) -> dict[str, Any]:
        """What the text of a rule needs from the readings at the moment it fired; a position as a pair."""
        values: dict[str, Any] = {}
        for name, field in self._told_by[rule]:
            value, latitude, _ = self._judge.memory.values[at, field].tolist()
            values[name] = None if isnan(value) else value if isnan(latitude) else [value, latitude]
        return values

    def _both(self) -> list[tuple[int, Change]]:
        """What is told now, and what had been told instead, with its kind."""
        kinds = self._judge.memory.events["kind"][: self._judge.memory.book[TOLD]].tolist()
        return list(zip(kinds, self._changes(), strict=True))

    def _corrected(self, found: list[tuple[int, Change]]) -> Iterator[Change]:
        by_rule: dict[str, tuple[list[Change], list[Change]]] = {}
        for kind, change in found:
            by_rule.setdefault(change.rule, ([], []))[kind < OLD].append(change)
        for before, after in by_rule.values():
            yield from differences(before, after)

    # -- asking

    def standing(self) -> Iterator[tuple[str, Rows, Times]]:
        """By rule: the things whose alert stands, and its onset."""
        slots, notes = self._judge.memory.noted("live")
        stands = notes["onset"] != NEVER
        slots, rules, onsets = slots[stands], notes["rule"][stands], notes["onset"][stands]
        for number in np.unique(rules).tolist():
            mine = rules == number
            yield self._keys[number], slots[mine], onsets[mine]
