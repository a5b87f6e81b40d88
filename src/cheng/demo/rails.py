"""The railway, two metro lines under main streets and a light railway above the river bank, with their stations."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cheng.demo.expressways import levels
from cheng.demo.lattice import Lattice
from cheng.demo.names import Name
from cheng.demo.network import TRUNK, Layout
from cheng.demo.plane import HALF, Floats
from cheng.demo.terrain import Terrain, rounded

RAILWAY = (
    (-1.4, 0.86), (-0.62, 0.80), (-0.1, 0.74), (0.36, 0.62), (0.53, 0.2), (0.45, -0.3), (0.36, -0.75), (0.5, -1.4),
)  # fmt: skip
"""Where the railway runs, as shares of the way from the middle to the edge of the city."""
HALTS = 7
"""A station stands at every seventh crossing of a metro line."""
SERVED = 0.36
"""Metro lines run where the city is at least so dense."""


@dataclass(frozen=True)
class Rail:
    """A line, its stations, and the level of each piece between two points."""

    name: Name
    kind: str
    points: Floats
    level: npt.NDArray[np.int8]
    halts: Floats
    """(n, 2) metres"""


def rails(terrain: Terrain, lattice: Lattice, layout: Layout, density: Floats) -> list[Rail]:
    """`density`: (rows, columns) of each point of the lattice."""
    row, column = lattice.river_row, lattice.river_column
    rows, columns = (np.flatnonzero(layout.rank[across] == TRUNK) for across in (True, False))
    below = [(lattice.points[j], density[j]) for j in (rows[rows > row][0],)]
    below += [(lattice.points[:, i], density[:, i]) for i in (columns[columns < column][-1],)]
    found = [_railway(terrain)]
    for number, (points, dense) in enumerate(below, 1):
        name = Name(f"地铁{number}号线", f"Metro Line {number}")
        found.append(_metro(terrain, name, "metro", *_served(points, dense)))
    bank = np.concatenate([lattice.points[row + 1, :column], lattice.points[row + 2 :, column - 1]])
    dense = np.concatenate([density[row + 1, :column], density[row + 2 :, column - 1]])
    found.append(_metro(terrain, Name("轻轨3号线", "Light Rail Line 3"), "light_rail", *_served(bank, dense)))
    return found


def _railway(terrain: Terrain) -> Rail:
    line = rounded(np.array(RAILWAY) * HALF, 5)
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    where = np.linspace(0, run[-1], round(run[-1] / 120))
    points = np.stack([np.interp(where, run, line[:, 0]), np.interp(where, run, line[:, 1])], axis=1)
    inner = np.flatnonzero((np.abs(points) < HALF * 0.9).all(axis=1))
    halts = points[inner[[len(inner) // 3, len(inner) * 7 // 8]]]
    return Rail(Name("两江铁路", "Two Rivers Railway"), "rail", points, levels(terrain, points[:-1], points[1:]), halts)


def _served(points: Floats, dense: Floats) -> tuple[Floats, Floats]:
    """From the first to the last point that is dense enough."""
    there = np.flatnonzero(dense > SERVED)
    part = slice(there[0], there[-1] + 1)
    return points[part], dense[part]


def _metro(terrain: Terrain, name: Name, kind: str, points: Floats, dense: Floats) -> Rail:
    """Under the ground, over the water; light railways on pillars. No station over water."""
    level = levels(terrain, points[:-1], points[1:])
    level = np.where(level == 1, 1, -1 if kind == "metro" else np.maximum(level, 1)).astype(np.int8)
    halts = np.arange(1, len(points) - 1, HALTS)
    dry = (terrain.river(points[halts]) > 330) | (kind == "light_rail")
    return Rail(name, kind, points, level, points[halts[dry & (dense[halts] > SERVED - 0.1)]])


def pieces(level: npt.NDArray[np.int8]) -> list[tuple[int, int, int]]:
    """Runs of one level: (first point, last point, level)."""
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(level)) + 1, [len(level)]])
    return [(a, b, int(level[a])) for a, b in pairwise(bounds.tolist())]
