"""Plans of street lamps against a day worked out by hand."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from cheng.methods import lighting

HERE = (106.55, 29.56)
"""Sunset on 20 November is at about 17:57, sunrise at about 7:22."""


def at(hour: float, day: int = 20) -> int:
    moment = datetime(2026, 11, day, tzinfo=timezone(timedelta(hours=8))) + timedelta(hours=hour)
    return round(moment.timestamp() * 1e6)


def cabinets(**fields: Any) -> pa.Table:
    row = {"id": "cab", "longitude": HERE[0], "latitude": HERE[1], "mode": "schedule", "on_below": 20.0}
    row |= {"dim_from": 23.0, "dim_to": 5.0, "dim_level": 40.0, "light": None, **fields}
    types = {name: pa.float64() for name in ("on_below", "dim_from", "dim_to", "dim_level", "light")}
    return pa.table({name: pa.array([value], types.get(name)) for name, value in row.items()})


def lamps(*levels: float | None, cabinet: str | None = "cab") -> pa.Table:
    count = len(levels)
    ids = pa.array([f"lamp-{n}" for n in range(count)], pa.string())
    return pa.table(
        {"id": ids, "cabinet": pa.array([cabinet] * count, pa.string()), "level": pa.array(levels, pa.float64())}
    )


def told(now: int, cabinet: pa.Table, lamp: pa.Table) -> list[float]:
    return [float(level) for level in lighting.plan(now, cabinet, lamp)["level"].to_pylist()]


@pytest.mark.parametrize(
    ("hour", "level"),
    [(12, 0), (17.5, 0), (18.5, 100), (22.9, 100), (23.1, 40), (24 + 4.9, 40), (24 + 5.1, 100), (24 + 8, 0)],
)
def test_the_sun_and_the_clock_decide(hour: float, level: float) -> None:
    """Lamps at another level are told, those at the right one are not."""
    assert told(at(hour), cabinets(), lamps(77.0)) == [level]
    assert told(at(hour), cabinets(), lamps(level)) == []
    assert told(at(hour), cabinets(), lamps(None)) == [level]


def test_measured_light_decides_with_a_gap_between_on_and_off() -> None:
    by_light = {"mode": "daylight", "on_below": 30.0}
    assert told(at(14), cabinets(light=29.0, **by_light), lamps(0.0)) == [100]
    assert told(at(14), cabinets(light=40.0, **by_light), lamps(100.0)) == []
    assert told(at(14), cabinets(light=40.0, **by_light), lamps(0.0)) == []
    assert told(at(14), cabinets(light=46.0, **by_light), lamps(100.0)) == [0]
    assert told(at(20), cabinets(light=500.0, **by_light), lamps(0.0)) == []  # whatever the sun says


def test_without_a_measured_value_the_sun_decides() -> None:
    assert told(at(20), cabinets(mode="daylight"), lamps(0.0)) == [100]
    assert told(at(12), cabinets(mode="daylight"), lamps(100.0)) == [0]


def test_who_is_worked_by_hand_or_has_no_cabinet_is_left_alone() -> None:
    assert told(at(20), cabinets(mode="by hand"), lamps(0.0)) == []
    assert told(at(20), cabinets(), lamps(0.0, cabinet="another")) == []
    assert told(at(20), cabinets(), lamps(0.0, cabinet=None)) == []


def test_without_dimming_hours_they_burn_all_night() -> None:
    assert told(at(24 + 2), cabinets(dim_from=None), lamps(0.0)) == [100]


def test_dimming_within_one_day() -> None:
    assert told(at(24 + 2), cabinets(dim_from=1.0, dim_to=3.0), lamps(100.0)) == [40]
    assert told(at(24 + 4), cabinets(dim_from=1.0, dim_to=3.0), lamps(40.0)) == [100]


def test_nothing_at_all() -> None:
    assert told(at(20), cabinets(), lamps()) == []
