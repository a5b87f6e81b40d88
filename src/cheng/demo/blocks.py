"""What the ground is used for, block by block: homes, shops, works, schools; parks, woods and fields."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.areas import Areas
from cheng.demo.growth import BUILT, Growth
from cheng.demo.lattice import Index, Lattice
from cheng.demo.plane import Floats, Noise
from cheng.demo.terrain import HIGH, Terrain

USES = ("", "residential", "commercial", "industrial", "education", "health", "civic", "park")
NOTHING, HOMES, SHOPS, WORKS, EDUCATION, HEALTH, CIVIC, PARK = range(len(USES))
WOODED = HIGH - 8
"""Metres above the sea from which there is nothing but wood."""
STREET = 11.0
"""Metres from the middle of a street to where blocks begin."""


class Blocks:
    """The use of each quad of the lattice, and the polygons of what is used alike."""

    def __init__(
        self, rng: np.random.Generator, lattice: Lattice, terrain: Terrain, areas: Areas, density: Floats, lakes: Index
    ) -> None:
        """`density`: (rows - 1, columns - 1) of each quad; `lakes`: polygons, metres."""
        self.rng, self.lattice, self.areas, self.density = rng, lattice, areas, density
        self.middles = lattice.middles(lattice.points)
        p = lattice.points
        self.quads = shapely.polygons(np.stack([p[:-1, :-1], p[:-1, 1:], p[1:, 1:], p[1:, :-1]], axis=2))
        """(rows - 1, columns - 1) polygons, metres"""
        drowned = shapely.STRtree(self.quads.ravel()).query(shapely.buffer(lakes, 12), predicate="intersects")[1]
        self.dry = ~lattice.wet
        self.dry.ravel()[drowned] = False
        self.built = self.dry & (density > BUILT) & (terrain.height(self.middles) < HIGH - 15)
        self.use = self._uses()

    def _uses(self) -> npt.NDArray[np.int8]:
        """One use for all that is built in a grid."""
        grid = self.areas.of["grid"]
        count = len(self.areas.levels["grid"])
        share = np.bincount(grid.ravel(), self.built.ravel(), count) / np.bincount(grid.ravel(), minlength=count)
        dense = np.bincount(grid.ravel(), self.density.ravel(), count) / np.bincount(grid.ravel(), minlength=count)
        place = (
            np.stack([np.bincount(grid.ravel(), self.middles[..., n].ravel(), count) for n in (0, 1)], axis=1)
            / np.bincount(grid.ravel(), minlength=count)[:, None]
        )
        luck, works = self.rng.random(count), Noise(self.rng, 5_200)(place)
        use = np.full(count, HOMES, np.int8)
        use[luck > 0.80] = SHOPS
        for kind, below in ((PARK, 0.15), (CIVIC, 0.095), (HEALTH, 0.075), (EDUCATION, 0.055)):
            use[luck < below] = kind
        use[(works > 0.42) & (dense < 0.62) & (luck > 0.15)] = WORKS
        use[(dense > 0.80) & (luck > 0.42)] = SHOPS
        use[(share < 0.25) & (use == PARK)] = HOMES
        return np.where(self.built, use[grid], NOTHING).astype(np.int8)

    def polygons(self) -> Iterator[tuple[int, Any]]:
        """(use, polygon in metres) of what is built in each grid."""
        rows = np.flatnonzero(self.use)
        rows = rows[np.argsort(self.areas.of["grid"].ravel()[rows], kind="stable")]
        bounds = np.flatnonzero(np.diff(self.areas.of["grid"].ravel()[rows])) + 1
        shapes = [shapely.coverage_union_all(part) for part in np.split(self.quads.ravel()[rows], bounds)]
        inset = shapely.buffer(shapes, -STREET, join_style="mitre")
        for shape, first in zip(inset, np.concatenate([[0], bounds]), strict=True):
            if not shape.is_empty:
                yield int(self.use.ravel()[rows[first]]), shape


def wild(rng: np.random.Generator, terrain: Terrain, growth: Growth) -> dict[str, npt.NDArray[Any]]:
    """Woods and fields about the city, and woods on all that is too high to build on: polygons in metres."""
    points = terrain.raster.points()
    patches, clearings = Noise(rng, 1_900)(points), Noise(rng, 2_900)(points)
    free = (BUILT - 0.06 - growth(points)) * 5
    wood = np.maximum((terrain.heights - WOODED) / 40, np.minimum(patches - 0.3, free))
    field = np.minimum(np.minimum(clearings + 0.35, free), np.minimum(-wood - 0.04, terrain.to_river / 400 - 1))
    return {"wood": terrain.where(wood), "farmland": terrain.where(field)}
