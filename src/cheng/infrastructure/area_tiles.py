"""Areas as vector tiles: `areas`, what can be pointed at, `borders`, each line once, however many areas meet there, and
`area_names`, a point inside each. Close in also `unit_borders` and `unit_names`: the finer classes of grids."""

import itertools
import threading
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import shapely

from cheng.infrastructure.area_lookup import level_of
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.things import Things
from cheng.infrastructure.tile_cutting import Address, Drawn, cut, seen_in
from cheng.infrastructure.tile_encoding import LINE, POINT, POLYGON, Column, encode_layer, tile
from cheng.kernel.columns import Bools, Rows
from cheng.kernel.house import AREA_LEVELS, FINE_LEVELS, UNIT
from cheng.methods.tiles import BUFFER, frame, mercator
from cheng.standards.areas import AreaIndex
from cheng.standards.places import from_geojson

FROM = (0, 8, 10, 12)
"""The zoom from which on areas of each level are in the tiles; a style draws them from where it likes."""
UNITS_FROM = 15
"""The zoom from which on unit grids are: further out they would be a grey."""
NUMBER = 3
"""Digits of a unit grid's code that tell it from its neighbours."""
DETAIL = 1000
"""An outline by itself shows what is larger than this part of its width."""
MICRODEGREE = 1e-6
Box = tuple[float, float, float, float]
Shapes = npt.NDArray[np.object_]


class Projected(NamedTuple):
    """Areas on the square of `methods.tiles`."""

    idx: Rows
    level: Rows
    outline: Shapes
    ids: list[str]
    names: list[str]
    borders: Shapes
    """(levels,) the lines between areas of a level that are not those of a higher one"""

    @classmethod
    def of(cls, idx: Rows, level: Rows, outline: Shapes, ids: list[str], names: list[str]) -> Self:
        borders = np.full(len(AREA_LEVELS), shapely.MultiLineString(), object)
        drawn = shapely.MultiLineString()
        for number in range(len(AREA_LEVELS)):
            lines = shapely.union_all(shapely.boundary(outline[level == number]))
            borders[number] = shapely.line_merge(shapely.difference(lines, drawn))
            drawn = shapely.union(drawn, lines)
        return cls(idx, level, outline, ids, names, borders)

    def only(self, seen: Bools) -> Self:
        """Those of the areas for which a mask (areas,) is true."""
        if seen.all():
            return self
        ids, names = (list(itertools.compress(words, seen.tolist())) for words in (self.ids, self.names))
        return self.of(self.idx[seen], self.level[seen], self.outline[seen], ids, names)


class Fine(NamedTuple):
    """Unit grids and evaluation grids on the square of `methods.tiles`."""

    idx: Rows
    level: Rows
    outline: Shapes
    names: list[str]

    def layers(self, address: Address, seen: Bools | None) -> list[bytes]:
        """What a tile shows of them; lines of those that meet are drawn once."""
        near = shapely.intersects(self.outline, shapely.box(*frame(*address, buffer=BUFFER)))
        rows = np.flatnonzero(near if seen is None else near & seen[self.idx])
        drawn = np.unique(self.level[rows])
        edges = shapely.boundary(self.outline[rows])
        lines = np.array([shapely.union_all(edges[self.level[rows] == level]) for level in drawn], object)
        which, drawn_lines = cut(lines, LINE, address)
        kept, points = cut(shapely.point_on_surface(self.outline[rows]), POINT, address)
        at = rows[kept]
        said = {"level": Column(self.level[at], FINE_LEVELS), "name": Column(at, self.names)}
        levels = {"level": Column(drawn[which], FINE_LEVELS)}
        return [
            encode_layer("unit_borders", drawn_lines, levels),
            encode_layer("unit_names", points, said, self.idx[at]),
        ]

    def drawn(self, frame: Box, zoom: float, seen: Bools | None) -> dict[str, Drawn]:
        """The same for a part of the square."""
        near = shapely.intersects(self.outline, shapely.box(*frame))
        rows = np.flatnonzero(near if seen is None else near & seen[self.idx])
        levels = np.unique(self.level[rows])
        edges = shapely.boundary(self.outline[rows])
        lines = np.array([shapely.union_all(edges[self.level[rows] == level]) for level in levels], object)
        return {
            "unit_borders": cut_out([{"level": FINE_LEVELS[level]} for level in levels], lines, frame, zoom),
            "unit_names": cut_out(
                [{"level": FINE_LEVELS[self.level[row]], "name": self.names[row]} for row in rows],
                shapely.point_on_surface(self.outline[rows]),
                frame,
                zoom,
            ),
        }


class AreaTiles:
    """Asks the register for areas; keeps them projected until they change."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self._lock = threading.Lock()
        self._of: AreaIndex | None = None
        self._areas: Projected | None = None
        self._of_fine: AreaIndex | None = None
        self._fine: Fine | None = None

    def bounds(self) -> Box | None:
        """West, south, east and north of all areas, in degrees; None where there are none."""
        index = self.things.area_index()
        if index is None:
            return None
        west, south, east, north = map(float, shapely.total_bounds(index.polygons))
        return west, south, east, north

    def tile(self, address: Address, seen: Bools | None = None) -> bytes:
        """The tile, not compressed; `seen` (things,) says by index which areas may be drawn, None: all."""
        areas, fine = self._projected(), self._projected_fine() if address[0] >= UNITS_FROM else None
        closest = fine.layers(address, seen) if fine is not None else []
        if areas is None:
            return tile(layer for layer in closest if layer)
        if seen is not None:
            areas = areas.only(seen[areas.idx])
        shown = np.array(FROM) <= address[0]
        levels, lines = cut(areas.borders[shown], LINE, address)
        layers = [encode_layer("borders", lines, {"level": Column(levels, AREA_LEVELS)})]
        near = shapely.intersects(areas.outline, shapely.box(*frame(*address, buffer=BUFFER)))
        rows = np.flatnonzero(shown[areas.level] & near)
        kept, shapes = cut(areas.outline[rows], POLYGON, address)
        at = rows[kept]
        layers.append(encode_layer("areas", shapes, words_of(areas, at), areas.idx[at]))
        kept, points = cut(shapely.point_on_surface(areas.outline[rows]), POINT, address)
        at = rows[kept]
        said = {**words_of(areas, at), "name": Column(at, areas.names)}
        layers.append(encode_layer("area_names", points, said, areas.idx[at]))
        return tile(layer for layer in (*layers, *closest) if layer)

    def drawn(self, frame: Box, zoom: float, seen: Bools | None = None) -> dict[str, Drawn]:
        """By layer, what is seen at a zoom in a part of the square: west, north, east, south. `seen` as for `tile`."""
        areas, fine = self._projected(), self._projected_fine() if zoom >= UNITS_FROM else None
        found = fine.drawn(frame, zoom, seen) if fine is not None else {}
        if areas is None:
            return found
        if seen is not None:
            areas = areas.only(seen[areas.idx])
        rows = np.flatnonzero(shapely.intersects(areas.outline, shapely.box(*frame)))
        names = [{"level": AREA_LEVELS[areas.level[row]], "name": areas.names[row]} for row in rows]
        points = shapely.point_on_surface(areas.outline[rows])
        levels = [{"level": level} for level in AREA_LEVELS]
        return found | {
            "borders": cut_out(levels, areas.borders, frame, zoom),
            "area_names": cut_out(names, points, frame, zoom),
        }

    def _projected_fine(self) -> Fine | None:
        index = self.things.lookup.fine()
        if index is None:
            return None
        with self._lock:
            if self._of_fine is not index:
                found = [thing for thing in map(self.things.find, index.ids) if thing is not None]
                level = np.array([FINE_LEVELS.index(level_of(grid)) for grid in found], np.intp)
                idx = np.array([grid.idx for grid in found], np.intp)
                self._fine = Fine(idx, level, projected(index.polygons), list(map(called, found)))
                self._of_fine = index
            return self._fine

    def _projected(self) -> Projected | None:
        index = self.things.area_index()
        if index is None:
            return None
        with self._lock:
            if self._of is not index:
                found = [thing for thing in map(self.things.find, index.ids) if thing is not None]
                outline = projected(index.polygons)
                level = [AREA_LEVELS.index(level_of(area)) for area in found]
                idx = np.array([area.idx for area in found], np.intp)
                names = [area.name or area.id for area in found]
                ids, levels = [area.id for area in found], np.array(level, np.intp)
                self._of, self._areas = index, Projected.of(idx, levels, outline, ids, names)
            return self._areas


def projected(shapes: Shapes) -> Shapes:
    """Shapes in degrees, on the square of `methods.tiles`."""
    found: Shapes = shapely.transform(shapes, lambda at: np.stack(mercator(at[:, 0], at[:, 1]), axis=1))
    return found


def cut_out(said: list[dict[str, Any]], shapes: Shapes, frame: Box, zoom: float) -> Drawn:
    kept, seen = seen_in(shapes, frame, zoom)
    return Drawn([said[row] for row in kept], seen)


def called(grid: Thing) -> str:
    """What the map writes into a grid: of a unit grid its number in the community."""
    return str(grid.properties.get("code") or "")[-NUMBER:] if level_of(grid) == UNIT else grid.name or grid.id


def words_of(areas: Projected, rows: Rows) -> dict[str, Column]:
    """What tiles say of some of the areas."""
    return {"level": Column(areas.level[rows], AREA_LEVELS), "area": Column(rows, areas.ids)}


def outline_of(area: Thing) -> dict[str, Any] | None:
    """The GeoJSON geometry of an area, no finer than a screen shows it whole; None where it has no boundary."""
    if area.geometry is None:
        return None
    shape = from_geojson(area.geometry)
    west, south, east, north = shape.bounds
    shape = shapely.simplify(shape, max(east - west, north - south) / DETAIL)
    found: dict[str, Any] = shapely.geometry.mapping(shapely.set_precision(shape, MICRODEGREE, "pointwise"))
    return found
