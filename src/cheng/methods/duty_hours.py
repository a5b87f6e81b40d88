"""Whether something that belongs to an office may be used now: office hours, weekends, holidays, make-up days."""

import pyarrow as pa

from cheng.standards.calendars import Calendar

IN, OUT = "in hours", "out of hours"
ALWAYS = "around the clock"


def in_hours(now: int, vehicles: pa.Table) -> pa.Table:
    """Columns id and use ("in hours", "out of hours") at `now` (µs UTC), by the national calendar.

    `vehicles`: id and hours_of_use. The noon break counts as office hours: nobody gives a vehicle back for lunch.
    """
    calendar = Calendar()
    open_now = calendar.is_workday(calendar.day(now)) and 7.5 <= calendar.hour(now) < 19
    words = [IN if open_now or hours == ALWAYS else OUT for hours in vehicles["hours_of_use"].to_pylist()]
    return pa.table({"id": vehicles["id"], "use": pa.array(words, pa.string())})
