"""The plane the invented city is drawn on: metres east and north of its middle, noise, and fields on a raster."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CENTRE = np.array([106.51, 29.53])
"""Longitude and latitude of the middle, WGS 84."""
DEGREE = np.array([96_870.0, 110_860.0])
"""Metres of a degree of longitude and of latitude, there."""
HALF = np.array([9_700.0, 8_900.0])
"""Metres from the middle to the edge of the city, eastwards and northwards."""
CORNERS = (-2.40, -0.74, 0.74, 2.40)
"""Directions of its south-western, south-eastern, north-eastern and north-western corner, radians from the east."""
AROUND = 3_500.0
"""Metres beyond the edge that are drawn as well."""


def degrees(points: Floats) -> Floats:
    """(…, 2) longitudes and latitudes, rounded to a tenth of a metre, so that every machine draws the same."""
    found: Floats = np.round(points / DEGREE + CENTRE, 6)
    return found


def metres(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
    """(…, 2) metres from the middle."""
    found: Floats = (np.stack([np.asarray(lon, float), np.asarray(lat, float)], axis=-1) - CENTRE) * DEGREE
    return found


class Noise:
    """Smooth noise in the plane: some waves of about one length that run everywhere. About -1 to 1."""

    def __init__(self, rng: np.random.Generator, length: float, waves: int = 9) -> None:
        turn = rng.uniform(0, 2 * np.pi, waves)
        size = 2 * np.pi / (length * rng.uniform(0.6, 1.6, waves))
        self.wave = np.stack([np.cos(turn), np.sin(turn)]) * size
        self.phase = rng.uniform(0, 2 * np.pi, waves)

    def __call__(self, points: Floats) -> Floats:
        """(…) of points (…, 2)."""
        found: Floats = np.sin(points @ self.wave + self.phase).mean(axis=-1) * 2.2
        return found


@dataclass(frozen=True)
class Raster:
    """Values at the corners of square cells that cover the city and what lies around it."""

    cell: float

    @property
    def low(self) -> Floats:
        """The south-western corner."""
        return -HALF - AROUND

    def points(self) -> Floats:
        """(rows, columns, 2) of every corner."""
        x, y = (np.arange(low, -low + self.cell, self.cell) for low in self.low)
        return np.stack(np.meshgrid(x, y), axis=-1)

    def at(self, values: Floats, points: Floats) -> Floats:
        """Between the corners, straight; beyond the edge, as at the edge."""
        rows, columns = values.shape
        place = (points - self.low) / self.cell
        x = np.clip(place[..., 0], 0, columns - 1.001)
        y = np.clip(place[..., 1], 0, rows - 1.001)
        i, j = x.astype(np.intp), y.astype(np.intp)
        x, y = x - i, y - j
        south = values[j, i] * (1 - x) + values[j, i + 1] * x
        north = values[j + 1, i] * (1 - x) + values[j + 1, i + 1] * x
        found: Floats = south * (1 - y) + north * y
        return found


def smooth(share: Floats) -> Floats:
    """From 0 to 1 without a corner."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def outline(angle: npt.ArrayLike) -> Floats:
    """(…, 2) where the edge of the city lies in a direction, radians from the east."""
    angle = np.asarray(angle, float)
    east, north = np.cos(angle), np.sin(angle)
    radius = ((np.abs(east) / HALF[0]) ** 4 + (np.abs(north) / HALF[1]) ** 4) ** (-1 / 4)
    corner = np.abs((angle[..., None] - np.array(CORNERS) + np.pi) % (2 * np.pi) - np.pi).min(axis=-1)
    radius = (
        radius
        * (1 + 0.045 * np.exp(-corner / 0.11))
        * (0.98 + 0.02 * np.sin(3 * angle + 1) + 0.015 * np.sin(7 * angle) + 0.008 * np.sin(13 * angle))
    )
    return np.stack([east * radius, north * radius], axis=-1)


def edge(first: float, last: float, count: int) -> Floats:
    """(count, 2) points on the edge of the city, equally far apart, from one direction to another."""
    fine = outline(np.linspace(first, last, 400))
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(fine, axis=0).T))])
    where = np.linspace(0, run[-1], count)
    return np.stack([np.interp(where, run, fine[:, 0]), np.interp(where, run, fine[:, 1])], axis=-1)


def inside_share(points: Floats) -> Floats:
    """(…) how far out points lie: 0 in the middle, 1 at the edge."""
    edge = outline(np.arctan2(points[..., 1], points[..., 0]))
    found: Floats = np.hypot(points[..., 0], points[..., 1]) / np.hypot(edge[..., 0], edge[..., 1])
    return found
