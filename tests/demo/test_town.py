"""The invented city is drawn without gaps or overlaps, and the same seed draws the same one."""

import numpy as np
import pytest
import shapely

from cheng.demo.town import DISTRICTS, Town


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(seed=7)


def test_it_has_districts_streets_and_communities(town: Town) -> None:
    assert [area.name for area in town.districts] == list(DISTRICTS)
    assert len(town.streets) == 18
    assert len(town.communities) >= 60
    names = [area.name for area in (*town.districts, *town.streets, *town.communities)]
    assert len(set(names)) == len(names)
    codes = [area.code for area in (*town.districts, *town.streets, *town.communities)]
    assert len(set(codes)) == len(codes)


def test_each_level_covers_the_city_once_and_without_a_gap(town: Town) -> None:
    whole = shapely.union_all([area.shape for area in town.districts])
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    for level in (town.districts, town.streets, town.communities):
        shapes = [area.shape for area in level]
        assert all(shape.is_valid for shape in shapes)
        assert sum(shape.area for shape in shapes) == pytest.approx(whole.area, rel=1e-6)
        assert shapely.union_all(shapes).area == pytest.approx(whole.area, rel=1e-6)


def test_every_area_lies_in_its_parent(town: Town) -> None:
    known = {area.id: area for area in (*town.districts, *town.streets)}
    for area in (*town.streets, *town.communities):
        assert shapely.difference(area.shape, known[area.parent].shape).area < area.shape.area * 1e-6
        assert area.code.startswith(known[area.parent].code)
        assert area.district in DISTRICTS


def test_roads_run_in_their_street_and_places_lie_in_their_area(town: Town) -> None:
    rng = np.random.default_rng(1)
    for road in town.roads[:20]:
        assert road.metres > 0
        assert shapely.distance(road.line, road.area.shape) == 0
    for area in town.communities[:10]:
        assert shapely.contains_xy(area.shape, *town.inside(area, rng))


def test_the_same_seed_draws_the_same_city(town: Town) -> None:
    assert list(Town(seed=7).things()) == list(town.things())
    assert list(Town(seed=8).things()) != list(town.things())


def test_it_rains_now_and_then(town: Town) -> None:
    hours = np.arange(400_000, 400_000 + 24 * 14) * 3_600_000_000
    rain = town.rain(hours)
    assert 0 < (rain > 0).mean() < 0.2
    assert rain.max() <= 1
