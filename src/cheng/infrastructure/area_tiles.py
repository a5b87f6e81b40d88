"""Boundaries of areas as vector tiles: layers `areas`, and `area_names` with a point inside each."""

import threading
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from cheng.infrastructure.things import AREA_LEVELS, Things
from cheng.infrastructure.tile_cutting import Address, cut
from cheng.infrastructure.tile_encoding import POINT, POLYGON, Column, encode_layer, tile
from cheng.kernel.columns import Bools, Rows
from cheng.methods.tiles import BUFFER, frame, mercator
from cheng.standards.areas import AreaIndex

FROM = {"district": 0, "street": 10, "community": 12, "grid": 14}
"""The zoom from which on areas of a level are drawn."""
Box = tuple[float, float, float, float]


class Projected(NamedTuple):
    """The areas of one index, on the square of `methods.tiles`."""

    of: AreaIndex
    idx: Rows
    outline: npt.NDArray[np.object_]
    middle: npt.NDArray[np.object_]
    level: Rows
    names: list[str]


class AreaTiles:
    """Asks the register for areas; keeps them projected until they change."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self._lock = threading.Lock()
        self._projected: Projected | None = None

    def bounds(self) -> Box | None:
        """West, south, east and north of all areas, in degrees; None where there are none."""
        index = self.things.area_index()
        if index is None:
            return None
        west, south, east, north = map(float, shapely.total_bounds(index.polygons))
        return west, south, east, north

    def tile(self, address: Address, seen: Bools | None = None) -> bytes:
        """The tile, not compressed; `seen` (things,) says by index which areas may be drawn, None: all."""
        known = self._areas()
        if known is None:
            return b""
        drawn = np.array([FROM[level] <= address[0] for level in AREA_LEVELS])[known.level]
        drawn &= shapely.intersects(known.outline, shapely.box(*frame(*address, buffer=BUFFER)))
        if seen is not None:
            drawn &= seen[known.idx]
        rows = np.flatnonzero(drawn)
        layers = []
        for name, kind, shapes in (("areas", POLYGON, known.outline), ("area_names", POINT, known.middle)):
            kept, cut_out = cut(shapes[rows], kind, address)
            at = rows[kept]
            said = {"level": Column(known.level[at], AREA_LEVELS), "name": Column(at, known.names)}
            layers.append(encode_layer(name, cut_out, said, known.idx[at]))
        return tile(layer for layer in layers if layer)

    def _areas(self) -> Projected | None:
        index = self.things.area_index()
        with self._lock:
            if index is None or self._projected is None or self._projected.of is not index:
                self._projected = None if index is None else self._project(index)
            return self._projected

    def _project(self, index: AreaIndex) -> Projected:
        areas = [self.things.find(name) for name in index.ids]
        outline = shapely.transform(index.polygons, lambda at: np.stack(mercator(at[:, 0], at[:, 1]), axis=1))
        level = np.array([AREA_LEVELS.index(_level(area.properties)) for area in areas if area], np.intp)
        idx = np.array([area.idx for area in areas if area], np.intp)
        names = [area.name or area.id for area in areas if area]
        return Projected(index, idx, outline, shapely.point_on_surface(outline), level, names)


def _level(properties: dict[str, object]) -> str:
    return str(properties.get("level", "grid"))
