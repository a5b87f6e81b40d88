"""Stretches of time that a reader chooses: the last day, the last week, or from here to there."""

from dataclasses import dataclass
from datetime import datetime

from cheng.standards.durations import days, hours
from cheng.standards.problems import Refused
from cheng.web.ask import Ask

SECOND = 1_000_000
RANGES = {"1h": hours(1), "24h": hours(24), "7d": days(7), "30d": days(30)}
TEXTS = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
LONGEST = days(3660).us
YEARS = range(2, 9999)
"""The first and the last have hours that are in none when told on another clock."""


@dataclass(frozen=True)
class Period:
    """[start, end) in microseconds UTC; `name` is a key of RANGES or "custom"."""

    name: str
    start: int
    end: int

    def query(self, ask: Ask) -> dict[str, str]:
        """As parameters of an address."""
        if self.name != "custom":
            return {"range": self.name}
        return {"from": ask.query("from"), "to": ask.query("to")}


def period(ask: Ask, default: str = "24h", longest: int = LONGEST) -> Period:
    """What the address asks for: `range=7d`, or `from=` and `to=` on the city's clock. Refused (400) otherwise."""
    if ask.query("from") or ask.query("to"):
        end = moment(ask, "to") or ask.now
        start = moment(ask, "from") or end - RANGES[default].us
        if not 0 < end - start <= longest:
            message = "The beginning has to lie before the end, by {most} at most."
            raise Refused("not-a-period", message, {"most": ask.local.duration(longest)}, status=400)
        return Period("custom", start, end)
    name = ask.choice("range", tuple(RANGES), default)
    return Period(name, ask.now - RANGES[name].us, ask.now + 1)


def moment(ask: Ask, name: str) -> int | None:
    """A moment from the address, on the city's clock unless it names another."""
    text = ask.query(name)
    if not text:
        return None
    try:
        told = datetime.fromisoformat(text)
        if told.year not in YEARS:
            raise ValueError(text)
        return round((told if told.tzinfo else told.replace(tzinfo=ask.local.zone)).timestamp() * SECOND)
    except (ValueError, OverflowError):
        message = "{name} has to be a date and time, for example 2026-11-20 08:30."
        raise Refused("not-a-moment", message, {"name": name}, status=400) from None


def field_value(ask: Ask, us: int) -> str:
    """A moment as a `datetime-local` field wants it."""
    return ask.local.when(us).strftime("%Y-%m-%dT%H:%M")


def choices(ask: Ask, chosen: Period) -> list[tuple[str, str, bool, None]]:
    """Tabs for the macro `ui.tabs`."""
    return [
        (ask._(TEXTS[name]), ask.here(range=name, **{"from": None, "to": None}), name == chosen.name, None)
        for name in RANGES
    ]
