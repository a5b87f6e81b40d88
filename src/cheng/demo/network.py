"""The streets as a graph: lines of the lattice where the city is built, bridges, tunnels, steps, and expressways."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.areas import Areas
from cheng.demo.expressways import Expressways
from cheng.demo.lattice import Index, Lattice
from cheng.demo.names import Name, Streets
from cheng.demo.plane import Floats, degrees
from cheng.demo.terrain import HIGH, Terrain

Flags = npt.NDArray[np.bool_]
KINDS = ("motorway", "trunk", "primary", "secondary", "tertiary", "minor", "path", "steps")
MOTORWAY, TRUNK, PRIMARY, SECONDARY, TERTIARY, MINOR, PATH, STEPS = range(len(KINDS))
TUNNEL, GROUND, BRIDGE = -1, 0, 1
LEAST = {TRUNK: 0.03, PRIMARY: 0.12, SECONDARY: 0.22, TERTIARY: 0.27, MINOR: 0.31}
"""The density from which on there are streets of a kind."""
STEEP = 0.13
"""Metres up in a metre along, from which on there are steps instead of a street."""
LONGEST = {TRUNK: 60, PRIMARY: 40, SECONDARY: 26, TERTIARY: 15, MINOR: 9, PATH: 9, STEPS: 4}
"""A street has a new name after so many crossings."""


@dataclass(frozen=True)
class Network:
    """Nodes and the straight edges between them; all that is no path and no steps can be reached by car."""

    lon: Floats
    lat: Floats
    """(nodes,) degrees WGS 84"""
    start: Index
    end: Index
    """(edges,) nodes; streets run both ways"""
    metres: Floats
    """(edges,) length"""
    kind: npt.NDArray[np.int8]
    """(edges,) position in KINDS"""
    level: npt.NDArray[np.int8]
    """(edges,) TUNNEL, GROUND or BRIDGE"""
    street: Index
    """(edges,) position in `names`"""
    community: Index
    """(edges,) position in the city's communities"""
    names: tuple[Name, ...]
    """of the streets"""


@dataclass(frozen=True)
class Edges:
    """Edges while the streets are laid out: between points of the lattice, (row, column) each."""

    j: Index
    i: Index
    j2: Index
    i2: Index
    across: Flags
    """from west to east"""
    kind: npt.NDArray[np.int8]
    level: npt.NDArray[np.int8]
    street: Index

    def take(self, which: npt.NDArray[np.generic]) -> "Edges":
        return Edges(**{name: getattr(self, name)[which] for name in self.__dataclass_fields__})

    def __len__(self) -> int:
        return len(self.j)


class Layout:
    """Which lines of the lattice are streets, and of which kind."""

    def __init__(
        self, rng: np.random.Generator, lattice: Lattice, terrain: Terrain, density: Floats, lakes: Index
    ) -> None:
        """`density`: (rows, columns) of each point; `lakes`: polygons, metres."""
        self.rng, self.lattice, self.lakes = rng, lattice, lakes
        self.density, self.heights = density, terrain.height(lattice.points)
        rows, columns = density.shape
        lines = {True: ranks(rng, rows, lattice.river_row), False: ranks(rng, columns, lattice.river_column)}
        self.rank = {across: rank for across, (rank, _) in lines.items()}
        """across: the kind of each row, or column"""
        self.crosses = {across: crosses for across, (_, crosses) in lines.items()}
        """across: which rows, or columns, go over rivers and through ridges"""
        self.names: list[Name] = []
        edges = self._kept(self._all())
        self.edges = self._named(edges.take(self._reached(edges)))

    def _all(self) -> Edges:
        """Every piece of a line between two crossings, and the bridges over what lies between two banks."""
        rows, columns = self.density.shape
        row, column = self.lattice.river_row, self.lattice.river_column
        j, i = (a.ravel() for a in np.indices((rows, columns - 1)))
        j2, i2 = j, np.where((j > row) & (i == column - 1), i + 2, i + 1)
        good = (j > 0) & (j < rows - 1) & (j != row) & ~((j > row) & (i == column))
        east = [a[good] for a in (j, i, j2, i2)]
        j, i = (a.ravel() for a in np.indices((rows - 1, columns)))
        j2, i2 = np.where(j == row - 1, j + 2, j + 1), i
        good = (i > 0) & (i < columns - 1) & (j != row) & ~((j >= row - 1) & (i == column))
        north = [a[good] for a in (j, i, j2, i2)]
        across = np.repeat([True, False], [len(east[0]), len(north[0])])
        j, i, j2, i2 = (np.concatenate(both) for both in zip(east, north, strict=True))
        kind = np.where(across, self.rank[True][j], self.rank[False][i]).astype(np.int8)
        level = ((j2 - j > 1) | (i2 - i > 1)).astype(np.int8)
        return Edges(j, i, j2, i2, across, kind, level, np.zeros(len(j), np.intp))

    def _kept(self, e: Edges) -> Edges:
        """Those that are there: where the city is dense enough, the ground low, and no lake."""
        density = (self.density[e.j, e.i] + self.density[e.j2, e.i2]) / 2
        height = np.maximum(self.heights[e.j, e.i], self.heights[e.j2, e.i2])
        bridge = e.level == BRIDGE
        least = np.array([0, *LEAST.values()])[e.kind]
        crosses = np.where(e.across, self.crosses[True][e.j], self.crosses[False][e.i])
        kept = (density > least) & (~bridge | (crosses & (density > 0.2)))
        kept &= ~self._thinned(e)
        high = height > HIGH - 12
        kept &= ~high | (crosses & e.across)
        ends = self.lattice.points[[e.j, e.j2], [e.i, e.i2]].transpose(1, 0, 2)
        drowned, _ = shapely.STRtree(shapely.linestrings(ends)).query(
            shapely.buffer(self.lakes, 25), predicate="intersects"
        )[::-1]
        kept[drowned] = False
        length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
        grade = np.abs(self.heights[e.j, e.i] - self.heights[e.j2, e.i2]) / length
        steps = (grade > STEEP) & (e.kind >= TERTIARY)
        wild = ~kept & (self.density[e.j, e.i] < 0.2) & (height > 285) & (self.rng.random(len(e)) < 0.10) & ~bridge
        wild[drowned] = False
        kind = np.where(wild, PATH, np.where(steps, STEPS, e.kind)).astype(np.int8)
        level = np.where(high & ~wild, TUNNEL, e.level).astype(np.int8)
        return replace(e, kind=kind, level=level).take(kept | wild)

    def _thinned(self, e: Edges) -> Flags:
        """Lanes that were never built: some here and there; in some quarters all that run one way."""
        quarter = [np.cumsum(self.rank[across] <= SECONDARY) for across in (True, False)]
        pattern = self.rng.integers(0, 5, (quarter[0][-1] + 1, quarter[1][-1] + 1))
        own = pattern[quarter[0][e.j], quarter[1][e.i]]
        missing = ((own == 0) & e.across) | ((own == 1) & ~e.across) | (self.rng.random(len(e)) < 0.14)
        found: Flags = (e.kind == MINOR) & missing
        return found

    def _reached(self, e: Edges) -> Flags:
        """Those of the largest network that can be driven, and the paths and steps that begin and end on it."""
        columns = self.density.shape[1]
        start, end = e.j * columns + e.i, e.j2 * columns + e.i2
        drive = e.kind < PATH
        label = components(self.density.size, start[drive], end[drive])
        main = np.bincount(label[start[drive]]).argmax()
        found: Flags = (label[start] == main) & (label[end] == main)
        return found

    def _named(self, e: Edges) -> Edges:
        """A street is a run along one line, of one kind and level, until it is too long for one name."""
        line = np.where(e.across, e.j, e.i + self.density.shape[0])
        place = np.where(e.across, e.i, e.j)
        order = np.lexsort((place, line))
        e, line, place = e.take(order), line[order], place[order]
        last = np.where(e.across, e.i2, e.j2)
        new = np.ones(len(e), bool)
        new[1:] = (np.diff(line) != 0) | (place[1:] != last[:-1]) | (np.diff(e.kind) != 0) | (np.diff(e.level) != 0)
        run = np.cumsum(new) - 1
        passed = np.arange(len(e)) - np.flatnonzero(new)[run]
        new |= passed % np.array([1, *LONGEST.values()])[e.kind] == 0
        street = np.cumsum(new) - 1
        names = Streets(self.rng)
        sizes = np.bincount(street)
        for first in np.flatnonzero(new).tolist():
            self.names.append(
                names.next(self._sort_of(int(e.kind[first]), int(e.level[first]), int(sizes[street[first]])))
            )
        return replace(e, street=street)

    @staticmethod
    def _sort_of(kind: int, level: int, size: int) -> str:
        """What the name says that it is."""
        if level != GROUND:
            return "bridge" if level == BRIDGE else "tunnel"
        return "lane" if kind == MINOR and size < 3 else KINDS[kind]


def ranks(rng: np.random.Generator, lines: int, river: int) -> tuple[npt.NDArray[np.int8], Flags]:
    """The kind of street that each line is, from the river outwards: one along the bank, then a larger one every few
    lines, the third of which is the largest; and which of the larger ones go over rivers and through ridges."""
    found, crosses = np.full(lines, MINOR, np.int8), np.zeros(lines, bool)
    for side in (-1, 1):
        at, turn = river + side, 0
        while 0 <= at < lines:
            found[at] = TRUNK if turn == 3 else PRIMARY if turn % 2 else SECONDARY
            crosses[at] = turn == 1 or turn % 4 == 3
            step = int(rng.integers(3, 6))
            between = at + side * ((step + 1) // 2)
            if step > 3 and 0 <= between < lines:
                found[between] = TERTIARY
            at, turn = at + side * step, turn + 1
    return found, crosses


def components(nodes: int, start: Index, end: Index) -> Index:
    """(nodes,) the smallest node that each can reach."""
    label = np.arange(nodes)
    while True:
        low = np.minimum(label[start], label[end])
        before = label.copy()
        np.minimum.at(label, label[start], low)
        np.minimum.at(label, label[end], low)
        label = label[label]
        if (label == before).all():
            return label


def joined(layout: Layout, ways: Expressways, areas: Areas) -> Network:
    """The graph of streets and expressways: where an expressway crosses a main street, they meet."""
    e, lattice = layout.edges, layout.lattice
    columns = lattice.points.shape[1]
    nodes, ends = np.unique(np.concatenate([e.j * columns + e.i, e.j2 * columns + e.i2]), return_inverse=True)
    points = np.concatenate([lattice.points.reshape(-1, 2)[nodes], ways.points])
    start = np.concatenate([ends[: len(e)], ways.start + len(nodes)])
    end = np.concatenate([ends[len(e) :], ways.end + len(nodes)])
    kind = np.concatenate([e.kind, np.full(len(ways.start), MOTORWAY, np.int8)])
    level = np.concatenate([e.level, ways.level])
    street = np.concatenate([e.street, ways.street + len(layout.names)])
    main = np.flatnonzero((kind <= PRIMARY) & (kind > MOTORWAY) & (level == GROUND))
    fast = np.flatnonzero((kind == MOTORWAY) & (level != TUNNEL))
    cut, crossing = crossings(points, start, end, main, fast)
    middle = len(points) + np.arange(len(crossing))
    points = np.concatenate([points, crossing])
    middle = np.concatenate([middle, middle])
    rest = (middle, end[cut])
    end = end.copy()
    end[cut] = middle
    start, end = np.concatenate([start, rest[0]]), np.concatenate([end, rest[1]])
    kind, level, street = (np.concatenate([column, column[cut]]) for column in (kind, level, street))
    span = points[end] - points[start]
    places = shapely.points(degrees(points[start] + span / 2))
    community = shapely.STRtree([area.shape for area in areas.levels["community"]]).query_nearest(
        places, all_matches=False
    )[1]
    lon, lat = degrees(points).T
    names = (*layout.names, *ways.names)
    return Network(lon, lat, start, end, np.hypot(*span.T), kind, level, street, community, names)


def crossings(points: Floats, start: Index, end: Index, main: Index, fast: Index) -> tuple[Index, Floats]:
    """Pairs of edges that cross, (2 n,) first all of `main`, then those of `fast`, none twice; and the n places."""
    lines = shapely.linestrings(np.stack([points[start], points[end]], axis=1))
    one, other = shapely.STRtree(lines[fast]).query(lines[main], predicate="crosses")
    _, first = np.unique(one, return_index=True)
    _, second = np.unique(other[first], return_index=True)
    chosen = first[second]
    a, b = main[one[chosen]], fast[other[chosen]]
    place = shapely.get_coordinates(shapely.intersection(lines[a], lines[b]))
    return np.concatenate([a, b]), place
