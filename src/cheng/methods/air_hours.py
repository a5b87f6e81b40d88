"""The air quality index of stations, from the hourly means of their last day as a job reads them.

Each function takes the time (µs UTC) and six Arrow tables with id, time and value, in the order of POLLUTANTS: the
readings of the last 24 hours, dated with the end of their hour. A station needs at least one pollutant.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cheng.methods import air

Floats = npt.NDArray[np.float64]

POLLUTANTS = ("SO2", "NO2", "PM10", "PM2.5", "O3", "CO")
HOURS = 24
HOUR = 3_600_000_000
BEIJING = timezone(timedelta(hours=8))
"""The national standards count hours and days in Beijing time."""
HOURLY_DUST = date(2026, 3, 1)
"""From then on the hourly index takes PM10 and PM2.5 of the hour itself (HJ 633-2026), before their last 24 hours."""
GOOD = 100.0


def index(now: int, *tables: pa.Table) -> pa.Table:
    """The index of the last hour: columns id and aqi, stations without any reading of that hour left out."""
    stations, hours = by_hour(now, tables)
    on = day(now)
    columns = {name: hours[row][:, -1] for row, name in enumerate(POLLUTANTS)}
    if on < HOURLY_DUST:
        for name in ("PM10", "PM2.5"):
            columns[name] = air.day_means(hours[POLLUTANTS.index(name)])
    return answer(stations, "aqi", air.hourly(columns, on).aqi)


def good_days(now: int, *tables: pa.Table) -> pa.Table:
    """For each station 100 where the index of the last 24 hours is at most 100, else 0: columns id and clean."""
    stations, hours = by_hour(now, tables)
    columns = {
        name: air.ozone_day(hours[row]) if name == "O3" else air.day_means(hours[row])
        for row, name in enumerate(POLLUTANTS)
    }
    aqi = air.daily(columns, day(now - HOUR)).aqi
    return answer(stations, "clean", np.where(np.isnan(aqi), np.nan, np.where(aqi <= GOOD, 100.0, 0.0)))


def by_hour(now: int, tables: Sequence[pa.Table]) -> tuple[list[str], Floats]:
    """The stations, and their hourly means (6, stations, 24), the last column the hour up to `now`; NaN for none."""
    stations = sorted({name for table in tables for name in table["id"].to_pylist()})
    place = {name: row for row, name in enumerate(stations)}
    total = np.zeros((len(POLLUTANTS), len(stations), HOURS))
    count = np.zeros_like(total)
    for row, table in enumerate(tables):
        ago = (now - micros(table)) // HOUR
        value = np.asarray(table["value"].to_numpy(), np.float64)
        good = (ago >= 0) & (ago < HOURS) & ~np.isnan(value)
        who = np.array([place[name] for name in table["id"].to_pylist()], np.intp)[good]
        column = HOURS - 1 - ago[good]
        np.add.at(total[row], (who, column), value[good])
        np.add.at(count[row], (who, column), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return stations, np.where(count > 0, total / count, np.nan)


def micros(table: pa.Table) -> npt.NDArray[np.int64]:
    """The times of a table as µs UTC, whether it has numbers or timestamps."""
    column = table["time"]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(column.to_numpy(), np.int64)


def day(now: int) -> date:
    """The day in Beijing time."""
    return datetime.fromtimestamp(now / 1e6, UTC).astimezone(BEIJING).date()


def answer(stations: list[str], name: str, values: Floats) -> pa.Table:
    """id and value, without those that are not known."""
    known = np.flatnonzero(~np.isnan(values))
    return pa.table({"id": pa.array([stations[row] for row in known.tolist()], pa.string()), name: values[known]})
