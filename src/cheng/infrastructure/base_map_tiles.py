"""Features of a base map, projected and indexed, and the tiles made of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from cheng.infrastructure.tile_cutting import Address, Drawn, cut, seen_in
from cheng.infrastructure.tile_encoding import LINE, POINT, POLYGON, Column, Word, encode_layer, tile
from cheng.methods.tiles import BUFFER, degrees, frame, mercator
from cheng.standards.base_map import GROUND, LAYERS, Features

DETAILED = 14
"""The deepest zoom that has tiles of its own, in which everything is; browsers enlarge them for what is deeper."""
KINDS = {"point": POINT, "line": LINE, "polygon": POLYGON}
Rows = npt.NDArray[np.int64]
Box = tuple[float, float, float, float]


class Indexed:
    """Features made ready for drawing. Immutable; safe to share between threads."""

    def __init__(self, features: Features) -> None:
        order = np.lexsort((255 - features.rank.astype(np.int64), features.level))
        features = features.take(order)
        self.rank = features.rank
        self.geometry = shapely.transform(features.geometry, _projected)
        self._tree = shapely.STRtree(self.geometry)
        self._layer = np.array([*map(list(LAYERS).index, features.layer)], np.int64)
        self._columns = {name: _coded(getattr(features, name), "") for name in ("kind", "name", "name_en")}
        self._columns["rank"] = Column(features.rank, list(range(256)))
        self._columns["level"] = _coded(features.level, GROUND)
        self._columns["height"] = _coded(np.round(features.height, 1), np.nan)

    def bounds(self) -> Box | None:
        """West, south, east and north in degrees; None where there is nothing."""
        if not len(self.geometry):
            return None
        left, top, right, bottom = shapely.total_bounds(self.geometry)
        (west, east), (north, south) = degrees([left, right], [top, bottom])
        return float(west), float(south), float(east), float(north)

    def within(self, layer: str, kinds: Sequence[str], box: Sequence[float]) -> npt.NDArray[Any]:
        """(n,) what of some kinds of a layer touches west, south, east and north, all of it in degrees."""
        west, south, east, north = box
        (left, right), (bottom, top) = mercator([west, east], [south, north])
        rows = np.sort(self._tree.query(shapely.box(left, top, right, bottom), predicate="intersects"))
        kind = self._columns["kind"]
        wanted = [number for number, word in enumerate(kind.words) if word in kinds]
        rows = rows[(self._layer[rows] == list(LAYERS).index(layer)) & np.isin(kind.codes[rows], wanted)]
        found: npt.NDArray[Any] = shapely.transform(self.geometry[rows], _back)
        return found

    def drawn(self, frame: Box, zoom: float) -> dict[str, Drawn]:
        """What of each layer is seen in west, north, east and south of the square at a zoom."""
        rows = np.sort(self._tree.query(shapely.box(*frame)))
        if zoom < DETAILED:
            rows = rows[self.rank[rows] <= int(zoom)]
        numbers = self._layer[rows]
        return {name: self._cut(rows[numbers == number], frame, zoom) for number, name in enumerate(LAYERS)}

    def _cut(self, rows: Rows, frame: Box, zoom: float) -> Drawn:
        kept, shapes = seen_in(self.geometry[rows], frame, zoom)
        columns = [(key, *column) for key, column in self._columns.items()]
        said = [{k: words[codes[row]] for k, codes, words in columns if codes[row] >= 0} for row in rows[kept]]
        return Drawn(said, shapes)

    def tile(self, address: Address) -> bytes:
        """The tile, not compressed; b"" where there is nothing to draw."""
        rows = np.sort(self._tree.query(shapely.box(*frame(*address, buffer=BUFFER))))
        if address[0] < DETAILED:
            rows = rows[self.rank[rows] <= address[0]]
        numbers = self._layer[rows]
        layers = [self._encoded(name, rows[numbers == number], address) for number, name in enumerate(LAYERS)]
        return tile(layer for layer in layers if layer)

    def _encoded(self, name: str, rows: Rows, address: Address) -> bytes:
        """One layer of the tile."""
        layer = LAYERS[name]
        kept, shapes = cut(self.geometry[rows], KINDS[layer.shape], address)
        said = {key: self._columns[key] for key in ("kind", "name", "name_en", "rank", *layer.carries)}
        return encode_layer(name, shapes, {key: Column(c.codes[rows[kept]], c.words) for key, c in said.items()})


def _projected(vertices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack(mercator(vertices[:, 0], vertices[:, 1]), axis=1)


def _back(vertices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack(degrees(vertices[:, 0], vertices[:, 1]), axis=1)


def _coded(values: npt.NDArray[Any], nothing: Word) -> Column:
    """A column of the different words in it; -1 for what is `nothing`."""
    known = values == values if nothing != nothing else values != nothing
    encoded = pa.array(values, mask=~known.astype(np.bool_)).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    words: list[Word] = encoded.dictionary.to_pylist()
    return Column(codes, words)
