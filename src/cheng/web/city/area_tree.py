"""Which area lies in which, from the whole city down to the smallest."""

from collections.abc import Iterable
from typing import Self

from cheng.infrastructure.area_lookup import AREA, counted
from cheng.infrastructure.registration import Thing
from cheng.kernel.house import AREA_LEVELS
from cheng.web.ask import Ask


class Tree:
    """The areas of the register. The whole city is called ""."""

    def __init__(self, areas: Iterable[Thing]) -> None:
        self.areas = {area.id: area for area in areas if area.state != "retired"}
        self.children: dict[str, list[str]] = {}
        for area in self.areas.values():
            self.children.setdefault(self.parent(area), []).append(area.id)

    @classmethod
    def of(cls, ask: Ask) -> Self:
        """That of the hub, without unit grids and evaluation grids: nothing is counted by them."""
        return cls(filter(counted, ask.hub.things.of_type(AREA)))

    def parent(self, area: Thing) -> str:
        """The area it lies in: as the register says, else the smallest that holds its middle."""
        named = str(area.properties.get("parent") or "")
        around = [name for name in area.areas[::-1] if name in self.areas and rank(self.areas[name]) < rank(area)]
        return next((name for name in (named, *around) if name in self.areas and name != area.id), "")

    def way(self, area: str) -> list[Thing]:
        """From the largest area down to the one meant."""
        found: dict[str, Thing] = {}
        while area in self.areas and area not in found:
            found[area] = self.areas[area]
            area = self.parent(self.areas[area])
        return list(found.values())[::-1]

    def within(self, area: str) -> list[str]:
        """The area itself and all that lie in it."""
        found, left = {area: None}, [area]
        while left:
            inside = [child for child in self.children.get(left.pop(), []) if child not in found]
            found.update(dict.fromkeys(inside))
            left += inside
        return list(found)


def rank(area: Thing) -> int:
    """0 for the largest kind of area."""
    level = str(area.properties.get("level", ""))
    return AREA_LEVELS.index(level) if level in AREA_LEVELS else len(AREA_LEVELS)
