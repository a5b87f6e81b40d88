"""Places from every coordinate system a Chinese city meets, as WGS 84 longitude and latitude.

GCJ-02 shifts WGS 84 inside China, mostly by 300 to 600 m, and is WGS 84 outside; BD-09 shifts GCJ-02 once more.
Both ways back are worked out by iteration and agree with the way there within 1e-10 degrees (0.01 mm). "Inside" is
the usual box 72.004-137.8347 E, 0.8293-55.8271 N, which takes in the neighbours' borderlands as every map service does.
CGCS 2000 differs from WGS 84 by centimetres and is taken as the same; its Gauss-Krueger zones (EPSG 4491 to 4554)
and all other projected systems go through PROJ, x always east and y always north.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

Floats = npt.NDArray[np.float64]
Pair = tuple[Floats, Floats]

AXIS, ECCENTRICITY = 6378245.0, 0.00669342162296594323  # the Krasovsky ellipsoid on which GCJ-02 is defined
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271
BAIDU = np.pi * 3000 / 180
SAME_AS_WGS84 = {"WGS84", "EPSG4326", "OGCCRS84", "CRS84", "4326", "CGCS2000", "EPSG4490", "4490"}


def in_china(lon: npt.ArrayLike, lat: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Inside the box in which GCJ-02 differs from WGS 84? Degrees, any shape."""
    x, y = _pair(lon, lat)
    inside: npt.NDArray[np.bool_] = (x > WEST) & (x < EAST) & (y > SOUTH) & (y < NORTH)
    return inside


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Degrees of any shape to degrees of the same shape."""
    x, y = _pair(lon, lat)
    inside = in_china(x, y)
    moved = _shifted(np.where(inside, x, 105.0), np.where(inside, y, 35.0))
    return np.where(inside, moved[0], x), np.where(inside, moved[1], y)


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Degrees of any shape to degrees of the same shape; `wgs84_to_gcj02` of the answer is the input."""
    x, y = _pair(lon, lat)
    inside = in_china(x, y)
    found = _inverse(_shifted, np.where(inside, x, 105.0), np.where(inside, y, 35.0))
    return np.where(inside, found[0], x), np.where(inside, found[1], y)


def gcj02_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Degrees of any shape to degrees of the same shape."""
    x, y = _pair(lon, lat)
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * BAIDU)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * BAIDU)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Degrees of any shape to degrees of the same shape; `gcj02_to_bd09` of the answer is the input."""
    return _inverse(gcj02_to_bd09, *_pair(lon, lat))


def to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: str) -> Pair:
    """Longitude and latitude in degrees WGS 84 from x (east) and y (north) in `crs`, any shape.

    `crs`: WGS84, GCJ-02, BD-09, CGCS2000, EPSG:n, or WKT. What a projection cannot place becomes infinite.
    Raises ValueError for a system that is not known.
    """
    name = _plain(crs)
    if name in SAME_AS_WGS84:
        return _pair(lon, lat)
    if name == "GCJ02":
        return gcj02_to_wgs84(lon, lat)
    if name == "BD09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    x, y = _transformer(crs, True).transform(*_pair(lon, lat))
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def from_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: str) -> Pair:
    """The way back of `to_wgs84`: x (east) and y (north) in `crs`. Raises ValueError for an unknown system."""
    name = _plain(crs)
    if name in SAME_AS_WGS84:
        return _pair(lon, lat)
    if name == "GCJ02":
        return wgs84_to_gcj02(lon, lat)
    if name == "BD09":
        return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))
    x, y = _transformer(crs, False).transform(*_pair(lon, lat))
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def geometries_to_wgs84(geometries: npt.ArrayLike, crs: str) -> npt.NDArray[np.object_]:
    """Shapely geometries (n,) in `crs` as geometries in WGS 84; heights and None stay. ValueError as `to_wgs84`."""
    given = np.asarray(geometries, object)
    if _plain(crs) in SAME_AS_WGS84 or not len(given):
        return given

    def moved(points: Floats) -> Floats:
        lon, lat = to_wgs84(points[:, 0], points[:, 1], crs)
        return np.column_stack([lon, lat, points[:, 2:]])

    result = np.array(given, copy=True)
    for high in (False, True):
        chosen = shapely.has_z(given) == high
        if chosen.any():
            result[chosen] = shapely.transform(given[chosen], moved, include_z=high)
    return result


def is_degrees(crs: str) -> bool:
    """Does this system count in degrees? Raises ValueError when it is not known."""
    name = _plain(crs)
    return name in SAME_AS_WGS84 or name in ("GCJ02", "BD09") or bool(_system(crs).is_geographic)


def _pair(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    return np.asarray(lon, np.float64), np.asarray(lat, np.float64)


def _plain(crs: str) -> str:
    """ "urn:ogc:def:crs:EPSG::4490" and "epsg:4490" are EPSG4490; "gcj-02" is GCJ02."""
    name = "".join(c for c in crs.strip().upper().removeprefix("URN:OGC:DEF:CRS:") if c.isalnum())
    return {"OGC13CRS84": "CRS84", "GCJ": "GCJ02", "BD": "BD09", "BD09LL": "BD09", "WGS1984": "WGS84"}.get(name, name)


@lru_cache(maxsize=32)
def _system(crs: str) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_user_input(int(crs) if crs.strip().isdigit() else crs)
    except pyproj.exceptions.CRSError:
        raise ValueError(
            f"{crs[:80]!r} is no known coordinate system; use WGS84, GCJ-02, BD-09, CGCS2000 or EPSG:n"
        ) from None


@lru_cache(maxsize=32)
def _transformer(crs: str, inward: bool) -> pyproj.Transformer:
    other, wgs84 = _system(crs), pyproj.CRS.from_epsg(4326)
    source, target = (other, wgs84) if inward else (wgs84, other)
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def _shift(lon: Floats, lat: Floats) -> Pair:
    """By how many degrees GCJ-02 lies east and north of WGS 84 here."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    ripple = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - ECCENTRICITY * np.sin(phi) ** 2
    east_degrees = np.degrees(east / (AXIS / np.sqrt(magic) * np.cos(phi)))
    north_degrees = np.degrees(north / (AXIS * (1 - ECCENTRICITY) / (magic * np.sqrt(magic))))
    return east_degrees, north_degrees


def _shifted(lon: Floats, lat: Floats) -> Pair:
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def _inverse(forward: Callable[[Floats, Floats], Pair], lon: Floats, lat: Floats) -> Pair:
    """The point that `forward` moves here. Each round wins about three digits; ten are never needed."""
    x, y = lon, lat
    for _ in range(10):
        there = forward(x, y)
        east, north = lon - there[0], lat - there[1]
        x, y = x + east, y + north
        if not (np.any(np.abs(east) > 1e-11) or np.any(np.abs(north) > 1e-11)):  # NaN counts as settled
            break
    return x, y
