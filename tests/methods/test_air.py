from datetime import date

import numpy as np
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.methods import air
from shared_data import shared

OLD, NEW = date(2020, 1, 1), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("pollutant", "mean", "concentration", "old", "new"),
    [
        ("PM2.5", "24h", 35, 50, 50),
        ("PM2.5", "24h", 60, 82, 100),
        ("PM2.5", "24h", 75, 100, 114),  # 100 + 15 / 55 * 50 = 113.6
        ("PM2.5", "24h", 120, 158, 158),  # 150 + 5 / 35 * 50 = 157.1
        ("PM2.5", "24h", 500, 500, 500),
        ("PM2.5", "24h", 800, 500, 500),
        ("PM10", "24h", 150, 100, 112),
        ("PM10", "24h", 0, 0, 0),
        ("SO2", "24h", 65, 58, 58),
        ("SO2", "1h", 475, 97, 97),
        ("SO2", "1h", 801, None, 200),
        ("NO2", "24h", 150, 135, 135),
        ("NO2", "1h", 350, 115, 115),
        ("CO", "24h", 2.0, 50, 50),
        ("CO", "24h", 8, 120, 120),
        ("O3", "8h", 200, 137, 137),
        ("O3", "8h", 801, None, 300),
        ("O3", "1h", 200, 100, 100),
        ("O3", "1h", -1, None, None),
        ("O3", "1h", float("nan"), None, None),
    ],
)
def test_individual_indexes(pollutant: str, mean: air.Mean, concentration: float, old: int | None, new: int) -> None:
    for day, expected in ((OLD, old), (NEW, new)):
        found = air.individual_index(pollutant, mean, [concentration], day)[0]
        assert (None if np.isnan(found) else found) == expected


def test_the_edition_of_2026_rounds_concentrations_first() -> None:
    assert air.individual_index("PM2.5", "24h", [60.5, 61.5], NEW).tolist() == [100, 102]  # 60 and 62: half to even
    assert air.individual_index("PM2.5", "24h", [60.5], OLD).tolist() == [82]


def test_a_day_with_its_level_and_primary_pollutant() -> None:
    day = air.daily({"PM2.5": [120], "PM10": [180], "SO2": [65], "NO2": [150], "CO": [8], "O3": [200]}, OLD)
    assert day.aqi.tolist() == [158]
    assert day.level.tolist() == [4]
    assert day.complete.tolist() == [True]
    assert day.primary_names(0) == ["PM2.5"]
    assert air.levels()[day.level[0] - 1].name_zh == "中度污染"


def test_several_primary_pollutants_and_none() -> None:
    day = air.daily({"PM2.5": [60, 20, np.nan], "PM10": [120, 20, np.nan]}, NEW)
    assert day.primary_names(0) == ["PM2.5", "PM10"]
    assert day.primary_names(1) == []
    assert np.isnan(day.aqi[2])
    assert day.level.tolist() == [2, 1, 0]
    assert not day.complete.any()


def test_ozone_of_the_hour_counts_by_its_own_table() -> None:
    assert air.hourly({"O3": [160.0]}, NEW).aqi.tolist() == [50]
    assert air.daily({"O3": [160.0]}, NEW).aqi.tolist() == [100]


def test_an_unknown_pollutant_is_an_error() -> None:
    with pytest.raises(KeyError):
        air.daily({"VOC": [1.0]}, NEW)


def test_levels_meet_without_gaps() -> None:
    assert air.level_of([0, 50, 51, 100, 101, 150, 151, 200, 201, 300, 301, 500, np.nan]).tolist() == [
        1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 0,
    ]  # fmt: skip
    assert [level.name_zh for level in air.levels()] == ["优", "良", "轻度污染", "中度污染", "重度污染", "严重污染"]


@given(st.sampled_from(sorted(air.breakpoints())), st.floats(0, 5000), st.floats(0, 5000), st.sampled_from([OLD, NEW]))
def test_more_of_it_is_never_better(key: tuple[str, air.Mean], one: float, two: float, day: date) -> None:
    low, high = air.individual_index(*key, sorted((one, two)), day)
    assert not high < low


def test_a_day_needs_twenty_hours() -> None:
    hours = np.tile(np.arange(24.0), (2, 1))
    hours[0, :4], hours[1, :5] = np.nan, np.nan
    means = air.day_means(hours)
    assert means[0] == pytest.approx(13.5)
    assert np.isnan(means[1])


def test_moving_means_need_enough_hours() -> None:
    moving = air.moving_mean([1, 2, 3, np.nan, 5], 3, 2)
    np.testing.assert_allclose(moving, [np.nan, 1.5, 2, 2.5, 4])


def test_the_highest_eight_hours_of_ozone() -> None:
    hours = np.full((3, 24), 40.0)
    hours[0, 12:20] = 200
    hours[1, 10:] = np.nan  # 5 windows only
    hours[2, :8], hours[2, 16:] = np.nan, np.nan
    hours[2, 8:16] = 300  # too few windows, but above the limit already
    np.testing.assert_allclose(air.ozone_day(hours), [200, np.nan, 300])


def test_four_years_of_beijing_look_like_beijing() -> None:
    """Dongsi, hourly: winters worse than summers, ozone leads in summer, figures near the published ones."""
    path = shared("air_beijing/PRSA_Data_Dongsi_20130301-20170228.csv.gz")
    table = pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(null_values=["NA"]))
    months = table["month"].to_numpy().reshape(-1, 24)[:, 0]
    columns = {}
    for name in ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3"):
        hours = table[name].to_numpy().astype(float).reshape(-1, 24) / (1000 if name == "CO" else 1)
        columns[name] = air.ozone_day(hours) if name == "O3" else air.day_means(hours)
    days = air.daily(columns, OLD)
    known = np.isfinite(days.aqi)
    assert known.mean() > 0.95
    monthly = {month: days.aqi[known & (months == month)].mean() for month in range(1, 13)}
    assert all(70 < mean < 180 for mean in monthly.values())
    assert monthly[1] > monthly[8]
    assert monthly[12] > monthly[9]
    summer, winter = known & (months == 7), known & (months == 1)
    assert days.primary["O3"][summer].mean() > 0.3
    assert days.primary["O3"][winter].mean() < 0.05
    later = air.daily(columns, NEW)
    both = np.isfinite(later.aqi) & known
    assert (later.aqi[both] >= days.aqi[both] - 1).all()  # the later edition is no milder, rounding aside
