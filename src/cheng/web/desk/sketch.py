"""Where something is, drawn small: the outline of its area, its own shape, and a scale. No map is needed for it."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT, EDGE = 320, 200, 14
METRES_PER_DEGREE = 111_320.0
NEAR = 250.0
"""Metres around a point that are shown when nothing else says how much."""
STEPS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
FRAME = Markup(
    '<svg class="sketch" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{area}{own}'
    '<circle class="sketch-ring" cx="{x}" cy="{y}" r="9"/><circle class="sketch-point" cx="{x}" cy="{y}" r="4"/>'
    '<path class="sketch-scale" d="M{left} {base}v4h{bar}v-4"/><text class="sketch-text" x="{left}" y="{text}">{scale}'
    "</text></svg>"
)
Point = tuple[float, float]


def lines(shape: Any) -> Iterator[list[Point]]:
    """The lines of any GeoJSON geometry, as (longitude, latitude)."""
    if not isinstance(shape, dict):
        return
    if shape.get("type") == "GeometryCollection":
        for inner in shape.get("geometries") or ():
            yield from lines(inner)
    elif shape.get("type") != "Point":
        yield from nested(shape.get("coordinates"))


def nested(coordinates: Any) -> Iterator[list[Point]]:
    """Coordinates at any depth, line by line."""
    if not isinstance(coordinates, (list, tuple)) or not coordinates:
        return
    first = coordinates[0]
    if isinstance(first, (list, tuple)) and first and isinstance(first[0], (int, float)):
        yield [(float(point[0]), float(point[1])) for point in coordinates]
    else:
        for inner in coordinates:
            yield from nested(inner)


def sketch(place: Point, label: str, area: Any = None, own: Any = None) -> Markup:
    """A drawing around `place` (longitude, latitude). `area`, `own`: GeoJSON of the area and of the thing itself."""
    around, shape = list(lines(area)), list(lines(own))
    everything = [point for line in (*around, *shape) for point in line]
    stretch = math.cos(math.radians(max(min(place[1], 85.0), -85.0)))
    east = [abs(lon - place[0]) * stretch for lon, _ in everything]
    north = [abs(lat - place[1]) for _, lat in everything]
    least = NEAR / METRES_PER_DEGREE
    size = min((WIDTH / 2 - EDGE) / max([*east, least]), (HEIGHT / 2 - EDGE) / max([*north, least]))

    def at(point: Point) -> str:
        x = WIDTH / 2 + (point[0] - place[0]) * stretch * size
        y = HEIGHT / 2 - (point[1] - place[1]) * size
        return f"{x:.1f} {y:.1f}"

    def path(kind: str, found: Sequence[list[Point]]) -> Markup:
        drawn = " ".join("M" + " L".join(at(point) for point in line) for line in found)
        return Markup('<path class="sketch-{}" d="{}"/>').format(kind, drawn) if drawn else Markup("")

    metres = size / METRES_PER_DEGREE
    bar = max((step for step in STEPS if step * metres < WIDTH / 3), default=STEPS[0])
    scale = f"{bar // 1000} km" if bar >= 1000 else f"{bar} m"
    return FRAME.format(
        w=WIDTH,
        h=HEIGHT,
        label=label,
        area=path("area", around),
        own=path("own", shape),
        x=WIDTH // 2,
        y=HEIGHT // 2,
        left=EDGE,
        base=HEIGHT - EDGE - 4,
        bar=f"{bar * metres:.1f}",
        text=HEIGHT - EDGE - 8,
        scale=scale,
    )
