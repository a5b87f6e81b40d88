"""The live map: where the things of a type are now and how they are, as columns, and vector tiles of them.

Near by every thing is a point with its index as number; far out things are counted in squares. Who may see which of
them is decided outside: a mask over the columns, before anything is counted.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cheng.infrastructure.alert_book import AlertBook
from cheng.infrastructure.judges import Judges
from cheng.infrastructure.things import Things
from cheng.infrastructure.tile_cutting import Address
from cheng.infrastructure.tile_encoding import Column, Shapes, encode_layer, tile
from cheng.kernel.columns import Bools, Floats, Rows
from cheng.methods.tiles import BUFFER, EXTENT, cells, frame, in_tile, mercator

LAYER = "things"
NEAR = 13
"""The zoom from which on every thing is drawn by itself."""
FEW = 2_000
"""So many things in a tile are drawn by themselves at any zoom."""
CELL = 256
"""Units along a square in which things are counted."""
LOOK_AFTER = 1.0
"""Seconds after which the standing alerts are asked for again."""
WORST = [1, 2, 3, 4]
"""How bad an alert is: its place in the levels of rules."""


@dataclass(frozen=True, slots=True)
class Spots:
    """Some things of a type, as columns."""

    idx: Rows
    x: Floats
    """on the square of `methods.tiles`; NaN where nobody knows"""
    y: Floats
    level: Rows
    """how bad the worst of its standing alerts is, from 1; 0 without any"""
    owner: npt.NDArray[Any]
    """(n,) str, the department it belongs to"""

    def take(self, which: Bools | Rows) -> Self:
        """Those for which a mask is true, or those at these places."""
        return type(self)(self.idx[which], self.x[which], self.y[which], self.level[which], self.owner[which])

    def silent(self, heard: Bools) -> Self:
        """The same without the alerts that may not be heard: (n,) whether they may."""
        return type(self)(self.idx, self.x, self.y, np.where(heard, self.level, 0), self.owner)

    def within(self, box: tuple[float, float, float, float]) -> Self:
        """Those between the west, north, east and south edge on the square."""
        west, north, east, south = box
        return self.take((self.x >= west) & (self.x < east) & (self.y >= north) & (self.y < south))

    def tile(self, address: Address) -> bytes:
        """A tile, not compressed, of one layer: points with `level`, or squares with `count` and the worst `level`."""
        around = self.within(frame(*address, buffer=BUFFER))
        x, y = in_tile(*address, around.x, around.y)
        if address[0] >= NEAR or len(x) <= FEW:
            layer = encode_layer(LAYER, Shapes.points(x, y), {"level": Column(around.level - 1, WORST)}, around.idx)
        else:
            layer = _squares(x, y, around.level)
        return tile([layer] if layer else [])


class LiveMap:
    """Asks the register for places, the judging for positions of what moves, and the book for alerts that stand."""

    def __init__(self, things: Things, judges: Judges, alerts: AlertBook) -> None:
        self.things, self.judges, self.alerts = things, judges, alerts
        self._lock = threading.Lock()
        self._levels: Rows = np.zeros(0, np.intp)
        self._looked = -LOOK_AFTER

    def spots(self, type_name: str, track: str = "") -> Spots:
        """The things of a type that are in use, in the order of their slots; where they are by their `track` field, or
        by the register where there is none or it has not reported."""
        register = self.things.register(type_name)
        active = register.active()
        points = register.points()
        longitude, latitude = points[:, 0], points[:, 1]
        if track:
            longitude, latitude = self._moved(type_name, track, longitude, latitude)
        idx, owners = register.indexes(), register.owners()
        size = min(map(len, (active, longitude, idx, owners)))  # the register may just be growing
        x, y = mercator(longitude[:size], latitude[:size])
        found = Spots(idx[:size], x, y, self.levels()[idx[:size]], owners[:size])
        return found.take(active[:size] & ~np.isnan(x))

    def levels(self) -> Rows:
        """(things,) how bad the worst of the standing alerts of each thing is; a second old at the most."""
        with self._lock:
            now, size = time.monotonic(), len(self.things)
            if now - self._looked >= LOOK_AFTER or len(self._levels) < size:
                self._levels, self._looked = self.alerts.worst(size), now
            return self._levels

    def _moved(self, type_name: str, track: str, longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
        judge = self.judges.by_type[type_name]
        number = judge.register.columns()[track]
        values, latitudes = judge.now.value[number], judge.now.latitude[number]
        size = min(len(longitude), len(values))
        there = np.isfinite(values[:size]) & np.isfinite(latitudes[:size])
        longitude, latitude = longitude.copy(), latitude.copy()
        longitude[:size][there], latitude[:size][there] = values[:size][there], latitudes[:size][there]
        return longitude, latitude


def _squares(x: Floats, y: Floats, level: Rows) -> bytes:
    """Things counted in squares; each stands in the middle of what is in it."""
    inside = (x >= 0) & (x < EXTENT) & (y >= 0) & (y < EXTENT)
    x, y, level = x[inside], y[inside], level[inside]
    square = cells(x, y, CELL)
    size = (EXTENT // CELL) ** 2
    count = np.bincount(square, minlength=size)
    worst = np.zeros(size, np.intp)
    np.maximum.at(worst, square, level)
    there = np.flatnonzero(count)
    middle = (np.bincount(square, along, size)[there] / count[there] for along in (x, y))
    counts, codes = np.unique(count[there], return_inverse=True)
    said = {"count": Column(codes, counts.tolist()), "level": Column(worst[there] - 1, WORST)}
    return encode_layer(LAYER, Shapes.points(*middle), said)
