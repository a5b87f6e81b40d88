"""What a grid has to be before it is registered: a polygon with a code of its own, and over no other of its class."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import shapely

from cheng.infrastructure.area_lookup import level_of
from cheng.infrastructure.registration import NewThing, Thing, differs
from cheng.kernel.house import AREA_LEVELS, EVALUATION, FINE_LEVELS, UNIT
from cheng.methods.grids import overlaps, square_metres
from cheng.standards.grid_codes import grid_code_problem
from cheng.standards.problems import InputError

CODED = (UNIT, AREA_LEVELS[-1])
"""Classes whose grids bear codes of fifteen digits; each class counts for itself."""
CLASSES = (*CODED, EVALUATION)
DRAWN = 0.001
"""Part of a grid that two may have in common before it is more than a line drawn inexactly."""
Rows = Sequence[tuple[NewThing, Thing]]


def check_grids(rows: Rows, areas: Sequence[Thing]) -> dict[str, InputError]:
    """Why grids among some areas that shall be registered cannot be, by id; what does not change is not looked at.

    `areas` are those of the register. Of two new grids that overlap the first is taken.
    """
    known = {area.id: area for area in areas}
    bearers = {(level_of(area), code_of(area)): area for area in areas if code_of(area)}
    refused: dict[str, InputError] = {}
    fresh: list[tuple[NewThing, Thing]] = []
    for row, area in rows:
        old = known.get(area.id)
        if not grid(area) and not (old and grid(old)):
            continue
        if old is not None and not differs(old, area):
            continue
        problem = strange(area, old) or taken(area, bearers)
        if problem:
            refused[area.id] = InputError(*problem, row.line)
            continue
        if code_of(area):
            bearers[level_of(area), code_of(area)] = area
        if area.state != "retired" and area.shape is not None:
            fresh.append((row, area))
    for level in CLASSES:
        refused |= overlapping([pair for pair in fresh if level_of(pair[1]) == level], of_class(areas, level))
    return refused


def grid(area: Thing) -> bool:
    return level_of(area) in CLASSES


def code_of(area: Thing) -> str:
    return str(area.properties.get("code") or "")


def of_class(areas: Sequence[Thing], level: str) -> list[Thing]:
    """The grids of a class that are in use."""
    return [area for area in areas if level_of(area) == level and area.state != "retired" and area.shape is not None]


def strange(area: Thing, old: Thing | None) -> tuple[str, str] | None:
    """What is wrong with a grid by itself: a word and a reason."""
    level, code = level_of(area), code_of(area)
    if old is not None and level != level_of(old) and {level, level_of(old)} & {*FINE_LEVELS}:
        return (
            "other-level",
            f"'{area.id}' is registered as a {level_of(old)}; give grids of each class ids of their own",
        )
    if level in CODED and code and (problem := grid_code_problem(code)):
        return "bad-code", problem
    if level == UNIT and not code:
        return "no-code", "a unit grid needs its code of 15 digits; name the column with --map code=COLUMN"
    if level in FINE_LEVELS and area.shape is None:
        return "no-boundary", f"a {level} needs its boundary as a polygon"
    if area.shape is not None and '"Polygon"' not in area.shape and '"MultiPolygon"' not in area.shape:
        return "no-polygon", f"the boundary of a {level} has to be a polygon"
    if old is None or level not in CODED or not code_of(old):
        return None
    if code != code_of(old):
        return (
            "code-kept",
            f"it has the code {code_of(old)}, which no other may bear; retire it and register a new grid",
        )
    if old.state == "retired" and area.state != "retired":
        return "void-code", f"the code {code} was given up with its grid, and a void code is never used again"
    return None


def taken(area: Thing, bearers: Mapping[tuple[str, str], Thing]) -> tuple[str, str] | None:
    """Whether its code is another's."""
    other = bearers.get((level_of(area), code_of(area)))
    if level_of(area) not in CODED or other is None or other.id == area.id:
        return None
    if other.state == "retired":
        return "void-code", f"the code {code_of(area)} was given up with '{other.id}', and is never used again"
    return "code-taken", f"the code {code_of(area)} is that of '{other.id}'"


def overlapping(fresh: Rows, standing: Sequence[Thing]) -> dict[str, InputError]:
    """Those of new or changed grids of a class that would lie on another, by id.

    A grid that is refused stays as it was, and what it covered is covered still; so others may have to be refused
    because of that, until nothing overlaps.
    """
    refused: dict[str, InputError] = {}
    left = list(fresh)
    while left:
        coming = {area.id for _, area in left}
        staying = [area for area in standing if area.id not in coming]
        found = dict(clashes(left, staying))
        if not found:
            break
        refused |= found
        left = [(row, area) for row, area in left if area.id not in found]
    return refused


def clashes(coming: Rows, staying: Sequence[Thing]) -> Iterator[tuple[str, InputError]]:
    """Grids that come and lie on one that stays, or on one that came before them and is taken."""
    both = [*staying, *(area for _, area in coming)]
    shapes = shapely.from_geojson(np.array([area.shape for area in both], object))
    sizes, first = square_metres(shapes), len(staying)
    nowhere = np.full(len(both), -1, np.intp)
    lost = set[int]()
    found = overlaps(shapes, shapely.STRtree(shapes), nowhere, range(first, len(both)))
    for fault in sorted(found, key=lambda fault: fault.grids[::-1]):
        one, other = fault.grids
        if one in lost or other in lost or fault.area <= DRAWN * min(sizes[one], sizes[other]):
            continue
        lost.add(other)
        row, area = coming[other - first]
        name = f"'{both[one].id}'"
        yield (
            area.id,
            InputError("overlap", f"it overlaps the {level_of(area)} {name} by {fault.area:,.0f} m²", row.line),
        )
