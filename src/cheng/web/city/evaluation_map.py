"""Where most is reported: areas in five shades, drawn on the server, each a link; and when, by hour and weekday."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from markupsafe import Markup

from cheng.standards.places import from_geojson
from cheng.web.ask import Ask
from cheng.web.city.area_tree import Tree
from cheng.web.city.evaluating import AREAS

WIDTH, HIGHEST, EDGE = 640, 560, 6
FINE = 0.8
"""Pixels that an outline may be off."""
MOST = 150
"""Areas that one picture holds; with more of them those of a higher level are drawn."""
SHADES = 5
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def level_drawn(tree: Tree, wanted: str) -> str:
    """The finest level up to the one wanted whose areas one picture holds; "" where no area has a boundary."""
    at = AREAS.index(wanted) if wanted in AREAS else AREAS.index("community")
    drawn = [level for level in AREAS[: at + 1] if 0 < len(shapes(tree, level)) <= MOST]
    return drawn[-1] if drawn else ""


def shapes(tree: Tree, level: str) -> list[Any]:
    """The areas of a level that have a boundary."""
    mine = (area for area in tree.areas.values() if area.properties.get("level") == level)
    return [area for area in mine if area.geometry is not None]


def shade(count: int, most: int) -> int:
    """0 for nothing, 1 to SHADES by the share of the highest."""
    return 0 if not count or not most else min(SHADES, 1 + count * SHADES // (most + 1))


def picture(ask: Ask, tree: Tree, level: str, counts: Mapping[str, int], links: Mapping[str, str]) -> Markup:
    """An inline SVG of the areas; empty where there are none."""
    areas = shapes(tree, level)
    if not areas:
        return Markup("")
    outlines = [from_geojson(area.geometry) for area in areas]
    west, south, east, north = map(float, shapely.total_bounds(outlines))
    flat = math.cos(math.radians((south + north) / 2))
    scale = min((WIDTH - 2 * EDGE) / max((east - west) * flat, 1e-9), (HIGHEST - 2 * EDGE) / max(north - south, 1e-9))
    wide, high = (east - west) * flat * scale + 2 * EDGE, (north - south) * scale + 2 * EDGE

    def drawn(points: Any) -> Any:
        points[:, 0] = (points[:, 0] - west) * flat * scale + EDGE
        points[:, 1] = (north - points[:, 1]) * scale + EDGE
        return points

    most = max((counts.get(area.id, 0) for area in areas), default=0)
    parts = []
    for area, outline in zip(areas, outlines, strict=True):
        path = way(shapely.simplify(shapely.transform(outline, drawn), FINE))
        count = counts.get(area.id, 0)
        said = f"{area.name or area.id}: {ask.local.number(count, 0)}"
        shape = Markup('<path class="heat-{}" d="{}"><title>{}</title></path>').format(shade(count, most), path, said)
        link = links.get(area.id)
        parts.append(Markup('<a href="{}" aria-label="{}">{}</a>').format(link, said, shape) if link else shape)
    label = ask._("Reports by area")
    frame = Markup('<svg class="heat-map" viewBox="0 0 {:.0f} {:.0f}" role="group" aria-label="{}">{}</svg>')
    return frame.format(wide, high, label, Markup("").join(parts))


def way(outline: Any) -> str:
    """The boundary of an area as the path of an SVG, to the pixel and a tenth."""
    rings = [ring for part in shapely.get_parts(outline) for ring in (part.exterior, *part.interiors)]
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring.coords[:-1]) + "Z" for ring in rings)


def hours_told(ask: Ask, table: Sequence[Sequence[int]]) -> dict[str, Any]:
    """The table of hours and weekdays with its shades, for the page."""
    most = max((n for row in table for n in row), default=0)
    rows = [
        {"hour": f"{hour:02}", "cells": [(table[day][hour], shade(table[day][hour], most)) for day in range(7)]}
        for hour in range(24)
    ]
    return {"hours": rows if most else [], "weekdays": [ask._(name) for name in WEEKDAYS]}
