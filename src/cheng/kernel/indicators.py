"""How well it goes: one number, its formula in words, and the rows it came from.

A number is never made up: with nothing to count there is no value, neither 0 nor 100 %. Shares are kept as fractions
and multiplied by a hundred once, on the page.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, Protocol, TypeVar

from cheng.kernel.flows import Flow
from cheng.kernel.frames import Blank
from cheng.kernel.specs import Spec, did_you_mean

Kind = Literal["ratio", "mean", "sum", "max", "min"]
Better = Literal["more", "less"]
Key = TypeVar("Key", bound=Hashable)

GRADES = ((0.90, "A"), (0.75, "B"), (0.60, "C"), (0.40, "D"), (0.0, "E"))
"""Lowest share for each grade."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to make a number of facts."""

    kind: Kind
    better: Better
    numerator: str
    """what is counted above the line, for people"""
    denominator: str = ""
    unit: str = "%"

    @property
    def formula(self) -> str:
        """In English; pages translate the two parts, which are msgids."""
        return f"{self.numerator} ÷ {self.denominator}" if self.denominator else self.numerator


MEASURES: Mapping[str, Mapping[str, Measure]] = {
    "flow": {
        "in time": Measure("ratio", "more", "cases finished within their limit", "cases that were due"),
        "share": Measure("ratio", "more", "cases finished, in time or late", "cases that were due"),
        "count": Measure("sum", "less", "cases begun", unit=""),
        "mean": Measure("mean", "less", "hours from beginning to end, added up", "cases finished", "h"),
        "max": Measure("max", "less", "longest time from beginning to end", unit="h"),
    },
    "rule": {
        "count": Measure("sum", "less", "alerts raised", unit=""),
        "mean": Measure("mean", "less", "minutes until the alert was over, added up", "alerts that are over", "min"),
        "max": Measure("max", "less", "longest time until an alert was over", unit="min"),
    },
    "entity": {
        "count": Measure("sum", "more", "things in use", unit=""),
        "coverage": Measure("ratio", "more", "things that reported", "things in use"),
    },
    "field": {
        "mean": Measure("mean", "more", "good readings, added up", "good readings"),
        "max": Measure("max", "less", "highest good reading"),
        "min": Measure("min", "more", "lowest good reading"),
        "coverage": Measure("ratio", "more", "things that reported it", "things in use"),
    },
}
"""By what an indicator is of; the first one is taken when none is named."""


class Days(Protocol):
    def day(self, us: int) -> date:
        """The city's date of an instant."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One row that a number comes from."""

    id: str
    """where to look it up: a case's id, an alert's key, a thing's id"""
    label: str
    """what people call it: the number of the case, the name of the thing"""
    at: int
    """µs, the moment that decides its day"""
    part: float
    """what it adds above the line"""
    whole: float = 1.0
    """what it adds below the line"""
    area: str = ""
    department: str = ""
    left_out: str = ""
    """why it is listed and not counted: "appeal", "void", "merged", "moved", "withdrawn" """


@dataclass(frozen=True, slots=True)
class Value:
    """A number with what it was made of; `value` is None when there was nothing to count."""

    numerator: float | None = None
    denominator: float | None = None
    value: float | None = None


class Indicator(Spec, kind="indicator"):
    """What shows how well something goes. The docstring says it in a sentence."""

    of: Any
    """A flow, an entity type, a live field of one, or a rule."""
    step: str = ""
    """Of a flow: the step that counts; the case as a whole when empty."""
    measure: str = ""
    """Which of MEASURES; by default the first for what it is of."""
    target: float | None = None
    """What is to be reached; shares as fractions: 0.95."""
    better: Literal["more", "less"] | None = None
    """Which way is good; by default that of the measure."""
    public: bool = False
    """Whether citizens may see it."""

    @classmethod
    def key(cls) -> str:
        """app.indicator, unique over the house."""
        return f"{cls.__module__.rsplit('.', 1)[-1]}.{cls.__name__}"

    @classmethod
    def subject(cls) -> str:
        """What it is of: "flow", "rule", "entity" or "field"; empty when that is none of them."""
        if isinstance(cls.of, Blank):
            return "field" if cls.of.live else ""
        kind = getattr(cls.of, "kind", "") if isinstance(cls.of, type) else ""
        return kind if kind in MEASURES else ""

    @classmethod
    def how(cls) -> Measure:
        """Its measure, with the unit of a field filled in."""
        known = MEASURES[cls.subject()]
        found = known[cls.measure or next(iter(known))]
        unit = str(getattr(cls.of, "unit", "")) if cls.subject() == "field" and found.kind != "ratio" else found.unit
        return Measure(found.kind, cls.better or found.better, found.numerator, found.denominator, unit)

    @classmethod
    def name_of_measure(cls) -> str:
        return cls.measure or next(iter(MEASURES[cls.subject()]))

    @classmethod
    def met(cls, value: float | None) -> bool | None:
        """Whether the target is reached; None without a value or target."""
        if value is None or cls.target is None:
            return None
        return value >= cls.target if cls.how().better == "more" else value <= cls.target

    @classmethod
    def check(cls) -> None:
        super().check()
        if not hasattr(cls, "of"):
            return
        subject = cls.subject()
        if not subject:
            hint = "name a Flow, an Entity, a Rule, or a field that is reported over time"
            cls.complain("H040", f"indicator {cls.__name__} is of {cls.of!r}", hint)
            return
        if cls.measure and cls.measure not in MEASURES[subject]:
            problem = f"indicator {cls.__name__} of a {subject} measures '{cls.measure}'"
            cls.complain("H041", problem, did_you_mean(cls.measure, list(MEASURES[subject])))
        elif cls.how().kind == "ratio" and cls.target is not None and not 0 <= cls.target <= 1:
            cls.complain("H042", f"indicator {cls.__name__} has target={cls.target:g}", "write a share as 0.95")
        if subject == "field" and not cls.of.scalar and cls.name_of_measure() != "coverage":
            hint = "name a quantity, or measure its coverage"
            cls.complain("H040", f"indicator {cls.__name__} is of {cls.of!r}, which is no number", hint)
        if subject == "flow":
            cls.check_step(cls.of)
        elif cls.step:
            cls.complain("H043", f"indicator {cls.__name__} names a step", "only flows have steps; leave it out")

    @classmethod
    def check_step(cls, flow: type[Flow]) -> None:
        if cls.step and cls.step not in flow.step_names():
            problem = f"flow {flow.__name__} has no step '{cls.step}'"
            cls.complain("H043", problem, did_you_mean(cls.step, flow.step_names()))
            return
        limits = [flow.find(cls.step).within] if cls.step else [flow.within, *(step.within for step in flow.steps)]
        if cls.name_of_measure() == "in time" and not any(limits):
            problem = f"indicator {cls.__name__} asks whether '{cls.step or flow.__name__}' is in time"
            cls.complain("H044", problem, "it has no limit: add within=…, or measure something else")


# -- from facts to numbers


def compute(kind: Kind, facts: Iterable[Fact]) -> Value:
    """The number that the facts make. Those left out do not count; without any there is no value, and a sum is 0."""
    counted = [fact for fact in facts if not fact.left_out]
    if kind == "sum":
        total = sum(fact.part for fact in counted)
        return Value(total, None, total)
    if not counted:
        return Value()
    if kind in ("max", "min"):
        best = (max if kind == "max" else min)(fact.part for fact in counted)
        return Value(best, None, best)
    part, whole = sum(fact.part for fact in counted), sum(fact.whole for fact in counted)
    return Value(part, whole, part / whole if whole else None)


def grouped(kind: Kind, facts: Iterable[Fact], by: Callable[[Fact], Key]) -> dict[Key, Value]:
    """One number for each group, in the order of the keys."""
    groups: dict[Key, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(by(fact), []).append(fact)
    return {key: compute(kind, groups[key]) for key in sorted(groups, key=str)}


def condensed(kind: Kind, facts: Iterable[Fact]) -> list[Fact]:
    """One row for each area and department, with the same numbers: what a million things come to, not which."""
    best = {"max": max, "min": min}.get(kind)
    found: dict[tuple[str, str], tuple[int, float, float]] = {}
    for fact in facts:
        if fact.left_out:
            continue
        key = fact.area, fact.department
        at, part, whole = found.get(key, (fact.at, 0.0, 0.0))
        part = best(part, fact.part) if best and key in found else fact.part if best else part + fact.part
        found[key] = at, part, whole + fact.whole
    return [Fact("", "", at, part, whole, *key) for key, (at, part, whole) in found.items()]


def by_day(kind: Kind, facts: Iterable[Fact], calendar: Days) -> dict[date, Value]:
    """The trend: one number for each day of the city on which something happened."""
    return grouped(kind, facts, lambda fact: calendar.day(fact.at))


def run_fact(
    measure: str,
    now: int,
    *,
    started: int,
    due: int | None,
    done: int | None,
    settled: int | None,
    **about: Any,
) -> Fact | None:
    """One pass through a step, or a case as a whole, as a fact; None while it is too early to count it.

    It belongs to the moment that decided it: when it was done, or when its limit passed without that. So one that is
    still open past its limit counts at once, as not in time. `about`: id, label, area, department, left_out.
    """
    if measure == "count":
        return Fact(at=started, part=1.0, **about)
    if measure in ("mean", "max"):
        return None if done is None else Fact(at=done, part=(done - started) / 3_600_000_000, **about)
    if settled is None or settled > now or (done is None and due is not None and now <= due):
        return None
    finished = done is not None and done <= now
    in_time = finished and (due is None or (done is not None and done <= due))
    return Fact(at=settled, part=float(finished if measure == "share" else in_time), **about)


# -- for people


def percent(value: float | None) -> str:
    """A share in percent with two digits: 0.93724 is "93.72 %"; "–" where there is none."""
    if value is None:
        return "–"
    return f"{(Decimal(repr(value)) * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)} %"


def grade(share: float | None) -> str:
    """A from 90 %, B from 75 %, C from 60 %, D from 40 %, else E; empty without a value."""
    return "" if share is None else next((name for low, name in GRADES if share >= low), "E")
