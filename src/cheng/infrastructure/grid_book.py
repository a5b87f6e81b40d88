"""The grids of the register, class by class: how they fit, and new ones cut from the streets or gathered of others."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

import msgspec
import numpy as np
import shapely

from cheng.infrastructure.area_lookup import AREA, level_of
from cheng.infrastructure.base_map import BaseMap
from cheng.infrastructure.registration import NewThing, Thing
from cheng.infrastructure.things import Things
from cheng.kernel.house import AREA_LEVELS, EVALUATION, UNIT
from cheng.methods.grids import Fault, Kind, Shapes, check, in_order, outside, square_metres
from cheng.methods.grids_cut import cut, gathered
from cheng.standards.grid_codes import COMMUNITY, fresh_codes
from cheng.standards.problems import Refused

GRID = AREA_LEVELS[-1]
"""The class that somebody answers for."""
CLASSES = (UNIT, GRID, EVALUATION)
DIVIDING = {
    "street": ("motorway", "trunk", "primary", "secondary", "tertiary", "minor"),
    "rail": ("rail", "light_rail"),
    "waterway": ("river", "canal"),
}
"""What of the base map parts one block from the next."""
PREFIX = {UNIT: "unit", GRID: "area"}
"""What ids of new grids begin with: both classes count for themselves, so codes alone are not enough."""
NAMES = {UNIT: "{name} unit grid {n}", GRID: "{name} grid {n}"}
"""What new grids are called: msgids, by class."""
LEAST_SIZE, MOST_SIZE = 1_000.0, 1_000_000.0
LARGEST = 30e6
"""Square metres of a community that is cut while somebody waits."""


class Misfit(NamedTuple):
    """A gap, an overlap, or what lies outside of its parent."""

    kind: Kind
    area: float
    """square metres"""
    shape: Any
    parent: str
    """id of the area in which it lies"""
    grids: tuple[str, ...]


class Checked(NamedTuple):
    """What was found of the grids of a class."""

    grids: int
    square_metres: float
    misfits: tuple[Misfit, ...]
    """the largest first"""
    without: tuple[str, ...]
    """ids of communities in which there is no grid of the class"""


class Drawn(NamedTuple):
    """Grids that nobody has registered yet."""

    codes: list[str]
    shapes: Shapes
    areas: list[float]
    """square metres"""
    parents: list[str]
    lines: int = 0
    """streets, railways and rivers that may have parted blocks"""


class GridBook:
    """Asks the register and the base map. Safe to use from any thread."""

    def __init__(self, things: Things, base_map: BaseMap) -> None:
        self.things, self.base_map = things, base_map
        self._lock = threading.Lock()
        self._checked: dict[str, tuple[tuple[Any, Any], Checked]] = {}

    def members(self, level: str, within: str = "") -> list[Thing]:
        """The grids of a class in use, or the areas of a level, all or those that lie in an area."""
        areas = (a for a in self.things.of_type(AREA) if level_of(a) == level and a.state != "retired")
        return [area for area in areas if area.shape is not None and (not within or within in self.above(area))]

    def above(self, area: Thing) -> list[str]:
        """The areas it lies in, the largest first: as the register says by its parent, else by its place."""
        parent = self.things.find(str(area.properties.get("parent") or ""))
        if parent is None or parent.id == area.id:
            return area.areas
        return [*(one for one in parent.areas if one != parent.id), parent.id]

    def chain(self, area: str) -> list[str]:
        """An area and those it lies in, the largest first; nothing when there is no such area."""
        found = self.things.find(area)
        return [*self.above(found), area] if found else []

    # -- checking

    def checked(self, level: str) -> Checked:
        """How the grids of a class fit; kept until areas change."""
        made_of = (self.things.lookup.areas(), self.things.lookup.fine())
        with self._lock:
            known = self._checked.get(level)
            if known is None or any(one is not other for one, other in zip(known[0], made_of, strict=True)):
                known = self._checked[level] = made_of, self._check(level)
            return known[1]

    def _check(self, level: str) -> Checked:
        grids = self.members(level)
        communities = {area.id: area for area in self.members("community")}
        above = {grid.id: self.above(grid) for grid in grids}
        covered = {area for chain in above.values() for area in chain}
        without = tuple(name for name in communities if name not in covered)
        if not grids:
            return Checked(0, 0.0, (), without)
        parents = {grid.id: parent_of(above[grid.id], communities) for grid in grids}
        ids = [name for name in dict.fromkeys(parents.values()) if name and self.things.find(name)]
        place = {name: n for n, name in enumerate(ids)}
        shapes, around = shapes_of(grids), shapes_of([self._area(name) for name in ids])
        of = np.array([place.get(parents[grid.id], -1) for grid in grids], np.intp)
        faults = [self._told(fault, ids, grids) for fault in check(around, shapes, of)] if ids else []
        if level == UNIT:
            faults += self._across(grids, shapes, above)
        faults.sort(key=lambda fault: -fault.area)
        return Checked(len(grids), float(square_metres(shapes).sum()), tuple(faults), without)

    def _across(self, units: list[Thing], shapes: Shapes, above: dict[str, list[str]]) -> list[Misfit]:
        """Unit grids that lie in more than the one grid they are part of."""
        grids = self.members(GRID)
        responsible = {grid.id: n for n, grid in enumerate(grids)}
        if not grids:
            return []
        of = np.array([responsible.get(above[u.id][-1], -1) if above[u.id] else -1 for u in units], np.intp)
        found = outside(shapes_of(grids), shapes, of)
        return [self._told(fault, [grid.id for grid in grids], units) for fault in found]

    def _told(self, fault: Fault, parents: Sequence[str], grids: Sequence[Thing]) -> Misfit:
        parent = parents[fault.parent] if fault.parent >= 0 else ""
        return Misfit(fault.kind, fault.area, fault.shape, parent, tuple(grids[n].id for n in fault.grids))

    # -- cutting and gathering

    def cut(self, area: str, size: float) -> Drawn:
        """Unit grids of about `size` square metres for a community that has none, between its streets.

        Where it has grids that somebody answers for, none crosses their borders. Refused with a sentence otherwise.
        """
        community = self._community(area)
        if not LEAST_SIZE <= size <= MOST_SIZE:
            raise Refused("bad-size", "A unit grid has from {low} to {high} m².", {"low": 1000, "high": 1_000_000}, 422)
        if float(square_metres(shapes_of([community]))[0]) > LARGEST:
            raise Refused("too-large", "{name} is too large to be cut at once.", {"name": community.name}, 422)
        if self.members(UNIT, area):
            raise Refused("has-grids", "{name} has unit grids already.", {"name": community.name or area}, 409)
        parents = self.members(GRID, area) or [community]
        lines = self.lines(tuple(shapely.bounds(shapes_of([community]))[0].tolist()))
        pieces = [cut(shape, lines, size) for shape in shapes_of(parents)]
        whose = [parent.id for parent, found in zip(parents, pieces, strict=True) for _ in found]
        return self._drawn(community, UNIT, np.concatenate(pieces), whose)._replace(lines=len(lines))

    def gather(self, area: str, count: float) -> Drawn:
        """Grids to answer for, each of about `count` adjacent unit grids, for a community that has none."""
        community = self._community(area)
        if self.members(GRID, area):
            raise Refused("has-grids", "{name} has responsibility grids already.", {"name": community.name}, 409)
        units = self.members(UNIT, area)
        if not units:
            raise Refused("no-units", "{name} has no unit grids to build on yet.", {"name": community.name}, 409)
        if not 2 <= count <= 200:
            raise Refused("bad-count", "A responsibility grid has from 2 to 200 unit grids.", {}, 422)
        shapes = gathered(shapes_of(units), round(count))
        return self._drawn(community, GRID, shapes, [community.id] * len(shapes))

    def lines(self, box: tuple[float, ...]) -> Shapes:
        """The lines of the base map within west, south, east and north that part one block from the next."""
        found = [self.base_map.lines(layer, kinds, box) for layer, kinds in DIVIDING.items()]
        return np.concatenate(found)

    def rows(self, area: str, level: str, drawn: Drawn, say: Callable[[str], str]) -> list[NewThing]:
        """The rows of new grids of a community; and of the unit grids in them, which now lie in these.

        `say` puts a text into the language that grids are named in.
        """
        about, rows = self._community(area), []
        for code, parent, shape in zip(drawn.codes, drawn.parents, drawn.shapes, strict=True):
            name = say(NAMES[level]).format(name=about.name or about.id, n=int(code[-3:]))
            properties = {"level": level, "code": code, "parent": parent}
            geometry = msgspec.json.decode(shapely.to_geojson(shape))
            rows.append(NewThing(f"{PREFIX[level]}:{code}", AREA, name, about.owner, properties, geometry))
        if level == UNIT:
            return rows
        units = self.members(UNIT, area)
        points = shapely.points([unit.point for unit in units])
        which, where = shapely.STRtree(drawn.shapes).query(points, predicate="intersects")
        moved = {units[unit].id: rows[grid].id for unit, grid in zip(which.tolist(), where.tolist(), strict=True)}
        return [*rows, *(NewThing(unit, AREA, properties={"parent": grid}) for unit, grid in moved.items())]

    def _drawn(self, community: Thing, level: str, shapes: Shapes, parents: list[str]) -> Drawn:
        every = [area for area in self.things.of_type(AREA) if level_of(area) == level]
        used = {str(area.properties.get("code") or "") for area in every}
        try:
            codes = fresh_codes(str(community.properties["code"]), used, len(shapes))
        except ValueError as error:
            message = "The numbers of {name} do not suffice: {reason}. Choose larger grids."
            raise Refused("no-numbers", message, {"name": community.name, "reason": str(error)}, 422) from error
        order = in_order(shapes)
        areas = square_metres(shapes)[order].tolist()
        return Drawn(codes, shapes[order], areas, [parents[n] for n in order.tolist()])

    def _community(self, area: str) -> Thing:
        found = self.things.find(area)
        code = str(found.properties.get("code") or "") if found else ""
        if found is None or found.type != AREA or level_of(found) != "community" or found.shape is None:
            raise Refused(
                "no-community", "Grids are cut for a community with a boundary; '{id}' is none.", {"id": area}, 404
            )
        if len(code) != COMMUNITY:
            message = "{name} needs its code of 12 digits first: the codes of its grids begin with it."
            raise Refused("no-code", message, {"name": found.name or area}, 422)
        return found

    def _area(self, name: str) -> Thing:
        found = self.things.find(name)
        assert found is not None
        return found


def parent_of(above: Sequence[str], communities: dict[str, Thing]) -> str:
    """The area whose ground the grids have to fill: the community, where there are communities."""
    named = [area for area in above if area in communities]
    return named[-1] if named else (above[-1] if above else "")


def shapes_of(areas: Sequence[Thing]) -> Shapes:
    """Their boundaries."""
    found: Shapes = shapely.from_geojson(np.array([area.shape for area in areas], object))
    return found


def counts(misfits: Sequence[Misfit]) -> dict[str, tuple[int, float]]:
    """By kind how many there are, and their square metres."""
    number = Counter(one.kind for one in misfits)
    return {kind: (number[kind], sum(one.area for one in misfits if one.kind == kind)) for kind in get_args(Kind)}
