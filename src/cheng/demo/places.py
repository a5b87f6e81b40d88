"""Places of the invented city that have a name: what labels on a map say."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cheng.demo.areas import Area, Areas
from cheng.demo.blocks import CIVIC, EDUCATION, HEALTH, PARK, Blocks
from cheng.demo.names import HEADS, STREET_TAILS, Name, words
from cheng.demo.network import BRIDGE, Layout
from cheng.demo.plane import Floats
from cheng.demo.rails import Rail
from cheng.demo.terrain import Terrain

CITY = Name("两江市", "Two Rivers")
HILLS = 16
SERVED = {
    EDUCATION: ("school", (("小学", "Primary School"), ("中学", "Middle School"), ("职业学校", "Vocational School"))),
    HEALTH: ("hospital", (("人民医院", "People's Hospital"), ("中医院", "Hospital of Chinese Medicine"))),
    CIVIC: ("square", (("广场", "Square"), ("市民中心", "Civic Centre"))),
    PARK: ("park", (("公园", "Park"), ("体育公园", "Sports Park"))),
}
"""use: kind of place, and what it is called after its community."""


@dataclass(frozen=True)
class Spot:
    """A named place."""

    kind: str
    name: Name
    point: Floats
    """(2,) metres from the middle of the city"""


class Places:
    """All named places but the areas, which the map knows from the register."""

    def __init__(
        self, rng: np.random.Generator, terrain: Terrain, areas: Areas, blocks: Blocks, layout: Layout, middle: Floats
    ) -> None:
        """`middle`: (2,) of the whole city, metres."""
        self.middle = middle
        self.rng, self.terrain, self.areas, self.blocks, self.layout = rng, terrain, areas, blocks, layout

    def all(self, rails: list[Rail]) -> Iterator[Spot]:
        yield Spot("city", CITY, self.middle)
        yield from self._hills()
        yield from self._rivers()
        yield from self._bridges()
        yield from self._stations(rails)
        yield from self._served()

    def _middle(self, area: Area) -> Floats:
        """On land in it, near where most people live."""
        quads = area.cell.quads
        weight = np.where(self.blocks.dry, 0.05 + self.blocks.built * self.blocks.density, 0)[quads]
        points = self.blocks.middles[quads]
        middle = (points * weight[..., None]).sum(axis=(0, 1)) / max(weight.sum(), 1e-9)
        far = np.hypot(*np.moveaxis(points - middle, -1, 0)) + 1e6 * (weight == 0)
        found: Floats = points.reshape(-1, 2)[int(np.argmin(far))]
        return found

    def _hills(self) -> Iterator[Spot]:
        names = words(self.rng, HEADS, STREET_TAILS)
        for n, summit in enumerate(self.terrain.summits(HILLS)):
            yield Spot("hill", names[n].with_ending("山", "Hill"), summit)

    def _rivers(self) -> Iterator[Spot]:
        waters = self.terrain.waters
        for river, shares in ((waters.long, (0.2, 0.5, 0.62, 0.8)), (waters.clear, (0.35, 0.7))):
            for share in shares:
                yield Spot("river", Name(river.name, river.name_en), river.at(river.middle, np.array(share)))

    def _bridges(self) -> Iterator[Spot]:
        edges, points = self.layout.edges, self.layout.lattice.points
        for n in np.flatnonzero(edges.level == BRIDGE).tolist():
            ends = points[[edges.j[n], edges.j2[n]], [edges.i[n], edges.i2[n]]]
            yield Spot("bridge", self.layout.names[edges.street[n]], ends.mean(axis=0))

    def _stations(self, rails: list[Rail]) -> Iterator[Spot]:
        names = iter(words(self.rng, HEADS, STREET_TAILS))
        heads = iter((Name("两江北", "Two Rivers North"), Name("两江南", "Two Rivers South")))
        for rail in rails:
            for point in rail.halts:
                name = next(heads if rail.kind == "rail" else names)
                yield Spot("station", name.with_ending("站", "Station"), point)

    def _served(self) -> Iterator[Spot]:
        """One in each grid that serves everybody, called after its community."""
        grids, blocks = self.areas.levels["grid"], self.blocks
        communities = {area.id: area for area in self.areas.levels["community"]}
        called: dict[tuple[str, int], int] = {}
        for grid in grids:
            built = blocks.built[grid.cell.quads]
            if not built.any():
                continue
            use = int(blocks.use[grid.cell.quads][built][0])
            if use not in SERVED:
                continue
            kind, endings = SERVED[use]
            number = called[grid.parent, use] = called.get((grid.parent, use), -1) + 1
            if number < len(endings):
                community = communities[grid.parent]
                name = Name(community.name[:-2], community.name_en.split()[0]).with_ending(*endings[number])
                yield Spot(kind, name, self._middle(grid))
