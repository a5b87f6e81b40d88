"""Vehicles of the invented city keep to its streets, and drive the same ways again when it is drawn again."""

import numpy as np
import pytest
import shapely

from cheng.demo.government.official_vehicles import Vehicles
from cheng.demo.network import PATH
from cheng.demo.plane import metres
from cheng.demo.routes import Streets
from cheng.demo.town import Town
from cheng.standards.durations import days, minutes
from cheng.testing import START

NEAR = 1.0
"""Metres, for the rounding of positions."""


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(3)


@pytest.fixture(scope="module")
def vehicles(town: Town) -> Vehicles:
    return Vehicles(town, 24)


def day(vehicles: Vehicles) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the vehicles, and where each is every four minutes of a day."""
    at = np.repeat(START + np.arange(360) * minutes(4).us, len(vehicles.ids))
    rows = np.tile(np.arange(len(vehicles.ids)), 360)
    return rows, np.stack(vehicles.values(rows, at)["position"], axis=1)


def driveable(town: Town) -> shapely.Geometry:
    network = town.network
    chosen = network.kind < PATH
    ends = np.stack([network.start[chosen], network.end[chosen]], axis=1)
    return shapely.multilinestrings(shapely.linestrings(metres(network.lon[ends], network.lat[ends])))


def off(town: Town, places: np.ndarray) -> float:
    """The most metres that a place is from a street."""
    lines = shapely.STRtree(shapely.get_parts(driveable(town)))
    points = shapely.points(metres(places[:, 0], places[:, 1]))
    return float(lines.query_nearest(points, return_distance=True, all_matches=False)[1].max())


def test_they_are_always_on_a_street_of_their_district(town: Town, vehicles: Vehicles) -> None:
    rows, places = day(vehicles)
    assert len(np.unique(places, axis=0)) > 400
    assert off(town, places) < NEAR
    for number, district in enumerate(town.districts):
        mine = places[rows % len(town.districts) == number]
        assert shapely.dwithin(district.shape, shapely.points(mine), 2e-3).all()


def test_one_that_leaves_its_district_keeps_to_the_streets_as_well(town: Town, vehicles: Vehicles) -> None:
    begin = START + days(2).us
    vehicles.begin(0, "away", begin)
    at = begin + np.arange(0, 110) * minutes(1).us
    places = np.stack(vehicles.values(np.zeros(110, np.intp), at)["position"], axis=1)
    assert off(town, places) < NEAR
    there = shapely.points(places[-1])
    assert not shapely.covers(town.districts[0].shape, there)
    steps = np.hypot(*np.diff(metres(places[:, 0], places[:, 1]), axis=0).T)
    assert steps.max() < 510


def test_the_same_seed_drives_the_same_ways(vehicles: Vehicles) -> None:
    again = Vehicles(Town(3), 24)
    np.testing.assert_array_equal(day(again)[1], day(vehicles)[1])


def test_a_way_is_no_longer_than_it_has_to_be(town: Town) -> None:
    streets = Streets(town.network)
    start, middle, end = streets.nodes[[0, 700, 1500]].tolist()
    one, other = streets.way(start, end), streets.way(end, start)
    assert one.length == pytest.approx(other.length)
    assert one.length <= streets.way(start, middle, end).length + 1e-6
    ends = metres(one.lon[[0, -1]], one.lat[[0, -1]])
    assert one.length >= np.hypot(*(ends[1] - ends[0]))
