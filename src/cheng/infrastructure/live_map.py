"""The live map: where things are now and how they are, as columns, and vector tiles of them.

Near by every thing is a point with its index as number. Far out they are a glow, the brighter the more there are, and
those with an alert stand out of it: each by itself, or counted in squares where they are too many. Who may see which of
them is decided outside: a mask over the columns, before anything is counted.
"""

import threading
import time
from collections.abc import Sequence
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

THINGS, SQUARES, GLOW = "things", "squares", "glow"
"""Layers of a tile."""
NEAR = 16
"""The zoom from which on every thing is drawn by itself."""
FEW = 2_000
"""So many things in a tile are drawn by themselves at any zoom: more would cover each other."""
FEW_ALERTS = 200
"""So many with an alert are drawn by themselves above a glow."""
WIDE, NARROW = 512, 64
"""Units along a square in which alerts are counted, and along one of the glow."""
LOOK_AFTER = 1.0
"""Seconds after which the standing alerts are asked for again, and tiles that many readers share are drawn again."""
SHARED = 512
"""Tiles that are kept for so long."""
WORST = [1, 2, 3, 4]
"""How bad an alert is: its place in the levels of rules."""


@dataclass(frozen=True, slots=True)
class Spots:
    """Some things, as columns."""

    idx: Rows
    x: Floats
    """on the square of `methods.tiles`; NaN where nobody knows"""
    y: Floats
    level: Rows
    """how bad the worst of its standing alerts is, from 1; 0 without any"""
    owner: npt.NDArray[Any]
    """(n,) str, the department it belongs to"""
    type: Rows
    """(n,) the number of its type"""

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """All of them, one part after the other; there has to be one."""
        columns = ("idx", "x", "y", "level", "owner", "type")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))

    def take(self, which: Bools | Rows) -> Self:
        """Those for which a mask is true, or those at these places."""
        some = (self.idx[which], self.x[which], self.y[which], self.level[which], self.owner[which], self.type[which])
        return type(self)(*some)

    def with_levels(self, levels: Rows) -> Self:
        """The same with the alerts as they stand: (things,) levels by index."""
        return type(self)(self.idx, self.x, self.y, levels[self.idx], self.owner, self.type)

    def silent(self, heard: Bools) -> Self:
        """The same without the alerts that may not be heard: (n,) whether they may."""
        return type(self)(self.idx, self.x, self.y, np.where(heard, self.level, 0), self.owner, self.type)

    def within(self, box: tuple[float, float, float, float]) -> Self:
        """Those between the west, north, east and south edge on the square."""
        west, north, east, south = box
        inside = (self.x >= west) & (self.x < east) & (self.y >= north) & (self.y < south)
        return self.take(np.flatnonzero(inside))  # few of very many: quicker than by the mask

    def tile(self, address: Address, types: Sequence[str]) -> bytes:
        """A tile, not compressed; `types` are the names by their numbers.

        Layers: `things`, points with `type` and the worst `level`; `glow`, squares with their `count` of things;
        `squares`, squares with the `count` and the worst `level` of things with an alert.
        """
        around = self.within(frame(*address, buffer=BUFFER))
        if address[0] >= NEAR or len(around.idx) <= FEW:
            return tile(filter(None, [around._points(address, types)]))
        bad = around.take(np.flatnonzero(around.level))
        above = bad._points(address, types) if len(bad.idx) <= FEW_ALERTS else bad._squares(address, SQUARES, WIDE)
        return tile(filter(None, [around._squares(address, GLOW, NARROW), above]))

    def _points(self, address: Address, types: Sequence[str]) -> bytes:
        shapes = Shapes.points(*in_tile(*address, self.x, self.y))
        said = {"type": Column(self.type, types), "level": Column(self.level - 1, WORST)}
        return encode_layer(THINGS, shapes, said, self.idx)

    def _squares(self, address: Address, name: str, side: int) -> bytes:
        """Things counted in squares of `side` units; each stands in the middle of what is in it."""
        x, y = in_tile(*address, self.x, self.y)
        inside = (x >= 0) & (x < EXTENT) & (y >= 0) & (y < EXTENT)
        x, y, level = x[inside], y[inside], self.level[inside]
        square = cells(x, y, side)
        size = (EXTENT // side) ** 2
        count = np.bincount(square, minlength=size)
        there = np.flatnonzero(count)
        middle = (np.bincount(square, along, size)[there] / count[there] for along in (x, y))
        counts, codes = np.unique(count[there], return_inverse=True)
        said = {"count": Column(codes, counts.tolist())}
        if name == SQUARES:
            worst = np.zeros(size, np.intp)
            np.maximum.at(worst, square, level)
            said["level"] = Column(worst[there] - 1, WORST)
        return encode_layer(name, Shapes.points(*middle), said)


class LiveMap:
    """Asks the register for places, the judging for positions of what moves, and the book for alerts that stand."""

    def __init__(self, things: Things, judges: Judges, alerts: AlertBook) -> None:
        self.things, self.judges, self.alerts = things, judges, alerts
        self._lock = threading.Lock()
        self._levels: Rows = np.zeros(0, np.intp)
        self._looked = -LOOK_AFTER
        self._kept: dict[str, tuple[Bools, Spots]] = {}
        self._drawing = threading.Lock()
        self._drawn: dict[tuple[Address, Sequence[tuple[str, str]]], tuple[float, bytes]] = {}

    def tile(self, address: Address, types: tuple[tuple[str, str], ...]) -> bytes:
        """A tile of the things of some types, each with its track field or "", for who may see them all with all their
        alerts: a hundred walls that hear of the same change have it drawn once."""
        key = (address, types)
        with self._drawing:
            drawn, now = self._drawn.get(key), time.monotonic()
            if drawn is None or now - drawn[0] >= LOOK_AFTER:
                if len(self._drawn) >= SHARED:
                    self._drawn.clear()
                box = frame(*address, buffer=BUFFER)
                parts = [self.spots(name, track).within(box) for name, track in types]
                drawn = self._drawn[key] = now, Spots.concat(parts).tile(address, self.things.types)
            return drawn[1]

    def spots(self, type_name: str, track: str = "") -> Spots:
        """The things of a type that are in use, in the order of their slots; where they are by their `track` field, or
        by the register where there is none or it has not reported."""
        placed = self._moved(type_name, track) if track else self._standing(type_name)
        return placed.with_levels(self.levels())

    def _standing(self, type_name: str) -> Spots:
        """Where the register says that they are; worked out anew only when the register has changed."""
        register = self.things.register(type_name)
        known, active = self._kept.get(type_name), register.active()
        if known is None or known[0] is not active:
            points = register.points()
            known = self._kept[type_name] = active, self._in_use(type_name, active, points[:, 0], points[:, 1])
        return known[1]

    def levels(self) -> Rows:
        """(things,) how bad the worst of the standing alerts of each thing is; a second old at the most."""
        with self._lock:
            now, size = time.monotonic(), len(self.things)
            if now - self._looked >= LOOK_AFTER or len(self._levels) < size:
                self._levels, self._looked = self.alerts.worst(size), now
            return self._levels

    def _moved(self, type_name: str, track: str) -> Spots:
        register, judge = self.things.register(type_name), self.judges.by_type[type_name]
        longitude, latitude = register.points().T
        number = judge.register.columns()[track]
        values, latitudes = judge.now.value[number], judge.now.latitude[number]
        size = min(len(longitude), len(values))
        there = np.isfinite(values[:size]) & np.isfinite(latitudes[:size])
        longitude, latitude = longitude.copy(), latitude.copy()
        longitude[:size][there], latitude[:size][there] = values[:size][there], latitudes[:size][there]
        return self._in_use(type_name, register.active(), longitude, latitude)

    def _in_use(self, type_name: str, active: Bools, longitude: Floats, latitude: Floats) -> Spots:
        register = self.things.register(type_name)
        idx, owners = register.indexes(), register.owners()
        size = min(map(len, (active, longitude, idx, owners)))  # the register may just be growing
        x, y = mercator(longitude[:size], latitude[:size])
        kind = np.full(size, self.things.types.index(type_name))
        found = Spots(idx[:size], x, y, np.zeros(size, np.intp), owners[:size], kind)
        return found.take(active[:size] & ~np.isnan(x))
