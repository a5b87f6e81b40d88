"""How densely the invented city is built: two centres, smaller ones about them, ribbons along the rivers, no ridges."""

import numpy as np

from cheng.demo.plane import HALF, Floats, Noise, inside_share, smooth
from cheng.demo.terrain import HIGH, Terrain

BUILT = 0.30
"""From this density on people live and work there."""


class Growth:
    """Density, 0 (nothing) to 1 (towers), anywhere."""

    def __init__(self, rng: np.random.Generator, terrain: Terrain) -> None:
        self.terrain = terrain
        mouth = terrain.waters.clear.middle[-1]
        self.centres = mouth + np.array([(-1_500.0, 1_500.0), (1_700.0, 3_900.0)]) + rng.uniform(-300, 300, (2, 2))
        """(2, 2) the middles of the old centre, between the rivers, and of the new one"""
        self.smaller = self._smaller(rng)
        """(n, 2) the middles of the smaller centres"""
        self.uneven = Noise(rng, 2_000)

    def _smaller(self, rng: np.random.Generator) -> Floats:
        """Places that lie low and far from each other and from the centres."""
        tried = rng.uniform(-0.78, 0.78, (160, 2)) * HALF
        tried = tried[(self.terrain.height(tried) < 290) & (self.terrain.river(tried) > 700)]
        found = list(self.centres)
        for place in tried:
            if len(found) < 11 and all(np.hypot(*(place - other)) > 2_900 for other in found):
                found.append(place)
        return np.array(found[2:])

    def __call__(self, points: Floats) -> Floats:
        """(…) of points (…, 2)."""

        def near(centre: Floats, reach: float) -> Floats:
            nearness: Floats = np.exp(-(((points - centre) / reach) ** 2).sum(axis=-1))
            return nearness

        old, new = (near(centre, 2_700) for centre in self.centres)
        found = 1 - (1 - 0.95 * old) * (1 - 0.9 * new)
        for centre in self.smaller:
            found = 1 - (1 - found) * (1 - 0.62 * near(centre, 1_350))
        out = inside_share(points)
        along = np.exp(-(((self.terrain.river(points) - 500) / 1_000) ** 2)) * smooth((1.05 - out) / 0.7)
        spread = 0.40 * smooth((0.92 - out) / 0.4)
        found = 1 - (1 - found) * (1 - 0.42 * along) * (1 - spread)
        found = found + 0.13 * self.uneven(points)
        steep = smooth((self.terrain.height(points) - (HIGH - 55)) / 60)
        built: Floats = np.clip(found * (1 - 0.9 * steep), 0, 1) * smooth((1 - out) / 0.05)
        return built
