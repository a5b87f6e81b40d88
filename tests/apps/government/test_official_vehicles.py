"""A vehicle leaves its district without an order: the bureau explains, the vehicle office judges."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cheng.apps.government import official_vehicles
from cheng.apps.government.official_vehicles import (
    Vehicle,
    explain,
    explained_in_time,
    odd_uses,
    office_hours,
    out_of_hours,
)
from cheng.kernel.house import Area
from cheng.standards.durations import days, hours, minutes
from cheng.standards.problems import Refused
from cheng.testing import Town, city

OFFICE, BUREAU = "Vehicle Management Office", "Water Bureau"
SQUARE = {"type": "Polygon", "coordinates": [[[106, 29], [107, 29], [107, 30], [106, 30], [106, 29]]]}
EAST = {"type": "Polygon", "coordinates": [[[107, 29], [108, 29], [108, 30], [107, 30], [107, 29]]]}
HOME, AWAY = [106.5, 29.5], [107.5, 29.5]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, official_vehicles) as town:
        town.register(Area, "district", name="North", level="district", at=SQUARE)
        town.register(Area, "east", name="East", level="district", at=EAST)
        town.register(
            Vehicle,
            "car-1",
            plate="A·01234",
            bureau=BUREAU,
            approved="district",
            hours_of_use="office hours",
            limit=100,
        )
        town.reports("car-1", position=HOME, speed=0)
        town.passes(minutes(1))
        yield town


def test_a_trip_out_of_the_area_is_explained_and_judged(town: Town) -> None:
    town.keeps_reporting("car-1", minutes(5), position=AWAY, speed=60)
    (alert,) = town.alerts()
    assert alert.text == "A·01234 of Water Bureau has left the area it is approved for."
    case = town.case()
    assert case.case.departments == (OFFICE,)
    tang, song = town.officer("Tang", OFFICE), town.officer("Song", OFFICE)
    tang.completes(case)
    assert town.case().case.departments == (BUREAU,)
    town.passes(days(3))  # Friday to Monday: one working day
    town.officer("Cao", BUREAU).completes(case, reason="Flood meeting in East; the order was late.")
    with pytest.raises(Refused, match="earlier step"):
        tang.completes(case)
    song.completes(case)
    assert town.cases(explain) == []
    assert town.indicator(explained_in_time, past=days(5)) == 1.0


def test_an_order_approves_another_area(town: Town) -> None:
    town.register(Vehicle, "car-1", approved="east")
    town.keeps_reporting("car-1", minutes(10), position=AWAY, speed=60)
    assert town.alerts(over=True) == []


def test_a_short_cut_through_the_neighbour_is_no_matter(town: Town) -> None:
    town.keeps_reporting("car-1", minutes(3), position=AWAY, speed=50)
    town.passes(minutes(1))
    town.reports("car-1", position=HOME)
    town.keeps_reporting("car-1", minutes(5), position=HOME)
    assert town.alerts(over=True) == []


def test_driving_on_sunday_is_asked_about_and_counted(town: Town) -> None:
    town.is_at(10, on=date(2026, 11, 22))
    town.works(office_hours)
    town.keeps_reporting("car-1", minutes(4), position=HOME, speed=45)
    assert [a.rule for a in town.alerts()] == ["out_of_hours"]
    assert town.indicator(odd_uses) == 1
    town.is_at(9, on=date(2026, 11, 23))
    town.works(office_hours)
    assert town.alerts(out_of_hours) == []


def test_at_work_and_around_the_clock_nobody_asks(town: Town) -> None:
    town.register(Vehicle, "fire-1", plate="A·119", bureau="Fire Brigade", hours_of_use="around the clock", limit=110)
    town.works(office_hours)
    town.keeps_reporting("car-1", minutes(5), position=HOME, speed=60)
    town.is_at(3)
    town.works(office_hours)
    town.keeps_reporting("fire-1", minutes(5), position=HOME, speed=80)
    assert town.alerts(over=True) == []


def test_speeding_is_a_word_with_the_driver(town: Town) -> None:
    town.keeps_reporting("car-1", minutes(2), position=HOME, speed=118)
    assert town.case().entry.flow == "official_vehicles.remind"
    assert town.case().case.departments == (BUREAU,)


def test_a_tracker_that_talks_nonsense(town: Town) -> None:
    assert "[longitude, latitude]" in town.reports("car-1", position=12).refused[0].reason
    assert town.reports("car-1", position=[500, 12]).refused[0].code == "bad-value"
    assert town.reports("car-1", speed=999).marked == 1
    town.passes(hours(1))
    assert town.alerts(over=True) == []
