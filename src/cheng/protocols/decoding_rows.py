"""Readings one by one: whatever JSON says, row by row, with the reason where it cannot be taken."""

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from cheng.kernel.meanings import LONGEST_NAME
from cheng.kernel.reports import Reports, microseconds
from cheng.standards.problems import InputError

Decoded = tuple[Reports, list[InputError]]
FARTHEST = 9_200_000_000_000_000_000
"""What numbers of a time stay below, so that they fit into 64 bits."""
BAD_NAME = f"id and attr are needed, of up to {LONGEST_NAME} characters"


class Line(msgspec.Struct):
    """One reading as JSON."""

    id: str
    attr: str
    time: int | float | str
    value: float | str | bool | list[float] | dict[str, Any]
    unit: str = ""


LINE = msgspec.json.Decoder(Line)


class Builder:
    """Rows one by one, for what cannot be read as columns at once."""

    def __init__(self) -> None:
        self.names: tuple[dict[str, int], ...] = ({}, {}, {}, {})
        """ids, attrs, texts and units, each with its number"""
        self.rows: list[tuple[int, int, int, float, float, int, int, int]] = []
        self.errors: list[InputError] = []

    def number(self, which: int, name: str) -> int:
        return self.names[which].setdefault(name, len(self.names[which]))

    def add(self, line: int, thing: str, attr: str, time: int, value: Any, unit: str = "") -> None:
        """Takes one reading, or notes why it cannot be."""
        try:
            number, latitude, text = value_parts(value)
            if not thing or not attr or len(thing) > LONGEST_NAME or len(attr) > LONGEST_NAME:
                raise InputError("bad-name", BAD_NAME)
        except InputError as error:
            self.errors.append(InputError(error.code, error.reason, line))  # one with a traceback would keep all this
            return
        code = self.number(2, text) if text is not None else -1
        unit_code = self.number(3, unit) if unit else -1
        self.rows.append((self.number(0, thing), self.number(1, attr), time, number, latitude, code, line, unit_code))

    def reports(self) -> Reports:
        columns: list[Any] = list(zip(*self.rows, strict=True)) or [()] * 8
        ids, attrs, texts, units = (list(names) for names in self.names)
        return Reports(
            ids,
            np.array(columns[0], np.int32),
            attrs,
            np.array(columns[1], np.int32),
            np.array(columns[2], np.int64),
            np.array(columns[3], np.float64),
            np.array(columns[4], np.float64),
            texts,
            np.array(columns[5], np.int32),
            np.array(columns[6], np.int32),
            units,
            np.array(columns[7], np.int32) if units else None,
        )


def value_parts(value: Any) -> tuple[float, float, str | None]:
    """Number or longitude, latitude, and text of a value as JSON has it; InputError for what is none of these."""
    if isinstance(value, dict) and value.get("type") == "Point":
        value = value.get("coordinates")
    if isinstance(value, bool):
        return float(value), math.nan, None
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value), math.nan, None
    if isinstance(value, str) and len(value) <= LONGEST_NAME:
        return math.nan, math.nan, value
    if isinstance(value, list) and len(value) >= 2 and all(isinstance(x, (int, float)) for x in value):
        longitude, latitude = float(value[0]), float(value[1])
        if math.isfinite(longitude) and math.isfinite(latitude):
            return longitude, latitude, None
    raise InputError("bad-value", f"the value {str(value)[:80]!r} is no number, word or position")


def instant(time: int | float | str) -> int:
    """Microseconds of an epoch number (s, ms, µs or ns by its size) or an ISO 8601 text with its zone."""
    if type(time) is int and -FARTHEST < time < FARTHEST:
        return exact_us(time)
    if isinstance(time, str):
        try:
            moment = datetime.fromisoformat(time)
        except ValueError:
            raise InputError("bad-time", f"'{time[:40]}' is no time; send ISO 8601 or an epoch number") from None
        if moment.tzinfo is None:
            raise InputError("bad-time", f"'{time[:40]}' lacks its time zone; add +08:00 or Z")
        passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    if not math.isfinite(time) or abs(time) >= FARTHEST:
        raise InputError("bad-time", f"{time} is no time; send ISO 8601 or an epoch number")
    return int(microseconds(np.array([time], np.float64))[0]) if isinstance(time, float) else exact_us(time)


def exact_us(time: int) -> int:
    """Microseconds of a whole epoch number, without a float in between."""
    size = abs(time)
    if size < 10**11:
        return time * 1_000_000
    if size < 10**14:
        return time * 1_000
    return time if size < 10**17 else time // 1_000


def in_order(reports: Reports, rest: Builder) -> Decoded:
    """The reports and, between them where their lines are, those that were read one by one."""
    if not rest.rows:
        return reports, rest.errors
    both = reports.followed_by(rest.reports())
    return both.take(np.argsort(both.line, kind="stable")), rest.errors
