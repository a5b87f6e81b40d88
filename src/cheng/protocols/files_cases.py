"""Cases out of the files of another system: CSV (also .gz) and Parquet, a row a case.

Which column says what is named by FIELD=COLUMN; a column that bears the name of a field needs no naming. Times in any
usual writing, also 01/16/2015 08:30:00 AM, where the file as a whole tells whether months or days come first. A limit
that is told as a day ends with it, and what was opened and closed on one day was not closed before it was opened.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cheng.infrastructure.case_records import CaseRecord
from cheng.infrastructure.report_book import SOURCES
from cheng.methods.dispatching import merged
from cheng.protocols.files_series import NA, encoded, numbers
from cheng.protocols.files_series import Reading as SeriesReading
from cheng.protocols.files_tables import Block, csv_blocks, parquet_blocks
from cheng.protocols.files_text import LOST, need_columns
from cheng.protocols.files_times import instants, month_first, year_last
from cheng.standards.coordinates import to_wgs84
from cheng.standards.problems import InputError

Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TIMES = ("opened", "closed", "due")
FLAGS = ("in_time", "late")
TEXTS = ("id", "class", "group", "department", "text", "note", "address", "source")
NAMES = ("id", "class", "group", "department")
"""What has to be whole; a sentence may have lost a letter on its way through other systems."""
FIELDS = (*TEXTS, *TIMES, *FLAGS, "lat", "lon")
USUAL_WORDS = ("street", "community", "district", "grid")
"""Further words that need no naming either."""
OF_THE_HOUSE = ("record", "part", "simple", "condition", "departments", "channel")
DAY = r"^\s*(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{8})\s*$"
"""A day without its hour."""
EARLIEST, LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for year in (1900, 2200))
"""What lies beyond (µs) stands for never or unknown in other systems: 0001-01-01, 9999-12-31."""
WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
YES = ("1", "1.0", "yes", "y", "true", "ontime", "on time", "in time", "是", "按时", "按期", "准时", "及时")
NO = ("0", "0.0", "no", "n", "false", "overdue", "late", "否", "超时", "超期", "逾期")
CHANNELS = (
    ("hotline", r"12345|12319|hotline|call|phone|电话|热线"),
    ("wechat", r"wechat|weixin|微信|@"),
    ("letter", r"letter|mail|信"),
    ("open311", r"open311"),
    ("collector", r"employee|worker|collector|inspector|采集|巡查|巡检"),
    ("sensor", r"sensor|integration|物联|感知"),
    ("video", r"video|camera|视频"),
    ("media", r"media|twitter|facebook|媒体|微博"),
    ("portal", r"web|online|self service|portal|网"),
)
"""By which sign a channel is known; whatever has none is an app of citizens."""


@dataclass(frozen=True, slots=True)
class CaseReading:
    """How to read a file of cases; every part has a default that fits most files."""

    zone: str = "Asia/Shanghai"
    """IANA zone of times that name none"""
    time_format: str | None = None
    """a strptime pattern for times in an unusual writing"""
    encoding: str | None = None
    crs: str = "WGS84"
    yes: Collection[str] = ()
    """words of `in_time` and `late` that mean yes; with them every other word means no"""
    na: Collection[str] = NA


@dataclass(slots=True)
class Plan:
    """Which column says what."""

    columns: dict[str, list[str]]
    """by field; times may be told by several columns"""
    words: dict[str, str]
    """further words: name -> column"""
    departments: dict[str, str]
    """name in the file -> the one it is counted under"""
    by_month: bool | None = None
    """whether dates that end with the year begin with the month; None until one has told"""


@dataclass(slots=True)
class Lot:
    """A block of the file on its way: what is wrong with which of its rows."""

    block: Block
    faults: dict[int, InputError] = field(default_factory=dict)

    def fault(self, rows: Bools, code: str, reason: str, told: Any = None) -> None:
        """Notes a fault of rows that have none so far; `told`: what stood there, for the blank in the reason."""
        for row in np.flatnonzero(rows).tolist():
            text = reason if told is None else reason.format(repr(str(told[row].as_py())[:60]))
            self.faults.setdefault(row, InputError(code, text, int(self.block.rows[row])))


def read_cases(
    path: str | Path, mapping: Mapping[str, str] | None = None, reading: CaseReading | None = None
) -> Iterator[CaseRecord | InputError]:
    """The cases of a file in its order; what cannot be read comes as InputError in between.

    `mapping` is FIELD=COLUMN with FIELDS; every other name is a further word of the case. Raises InputError when the
    file as a whole cannot be read, or has no number or no opening time.
    """
    file, how = Path(path), reading or CaseReading()
    plan: Plan | None = None
    for block in blocks_of(file, how):
        if isinstance(block, InputError):
            yield block
            continue
        plan = plan or _plan(file, block.data.schema.names, dict(mapping or {}), how)
        yield from _read(Lot(block), plan, how)


def blocks_of(file: Path, how: CaseReading) -> Iterator[Block | InputError]:
    if file.suffix.lower() in (".parquet", ".pq"):
        return parquet_blocks(file)
    return csv_blocks(file, how.encoding, None, list(how.na), False, keep_lost=True)


def _plan(file: Path, names: Sequence[str], mapping: dict[str, str], how: CaseReading) -> Plan:
    for name in mapping:
        _check_name(name)
    usual = {name: name for name in (*FIELDS, *USUAL_WORDS) if name in names and name not in mapping}
    given = usual | mapping
    for name in ("id", "opened"):
        if name not in given:
            raise InputError("no-column", f"which column is the field '{name}'? Name it with --map {name}=COLUMN")
    columns: dict[str, list[str]] = {}
    for name in FIELDS:
        if name in given:
            parts = given[name].split("+") if name in TIMES and given[name] not in names else [given[name]]
            columns[name] = [part.strip() for part in parts]
    words = {name: column for name, column in given.items() if name not in FIELDS}
    need_columns([*(part for parts in columns.values() for part in parts), *words.values()], names, file.name)
    departments = _departments(file, columns["department"][0], how) if "department" in columns else {}
    return Plan(columns, words, departments)


def _check_name(name: str) -> None:
    """InputError for a field that nobody can mean: a slip of the pen, or a word that the house writes itself."""
    if name in FIELDS:
        return
    near = get_close_matches(name.lower(), FIELDS, 1, 0.75)
    if near and name not in USUAL_WORDS:
        raise InputError("unknown-field", f"a case has no field '{name}'; did you mean '{near[0]}'?")
    if name in OF_THE_HOUSE or name.endswith("_id") or not WORD.fullmatch(name):
        raise InputError("unknown-field", f"a case has no field '{name}'; known are {', '.join(FIELDS)}")


def _departments(file: Path, column: str, how: CaseReading) -> dict[str, str]:
    """The names of departments in the whole file, each with the one it is counted under."""
    names: set[str] = set()
    for block in blocks_of(file, how):
        if isinstance(block, Block):
            found = encoded(block.data.column(column), how.na).dictionary.to_pylist()
            names |= {name for name in found if name}
    return merged(names)


# -- a block


def _read(lot: Lot, plan: Plan, how: CaseReading) -> Iterator[CaseRecord | InputError]:
    times = {name: _times(lot, name, plan, how) for name in TIMES if name in plan.columns}
    _end_with_their_day(lot, times, plan, how.zone)
    flags = {name: _flags(lot, plan.columns[name][0], how) for name in FLAGS if name in plan.columns}
    places = _places(lot, plan, how)
    texts = {name: _texts(lot, plan.columns[name][0], how) for name in TEXTS if name in plan.columns}
    for name in NAMES:
        lost = np.array([LOST in text for text in texts.get(name, ())], bool)
        lot.fault(lost, "encoding", f"{name}: it holds bytes that are no text in this encoding")
    words = {name: _texts(lot, column, how) for name, column in plan.words.items()}
    nothing = [None] * len(lot.block.rows)
    empty = [""] * len(nothing)
    get = {name: texts.get(name, empty) for name in TEXTS}
    opened, closed, due = (times.get(name, nothing) for name in TIMES)
    in_time = _in_time(lot, flags, nothing)
    tells_moment = "closed" in plan.columns
    for row, line in enumerate(lot.block.rows.tolist()):
        if row in lot.faults:
            yield lot.faults[row]
            continue
        if (begun := opened[row]) is None:
            yield InputError("time", "it does not say when it was opened", line)
            continue
        told = {name: word for name, column in words.items() if (word := column[row])}
        if channel := get["source"][row]:
            told["channel"] = channel
        yield CaseRecord(
            line,
            get["id"][row],
            begun,
            closed[row],
            due[row],
            None if tells_moment else in_time[row],
            in_time[row] if tells_moment else None,
            get["class"][row],
            get["group"][row],
            plan.departments.get(get["department"][row], ""),
            get["text"][row],
            get["note"][row],
            get["address"][row],
            channel_of(channel),
            places[row],
            told,
        )


def _texts(lot: Lot, column: str, how: CaseReading) -> list[str]:
    return [text or "" for text in encoded(lot.block.data.column(column), how.na).to_pylist()]


def _times(lot: Lot, name: str, plan: Plan, how: CaseReading) -> list[int | None]:
    """µs UTC, None where a row says nothing; what is no time is a fault."""
    columns = [lot.block.data.column(column) for column in plan.columns[name]]
    texts = pc.binary_join_element_wise(*(pc.cast(each, pa.string()) for each in columns), " ")
    missing = np.array(texts.is_null().to_numpy(zero_copy_only=False))
    times, bad = instants(columns, how.zone, how.time_format)
    bad &= ~missing
    if bad.any() and how.time_format is None:
        rows = np.flatnonzero(bad)
        _settle_order(lot, plan)
        times, bad = times.copy(), bad.copy()
        if plan.by_month is not None:
            times[rows], bad[rows] = year_last(texts.take(pa.array(rows)), how.zone, plan.by_month)
    lot.fault(bad, "time", f"{name}: {{}} is no time that can be read; if it is one, say --time-format", texts)
    far = ((times < EARLIEST) | (times >= LATEST)) & ~missing & ~bad
    lot.fault(far, "time", f"{name}: {{}} is too far away to be meant; leave it empty where there is none", texts)
    gone = (missing | bad | far).tolist()
    return [None if nothing else int(time) for time, nothing in zip(times.tolist(), gone, strict=True)]


def _end_with_their_day(lot: Lot, times: dict[str, list[int | None]], plan: Plan, zone: str) -> None:
    """Limits that are days go on until midnight; of a closing that is a day it is enough that the opening was on it."""
    for name in ("due", "closed"):
        moments = times.get(name, [])
        for row in _days(lot, plan.columns[name]) if name in times else ():
            moment, opened = moments[row], times["opened"][row]
            if moment is None:
                continue
            end = _end_of_day(moment, zone)
            if name == "due":
                moments[row] = end
            elif opened is not None and moment < opened <= end:
                moments[row] = opened


def _days(lot: Lot, columns: Sequence[str]) -> Sequence[int]:
    """Rows that tell a day and no hour."""
    if len(columns) > 1:
        return ()
    texts = pc.cast(lot.block.data.column(columns[0]), pa.string())
    found = pc.fill_null(pc.match_substring_regex(texts, DAY), False)
    rows: list[int] = np.flatnonzero(found.to_numpy(zero_copy_only=False)).tolist()
    return rows


def _end_of_day(moment: int, zone: str) -> int:
    """The last microsecond of the day that begins there."""
    day = datetime.fromtimestamp(moment // 1_000_000, ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=1)
    return round(day.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000 - 1


def _settle_order(lot: Lot, plan: Plan) -> None:
    """Finds out from all times of the block whether months or days come first, unless an earlier one has told."""
    if plan.by_month is None:
        parts = [part for name in TIMES for part in plan.columns.get(name, [])]
        texts = [pc.cast(lot.block.data.column(part), pa.string()) for part in parts]
        plan.by_month = month_first(texts)


def _flags(lot: Lot, column: str, how: CaseReading) -> list[bool | None]:
    found = encoded(lot.block.data.column(column), how.na)
    yes = {word.strip().casefold() for word in how.yes}
    known: dict[str | None, bool | None] = {None: None}
    for word in found.dictionary.to_pylist():
        plain = (word or "").casefold()
        if yes or plain in (*YES, *NO):
            known[word] = plain in (yes or YES)
    words = found.to_pylist()
    unclear = np.array([word not in known for word in words], bool)
    lot.fault(unclear, "flag", f"{column}: is {{}} yes or no? Say with --yes WORD which words mean yes", found)
    return [known.get(word) for word in words]


def _in_time(lot: Lot, flags: Mapping[str, Sequence[bool | None]], nothing: Sequence[None]) -> list[bool | None]:
    """Whether each was closed in time; where a file tells both sides, one that is neither is still open."""
    if "late" not in flags:
        return list(flags.get("in_time", nothing))
    late = flags["late"]
    if "in_time" not in flags:
        return [None if each is None else not each for each in late]
    pairs = list(zip(flags["in_time"], late, strict=True))
    both = np.array([one is True and other is True for one, other in pairs], bool)
    lot.fault(both, "contradiction", "it says both that it was closed in time and that it was not")
    return [True if one else False if other else None for one, other in pairs]


def _places(lot: Lot, plan: Plan, how: CaseReading) -> list[tuple[float, float] | None]:
    """Longitude and latitude WGS 84; None where a row has none, or the 0, 0 that stands for an unknown place."""
    count = len(lot.block.rows)
    if not {"lon", "lat"} <= plan.columns.keys():
        return [None] * count
    data, series = lot.block.data, SeriesReading(na=how.na)
    lon, lat = (numbers(data.column(plan.columns[name][0]), series) for name in ("lon", "lat"))
    for name, read in (("lon", lon), ("lat", lat)):
        lot.fault(read.bad, "number", f"{name}: {{}} is no number", data.column(plan.columns[name][0]))
    unknown = lon.missing | lat.missing | lon.bad | lat.bad | ((lon.values == 0) & (lat.values == 0))
    try:
        x, y = to_wgs84(np.where(unknown, 0, lon.values), np.where(unknown, 0, lat.values), how.crs)
    except ValueError as problem:
        raise InputError("crs", str(problem)) from None
    outside = ~((np.abs(x) <= 180) & (np.abs(y) <= 90)) & ~unknown
    lot.fault(outside, "place", "its place lies outside the earth; are longitude and latitude swapped?")
    nowhere = (unknown | outside).tolist()
    return [
        None if gone else place for gone, place in zip(nowhere, zip(x.tolist(), y.tolist(), strict=True), strict=True)
    ]


def channel_of(word: str) -> str:
    """The channel of the house that another system's word for it means."""
    if not word:
        return "hotline"
    plain = word.strip().lower()
    if plain in SOURCES:
        return plain
    return next((channel for channel, sign in CHANNELS if re.search(sign, plain)), "citizen")
