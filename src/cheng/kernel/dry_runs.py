"""What a rule would have done: the same rule with another number or hold, and the alerts it would have made."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from cheng.kernel.conditions import Condition
from cheng.kernel.expressions import Constant
from cheng.kernel.frames import Blank, Column
from cheng.kernel.rules import Change, Rule

MOST = 100_000
"""Alerts of one run; a setting that makes more is no setting, and the run stops."""


def parts(whole: Any) -> Iterator[tuple[str, Any]]:
    """The conditions and terms that a condition or term is made of, by the name of their place."""
    if dataclasses.is_dataclass(whole) and not isinstance(whole, Blank):
        for place in dataclasses.fields(whole):
            part = getattr(whole, place.name)
            if isinstance(part, (Condition, Column)):
                yield place.name, part


def constants(condition: Condition) -> list[Constant]:
    """The numbers in a condition, from left to right: what a slider can move."""
    found: list[Constant] = []

    def walk(whole: Condition | Column) -> None:
        if isinstance(whole, Constant):
            found.append(whole)
        for _, part in parts(whole):
            walk(part)

    walk(condition)
    return found


def with_constant(condition: Condition, old: Constant, number: float) -> Condition:
    """The condition with another number in the place of one of its own; ValueError when it is none of them."""
    if not any(each is old for each in constants(condition)):
        raise ValueError(f"{old.number:g} is no number of this condition")

    def changed(whole: Any) -> Any:
        if whole is old:
            return Constant(number)
        fresh = {name: changed(part) for name, part in parts(whole)}
        return dataclasses.replace(whole, **fresh) if any(fresh[n] is not p for n, p in parts(whole)) else whole

    result: Condition = changed(condition)
    return result


@dataclass(frozen=True, slots=True)
class Setting:
    """How a rule is tried; as it is, unless something is said."""

    threshold: float | None = None
    which: int = 0
    """which of the condition's `constants` the threshold takes the place of"""
    hold: int | None = None
    """microseconds"""

    def condition(self, rule: type[Rule]) -> Condition:
        """What the rule asks under this setting; ValueError when it has no such number."""
        if self.threshold is None:
            return rule.when
        numbers = constants(rule.when)
        if not 0 <= self.which < len(numbers):
            raise ValueError(f"rule {rule.__name__} has {len(numbers)} numbers, there is none at {self.which}")
        return with_constant(rule.when, numbers[self.which], self.threshold)

    def hold_of(self, rule: type[Rule]) -> int:
        """Microseconds."""
        return rule.hold.us if self.hold is None else self.hold


class Days(Protocol):
    def day(self, us: int) -> Any:
        """The city's date of an instant."""


@dataclass(slots=True)
class Trial:
    """One alert that would have been; times in microseconds, `cleared` None while it would still stand."""

    thing: str
    onset: int
    raised: int
    cleared: int | None
    values: dict[str, Any]


@dataclass
class DryRun:
    """What a rule would have done under a setting."""

    rule: str
    condition: str
    """in words"""
    hold: int
    readings: int = 0
    """how many were looked at"""
    things: int = 0
    """how many things it was tried on; 0 for events"""
    of: int = 0
    """how many there are"""
    stopped: bool = False
    """there were more than MOST alerts, and it stopped there"""
    broken: str = ""
    """why it could not be judged; empty when it could"""
    found: dict[tuple[int, int], Trial] = field(default_factory=dict)
    """by slot and onset"""

    def take(self, changes: Iterable[Change], names: list[str]) -> None:
        """Enters what a judge found; `names` are the things' ids by slot."""
        for change in changes:
            key = (change.slot, change.onset)
            if change.kind == "raised":
                name = names[change.slot] if 0 <= change.slot < len(names) else ""
                self.found[key] = Trial(name, change.onset, change.time, None, change.values)
            elif key in self.found:
                self._correct(key, change)
        self.stopped = len(self.found) > MOST

    def _correct(self, key: tuple[int, int], change: Change) -> None:
        trial = self.found[key]
        if change.kind == "cleared":
            trial.cleared = change.time
        elif change.kind == "reopened":
            trial.cleared = None
        else:
            del self.found[key]
            if change.kind == "moved":
                trial.onset = change.time
                self.found[key[0], change.time] = trial

    @property
    def alerts(self) -> list[Trial]:
        """In the order they would have been raised."""
        return sorted(self.found.values(), key=lambda trial: (trial.raised, trial.thing))

    def per_day(self, calendar: Days) -> dict[str, int]:
        """How many alerts on each day of the city that had any, ISO dates in their order."""
        days: dict[str, int] = {}
        for trial in self.alerts:
            day = str(calendar.day(trial.raised))
            days[day] = days.get(day, 0) + 1
        return days

    def told(self, calendar: Days, first: int = 10) -> dict[str, Any]:
        """As JSON, with the first few alerts."""
        alerts = self.alerts
        return {
            "rule": self.rule,
            "condition": self.condition,
            "hold": self.hold,
            "readings": self.readings,
            "tried_on": self.things,
            "of": self.of,
            "alerts": len(alerts),
            "things": len({trial.thing for trial in alerts}),
            "stopped": self.stopped,
            "broken": self.broken,
            "per_day": self.per_day(calendar),
            "first": [dataclasses.asdict(trial) for trial in alerts[:first]],
        }
