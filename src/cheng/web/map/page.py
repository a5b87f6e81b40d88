"""The map as a page, and what any page needs to show one: `<div data-map="{{ map | json }}">`."""

from typing import Any

import numpy as np

from cheng.infrastructure.area_lookup import AREA
from cheng.kernel.entities import Entity
from cheng.kernel.rules import LEVELS
from cheng.web.ask import Ask
from cheng.web.city.apps import FAMILIES
from cheng.web.city.seeing import types_seen
from cheng.web.city.words import title
from cheng.web.map.seeing import APART, crowded, track_of
from cheng.web.pages import Page, get

COLOURS = (
    ("#1c6dd0", "#5ba4ff"),
    ("#d4530f", "#ff8f50"),
    ("#1f8a45", "#4fd17f"),
    ("#9331b5", "#d28cf2"),
    ("#0b7f93", "#3ecfe0"),
    ("#c01f5d", "#ff7dab"),
    ("#8a6300", "#f5c451"),
    ("#5a3fc0", "#a593ff"),
    ("#4c7a12", "#a9e04a"),
    ("#6b4a3a", "#d3a98f"),
)
"""Of types of things in the order of their applications, by day and by night."""
BADNESS = ("#1c6dd0", "#f0a202", "#e4572e", "#d1003f")
"""Of alerts, by level."""


@get("/map", needs=("see", "thing"), entry="Map", order=12)
def city_map(ask: Ask) -> Page:
    """The city, and what of it is measured, as far as this reader may see it."""
    told = map_told(ask)
    return Page("map/map.html", {"map": told}, extra=legend(ask, told))


def legend(ask: Ask, told: dict[str, Any]) -> dict[str, Any]:
    """What `map/legend.html` needs beside the map."""
    families = dict.fromkeys(each["family"] for each in told["layers"])
    groups = [(ask._(FAMILIES.get(f, f)), [e for e in told["layers"] if e["family"] == f]) for f in families]
    return {"groups": groups, "levels": list(zip(LEVELS, BADNESS, strict=True))}


def map_told(ask: Ask) -> dict[str, Any]:
    """What the scripts have to know to draw a map for this reader."""
    hidden = ask.query("hide").split(",")
    drawn = [entity for entity in types_seen(ask) if entity.__name__ != AREA and placed(ask, entity)]
    layers = [layer(ask, entity, number, hidden) for number, entity in enumerate(drawn)]
    things = ask.url("/map/tiles/things") + "/{z}/{x}/{y}.mvt"
    return ground_told(ask) | {"layers": layers, "things": things, "address": True}


def ground_told(ask: Ask) -> dict[str, Any]:
    """The same for the city without its things: a page puts places of its own on it, and its address stays as it is."""
    return {
        "styles": {look: ask.url(f"/map/style/{look}") for look in ("day", "night")},
        "still": ask.url("/map/still"),
        "bounds": ask.hub.base_map.bounds() or ask.hub.area_tiles.bounds(),
        "layers": [],
        "address": False,
        "badness": BADNESS,
        "thing": ask.url("/map/thing"),
        "words": words(ask),
    }


def layer(ask: Ask, entity: type[Entity], number: int, hidden: list[str]) -> dict[str, Any]:
    """A type of things as a layer of the map; `from`: the zoom from which on they are drawn moving."""
    name, moves = entity.__name__, track_of(ask, entity) != ""
    day, night = COLOURS[number % len(COLOURS)]
    return {
        "type": name,
        "title": title(ask, entity),
        "family": getattr(entity.app, "family", ""),
        "colour": {"day": day, "night": night},
        "moves": ask.url(f"/map/moving/{name}") if moves else "",
        "from": APART if crowded(ask, entity) else 0,
        "shown": name not in hidden,
    }


def placed(ask: Ask, entity: type[Entity]) -> bool:
    """Whether things of the type can be on a map."""
    register = ask.hub.things.register(entity.__name__)
    return register.size() > 0 and (track_of(ask, entity) != "" or bool(np.isfinite(register.points()).any()))


def words(ask: Ask) -> dict[str, str]:
    """What the scripts say."""
    return {
        "map": ask._("Map"),
        "move": ask._("Move and zoom the map"),
        "failed": ask._("The map cannot be drawn here: {reason}"),
        "style": ask._("its style cannot be read."),
        "webgl": ask._("this browser does not offer WebGL."),
        "list": ask._("See the things as a list"),
        "things": ask.url("/things"),
        "close": ask._("Close"),
        "open": ask._("Open the page"),
        "in": ask._("Zoom in"),
        "out": ask._("Zoom out"),
        "north": ask._("Turn to the north"),
    }


routes = [city_map]
