"""When the sun rises and sets, for schedules of street lamps and alike.

The equations of NOAA's solar calculator (after Meeus, Astronomical Algorithms), good to about a minute between the
polar circles for the years 1900 to 2100; the horizon is flat and the air is the standard one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

DAY = 86_400_000_000
RISE, CIVIL = 90.833, 96.0
"""zenith in degrees at which the upper rim appears (with refraction), and at which civil twilight begins and ends"""
J2000_DAYS = 10957.5
"""days from 1970-01-01 00:00 to 2000-01-01 12:00 UTC"""


@dataclass(frozen=True, slots=True)
class Sun:
    """All columns (n,), microseconds since 1970-01-01 UTC; 0 where it does not happen on that day."""

    dawn: Times
    """civil twilight begins: lamps may go off"""
    rise: Times
    noon: Times
    set: Times
    dusk: Times
    """civil twilight ends: lamps are needed"""


def sun(lon: npt.ArrayLike, lat: npt.ArrayLike, days: npt.ArrayLike) -> Sun:
    """The sun's day at places (degrees) on dates (days since 1970-01-01 of the local date), broadcast to (n,)."""
    x, y, day = np.broadcast_arrays(np.asarray(lon, np.float64), np.asarray(lat, np.float64), np.asarray(days, float))
    x, y, day = np.atleast_1d(x), np.atleast_1d(y), np.atleast_1d(day)
    noon = day + 0.5 - x / 360  # the mean sun's; two rounds make it the true one
    for _ in range(2):
        noon = day + 0.5 - x / 360 - _position(noon)[1] / 1440
    return Sun(
        _crossing(noon, x, y, day, CIVIL, -1),
        _crossing(noon, x, y, day, RISE, -1),
        _microseconds(noon),
        _crossing(noon, x, y, day, RISE, 1),
        _crossing(noon, x, y, day, CIVIL, 1),
    )


def is_up(lon: npt.ArrayLike, lat: npt.ArrayLike, us: npt.ArrayLike, zenith: float = RISE) -> npt.NDArray[np.bool_]:
    """Does the sun stand higher than `zenith` (degrees from straight up) at these instants? Broadcast."""
    moment = np.asarray(us, np.float64) / DAY
    declination, equation = _position(moment)
    angle = ((moment % 1) * 360 + np.asarray(lon, np.float64) + equation / 4 - 180) % 360
    phi = np.radians(np.asarray(lat, np.float64))
    height = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(np.radians(angle))
    up: npt.NDArray[np.bool_] = height > np.cos(np.radians(zenith))
    return up


def _position(moment: Floats) -> tuple[Floats, Floats]:
    """The sun's declination (radians) and the equation of time (minutes) at a moment in days since 1970."""
    century = (moment - J2000_DAYS) / 36525
    longitude = np.radians((280.46646 + century * (36000.76983 + century * 0.0003032)) % 360)
    anomaly = np.radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
    centre = np.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
    centre += np.sin(2 * anomaly) * (0.019993 - 0.000101 * century) + np.sin(3 * anomaly) * 0.000289
    node = np.radians(125.04 - 1934.136 * century)
    apparent = longitude + np.radians(centre - 0.00569 - 0.00478 * np.sin(node))
    tilt = np.radians(23.439291 - 0.0130042 * century + 0.00256 * np.cos(node))
    half = np.tan(tilt / 2) ** 2
    equation = half * np.sin(2 * longitude) - 2 * eccentricity * np.sin(anomaly)
    equation += 4 * eccentricity * half * np.sin(anomaly) * np.cos(2 * longitude)
    equation -= half**2 / 2 * np.sin(4 * longitude) + 1.25 * eccentricity**2 * np.sin(2 * anomaly)
    return np.arcsin(np.sin(tilt) * np.sin(apparent)), 4 * np.degrees(equation)


def _crossing(noon: Floats, lon: Floats, lat: Floats, day: Floats, zenith: float, side: int) -> Times:
    """When the sun crosses `zenith` before (-1) or after (1) noon, µs; 0 where it does not."""
    phi = np.radians(lat)
    moment = noon
    happens = np.ones(noon.shape, bool)
    for _ in range(3):
        declination, equation = _position(moment)
        cosine = np.cos(np.radians(zenith)) / (np.cos(phi) * np.cos(declination)) - np.tan(phi) * np.tan(declination)
        happens = np.abs(cosine) <= 1
        angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        moment = day + 0.5 - lon / 360 - equation / 1440 + side * angle / 360
    return np.where(happens, _microseconds(moment), 0)


def _microseconds(days: Floats) -> Times:
    return np.round(days * 86_400).astype(np.int64) * 1_000_000
