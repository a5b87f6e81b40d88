"""Every gap and overlap is found, with its size and shape, and nothing else."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cheng.methods.grids import Plane, borders, check, in_order, square_metres

GEOD = pyproj.Geod(ellps="WGS84")
SIDE = 0.001


def cells(rows: int, columns: int) -> list[shapely.Polygon]:
    """A parent of some square cells of about a hundred metres."""
    west, south = 106.5, 29.5
    return [
        shapely.box(west + c * SIDE, south + r * SIDE, west + (c + 1) * SIDE, south + (r + 1) * SIDE)
        for r in range(rows)
        for c in range(columns)
    ]


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 18.2, 29.5, 53.5])
def test_areas_are_those_on_the_ellipsoid(latitude: float) -> None:
    square = shapely.box(106, latitude, 106.01, latitude + 0.01)
    truth, _ = GEOD.geometry_area_perimeter(square)
    assert square_metres(np.array([square]))[0] == pytest.approx(abs(truth), rel=1e-5)


@given(st.floats(-75, 75), st.floats(-179, 179))
def test_a_plane_measures_metres_and_leads_back(latitude: float, longitude: float) -> None:
    plane = Plane(longitude, latitude)
    line = shapely.LineString([(longitude, latitude), (longitude + 0.001, latitude + 0.001)])
    truth = GEOD.line_length(*np.array(line.coords).T)
    assert plane.metres(line).length == pytest.approx(truth, rel=1e-4)
    assert plane.degrees(plane.metres(line)).equals_exact(line, 1e-9)


def test_grids_that_fit_have_no_fault() -> None:
    grids = np.array(cells(3, 4), object)
    parent = np.array([shapely.union_all(grids)])
    assert check(parent, grids, [0] * 12) == []


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(2, 5), st.data())
def test_a_grid_taken_away_is_a_gap_of_its_size(rows: int, columns: int, data: st.DataObject) -> None:
    every = cells(rows, columns)
    parent = np.array([shapely.union_all(every)])
    gone = every.pop(data.draw(st.integers(0, len(every) - 1)))
    (fault,) = check(parent, np.array(every, object), [0] * len(every))
    assert (fault.kind, fault.parent, fault.grids) == ("gap", 0, ())
    assert fault.area == pytest.approx(square_metres(np.array([gone]))[0], rel=1e-6)
    assert fault.shape.symmetric_difference(gone).area < 1e-12


@settings(deadline=None)
@given(st.integers(0, 11), st.floats(0.02, 0.6), st.floats(0.02, 0.6))
def test_what_is_covered_twice_and_what_sticks_out_add_up(which: int, east: float, north: float) -> None:
    grids = cells(3, 4)
    parent = shapely.union_all(grids)
    west, south, right, top = grids[which].bounds
    grids[which] = shapely.box(west, south, right + east * SIDE, top + north * SIDE)
    faults = check(np.array([parent]), np.array(grids, object), [0] * 12)
    assert not [fault for fault in faults if fault.kind == "gap"]
    twice = sum(fault.area for fault in faults if fault.kind == "overlap")
    beyond = sum(fault.area for fault in faults if fault.kind == "outside")
    more = square_metres(np.array([grids[which]]))[0] - square_metres(np.array([cells(3, 4)[which]]))[0]
    assert twice + beyond == pytest.approx(more, abs=1.0 * len(faults) + 1.0)
    assert all(which in fault.grids for fault in faults)


def test_a_sliver_is_rounding_and_a_parent_without_grids_is_not_looked_at() -> None:
    grids = cells(1, 2)
    parent = shapely.union_all(grids)
    grids[0] = shapely.box(106.5, 29.5, 106.5 + SIDE - 1e-8, 29.5 + SIDE)
    assert check(np.array([parent, shapely.box(0, 0, 1, 1)]), np.array(grids, object), [0, 0]) == []
    assert [fault.kind for fault in check(np.array([parent]), np.array(grids, object), [0, 0], least=0)] == ["gap"]


def test_what_a_neighbours_grid_covers_is_no_gap_but_it_sticks_out() -> None:
    one, other = cells(1, 2)
    wide = shapely.union(one, shapely.box(106.5 + SIDE, 29.5, 106.5 + 1.5 * SIDE, 29.5 + SIDE))
    half = shapely.difference(other, wide)
    faults = check(np.array([one, other]), np.array([wide, half]), [0, 1])
    assert [(fault.kind, fault.grids) for fault in faults] == [("outside", (0,))]


def test_borders_are_lines_and_not_corners() -> None:
    one, other, length = borders(np.array(cells(2, 2), object))
    assert sorted(zip(one.tolist(), other.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 3), (2, 3)]
    assert length == pytest.approx(SIDE)


@given(st.permutations(range(12)))
def test_grids_are_read_like_a_page(order: list[int]) -> None:
    assume(len(order) == 12)
    grids = cells(3, 4)
    shuffled = np.array([grids[n] for n in order], object)
    assert [order[n] for n in in_order(shuffled)] == [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]
