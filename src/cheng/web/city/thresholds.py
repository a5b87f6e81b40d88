"""Where a rule draws its line: the numbers that a field is compared with, for one thing."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from cheng.infrastructure.registration import Thing
from cheng.kernel.conditions import Both, Compare, Condition, Either, Not
from cheng.kernel.frames import Blank, Column
from cheng.kernel.rules import Rule
from cheng.kernel.stretches import Readings, Stretch


class Line(NamedTuple):
    """A threshold of a rule."""

    rule: type[Rule]
    value: float
    release: bool
    """whether it ends the alert rather than begins it"""


def comparisons(condition: Condition) -> Iterator[Compare]:
    """Every comparison in a condition."""
    if isinstance(condition, Compare):
        yield condition
    elif isinstance(condition, (Both, Either)):
        yield from comparisons(condition.left)
        yield from comparisons(condition.right)
    elif isinstance(condition, Not):
        yield from comparisons(condition.of)


def fixed_side(compare: Compare, field: Blank) -> Column | None:
    """What a field is compared with, when that does not move with what things report."""
    for here, there in ((compare.left, compare.right), (compare.right, compare.left)):
        if here is field and not any(True for _ in there.fields()):
            return there
    return None


def lines(hub: Any, thing: Thing, field: Blank) -> Iterator[Line]:
    """The thresholds of all rules for a field of one thing, those that depend on its register entry worked out."""
    judge = hub.judges.by_type.get(thing.type)
    if judge is None or thing.slot >= judge.now.value.shape[1]:
        return
    for rule in hub.model.rules_about(judge.entity):
        for condition, release in ((rule.when, False), (rule.release, True)):
            for compare in comparisons(condition) if condition is not None else ():
                side = fixed_side(compare, field)
                value = None if side is None else number_for(judge, thing, side)
                if value is not None:
                    yield Line(rule, value, release)


def number_for(judge: Any, thing: Thing, column: Column) -> float | None:
    """A term over the register, for one thing; None when it cannot be known."""
    moment = Readings.moments(np.array([thing.slot]), np.array([0]))
    try:
        value = float(column.values(Stretch(moment, judge.now, judge.register))[0])
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None
