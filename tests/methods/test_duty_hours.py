"""When vehicles may be used: working days, holidays, make-up days."""

from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest

from cheng.methods.duty_hours import in_hours


@pytest.mark.parametrize(
    ("moment", "use"),
    [
        ("2026-11-20 09:00", "in hours"),  # a Friday
        ("2026-11-20 13:00", "in hours"),  # nobody gives it back for lunch
        ("2026-11-20 07:29", "out of hours"),
        ("2026-11-20 19:00", "out of hours"),
        ("2026-11-21 10:00", "out of hours"),  # a Saturday
        ("2026-10-01 10:00", "out of hours"),  # the National Day
        ("2026-10-10 10:00", "in hours"),  # a Saturday worked for it
    ],
)
def test_office_hours_follow_the_calendar(moment: str, use: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=timezone(timedelta(hours=8)))
    vehicles = pa.table({"id": ["car", "fire"], "hours_of_use": ["office hours", "around the clock"]})
    told = in_hours(round(now.timestamp() * 1e6), vehicles)
    assert told.to_pydict() == {"id": ["car", "fire"], "use": [use, "in hours"]}


def test_a_vehicle_that_says_nothing_keeps_office_hours() -> None:
    vehicles = pa.table({"id": ["car"], "hours_of_use": pa.array([None], pa.string())})
    assert in_hours(1_795_224_600_000_000, vehicles)["use"].to_pylist() == ["out of hours"]  # Saturday morning
