"""Which district, street, community and grids hold a place, or bear a code."""

from typing import Any

import numpy as np

from cheng.infrastructure.area_lookup import AREA
from cheng.infrastructure.grid_book import CLASSES
from cheng.kernel.house import AREA_LEVELS, FINE_LEVELS
from cheng.standards.problems import Refused
from cheng.web.city.areas import LEVELS
from cheng.web.pages import Ask, Page, get


@get("/areas/at", needs=("see", "thing"), under="/areas/check")
def grid_at(ask: Ask) -> Page:
    """By `?q=longitude,latitude` or `?q=code`."""
    asked = ask.query("q").strip()
    place = position(asked)
    found = bearing(ask, asked) if place is None else ask.hub.things.lookup.at(*place)
    areas = [told(ask, level, found[level]) for level in (*AREA_LEVELS, *FINE_LEVELS) if level in found]
    data = {"q": asked, "areas": areas}
    return Page("map/grid_at.html", data, extra={"middle": place})


def position(asked: str) -> tuple[float, float] | None:
    """Longitude and latitude; None for what is none. Refused (400) for a place that is nowhere on the earth."""
    try:
        longitude, latitude = map(float, asked.replace("，", ",").split(","))
    except ValueError:
        return None
    if not (np.isfinite(longitude) and abs(longitude) <= 180 and abs(latitude) <= 90):
        message = "That is nowhere on the earth; write the longitude first, then the latitude: 106.51,29.53."
        raise Refused("no-place", message, status=400)
    return longitude, latitude


def bearing(ask: Ask, code: str) -> dict[str, str]:
    """Areas in use that bear a code, by level; none for no code."""
    found: dict[str, str] = {}
    for area in ask.hub.things.of_type(AREA):
        if area.state != "retired" and code and code in (area.properties.get("code"), area.id):
            found[str(area.properties.get("level", CLASSES[1]))] = area.id
    return found


def told(ask: Ask, level: str, area: str) -> dict[str, Any]:
    about = ask.hub.things.find(area)
    assert about is not None
    url = ask.url(f"/things/{AREA}/{area}") if level in FINE_LEVELS else ask.url(f"/areas/{area}")
    code = str(about.properties.get("code") or "")
    return {
        "level": level,
        "level_text": ask._(LEVELS[level]),
        "id": area,
        "name": about.name,
        "code": code,
        "url": url,
    }


routes = [grid_at]
