"""Readings from CSV and Parquet in columns, without a Python object per reading.

Three shapes, told from the mapping: **long** (id, attr, time, value), **wide by attribute** (id, time and one column
for each attribute) and **wide by thing** (time and one column for each thing, all of one attribute).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cheng.protocols.files_tables import Block, csv_blocks, parquet_blocks
from cheng.protocols.files_text import need_columns
from cheng.protocols.files_times import cast_or_none, instants
from cheng.standards.coordinates import to_wgs84
from cheng.standards.problems import InputError

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

NA = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "-", "--", "—", "/", "无")
NUMBER = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"
RESERVED = ("time", "id", "attr", "value", "lon", "lat")


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file of readings; every part has a default that fits most files."""

    zone: str = "Asia/Shanghai"
    """IANA zone of times that name none"""
    thing: str | None = None
    """the id of the thing all readings are of, when no column says it"""
    attr: str | None = None
    """the attribute of all readings, when no column says it"""
    text: Collection[str] = ()
    """attributes whose values are labels; one whose first values are no numbers is taken as such by itself"""
    time_format: str | None = None
    """a strptime pattern for times in an unusual writing"""
    start_us: int | None = None
    step_us: int = 0
    """the time of the first row and the distance between rows, for files without times"""
    separator: str | None = None
    decimal: str = "."
    na: Collection[str] = NA
    encoding: str | None = None
    crs: str = "WGS84"
    position: str = "position"
    """the attribute that columns mapped to `lon` and `lat` become"""
    rows: int = 100_000
    """the most readings in one chunk"""


@dataclass(frozen=True, slots=True)
class SeriesChunk:
    """Readings in the order of the file, at most `Reading.rows`; all columns have the same length n."""

    ids: Any
    """(n,) Arrow dictionary array of the ids of things"""
    attrs: Any
    """(n,) Arrow dictionary array of the names of attributes"""
    time: Times
    """(n,) microseconds since 1970-01-01 UTC"""
    value: Any
    """(n,) float64 NumPy array; or an Arrow dictionary array of texts when `is_text`"""
    rows: Times
    """(n,) line or row of the file, from 1, the header counted"""
    latitude: Floats | None = None
    """(n,) degrees WGS 84 when these are positions; `value` is the longitude then"""

    def __len__(self) -> int:
        return len(self.time)

    @property
    def is_text(self) -> bool:
        return not isinstance(self.value, np.ndarray)


@dataclass(slots=True)
class Plan:
    """Which column means what, and which attributes turned out to be labels."""

    times: list[str]
    id: str | None
    attr: str | None
    value: str | None
    columns: dict[str, str]
    """wide: name of the attribute or thing -> column"""
    by_thing: bool
    position: tuple[str, str] | None
    labels: dict[str, bool] = field(default_factory=dict)


def read_series(
    path: str | Path, mapping: Mapping[str, str] | None = None, reading: Reading | None = None
) -> Iterator[SeriesChunk | InputError]:
    """The readings of a CSV (also .gz) or Parquet file; what cannot be read comes as InputError in between.

    `mapping` is FIELD=COLUMN: `time` (several columns joined by +: year+month+day+hour), `id`, `attr`, `value`, `lon`
    and `lat`, and any other name for a column of a wide file. `value` makes it long. Without it, an id (column or
    `Reading.thing`) makes every other column an attribute, and none makes every other column a thing; when any
    such column is mapped, only the mapped ones are read. `#1`, `#2` … count columns of a file without a header.
    Raises InputError when the file as a whole cannot be read.
    """
    file, fields, how = Path(path), dict(mapping or {}), reading or Reading()
    if how.decimal not in (".", ","):
        raise InputError("decimal", f"the decimal mark is {how.decimal!r}, must be a point or a comma")
    if file.suffix.lower() in (".parquet", ".pq"):
        blocks = parquet_blocks(file)
    else:
        headless = any(column.startswith("#") for column in fields.values())
        blocks = csv_blocks(file, how.encoding, how.separator, list(how.na), headless)
    plan: Plan | None = None
    for block in blocks:
        if isinstance(block, InputError):
            yield block
            continue
        plan = plan or _plan(block.data.schema.names, fields, how, file.name)
        yield from _read(block, plan, how)


def _plan(names: Sequence[str], mapping: Mapping[str, str], how: Reading, file: str) -> Plan:
    """Raises InputError when columns are missing or the shape is not clear."""
    times = [] if how.start_us is not None and "time" not in mapping else _time_columns(names, mapping)
    named = [column for key, column in mapping.items() if key != "time"]
    need_columns([*times, *named], names, file)
    others = {key: column for key, column in mapping.items() if key not in RESERVED}
    taken = {*times, *(mapping.get(key) for key in RESERVED)}
    if not others and "value" not in mapping and "lon" not in mapping:
        others = {name: name for name in names if name not in taken and name}
    has_id = "id" in mapping or how.thing is not None
    by_thing = not has_id and "value" not in mapping
    if (by_thing or ("value" in mapping and "attr" not in mapping)) and how.attr is None:
        raise InputError("no-attr", f"{file}: say of which attribute the values are, by a column or for all of them")
    if "value" in mapping and not has_id:
        raise InputError("no-id", f"{file}: say of which thing the values are, by a column or for all of them")
    position = (mapping["lon"], mapping["lat"]) if {"lon", "lat"} <= mapping.keys() else None
    plan = Plan(times, mapping.get("id"), mapping.get("attr"), mapping.get("value"), others, by_thing, position)
    plan.labels.update(dict.fromkeys(how.text, True))
    return plan


def _time_columns(names: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    wanted = mapping.get("time", "time")
    return [wanted] if wanted in names else [part.strip() for part in wanted.split("+")]


def _read(block: Block, plan: Plan, how: Reading) -> Iterator[SeriesChunk | InputError]:
    size = how.rows if plan.value else max(1, how.rows // max(1, len(plan.columns)))
    for first in range(0, len(block.rows), size):
        part = Block(block.rows[first : first + size], block.data.slice(first, size), block.first)
        yield from _slice(part, plan, how)


def _slice(block: Block, plan: Plan, how: Reading) -> Iterator[SeriesChunk | InputError]:
    times, bad = _times(block, plan, how)
    for row in np.flatnonzero(bad):
        shown = " ".join(str(block.data.column(name)[row].as_py() or "") for name in plan.times).strip()
        yield InputError("time", f"{shown!r} is no time" if shown else "it has no time", int(block.rows[row]))
    ids = _ids(block, plan, how)
    if ids is not None:
        nameless = ids.is_null().to_numpy(zero_copy_only=False) & ~bad
        yield from (InputError("no-id", "it has no id", int(block.rows[row])) for row in np.flatnonzero(nameless))
        bad |= nameless
    if plan.position is not None and ids is not None:
        yield from _positions(block, plan, how, ids, times, bad)
    if plan.value is not None and ids is not None:
        yield from _long(block, plan, how, ids, times, bad)
    elif plan.columns:
        yield from _wide(block, plan, how, ids, times, bad)


def _times(block: Block, plan: Plan, how: Reading) -> tuple[Times, Bools]:
    if not plan.times and how.start_us is not None:
        return how.start_us + (block.rows - block.first) * how.step_us, np.zeros(len(block.rows), bool)
    return instants([block.data.column(name) for name in plan.times], how.zone, how.time_format)


def _ids(block: Block, plan: Plan, how: Reading) -> Any:
    """Arrow dictionary array of the ids of all rows; None when columns are things."""
    if plan.by_thing:
        return None
    if plan.id is None:
        return constant(str(how.thing), len(block.rows))
    return encoded(block.data.column(plan.id), how.na)


def _positions(
    block: Block, plan: Plan, how: Reading, ids: Any, times: Times, bad: Bools
) -> Iterator[SeriesChunk | InputError]:
    assert plan.position is not None
    x, y = (numbers(block.data.column(name), how) for name in plan.position)
    wrong = (x.bad | y.bad | (x.missing != y.missing)) & ~bad
    keep = ~(bad | wrong | x.missing)
    lon, lat = (np.array(part, float) for part in to_wgs84(x.values, y.values, how.crs))
    outside = keep & ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    for row in np.flatnonzero(wrong | outside):
        yield InputError("place", "its longitude and latitude are no place on the earth", int(block.rows[row]))
    rows = np.flatnonzero(keep & ~outside)
    attrs = constant(how.position, len(rows))
    if len(rows):
        yield SeriesChunk(ids.take(pa.array(rows)), attrs, times[rows], lon[rows], block.rows[rows], lat[rows])


def _long(
    block: Block, plan: Plan, how: Reading, ids: Any, times: Times, bad: Bools
) -> Iterator[SeriesChunk | InputError]:
    count = len(block.rows)
    attrs = encoded(block.data.column(plan.attr), how.na) if plan.attr else constant(str(how.attr), count)
    nameless = attrs.is_null().to_numpy(zero_copy_only=False) & ~bad
    yield from (
        InputError("no-attr", "it names no attribute", int(block.rows[row])) for row in np.flatnonzero(nameless)
    )
    bad = bad | nameless
    column = block.data.column(plan.value)
    read = numbers(column, how)
    names = attrs.dictionary.to_pylist()
    codes = pc.fill_null(attrs.indices, 0).to_numpy(zero_copy_only=False)
    usable = ~(bad | read.missing)
    good = np.bincount(codes[usable & ~read.bad], minlength=len(names))
    strange = np.bincount(codes[usable & read.bad], minlength=len(names))
    label = np.array([_is_label(plan, name, good[n], strange[n]) for n, name in enumerate(names)] or [False], bool)[
        codes
    ]
    yield from _refused(block, usable & read.bad & ~label, column, how)
    for rows, text in ((np.flatnonzero(usable & ~read.bad & ~label), False), (np.flatnonzero(usable & label), True)):
        if len(rows):
            taken = pa.array(rows)
            value = encoded(column.take(taken), how.na) if text else read.values[rows]
            yield SeriesChunk(ids.take(taken), attrs.take(taken), times[rows], value, block.rows[rows])


def _wide(
    block: Block, plan: Plan, how: Reading, ids: Any, times: Times, bad: Bools
) -> Iterator[SeriesChunk | InputError]:
    figures: dict[str, Numbers] = {}
    for name, source in plan.columns.items():
        column = block.data.column(source)
        read = numbers(column, how)
        attr = str(how.attr) if plan.by_thing else name
        usable = ~(bad | read.missing)
        if _is_label(plan, attr, int((usable & ~read.bad).sum()), int((usable & read.bad).sum())):
            yield from _labels(block, name, encoded(column, how.na), plan, how, ids, times, usable)
            continue
        yield from _refused(block, usable & read.bad, column, how, source)
        figures[name] = Numbers(read.values, ~usable, read.bad)
    if figures:
        keep = np.column_stack([~(read.missing | read.bad) for read in figures.values()])
        rows, columns = np.nonzero(keep)
        if len(rows):
            value = np.column_stack([read.values for read in figures.values()])[keep]
            own, attrs = _owners(list(figures), columns.astype(np.int32), rows, plan, how, ids)
            yield SeriesChunk(own, attrs, times[rows], value, block.rows[rows])


def _labels(
    block: Block, name: str, texts: Any, plan: Plan, how: Reading, ids: Any, times: Times, usable: Bools
) -> Iterator[SeriesChunk]:
    rows = np.flatnonzero(usable & texts.is_valid().to_numpy(zero_copy_only=False))
    if len(rows):
        own, attrs = _owners([name], np.zeros(len(rows), np.int32), rows, plan, how, ids)
        yield SeriesChunk(own, attrs, times[rows], texts.take(pa.array(rows)), block.rows[rows])


def _owners(
    names: list[str], columns: npt.NDArray[np.int32], rows: npt.NDArray[np.intp], plan: Plan, how: Reading, ids: Any
) -> tuple[Any, Any]:
    """Ids and attributes of readings that stood in these columns and rows of a wide table."""
    headed = pa.DictionaryArray.from_arrays(pa.array(columns), pa.array(names, pa.string()))
    return (headed, constant(str(how.attr), len(rows))) if plan.by_thing else (ids.take(pa.array(rows)), headed)


def _is_label(plan: Plan, attr: str, good: int, strange: int) -> bool:
    """An attribute holds labels when it was said so, or when its first values are all no numbers."""
    if attr not in plan.labels and good + strange:
        plan.labels[attr] = good == 0
    return plan.labels.get(attr, False)


def _refused(block: Block, wrong: Bools, column: Any, how: Reading, name: str = "") -> Iterator[InputError]:
    place = f"{name}: " if name else ""
    for row in np.flatnonzero(wrong):
        yield InputError("number", f"{place}{str(column[row].as_py())[:60]!r} is no number", int(block.rows[row]))


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: 0 stands where one is missing or bad."""

    values: Floats
    missing: Bools
    bad: Bools


def numbers(column: Any, how: Reading) -> Numbers:
    """Any Arrow column as numbers; texts by the decimal mark, infinite ones are bad, NaN is missing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    bad = np.zeros(len(column), bool)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column, bad = _parsed(column, how)
    elif not (
        pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    ):
        if not pa.types.is_boolean(column.type):
            return Numbers(np.zeros(len(column)), ~column.is_valid().to_numpy(zero_copy_only=False), ~bad)
        column = pc.cast(column, pa.int8())
    values = pc.fill_null(pc.cast(column, pa.float64(), safe=False), np.nan).to_numpy(zero_copy_only=False)
    bad |= np.isinf(values)
    missing = np.isnan(values) & ~bad
    return Numbers(np.where(missing | bad, 0.0, values), missing, bad)


def _parsed(column: Any, how: Reading) -> tuple[Any, Bools]:
    comma = how.decimal == ","
    if not comma and (cast := cast_or_none(column, pa.float64())) is not None:
        return cast, np.zeros(len(column), bool)
    text = pc.utf8_trim_whitespace(column)
    text = pc.if_else(pc.is_in(text, pa.array(list(how.na), text.type)), None, text)
    plain = text
    if comma:
        plain = pc.if_else(pc.match_substring(text, "."), "?", pc.replace_substring(text, ",", "."))
    good = pc.match_substring_regex(plain, NUMBER)
    bad = pc.fill_null(pc.invert(good), False).to_numpy(zero_copy_only=False)
    return pc.cast(pc.replace_substring_regex(pc.if_else(good, plain, None), r"^\+", ""), pa.float64()), np.array(bad)


def encoded(column: Any, na: Collection[str]) -> Any:
    """Arrow dictionary array of trimmed texts; null for those that mean nothing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    raw = pc.cast(column, pa.string()).dictionary_encode()
    text = pc.utf8_trim_whitespace(raw.dictionary)
    clean = pc.if_else(pc.is_in(text, pa.array(list(na), pa.string())), None, text).dictionary_encode()
    return pa.DictionaryArray.from_arrays(clean.indices.take(raw.indices), clean.dictionary)


def constant(text: str, count: int) -> Any:
    """The same text `count` times as an Arrow dictionary array."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text], pa.string()))
