"""Where a thing has been: its way drawn on the server, north up, equal distances equally long."""

import math
from typing import Any

import numpy as np
from markupsafe import Markup

from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Kept
from cheng.web.ask import Ask
from cheng.web.city.periods import Period

WIDTH, HEIGHT, EDGE = 720, 300, 18
METRES = 111_320.0
"""in a degree of latitude"""
STEPS = (1, 2, 5)
POINTS = 1000


def track(series: Any, label: str) -> Markup:
    """An inline SVG of a series of positions (columns value: longitude, latitude); "" when there are none."""
    longitude, latitude = np.asarray(series["value"]), np.asarray(series["latitude"])
    known = ~(np.isnan(longitude) | np.isnan(latitude))
    longitude, latitude = longitude[known], latitude[known]
    if not len(longitude):
        return Markup("")
    x = longitude * math.cos(math.radians(float(latitude.mean()))) * METRES
    y = latitude * METRES
    wide, high = float(np.ptp(x)), float(np.ptp(y))
    scale = min((WIDTH - 2 * EDGE) / max(wide, 50.0), (HEIGHT - 2 * EDGE - 24) / max(high, 50.0))
    left = (WIDTH - wide * scale) / 2
    top = (HEIGHT - 24 - high * scale) / 2
    points = [(left + (a - x.min()) * scale, top + (y.max() - b) * scale) for a, b in zip(x, y, strict=True)]
    path = "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in points)
    length = nice(120 / scale)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    drawing = Markup(
        '<svg class="track" viewBox="0 0 {} {}" role="img" aria-label="{}"><path class="track-way" d="{}"/>'
        '<circle class="track-start" cx="{:.1f}" cy="{:.1f}" r="5"/>'
        '<circle class="track-end" cx="{:.1f}" cy="{:.1f}" r="6"/>'
        '<path class="track-scale" d="M{} {}h{:.1f}"/><text class="bars-text" x="{}" y="{}">{}</text></svg>'
    )
    bar = (EDGE, HEIGHT - 10, length * scale, EDGE + length * scale + 8, HEIGHT - 6, text)
    return drawing.format(WIDTH, HEIGHT, label, path, *points[0], *points[-1], *bar)


def way(ask: Ask, thing: Thing, field: Kept, chosen: Period) -> Markup:
    """The positions of a period as a drawing; "" when there are none."""
    attr = ask.hub.things.attribute_of(field)
    series = ask.hub.history.series(thing.idx, attr, chosen.start, chosen.end, POINTS)
    return track(series, ask._("Where it has been; the list has the same positions."))


def nice(metres: float) -> float:
    """The nearest round length below: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(metres))
    return max(step * power for step in STEPS if step * power <= metres)
