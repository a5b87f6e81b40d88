"""The sides of the streets, along which things stand: each in one quad after the other, so never in the water."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.areas import Area, Areas
from cheng.demo.lattice import Lattice
from cheng.demo.names import Name
from cheng.demo.network import GROUND, KINDS, PATH, Edges
from cheng.demo.plane import degrees

KERB = 0.07
"""Share of a block that lies between the middle of a street and its kerb."""
CORNER = 0.1
"""Share of a block that is kept free at crossings."""
SHORTEST = 240.0
"""Metres of the shortest road that things are put along."""


@dataclass(frozen=True)
class Road:
    """One side of a street: its name, its area, and its line."""

    name: str
    area: Area
    """the street (the area of that level) it lies in"""
    kind: str
    line: Any
    """shapely line, metres from the middle of the city"""

    def at(self, metres: float) -> tuple[float, float]:
        """Longitude and latitude so far along it, or at its end."""
        point = self.line.interpolate(metres)
        lon, lat = degrees(np.array([point.x, point.y]))
        return float(lon), float(lat)

    @property
    def metres(self) -> float:
        return float(self.line.length)


def along(roads: Sequence[Road], metres: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """(n, 2) longitudes and latitudes, each so far along its road, or at the road's end."""
    points = shapely.line_interpolate_point([road.line for road in roads], np.asarray(metres, np.float64))
    return degrees(shapely.get_coordinates(points))


def roads(rng: np.random.Generator, lattice: Lattice, areas: Areas, edges: Edges, names: list[Name]) -> list[Road]:
    """All that are long enough, well mixed: the first few lie all over the city."""
    ground = edges.take((edges.level == GROUND) & (edges.kind < PATH))
    found = [road for left in (True, False) for road in _side(lattice, areas, ground, names, left)]
    return [found[n] for n in rng.permutation(len(found))]


def _side(lattice: Lattice, areas: Areas, e: Edges, names: list[Name], left: bool) -> Iterator[Road]:
    """The left (north or west) or right kerbs."""
    j, i = np.where(e.across & ~np.bool_(left), e.j - 1, e.j), np.where(~e.across & np.bool_(left), e.i - 1, e.i)
    aside = np.where(e.across == left, KERB, 1 - KERB)
    points = []
    for along in (CORNER, 1 - CORNER):
        points.append(lattice.within(j, i, np.where(e.across, along, aside), np.where(e.across, aside, along)))
    area = areas.of["street"][j, i]
    new = np.ones(len(e), bool)
    new[1:] = (np.diff(e.street) != 0) | (np.diff(area) != 0)
    run = np.cumsum(new) - 1
    lines = shapely.linestrings(np.stack(points, axis=1).reshape(-1, 2), indices=np.repeat(run, 2))
    first = np.flatnonzero(new)
    for n in np.flatnonzero(shapely.length(lines) >= SHORTEST).tolist():
        edge = first[n]
        yield Road(names[e.street[edge]].zh, areas.levels["street"][area[edge]], KINDS[e.kind[edge]], lines[n])
