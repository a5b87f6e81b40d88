"""A pump stalls at noon: the crew accepts the work order, mends it, and somebody else sees it pump."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cheng.apps.industry import oil_wells
from cheng.apps.industry.oil_wells import Well, liquid_produced, pressure_jump, pumping_again, shut_in_time, unheard
from cheng.standards.durations import minutes
from cheng.standards.problems import Refused
from cheng.testing import Town, city

CREW, ROOM = "Field crew 2", "Oilfield Control Room"
WELL = {"top_load": 62, "low_load": 24, "strokes": 4.2, "motor": 38, "tubing": 1.8, "casing": 0.9, "flow": 11}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, oil_wells) as town:
        town.register(Well, "well-7", name="Well Nan 7", crew=CREW, rated=45, lift="rod pump")
        town.reports("well-7", **WELL)
        town.passes(minutes(1))
        yield town


def test_a_stalled_pump_is_a_work_order_until_somebody_else_sees_it_pump(town: Town) -> None:
    town.keeps_reporting("well-7", minutes(6), strokes=0, motor=52, top_load=70, low_load=69)
    assert [(a.rule, a.level) for a in town.alerts()] == [("stalled", "danger")]
    case = town.case()
    assert case.case.departments == (CREW,)
    feng, yu = town.officer("Feng", CREW), town.officer("Yu", CREW)
    feng.completes(case)
    with pytest.raises(Refused, match="work sheet"):
        feng.completes(case, photo=True)
    town.passes(minutes(25))
    feng.completes(case, photo=True, proof=["work sheet"])
    town.reports("well-7", **WELL)
    assert town.alerts() == []
    with pytest.raises(Refused, match="earlier step"):
        feng.completes(case)
    yu.completes(case)
    assert town.cases() == []
    assert town.indicator(pumping_again) == 1.0


def test_a_pump_that_was_switched_off_is_not_stalled(town: Town) -> None:
    town.keeps_reporting("well-7", minutes(15), strokes=0, motor=0, top_load=0, low_load=0)
    assert town.alerts(over=True) == []


def test_a_load_that_does_not_swing_is_a_parted_rod(town: Town) -> None:
    town.keeps_reporting("well-7", minutes(11), top_load=30, low_load=26, strokes=4.2, motor=20)
    (alert,) = town.alerts()
    assert alert.text.startswith("The load of Well Nan 7 hardly swings any more (30 to 26 kN)")


def test_a_pressure_jump_is_shut_in_within_minutes(town: Town) -> None:
    town.reports("well-7", tubing=4)
    (case,) = town.cases()
    assert case.case.departments == (CREW, ROOM)
    town.passes(minutes(2))
    town.officer("Gao", ROOM).completes(case)
    assert town.case().case.departments == (CREW,)
    assert town.indicator(shut_in_time) == 1.0


def test_pressure_that_creeps_up_is_no_jump(town: Town) -> None:
    for pressure in (2.0, 2.6, 3.2, 3.8, 4.4):
        town.passes(minutes(5))
        town.reports("well-7", tubing=pressure)
    assert town.alerts(pressure_jump, over=True) == []


def test_the_limit_of_a_motor_is_its_own(town: Town) -> None:
    town.register(Well, "well-8", name="Well Nan 8", crew=CREW, rated=90)
    for _ in range(5):
        town.reports("well-7", motor=56)
        town.reports("well-8", motor=56)
        town.passes(minutes(1))
    assert [(a.rule, a.thing) for a in town.alerts()] == [("overloaded", "well-7")]


def test_a_silent_well_and_nonsense(town: Town) -> None:
    assert town.reports("well-7", strokes="many").refused[0].code == "bad-value"
    assert town.reports("well-7", tubing=900).marked == 1
    assert town.alerts() == []
    town.passes(minutes(30))
    assert [a.rule for a in town.alerts(unheard)] == ["unheard"]


def test_what_wells_bring_up_is_counted(town: Town) -> None:
    town.reports("well-7", flow=13)
    assert town.indicator(liquid_produced) == pytest.approx(12)
