"""How the grids of a class fit: gaps, overlaps and what lies outside, each with its size, in a list and on the map."""

from collections.abc import Iterator
from typing import Any

import shapely

from cheng.infrastructure.area_lookup import AREA, level_of
from cheng.infrastructure.grid_book import CLASSES, Misfit, counts
from cheng.kernel.house import house
from cheng.security.permissions import Target
from cheng.web.city.area_tree import Tree
from cheng.web.city.areas import sorted_by_name
from cheng.web.city.seeing import area_name
from cheng.web.map.page import ground_told
from cheng.web.pages import Ask, Column, Page, get

KINDS = {"gap": "Gap", "overlap": "Overlap", "outside": "Outside"}
TITLES = {"unit grid": "Unit grids", "grid": "Responsibility grids", "evaluation grid": "Evaluation grids"}
COLUMNS = (
    Column("kind_text", "What"),
    Column("area", "Surface", "number", unit="m²"),
    Column("where", "In"),
    Column("codes", "Grids"),
    Column("kind", "Kind"),
    Column("parent", "Area's id"),
)
SHOWN = 200
"""Rows on the page; the twins have all."""
WAITING = 24
"""Communities without grids that are named; the rest is counted."""


@get("/areas/check", needs=("register", "thing"), entry="Grids", order=16)
def grid_check(ask: Ask) -> Page:
    """Gaps and overlaps of a class of grids, the largest first."""
    level = ask.choice("class", CLASSES, CLASSES[0])
    within = ask.query("area")
    checked, chain = ask.hub.grids.checked(level), ask.hub.grids.chain
    rows = [row(ask, one) for one in checked.misfits if not within or within in chain(one.parent)]
    found = counts([one for one in checked.misfits if not within or within in chain(one.parent)])
    without = [name for name in checked.without if not within or within in chain(name)]
    data: dict[str, Any] = {
        "class": level,
        "area": within,
        "total": len(ask.hub.grids.members(level, within)) if within else checked.grids,
        "found": {kind: {"count": number, "square_metres": area} for kind, (number, area) in found.items()},
        "faults": rows if ask.representation != "html" else rows[:SHOWN],
        "without": [{"id": name, "name": area_name(ask, name)} for name in without],
    }
    extra: dict[str, Any] = {
        "level": level,
        "map": ground_told(ask),
        "all": len(rows),
        "KINDS": KINDS,
        "TITLES": TITLES,
    }
    extra |= {"choices": choices(ask), "may_cut": may_cut(ask), "waiting": WAITING}
    columns = COLUMNS if ask.representation != "html" else COLUMNS[:4]
    return Page("map/grid_check.html", data, rows="faults", columns=columns, keep=("url", "place"), extra=extra)


def row(ask: Ask, one: Misfit) -> dict[str, Any]:
    """One line of the list."""
    at = shapely.point_on_surface(one.shape)
    return {
        "kind": one.kind,
        "kind_text": ask._(KINDS[one.kind]),
        "area": round(one.area),
        "where": area_name(ask, one.parent),
        "parent": one.parent,
        "codes": ", ".join(code(ask, grid) for grid in one.grids),
        "url": f"{ask.url('/map')}#at=17/{at.y:.5f}/{at.x:.5f}",
        "geometry": shapely.geometry.mapping(one.shape),
    }


def code(ask: Ask, grid: str) -> str:
    """What a grid is called in a list: its code, which says where it lies."""
    found = ask.hub.things.find(grid)
    return str(found.properties.get("code") or found.name or grid) if found else grid


def may_cut(ask: Ask) -> bool:
    return ask.may("register", Target("thing", type=AREA, department=house.owner))


def choices(ask: Ask) -> dict[str, list[tuple[str, str]]]:
    """Classes, districts and streets."""
    tree = Tree.of(ask)
    return {
        "class": [(level, ask._(TITLES[level])) for level in CLASSES],
        "area": [("", ask._("The whole city")), *named(ask, tree, "", "")],
    }


def named(ask: Ask, tree: Tree, area: str, before: str) -> Iterator[tuple[str, str]]:
    """Districts, and the streets in each behind it."""
    for one in sorted_by_name(tree, area):
        if level_of(tree.areas[one]) in ("district", "street"):
            text = before + (tree.areas[one].name or one)
            yield one, text
            yield from named(ask, tree, one, f"{text} · ")


routes = [grid_check]
