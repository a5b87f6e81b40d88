"""Many points in many polygons: a lattice of cells that know which polygons they lie in, as machine code.

Most cells lie wholly in one polygon, and the answer is there. In the others the edges are asked by floating point with
a bound for its error; a point so near to an edge that rounding could decide is left to whoever reckons exactly.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Self, cast

import numba
import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

NONE, UNSURE = -1, -2
"""Of a point: no polygon holds it; whoever reckons exactly has to be asked."""
CELLS_EACH, LEAST_CELLS, MOST_CELLS = 16, 4_096, 1 << 21
ROUNDING = 4e-16
"""Above Shewchuk's bound (3 + 16e)e for the sign of a determinant of three points, e = 2^-53."""
EDGE_OF_CELL = 1e-6
"""Cells are told of edges that come nearer than this part of their width."""
POLYGONAL = (3, 6)
"""The type numbers of polygons and of several in one."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """As the kernels of `kernel.compiled`, which lies above; nothing from other files is laid into these."""
    return cast("Callable[..., Any]", numba.njit(cache=True, nogil=True)(function))


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is laid into kernels of this file; it makes no arrays of its own."""
    options: dict[str, Any] = {"nogil": True, "forceinline": True, "_nrt": False}
    return cast("Callable[..., Any]", numba.njit(**options)(function))


class Edges(NamedTuple):
    """Edges of polygons, one polygon after the other."""

    first: npt.NDArray[np.int64]
    """(polygons + 1,) where those of each begin"""
    x1: Floats
    y1: Floats
    x2: Floats
    y2: Floats

    @classmethod
    def of(cls, polygons: npt.NDArray[Any]) -> Self:
        """Of polygons, alone or several in one; other geometries have none."""
        parts, whose = shapely.get_parts(polygons, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        on = np.flatnonzero(ring[1:] == ring[:-1])
        of = whose[part[ring[on]]]
        first = np.searchsorted(of, np.arange(len(polygons) + 1))
        (x1, y1), (x2, y2) = points[on].T, points[on + 1].T
        return cls(first, *map(np.ascontiguousarray, (x1, y1, x2, y2)))


class Frame(NamedTuple):
    """Where the cells lie."""

    west: float
    south: float
    east: float
    north: float
    columns: int
    rows: int

    @classmethod
    def of(cls, polygons: npt.NDArray[Any]) -> Self:
        """About square cells, some for each polygon."""
        west, south, east, north = map(float, shapely.total_bounds(polygons))
        wide, high = max(east - west, 1e-9), max(north - south, 1e-9)
        cells = min(max(CELLS_EACH * len(polygons), LEAST_CELLS), MOST_CELLS)
        columns = min(max(1, round(math.sqrt(cells * wide / high))), cells)
        return cls(west, south, west + wide, south + high, columns, max(1, cells // columns))


class Lattice:
    """Polygons that are asked for many points at once. Immutable; safe to share between threads."""

    def __init__(self, polygons: npt.NDArray[Any]) -> None:
        """`polygons`: (n,) at least one, not empty; a geometry that is no polygon is always left to exact reckoning."""
        self.edges, self.frame = Edges.of(polygons), Frame.of(polygons)
        self.plain = np.isin(shapely.get_type_id(polygons), POLYGONAL)
        boxes = cells_of(shapely.bounds(polygons), self.frame)
        room = int(np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1).sum())
        cell, area, sure = np.zeros(room, np.int32), np.zeros(room, np.int32), np.zeros(room, np.bool_)
        count = fill(self.edges, self.frame, boxes, self.plain, cell, area, sure)
        order = np.argsort(cell[:count], kind="stable")
        self.start = np.searchsorted(cell[:count][order], np.arange(self.frame.columns * self.frame.rows + 1))
        self.area, self.sure = area[:count][order], sure[:count][order]

    def locate(self, x: Floats, y: Floats) -> Ints:
        """(n,) the first polygon that holds each point, its border included; NONE, or UNSURE."""
        found = np.empty(len(x), np.int32)
        find(self.edges, self.frame, self.plain, self.start, self.area, self.sure, x, y, found)
        return found


def cells_of(boxes: Floats, frame: Frame) -> npt.NDArray[np.int64]:
    """(n, 4) the first column and row and the last column and row that boxes (n, 4) touch."""
    wide, high = (frame.east - frame.west) / frame.columns, (frame.north - frame.south) / frame.rows
    scaled = (boxes - [frame.west, frame.south] * 2) / ([wide, high] * 2)
    scaled += np.array([-EDGE_OF_CELL, -EDGE_OF_CELL, EDGE_OF_CELL, EDGE_OF_CELL])
    return np.clip(np.floor(scaled), 0, [frame.columns - 1, frame.rows - 1] * 2).astype(np.int64)


@part
def touch(edges: Edges, frame: Frame, n: int, left: int, bottom: int, touched: npt.NDArray[np.bool_]) -> None:
    """Marks the cells that edges of polygon `n` come near to; `touched` begins at column `left`, row `bottom`."""
    wide, high = (frame.east - frame.west) / frame.columns, (frame.north - frame.south) / frame.rows
    rows, columns = touched.shape
    for e in range(edges.first[n], edges.first[n + 1]):
        x1, y1 = (edges.x1[e] - frame.west) / wide - left, (edges.y1[e] - frame.south) / high - bottom
        x2, y2 = (edges.x2[e] - frame.west) / wide - left, (edges.y2[e] - frame.south) / high - bottom
        low, most = min(y1, y2), max(y1, y2)
        first, last = math.floor(low - EDGE_OF_CELL), math.floor(most + EDGE_OF_CELL)
        for r in range(max(0, first), min(rows - 1, last) + 1):
            a, b = x1, x2
            if y1 != y2:
                share_a = (min(max(r - EDGE_OF_CELL, low), most) - y1) / (y2 - y1)
                share_b = (min(max(r + 1 + EDGE_OF_CELL, low), most) - y1) / (y2 - y1)
                a, b = x1 + (x2 - x1) * share_a, x1 + (x2 - x1) * share_b
            first, last = math.floor(min(a, b) - EDGE_OF_CELL), math.floor(max(a, b) + EDGE_OF_CELL)
            for c in range(max(0, first), min(columns - 1, last) + 1):
                touched[r, c] = True


@part
def holds(edges: Edges, n: int, px: float, py: float) -> int:
    """Whether polygon `n` holds a point: 1 or 0, UNSURE where rounding could decide."""
    inside = 0
    for e in range(edges.first[n], edges.first[n + 1]):
        ax, ay, bx, by = edges.x1[e], edges.y1[e], edges.x2[e], edges.y2[e]
        if (ay > py) != (by > py):
            one, other = (bx - ax) * (py - ay), (px - ax) * (by - ay)
            turn = one - other
            if abs(turn) <= ROUNDING * (abs(one) + abs(other)):
                return UNSURE
            if (turn > 0) == (by < ay):
                inside = 1 - inside
        elif (ay == py or by == py) and min(ax, bx) <= px <= max(ax, bx):
            return UNSURE
    return inside


@compiled
def fill(
    edges: Edges,
    frame: Frame,
    boxes: npt.NDArray[np.int64],
    plain: npt.NDArray[np.bool_],
    cell: Ints,
    area: Ints,
    sure: npt.NDArray[np.bool_],
) -> int:
    """Writes down which cells each polygon touches or covers, polygon by polygon; how many lines that are."""
    wide, high = (frame.east - frame.west) / frame.columns, (frame.north - frame.south) / frame.rows
    count = 0
    for n in range(len(boxes)):
        left, bottom, right, top = boxes[n]
        touched = np.full((top - bottom + 1, right - left + 1), not plain[n])
        touch(edges, frame, n, left, bottom, touched)
        for r in range(top - bottom + 1):
            inside = UNSURE
            for c in range(right - left + 1):
                if touched[r, c]:
                    inside = UNSURE
                elif inside == UNSURE:  # cells side by side that no edge touches are all inside or all outside
                    x, y = frame.west + (left + c + 0.5) * wide, frame.south + (bottom + r + 0.5) * high
                    inside = holds(edges, n, x, y)
                if inside != 0:
                    cell[count] = (bottom + r) * frame.columns + left + c
                    area[count], sure[count] = n, inside == 1
                    count += 1
    return count


@compiled
def find(
    edges: Edges,
    frame: Frame,
    plain: npt.NDArray[np.bool_],
    start: npt.NDArray[np.int64],
    area: Ints,
    sure: npt.NDArray[np.bool_],
    x: Floats,
    y: Floats,
    found: Ints,
) -> None:
    """Writes the first polygon that holds each point into `found`."""
    wide, high = (frame.east - frame.west) / frame.columns, (frame.north - frame.south) / frame.rows
    for i in range(len(x)):
        found[i] = NONE
        px, py = x[i], y[i]
        if not (px >= frame.west and px <= frame.east and py >= frame.south and py <= frame.north):
            continue
        column = min(int((px - frame.west) / wide), frame.columns - 1)
        row = min(int((py - frame.south) / high), frame.rows - 1)
        cell = row * frame.columns + column
        for k in range(start[cell], start[cell + 1]):
            n = area[k]
            there = 1 if sure[k] else holds(edges, n, px, py) if plain[n] else UNSURE
            if there != 0:
                found[i] = n if there == 1 else UNSURE
                break
