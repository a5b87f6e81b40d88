"""Small squares of the earth, numbered row by row, so that an index finds what lies near a place."""

import math

A_DEGREE = 500
"""Squares along a degree: some 220 m from south to north."""
ROW = 1_000_000
"""From a square to the one north of it."""
METRES = 111_195.0
"""Of a degree from south to north."""
FURTHEST = 89.0
"""Degrees from the equator: squares become slits at the poles, and nobody lives there."""

Place = tuple[float, float]
"""Longitude and latitude in degrees."""


def cell(place: Place | None) -> int | None:
    """The number of the square in which a place lies; None for no place and for what is none."""
    if place is None or not (abs(place[0]) <= 180 and abs(place[1]) <= 90):
        return None
    return int((place[1] + 90) * A_DEGREE) * ROW + int((place[0] + 180) * A_DEGREE)


def box(place: Place, metres: float) -> tuple[float, float, float, float]:
    """West, south, east and north of the square around a place that has its circle inside. What lies beyond the date
    line is left out."""
    north = metres / METRES
    east = north / math.cos(math.radians(min(abs(place[1]), FURTHEST)))
    return (
        max(place[0] - east, -180.0),
        max(place[1] - north, -90.0),
        min(place[0] + east, 180.0),
        min(place[1] + north, 90.0),
    )


def rows_of_cells(place: Place, metres: float) -> list[tuple[int, int]]:
    """The first and the last square of each row that the box around a place touches."""
    return rows_of_box(box(place, metres))


def rows_of_box(box: tuple[float, float, float, float]) -> list[tuple[int, int]]:
    """The first and the last square of each row that a box touches: west, south, east, north."""
    west, south, east, north = box
    first, last = cell((west, south)), cell((east, north))
    if first is None or last is None:
        return []
    return [(row * ROW + first % ROW, row * ROW + last % ROW) for row in range(first // ROW, last // ROW + 1)]
