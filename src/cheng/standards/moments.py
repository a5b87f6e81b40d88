"""Moments: microseconds UTC as a clock on the wall says them, and as ISO 8601."""

from datetime import UTC, datetime, timedelta, tzinfo

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 253_402_214_400 * SECOND
"""The end of the year 9999; a time beyond it is told as a number, it must not stop an answer."""


def when(us: int, zone: tzinfo) -> datetime:
    """Microseconds UTC as a datetime in a zone. OverflowError beyond LONGEST."""
    return (EPOCH + timedelta(microseconds=us)).astimezone(zone)


def iso(us: int | None, zone: tzinfo) -> str:
    """ISO 8601 with the zone's offset, whole seconds unless there are more; "" for None."""
    if us is None or not -LONGEST < us < LONGEST:
        return "" if us is None else str(us)
    return when(us, zone).isoformat(timespec="auto" if us % SECOND else "seconds")
