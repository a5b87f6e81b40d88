"""The lattice never differs from asking every polygon, however points and borders fall."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cheng.standards.area_lattice import NONE, Lattice
from cheng.standards.areas import AreaIndex

corner = st.integers(0, 12)
boxes = st.tuples(corner, corner, st.integers(1, 8), st.integers(1, 8))
triangles = st.tuples(*[corner] * 6)


def box(told: tuple[int, int, int, int], scale: float) -> shapely.Polygon:
    x, y, wide, high = told
    return shapely.box(x * scale, y * scale, (x + wide) * scale, (y + high) * scale)


def triangle(told: tuple[int, ...], scale: float) -> shapely.Polygon:
    return shapely.Polygon([(told[n] * scale, told[n + 1] * scale) for n in (0, 2, 4)])


def first_of(polygons: list[shapely.Geometry], x: float, y: float) -> int:
    return next((n for n, polygon in enumerate(polygons) if polygon.intersects(shapely.Point(x, y))), NONE)


@settings(deadline=None)
@given(
    st.lists(boxes, min_size=1, max_size=6),
    st.lists(triangles, max_size=6),
    st.sampled_from([1.0, 0.1, 1e-4, 1 / 3]),
    st.lists(st.tuples(corner, corner), min_size=1, max_size=30),
)
def test_points_on_corners_and_borders(
    squares: list[tuple[int, int, int, int]], others: list[tuple[int, ...]], scale: float, at: list[tuple[int, int]]
) -> None:
    drawn = [box(told, scale) for told in squares] + [triangle(told, scale) for told in others]
    polygons = [shape for shape in drawn if shape.is_valid and shape.area > 0]
    areas = AreaIndex([str(n) for n in range(len(polygons))], ["a"] * len(polygons), polygons)
    x, y = np.array(at, np.float64).T * scale
    x, y = np.concatenate([x, x + scale / 2, x + scale / 3]), np.concatenate([y, y, y + scale / 7])
    found = areas.of_level("a", x, y)
    assert found.tolist() == [first_of(polygons, *point) for point in zip(x.tolist(), y.tolist(), strict=True)]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rings_with_many_corners_holes_and_several_parts(seed: int) -> None:
    random = np.random.default_rng(seed)
    middles = shapely.points(random.uniform(100, 110, 12), random.uniform(20, 30, 12))
    discs = shapely.buffer(middles, random.uniform(0.2, 3, 12))
    rings = shapely.difference(discs, shapely.buffer(middles, random.uniform(0.1, 1, 12)))
    polygons = np.array([*discs[:4], *rings[4:8], *shapely.union(rings[8:10], discs[10:12])], object)
    polygons = polygons[~shapely.is_empty(polygons)]
    x, y = random.uniform(99, 111, 200), random.uniform(19, 31, 200)
    found = Lattice(polygons).locate(x, y)
    assert found.tolist() == [first_of(list(polygons), *at) for at in zip(x.tolist(), y.tolist(), strict=True)]


def test_what_is_no_polygon_is_left_to_exact_reckoning() -> None:
    areas = AreaIndex(["line", "box"], ["a", "a"], [shapely.LineString([(0, 0), (2, 2)]), shapely.box(0, 0, 2, 2)])
    assert areas.of_level("a", [1.0, 1.0, 3.0], [1.0, 1.5, 1.0]).tolist() == [0, 1, -1]
