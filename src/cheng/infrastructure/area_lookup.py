"""Which areas hold a place: districts, streets, communities and grids, and the finer classes of grids beside them."""

from collections.abc import Callable, Iterable

import numpy as np
import shapely

from cheng.infrastructure.registration import Thing
from cheng.kernel.house import AREA_LEVELS, FINE_LEVELS
from cheng.standards.areas import AreaIndex

AREA = "Area"


def level_of(area: Thing) -> str:
    """What kind of area it is; one that does not say so is a grid."""
    return str(area.properties.get("level", AREA_LEVELS[-1]))


def counted(area: Thing) -> bool:
    """Whether things are counted by this area: unit grids and evaluation grids are only looked up."""
    return level_of(area) not in FINE_LEVELS


class AreaLookup:
    """Areas by boundary, kept until they change. Safe to ask from any thread."""

    def __init__(self, members: Callable[[], list[Thing]]) -> None:
        """`members`: all areas of the register."""
        self.members = members
        self._areas: AreaIndex | None = None
        self._fine: AreaIndex | None = None

    def areas(self) -> AreaIndex | None:
        """Districts, streets, communities and grids, the largest first; None while there are none."""
        if self._areas is None and (found := self._chosen(AREA_LEVELS)):
            self._areas = index_of(found)
        return self._areas

    def fine(self) -> AreaIndex | None:
        """Unit grids and evaluation grids; None while there are none."""
        if self._fine is None and (found := self._chosen(FINE_LEVELS)):
            self._fine = index_of(found)
        return self._fine

    def at(self, lon: float, lat: float) -> dict[str, str]:
        """The id of the area of each level that holds a place: by "unit grid" its unit grid, by "street" its street."""
        found: dict[str, str] = {}
        for index in (self.areas(), self.fine()):
            found |= index.ids_at(lon, lat) if index is not None else {}
        return found

    def forget(self, changed: Iterable[Thing]) -> None:
        """After these areas have changed."""
        kinds = {counted(area) for area in changed}
        self._areas = None if True in kinds else self._areas
        self._fine = None if False in kinds else self._fine

    def _chosen(self, levels: tuple[str, ...]) -> list[Thing]:
        there = [area for area in self.members() if area.shape is not None and area.state != "retired"]
        return sorted((area for area in there if level_of(area) in levels), key=lambda a: levels.index(level_of(a)))


def index_of(areas: list[Thing]) -> AreaIndex:
    """An index of areas that have boundaries, in their order."""
    shapes = shapely.from_geojson(np.array([area.shape for area in areas], object))
    return AreaIndex([area.id for area in areas], [level_of(area) for area in areas], shapes)
