"""Two Rivers, an invented mountain city: ground, rivers, streets, areas, and everything that stands in them.

Everything follows from the seed: the same seed draws the same city on every machine.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo import base_map
from cheng.demo.areas import DISTRICTS, Area, Areas, Cell
from cheng.demo.blocks import Blocks, wild
from cheng.demo.buildings import Buildings, buildings
from cheng.demo.expressways import Expressways
from cheng.demo.growth import Growth
from cheng.demo.kerbs import Road, roads
from cheng.demo.lakes import Lakes
from cheng.demo.lattice import Lattice
from cheng.demo.network import Layout, Network, joined
from cheng.demo.places import Places
from cheng.demo.plane import Floats, degrees, metres
from cheng.demo.rails import Rail, rails
from cheng.demo.rivers import Waters
from cheng.demo.terrain import Terrain
from cheng.demo.weather import Weather
from cheng.infrastructure.registration import NewThing
from cheng.standards.base_map import Features

__all__ = ["DISTRICTS", "Area", "Road", "Town"]

ASIDE = 0.14
"""Share of a block on each side on which nothing is put: streets and pavements."""


class Town:
    """The whole city, drawn from a seed. What only the map shows is drawn when it is asked for."""

    def __init__(self, seed: int = 7) -> None:
        self.seed = seed
        self.weather = Weather(seed)
        self.waters = Waters(self._rng(1))
        self.terrain = Terrain(self._rng(2), self.waters)
        self.lattice = Lattice(self._rng(3), self.waters)
        self._growth = growth = Growth(self._rng(4), self.terrain)
        self._density = growth(self.lattice.points)
        """(rows, columns) of each point of the lattice"""
        density = self.lattice.middles(self._density)
        self._areas = Areas(self._rng(5), self.lattice, density)
        self.districts, self.streets, self.communities, self.grids = self._areas.levels.values()
        self.units = self._areas.units
        self._ways = Expressways(self._rng(6), self.terrain)
        self.lakes = Lakes(self._rng(7), self.terrain, growth, self._ways)
        lakes = np.array(self.lakes.shapes, object)
        self._layout = Layout(self._rng(8), self.lattice, self.terrain, self._density, lakes)
        self.blocks = Blocks(self._rng(9), self.lattice, self.terrain, self._areas, density, lakes)
        self.roads = roads(self._rng(10), self.lattice, self._areas, self._layout.edges, self._layout.names)
        self._ground: dict[Cell, tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]] = {}

    def _rng(self, part: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, part])

    @cached_property
    def network(self) -> Network:
        """The streets as a graph."""
        return joined(self._layout, self._ways, self._areas)

    @cached_property
    def rails(self) -> list[Rail]:
        return rails(self.terrain, self.lattice, self._layout, self._density)

    @cached_property
    def buildings(self) -> Buildings:
        ways = np.stack([self._ways.points[self._ways.start], self._ways.points[self._ways.end]], axis=1)
        tracks = shapely.linestrings(self.rails[0].points)
        streams = [shapely.linestrings(line) for line in self.terrain.streams if len(line) > 1]
        free = [
            shapely.buffer(shapely.linestrings(ways), 26),
            shapely.buffer(np.array([tracks]), 20),
            shapely.buffer(np.array(streams), 8),
            shapely.buffer(np.array(self.lakes.shapes), 12),
        ]
        return buildings(self._rng(11), self.blocks, np.concatenate(free))

    # -- what others ask for

    def height(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
        """Metres above the sea of places (…), degrees WGS 84."""
        return self.terrain.height(metres(lon, lat))

    def inside(self, area: Area, rng: np.random.Generator) -> tuple[float, float]:
        """A place in an area: in a block that is built upon, where there is one, and on land, where there is any."""
        rows, columns = self._blocks_of(area.cell)
        n = int(rng.integers(len(rows)))
        across, along = rng.uniform(ASIDE, 1 - ASIDE, 2)
        lon, lat = degrees(self.lattice.within(rows[n], columns[n], across, along))
        return float(lon), float(lat)

    @property
    def outskirts(self) -> list[Area]:
        """The grids in which nothing is built and no river runs."""
        built, wet = self.blocks.built, self.lattice.wet
        return [grid for grid in self.grids if not built[grid.cell.quads].any() and not wet[grid.cell.quads].any()]

    def _blocks_of(self, cell: Cell) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        if cell not in self._ground:
            built, dry = self.blocks.built[cell.quads], self.blocks.dry[cell.quads]
            chosen = built if built.any() else dry if dry.any() else np.ones_like(dry)
            rows, columns = np.nonzero(chosen)
            self._ground[cell] = rows + cell.south, columns + cell.west
        return self._ground[cell]

    def things(self) -> Iterator[NewThing]:
        """Areas from the largest down, as the register wants them, so that each finds the one it lies in."""
        for area in (*self.districts, *self.streets, *self.communities, *self.grids, *self.units):
            properties: dict[str, Any] = {"level": area.level, "code": area.code}
            if area.parent:
                properties["parent"] = area.parent
            geometry = shapely.geometry.mapping(area.shape)
            yield NewThing(area.id, "Area", area.name, properties=properties, geometry=dict(geometry))

    def features(self) -> Features:
        """The base map: what does not move and nobody counts."""
        middle = self._growth.centres.mean(axis=0)
        places = Places(self._rng(12), self.terrain, self._areas, self.blocks, self._layout, middle)
        return Features.concat(
            (
                *base_map.ground(self.terrain, self.blocks, wild(self._rng(13), self.terrain, self._growth)),
                *base_map.water(self.waters, self.lakes, self.terrain),
                base_map.streets(self.network),
                base_map.tracks(self.rails),
                base_map.houses(self.buildings),
                base_map.names(list(places.all(self.rails))),
            )
        )
