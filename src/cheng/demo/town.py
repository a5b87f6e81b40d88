"""Two Rivers, an invented mountain city: districts, streets and communities without a gap, roads, and departments.

Everything follows from the seed: the same seed draws the same city on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.infrastructure.registration import NewThing

Floats = npt.NDArray[np.float64]

CENTRE = (106.51, 29.53)
WIDTH, HEIGHT = 0.36, 0.28
"""Degrees from one end of the city to the other."""
GRID = 1e-6
"""Degrees to which corners are rounded, before areas are joined: neighbours share every corner."""
STREETS, COMMUNITIES = 3, 4
"""Streets in a district, communities in a street, about."""
ROADS = 4
"""Roads in a street."""
STORMS = 40
"""There is one storm in so many hours."""
METRE = 1 / 96_000
"""Degrees, about: of longitude at this latitude."""

DISTRICTS = ("临江区", "北屏区", "云岭区", "沙湾区", "南屏区", "江口区")
HEADS = "金石清翠松桂梅竹柳荷凤鹤龙虎观望朝长永安和福平兴"
TAILS = "山岩溪桥滩湾坪坝井湖泉林园塘岭台门庙港街"
ROAD_NAMES = (
    "滨江",
    "中山",
    "人民",
    "解放",
    "建设",
    "学府",
    "迎宾",
    "和平",
    "青年",
    "工农",
    "红岩",
    "石板",
    "栈道",
    "沿河",
    "虎踞",
    "凤鸣",
    "松涛",
    "竹林",
)

RIVERS = (
    ((-0.18, 0.03), (-0.09, 0.01), (-0.02, -0.03), (0.05, -0.01), (0.11, 0.04), (0.18, 0.06)),
    ((0.01, 0.14), (0.03, 0.08), (0.00, 0.03), (0.05, -0.01)),
)
"""The Long River, and the Clear River that falls into it, as degrees from the centre."""


@dataclass(frozen=True)
class Area:
    """A district, street or community."""

    id: str
    name: str
    level: str
    code: str
    parent: str
    shape: Any
    """shapely polygon, WGS 84"""

    @property
    def district(self) -> str:
        """The name of the district it belongs to, which is also the ward of its crews."""
        return DISTRICTS[int(self.code[4:6]) - 1]


@dataclass(frozen=True)
class Road:
    """A road: its name, its street, and its line."""

    name: str
    area: Area
    line: Any
    """shapely line, WGS 84"""

    def at(self, metres: float) -> tuple[float, float]:
        """Longitude and latitude so far along it."""
        point = self.line.interpolate(metres * METRE)
        return float(point.x), float(point.y)

    @property
    def metres(self) -> float:
        return float(self.line.length / METRE)


@dataclass
class Town:
    """The whole city, drawn from a seed."""

    seed: int = 7
    districts: list[Area] = field(default_factory=list)
    streets: list[Area] = field(default_factory=list)
    communities: list[Area] = field(default_factory=list)
    roads: list[Road] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng([self.seed, 1])
        cells = self._cells(len(DISTRICTS) * STREETS * COMMUNITIES)
        self._join(cells)
        self.roads = [road for street in self.streets for road in self._roads(street)]

    # -- areas

    def _cells(self, count: int) -> list[Any]:
        """Cells of about equal size that cover the outline without a gap."""
        outline = self._outline()
        west, south, east, north = outline.bounds
        seeds = np.column_stack([self.rng.uniform(west, east, count * 2), self.rng.uniform(south, north, count * 2)])
        seeds = seeds[shapely.contains_xy(outline, seeds[:, 0], seeds[:, 1])][:count]
        for _ in range(3):  # Lloyd: seeds move into the middle of their cells
            cells = self._voronoi(seeds, outline)
            middles = shapely.centroid(cells)
            seeds = np.column_stack([shapely.get_x(middles), shapely.get_y(middles)])
        order = np.lexsort((seeds[:, 0], -seeds[:, 1]))
        return [cells[n] for n in order]

    @staticmethod
    def _voronoi(seeds: Floats, outline: Any) -> npt.NDArray[Any]:
        cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=outline))
        cells = shapely.set_precision(shapely.intersection(cells, outline, grid_size=GRID), GRID)
        return np.array([cell for cell in cells if not cell.is_empty], object)

    def _outline(self) -> Any:
        angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        waves = 1 + 0.06 * np.sin(3 * angles + 1) + 0.04 * np.sin(7 * angles) + 0.02 * np.sin(13 * angles)
        x = CENTRE[0] + WIDTH / 2 * waves * np.cos(angles)
        y = CENTRE[1] + HEIGHT / 2 * waves * np.sin(angles)
        return shapely.set_precision(shapely.polygons(np.column_stack([x, y])), GRID)

    def _join(self, cells: list[Any]) -> None:
        """Cells become communities, these streets, these districts: all of what lies together."""
        names = iter(self._names(len(cells) * 2))
        middles = np.array([(c.centroid.x, c.centroid.y) for c in cells])
        district = nearest(middles, self._seeds(middles, len(DISTRICTS)))
        for d, name in enumerate(DISTRICTS):
            mine = np.flatnonzero(district == d)
            code = f"5099{d + 1:02d}"
            whole = Area(f"area:{code}", name, "district", code, "", union([cells[n] for n in mine]))
            self.districts.append(whole)
            street = nearest(middles[mine], self._seeds(middles[mine], STREETS))
            for s in range(STREETS):
                members = mine[street == s]
                if len(members):
                    self._street(whole, s, [cells[n] for n in members], names)

    def _street(self, district: Area, number: int, cells: list[Any], names: Iterator[str]) -> None:
        code = f"{district.code}{number + 1:03d}"
        street = Area(f"area:{code}", f"{next(names)}街道", "street", code, district.id, union(cells))
        self.streets.append(street)
        for n, cell in enumerate(cells, 1):
            name, own = f"{next(names)}社区", f"{code}{n:03d}"
            self.communities.append(Area(f"area:{own}", name, "community", own, street.id, cell))

    def _seeds(self, points: Floats, count: int) -> Floats:
        """Points far from each other, and then in the middle of what is nearest to them."""
        chosen = [int(np.argmin(points.sum(axis=1)))]
        while len(chosen) < min(count, len(points)):
            distance = np.min([np.hypot(*(points - points[c]).T) for c in chosen], axis=0)
            chosen.append(int(np.argmax(distance)))
        seeds = points[chosen]
        for _ in range(4):
            group = nearest(points, seeds)
            seeds = np.array([points[group == n].mean(axis=0) for n in range(len(seeds))])
        return seeds

    def _names(self, count: int) -> list[str]:
        names = [head + tail for head in HEADS for tail in TAILS]
        return [names[n] for n in self.rng.permutation(len(names))[:count]]

    # -- roads and places

    def _roads(self, street: Area) -> Iterator[Road]:
        """Roads that wind through a street, one of them along its longest way."""
        for name in self.rng.choice(ROAD_NAMES, ROADS, replace=False).tolist():
            ends = [self.inside(street, self.rng) for _ in range(3)]
            line = shapely.linestrings(ends)
            yield Road(f"{street.name[:2]}{name}路", street, line)

    def inside(self, area: Area, rng: np.random.Generator) -> tuple[float, float]:
        """A place in an area."""
        west, south, east, north = area.shape.bounds
        while True:
            x, y = float(rng.uniform(west, east)), float(rng.uniform(south, north))
            if shapely.contains_xy(area.shape, x, y):
                return round(x, 6), round(y, 6)

    def rain(self, at: npt.NDArray[np.int64]) -> Floats:
        """(n,) how hard it rains at moments (µs UTC), 0 to 1: a storm of two hours about every other day."""
        hour = at / 3_600_000_000
        storm, which = np.unique(hour // STORMS, return_inverse=True)
        begins = np.array([np.random.default_rng([self.seed, 2, int(s)]).uniform(0, STORMS - 2) for s in storm])
        passed = hour - hour // STORMS * STORMS - begins[which]
        return np.where((passed >= 0) & (passed < 2), np.sin(passed / 2 * np.pi), 0.0)

    # -- as the register wants it

    def things(self) -> Iterator[NewThing]:
        """Areas from the largest down, so that each finds the one it lies in."""
        for area in (*self.districts, *self.streets, *self.communities):
            properties = {"level": area.level, "code": area.code}
            if area.parent:
                properties["parent"] = area.parent
            geometry = shapely.geometry.mapping(area.shape)
            yield NewThing(area.id, "Area", area.name, properties=properties, geometry=dict(geometry))


def nearest(points: Floats, seeds: Floats) -> npt.NDArray[np.intp]:
    """For each point (n, 2) the nearest seed."""
    distance = np.hypot(points[:, None, 0] - seeds[None, :, 0], points[:, None, 1] - seeds[None, :, 1])
    found: npt.NDArray[np.intp] = np.argmin(distance, axis=1)
    return found


def union(cells: list[Any]) -> Any:
    return shapely.set_precision(shapely.union_all(cells, grid_size=GRID), GRID)
