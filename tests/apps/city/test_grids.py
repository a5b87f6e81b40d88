"""A worker leaves the grid while on duty: the station calls, a neighbour covers the grid."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cheng.apps.city import grids
from cheng.apps.city.grids import GridWorker, cover_grid, covered_in_time, left_grid
from cheng.kernel.house import Area
from cheng.standards.durations import hours, minutes
from cheng.testing import Town, city

STATION = "Old Town grid station"
SQUARE = {"type": "Polygon", "coordinates": [[[106, 29], [106.01, 29], [106.01, 29.01], [106, 29.01], [106, 29]]]}
HOME, AWAY = [106.005, 29.005], [106.02, 29.005]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, grids) as town:
        town.register(Area, "grid-7", name="Grid 7", level="grid", code="509901001001007", at=SQUARE)
        town.register(GridWorker, "worker-1", name="Zhou", street="Old Town", grid="grid-7")
        town.reports("worker-1", position=HOME, duty="on duty")
        yield town


def test_a_grid_left_alone_is_covered(town: Town) -> None:
    town.keeps_reporting("worker-1", minutes(35), position=AWAY, duty="on duty")
    (alert,) = town.alerts(left_grid)
    assert alert.text == "Zhou of Old Town has been outside of the grid for half an hour while on duty."
    case = town.case(cover_grid)
    assert case.case.departments == (STATION,)
    town.officer("Shen", STATION).completes(case)
    town.passes(hours(1))
    town.officer("Shen", STATION).completes(town.case(cover_grid))
    assert town.cases(cover_grid) == []
    assert town.indicator(covered_in_time) == 1.0


def test_an_errand_of_a_quarter_of_an_hour_is_nobodys_business(town: Town) -> None:
    town.keeps_reporting("worker-1", minutes(15), position=AWAY, duty="on duty")
    town.keeps_reporting("worker-1", minutes(30), position=HOME, duty="on duty")
    assert town.alerts(over=True) == []


def test_who_is_off_duty_may_be_anywhere(town: Town) -> None:
    town.keeps_reporting("worker-1", hours(2), position=AWAY, duty="off duty")
    assert town.alerts(over=True) == []
