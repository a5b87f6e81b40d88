"""Dust in the north: the index climbs, a squad goes out, the source is stopped, the air is good again."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cheng.apps.ecology import air_quality
from cheng.apps.ecology.air_quality import (
    Station,
    good_days,
    heavily_polluted,
    index,
    mean_index,
    plume,
    polluted,
    share_of_good_days,
    unheard,
)
from cheng.standards.durations import days, hours
from cheng.standards.problems import Refused
from cheng.testing import Town, city

SQUAD = "North environment squad"
CLEAN = {"so2": 8, "no2": 30, "pm10": 45, "pm25": 30, "o3": 60, "co": 0.7}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, air_quality) as town:
        town.register(Station, "air-1", name="North Hill", district="North", network="national", at=(106.5, 29.6))
        yield town


def hour(town: Town, **values: float) -> None:
    """An hour of air, reported at its end, and the index that follows."""
    town.passes(hours(1))
    town.reports("air-1", **{**CLEAN, **values})
    town.works(index)


def test_heavy_pollution_is_followed_to_its_source(town: Town) -> None:
    hour(town)
    assert town.current("air-1", "aqi") == 45  # PM10 of 45 µg/m³
    hour(town, pm25=170)
    assert town.current("air-1", "aqi") == 220
    assert {a.rule for a in town.alerts()} == {"plume", "polluted", "heavily_polluted"}
    case = next(c for c in town.cases() if c.entry.rule.endswith("heavily_polluted"))
    assert case.case.departments == (SQUAD,)
    bai, luo = town.officer("Bai", SQUAD), town.officer("Luo", SQUAD)
    bai.completes(case)
    bai.completes(case, photo=True)
    with pytest.raises(Refused):
        luo.completes(case)  # the air is still bad
    hour(town, pm25=80)
    luo.completes(case)
    assert town.alerts(heavily_polluted) == []
    assert case.entry.id not in {c.entry.id for c in town.cases()}
    assert town.indicator(mean_index) == (45 + 220 + 119) / 3


def test_the_edition_of_the_day_decides(tmp_path: Path) -> None:
    """A PM2.5 of 70 µg/m³ is "good" by the earlier edition (its last 24 hours) and "light pollution" by the later."""
    indexes = []
    for on in (date(2026, 2, 20), date(2026, 3, 20)):
        with city(tmp_path / str(on), air_quality, start=1_770_000_000_000_000) as town:
            town.register(Station, "air-1", name="North Hill", district="North")
            town.is_at(0, on=on)
            for _ in range(21):
                hour(town, pm25=70)
            indexes.append((town.current("air-1", "aqi"), len(town.alerts(polluted))))
    assert indexes == [(94, 0), (110, 1)]


def test_a_sudden_plume_is_told_and_a_slow_haze_is_not(town: Town) -> None:
    for value in (30, 45, 60, 75, 90):
        hour(town, pm25=value)
    assert town.alerts(plume, over=True) == []
    hour(town, pm25=160)
    assert [a.rule for a in town.alerts(plume)] == ["plume"]


def test_a_good_day_is_counted_once_it_is_over(town: Town) -> None:
    assert town.indicator(share_of_good_days) is None
    town.is_at(0)
    for _ in range(24):
        hour(town)
    town.works(good_days)
    assert town.indicator(share_of_good_days, past=days(1)) == 100
    for _ in range(24):
        hour(town, pm25=120)
    town.works(good_days)
    assert town.indicator(share_of_good_days, past=days(3)) == 50


def test_half_a_day_is_no_day(town: Town) -> None:
    for _ in range(10):
        hour(town)
    town.works(good_days)
    assert town.indicator(share_of_good_days) is None


def test_a_silent_station_and_an_impossible_value(town: Town) -> None:
    town.reports("air-1", **CLEAN)
    assert town.reports("air-1", o3=-3).marked == 1
    assert town.sends(b'{"id":"air-1","attr":"co","time":1795132800,"value":"low"}').refused[0].code == "bad-value"
    town.passes(hours(3))
    assert [a.rule for a in town.alerts(unheard)] == ["unheard"]
    town.works(index)
    assert town.alerts(polluted) == []  # no reading, no index
