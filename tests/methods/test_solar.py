"""Against published tables (national almanacs, to the minute)."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.methods.solar import CIVIL, DAY, is_up, sun

BEIJING, CHONGQING, LONDON, SYDNEY = (116.3913, 39.9075), (106.55, 29.56), (-0.1278, 51.5074), (151.2093, -33.8688)


def day_number(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("place", "day", "offset", "rise", "set_"),
    [
        (BEIJING, "2024-06-21", 8, "04:46", "19:46"),
        (BEIJING, "2024-12-21", 8, "07:32", "16:53"),
        (LONDON, "2024-03-20", 0, "06:03", "18:14"),
        (LONDON, "2024-06-20", 1, "04:43", "21:21"),
        (SYDNEY, "2024-12-21", 11, "05:41", "20:05"),
    ],
)
def test_published_times_within_two_minutes(
    place: tuple[float, float], day: str, offset: int, rise: str, set_: str
) -> None:
    found = sun(*place, day_number(day))
    for column, text in ((found.rise, rise), (found.set, set_)):
        told = datetime.fromisoformat(f"{day}T{text}:00").replace(tzinfo=UTC) - timedelta(hours=offset)
        assert abs(int(column[0]) / 1e6 - told.timestamp()) <= 120


def test_polar_days_and_nights_have_no_rise_and_no_set() -> None:
    summer, winter = sun(18.955, 69.65, [day_number("2024-06-21"), day_number("2024-12-21")]).rise
    assert summer == 0
    assert winter == 0
    noon = sun(18.955, 69.65, [day_number("2024-06-21"), day_number("2024-12-21")]).noon
    assert is_up(18.955, 69.65, noon).tolist() == [True, False]


def test_places_and_days_broadcast() -> None:
    found = sun(np.array([[116.4], [106.55]]).ravel(), np.array([39.9, 29.56]), day_number("2026-11-20"))
    assert found.rise.shape == (2,)
    assert found.rise[1] > found.rise[0]


@given(st.floats(74, 135), st.floats(-60, 60), st.integers(day_number("2000-01-01"), day_number("2060-01-01")))
def test_the_day_is_in_order_and_agrees_with_the_height_of_the_sun(lon: float, lat: float, day: int) -> None:
    found = sun(lon, lat, day)
    times = [int(column[0]) for column in (found.dawn, found.rise, found.noon, found.set, found.dusk)]
    if 0 in times:  # near 60 degrees the nights of summer stay light
        return
    assert times == sorted(times)
    assert abs(times[2] - (day * DAY + DAY // 2 - lon / 360 * DAY)) < 20 * 60e6
    minutes = 2 * 60_000_000
    assert is_up(lon, lat, [times[1] + minutes, times[3] - minutes]).all()
    assert not is_up(lon, lat, [times[1] - minutes, times[3] + minutes]).any()
    assert is_up(lon, lat, [times[0] + minutes], CIVIL).all()
    assert not is_up(lon, lat, [times[0] - minutes], CIVIL).any()
