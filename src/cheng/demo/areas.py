"""Districts, streets, communities and grids: cells of the lattice, so that neighbours share every corner."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.lattice import Lattice
from cheng.demo.names import HEADS, TAILS, Name, words
from cheng.demo.plane import Floats, degrees
from cheng.kernel.house import UNIT

STREETS, COMMUNITIES, GRIDS = 3, 4, 1_272
"""Streets in a district, communities in a street, grids in the city."""
UNITS, MOST_UNITS = 5_500, 6
"""Unit grids in the city, and in one grid."""
SHORT = 2_750
"""The unit grid that somebody drew too short, so that there is a gap to be found."""
DISTRICTS = ("临江区", "北屏区", "云岭区", "沙湾区", "南屏区", "江口区")
LATIN = ("Linjiang", "Beiping", "Yunling", "Shawan", "Nanping", "Jiangkou")


class Cell(NamedTuple):
    """A rectangle of lines of the lattice: from row to row, from column to column."""

    south: int
    north: int
    west: int
    east: int

    @property
    def quads(self) -> tuple[slice, slice]:
        return slice(self.south, self.north), slice(self.west, self.east)


@dataclass(frozen=True)
class Area:
    """A district, street, community, grid or unit grid."""

    id: str
    name: str
    level: str
    code: str
    parent: str
    shape: Any
    """shapely polygon, WGS 84"""
    cell: Cell
    name_en: str = ""

    @property
    def district(self) -> str:
        """The name of the district it belongs to, which is also the ward of its crews."""
        return DISTRICTS[int(self.code[4:6]) - 1]


class Areas:
    """All areas of the city by level, from the largest down."""

    def __init__(self, rng: np.random.Generator, lattice: Lattice, density: Floats) -> None:
        """`density`: (rows - 1, columns - 1) of each quad; grids are small where it is high."""
        self.lattice = lattice
        self.weight = np.where(lattice.wet, 0.06, 0.12 + density)
        self.names = iter(words(rng, HEADS, TAILS))
        self.levels: dict[str, list[Area]] = {level: [] for level in ("district", "street", "community", "grid")}
        quads = self.weight.shape
        self.of = {level: np.zeros(quads, np.int32) for level in self.levels}
        """level: (rows - 1, columns - 1) the position of each quad's area"""
        for number, cell in enumerate(self._districts()):
            code = f"5099{number + 1:02d}"
            self._add("district", code, "", Name(DISTRICTS[number], f"{LATIN[number]} District"), cell)
            self._streets(code, cell, portions(GRIDS, len(DISTRICTS))[number])
        self.units = list(self._units())
        """unit grids of all communities but the last, which is still to be divided"""

    def _districts(self) -> Iterator[Cell]:
        """Two between each pair of river banks and the edge: rivers are borders."""
        row, column = self.lattice.river_row, self.lattice.river_column
        rows, columns = self.weight.shape
        west = self._divide(Cell(row, rows, 0, column), (1, 1), tall=True)
        east = self._divide(Cell(row, rows, column, columns), (1, 1), tall=True)
        south = self._divide(Cell(0, row, 0, columns), (1, 1), tall=False)
        yield from (*west, east[1], *south, east[0])

    def _streets(self, code: str, cell: Cell, grids: int) -> None:
        counts = portions(grids, STREETS)
        for s, (part, count) in enumerate(zip(self._divide(cell, counts), counts, strict=True), 1):
            own, name = f"{code}{s:03d}", next(self.names)
            self._add("street", own, code, name.with_ending("街道", "Subdistrict"), part)
            numbers = portions(count, COMMUNITIES)
            for c, (piece, number) in enumerate(zip(self._divide(part, numbers), numbers, strict=True), 1):
                self._community(f"{own}{c:03d}", own, piece, number)

    def _community(self, code: str, street: str, cell: Cell, grids: int) -> None:
        name = next(self.names)
        self._add("community", code, street, name.with_ending("社区", "Community"), cell)
        for g, piece in enumerate(self._divide(cell, (1,) * grids), 1):
            self._add("grid", f"{code}{g:03d}", code, name.with_ending(f"第{g}网格", f"Grid {g}"), piece)

    def _units(self) -> Iterator[Area]:
        """Each grid divided by lines of the lattice, numbered through its community."""
        undivided = self.levels["community"][-1].id
        grids = [grid for grid in self.levels["grid"] if grid.parent != undivided]
        names = {community.id: community for community in self.levels["community"]}
        quads = np.array([(g.cell.north - g.cell.south) * (g.cell.east - g.cell.west) for g in grids])
        more = np.minimum(quads, MOST_UNITS) - 1
        counts = 1 + np.diff(np.cumsum(more) * (UNITS - len(grids)) // more.sum(), prepend=0)
        number = dict.fromkeys(names, 0)
        for grid, count in zip(grids, counts.tolist(), strict=True):
            for piece in self._divide(grid.cell, (1,) * count):
                number[grid.parent] = n = number[grid.parent] + 1
                community, code = names[grid.parent], f"{grid.code[:12]}{n:03d}"
                name = community.name + f"第{n}单元网格", community.name_en + f" Unit Grid {n}"
                ring = self.lattice.ring(*piece)
                if sum(number.values()) == SHORT:
                    ring[[0, -1]] += 0.3 * (ring.mean(axis=0) - ring[0])
                shape = shapely.polygons(degrees(ring))
                yield Area(f"unit:{code}", name[0], UNIT, code, grid.id, shape, piece, name[1])

    def _add(self, level: str, code: str, parent: str, name: Name, cell: Cell) -> None:
        shape = shapely.polygons(degrees(self.lattice.ring(*cell)))
        self.of[level][cell.quads] = len(self.levels[level])
        above = f"area:{parent}" if parent else ""
        self.levels[level].append(Area(f"area:{code}", name.zh, level, code, above, shape, cell, name.en))

    def _divide(self, cell: Cell, sizes: Sequence[int], *, tall: bool | None = None) -> list[Cell]:
        """A cell cut in two, again and again, until there is one for each size; their people are as the sizes.

        A size is also the least number of quads. `tall`: whether to cut across from west to east first.
        """
        if len(sizes) == 1:
            return [cell]
        half = len(sizes) // 2
        first, rest = sum(sizes[:half]), sum(sizes[half:])
        high, wide = cell.north - cell.south, cell.east - cell.west
        across = tall if tall is not None else high > wide
        if tall is None and (high if across else wide) < 2:
            across = not across
        sums = np.cumsum(self.weight[cell.quads].sum(axis=1 if across else 0))
        cut = int(np.searchsorted(sums, sums[-1] * first / (first + rest))) + 1
        other = wide if across else high
        cut = int(np.clip(cut, -(-first // other), len(sums) - -(-rest // other)))
        if across:
            parts = cell._replace(north=cell.south + cut), cell._replace(south=cell.south + cut)
        else:
            parts = cell._replace(east=cell.west + cut), cell._replace(west=cell.west + cut)
        return self._divide(parts[0], sizes[:half]) + self._divide(parts[1], sizes[half:])


def portions(total: int, parts: int) -> tuple[int, ...]:
    """Whole numbers that differ by one at the most and add up to the total."""
    bounds: npt.NDArray[np.int64] = np.arange(parts + 1) * total // parts
    return tuple(np.diff(bounds).tolist())
