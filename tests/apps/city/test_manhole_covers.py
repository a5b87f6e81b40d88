"""A cover tips in the night; the crew puts it back within the hour, and somebody else looks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cheng.apps.city import manhole_covers
from cheng.apps.city.manhole_covers import Cover, brimming, covers_heard, displaced, safe_in_time, unheard
from cheng.standards.durations import hours, minutes
from cheng.standards.problems import InputError, Refused
from cheng.testing import Town, city


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, manhole_covers) as town:
        town.register(Cover, "cover-1", ward="North", depth=2.5, at=(106.55, 29.56))
        yield town


def test_a_displaced_cover_is_a_case_and_is_made_safe_within_the_hour(town: Town) -> None:
    town.reports("cover-1", tilt=2)
    town.passes(minutes(1))
    town.keeps_reporting("cover-1", minutes(2), tilt=24)
    (alert,) = town.alerts()
    assert (alert.rule, alert.level) == ("displaced", "danger")
    assert alert.text == "Cover cover-1 in North is tipped by 24 degrees."
    case = town.case()
    assert case.case.departments == ("North drainage crew",)

    zhang = town.officer("Zhang", department="North drainage crew")
    zhang.takes(case)
    town.passes(minutes(4))
    zhang.completes(case)
    with pytest.raises(Refused, match="asks for evidence"):
        zhang.completes(town.case())
    town.passes(minutes(30))
    zhang.completes(case, photo=True)

    li = town.officer("Li", department="North drainage crew")
    with pytest.raises(Refused, match="earlier step"):
        zhang.completes(case)
    with pytest.raises(Refused):
        li.completes(case)  # it is still tipped
    town.reports("cover-1", tilt=1)
    assert town.alerts() == []
    li.completes(case)

    assert town.cases() == []
    assert town.cases(state="closed")[0].case.closed == town.clock.now()
    assert town.indicator(safe_in_time) == 1.0
    assert town.indicator(covers_heard) == 1.0


def test_what_comes_too_late_counts_as_late(town: Town) -> None:
    town.keeps_reporting("cover-1", minutes(2), tilt=30)
    wang = town.officer("Wang", department="North drainage crew")
    wang.completes(town.case())
    town.passes(hours(2))
    wang.completes(town.case(), photo=True)
    assert town.indicator(safe_in_time) == 0.0


@pytest.mark.parametrize("tilt", [0, 5, 14.9, 15])
def test_a_cover_that_lies_about_flat_is_no_alarm(town: Town, tilt: float) -> None:
    town.keeps_reporting("cover-1", minutes(10), tilt=tilt)
    assert town.alerts(over=True) == []


def test_a_passing_wheel_is_no_displaced_cover(town: Town) -> None:
    town.reports("cover-1", tilt=60)
    town.passes(minutes(1))
    town.reports("cover-1", tilt=1)
    town.passes(minutes(5))
    town.reports("cover-1", tilt=1)
    assert town.alerts(over=True) == []


def test_half_lifted_is_not_back(town: Town) -> None:
    town.keeps_reporting("cover-1", minutes(2), tilt=40)
    town.reports("cover-1", tilt=10)
    assert [alert.rule for alert in town.alerts()] == ["displaced"]


def test_one_downpour_is_one_case(town: Town) -> None:
    town.register(Cover, "cover-2", ward="North", depth=2.5, at=(106.551, 29.561))
    for _ in range(6):
        town.reports("cover-1", water=2.3)
        town.reports("cover-2", water=2.4)
        town.passes(minutes(1))
    assert len(town.alerts(brimming)) == 2
    assert town.case().case.alerts == 2


def test_water_is_measured_against_the_shaft(town: Town) -> None:
    town.register(Cover, "deep", ward="North", depth=8)
    town.keeps_reporting("deep", minutes(10), water=2.4)
    assert town.alerts() == []


def test_a_silent_sensor_is_found_without_a_word_from_it(town: Town) -> None:
    town.reports("cover-1", tilt=1)
    town.passes(hours(5))
    assert town.alerts(unheard) == []
    town.passes(hours(1))
    assert [alert.thing for alert in town.alerts(unheard)] == ["cover-1"]
    town.reports("cover-1", tilt=1)
    assert town.alerts(unheard) == []


def test_nonsense_is_refused_with_its_reason_and_raises_nothing(town: Town) -> None:
    receipt = town.sends(
        b'{"id":"cover-1","attr":"tilt","time":1795132800,"value":"steep"}\n'
        b"not json\n"
        b'{"id":"cover-1","attr":"tilt","time":"yesterday","value":20}\n'
        b'{"id":"cover-1","attr":"tilt","time":1795132800,"value":3}'
    )
    assert receipt.accepted == 1
    assert [error.line for error in receipt.refused] == [1, 2, 3]
    assert "number in deg" in receipt.refused[0].reason
    assert len(town.refused()) == 3
    marked = town.reports("cover-1", tilt=400)
    assert marked.marked == 1
    town.passes(minutes(3))
    assert town.reports("cover-1", tilt=400).marked == 1
    assert town.alerts(over=True) == []


def test_a_register_entry_has_to_make_sense(town: Town) -> None:
    with pytest.raises(InputError, match="has to lie between"):
        town.register(Cover, "cover-9", ward="North", depth=-1)
    with pytest.raises(InputError, match="did you mean 'ward'"):
        town.register(Cover, "cover-9", wards="North")


def test_what_was_found_is_there_after_a_restart(town: Town) -> None:
    town.keeps_reporting("cover-1", minutes(2), tilt=24)
    town.restarts()
    town.passes(minutes(1))
    assert [alert.rule for alert in town.alerts()] == ["displaced"]
    town.reports("cover-1", tilt=1)
    assert town.alerts(displaced) == []
