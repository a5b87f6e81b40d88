"""The national air quality index: HJ 633-2012, and HJ 633-2026 from 1 March 2026; means after GB 3095.

Concentrations are NumPy columns of equal length, one a pollutant: SO2, NO2, PM10, O3, PM2.5 in ug/m3, CO in mg/m3.
NaN means that there is none; a negative one counts as none. Breakpoints are rows of `air_breakpoints.csv`, which
of them hold is decided by the day asked for. What the two editions differ in, beside PM10 and PM2.5: the later one
rounds concentrations first (half to even, GB/T 8170) and gives SO2 above 800 ug/m3 in the hour 200 and ozone above
800 ug/m3 in 8 hours 300, where the earlier one gave no index of that mean at all.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Mean = Literal["1h", "8h", "24h"]

INDEXES = np.array([0, 50, 100, 150, 200, 300, 400, 500], np.float64)
DAILY: Mapping[str, Mean] = {"SO2": "24h", "NO2": "24h", "PM10": "24h", "CO": "24h", "O3": "8h", "PM2.5": "24h"}
HOURLY: Mapping[str, Mean] = {"SO2": "1h", "NO2": "1h", "PM10": "24h", "CO": "1h", "O3": "1h", "PM2.5": "24h"}
DAY_HOURS, EIGHT_HOURS, OZONE_WINDOWS = 20, 6, 14  # the fewest valid values: GB 3095-2012 table 4, HJ 663-2013


@dataclass(frozen=True, slots=True)
class Breakpoints:
    """One row of the table: concentrations at which the individual index is 0, 50, 100 … ."""

    since: date
    edition: str
    unit: str
    decimals: int | None
    """to how many decimals the concentration is rounded first; None: not at all"""
    above: float
    """the index above the last concentration; NaN when there is none"""
    concentrations: Floats


@dataclass(frozen=True, slots=True)
class Level:
    """One of the six levels."""

    number: int
    low: int
    high: int
    name: str
    name_zh: str
    colour: str


@dataclass(frozen=True, slots=True)
class Air:
    """The index of n moments or days."""

    aqi: Floats
    """(n,) whole numbers 0 to 500; NaN where no pollutant is known"""
    level: npt.NDArray[np.int8]
    """(n,) 1 to 6; 0 where the index is not known"""
    individual: dict[str, Floats]
    """pollutant: (n,) its individual index (IAQI)"""
    primary: dict[str, Bools]
    """pollutant: (n,) is it a primary one, that is the highest while the index is above 50? There may be several."""

    complete: Bools
    """(n,) are all six pollutants known? An incomplete index up to 100 is not for publication."""

    def primary_names(self, row: int) -> list[str]:
        """The primary pollutants of one row."""
        return [pollutant for pollutant, chosen in self.primary.items() if chosen[row]]


@lru_cache(maxsize=1)
def breakpoints() -> dict[tuple[str, str], tuple[Breakpoints, ...]]:
    """(pollutant, mean): its editions, the earliest first."""
    text = files("cheng.methods").joinpath("air_breakpoints.csv").read_text("utf-8")
    found: dict[tuple[str, str], tuple[Breakpoints, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        steps = [row[f"c{index:g}"] for index in INDEXES]
        edition = Breakpoints(
            date.fromisoformat(row["since"]),
            row["edition"],
            row["unit"],
            int(row["decimals"]) if row["decimals"] else None,
            float(row["above"] or "nan"),
            np.array([float(step) for step in steps if step]),
        )
        key = row["pollutant"], row["mean"]
        found[key] = tuple(sorted((*found.get(key, ()), edition), key=lambda e: e.since))
    return found


@lru_cache(maxsize=1)
def levels() -> tuple[Level, ...]:
    """The six levels, good first."""
    text = files("cheng.methods").joinpath("air_levels.csv").read_text("utf-8")
    return tuple(
        Level(int(row["level"]), int(row["low"]), int(row["high"]), row["name"], row["zh"], row["colour"])
        for row in csv.DictReader(text.splitlines())
    )


def level_of(aqi: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """The level 1 to 6 of each index; 0 for NaN."""
    index = np.asarray(aqi, np.float64)
    number = np.searchsorted([level.high for level in levels()[:-1]], index, side="left") + 1
    return np.where(np.isnan(index), 0, number).astype(np.int8)


def individual_index(pollutant: str, mean: Mean, concentration: npt.ArrayLike, on: date) -> Floats:
    """IAQI (n,) of a column of concentrations by the edition in force on a day; NaN where there is none.

    Linear between breakpoints, rounded up. Days before the first edition use the first. KeyError when the standard
    has no such mean of this pollutant.
    """
    editions = breakpoints()[pollutant, mean]
    row = next((edition for edition in reversed(editions) if edition.since <= on), editions[0])
    amount = np.asarray(concentration, np.float64)
    if row.decimals is not None:
        amount = np.round(amount, row.decimals)
    exact = np.interp(amount, row.concentrations, INDEXES[: len(row.concentrations)])
    index = np.ceil(np.round(exact, 9))  # 150.00000000000003 is 150, not 151
    index = np.where(amount > row.concentrations[-1], row.above, index)
    return np.where(amount >= 0, index, np.nan)


def daily(columns: Mapping[str, npt.ArrayLike], on: date) -> Air:
    """The index of days, from 24-hour means and the highest 8-hour mean of ozone of each day.

    `columns`: pollutant to (n,) concentrations. KeyError for an unknown pollutant.
    """
    return _combine({name: individual_index(name, DAILY[name], column, on) for name, column in columns.items()})


def hourly(columns: Mapping[str, npt.ArrayLike], on: date) -> Air:
    """The index of hours, from 1-hour means.

    PM10 and PM2.5 have breakpoints for 24 hours only: HJ 633-2012 wants their moving 24-hour mean here (see
    `moving_mean`), HJ 633-2026 the mean of the hour. KeyError for an unknown pollutant.
    """
    return _combine({name: individual_index(name, HOURLY[name], column, on) for name, column in columns.items()})


def _combine(individual: dict[str, Floats]) -> Air:
    if not individual:
        raise ValueError("an index needs at least one pollutant")
    table = np.stack([np.atleast_1d(column) for column in individual.values()])
    highest = np.where(np.isnan(table), -1.0, table).max(axis=0)
    primary = (table == highest) & (highest > 50)
    aqi = np.where(highest < 0, np.nan, highest)
    names = list(individual)
    return Air(
        aqi,
        level_of(aqi),
        dict(zip(names, table, strict=True)),
        dict(zip(names, primary, strict=True)),
        np.logical_and(np.isfinite(table).all(axis=0), set(names) >= set(DAILY)),
    )


def day_means(hours: npt.ArrayLike, fewest: int = DAY_HOURS) -> Floats:
    """24-hour means (days,) of hourly values (days, 24); NaN where fewer than 20 hours are known."""
    return _mean(np.asarray(hours, np.float64), fewest)


def moving_mean(hours: npt.ArrayLike, width: int, fewest: int) -> Floats:
    """Mean of each hour and the `width` - 1 before it, (n,) to (n,); NaN where fewer than `fewest` are known."""
    column = np.asarray(hours, np.float64)
    padded = np.concatenate([np.full(width - 1, np.nan), column])
    return _mean(np.lib.stride_tricks.sliding_window_view(padded, width), fewest)


def ozone_day(hours: npt.ArrayLike, limit: float = 160.0) -> Floats:
    """The highest 8-hour mean of each day (days,) from hourly ozone (days, 24), column 0 the hour until 01:00.

    The windows that end from 08:00 to 24:00 count, each with at least 6 hours. With fewer than 14 such windows the
    day has no value, unless what there is lies above `limit` already (HJ 663-2013).
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(hours, np.float64), 8, axis=1)
    means = _mean(windows, EIGHT_HOURS)
    known = np.isfinite(means)
    highest = np.where(known, means, -np.inf).max(axis=1)
    valid = (known.sum(axis=1) >= OZONE_WINDOWS) | (highest > limit)
    return np.where(valid & np.isfinite(highest), highest, np.nan)


def _mean(values: Floats, fewest: int) -> Floats:
    """Over the last axis, without NaN; NaN where fewer than `fewest` are known."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.where(count >= max(fewest, 1), total / np.maximum(count, 1), np.nan)
