"""Grids of a city (GB/T 30428.1): what they measure, where they leave gaps or overlap, and which lie side by side.

Shapes are shapely polygons in degrees, WGS 84; areas are square metres on the ellipsoid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely

Shapes = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Kind = Literal["gap", "overlap", "outside"]

MAJOR, FLATTENING = 6_378_137.0, 1 / 298.257_223_563
"""The ellipsoid of WGS 84, metres; that of CGCS2000 differs by a tenth of a millimetre."""
LEAST = 1.0
"""Square metres below which a gap or an overlap is a matter of rounding."""
POLYGON = 3


@dataclass(frozen=True)
class Fault:
    """One place where grids do not fit."""

    kind: Kind
    """a part of the parent in no grid; a part in two grids; a part of a grid outside of its parent"""
    area: float
    """square metres"""
    shape: Any
    """shapely polygon"""
    parent: int
    """position of the parent, -1 for none"""
    grids: tuple[int, ...]
    """positions of the grids: none, two or one"""


# -- measuring


def below(latitude: Floats) -> Floats:
    """(n,) square metres of the ellipsoid from the equator to latitudes in degrees, for each radian of longitude."""
    e = math.sqrt(FLATTENING * (2 - FLATTENING))
    sine = np.sin(np.radians(latitude))
    found: Floats = MAJOR**2 * (1 - e * e) / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e)
    return found


def square_metres(shapes: Shapes) -> Floats:
    """(n,) how large polygons are, alone or several in one, whose sides are straight in degrees.

    By Green's theorem and Simpson's rule along each side, so that parts add up to the whole however sides are divided.
    """
    pieces, whose = shapely.get_parts(shapes, return_index=True)
    rings, piece = shapely.get_rings(pieces, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    on = np.flatnonzero(ring[1:] == ring[:-1])
    (x1, y1), (x2, y2) = points[on].T, points[on + 1].T
    under = np.radians(x2 - x1) * (below(y1) + 4 * below((y1 + y2) / 2) + below(y2)) / 6
    size = np.abs(np.bincount(ring[on], under, len(rings)))
    hole = np.diff(piece, prepend=-1) == 0
    return np.bincount(whose[piece], np.where(hole, -size, size), len(shapes)).astype(np.float64)


class Plane:
    """Metres east and north of a place, true near it: to draw and measure in, and back."""

    def __init__(self, longitude: float, latitude: float) -> None:
        squared = FLATTENING * (2 - FLATTENING)
        bend = 1 - squared * math.sin(math.radians(latitude)) ** 2
        north = MAJOR * (1 - squared) / bend**1.5
        east = MAJOR / math.sqrt(bend) * math.cos(math.radians(latitude))
        self.middle, self.degree = np.array([longitude, latitude]), np.radians(np.array([east, north]))

    def metres(self, shape: Any) -> Any:
        """A geometry, or an array of them, from degrees."""
        return shapely.transform(shape, lambda points: (points - self.middle) * self.degree)

    def degrees(self, shape: Any) -> Any:
        """The reverse of `metres`; equal points stay equal."""
        return shapely.transform(shape, lambda points: points / self.degree + self.middle)


# -- checking


def check(parents: Shapes, grids: Shapes, parent_of: Sequence[int] | Ints, least: float = LEAST) -> list[Fault]:
    """Every gap, overlap and part outside of more than `least` square metres, the largest first.

    `parent_of` (grids,) says by position in which parent each grid is to lie, -1: in none that is known. A parent
    without a single grid is not looked at. What grids of a neighbour cover is no gap.
    """
    of = np.asarray(parent_of, np.intp)
    tree = shapely.STRtree(grids)
    every = range(len(grids))
    faults = [*overlaps(grids, tree, of, every, least), *outside(parents, grids, of, least)]
    faults += gaps(parents, tree, of, least)
    return sorted(faults, key=lambda fault: -fault.area)


def overlaps(grids: Shapes, tree: shapely.STRtree, of: Ints, asked: Sequence[int], least: float = LEAST) -> list[Fault]:
    """Where two grids lie on the same ground, one of them among those asked for."""
    chosen = np.asarray(asked, np.intp)
    row, near = tree.query(grids[chosen], predicate="intersects")
    pairs = np.unique(np.sort(np.stack([chosen[row], near]), axis=0), axis=1)
    one, other = pairs[:, pairs[0] < pairs[1]]
    common = shapely.intersection(grids[one], grids[other])
    rows, areas, shapes = parts(common, least)
    return [
        Fault("overlap", area, shape, int(of[one[row]]), (int(one[row]), int(other[row])))
        for row, area, shape in zip(rows, areas, shapes, strict=True)
    ]


def outside(parents: Shapes, grids: Shapes, of: Ints, least: float = LEAST) -> list[Fault]:
    """What of grids lies outside of their parents."""
    some = np.flatnonzero(of >= 0)
    shapely.prepare(parents)
    some = some[~shapely.covers(parents[of[some]], grids[some])]
    rows, areas, shapes = parts(shapely.difference(grids[some], parents[of[some]]), least)
    return [
        Fault("outside", area, shape, int(of[some[row]]), (int(some[row]),))
        for row, area, shape in zip(rows, areas, shapes, strict=True)
    ]


def gaps(parents: Shapes, tree: shapely.STRtree, of: Ints, least: float = LEAST) -> list[Fault]:
    """What of parents lies in no grid."""
    asked = np.unique(of[of >= 0])
    row, member = tree.query(parents[asked], predicate="intersects")
    bounds = np.searchsorted(row, np.arange(len(asked) + 1))
    left = np.empty(len(asked), object)
    for n, parent in enumerate(asked):
        covered = shapely.union_all(tree.geometries[member[bounds[n] : bounds[n + 1]]])
        left[n] = shapely.difference(parents[parent], covered)
    rows, areas, shapes = parts(left, least)
    found = zip(rows, areas, shapes, strict=True)
    return [Fault("gap", area, shape, int(asked[row]), ()) for row, area, shape in found]


def parts(shapes: Shapes, least: float) -> tuple[list[int], list[float], list[Any]]:
    """The polygons in shapes that are larger than `least` square metres: whose they are, how large, and they."""
    pieces, rows = shapely.get_parts(shapes, return_index=True)
    kept = shapely.get_type_id(pieces) == POLYGON
    pieces, rows = pieces[kept], rows[kept]
    areas = square_metres(pieces)
    large = areas > least
    return rows[large].tolist(), areas[large].tolist(), list(pieces[large])


# -- side by side


def borders(shapes: Shapes) -> tuple[Ints, Ints, Floats]:
    """Pairs of shapes that share a line, each pair once, and how long it is in the units of the shapes."""
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    edges = shapely.boundary(shapes)
    length = shapely.length(shapely.intersection(edges[one], edges[other]))
    shared = length > 0
    return one[shared], other[shared], length[shared]


def in_order(shapes: Shapes, rows: float = 100.0) -> Ints:
    """Positions of shapes as one reads them: in strips of `rows` metres from north to south, each from the west."""
    if not len(shapes):
        return np.zeros(0, np.intp)
    middles = shapely.get_coordinates(shapely.point_on_surface(shapes))
    west, south, east, north = shapely.total_bounds(shapes)
    high = rows / Plane((west + east) / 2, (south + north) / 2).degree[1]
    strip = np.floor((north - middles[:, 1]) / high)
    return np.lexsort((middles[:, 0], strip))
