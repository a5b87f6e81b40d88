"""Names on the map: which, how large, and in whose language. Of a MapLibre style the symbol layers."""

from typing import Any

Layer = dict[str, Any]
Colours = dict[str, str]

REGULAR = [
    "Noto Sans SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "PingFang SC",
    "HarmonyOS Sans SC",
    "Microsoft YaHei",
]
STRONG = ["Noto Sans SC Medium", *REGULAR]
"""The browser draws letters itself, from the first of these fonts that it has; the word Medium sets the weight."""
RANK = ["get", "rank"]


def said(language: str) -> list[Any]:
    """The name in the reader's language where there is one."""
    wanted = ("name", "name_en") if language.startswith("zh") else ("name_en", "name")
    return ["coalesce", *(["get", word] for word in wanted)]


def label(name: str, source_layer: str, text: Any, colour: str, halo: str, **more: Any) -> Layer:
    """A layer of names; `layout` and `paint` go on top of what all have."""
    layout, paint = more.pop("layout", {}), more.pop("paint", {})
    return {
        "id": name,
        "type": "symbol",
        "source": more.pop("source", "base"),
        "source-layer": source_layer,
        "layout": {"text-field": text, "text-font": REGULAR, "text-max-width": 7, "text-padding": 4, **layout},
        "paint": {"text-color": colour, "text-halo-color": halo, "text-halo-width": 1.4, **paint},
        **more,
    }


def labels(c: Colours, language: str) -> list[Layer]:
    """From the least to the weightiest: what comes later is placed first."""
    name, halo = said(language), c["halo"]
    along = {"symbol-placement": "line", "text-letter-spacing": 0.05, "text-max-angle": 30}
    contour = label(
        "contour-heights",
        "relief",
        ["to-string", ["get", "height"]],
        c["ink_soft"],
        halo,
        minzoom=14,
        filter=["==", ["%", ["get", "height"], 100], 0],
        layout={**along, "text-size": 10, "symbol-spacing": 500},
        paint={"text-opacity": 0.8},
    )
    water = label(
        "water-names",
        "waterway",
        name,
        c["ink_water"],
        halo,
        minzoom=10,
        filter=["has", "name"],
        layout={**along, "text-size": sizes(10, 12, 16, 17), "text-letter-spacing": 0.3, "symbol-spacing": 450},
    )
    streets = label(
        "street-names",
        "street",
        name,
        c["ink"],
        halo,
        minzoom=12,
        filter=["all", ["has", "name"], ["<=", ["-", RANK, 1], ["zoom"]]],
        layout={
            **along,
            "text-size": sizes(12, 10.5, 18, 14),
            "symbol-spacing": 320,
            "symbol-sort-key": ["get", "rank"],
        },
    )
    return [contour, water, streets, *areas(c, halo), *places(c, name, halo)]


def areas(c: Colours, halo: str) -> list[Layer]:
    """Names of areas, larger ones further out."""
    found = [
        label(
            "area-unit",
            "unit_names",
            ["get", "name"],
            c["ink_border"],
            halo,
            source="areas",
            minzoom=17,
            layout={"text-size": 10},
        )
    ]
    for level, least, most, size in (("grid", 16, 20, 11), ("community", 14, 18, 11.5), ("street", 12, 16, 12.5)):
        found.append(
            label(
                f"area-{level}",
                "area_names",
                ["get", "name"],
                c["ink_border"],
                halo,
                source="areas",
                minzoom=least,
                maxzoom=most,
                filter=["==", ["get", "level"], level],
                layout={"text-size": size, "text-letter-spacing": 0.08},
            )
        )
    found.append(
        label(
            "area-district",
            "area_names",
            ["get", "name"],
            c["ink_border"],
            halo,
            source="areas",
            maxzoom=13.5,
            filter=["==", ["get", "level"], "district"],
            layout={"text-size": sizes(8, 12, 13, 18), "text-letter-spacing": 0.2, "text-font": STRONG},
        )
    )
    return found


def places(c: Colours, name: Any, halo: str) -> list[Layer]:
    """Names of places by kind."""
    found = []
    for word, kinds, colour, least, size in (
        ("small", ["school", "square", "bridge", "station", "hospital"], c["ink_soft"], 13, sizes(13, 11, 18, 13)),
        ("green", ["park", "hill"], c["ink_green"], 11, sizes(11, 11, 17, 13.5)),
        ("quarter", ["street", "community"], c["ink_soft"], 11, sizes(11, 11, 16, 14)),
        ("water", ["river"], c["ink_water"], 8, sizes(8, 11, 15, 16)),
        ("district", ["district"], c["ink_border"], 8, sizes(8, 12, 13, 17)),
        ("city", ["city"], c["ink"], 2, sizes(4, 13, 12, 24)),
    ):
        found.append(
            label(
                f"place-{word}",
                "place",
                name,
                colour,
                halo,
                minzoom=least,
                filter=["all", ["in", ["get", "kind"], ["literal", kinds]], ["<=", RANK, ["zoom"]]],
                layout={
                    "text-size": size,
                    "symbol-sort-key": RANK,
                    "text-font": STRONG if word in ("city", "district") else REGULAR,
                },
                **({"maxzoom": 13} if word == "city" else {}),
            )
        )
    return found


def sizes(near: float, small: float, far: float, large: float) -> list[Any]:
    """A size that grows from `small` at zoom `near` to `large` at zoom `far`."""
    return ["interpolate", ["linear"], ["zoom"], near, small, far, large]
