"""Invented rules, readings and deliveries: everything a rule can say, over small numbers so that much coincides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from city import SECOND, Alerts, Town
from hypothesis import note
from hypothesis import strategies as st
from judging_oracle import Alert, Thing, alerts

from cheng.kernel.conditions import Condition
from cheng.kernel.entities import Choice, Entity, Place, Quantity, Ref, Track, silence
from cheng.kernel.expressions import Term, count, every
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.rules import Rule
from cheng.kernel.stretches import Readings
from cheng.standards.durations import Duration, minutes, seconds


class Yard(Entity):
    """A yard."""

    limit = Quantity("m", "how far", fixed=True)
    fence = Place("its fence")


class Box(Entity):
    """A box with all that can be reported."""

    level = Quantity("m", "how high", lateness=seconds(2))
    load = Quantity("t", "how heavy", on_change=True, lateness=seconds(4))
    state = Choice("open", "shut", "stuck", lateness=seconds(3))
    spot = Track("where it is", lateness=seconds(0))
    most = Quantity("m", "how high it may be", fixed=True)
    zone = Place("where it belongs")
    yard = Ref(Yard, "the yard it belongs to")


FIELDS = ["level", "load", "state", "spot"]
KNOWN: list[dict[Any, Any]] = [
    {"most": 1.0, ("yard", "limit"): 2.0, "zone": (0, 0, 1, 1), "yard": (0, 0, 2, 2), "every": [(0, 0, 0, 3)]},
    {"most": 2.0, ("yard", "limit"): float("nan"), "zone": None, "yard": (1, 1, 3, 3), "every": [(0, 0, 0, 3)]},
    {"most": float("nan"), ("yard", "limit"): 1.0, "zone": (1, 0, 1, 2), "yard": None, "every": [(0, 0, 0, 3)]},
]
THINGS = len(KNOWN)


def town() -> Town:
    def boxes(name: str) -> list[Any]:
        return [shapely.box(*known[name]) if known[name] else None for known in KNOWN]

    fixed = {
        "most": [known["most"] for known in KNOWN],
        "yard": {"limit": [known["yard", "limit"] for known in KNOWN], "fence": boxes("yard")},
        "zone": boxes("zone"),
        "every": [shapely.box(*box) for box in KNOWN[0]["every"]],
    }
    return Town(Box, THINGS, fixed)


NO_TIME = seconds(0)
SPANS = st.sampled_from([seconds(1), seconds(2), seconds(5), seconds(10), seconds(0.5)])
NUMBERS = st.sampled_from([0.0, 1.0, 2.0, 3.0])
PLACES = st.sampled_from([Box.zone, Box.yard.fence, every(Yard.fence)])


LIVE = st.sampled_from([Box.level, Box.load, Box.level - Box.load, Box.level + Box.most])


@st.composite
def terms(draw: st.DrawFn, depth: int = 1) -> Term:
    kind = draw(st.integers(0, 8 if depth else 3))
    if kind < 4:
        plain: list[Any] = [Box.level, Box.load, Box.most, Box.yard.limit]
        term: Term = plain[kind]
        return term
    if kind < 7:
        one, other = draw(terms(depth - 1)), draw(terms(depth - 1))
        return (one + other, one - 2, one / other)[kind - 4]
    if kind == 7:
        return draw(LIVE).rate(per=draw(SPANS), within=draw(SPANS))
    return count(draw(simple(0)), within=draw(SPANS))


@st.composite
def simple(draw: st.DrawFn, depth: int = 1) -> Condition:
    kind = draw(st.integers(0, 9))
    if kind < 4:
        left, right = draw(terms(depth)), draw(st.one_of(NUMBERS, terms(depth)))
        return (left > right, left >= right, left < right, left <= right)[kind]
    if kind < 6:
        of, by, span = draw(LIVE), draw(NUMBERS), draw(SPANS)
        return of.rises(by, within=span) if kind == 4 else of.falls(by, within=span)
    if kind == 6:
        return draw(st.sampled_from([Box.level, Box.load])).jumps(draw(NUMBERS))
    if kind == 7:
        return Box.state.is_(*draw(st.sampled_from([("open",), ("open", "stuck")])))
    return Box.spot.inside(draw(PLACES)) if kind == 8 else Box.spot.outside(draw(PLACES))


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2, *, timed: bool = True) -> Condition:
    kind = draw(st.integers(0, 5 if depth else 1))
    if kind < 3:
        if timed and draw(st.booleans()):
            field = draw(st.sampled_from([None, Box.level, Box.load, Box.state]))
            return field.silent(draw(SPANS)) if field else silence(Box, draw(SPANS))
        return draw(simple())
    one = draw(conditions(depth - 1, timed=timed))
    if kind == 5:
        return ~one
    other = draw(conditions(depth - 1, timed=timed))
    return one & other if kind == 3 else one | other


def rule_of(when: Condition, hold: Duration = NO_TIME, release: Condition | None = None) -> type[Rule]:
    blanks = {"when": when, "hold": hold, "release": release, "basis": "none", "__doc__": "{id} is odd."}
    return type("odd", (Rule,), blanks)


@st.composite
def rules(draw: st.DrawFn, *, timed: bool = True) -> type[Rule]:
    hold = draw(st.sampled_from([seconds(0), seconds(0), seconds(1), seconds(3), seconds(7)]))
    release = draw(st.one_of(st.none(), conditions(1, timed=timed)))
    rule = rule_of(draw(conditions(timed=timed)), hold, release)
    note(f"{rule.when.words()} for {hold} until {'it is over' if release is None else release.words()}")
    return rule_of(Box.level > 1, hold, release) if rule.problems else rule


@dataclass(frozen=True)
class Report:
    """One reading of one thing, and how much later it comes."""

    slot: int
    field: int
    time: int
    value: float
    latitude: float
    delay: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        return self.slot, self.time, self.field


@st.composite
def reports(draw: st.DrawFn, longest: int = 40, until: int = 30) -> list[Report]:
    """Readings with different things, times and fields, sorted by time."""
    found: dict[tuple[int, int, int], Report] = {}
    for _ in range(draw(st.integers(0, longest))):
        slot, field = draw(st.sampled_from([0, 0, 0, 1, 2])), draw(st.integers(0, len(FIELDS) - 1))
        time = draw(st.integers(-5, until)) * SECOND + draw(st.sampled_from([0, 0, 0, 1, 500_000, 999_999]))
        numbers = [0.0, 1.0, 2.0] if FIELDS[field] == "state" else [-0.0, 0.0, 1.0, 2.0, 3.0, 3.0, float("nan")]
        value = draw(st.sampled_from(numbers))
        latitude = draw(st.sampled_from([0.0, 1.0, 2.0])) if FIELDS[field] == "spot" else float("nan")
        report = Report(slot, field, time, value, latitude, draw(st.sampled_from([0, 0, 1, 2, 3, 4, 6])) * SECOND)
        found[report.key] = report
    return sorted(found.values(), key=lambda r: r.time)


def lateness(report: Report) -> int:
    return Box.live()[FIELDS[report.field]].lateness.us


def columns(rows: Iterable[Report]) -> Readings:
    rows = list(rows)
    return Readings(
        np.array([r.slot for r in rows], np.intp),
        np.array([r.field for r in rows], np.int32),
        np.array([r.time for r in rows], np.int64),
        np.array([r.value for r in rows], np.float64),
        np.array([r.latitude for r in rows], np.float64),
    )


def judge(*some: type[Rule], here: Town | None = None) -> Judge:
    return Judge(Box, [Judged.of(rule) for rule in some], here or town())


def expected(rule: type[Rule], rows: Iterable[Report], ticked: int, here: Town | None = None) -> list[set[Alert]]:
    """By thing: the alerts it should have, given the good readings and how far the clock was followed."""
    rows = sorted(rows, key=lambda r: r.time)
    found = []
    for slot, known in enumerate(KNOWN):
        own = [(r.time, FIELDS[r.field], r.value, r.latitude) for r in rows if r.slot == slot]
        registered = here.since.get(slot, 0) if here else 0
        until = max([ticked, *(r[0] for r in own)])
        found.append(alerts(rule, Thing(own, known, registered), until))
    return found


def told(told_by: Alerts, rule: type[Rule] | None = None) -> list[set[Alert]]:
    return [told_by.of(slot, rule.key() if rule else "") for slot in range(THINGS)]


# -- a station with rules to read


class Air(Entity):
    """A station."""

    pm10 = Quantity("ug/m3", "dust")
    door = Choice("open", "shut", on_change=True)


class high(Rule):
    """{id} measures {pm10}."""

    when = Air.pm10 > 80
    hold = seconds(60)
    basis = "W1"


class quiet(Rule):
    """{id} is silent."""

    when = Air.pm10.silent(minutes(1))
    basis = "none"


class ajar(Rule):
    """{id} stands open."""

    when = Air.door.is_("open")
    hold = minutes(2)
    basis = "none"


def named(some: Sequence[type[Rule]]) -> list[type[Rule]]:
    for number, rule in enumerate(some):
        rule.__name__ = f"rule_{number}"
    return list(some)
