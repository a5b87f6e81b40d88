"""Where the wall looks: the whole city or one area of it, and beside it one thing that somebody pointed at."""

from typing import Any

from cheng.infrastructure.area_lookup import AREA
from cheng.infrastructure.area_tiles import outline_of
from cheng.infrastructure.case_lists import Filters
from cheng.infrastructure.latest import last_values
from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Choice, Entity, Kept, Quantity, Track
from cheng.security.seen import fields_seen, target
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import alert_url, case_rows, of_areas, of_thing
from cheng.web.city.area_tree import Tree
from cheng.web.city.areas import LEVELS, added, eyes, hidden, members, open_cases, sorted_by_name, standing
from cheng.web.city.seeing import levels_of, thing_at
from cheng.web.city.thing import charts, now_rows, nowhere, trail
from cheng.web.city.words import STATES, name_of, title
from cheng.web.pages import Page, get

MOST = 6
"""Alerts, and cases, that are shown of a place or a thing."""
CHARTS = 2


@get("/dashboard/place", needs=("enter", "dashboard"), shared=eyes)
def place(ask: Ask) -> Page:
    """What lies in `?area=` (the whole city without it) and how it stands there: a part of the wall."""
    return Page("dashboard/place.html", place_told(ask), fragment="place")


def place_told(ask: Ask) -> dict[str, Any]:
    """Counts, areas inside, and of an area also things by type, newest alerts and open cases; and what the map has to
    know of it."""
    area, tree = ask.query("area"), Tree.of(ask)
    about = tree.areas.get(area)
    if area and about is None:
        raise Refused("no-area", "There is no area {id}.", {"id": area[:80]}, status=404)
    if about is not None:
        ask.require("see", target(about, ask.hub.model.entities[AREA]))
    counts, gone, within = standing(ask, tree), hidden(ask), tree.within(area)
    there = list(members(ask, area))
    level = str(about.properties.get("level", "")) if about else ""
    data: dict[str, Any] = {
        "area": area,
        "name": (about.name or about.id) if about else ask.hub.settings.city,
        "level_text": ask._(LEVELS.get(level, level)),
        "way": [{"id": one.id, "name": one.name or one.id} for one in tree.way(area)],
        "counts": {"things": sum(len(slots) for _, slots in there)}
        | {name: n for name, n in added(counts, within).items() if name not in gone},
        "inside": [inside(tree, one, added(counts, tree.within(one)), gone) for one in sorted_by_name(tree, area)],
        "outline": outline_of(about) if about else None,
    }
    return data | (within_area(ask, area, tuple(within), there) if area else {"types": [], "alerts": [], "cases": []})


def inside(tree: Tree, area: str, counts: dict[str, int], gone: set[str]) -> dict[str, Any]:
    """An area one may look into, with what stands in it."""
    return {"id": area, "name": tree.areas[area].name or area, "alerts": 0 if "alerts" in gone else counts["alerts"]}


def within_area(ask: Ask, area: str, within: tuple[str, ...], there: list[tuple[type[Entity], Any]]) -> dict[str, Any]:
    """Things by type, the newest alerts and the newest open cases of an area."""
    types = [
        {"title": title(ask, entity), "count": len(slots), "url": ask.url(f"/things/{entity.__name__}", area=area)}
        for entity, slots in there
    ]
    alerts = [] if "alerts" in hidden(ask) else of_areas(ask, within, levels_of(ask), MOST)
    cases = open_cases(ask, within, "newest")[:MOST]
    return {"types": types, "alerts": [linked(ask, row) for row in alerts], "cases": cases}


def linked(ask: Ask, row: dict[str, Any]) -> dict[str, Any]:
    """An alert with the address of its page."""
    return {**row, "url": alert_url(ask, row["number"])}


@get("/dashboard/thing/{idx:int}", needs=("enter", "dashboard"))
def thing(ask: Ask, idx: int) -> Page:
    """A thing by its index: how it stands, its course, its alerts and open cases; a part of the wall."""
    found, entity = thing_at(ask, idx)
    levels = levels_of(ask)
    known = fields_seen(entity, levels)
    fields = {name: field for name, field in known.items() if field.live and not isinstance(field, Track)}
    alerts = of_thing(ask, found, entity, levels, MOST)
    cases = case_rows(ask, Filters(thing_id=found.id, states=("open", "suspended")), "newest", MOST)
    data = {
        "id": found.id,
        "type": found.type,
        "name": found.name or found.id,
        "state": ask._(STATES.get(found.state, found.state)),
        "place": spot(ask, found, known),
        "alerts": None if alerts is None else [linked(ask, row) for row in alerts],
        "cases": cases,
    }
    extra = {"idx": idx, "type_text": name_of(entity), "url_of_page": ask.url(f"/things/{found.type}/{found.id}")}
    extra |= {
        "trail": trail(ask, found),
        "nowhere": nowhere(found, known),
        "still": not any(isinstance(field, Track) for field in known.values()),
        "now_rows": now_rows(ask, found, fields, last_values(ask.hub, found, fields)),
        "charts": courses(ask, found, fields),
    }
    return Page("dashboard/thing.html", data, extra=extra, fragment="thing")


def spot(ask: Ask, found: Thing, known: dict[str, Kept]) -> tuple[float, float] | None:
    """Where the map shows a thing: longitude and latitude of where it said last that it was, or of its own place."""
    tracks: dict[str, Kept] = {name: field for name, field in known.items() if isinstance(field, Track)}
    for last in last_values(ask.hub, found, tracks).values():
        place: tuple[float, float] = last.value
        return place
    return found.point


def courses(ask: Ask, found: Thing, fields: dict[str, Kept]) -> list[dict[str, Any]]:
    """Charts of what is measured; of its states where nothing is."""
    kinds = ({n: f for n, f in fields.items() if isinstance(f, kind)} for kind in (Quantity, Choice))
    chosen = next((some for some in kinds if some), {})
    drawn: list[dict[str, Any]] = charts(ask, found, dict(list(chosen.items())[:CHARTS]))["charts"]
    return drawn


routes = [place, thing]
