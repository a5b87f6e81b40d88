"""Names on a still picture of the map: what is weightier first, none upon another."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely
from markupsafe import escape

from cheng.web.map.expressions import value

HIGH = 1.25
"""Heights of a line of text, in ems."""
NARROW = 0.56
"""Ems of a letter that is not Chinese, about."""
STRAIGHT = 0.95
"""How much shorter than its way the distance from one end of a name to the other may be."""
FONTS = "Noto Sans SC,Noto Sans CJK SC,Source Han Sans SC,PingFang SC,HarmonyOS Sans SC,Microsoft YaHei,sans-serif"
Box = tuple[float, float, float, float]


class Name(NamedTuple):
    """A name that may be written: as lines around a point, or along a way."""

    lines: list[str]
    size: float
    """of its letters, in units of the picture, as are all"""
    look: str
    """attributes of SVG"""
    box: Box
    at: tuple[float, float]
    way: str = ""


class Names:
    """Takes names from the least weighty layer to the weightiest, as a style lists them."""

    def __init__(self, width: int, height: int, fine: int) -> None:
        self.width, self.height, self.fine = width, height, fine
        self.layers: list[list[Name]] = []

    def wanted(self, layer: dict[str, Any], said: list[dict[str, Any]], geometry: Any, zoom: float) -> None:
        """What a symbol layer would write of its features."""
        layout, paint = layer["layout"], layer["paint"]
        key = layout.get("symbol-sort-key", 0)
        order = sorted(range(len(said)), key=lambda row: value(key, said[row], zoom) or 0)
        size = value(layout["text-size"], {}, zoom) * self.fine
        weight = ' font-weight="500"' if "Medium" in layout["text-font"][0] else ""
        look = f' font-size="{size:.0f}" fill="{paint["text-color"]}" stroke="{paint["text-halo-color"]}"'
        look += f' stroke-width="{2 * paint["text-halo-width"] * self.fine:.0f}"{weight}'
        spacing = layout.get("text-letter-spacing", 0)
        if spacing:
            look += f' letter-spacing="{spacing * size:.0f}"'
        texts = [shown(value(layout["text-field"], each, zoom) or "") for each in said]
        if layout.get("symbol-placement") == "line":
            self.layers.append([*along(texts, order, geometry, size, spacing, look)])
        else:
            self.layers.append([*around(texts, order, geometry, size, spacing, layout["text-max-width"], look)])

    def drawn(self) -> str:
        """SVG of those that fit beside each other."""
        taken: list[Box] = []
        parts = []
        for name in (each for layer in reversed(self.layers) for each in layer):
            left, top, right, bottom = name.box
            inside = left >= 0 and top >= 0 and right <= self.width and bottom <= self.height
            if inside and not any(meet(name.box, other) for other in taken):
                taken.append(name.box)
                parts.append(written(name, len(taken)))
        shared = f'font-family="{FONTS}" text-anchor="middle" paint-order="stroke" stroke-linejoin="round"'
        return f"<g {shared}>{''.join(parts)}</g>" if parts else ""


def shown(text: str) -> str:
    """A text without signs that no XML may hold."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes lie upon each other."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def ems(text: str, spacing: float) -> float:
    """How long a text is, about."""
    return sum((1 if letter > "\u2e7f" else NARROW) + spacing for letter in text)


def around(
    texts: list[str], order: list[int], geometry: Any, size: float, spacing: float, most: float, look: str
) -> Iterator[Name]:
    """Names in the middle of their points, in lines of `most` ems."""
    for row in order:
        for x, y in shapely.get_coordinates(geometry[row]).tolist():
            lines = broken(texts[row], most, spacing)
            wide = max((ems(line, spacing) for line in lines), default=0) * size / 2 + size / 3
            high = len(lines) * HIGH * size / 2 + size / 4
            if lines:
                yield Name(lines, size, look, (x - wide, y - high, x + wide, y + high), (x, y))


def broken(text: str, most: float, spacing: float) -> list[str]:
    """A text in lines, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and ems(f"{lines[-1]} {word}", spacing) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def along(texts: list[str], order: list[int], geometry: Any, size: float, spacing: float, look: str) -> Iterator[Name]:
    """Each name once, along the middle of the longest line that has it, where that is long and straight enough."""
    rows: dict[str, list[int]] = {}
    for row in order:
        if texts[row]:
            rows.setdefault(texts[row], []).append(row)
    for text, mine in rows.items():
        parts = shapely.get_parts(shapely.line_merge(shapely.union_all(geometry[mine])))
        way = max(parts, key=shapely.length, default=None)
        long = ems(text, spacing) * size
        if way is None or shapely.length(way) < long + size:
            continue
        middle = shapely.length(way) / 2
        where = shapely.line_interpolate_point(way, np.linspace(middle - long / 2, middle + long / 2, 9))
        points = shapely.get_coordinates(where)
        if np.hypot(*(points[-1] - points[0])) < STRAIGHT * long:
            continue
        points = points if points[0, 0] <= points[-1, 0] else points[::-1]
        (left, top), (right, bottom) = points.min(axis=0) - size * 0.7, points.max(axis=0) + size * 0.7
        d = "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points.tolist())
        yield Name([text], size, look, (left, top, right, bottom), (0, 0), d)


def written(name: Name, number: int) -> str:
    """The SVG of a name."""
    drop = round(name.size * 0.36)
    if name.way:
        way = f'<path id="w{number}" d="{name.way}" fill="none" stroke="none"/>'
        text = f'<textPath href="#w{number}" startOffset="50%">{escape(name.lines[0])}</textPath>'
        return f'{way}<text{name.look} dy="{drop}">{text}</text>'
    x, y = name.at
    top, high = y - (len(name.lines) - 1) * HIGH * name.size / 2 + drop, HIGH * name.size
    lines = enumerate(map(escape, name.lines))
    spans = "".join(f'<tspan x="{x:.0f}" y="{top + at * high:.0f}">{line}</tspan>' for at, line in lines)
    return f"<text{name.look}>{spans}</text>"
