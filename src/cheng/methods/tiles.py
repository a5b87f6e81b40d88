"""Map tiles: where they lie, in the Web Mercator projection (EPSG:3857) of OGC's two-dimensional tile matrix sets.

The world is a square of side 1, x from west to east, y from north to south; at zoom z it is cut into 2^z × 2^z tiles.
"""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EXTENT = 4096
"""Units along the side of a vector tile."""
BUFFER = 128
"""Units around a tile that are drawn with it, so that nothing is seen to end at its edge."""
DEEPEST = 24
"""The largest zoom that is spoken of."""
LATITUDE = math.degrees(math.atan(math.sinh(math.pi)))
"""Degrees north and south up to which the projection goes."""
EQUATOR = 40_075_016.685_578_49
"""Metres around the earth, as the projection takes them."""


def mercator(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
    """x and y of positions (n,) in degrees; what lies beyond LATITUDE is moved to the edge, NaN stays NaN."""
    phi = np.radians(np.clip(np.asarray(latitude, np.float64), -LATITUDE, LATITUDE))
    return np.asarray(longitude, np.float64) / 360 + 0.5, 0.5 - np.arctanh(np.sin(phi)) / (2 * math.pi)


def degrees(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Longitude and latitude of positions (n,) on the square."""
    latitude = np.degrees(np.arctan(np.sinh(math.pi * (1 - 2 * np.asarray(y, np.float64)))))
    return (np.asarray(x, np.float64) - 0.5) * 360, latitude


def there(z: int, x: int, y: int) -> bool:
    """Whether there is a tile of that address."""
    return 0 <= z <= DEEPEST and 0 <= x < 1 << z and 0 <= y < 1 << z


def frame(z: int, x: int, y: int, buffer: float = 0) -> tuple[float, float, float, float]:
    """West, north, east and south edge of a tile on the square; `buffer` in units of EXTENT more on each side."""
    side, more = 1 / (1 << z), buffer / EXTENT / (1 << z)
    return x * side - more, y * side - more, (x + 1) * side + more, (y + 1) * side + more


def in_tile(z: int, x: int, y: int, across: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Positions on the square (n,) in units of a tile, from its north-west corner."""
    return (across * (1 << z) - x) * EXTENT, (down * (1 << z) - y) * EXTENT


def cells(across: Floats, down: Floats, size: int) -> npt.NDArray[np.int64]:
    """(n,) the number of the square of `size` units in which positions in units of a tile lie, row by row."""
    along = EXTENT // size
    return (down // size).astype(np.int64) * along + (across // size).astype(np.int64)
