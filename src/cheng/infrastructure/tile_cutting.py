"""Lines and areas cut to a tile: clipped at its edges and a little beyond, with as much detail as its zoom can show."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from cheng.infrastructure.tile_encoding import LINE, POINT, POLYGON, Shapes, Word
from cheng.methods.tiles import BUFFER, EXTENT, frame, in_tile

SINGLE = {POINT: 0, LINE: 1, POLYGON: 3}
"""The type number that shapely has for one geometry of a kind."""
Address = tuple[int, int, int]
"""Zoom, column and row of a tile."""
Rows = npt.NDArray[np.int64]
SCREEN = 512
"""Pixels along the side of a tile, as MapLibre draws it."""
FINEST = 0.3
"""Pixels below which nobody sees where a line bends."""


class Drawn(NamedTuple):
    """Features of one layer for somebody who draws them himself, on the square of `methods.tiles`."""

    said: list[dict[str, Word]]
    geometry: npt.NDArray[Any]


def seen_in(geometries: npt.NDArray[Any], frame: tuple[float, float, float, float], zoom: float) -> tuple[Rows, Any]:
    """Which of the geometries (n,) on the square are seen in a part of it, and what is seen of them at a zoom."""
    found = shapely.clip_by_rect(geometries, *frame)
    found = shapely.simplify(found, FINEST / SCREEN / 2**zoom, preserve_topology=False)
    kept = np.flatnonzero(~shapely.is_empty(found))
    return kept, found[kept]


def cut(geometries: npt.NDArray[Any], kind: int, address: Address) -> tuple[Rows, Shapes]:
    """Which of the geometries (n,), valid ones on the square of `methods.tiles`, are seen in the tile, and their shapes
    in its units."""
    west, north, east, south = frame(*address, buffer=BUFFER)
    bounds = shapely.bounds(geometries)
    inside = (bounds[:, :2] >= (west, north)).all(axis=1) & (bounds[:, 2:] <= (east, south)).all(axis=1)
    found = geometries.copy()
    found[~inside] = shapely.clip_by_rect(geometries[~inside], west, north, east, south)
    if kind != POINT:
        found = shapely.simplify(found, 1 / EXTENT / (1 << address[0]), preserve_topology=False)
    return flat(found, kind, address)


def flat(geometries: npt.NDArray[Any], kind: int, address: Address) -> tuple[Rows, Shapes]:
    """The geometries as flat columns; what is left without a part of that kind is left out."""
    parts, whose = shapely.get_parts(geometries, return_index=True)
    fitting = (shapely.get_type_id(parts) == SINGLE[kind]) & ~shapely.is_empty(parts)
    parts, whose = parts[fitting], whose[fitting]
    outer = np.ones(len(parts), np.bool_)
    if kind == POLYGON:
        parts, of = shapely.get_rings(parts, return_index=True)
        whose, outer = whose[of], np.diff(of, prepend=-1) != 0
    vertices, ring = shapely.get_coordinates(parts, return_index=True)
    kept = np.unique(whose)
    x, y = in_tile(*address, vertices[:, 0], vertices[:, 1])
    return kept, Shapes(
        kind, x, y, _starts(ring, len(parts)), outer, np.append(np.searchsorted(whose, kept), len(whose))
    )


def _starts(groups: Rows, count: int) -> Rows:
    """(count + 1,) where each group begins among rows that are sorted by it."""
    return np.searchsorted(groups, np.arange(count + 1))
