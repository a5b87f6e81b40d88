"""Grids for a city that has none: blocks between streets, large ones divided, small ones joined.

All lines, those of the streets, of the parent and of the division, are laid into one net whose nodes lie on a raster of
a tenth of a millimetre; grids are meshes of that net put together. So they leave no gap and do not overlap, whatever
the streets look like.
"""

import heapq
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from cheng.methods.grids import Plane, Shapes, borders

SIZE = 10_000.0
"""Square metres of a unit grid, about (GB/T 30428.1)."""
RASTER = 1e-4
"""Metres between places on which a node may lie."""
HALVINGS = 18
"""Steps to find where a line halves a block: to a quarter of a millionth of its length."""
SMALL, LARGE = 0.5, 2.0
"""A piece below this part of the size is joined to a neighbour, unless both would be above that."""


def cut(parent: Any, streets: Shapes, size: float = SIZE) -> Shapes:
    """Polygons that fill `parent` without a gap or an overlap, none above twice `size` square metres.

    `streets` (n,) are lines; ends that lead nowhere do not count. A grid is smaller than half of `size` only where the
    whole parent is, or where all its neighbours are large.
    """
    plane = Plane(*shapely.get_coordinates(shapely.centroid(parent))[0].tolist())
    whole = plane.metres(parent)
    shapely.prepare(whole)
    near = streets[shapely.intersects(whole, plane.metres(streets))] if len(streets) else streets
    net = noded([shapely.boundary(whole), *shapely.intersection(plane.metres(near), whole)])
    lines = [line for block in meshes(net, whole) for line in divisions(block, size)]
    pieces = meshes(noded([net, *lines]), whole)  # of the net, not of the streets: its lines are bent to their nodes
    found: Shapes = plane.degrees(joined(pieces, shapely.area(pieces), size, coverage=True))
    return found


def noded(lines: list[Any]) -> Any:
    """Lines as a net: they meet in nodes alone, and these lie on the raster."""
    return shapely.union_all(np.array(lines, object), grid_size=RASTER)


def meshes(net: Any, whole: Any) -> Shapes:
    """The meshes of a net that lie in `whole`."""
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    found: Shapes = faces[shapely.intersects(whole, shapely.point_on_surface(faces))]
    return found


def divisions(block: Any, size: float) -> Iterator[Any]:
    """Lines that divide a block into parts of about `size`, each across the longer side of what it divides."""
    left = [block]
    while left:
        piece = left.pop()
        count = round(piece.area / size)
        if count < 2:
            continue
        turn, middle = longer_side(piece), piece.centroid
        lying = turned(piece, -turn, middle)
        at = place_of(lying, count // 2 / count)
        west, south, east, north = lying.bounds
        line = shapely.linestrings([[at, south - 1], [at, north + 1]])
        yield turned(shapely.intersection(line, lying), turn, middle)
        for box in (shapely.box(west - 1, south - 1, at, north + 1), shapely.box(at, south - 1, east + 1, north + 1)):
            half = shapely.get_parts(shapely.intersection(lying, box))
            left += [turned(part, turn, middle) for part in half if shapely.get_dimensions(part) == 2]


def longer_side(piece: Any) -> float:
    """Radians from the east of the longer side of the least rectangle around a polygon."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(piece))
    if len(corners) < 4:
        return 0.0
    one, other = corners[1] - corners[0], corners[2] - corners[1]
    along = one if np.hypot(*one) >= np.hypot(*other) else other
    return float(np.arctan2(along[1], along[0]))


def turned(shape: Any, angle: float, around: Any) -> Any:
    """A geometry turned about a point."""
    middle = np.array([around.x, around.y])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return shapely.transform(shape, lambda points: (points - middle) @ turn + middle)


def place_of(lying: Any, share: float) -> float:
    """How far east a polygon has `share` of its area to the west."""
    west, south, east, north = lying.bounds
    wanted, low, high = lying.area * share, west, east
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if shapely.intersection(lying, shapely.box(west - 1, south - 1, middle, north + 1)).area < wanted:
            low = middle
        else:
            high = middle
    return float(low + high) / 2


def gathered(grids: Shapes, count: int) -> Shapes:
    """Adjacent grids put together to larger ones, of about `count` each."""
    areas = shapely.area(grids)
    return joined(grids, areas, float(areas.mean()) * count, coverage=False) if len(grids) else grids


def joined(pieces: Shapes, areas: Any, size: float, coverage: bool) -> Shapes:
    """Pieces put together until none is below half of `size`: the smallest first, with whom it borders longest.

    `coverage`: pieces that meet do so in the same nodes.
    """
    groups = grouped(areas, *borders(pieces), size)
    together = shapely.coverage_union_all if coverage else shapely.union_all
    found = np.empty(len(groups), object)
    for n, members in enumerate(groups):
        found[n] = single(together(pieces[members])) if len(members) > 1 else pieces[members[0]]
    return found


def single(shape: Any) -> Any:
    """The polygon in a collection of one."""
    held = shapely.get_parts(shape)
    return held[0] if len(held) == 1 else shape


def grouped(areas: Any, one: Any, other: Any, length: Any, size: float) -> list[list[int]]:
    """Which pieces go together; `one`, `other` and `length` say which share how long a border."""
    area = dict(enumerate(np.asarray(areas).tolist()))
    members: dict[int, list[int]] = {n: [n] for n in area}
    beside: dict[int, dict[int, float]] = {n: {} for n in area}
    for a, b, border in zip(one.tolist(), other.tolist(), length.tolist(), strict=True):
        beside[a][b] = beside[b][a] = border
    waiting = [(size_, n) for n, size_ in area.items()]
    heapq.heapify(waiting)
    while waiting and waiting[0][0] < SMALL * size:
        own, n = heapq.heappop(waiting)
        if area.get(n) != own:
            continue
        fitting = [m for m in beside[n] if own + area[m] <= LARGE * size]
        if not fitting:
            continue
        roomy = [m for m in fitting if own + area[m] <= (1 + SMALL) * size]
        into = max(roomy or fitting, key=lambda m: (beside[n][m], -m))
        for m, border in beside.pop(n).items():
            del beside[m][n]
            if m != into:
                beside[m][into] = beside[into][m] = beside[into].get(m, 0.0) + border
        area[into] += area.pop(n)
        members[into] += members.pop(n)
        heapq.heappush(waiting, (area[into], into))
    return list(members.values())
