"""Hourly and daily indexes of stations from their readings, against values worked out by hand."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from cheng.methods import air_hours

HOUR = 3_600_000_000
OLD = int(datetime(2026, 2, 20, tzinfo=UTC).timestamp() * 1e6)
NEW = int(datetime(2026, 3, 20, tzinfo=UTC).timestamp() * 1e6)


def tables(now: int, **hours: list[float]) -> list[pa.Table]:
    """Readings of station "a" by pollutant, the last value that of the hour that is over now."""
    names = dict(zip(("SO2", "NO2", "PM10", "PM25", "O3", "CO"), air_hours.POLLUTANTS, strict=True))
    return [table(now, hours.get(name, [])) for name in names]


def table(now: int, values: list[float], station: str = "a") -> pa.Table:
    times = [now - HOUR * ago for ago in range(len(values) - 1, -1, -1)]
    columns: dict[str, Any] = {
        "id": pa.array([station] * len(values), pa.string()),
        "time": pa.array(times, pa.int64()),
    }
    return pa.table({**columns, "value": pa.array(values, pa.float64())})


def index(now: int, **hours: list[float]) -> list[float]:
    return [float(value) for value in air_hours.index(now, *tables(now, **hours))["aqi"].to_pylist()]


def test_from_march_2026_the_hour_itself_counts() -> None:
    assert index(NEW, PM25=[300.0, 35.0]) == [50]
    assert index(NEW, PM25=[35.0, 60.0]) == [100]
    assert index(NEW, O3=[200.0]) == [100]
    assert index(NEW, PM25=[35.0], O3=[201.0]) == [101]


def test_before_that_the_last_day_of_the_dust() -> None:
    assert index(OLD, PM25=[75.0] * 20) == [100]
    assert index(OLD, PM25=[75.0] * 19) == []  # less than 20 hours are no mean
    assert index(OLD, PM25=[75.0] * 19, NO2=[100.0]) == [50]


def test_an_hour_without_readings_has_no_index() -> None:
    assert index(NEW) == []
    late = tables(NEW - HOUR, PM25=[80.0])
    assert len(air_hours.index(NEW, *late)) == 0
    early = tables(NEW + 2 * HOUR, PM25=[80.0])
    assert len(air_hours.index(NEW, *early)) == 0


def test_several_readings_of_an_hour_are_one_mean() -> None:
    twice = pa.concat_tables([table(NEW, [20.0]), table(NEW - HOUR // 2, [50.0])])
    assert air_hours.index(NEW, *tables(NEW)[:3], twice, *tables(NEW)[4:])["aqi"].to_pylist() == [50]


@pytest.mark.parametrize(("pm25", "clean"), [(60.0, 100), (60.6, 0)])
def test_a_good_day_is_one_up_to_100(pm25: float, clean: float) -> None:
    day = air_hours.good_days(NEW, *tables(NEW, PM25=[pm25] * 24))
    assert day["clean"].to_pylist() == [clean]
    assert len(air_hours.good_days(NEW, *tables(NEW, PM25=[pm25] * 19))) == 0


def test_times_may_be_timestamps() -> None:
    stamped = table(NEW, [60.0])
    stamped = stamped.set_column(1, "time", stamped["time"].cast(pa.timestamp("us", "UTC")))
    assert air_hours.micros(stamped).tolist() == [NEW]
