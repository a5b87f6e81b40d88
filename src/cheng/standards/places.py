"""Places: GeoJSON (RFC 7946, WGS 84) to and from geometry, and whether positions lie in them."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Bools = npt.NDArray[np.bool_]


def from_geojson(geometry: dict[str, Any]) -> shapely.Geometry:
    """A geometry from GeoJSON, in degrees WGS 84; raises ValueError with what is wrong."""
    try:
        place = shapely.from_geojson(json.dumps(geometry))
    except (shapely.errors.ShapelyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no GeoJSON geometry: {error}") from error
    if place is None or place.is_empty:
        raise ValueError("the geometry is empty")
    if not place.is_valid:
        raise ValueError(f"the geometry crosses itself or is broken: {shapely.is_valid_reason(place)}")
    west, south, east, north = place.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        longitude, latitude = (west if west < -180 else east), (south if south < -90 else north)
        where = f"longitude {longitude:.10g}, latitude {latitude:.10g} is nowhere on the earth"
        if west >= -90 and east <= 90 and south >= -180 and north <= 180:
            raise ValueError(f"{where}; they look swapped, GeoJSON wants the longitude first")
        raise ValueError(f"{where}; longitudes go from -180 to 180, latitudes from -90 to 90")
    return place


def plain_point(geometry: dict[str, Any]) -> bool:
    """Whether GeoJSON is a point on the earth and nothing else: most places are, and need no library to tell."""
    if len(geometry) != 2 or geometry.get("type") != "Point":
        return False
    match geometry.get("coordinates"):
        case [float(longitude), float(latitude)]:
            return -180 <= longitude <= 180 and -90 <= latitude <= 90
    return False


def covers(places: npt.NDArray[Any], longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Bools, Bools]:
    """Whether each position lies in (or on the edge of) its place, and whether that can be known.

    Places (n,) or (1,) shapely geometries or None; degrees (n,). Without a place or position it is not known.
    """
    x, y = np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)
    there = ~shapely.is_missing(places) & ~shapely.is_empty(places)
    known = there & np.isfinite(x) & np.isfinite(y)
    if len(places) == 1:
        shapely.prepare(places)
    return shapely.intersects_xy(places, x, y) & known, known


def representative_point(geometry: dict[str, Any] | None) -> tuple[float, float] | None:
    """A point that surely lies in the geometry: longitude, latitude."""
    if geometry is None:
        return None
    if geometry.get("type") == "Point":
        longitude, latitude = geometry["coordinates"][:2]
        return float(longitude), float(latitude)
    point = from_geojson(geometry).representative_point()
    return float(point.x), float(point.y)
