"""Gas gathers in a tank: the warning comes in stages, and nobody closes the case without a gas reading."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cheng.apps.city import septic_tanks
from cheng.apps.city.septic_tanks import Tank, gas_rising, secured_in_time, unheard
from cheng.standards.durations import hours, minutes
from cheng.standards.problems import Refused
from cheng.testing import Town, city

SANITATION, FIRE = "North sanitation crew", "North fire station"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, septic_tanks) as town:
        town.register(Tank, "tank-1", name="Tank at Willow Lane 3", district="North", depth=4)
        yield town


def test_gas_is_secured_ventilated_and_measured_again_by_somebody_else(town: Town) -> None:
    town.keeps_reporting("tank-1", minutes(3), methane=12, h2s=2, level=1)
    assert [(a.rule, a.level) for a in town.alerts()] == [("gas_warning", "warning")]
    assert town.cases() == []  # the first stage is for the monitoring room alone

    town.passes(minutes(15))
    town.keeps_reporting("tank-1", minutes(2), methane=30, h2s=2, level=1)
    assert [a.rule for a in town.alerts()] == ["gas_warning", "gas_danger"]
    case = town.case()
    assert case.case.departments == (SANITATION,)

    zhao, qian = town.officer("Zhao", SANITATION), town.officer("Qian", SANITATION)
    zhao.completes(case, photo=True)
    with pytest.raises(Refused, match="gas reading"):
        zhao.completes(case, photo=True)
    town.passes(minutes(40))
    zhao.completes(case, photo=True, proof=["gas reading"])

    town.reports("tank-1", methane=15, h2s=2)
    with pytest.raises(Refused):
        qian.completes(case)
    town.passes(minutes(10))
    town.reports("tank-1", methane=4, h2s=1)
    with pytest.raises(Refused, match="earlier step"):
        zhao.completes(case)
    qian.completes(case)
    assert town.cases() == []
    assert town.alerts() == []
    assert town.indicator(secured_in_time) == 1.0


def test_an_explosive_mixture_calls_sanitation_and_fire_brigade_at_once(town: Town) -> None:
    town.reports("tank-1", methane=60)
    case = next(case for case in town.cases() if case.entry.flow == "septic_tanks.evacuate")
    assert case.case.departments == (SANITATION, FIRE)
    assert case.entry.level == "emergency"
    town.officer("Sun", FIRE).takes(case)
    with pytest.raises(Refused):
        town.officer("Zhou", SANITATION).completes(case)


def test_the_stages_have_deadbands(town: Town) -> None:
    town.keeps_reporting("tank-1", minutes(3), methane=10)
    for methane in (8, 10, 7.5, 11, 7):
        town.passes(minutes(3))
        town.reports("tank-1", methane=methane)
    assert [a.rule for a in town.alerts(over=True)] == ["gas_warning"]
    town.passes(minutes(3))
    town.reports("tank-1", methane=6.9)
    assert town.alerts() == []


def test_a_rise_is_told_before_any_limit_is_reached(town: Town) -> None:
    for methane in (0, 3, 5, 9.9):
        town.reports("tank-1", methane=methane)
        town.passes(minutes(3))
    assert town.alerts() == []
    town.reports("tank-1", methane=13.5)
    assert [a.rule for a in town.alerts(gas_rising)] == ["gas_rising"]


def test_a_slow_rise_and_a_puff_are_no_alarms(town: Town) -> None:
    for methane in (0, 3, 6, 9):
        town.reports("tank-1", methane=methane)
        town.passes(minutes(10))
    town.reports("tank-1", h2s=12)
    town.passes(minutes(2))
    town.reports("tank-1", h2s=3)
    town.passes(minutes(5))
    town.reports("tank-1", h2s=3)
    assert town.alerts(over=True) == []


def test_a_full_tank_is_pumped_out_with_a_gas_reading(town: Town) -> None:
    town.keeps_reporting("tank-1", minutes(10), every=minutes(5), level=3.7)
    case = town.case()
    assert case.entry.flow == "septic_tanks.empty_out"
    zhao = town.officer("Zhao", SANITATION)
    with pytest.raises(Refused, match="gas reading"):
        zhao.completes(case, photo=True)
    zhao.completes(case, photo=True, proof=["gas reading"])
    town.reports("tank-1", level=0.5)
    town.passes(minutes(1))
    town.reports("tank-1", level=0.4)
    town.officer("Qian", SANITATION).completes(case)
    assert town.cases() == []


def test_a_tank_that_is_not_watched_is_an_alarm_itself(town: Town) -> None:
    town.reports("tank-1", methane=0)
    town.passes(hours(1))
    assert [a.rule for a in town.alerts(unheard)] == ["unheard"]
    assert town.case().case.departments == (SANITATION,)


def test_a_sensor_beyond_its_range_warns_nobody_and_is_marked(town: Town) -> None:
    assert town.reports("tank-1", methane=140).marked == 1
    assert town.reports("tank-1", h2s=-5).marked == 1
    assert town.reports("tank-1", gas=5).accepted == 1  # nobody declared it: kept and marked
    assert town.alerts(over=True) == []
