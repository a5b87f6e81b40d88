"""Which OpenStreetMap tag is drawn as what: tables, and one small function for each geometry."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cheng.standards.base_map import BRIDGE, GROUND, TUNNEL

Tags = Mapping[str, str]


class Drawn(NamedTuple):
    """A feature without its geometry."""

    layer: str
    kind: str
    name: str
    name_en: str
    rank: int | None
    """None: by its size"""
    height: float = math.nan
    level: int = GROUND


Kinds = Mapping[str, tuple[str, int | None]]
"""By the value of a tag: our kind and rank."""

STREETS: Kinds = {
    "motorway": ("motorway", 6),
    "motorway_link": ("motorway", 10),
    "trunk": ("trunk", 7),
    "trunk_link": ("trunk", 10),
    "primary": ("primary", 8),
    "primary_link": ("primary", 11),
    "secondary": ("secondary", 10),
    "secondary_link": ("secondary", 12),
    "tertiary": ("tertiary", 11),
    "tertiary_link": ("tertiary", 12),
    "unclassified": ("minor", 12),
    "residential": ("minor", 13),
    "living_street": ("minor", 13),
    "road": ("minor", 13),
    "pedestrian": ("path", 13),
    "service": ("service", 14),
    "track": ("path", 14),
    "footway": ("path", 14),
    "path": ("path", 14),
    "cycleway": ("path", 14),
    "bridleway": ("path", 14),
    "steps": ("steps", 14),
}
RAILS: Kinds = {
    "rail": ("rail", 9),
    "narrow_gauge": ("rail", 10),
    "subway": ("metro", 10),
    "monorail": ("metro", 10),
    "light_rail": ("light_rail", 10),
    "tram": ("light_rail", 11),
}
WATERWAYS: Kinds = {
    "river": ("river", 7),
    "canal": ("canal", 10),
    "stream": ("stream", 12),
    "drain": ("stream", 14),
    "ditch": ("stream", 14),
}
LINES = {"highway": ("street", STREETS), "railway": ("rail", RAILS), "waterway": ("waterway", WATERWAYS)}
NOT_DRAWN = {
    "highway": "proposed construction platform corridor elevator rest_area services raceway bus_guideway busway razed "
    "abandoned disused crossing bus_stop escape via_ferrata no",
    "railway": "proposed construction platform platform_edge disused abandoned razed station turntable traverser "
    "miniature preserved funicular no",
    "waterway": "riverbank dam weir dock lock_gate boatyard fuel fish_pass pressurised tidal_channel waterfall "
    "sluice_gate derelict_canal no",
    "building": "no",
}
"""Values that are known and left out."""

WATER = {
    "river": "river",
    "canal": "river",
    "stream": "river",
    "reservoir": "reservoir",
    "basin": "basin",
    "pond": "basin",
    "wastewater": "basin",
    "sea": "sea",
    "bay": "sea",
}
"""By `water=`; anything else is a lake."""
AREAS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("waterway", "riverbank"): ("water", "river"),
    ("landuse", "reservoir"): ("water", "reservoir"),
    ("landuse", "basin"): ("water", "basin"),
    ("natural", "bay"): ("water", "sea"),
    ("natural", "wood"): ("green", "wood"),
    ("landuse", "forest"): ("green", "wood"),
    ("leisure", "park"): ("green", "park"),
    ("leisure", "garden"): ("green", "park"),
    ("leisure", "nature_reserve"): ("green", "park"),
    ("leisure", "pitch"): ("green", "grass"),
    ("leisure", "golf_course"): ("green", "grass"),
    ("landuse", "grass"): ("green", "grass"),
    ("landuse", "meadow"): ("green", "grass"),
    ("landuse", "village_green"): ("green", "grass"),
    ("landuse", "recreation_ground"): ("green", "grass"),
    ("landuse", "cemetery"): ("green", "grass"),
    ("natural", "grassland"): ("green", "grass"),
    ("natural", "scrub"): ("green", "grass"),
    ("natural", "heath"): ("green", "grass"),
    ("landuse", "farmland"): ("green", "farmland"),
    ("landuse", "orchard"): ("green", "farmland"),
    ("landuse", "vineyard"): ("green", "farmland"),
    ("amenity", "school"): ("land", "education"),
    ("amenity", "kindergarten"): ("land", "education"),
    ("amenity", "college"): ("land", "education"),
    ("amenity", "university"): ("land", "education"),
    ("amenity", "hospital"): ("land", "health"),
    ("amenity", "clinic"): ("land", "health"),
    ("amenity", "townhall"): ("land", "civic"),
    ("landuse", "institutional"): ("land", "civic"),
    ("landuse", "religious"): ("land", "civic"),
    ("landuse", "residential"): ("land", "residential"),
    ("landuse", "commercial"): ("land", "commercial"),
    ("landuse", "retail"): ("land", "commercial"),
    ("landuse", "industrial"): ("land", "industrial"),
    ("landuse", "railway"): ("land", "industrial"),
    ("landuse", "port"): ("land", "industrial"),
}
BUILDINGS = {
    "residential": "residential apartments house detached terrace semidetached_house dormitory bungalow hut cabin",
    "commercial": "commercial retail office hotel supermarket kiosk",
    "industrial": "industrial warehouse factory hangar manufacture",
    "civic": "civic public government hospital school university college kindergarten train_station church cathedral "
    "temple mosque museum stadium sports_hall fire_station",
}
BUILDING_KINDS = {value: kind for kind, values in BUILDINGS.items() for value in values.split()}
STOREY = 3.0
"""Metres."""
PLACES: Mapping[tuple[str, str], tuple[str, int]] = {
    ("place", "city"): ("city", 3),
    ("place", "town"): ("city", 7),
    ("place", "borough"): ("district", 9),
    ("place", "suburb"): ("district", 10),
    ("place", "village"): ("street", 11),
    ("place", "quarter"): ("street", 12),
    ("place", "neighbourhood"): ("community", 13),
    ("place", "square"): ("square", 14),
    ("natural", "peak"): ("hill", 12),
    ("railway", "station"): ("station", 12),
    ("railway", "halt"): ("station", 13),
    ("amenity", "hospital"): ("hospital", 13),
    ("amenity", "school"): ("school", 14),
    ("amenity", "university"): ("school", 13),
    ("leisure", "park"): ("park", 13),
    ("man_made", "bridge"): ("bridge", 13),
}
KEYS = sorted({*LINES, "building", *(key for key, _ in (*AREAS, *PLACES))})
"""A thing without any of these is not drawn."""


def line(tags: Tags, unknown: Counter[str]) -> Drawn | None:
    """What a way is along its length; values that nobody knows are counted."""
    for key, (layer, kinds) in LINES.items():
        value = tags.get(key)
        if value is None or (layer == "waterway" and value == "riverbank"):
            continue
        if value in kinds:
            kind, rank = kinds[value]
            return Drawn(layer, kind, *names(tags), rank, level=level(tags))
        if value not in NOT_DRAWN[key].split():
            unknown[f"{key}={value}"] += 1
    return None


def area(tags: Tags, unknown: Counter[str]) -> Drawn | None:
    """What a closed outline is inside."""
    building = tags.get("building", "no")
    if building not in NOT_DRAWN["building"].split():
        return Drawn("building", BUILDING_KINDS.get(building, "yes"), *names(tags), 14, height=height(tags, unknown))
    if tags.get("natural") == "water":
        return Drawn("water", WATER.get(tags.get("water", ""), "lake"), *names(tags), None)
    for pair, (layer, kind) in AREAS.items():
        if tags.get(pair[0]) == pair[1]:
            return Drawn(layer, kind, *names(tags), None)
    return None


def place(tags: Tags) -> Drawn | None:
    """What a point is called; None when it has no name."""
    return next(places(tags), None)


def places(tags: Tags) -> Iterator[Drawn]:
    """The name of a thing as something to write on the map: none, or one."""
    name, english = names(tags)
    for pair, (kind, rank) in PLACES.items():
        if name and tags.get(pair[0]) == pair[1]:
            yield Drawn("place", kind, name, english, rank)
            return


def names(tags: Tags) -> tuple[str, str]:
    """As people there write it, and in English."""
    return tags.get("name", ""), tags.get("name:en", "")


def level(tags: Tags) -> int:
    """Whether a way runs below or above the others."""
    if tags.get("tunnel", "no") != "no":
        return TUNNEL
    return BRIDGE if tags.get("bridge", "no") != "no" else GROUND


def height(tags: Tags, unknown: Counter[str]) -> float:
    """Metres, told or by the storeys; NaN where neither can be read."""
    for key, each in (("height", 1.0), ("building:levels", STOREY)):
        if key in tags:
            found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(m|'|ft)?\s*", tags[key])
            if found:
                foot = 0.3048 if found[2] in ("'", "ft") else 1.0
                return float(found[1].replace(",", ".")) * each * foot
            unknown[f"{key}={tags[key][:40]}"] += 1
    return math.nan
