"""A picture of the map as it is first shown: the same style, drawn here as SVG, so that nobody's browser has to draw a
map before its reader wants to move it. Letters are drawn by the browser, from the fonts of its machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from markupsafe import escape

from cheng.infrastructure.tile_cutting import SCREEN, Drawn
from cheng.methods.tiles import mercator
from cheng.standards.problems import Refused
from cheng.web.map.expressions import asked, value
from cheng.web.map.still_names import Names
from cheng.web.map.style import LOOKS, style
from cheng.web.map.tiles import areas_seen, fresh
from cheng.web.pages import PUBLIC, Answer, Ask, get

SVG = "image/svg+xml"
FINE = 10
"""Units to a pixel: coordinates are whole numbers, which are shorter."""
AROUND = 24
"""Pixels around the picture that are drawn with it, so that no line ends at its edge."""
LEAST, MOST, DEEPEST = 32, 1600, 19
"""Sides in pixels; the largest zoom."""
VIEW = re.compile(r"(-?\d{1,3}(?:\.\d+)?),(-?\d{1,2}(?:\.\d+)?),(\d{1,2}(?:\.\d+)?)")
SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")
PAINT = {
    "fill": {"fill": "fill-color", "stroke": "fill-outline-color", "opacity": "fill-opacity"},
    "line": {"stroke": "line-color", "stroke-width": "line-width", "opacity": "line-opacity"},
}
"""Attributes of SVG and the properties they come from."""


@dataclass(frozen=True)
class View:
    """What a picture shows."""

    longitude: float
    latitude: float
    zoom: float
    """as MapLibre counts, the world being SCREEN pixels wide at 0"""
    width: int
    height: int

    @classmethod
    def of(cls, at: str, size: str) -> "View":
        """From `longitude,latitude,zoom` and `width`x`height`. Refused (400) when they are none."""
        where, how = VIEW.fullmatch(at), SIZE.fullmatch(size)
        if where and how:
            (longitude, latitude, zoom), sides = map(float, where.groups()), [int(side) for side in how.groups()]
            there = abs(longitude) <= 180 and abs(latitude) <= 85 and zoom <= DEEPEST
            if there and min(sides) >= LEAST and max(sides) <= MOST:
                return cls(longitude, latitude, zoom, *sides)
        message = "A picture of the map needs at=longitude,latitude,zoom and size=widthxheight, {least} to {most} each."
        raise Refused("not-a-view", message, {"least": str(LEAST), "most": str(MOST)}, status=400)

    @property
    def scale(self) -> float:
        """Units of the picture along the whole square."""
        return float(SCREEN * 2**self.zoom * FINE)

    @property
    def corner(self) -> tuple[float, float]:
        """Its north-west one, on the square."""
        x, y = mercator(self.longitude, self.latitude)
        return float(x) - self.width * FINE / 2 / self.scale, float(y) - self.height * FINE / 2 / self.scale

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """West, north, east and south on the square, with what is drawn around it."""
        (left, top), more = self.corner, AROUND * FINE / self.scale
        wide, high = self.width * FINE / self.scale, self.height * FINE / self.scale
        return left - more, top - more, left + wide + more, top + high + more

    def placed(self, geometry: Any) -> Any:
        """Geometries in units of the picture."""
        return shapely.transform(geometry, lambda at: (at - self.corner) * self.scale)


@get("/map/still/{look:str}", needs=PUBLIC, api=True, opt={"uncompressed": True})
def still(ask: Ask, look: str) -> Answer:
    """The map by `day` or `night` around `?at=longitude,latitude,zoom`, `&size=widthxheight` pixels large."""
    if look not in LOOKS:
        raise Refused("no-style", "There is no style {name}; there are day and night.", {"name": look[:40]}, status=404)
    view = View.of(ask.query("at"), ask.query("size"))
    sources = {
        "base": ask.hub.base_map.drawn(view.frame, view.zoom),
        "areas": ask.hub.area_tiles.drawn(view.frame, view.zoom, areas_seen(ask)),
    }
    return fresh(ask, picture(view, style(ask, look)["layers"], sources).encode(), SVG)


def picture(view: View, layers: list[dict[str, Any]], sources: dict[str, dict[str, Drawn]]) -> str:
    """The SVG of what the layers of a style make of features by source and layer."""
    sources = {
        source: {name: Drawn(said, view.placed(shape)) for name, (said, shape) in found.items()}
        for source, found in sources.items()
    }
    parts, names = [], Names(view.width * FINE, view.height * FINE, FINE)
    for layer in layers:
        if not layer.get("minzoom", 0) <= view.zoom < layer.get("maxzoom", 25):
            continue
        if layer["type"] == "background":
            parts.append(f'<rect width="100%" height="100%" fill="{layer["paint"]["background-color"]}"/>')
        found = sources.get(layer.get("source", ""), {}).get(layer.get("source-layer", ""))
        if found is None or not found.said:
            continue
        if layer["type"] == "symbol":
            names.wanted(layer, *fitting(layer, found, view.zoom), view.zoom)
        elif layer["type"] in PAINT:
            parts += shapes(layer, *fitting(layer, found, view.zoom), view.zoom)
    wide, high = view.width, view.height
    box = f'width="{wide}" height="{high}" viewBox="0 0 {wide * FINE} {high * FINE}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(parts)}{names.drawn()}</svg>'


def fitting(layer: dict[str, Any], found: Drawn, zoom: float) -> Drawn:
    """What of the features a layer shows."""
    rule = layer.get("filter")
    if rule is None:
        return found
    rows = [row for row, said in enumerate(found.said) if value(rule, said, zoom)]
    return Drawn([found.said[row] for row in rows], found.geometry[rows])


def shapes(layer: dict[str, Any], said: list[dict[str, Any]], geometry: Any, zoom: float) -> Iterator[str]:
    """The areas or lines of a layer, one path for all that look alike."""
    looks = sorted(asked(list(layer["paint"].values())))
    alike: dict[tuple[Any, ...], list[int]] = {}
    for row, each in enumerate(said):
        alike.setdefault(tuple(map(each.get, looks)), []).append(row)
    for rows in alike.values():
        paint = {key: value(told, said[rows[0]], zoom) for key, told in layer["paint"].items()}
        drawn = {name: paint[key] for name, key in PAINT[layer["type"]].items() if key in paint}
        if layer["type"] == "line":
            drawn["fill"], width = "none", drawn["stroke-width"]
            drawn["stroke-width"] = f"{width * FINE:.0f}"
            if dashes := paint.get("line-dasharray"):
                drawn["stroke-dasharray"] = " ".join(f"{part * width * FINE:.0f}" for part in dashes)
            for end in ("cap", "join"):
                if told := layer["layout"].get(f"line-{end}"):
                    drawn[f"stroke-line{end}"] = told
        elif "stroke" in drawn:
            drawn["stroke-width"] = FINE
        told = "".join(f' {key}="{escape(what)}"' for key, what in drawn.items())
        yield f'<path{told} d="{path(geometry[rows])}"/>'


def path(geometry: Any) -> str:
    """Lines and rings as the commands of a path: where each begins, then step by step."""
    parts = shapely.get_parts(geometry)
    parts = parts[shapely.get_dimensions(parts) > 0]
    if len(parts) and shapely.get_dimensions(parts)[0] == 2:
        parts = shapely.get_rings(parts)
    vertices, part = shapely.get_coordinates(parts, return_index=True)
    at = np.round(vertices).astype(np.int64)
    first = np.diff(part, prepend=-1) != 0
    steps = np.diff(at, axis=0, prepend=at[:1])
    steps[first] = at[first]
    begun = ("M{} {}l" if start else "{} {}" for start in first.tolist())
    return " ".join(word.format(x, y) for word, (x, y) in zip(begun, steps.tolist(), strict=True))


routes = [still]
