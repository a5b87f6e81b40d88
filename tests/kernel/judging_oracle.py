"""What alerts a thing should have: plain Python from the definitions, one moment after the other, no arrays.

A condition is True, False or None (not known). A thing is looked at whenever it reports and whenever a silence its
rule speaks of comes to pass; in between everything stays as it was, except that holds of timed rules elapse.
"""

import itertools
import math
import operator
from dataclasses import dataclass, field
from typing import Any

from cheng.kernel.conditions import Both, Compare, Condition, Either, Inside, Not, OneOf, Silent
from cheng.kernel.entities import Choice
from cheng.kernel.expressions import Arithmetic, Constant, Count, Field, Hop, Jump, Rate, Swing
from cheng.kernel.frames import Column
from cheng.kernel.rules import Rule

SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
Known = bool | None
Alert = tuple[int, int | None]
"""Onset and end."""


@dataclass
class Thing:
    """What one thing reported, (time, field name, value, latitude), and what the register says of it."""

    reports: list[tuple[int, str, float, float]]
    known: dict[Any, Any] = field(default_factory=dict)
    """fixed numbers and boxes by name; those of the thing referred to by (reference, name)"""
    registered: int = 0

    def of(self, name: str, until: int) -> list[tuple[int, str, float, float]]:
        return [r for r in self.reports if r[1] == name and r[0] <= until]

    def times(self, names: set[str], after: int, until: int) -> list[int]:
        return sorted({r[0] for r in self.reports if r[1] in names and after < r[0] <= until})


def names(of: Column | Condition) -> set[str]:
    return {f.name for f in of.fields()}


def known(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def value(term: Column, thing: Thing, now: int) -> float | None:
    """The term's number at a moment; None when it is not known."""
    if isinstance(term, Constant):
        return term.number
    if isinstance(term, Hop):
        return known(thing.known[term.ref.name, term.field.name])
    if isinstance(term, Field):
        earlier = thing.of(term.name, now)
        return known(earlier[-1][2] if earlier else math.nan) if term.live else known(thing.known[term.name])
    return EARLIER[type(term)](term, thing, now)


def jump(term: Jump, thing: Thing, now: int) -> float | None:
    earlier = thing.of(term.of.name, now)
    if len(earlier) < 2 or earlier[-1][0] != now:
        return None
    return known(abs(earlier[-1][2] - earlier[-2][2]))


def counted(term: Count, thing: Thing, now: int) -> float:
    times = thing.times(names(term.condition), now - term.span.us, now)
    return float(sum(holds(term.condition, thing, t) is True for t in times))


def rate(term: Rate, thing: Thing, now: int) -> float | None:
    seen = reported(term, thing, now)
    if len(seen) < 2:
        return None
    (first, low), (last, high) = seen[0], seen[-1]
    return (high - low) * (term.per.us / (last - first))


def arithmetic(term: Arithmetic, thing: Thing, now: int) -> float | None:
    left, right = value(term.left, thing, now), value(term.right, thing, now)
    if left is None or right is None or (term.sign == "/" and right == 0):
        return None
    signs = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
    result = signs[term.sign](left, right)
    return None if math.isinf(result) else known(result)


def reported(term: Swing | Rate, thing: Thing, now: int) -> list[tuple[int, float]]:
    """Time and value of each report within the time."""
    times = thing.times(names(term.of), now - term.span.us, now)
    found = [(t, value(term.of, thing, t)) for t in times]
    return [(t, v) for t, v in found if v is not None]


def swing(term: Swing, thing: Thing, now: int) -> float | None:
    values = [v for _, v in reported(term, thing, now)]
    if isinstance(term.of, Field) and term.of.on_change:
        stood = value(term.of, thing, now - term.span.us)
        values = [v for v in (stood, *values, value(term.of, thing, now)) if v is not None]
        if value(term.of, thing, now) is None:
            return None
    if not values:
        return None
    return values[-1] - min(values) if term.sign > 0 else max(values) - values[-1]


EARLIER: dict[type, Any] = {Arithmetic: arithmetic, Jump: jump, Count: counted, Rate: rate, Swing: swing}


def holds(condition: Condition, thing: Thing, now: int) -> Known:
    match condition:
        case Compare():
            left, right = value(condition.left, thing, now), value(condition.right, thing, now)
            return None if left is None or right is None else SIGNS[condition.sign](left, right)
        case OneOf():
            code = value(condition.label, thing, now)
            assert isinstance(condition.field, Choice)
            return None if code is None else code in [condition.field.options.index(o) for o in condition.options]
        case Inside():
            return inside(condition, thing, now)
        case Silent():
            return now - heard(condition, thing, now) >= condition.span.us
        case Not():
            of = holds(condition.of, thing, now)
            return None if of is None else not of
        case Both():
            sides = {holds(condition.left, thing, now), holds(condition.right, thing, now)}
            return False if False in sides else None if None in sides else True
        case Either():
            sides = {holds(condition.left, thing, now), holds(condition.right, thing, now)}
            return True if True in sides else None if None in sides else False
    raise TypeError(condition)


def inside(condition: Inside, thing: Thing, now: int) -> Known:
    place = condition.place
    boxes = thing.known["every"] if place.every else [thing.known[place.ref.name if place.ref else place.field.name]]
    earlier = thing.of(condition.position.name, now)
    _, _, x, y = earlier[-1] if earlier else (0, "", math.nan, math.nan)
    if math.isnan(x) or math.isnan(y) or boxes == [None]:
        return None
    return any(west <= x <= east and south <= y <= north for west, south, east, north in boxes)


def heard(silence: Silent, thing: Thing, now: int) -> int:
    """When the thing last reported any of the fields; not before its registration."""
    return max([thing.registered, *(r[0] for f in silence.of for r in thing.of(f.name, now))])


def moments(rule: type[Rule], thing: Thing, until: int) -> list[int]:
    """When the thing has to be looked at."""
    found = {r[0] for r in thing.reports}
    for silence in rule.silences():
        marks = sorted({heard(silence, thing, t) for t in [-(10**18), *found]})
        ends = [*marks[1:], until + 1]
        found = found | {t + silence.span.us for t, end in zip(marks, ends, strict=True) if t + silence.span.us < end}
    return sorted(t for t in found if t <= until)


def alerts(rule: type[Rule], thing: Thing, until: int) -> set[Alert]:
    """The alerts of a thing, given that the clock ran up to `until`."""
    found: set[Alert] = set()
    since = onset = None
    looks = moments(rule, thing, until)
    for now, following in itertools.pairwise([*looks, until + 1]):
        when = holds(rule.when, thing, now)
        over = when is False if rule.release is None else holds(rule.release, thing, now) is True
        if over and onset is not None:
            found.add((onset, now))
            onset = None
        if when is not True or over:
            since = None
            continue
        since = now if since is None else since
        elapsed = now - since >= rule.hold.us or (rule.is_timed() and since + rule.hold.us < following)
        if elapsed and onset is None:
            onset = since
    return found if onset is None else found | {(onset, None)}
