"""Columns of times in any usual writing as microseconds since 1970-01-01 UTC, whole columns at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

HOUR = 3_600_000_000
DATE = r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?"
SECONDS = r"(?:(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?秒?)?"
CLOCK = rf"(?:[T\s]\s*(?P<h>\d{{1,2}})(?:[:时点](?:(?P<mi>\d{{1,2}})(?:[:分]{SECONDS})?)?)?)?"
ZONE = r"\s*(?P<z>Z|z|UTC|[-+]\d{2}:?(?:\d{2})?)?"
WRITTEN = rf"^\s*{DATE}{CLOCK}{ZONE}\s*$"
COMPACT = r"^\s*(?P<y>(?:19|20)\d{2})(?P<m>[01]\d)(?P<d>[0-3]\d)(?:T?(?P<h>[0-2]\d)(?P<mi>[0-5]\d)(?P<s>[0-5]\d)?)?\s*$"
EPOCH = r"^\s*\d{9,19}(?:\.\d+)?\s*$"
PARTS = ("y", "m", "d", "h", "mi", "s")
YEAR_LAST = (
    r"^\s*(?P<one>\d{1,2})[-/.](?P<two>\d{1,2})[-/.](?P<y>\d{4})"
    r"(?:,?\s+(?P<h>\d{1,2}):(?P<mi>\d{1,2})(?::(?P<s>\d{1,2})(?:\.(?P<f>\d{1,9}))?)?\s*(?:(?P<half>[AaPp])\.?[Mm]\.?)?)?\s*$"
)
"""01/16/2015 08:30:00 AM, 16.01.2015 8:30: only many of them tell which is the month."""


def instants(columns: Sequence[Any], zone: str, pattern: str | None = None) -> tuple[Times, Bools]:
    """Times (n,) and which rows (n,) hold none that can be read (0 stands there).

    `columns`: one Arrow array of timestamps, dates, numbers or texts; or several, either year, month, day, hour …
    or a date and its time or hour. Texts: ISO 8601 with or without zone, 2024/3/1 8:05, 2024年3月1日 8时5分,
    20240301, 20240301080500, or seconds, milli-, micro- or nanoseconds since 1970 told apart by their size.
    Without a zone, `zone` (IANA) holds; 24:00 is the next midnight. `pattern` is a strptime pattern instead.
    """
    plain = [_decoded(column) for column in columns]
    if len(plain) == 1:
        return _single(plain[0], zone, pattern)
    numbers = [_numbers(column) for column in plain]
    if len(plain) >= 3 and pattern is None and any(np.isfinite(part).any() for part in numbers):
        return _from_parts(numbers, zone)
    joined = [pc.cast(column, pa.string()) for column in plain]
    if len(plain) == 2 and pattern is None and np.isfinite(numbers[1]).any():
        wall, bad = _wall(joined[0])
        hours = np.nan_to_num(numbers[1])
        bad |= np.isnan(numbers[1]) | (hours < 0) | (hours > 24)
        return _local(wall + np.round(hours * HOUR).astype(np.int64), zone, bad), bad
    return _single(pc.binary_join_element_wise(*joined, " "), zone, pattern)


def month_first(columns: Sequence[Any]) -> bool | None:
    """Whether texts that end their dates with the year begin them with the month: told by days after the 12th, and
    where there are none by the halves of the day. None when nothing tells."""
    found = [pc.extract_regex(_decoded(column), YEAR_LAST) for column in columns]
    after = [sum(_count_above(pc.struct_field(each, name), 12) for each in found) for name in ("one", "two")]
    if after[0] != after[1]:
        return after[1] > after[0]
    halves = any(pc.any(pc.not_equal(pc.struct_field(each, "half"), "")).as_py() for each in found)
    return True if halves and not after[0] else None


def year_last(column: Any, zone: str, by_month: bool) -> tuple[Times, Bools]:
    """Times (n,) of texts that end their dates with the year, and which rows hold none that can be read."""
    found = pc.extract_regex(_decoded(column), YEAR_LAST)
    parts = {name: _numbers(pc.struct_field(found, name), 0.0) for name in ("y", "one", "two", "h", "mi", "s")}
    half = pc.fill_null(pc.utf8_lower(pc.struct_field(found, "half")), "")
    halved, after_noon = (
        np.array(each.to_numpy(zero_copy_only=False)) for each in (pc.not_equal(half, ""), pc.equal(half, "p"))
    )
    hour = np.where(halved, parts["h"] % 12 + 12 * after_noon, parts["h"])
    missing = np.array(found.is_null().to_numpy(zero_copy_only=False)) | (
        halved & ((parts["h"] < 1) | (parts["h"] > 12))
    )
    month, day = (parts["one"], parts["two"]) if by_month else (parts["two"], parts["one"])
    wall, bad = _from_calendar([parts["y"], month, day, hour, parts["mi"], parts["s"]], missing)
    return np.where(bad, 0, _local(wall, zone, bad)), bad


def _count_above(column: Any, most: int) -> int:
    return int((np.nan_to_num(_numbers(column)) > most).sum())


def cast_or_none(column: Any, wanted: Any) -> Any:
    """The column of texts in another type; None when a row does not fit. The head goes first: failing is slow."""
    try:
        pc.cast(column.slice(0, 100), wanted)
        return pc.cast(column, wanted)
    except pa.ArrowInvalid:
        return None


def _decoded(column: Any) -> Any:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _single(column: Any, zone: str, pattern: str | None) -> tuple[Times, Bools]:
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _stamps(pc.cast(column, pa.timestamp("us", getattr(kind, "tz", None)), safe=False), zone)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_epoch(pc.cast(column, pa.float64(), safe=False), column)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return np.zeros(len(column), np.int64), np.ones(len(column), bool)
    if pattern is not None:
        return _stamps(_without_rolled(column, pattern), zone)
    for wanted in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        if (stamps := cast_or_none(column, wanted)) is not None:
            return _stamps(stamps, zone)
    return _any_writing(column, zone)


def _without_rolled(column: Any, pattern: str) -> Any:
    """Stamps by a pattern; null also for the 30th of February, which Arrow takes for the 2nd of March."""
    stamps = pc.strptime(column, format=pattern, unit="us", error_is_null=True)
    rows = np.flatnonzero(pc.fill_null(pc.less_equal(pc.day(stamps), 3), False).to_numpy(zero_copy_only=False))
    wrong = np.zeros(len(stamps), bool)
    wrong[[row for row in rows.tolist() if _no_such_day(column[row].as_py(), pattern)]] = True
    return pc.if_else(pa.array(wrong), None, stamps) if wrong.any() else stamps


def _no_such_day(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007  # only whether there is such a day
    except ValueError as problem:
        return "out of range" in str(problem)
    return False


def _stamps(column: Any, zone: str) -> tuple[Times, Bools]:
    if column.type.tz is None:
        column = pc.assume_timezone(column, zone, ambiguous="earliest", nonexistent="latest")
    return _filled(pc.cast(column, pa.int64()))


def _filled(column: Any) -> tuple[Times, Bools]:
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.int64), np.array(missing)


def _from_epoch(numbers: Any, exact: Any = None) -> tuple[Times, Bools]:
    """By size: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds."""
    value = pc.fill_null(numbers, np.nan).to_numpy(zero_copy_only=False)
    bad = ~(np.abs(value) < 9e18)
    value = np.where(bad, 0, value)
    size = np.searchsorted([1e11, 1e14, 1e17], np.abs(value), side="right")
    times = np.round(value * np.array([1e6, 1e3, 1.0, 1e-3])[size])
    whole = times.astype(np.int64)
    if exact is not None and pa.types.is_integer(exact.type):
        number = pc.fill_null(exact, 0).to_numpy(zero_copy_only=False).astype(np.int64)
        whole = np.where(size == 3, number // 1000, number * np.array([1_000_000, 1000, 1, 0])[size])
    return np.where(bad, 0, whole), bad


def _any_writing(column: Any, zone: str) -> tuple[Times, Bools]:
    """Row by row the writing that fits: with signs, compact, or a number since 1970."""
    column = pc.replace_substring_regex(column, r"日(\d)", r"日 \1")
    wall, bad = _wall(column)
    offset, zoned = _offsets(column)
    times = np.where(zoned, wall - offset, _local(wall, zone, bad))
    rows = np.flatnonzero(bad)
    if len(rows):
        rest = column.take(pa.array(rows))
        counted = pc.fill_null(pc.match_substring_regex(rest, EPOCH), False)
        number = pc.cast(pc.utf8_trim_whitespace(pc.if_else(counted, rest, None)), pa.float64())
        times[rows], bad[rows] = _from_epoch(number)
    return np.where(bad, 0, times), bad


def _wall(column: Any) -> tuple[Times, Bools]:
    """What the clock on the wall says, µs since 1970-01-01 00:00 there; and which rows are not written so."""
    wall, bad = _from_matches(pc.extract_regex(column, WRITTEN))
    rows = np.flatnonzero(bad)
    if len(rows):
        wall[rows], bad[rows] = _from_matches(pc.extract_regex(column.take(pa.array(rows)), COMPACT))
    return wall, bad


def _from_matches(found: Any) -> tuple[Times, Bools]:
    missing = np.array(found.is_null().to_numpy(zero_copy_only=False))
    names = [field.name for field in found.type]
    parts = [_numbers(pc.struct_field(found, name), 0.0) for name in PARTS if name in names]
    wall, bad = _from_calendar(parts, missing)
    if "f" in names:
        digits = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.struct_field(found, "f"), 6, "0"), 0, 6)
        wall += np.where(bad, 0, _numbers(digits, 0.0)).astype(np.int64)
    return wall, bad


def _offsets(column: Any) -> tuple[Times, Bools]:
    """The written distance from UTC in µs, and where one is written."""
    text = pc.fill_null(pc.struct_field(pc.extract_regex(column, WRITTEN), "z"), "")
    digits = pc.utf8_rpad(pc.replace_substring_regex(text, r"[^0-9]", ""), 4, "0")
    number = _numbers(digits, 0.0)
    size = ((number // 100 * 60 + number % 100) * 60e6).astype(np.int64)
    west = pc.starts_with(text, "-").to_numpy(zero_copy_only=False)
    zoned = pc.not_equal(text, "").to_numpy(zero_copy_only=False)
    return np.where(west, -size, size), np.array(zoned)


def _numbers(column: Any, empty: float = np.nan) -> Floats:
    """Numbers of any column, NaN where there is none, `empty` for empty texts."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        good = pc.match_substring_regex(column, r"^\s*\d+(?:\.\d+)?\s*$")
        blank = np.array(pc.equal(column, "").fill_null(True).to_numpy(zero_copy_only=False))
        column = pc.cast(pc.utf8_trim_whitespace(pc.if_else(good, column, None)), pa.float64())
        values = pc.fill_null(column, np.nan).to_numpy(zero_copy_only=False)
        return np.where(blank, empty, values)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.full(len(column), np.nan)
    filled = pc.fill_null(pc.cast(column, pa.float64(), safe=False), np.nan)
    return np.array(filled.to_numpy(zero_copy_only=False))


def _from_parts(parts: Sequence[Floats], zone: str) -> tuple[Times, Bools]:
    missing = np.any([~np.isfinite(part) for part in parts], axis=0)
    wall, bad = _from_calendar(parts, missing)
    return _local(wall, zone, bad), bad


def _from_calendar(parts: Sequence[Floats], missing: Bools) -> tuple[Times, Bools]:
    """Year, month, day and further parts as µs of the wall clock; bad where there is no such day or hour."""
    lowest, highest = (1, 1, 1, 0, 0, 0), (9999, 12, 31, 24, 59, 60)
    bad = missing.copy()
    whole: list[Times] = []
    for part, low, high in zip(parts, lowest, highest, strict=False):
        bad |= ~((part >= low) & (part <= high) & (part == np.floor(part)))
        whole.append(np.where(bad, low, part).astype(np.int64))
    year, month, day = whole[:3]
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    bad |= days.astype("datetime64[M]") != months
    wall = days.astype(np.int64) * 24 * HOUR
    for count, size in zip(whole[3:], (HOUR, HOUR // 60, HOUR // 3600), strict=False):
        wall += count * size
    return np.where(bad, 0, wall), bad


def _local(wall: Times, zone: str, bad: Bools) -> Times:
    """Wall clock of `zone` as UTC."""
    if not len(wall):
        return wall
    stamps = pa.array(np.where(bad, 0, wall)).cast(pa.timestamp("us"))
    placed = pc.assume_timezone(stamps, zone, ambiguous="earliest", nonexistent="latest")
    return np.array(placed.cast(pa.int64()).to_numpy(zero_copy_only=False))
