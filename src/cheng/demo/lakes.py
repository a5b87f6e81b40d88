"""Reservoirs in the valleys at the edge of the city, and lakes in its parks."""

from typing import Any

import numpy as np
import shapely

from cheng.demo.expressways import Expressways
from cheng.demo.growth import Growth
from cheng.demo.names import Name
from cheng.demo.plane import Floats, inside_share
from cheng.demo.terrain import Terrain

RESERVOIRS, LAKES = 4, 3
NAMES = (
    Name("翠湖水库", "Cuihu Reservoir"),
    Name("龙潭水库", "Longtan Reservoir"),
    Name("松林水库", "Songlin Reservoir"),
    Name("团山水库", "Tuanshan Reservoir"),
    Name("莲花湖", "Lotus Lake"),
    Name("天鹅湖", "Swan Lake"),
    Name("镜月湖", "Mirror Moon Lake"),
)


class Lakes:
    """Polygons in metres, each with kind and name; none touches a river or an expressway."""

    def __init__(self, rng: np.random.Generator, terrain: Terrain, growth: Growth, ways: Expressways) -> None:
        self.shapes: list[Any] = []
        self.kinds: list[str] = []
        self.names: list[Name] = []
        lines = shapely.linestrings(np.stack([ways.points[ways.start], ways.points[ways.end]], axis=1))
        self._shore = [terrain.waters.shape, *lines]
        remote = [place for place in terrain.reservoirs if inside_share(place) < 0.9 and growth(place) < 0.35]
        for place in remote:
            if len(self.shapes) < RESERVOIRS:
                self._dig(rng, place, rng.uniform(190, 340), "reservoir", NAMES[len(self.shapes)])
        parks = growth.smaller + rng.uniform(450, 700, growth.smaller.shape) * rng.choice([-1, 1], growth.smaller.shape)
        for place in parks:
            if self.kinds.count("lake") < LAKES and terrain.river(place) > 700:
                self._dig(rng, place, rng.uniform(130, 210), "lake", NAMES[RESERVOIRS + self.kinds.count("lake")])

    def _dig(self, rng: np.random.Generator, place: Floats, size: float, kind: str, name: Name) -> None:
        turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        first, second, third = rng.uniform(0, 2 * np.pi, 3)
        ragged = 0.22 * np.sin(2 * turn + first) + 0.13 * np.sin(3 * turn + second) + 0.07 * np.sin(6 * turn + third)
        shore = np.stack([np.cos(turn), 0.75 * np.sin(turn)], axis=1) * (size * (1 + ragged))[:, None]
        shape = shapely.polygons(place + shore)
        if shapely.distance(shape, np.array([*self._shore, *self.shapes])).min() > 120:
            self.shapes.append(shape)
            self.kinds.append(kind)
            self.names.append(name)
