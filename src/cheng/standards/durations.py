"""Lengths of time, each on the clock that counts it.

Seconds, minutes and hours run through the night (the emergency clock of urban management); days are calendar
days; working hours and working days stop outside office hours, at weekends and on public holidays.
"""

from dataclasses import dataclass
from typing import Literal

Clock = Literal["emergency", "calendar", "working hours", "working days"]

MICROSECONDS = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000}
CLOCKS: dict[str, Clock] = {
    "second": "emergency",
    "minute": "emergency",
    "hour": "emergency",
    "day": "calendar",
    "working hour": "working hours",
    "working day": "working days",
}


@dataclass(frozen=True, slots=True)
class Duration:
    """`amount` of `unit`; `unit` is a key of CLOCKS."""

    amount: float
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in CLOCKS:
            raise ValueError(f"{self.unit!r} is no unit of time; use one of {', '.join(CLOCKS)}")
        if not self.amount >= 0:
            raise ValueError(f"a length of time cannot be {self.amount}")

    @property
    def clock(self) -> Clock:
        return CLOCKS[self.unit]

    @property
    def us(self) -> int:
        """Microseconds; working time has no fixed length and raises ValueError."""
        if self.unit not in MICROSECONDS:
            raise ValueError(f"{self} has no fixed length; ask a calendar")
        return round(self.amount * MICROSECONDS[self.unit])

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}{'' if self.amount == 1 else 's'}"


def seconds(amount: float) -> Duration:
    """So many seconds, nights and holidays counted."""
    return Duration(amount, "second")


def minutes(amount: float) -> Duration:
    """So many minutes, nights and holidays counted."""
    return Duration(amount, "minute")


def hours(amount: float) -> Duration:
    """So many hours, nights and holidays counted."""
    return Duration(amount, "hour")


def days(amount: float) -> Duration:
    """So many calendar days."""
    return Duration(amount, "day")


def working_hours(amount: float) -> Duration:
    """So many hours of office time."""
    return Duration(amount, "working hour")


def working_days(amount: float) -> Duration:
    """So many working days."""
    return Duration(amount, "working day")
