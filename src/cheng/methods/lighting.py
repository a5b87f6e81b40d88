"""When street lamps burn, and how brightly: by the sun, by measured daylight, and dimmed for part of the night.

Tables are Arrow tables as a job gets them: one row a thing with `id`, `longitude`, `latitude` and its fields.
CJJ 45-2015 asks for a lamp to be lit when daylight falls to 20 to 30 lx; a lamp lit by measured light goes out only
at AGAIN times that, so that a passing cloud does not make a street flicker.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cheng.methods.solar import is_up
from cheng.standards.calendars import Calendar

Floats = npt.NDArray[np.float64]

AGAIN = 1.5
"""Daylight, in multiples of the switching-on value, at which lamps go out again."""
NEAR = 0.5
"""Per cent of brightness by which a lamp may differ from the plan without being told."""
SWITCH_ON = 20.0
"""lx, where a cabinet does not say: CJJ 45-2015 for branch roads."""


def plan(now: int, cabinets: pa.Table, lamps: pa.Table) -> pa.Table:
    """What to tell lamps at `now` (µs UTC): a row with id and level (%) for each that is not as it has to be.

    `cabinets`: id, longitude, latitude, mode, on_below, dim_from, dim_to, dim_level, light. `lamps`: id, cabinet,
    level. A lamp whose cabinet is unknown, or is worked by hand, is left alone.
    """
    level = wanted(now, cabinets, burning(cabinets, lamps))
    rows = {name: row for row, name in enumerate(cabinets["id"].to_pylist())}
    of = np.array([rows.get(name, -1) for name in lamps["cabinet"].to_pylist()], np.intp)
    target = np.append(level, np.nan)[of]
    now_at = numbers(lamps, "level")
    tell = ~np.isnan(target) & ~(np.abs(target - now_at) <= NEAR)
    return pa.table({"id": lamps["id"].filter(pa.array(tell)), "level": target[tell]})


def wanted(now: int, cabinets: pa.Table, lit: npt.NDArray[np.bool_]) -> Floats:
    """How bright the lamps of each cabinet have to be, % (n,); NaN where nobody but people decides.

    `lit` (n,): do its lamps burn at present? Between the two thresholds of daylight they go on doing what they do.
    """
    mode = np.array(cabinets["mode"].to_pylist(), object)
    dark = ~is_up(numbers(cabinets, "longitude"), numbers(cabinets, "latitude"), now)
    light, below = numbers(cabinets, "light"), numbers(cabinets, "on_below", SWITCH_ON)
    sensed = (mode == "daylight") & ~np.isnan(light)
    on = np.where(sensed, (light < below) | (lit & (light < below * AGAIN)), dark)
    bright = np.where(dimmed(now, cabinets), numbers(cabinets, "dim_level", 100.0), 100.0)
    return np.where(mode == "by hand", np.nan, np.where(on, bright, 0.0))


def dimmed(now: int, cabinets: pa.Table) -> npt.NDArray[np.bool_]:
    """Is it the part of the night (hours of the city's day, may pass midnight) in which each cabinet dims? (n,)"""
    start, end = numbers(cabinets, "dim_from"), numbers(cabinets, "dim_to")
    hour = Calendar().hour(now)
    inside: npt.NDArray[np.bool_] = np.where(
        start <= end, (start <= hour) & (hour < end), (hour >= start) | (hour < end)
    )
    return inside & ~np.isnan(start) & ~np.isnan(end)


def burning(cabinets: pa.Table, lamps: pa.Table) -> npt.NDArray[np.bool_]:
    """(n,) does at least one lamp of each cabinet burn?"""
    lit = {name for name, level in zip(lamps["cabinet"].to_pylist(), numbers(lamps, "level"), strict=True) if level > 0}
    return np.array([name in lit for name in cabinets["id"].to_pylist()], np.bool_)


def numbers(table: pa.Table, name: str, missing: float = np.nan) -> Floats:
    """A column as floats, `missing` where it has no value; all missing where there is no such column."""
    if name not in table.column_names:
        return np.full(len(table), missing)
    column: Any = table[name].cast(pa.float64()).to_numpy()
    values = np.asarray(column, np.float64)
    return np.where(np.isnan(values), missing, values)
