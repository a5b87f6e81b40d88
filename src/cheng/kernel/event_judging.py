"""Rules over events: each record is judged by itself, and an alert stands from the moment it happened."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cheng.kernel.columns import Bools, Floats, Rows, Times
from cheng.kernel.entities import Choice, Event, Kept, Quantity, Ref, Track
from cheng.kernel.frames import Blank, Somewhere, Truth
from cheng.kernel.rules import Change, Rule

LONGEST = 10_000
Record = Mapping[str, Any]
"""The fields of one event as it was sent."""


class Records:
    """A Frame over events of one type: a row each, no state."""

    def __init__(self, records: Sequence[Record], times: Times) -> None:
        self.records, self.time = records, times
        self.slot: Rows = np.arange(len(records))
        self.first: Bools = np.ones(len(records), np.bool_)

    def column(self, field: Blank) -> Floats:
        return np.array([self._number(field, record.get(field.name)) for record in self.records], np.float64)

    def _number(self, field: Blank, value: Any) -> float:
        if isinstance(field, Choice):
            return self.code(field, str(value))
        return float(value) if isinstance(value, (int, float)) else float("nan")

    def latitude(self, field: Blank) -> Floats:
        return np.array([(record.get(field.name) or (np.nan, np.nan))[1] for record in self.records], np.float64)

    def reported(self, fields: frozenset[Blank]) -> Bools:
        return np.array([any(field.name in record for field in fields) for record in self.records], np.bool_)

    def code(self, field: Blank, label: str) -> float:
        options = field.options if isinstance(field, Choice) else ()
        return float(options.index(label)) if label in options else float("nan")

    def carried(self, field: Blank) -> Floats:
        return np.full(len(self.records), np.nan)

    def unusual(self, field: Blank) -> Floats:
        return np.full(len(self.records), np.nan)

    def hop(self, ref: Blank, field: Blank) -> Floats:
        raise TypeError(f"an event rule cannot follow {ref.name}.{field.name}")

    def within(self, position: Blank, place: Somewhere) -> Truth:
        raise TypeError(f"an event rule cannot ask whether {position.name} is in {place.words()}")

    def window(self, width: int) -> Rows:
        return self.slot

    def last_seen(self, fields: frozenset[Blank]) -> Times:
        return self.time


def judge_events(
    event: type[Event], rules: Sequence[type[Rule]], records: Sequence[Record], times: Times
) -> tuple[list[Change], dict[str, str]]:
    """The alerts that events of one type raise, and the rules that could not be judged, with the reason.

    times (n,) microseconds. The slot of a change is the place of its event among the records.
    """
    frame = Records(records, times)
    changes: list[Change] = []
    broken: dict[str, str] = {}
    for rule in rules:
        try:
            hits = np.flatnonzero(rule.when.judge(frame).yes)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            broken[rule.key()] = f"{type(error).__name__}: {error}"
            continue
        for row in hits.tolist():
            values = {name: value for name, value in records[row].items() if name in event.fields()}
            changes.append(Change("raised", rule.key(), row, int(times[row]), int(times[row]), values))
    return changes, broken


def event_record(event: type[Event], sent: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The fields of an event as declared, and why it cannot be taken; "" when it can."""
    record: dict[str, Any] = {}
    for name, field in event.fields().items():
        value = sent.get(name)
        if value is None:
            if isinstance(field, Ref):
                return record, f"'{name}' is missing; it says which {field.target} is meant"
            continue
        fault = field_fault(field, value)
        if fault:
            return record, f"'{name}' is {str(value)[:80]!r}; {fault}"
        record[name] = value
    unknown = sent.keys() - event.fields().keys() - {"event", "time"}
    return record, f"{', '.join(sorted(unknown))}: no such field in {event.__name__}" if unknown else ""


def field_fault(field: Kept, value: Any) -> str:
    """What a field wanted instead of this value; "" when it fits."""
    if isinstance(field, Choice):
        return "" if value in field.options else f"it has to be one of {', '.join(field.options)}"
    if isinstance(field, Quantity):
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        return "" if number else f"it has to be a number in {field.unit}"
    if isinstance(field, Track):
        pair = isinstance(value, list) and len(value) == 2 and all(isinstance(x, (int, float)) for x in value)
        return "" if pair else "it has to be a position [longitude, latitude]"
    return "" if isinstance(value, str) and len(value) <= LONGEST else f"it has to be a text of up to {LONGEST} letters"
