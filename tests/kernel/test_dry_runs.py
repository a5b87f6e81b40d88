"""The numbers of a condition, and the same condition with another one."""

import pytest

from cheng import Entity, Quantity, Rule, count, minutes
from cheng.kernel.conditions import Compare, Either
from cheng.kernel.dry_runs import MOST, DryRun, Setting, constants, with_constant
from cheng.kernel.rules import Change


class Pump(Entity):
    """A pump."""

    flow = Quantity("m3/h", "what it moves")
    heat = Quantity("Cel", "its bearing")


class hot(Rule):
    """{id} is hot."""

    when = (Pump.heat > 80) & ~(Pump.flow * 2 < 10) | (count(Pump.heat > 60, within=minutes(5)) >= 3)
    basis = "Duty rules"


def test_the_numbers_stand_from_left_to_right() -> None:
    assert [c.number for c in constants(hot.when)] == [80, 2, 10, 60, 3]


def test_one_number_changes_and_nothing_else() -> None:
    old = constants(hot.when)[3]
    fresh = with_constant(hot.when, old, 65)
    assert [c.number for c in constants(fresh)] == [80, 2, 10, 65, 3]
    assert [c.number for c in constants(hot.when)] == [80, 2, 10, 60, 3]
    assert isinstance(hot.when, Either)
    assert isinstance(fresh, Either)
    assert fresh.left is hot.when.left  # what did not change is the same object
    assert fresh.words() == hot.when.words().replace("60", "65")


def test_a_number_of_another_condition_is_no_number_of_this_one() -> None:
    other = Pump.heat > 80
    assert isinstance(other, Compare)
    with pytest.raises(ValueError, match="no number"):
        with_constant(hot.when, constants(other)[0], 1)
    with pytest.raises(ValueError, match="5 numbers"):
        Setting(threshold=1, which=7).condition(hot)


def test_a_run_follows_what_the_judge_corrects() -> None:
    run = DryRun("test.hot", "heat > 80", 0)
    raised = Change("raised", "test.hot", 0, 100, 100, {"heat": 81.0})
    run.take([raised, Change("cleared", "test.hot", 0, 100, 300, {})], ["pump-1"])
    run.take([Change("moved", "test.hot", 0, 100, 90, {}), Change("reopened", "test.hot", 0, 90, 300, {})], ["pump-1"])
    (alert,) = run.alerts
    assert (alert.thing, alert.onset, alert.cleared) == ("pump-1", 90, None)
    run.take([Change("withdrawn", "test.hot", 0, 90, 100, {})], ["pump-1"])
    assert run.alerts == []


def test_a_run_with_far_too_many_alerts_stops() -> None:
    run = DryRun("test.hot", "heat > 0", 0)
    run.take((Change("raised", "test.hot", 0, n, n, {}) for n in range(MOST + 1)), ["pump-1"])
    assert run.stopped
