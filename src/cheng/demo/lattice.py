"""The net of lines all else in the invented city hangs on: between the rivers and the edge of the city, bent with both.

Rows run from west to east, columns from south to north. One row is the middle of the Long River, one column, north of
it, the middle of the Clear River; the rows and columns beside them follow the banks.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.plane import CORNERS, Floats, Noise, edge, outline
from cheng.demo.rivers import River, Waters

Index = npt.NDArray[np.intp]
APART = 150.0
"""Metres between two lines, about."""
BANK = 48.0
"""Metres from the water to the road along it."""


@dataclass
class Lattice:
    """Points of the lines, (rows, columns, 2) in metres; a quad (j, i) lies north-east of point (j, i)."""

    rng: np.random.Generator
    waters: Waters
    river_row: int = field(init=False)
    river_column: int = field(init=False)
    points: Floats = field(init=False)

    def __post_init__(self) -> None:
        long, clear = self.waters.long, self.waters.clear
        north, south = long.side(BANK, True), long.side(BANK, False)
        west, east = clear.side(BANK, False), clear.side(BANK, True)
        corner_w, corner_e = meeting(north, west), meeting(north, east)
        mouth_w, mouth_e = long.share(north, corner_w), long.share(north, corner_e)
        widths = [length(north, long, long.ends(north)[0], mouth_w), length(north, long, mouth_e, long.ends(north)[1])]
        columns_w, columns_e = (round(width / APART) for width in widths)
        self.river_column = columns_w + 1
        column = [0, columns_w, columns_w + 1, columns_w + 2, columns_w + 2 + columns_e]

        def along(line: Floats) -> Floats:
            first, last = long.ends(line)
            share = np.interp(
                np.arange(column[-1] + 1), column, [first, mouth_w, (mouth_w + mouth_e) / 2, mouth_e, last]
            )
            return long.at(line, share)

        bottom, middle, top = along(south), along(long.middle), along(north)
        lower = self._lower(bottom)
        rows = round(length(west, clear, clear.ends(west)[0], clear.share(west, corner_w)) / APART)
        upper_w = self._upper(top[: columns_w + 1], clear, west, clear.share(west, corner_w), rows, True)
        upper_e = self._upper(top[columns_w + 2 :], clear, east, clear.share(east, corner_e), rows, False)
        gap = shapely.points((top[columns_w] + top[columns_w + 2]) / 2)
        mouth = clear.share(clear.middle, gap)
        mid = clear.at(clear.middle, np.linspace(mouth, clear.ends(clear.middle)[0], rows + 1))
        upper = np.concatenate([upper_w, mid[:, None], upper_e], axis=1)
        self.river_row = len(lower)
        self.points = np.concatenate([lower, middle[None], upper])
        self._ruffle()

    def _lower(self, bank: Floats) -> Floats:
        """South of the Long River."""
        west, east = angle(bank[0]) % (2 * np.pi) - 2 * np.pi, angle(bank[-1])
        rows = round((bank[:, 1].mean() - outline(-np.pi / 2)[1]) / APART)
        return coons(
            edge(CORNERS[0], CORNERS[1], len(bank)),
            bank,
            edge(CORNERS[0], west, rows + 1),
            edge(CORNERS[1], east, rows + 1),
        )

    def _upper(self, bank: Floats, clear: River, side: Floats, mouth: float, rows: int, western: bool) -> Floats:
        """North of the Long River, west or east of the Clear River."""
        inner = clear.at(side, np.linspace(mouth, clear.ends(side)[0], rows + 1))
        inner[0] = bank[-1 if western else 0]
        if western:
            outer = edge(angle(bank[0]) % (2 * np.pi), CORNERS[3], rows + 1)
            top = edge(CORNERS[3], angle(inner[-1]), len(bank))
            return coons(bank, top, outer, inner)
        outer = edge(angle(bank[-1]), CORNERS[2], rows + 1)
        top = edge(angle(inner[-1]), CORNERS[2], len(bank))
        return coons(bank, top, inner, outer)

    def _ruffle(self) -> None:
        """Lines wander a little, least beside the rivers and at the edge."""
        rows, columns = self.points.shape[:2]
        j, i = np.indices((rows, columns))
        border = np.minimum(np.minimum(j, rows - 1 - j), np.minimum(i, columns - 1 - i))
        water = np.abs(j - self.river_row) - 1
        water = np.where(j > self.river_row, np.minimum(water, np.abs(i - self.river_column) - 1), water)
        free = np.clip(np.minimum(border / 10, water / 9), 0, 1)[..., None]
        small, large = (
            np.stack([Noise(self.rng, size)(self.points), Noise(self.rng, size)(self.points)], axis=-1)
            for size in (2_300, 6_000)
        )
        shaken = self.rng.uniform(-10, 10, self.points.shape)
        self.points = self.points + free * (70 * small + 150 * large + shaken)

    # -- what hangs on it

    @property
    def wet(self) -> npt.NDArray[np.bool_]:
        """(rows - 1, columns - 1) the quads that hold a river."""
        rows, columns = self.points.shape[:2]
        j, i = np.indices((rows - 1, columns - 1))
        beside = (i == self.river_column) | (i == self.river_column - 1)
        found: npt.NDArray[np.bool_] = beside & (j > self.river_row)
        found |= (j == self.river_row) | (j == self.river_row - 1)
        return found

    def ring(self, south: int, north: int, west: int, east: int) -> Floats:
        """(n, 2) the outline of the rectangle of lines from row `south` to `north`, column `west` to `east`."""
        p = self.points
        sides = (
            p[south, west:east],
            p[south:north, east],
            p[north, east:west:-1],
            p[north:south:-1, west],
            p[south : south + 1, west],
        )
        return np.concatenate(sides)

    def within(self, rows: Index, columns: Index, across: Floats, along: Floats) -> Floats:
        """(n, 2) places in quads: `across` and `along` from 0 to 1, eastwards and northwards."""
        p, s, t = self.points, np.asarray(across)[..., None], np.asarray(along)[..., None]
        south = p[rows, columns] * (1 - s) + p[rows, columns + 1] * s
        north = p[rows + 1, columns] * (1 - s) + p[rows + 1, columns + 1] * s
        found: Floats = south * (1 - t) + north * t
        return found

    def middles(self, values: Floats) -> Floats:
        """(rows - 1, columns - 1, …) means of the four corners."""
        found: Floats = (values[:-1, :-1] + values[1:, :-1] + values[:-1, 1:] + values[1:, 1:]) / 4
        return found


def coons(bottom: Floats, top: Floats, left: Floats, right: Floats) -> Floats:
    """(rows, columns, 2) a net between four lines that meet in their ends (a Coons patch)."""
    top, left, right = top.copy(), left.copy(), right.copy()
    left[0], right[0] = bottom[0], bottom[-1]
    left[-1], right[-1] = top[0], top[-1]
    s = np.linspace(0, 1, len(bottom))[None, :, None]
    t = np.linspace(0, 1, len(left))[:, None, None]
    ruled = bottom[None] * (1 - t) + top[None] * t + left[:, None] * (1 - s) + right[:, None] * s
    south, north = bottom[0] * (1 - s) + bottom[-1] * s, top[0] * (1 - s) + top[-1] * s
    found: Floats = ruled - south * (1 - t) - north * t
    return found


def angle(point: Floats) -> float:
    return float(np.arctan2(point[1], point[0]))


def meeting(one: Floats, other: Floats) -> shapely.Point:
    """Where two lines cross."""
    crossed = shapely.intersection(shapely.linestrings(one), shapely.linestrings(other))
    return shapely.get_point(crossed, 0) if crossed.geom_type == "LineString" else shapely.get_geometry(crossed, 0)


def length(line: Floats, river: River, first: float, last: float) -> float:
    """Metres from one share of a line of a river to another."""
    part = river.at(line, np.linspace(first, last, 200))
    return float(np.hypot(*np.diff(part, axis=0).T).sum())
