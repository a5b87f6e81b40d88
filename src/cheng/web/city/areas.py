"""The city by place: an area with everything inside it added up, down to the smallest and up to the whole city."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import case, false, func, or_, select

from cheng.infrastructure.case_lists import Filters, Order
from cheng.infrastructure.tables import cases
from cheng.kernel.columns import Ints
from cheng.kernel.entities import Entity, Quantity
from cheng.kernel.specs import title_of
from cheng.security.permissions import reach
from cheng.security.seen import fields_seen
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import case_rows, of_areas, standing_by_area
from cheng.web.city.area_tree import Tree
from cheng.web.city.indicators import number, target, together
from cheng.web.city.seeing import levels_of, seen, sees_all, types_seen
from cheng.web.city.words import label, shown, title
from cheng.web.pages import Column, Page, get

LEVELS = {
    "district": "District",
    "street": "Street",
    "community": "Community",
    "grid": "Grid",
    "unit grid": "Unit grid",
    "evaluation grid": "Evaluation grid",
}
INSIDE = (
    Column("name", "Area"),
    Column("level_text", "Level"),
    Column("things", "Things", "number"),
    Column("alerts", "Standing alerts", "number"),
    Column("open", "Open cases", "number"),
    Column("late", "Overdue", "number"),
)
DAYS = 30
HOUSE = "house"
"""The application of areas and departments, which are no things that stand somewhere."""
NOTHING = np.zeros(0, np.int32)
MOST = 12
"""Alerts and cases that the page shows; the desk has them all."""


@get(("/areas", "/areas/{area:str}"), needs=("see", "thing"), entry="Areas", order=15)
def areas(ask: Ask, area: str = "") -> Page:
    """The whole city, or one area: what lies in it, how it stands, and how well it goes there."""
    tree = Tree.of(ask)
    if area and area not in tree.areas:
        raise Refused("no-area", "There is no area {id}.", {"id": area[:80]}, status=404)
    about = tree.areas[area] if area else None
    within, counts, gone = tree.within(area), standing(ask, tree), hidden(ask)
    there = list(members(ask, area))
    data: dict[str, Any] = {
        "area": area,
        "name": (about.name or about.id) if about else ask.hub.settings.city,
        "level": str(about.properties.get("level", "")) if about else "",
        "code": str(about.properties.get("code") or "") if about else "",
        "things": sum(len(slots) for _, slots in there),
        **{name: count for name, count in added(counts, within).items() if name not in gone},
        "inside": [area_row(ask, tree, child, counts) for child in sorted_by_name(tree, area)],
        "types": [type_row(ask, entity, slots, area) for entity, slots in there],
        "indicators": indicator_rows(ask, [f"area:{one}" for one in within] if area else [""]),
    }
    extra: dict[str, Any] = {"way": tree.way(area), "LEVELS": LEVELS, "days": DAYS, "hidden": gone}
    extra["middle"] = about.point if about else None
    if ask.representation == "html":
        extra |= {"newest": of_areas(ask, within if area else None, levels_of(ask), MOST)}
        extra |= {"urgent": open_cases(ask, tuple(within) if area else ()), "sees_all": "any" in whose(ask)}
    columns = [column for column in INSIDE if column.key not in gone]
    return Page("city/area.html", data, rows="inside", columns=columns, keep=("url", "id", "geometry"), extra=extra)


# -- what stands and what is open


def hidden(ask: Ask) -> set[str]:
    """Counts that are none of this reader's business."""
    without = set() if reach(ask.actor, "see", "alert") else {"alerts"}
    return without | (set() if whose(ask) else {"open", "late"})


def standing(ask: Ask, tree: Tree) -> dict[str, Counter[str]]:
    """Area → standing alerts, open and overdue cases of it alone, as far as this reader may see them.

    What lies in an area that nobody knows any more counts for the whole city.
    """
    found: dict[str, Counter[str]] = {}
    for area, count in standing_by_area(ask).items():
        found.setdefault(area if area in tree.areas else "", Counter())["alerts"] += count
    late = func.sum(case((cases.c.due < ask.now, 1), else_=0))
    query = select(cases.c.area, func.count(), late).where(cases.c.state.in_(("open", "suspended")))
    if "any" not in whose(ask):
        own = cases.c.department == ask.actor.department if whose(ask) else false()
        query = query.where(or_(own, cases.c.assignee == ask.actor.name))
    with ask.hub.store.read() as conn:
        for area, count, overdue in conn.execute(query.group_by(cases.c.area)):
            found.setdefault(area if area in tree.areas else "", Counter()).update(open=count, late=int(overdue))
    return found


def added(counts: Mapping[str, Counter[str]], within: Iterable[str]) -> dict[str, int]:
    """The counts of some areas taken together."""
    total: Counter[str] = Counter()
    for area in within:
        total.update(counts.get(area, {}))
    return {name: total[name] for name in ("alerts", "open", "late")}


def whose(ask: Ask) -> frozenset[str]:
    """How this reader sees cases of others; empty for those who see only what they reported."""
    return reach(ask.actor, "see", "case") & {"any", "own department"}


def eyes(ask: Ask) -> Hashable:
    """Who looks, where cases of their own are among what they see; None where all see all cases."""
    return None if "any" in whose(ask) else ask.actor.name


def sorted_by_name(tree: Tree, area: str) -> list[str]:
    """What lies directly in it, by code and name."""
    inside = tree.children.get(area, [])
    return sorted(inside, key=lambda one: (str(tree.areas[one].properties.get("code") or ""), tree.areas[one].name))


def area_row(ask: Ask, tree: Tree, area: str, counts: Mapping[str, Counter[str]]) -> dict[str, Any]:
    """One line of what lies inside."""
    about = tree.areas[area]
    level = str(about.properties.get("level", ""))
    return {
        "id": area,
        "name": about.name or about.id,
        "level_text": ask._(LEVELS.get(level, level)),
        "things": sum(len(slots) for _, slots in members(ask, area)),
        **added(counts, tree.within(area)),
        "geometry": about.geometry,
        "url": ask.url(f"/areas/{area}"),
    }


# -- what lies in it, and how it stands


def members(ask: Ask, area: str) -> Iterator[tuple[type[Entity], Ints]]:
    """For each type the slots of its things in the area ("" for the whole city) that are in use and seen here."""
    things = ask.hub.things
    idxs = things.inside.get(area, NOTHING) if area else np.arange(len(things), dtype=np.int32)
    types = things.type_number[idxs]
    for entity in types_seen(ask):
        name = entity.__name__
        slots = things.slot[idxs[types == things.types.index(name)]] if entity.app.__name__ != HOUSE else NOTHING
        slots = slots[things.register(name).active()[slots]]
        if not sees_all(ask, entity):
            there = [things.of_type(name)[slot] for slot in slots.tolist()]
            slots = np.array([thing.slot for thing in seen(ask, entity, there)], np.int32)
        if len(slots):
            yield entity, slots


def type_row(ask: Ask, entity: type[Entity], slots: Ints, area: str) -> dict[str, Any]:
    """How many things of a type there are, and how they stand."""
    values = [row for name in fields_seen(entity, levels_of(ask)) if (row := present(ask, entity, name, slots))]
    url = ask.url(f"/things/{entity.__name__}", area=area)
    return {"type": entity.__name__, "title": title(ask, entity), "count": len(slots), "values": values, "url": url}


def present(ask: Ask, entity: type[Entity], name: str, slots: Ints) -> dict[str, Any] | None:
    """The mean, the least and the greatest present value of a number that these things report."""
    field = entity.fields()[name]
    if not (field.live and isinstance(field, Quantity)):
        return None
    current = ask.hub.things.current(entity.__name__, name)
    current = current[slots[slots < len(current)]]
    current = current[~np.isnan(current)]
    if not len(current):
        return None
    mean, least, most = float(current.mean()), float(current.min()), float(current.max())
    row = {"field": name, "label": ask._(label(ask.local, field)), "mean": mean, "least": least, "most": most}
    span = f"{shown(ask, field, least, with_unit=False)} – {shown(ask, field, most)}"
    return {**row, "n": len(current), "text": shown(ask, field, mean), "span": span}


def indicator_rows(ask: Ask, scopes: Sequence[str]) -> list[dict[str, Any]]:
    """How well it went there in the last 30 days."""
    today = ask.hub.calendar.day(ask.now)
    points = ask.hub.indicators.over(scopes, today - timedelta(DAYS - 1), today)
    rows = []
    for found in ask.hub.indicators.indicators.values():
        if found.key() not in points or not ask.may("see", target(found)):
            continue
        value = together(found, points[found.key()])
        app, _, name = found.key().partition(".")
        row: dict[str, Any] = {"key": found.key(), "name": ask._(title_of(found.__name__)), "value": value.value}
        row |= {"text": number(ask, found, value.value), "met": found.met(value.value)}
        row["target_text"] = "" if found.target is None else number(ask, found, found.target)
        row["url"] = ask.url(f"/indicators/{app}/{name}")
        rows.append(row)
    return rows


def open_cases(ask: Ask, areas: tuple[str, ...], order: Order = "due") -> list[dict[str, Any]]:
    """The open cases in these areas, or anywhere, those due first or the newest."""
    ways = whose(ask)
    if not ways:
        return []
    if "any" in ways:
        return case_rows(ask, Filters(areas=areas), order, MOST)
    mine = Filters(departments=(ask.actor.department,), person=ask.actor.name, areas=areas)
    return case_rows(ask, mine, order, MOST)


routes = [areas]
