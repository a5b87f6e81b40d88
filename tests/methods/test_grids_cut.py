"""Whatever the streets, cut grids fill their area, never overlap, and are about as large as was asked."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cheng.methods.grids import check, square_metres
from cheng.methods.grids_cut import cut, gathered

WEST, SOUTH, SIDE = 106.5, 29.5, 0.008
NOTHING = np.zeros(0, object)
place = st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2))
streets = st.lists(st.lists(place, min_size=2, max_size=5), max_size=14)
outlines = st.lists(place, min_size=3, max_size=9)


def at(point: tuple[float, float]) -> tuple[float, float]:
    return WEST + point[0] * SIDE, SOUTH + point[1] * SIDE


def outline(points: list[tuple[float, float]]) -> shapely.Geometry:
    """Any polygon, also one with bays."""
    ring = shapely.concave_hull(shapely.MultiPoint([at(point) for point in points]), 0.3)
    return ring if ring.geom_type == "Polygon" and ring.area > 1e-7 else shapely.box(*at((0, 0)), *at((1, 1)))


@settings(deadline=None, max_examples=60)
@given(outlines, streets, st.sampled_from([10_000.0, 25_000.0, 70_000.0]))
def test_no_gaps_no_overlaps_and_about_the_size(
    corners: list[tuple[float, float]], ways: list[list[tuple[float, float]]], size: float
) -> None:
    parent = outline(corners)
    lines = np.array([shapely.LineString([at(point) for point in way]) for way in ways], object)
    grids = cut(parent, lines, size)
    assert set(shapely.get_type_id(grids)) == {3}
    assert shapely.is_valid(grids).all()
    assert shapely.coverage_is_valid(grids)
    assert check(np.array([parent]), grids, [0] * len(grids)) == []
    areas, whole = square_metres(grids), float(square_metres(np.array([parent]))[0])
    assert areas.sum() == pytest.approx(whole, abs=1.0)
    assert areas.max() <= 2.001 * size
    assert len(grids) <= max(1, 4 * whole / size)


def test_streets_are_borders() -> None:
    parent = shapely.box(*at((0, 0)), *at((1, 1)))
    cross = [shapely.LineString([at((0.5, -1)), at((0.5, 2))]), shapely.LineString([at((-1, 0.4)), at((2, 0.4))])]
    grids = cut(parent, np.array(cross, object), 120_000)
    western = square_metres(shapely.intersection(grids, shapely.box(*at((0, 0)), *at((0.5, 1)))))
    assert np.minimum(western, square_metres(grids) - western).max() < 1.0
    assert 4 <= len(grids) <= 8


def test_without_streets_it_is_divided_evenly() -> None:
    areas = square_metres(cut(shapely.box(*at((0, 0)), *at((1, 1))), NOTHING, 10_000))
    assert areas.min() > 9_000
    assert areas.max() < 11_500


def test_what_is_small_stays_whole() -> None:
    parent = shapely.box(*at((0, 0)), *at((0.1, 0.1)))
    (grid,) = cut(parent, NOTHING, 10_000)
    assert grid.symmetric_difference(parent).area < 1e-11


def test_a_lake_in_the_middle_belongs_to_nobody() -> None:
    parent = shapely.difference(shapely.box(*at((0, 0)), *at((1, 1))), shapely.box(*at((0.4, 0.4)), *at((0.6, 0.6))))
    grids = cut(parent, NOTHING, 20_000)
    assert check(np.array([parent]), grids, [0] * len(grids)) == []


@settings(deadline=None, max_examples=20)
@given(streets, st.integers(2, 12))
def test_gathered_grids_are_whole_unit_grids(ways: list[list[tuple[float, float]]], count: int) -> None:
    parent = shapely.box(*at((0, 0)), *at((1, 1)))
    units = cut(parent, np.array([shapely.LineString([at(point) for point in way]) for way in ways], object), 20_000)
    grids = gathered(units, count)
    assert check(np.array([parent]), grids, [0] * len(grids)) == []
    inside = shapely.STRtree(grids).query(shapely.point_on_surface(units), predicate="intersects")[1]
    assert len(inside) == len(units)
    assert square_metres(shapely.difference(units, grids[inside])).max() < 0.01
    assert len(units) / count / 2 <= len(grids) <= max(1, 2.5 * len(units) / count)
