"""Night falls: the lamps go on, dim after eleven, and the one that stays dark is mended before the next night."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cheng.apps.city import street_lamps
from cheng.apps.city.street_lamps import (
    Cabinet,
    Lamp,
    burning_by_day,
    dark,
    lamps_sensed,
    mend,
    mended_in_time,
    plan,
    unheard,
)
from cheng.standards.durations import hours, minutes
from cheng.standards.problems import Refused
from cheng.testing import Town, city

CREW = "North lighting crew"
HERE = (106.55, 29.56)
NIGHT = {"dim_from": 23, "dim_to": 5, "dim_level": 40}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, street_lamps) as town:
        town.register(Cabinet, "cab-1", district="North", mode="schedule", at=HERE, **NIGHT)
        for n in (1, 2):
            town.register(
                Lamp, f"lamp-{n}", name=f"Lamp {n}", district="North", road="River Road", cabinet="cab-1", at=HERE
            )
            town.reports(f"lamp-{n}", level=0, current=0, power=0)
        yield town


def lamp_obeys(town: Town, thing: str = "lamp-1", current: float = 0.6) -> None:
    """The lamp does what it was told last, and says so."""
    _, arguments = town.told(thing)[-1]
    level = arguments["level"]
    town.passes(minutes(1))
    town.reports(thing, level=level, current=current * level / 100)


def test_lamps_follow_the_sun_and_the_clock_and_are_told_only_what_changes(town: Town) -> None:
    town.is_at(12)
    town.works(plan)
    assert town.told("lamp-1") == []  # it is day, and they are off
    town.is_at(19)
    town.works(plan)
    assert town.told("lamp-1") == [("dim", {"level": 100.0})]
    lamp_obeys(town)
    town.works(plan)
    assert len(town.told("lamp-1")) == 1
    assert len(town.told("lamp-2")) == 2  # it has not answered, so it is told again
    town.is_at(23.5)
    town.works(plan)
    assert town.told("lamp-1")[-1] == ("dim", {"level": 40.0})
    lamp_obeys(town)
    town.is_at(6)
    town.works(plan)
    assert town.told("lamp-1")[-1] == ("dim", {"level": 100.0})
    lamp_obeys(town)
    town.is_at(9)
    town.works(plan)
    assert town.told("lamp-1")[-1] == ("dim", {"level": 0.0})


def test_a_dark_afternoon_lights_those_that_go_by_measured_light(town: Town) -> None:
    town.register(Cabinet, "cab-1", mode="daylight", on_below=30)
    town.is_at(14)
    town.reports("cab-1", light=18)
    town.works(plan)
    assert town.told("lamp-1") == [("dim", {"level": 100.0})]
    lamp_obeys(town)
    town.reports("cab-1", light=40)  # a gap in the clouds
    town.works(plan)
    assert len(town.told("lamp-1")) == 1
    town.passes(minutes(1))
    town.reports("cab-1", light=400)
    town.works(plan)
    assert town.told("lamp-1")[-1] == ("dim", {"level": 0.0})


def test_what_people_work_by_hand_is_left_alone(town: Town) -> None:
    town.register(Cabinet, "cab-1", mode="by hand")
    town.is_at(22)
    town.works(plan)
    assert town.told("lamp-1") == []


def test_a_dark_street_is_one_case_and_is_mended_within_a_day(town: Town) -> None:
    town.is_at(20, on=date(2026, 11, 20))
    for _ in range(11):
        town.reports("lamp-1", level=100, current=0)
        town.reports("lamp-2", level=100, current=0)
        town.passes(minutes(1))
    assert len(town.alerts(dark)) == 2
    (case,) = (case for case in town.cases(mend) if case.entry.rule == dark.key())
    assert case.case.alerts == 2
    assert case.case.departments == (CREW,)
    qin, you = town.officer("Qin", CREW), town.officer("You", CREW)
    qin.completes(case)
    town.passes(hours(10))
    qin.completes(case, photo=True)
    assert town.alerts(dark) != []  # by day a broken lamp is still broken
    town.is_at(20)
    for n in (1, 2):
        town.reports(f"lamp-{n}", level=100, current=0.6)
    with pytest.raises(Refused, match="earlier step"):
        qin.completes(case)
    you.completes(case)
    assert town.alerts() == []
    assert {case.entry.rule for case in town.cases(mend)} == {unheard.key()}  # nobody had heard of them all day
    assert town.indicator(mended_in_time, past=hours(48)) == 1.0
    assert town.indicator(lamps_sensed) == 1.0


def test_a_lamp_that_is_off_and_draws_nothing_is_in_order(town: Town) -> None:
    town.keeps_reporting("lamp-1", minutes(30), every=minutes(5), level=0, current=0.01)
    town.keeps_reporting("lamp-2", minutes(30), every=minutes(5), level=40, current=0.24)
    assert town.alerts(over=True) == []


def test_a_lamp_that_burns_by_day(town: Town) -> None:
    town.keeps_reporting("lamp-1", minutes(20), every=minutes(4), level=0, current=0.6)
    assert [a.rule for a in town.alerts(burning_by_day)] == ["burning_by_day"]


def test_a_live_pole_is_an_emergency_and_is_cut_off_with_a_photo(town: Town) -> None:
    town.keeps_reporting("lamp-1", minutes(1), leakage=80)
    case = town.case()
    assert (case.entry.flow, case.entry.level) == ("street_lamps.isolate", "emergency")
    qin = town.officer("Qin", CREW)
    with pytest.raises(Refused, match="asks for evidence"):
        qin.completes(case)
    qin.completes(case, photo=True)
    assert town.case().case.step == "mend"


def test_a_silent_lamp_and_one_that_talks_nonsense(town: Town) -> None:
    assert town.reports("lamp-1", level="full").refused[0].code == "bad-value"
    assert town.reports("lamp-1", level=300).marked == 1
    town.passes(hours(2))
    assert {a.thing for a in town.alerts(unheard)} == {"lamp-1", "lamp-2"}
    assert len(town.cases()) == 1
