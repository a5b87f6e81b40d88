"""A door opens while nobody is at home: the property office and the police know at once, one of them goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cheng.apps.livelihood import home_safety
from cheng.apps.livelihood.home_safety import Button, Household, Panic, answered_in_time, intrusion, restless
from cheng.standards.durations import hours, minutes
from cheng.standards.problems import Refused
from cheng.testing import Town, city

PROPERTY, POLICE = "Lotus Court property office", "Riverside police station"
PLACE = {"compound": "Lotus Court", "station": "Riverside", "flat": "3-1-502"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, home_safety) as town:
        town.register(Household, "home-1", name="Home 17", residents="Mrs Wu", **PLACE)
        town.register(Button, "b-1", name="Button 4", wearer="Mr Chen", **PLACE)
        town.reports("home-1", armed="disarmed", door="shut", window="shut", gas=0)
        town.passes(minutes(1))
        yield town


def test_a_break_in_is_on_both_desks_at_once_and_one_of_them_goes(town: Town) -> None:
    town.reports("home-1", armed="armed")
    town.passes(hours(1))
    town.reports("home-1", door="opened")
    (alert,) = town.alerts()
    assert (alert.rule, alert.level) == ("intrusion", "emergency")
    assert alert.text == "A door or window of Home 17 in Lotus Court was opened while the alarm was set."
    assert "3-1-502" not in alert.text
    case = town.case()
    assert case.case.departments == (PROPERTY, POLICE)

    guard, officer = town.officer("Liu", PROPERTY), town.officer("Ma", POLICE)
    town.passes(minutes(1))
    guard.takes(case)
    guard.completes(case)
    guard.takes(case)
    with pytest.raises(Refused):
        officer.completes(case, photo=True)  # it is with the property office
    town.passes(minutes(10))
    guard.completes(case, photo=True)
    with pytest.raises(Refused, match="earlier step"):
        guard.completes(case)
    town.officer("He", PROPERTY).completes(case)
    assert town.cases() == []
    town.reports("home-1", armed="disarmed")
    assert town.alerts() == []
    assert town.indicator(answered_in_time) == 1.0


def test_whoever_is_at_home_may_open_doors(town: Town) -> None:
    for state in ("opened", "shut", "opened"):
        town.reports("home-1", door=state, window=state)
        town.passes(minutes(1))
    assert town.alerts(over=True) == []


def test_setting_the_alarm_with_a_window_open_is_told(town: Town) -> None:
    town.reports("home-1", window="opened")
    town.passes(minutes(1))
    town.reports("home-1", armed="armed")
    assert [alert.rule for alert in town.alerts()] == ["intrusion"]


def test_a_gas_leak_is_an_emergency_until_the_air_is_clear(town: Town) -> None:
    town.reports("home-1", gas=12)
    town.passes(minutes(1))
    town.reports("home-1", gas=6)
    assert [alert.rule for alert in town.alerts()] == ["gas_leak"]
    town.passes(minutes(1))
    town.reports("home-1", gas=1)
    assert town.alerts() == []


def test_a_pressed_button_calls_both_and_says_where_to_go(town: Town) -> None:
    receipt = town.happens(Panic, button="b-1", way="pressed")
    assert receipt.accepted == 1
    case = town.case()
    assert case.case.departments == (PROPERTY, POLICE)
    assert case.case.values["flat"] == "3-1-502"
    assert [alert.rule for alert in town.alerts()] == ["panic"]
    town.passes(minutes(5))
    town.officer("Liu", PROPERTY).completes(case)
    assert town.indicator(answered_in_time) == 0.0  # two minutes late


def test_what_is_no_call_for_help_is_refused(town: Town) -> None:
    assert "one of pressed" in town.happens(Panic, button="b-1", way="kicked").refused[0].reason
    assert "is missing" in town.happens(Panic, way="pressed").refused[0].reason
    assert town.reports("home-1", door="ajar").refused[0].code == "bad-value"
    assert town.alerts(over=True) == []


def test_a_door_that_never_rests_is_worth_a_word(town: Town) -> None:
    for _ in range(21):
        town.reports("home-1", door="opened")
        town.passes(minutes(1))
        town.reports("home-1", door="shut")
        town.passes(minutes(1))
    assert [alert.level for alert in town.alerts(restless, over=True)] == ["notice"]
    assert town.cases() == []


def test_homes_are_not_public(town: Town) -> None:
    assert not Household.public
    assert not Button.public
    assert not Panic.public
    levels = {name: field.level for name, field in Household.fields().items()}
    assert {levels[name] for name in ("flat", "residents", "armed", "door", "window")} == {"sensitive"}
    assert not {name for name in intrusion.text_blanks() if levels.get(name) == "sensitive"}
