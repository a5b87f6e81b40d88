"""How the base map looks, by day and by night: a MapLibre style, made of two palettes and a few tables.

It names no glyphs and no pictures: letters are drawn in the browser from the fonts it has, Chinese ones first.
"""

from typing import Any

from litestar import Response

from cheng.infrastructure.base_map_tiles import DETAILED
from cheng.kernel.house import FINE_LEVELS
from cheng.standards.base_map import BRIDGE, GROUND, TUNNEL
from cheng.standards.problems import Refused
from cheng.web.map.labels import labels
from cheng.web.pages import PUBLIC, Answer, Ask, get

DEEPEST_AREAS = 16
Layer = dict[str, Any]
Colours = dict[str, str]

DAY: Colours = {
    "ground": "#f3f2ee",
    "residential": "#efede8",
    "commercial": "#f1ebe4",
    "industrial": "#eae9ee",
    "education": "#eeefe2",
    "health": "#f4eaea",
    "civic": "#eeebf0",
    "park": "#d6e6c9",
    "wood": "#cfe0c4",
    "grass": "#dfe9d2",
    "farmland": "#e9ebd6",
    "water": "#b9d3e6",
    "water_line": "#a5c4dc",
    "contour": "#d8cbb4",
    "building": "#e2dfd8",
    "building_edge": "#d0ccc3",
    "tall": "#dcd8d0",
    "motorway": "#f6cf8a",
    "motorway_edge": "#d9a64f",
    "main": "#fbe6ae",
    "main_edge": "#dcc382",
    "street": "#ffffff",
    "street_edge": "#d7d4cd",
    "path": "#b9b2a4",
    "rail": "#a9aab3",
    "metro": "#8c7fae",
    "border": "#8a7f9c",
    "ink": "#3b4048",
    "ink_soft": "#676d76",
    "ink_water": "#4a7899",
    "ink_green": "#547a45",
    "ink_border": "#6d5f86",
    "halo": "#fbfaf8",
}
NIGHT: Colours = {
    "ground": "#10161d",
    "residential": "#121921",
    "commercial": "#161c25",
    "industrial": "#141a24",
    "education": "#141d22",
    "health": "#1a1b24",
    "civic": "#171b27",
    "park": "#13231f",
    "wood": "#11211d",
    "grass": "#14201f",
    "farmland": "#16201d",
    "water": "#0a2233",
    "water_line": "#10304a",
    "contour": "#1d2830",
    "building": "#1b2530",
    "building_edge": "#263341",
    "tall": "#223040",
    "motorway": "#5d5138",
    "motorway_edge": "#251f14",
    "main": "#3f4a57",
    "main_edge": "#171e27",
    "street": "#29333f",
    "street_edge": "#131a22",
    "path": "#2c3641",
    "rail": "#3a4653",
    "metro": "#4b4470",
    "border": "#6d648c",
    "ink": "#c4cdd8",
    "ink_soft": "#8b97a6",
    "ink_water": "#5f93b8",
    "ink_green": "#6f9a7c",
    "ink_border": "#9d93bf",
    "halo": "#0c1117",
}
LOOKS = {"day": DAY, "night": NIGHT}

WIDTHS = {
    "motorway": (1.2, 6.5, 30),
    "trunk": (1.1, 6, 28),
    "primary": (0.9, 5.2, 26),
    "secondary": (0.6, 4.2, 22),
    "tertiary": (0.4, 3.4, 19),
    "minor": (0.2, 2.2, 15),
    "service": (0.1, 1.2, 9),
}
"""Pixels across a street at zooms 9, 14 and 18."""
ZOOMS = (9, 14, 18)
CASED = tuple(WIDTHS)
SHOWN = ["<=", ["get", "rank"], ["zoom"]]
LEVEL = ["coalesce", ["get", "level"], GROUND]


def across(more: float = 0) -> list[Any]:
    """The width of streets of each class by zoom; `more` pixels for their casing."""
    stops: list[Any] = []
    for at, zoom in enumerate(ZOOMS):
        pairs = [part for kind, widths in WIDTHS.items() for part in (kind, round(widths[at] + more, 2))]
        stops += [zoom, ["match", ["get", "kind"], *pairs, 1 + more]]
    return ["interpolate", ["exponential", 1.5], ["zoom"], *stops]


def by_zoom(*stops: float) -> list[Any]:
    """A number that changes evenly between zooms: zoom, number, zoom, number …"""
    return ["interpolate", ["linear"], ["zoom"], *stops]


def by_class(colours: Colours, edge: str = "") -> list[Any]:
    """The colour of streets of each class, or of their casing."""
    big, main, rest = (colours[f"{word}{edge}"] for word in ("motorway", "main", "street"))
    return ["match", ["get", "kind"], ["motorway", "trunk"], big, ["primary", "secondary"], main, rest]


def layer(name: str, kind: str, source_layer: str, **more: Any) -> Layer:
    """A layer of the base map; keyword `layout_…` and `paint_…` become those properties."""
    found: Layer = {"id": name, "type": kind, "source": "base", "source-layer": source_layer, "layout": {}, "paint": {}}
    for key, value in more.items():
        part, _, word = key.partition("_")
        if part in ("layout", "paint"):
            found[part][word.replace("_", "-")] = value
        else:
            found[key] = value
    return found


def ground(c: Colours) -> list[Layer]:
    """What lies flat: land, green, hills, water."""
    lands = ("residential", "commercial", "industrial", "education", "health", "civic")
    greens = ("park", "wood", "grass", "farmland")
    fills = {"land": lands, "green": greens}
    found = [{"id": "ground", "type": "background", "paint": {"background-color": c["ground"]}}]
    for name, kinds in fills.items():
        pairs = [part for kind in kinds for part in (kind, c[kind])]
        found.append(layer(name, "fill", name, paint_fill_color=["match", ["get", "kind"], *pairs, c["ground"]]))
    hundred = ["==", ["%", ["get", "height"], 100], 0]
    found.append(
        layer(
            "contours",
            "line",
            "relief",
            minzoom=11,
            paint_line_color=c["contour"],
            paint_line_width=["case", hundred, 1.1, 0.6],
            paint_line_opacity=by_zoom(11, 0.3, 14, 0.8),
        )
    )
    found.append(layer("water", "fill", "water", paint_fill_color=c["water"]))
    wide = ["match", ["get", "kind"], "river", 6, "canal", 4, 2]
    narrow = ["match", ["get", "kind"], "river", 1.2, "canal", 0.8, 0.4]
    found.append(
        layer(
            "waterways",
            "line",
            "waterway",
            layout_line_cap="round",
            layout_line_join="round",
            paint_line_color=c["water_line"],
            paint_line_width=["interpolate", ["exponential", 1.4], ["zoom"], 9, narrow, 17, wide],
        )
    )
    return found


def ways(c: Colours, level: int) -> list[Layer]:
    """Streets and rails on one level: casings first, so that crossings are open."""
    word = {TUNNEL: "tunnel", GROUND: "street", BRIDGE: "bridge"}[level]
    here = ["all", SHOWN, ["==", LEVEL, level]]
    cased = [*here, ["in", ["get", "kind"], ["literal", CASED]]]
    round_ends = {"layout_line_join": "round", "layout_line_cap": "butt" if level else "round"}
    dim = {"paint_line_opacity": 0.45} if level == TUNNEL else {}
    dashes = {"paint_line_dasharray": [3, 2]} if level == TUNNEL else {}
    casing = layer(
        f"{word}-casing",
        "line",
        "street",
        minzoom=10,
        filter=cased,
        paint_line_color=by_class(c, "_edge"),
        paint_line_width=across(2.2 if level == BRIDGE else 1.2),
        **round_ends,
        **dashes,
        **dim,
    )
    colours = {"paint_line_color": by_class(c), "paint_line_width": across()}
    inside = layer(word, "line", "street", filter=cased, **colours, **round_ends, **dim)
    paths = layer(
        f"{word}-paths",
        "line",
        "street",
        minzoom=13,
        filter=[*here, ["in", ["get", "kind"], ["literal", ["path", "steps"]]]],
        paint_line_color=c["path"],
        paint_line_width=by_zoom(13, 0.6, 18, 2.2),
        paint_line_dasharray=["case", ["==", ["get", "kind"], "steps"], ["literal", [0.6, 0.5]], ["literal", [3, 1.5]]],
        **dim,
    )
    rails = layer(
        f"{word}-rails",
        "line",
        "rail",
        filter=here,
        paint_line_color=["match", ["get", "kind"], "metro", c["metro"], c["rail"]],
        paint_line_width=by_zoom(9, 0.6, 14, 1.6, 18, 3),
        **dashes,
        **dim,
    )
    return [casing, paths, inside, rails]


def buildings(c: Colours) -> tuple[Layer, Layer]:
    """Flat ones, and from zoom 15 on solid ones."""
    flat = layer(
        "buildings",
        "fill",
        "building",
        minzoom=13,
        paint_fill_color=c["building"],
        paint_fill_outline_color=c["building_edge"],
        paint_fill_opacity=by_zoom(13, 0.4, 14, 1),
    )
    tall = ["coalesce", ["get", "height"], 6]
    solid = layer(
        "buildings-solid",
        "fill-extrusion",
        "building",
        minzoom=15,
        paint_fill_extrusion_color=["interpolate", ["linear"], tall, 0, c["building"], 120, c["tall"]],
        paint_fill_extrusion_height=["interpolate", ["linear"], ["zoom"], 15, 0, 15.6, tall],
        paint_fill_extrusion_opacity=0.85,
        paint_fill_extrusion_vertical_gradient=True,
    )
    return flat, solid


def borders(c: Colours) -> list[Layer]:
    """Boundaries of areas, a line for each level."""
    found = []
    for level, width, dashes, zoom in (
        ("unit grid", 0.6, [1, 3], 16),
        ("grid", 0.7, [1, 2], 15),
        ("community", 0.8, [2, 2], 13),
        ("street", 0.9, [4, 2], 11),
        ("district", 1.6, [6, 2, 1, 2], 0),
    ):
        found.append(
            layer(
                f"border-{level}",
                "line",
                "unit_borders" if level in FINE_LEVELS else "borders",
                source="areas",
                minzoom=zoom,
                filter=["==", ["get", "level"], level],
                layout_line_join="round",
                paint_line_color=c["border"],
                paint_line_width=width,
                paint_line_dasharray=dashes,
                paint_line_opacity=0.7 if level == "district" else 0.5,
            )
        )
    return found


def style(ask: Ask, look: str) -> dict[str, Any]:
    """The whole style for this reader's language."""
    c, base_map = LOOKS[look], ask.hub.base_map
    base: dict[str, Any] = {
        "type": "vector",
        "tiles": [ask.url("/map/tiles/base") + f"/{{z}}/{{x}}/{{y}}.mvt?v={base_map.revision}"],
        "maxzoom": DETAILED,
    }
    bounds = base_map.bounds()
    if bounds:
        base["bounds"] = bounds
    areas = {"type": "vector", "tiles": [ask.url("/map/tiles/areas") + "/{z}/{x}/{y}.mvt"], "maxzoom": DEEPEST_AREAS}
    areas["promoteId"] = {"areas": "area"}
    flat, solid = buildings(c)
    streets = [*ways(c, TUNNEL), flat, *ways(c, GROUND), *ways(c, BRIDGE)]
    layers = [*ground(c), *streets, *borders(c), solid, *labels(c, ask.local.language.code)]
    light = {"anchor": "viewport", "intensity": 0.25 if look == "day" else 0.4, "position": [1.3, 200, 30]}
    return {"version": 8, "name": look, "sources": {"base": base, "areas": areas}, "light": light, "layers": layers}


@get("/map/style/{look:str}", needs=PUBLIC, api=True)
def style_of(ask: Ask, look: str) -> Answer:
    """The style `day` or `night`."""
    if look not in LOOKS:
        raise Refused("no-style", "There is no style {name}; there are day and night.", {"name": look[:40]}, status=404)
    return Response(style(ask, look), headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"})


routes = [style_of]
