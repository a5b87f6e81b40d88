"""Payloads of readings into columns: NDJSON, SenML (RFC 8428) and Arrow. A bad line never takes down a good one."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from cheng.kernel.columns import Ints
from cheng.kernel.reports import Reports, microseconds
from cheng.standards.problems import InputError

Decoded = tuple[Reports, list[InputError]]
NDJSON, SENML, ARROW = "application/x-ndjson", "application/senml+json", "application/vnd.apache.arrow.stream"
LONGEST_NAME = 200
BAD_NAME = f"id and attr are needed, of up to {LONGEST_NAME} characters"
FAST = pj.ParseOptions(
    explicit_schema=pa.schema(
        [("id", pa.string()), ("attr", pa.string()), ("time", pa.int64()), ("value", pa.float64())]
    ),
    unexpected_field_behavior="error",
)
PLAIN = re.compile(
    rb'\s*\{\s*"id"\s*:\s*"[^"\\\x00-\x1f]+"\s*,\s*"attr"\s*:\s*"[^"\\\x00-\x1f]+"\s*,'
    rb'\s*"time"\s*:\s*\d{1,18}\s*,\s*"value"\s*:\s*-?\d+(?:\.\d+)?\s*\}\s*'
).fullmatch
"""Lines that columns are surely made of."""
WANTED = 'a line is {"id": "…", "attr": "…", "time": …, "value": …}'


class Line(msgspec.Struct):
    """One reading as JSON."""

    id: str
    attr: str
    time: int | float | str
    value: float | str | bool | list[float] | dict[str, Any]
    unit: str = ""


class SenMLRecord(msgspec.Struct):
    """One record of a SenML pack; base fields hold for all that follow (RFC 8428, section 4.1)."""

    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    n: str = ""
    t: float = 0
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None


LINE = msgspec.json.Decoder(Line)
SENML_PACK = msgspec.json.Decoder(list[SenMLRecord])


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
            error.line = line
            self.errors.append(error)
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
    if isinstance(time, str):
        try:
            moment = datetime.fromisoformat(time)
        except ValueError:
            raise InputError("bad-time", f"'{time[:40]}' is no time; send ISO 8601 or an epoch number") from None
        if moment.tzinfo is None:
            raise InputError("bad-time", f"'{time[:40]}' lacks its time zone; add +08:00 or Z")
        passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    if not math.isfinite(time) or abs(time) >= 9.2e18:
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


def ndjson(payload: bytes) -> Decoded:
    """Readings of NDJSON: plain lines at once as columns, others one by one."""
    found = plain_columns(payload, payload.count(b"\n") + (not payload.endswith(b"\n")))
    if found is not None:
        return found
    lines = payload.split(b"\n")
    plain = np.array([PLAIN(line) is not None for line in lines], np.bool_)
    numbers = np.flatnonzero(plain)
    found = plain_columns(b"\n".join([lines[n] for n in numbers.tolist()]), len(numbers))
    if found is None:
        return ndjson_lines(enumerate(lines, 1))
    reports, errors = found
    rest, more = ndjson_lines((n + 1, lines[n]) for n in np.flatnonzero(~plain).tolist())
    reports.line = (numbers[reports.line - 1] + 1).astype(np.int32)
    for error in errors:
        error.line = int(numbers[(error.line or 1) - 1]) + 1
    both = reports.followed_by(rest)
    return both.take(np.argsort(both.line, kind="stable")), [*errors, *more]


def plain_columns(payload: bytes, lines: int) -> Decoded | None:
    """Readings by Arrow's reader, all lines at once; None when a line is empty or anything but plain."""
    if not lines:
        return Builder().reports(), []
    try:
        table = pj.read_json(BytesIO(payload), pj.ReadOptions(block_size=max(len(payload), 1)), FAST)
    except pa.ArrowInvalid:
        return None
    if len(table) != lines or any(column.null_count for column in table.columns):
        return None  # where lines are empty, row numbers would not be line numbers
    return from_table(table)


def ndjson_lines(lines: Iterable[tuple[int, bytes]]) -> Decoded:
    """Readings of numbered lines, one by one."""
    builder = Builder()
    for line, text in lines:
        if not text.strip():
            continue
        try:
            said = LINE.decode(text)
            builder.add(line, said.id, said.attr, instant(said.time), said.value, said.unit)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            builder.errors.append(InputError("not-understood", f"{error}; {WANTED}", line))
        except InputError as error:
            error.line = line
            builder.errors.append(error)
    return builder.reports(), builder.errors


def from_table(table: pa.Table) -> Decoded:
    """Readings of an Arrow table with columns id, attr, time (epoch or timestamp) and value, none of them null."""
    ids, id_codes = coded(table["id"])
    attrs, attr_codes = coded(table["attr"])
    time = table["time"].combine_chunks()
    if pa.types.is_timestamp(time.type):
        times = time.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(zero_copy_only=False)
    else:
        times = whole_us(time.cast(pa.int64()).to_numpy(zero_copy_only=False))
    values = table["value"].combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False).copy()
    line = np.arange(1, len(values) + 1, dtype=np.int32)
    none = np.full(len(values), -1, np.int32)
    latitude = np.full(len(values), np.nan)
    reports = Reports(ids, id_codes, attrs, attr_codes, times, values, latitude, [], none, line)
    return without_bad_names(reports)


def without_bad_names(reports: Reports) -> Decoded:
    """The reports but for those whose id or attribute can be no name."""
    bad = np.zeros(len(reports), np.bool_)
    for names, codes in ((reports.ids, reports.id), (reports.attrs, reports.attr)):
        wrong = [n for n, name in enumerate(names) if not 0 < len(name) <= LONGEST_NAME]
        if wrong:
            bad |= np.isin(codes, wrong)
    errors = [InputError("bad-name", BAD_NAME, int(line)) for line in reports.line[bad]]
    return (reports.take(~bad) if errors else reports), errors


def whole_us(times: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """`exact_us` over a column."""
    size = np.abs(times)
    return np.select(
        [size < 10**11, size < 10**14, size < 10**17], [times * 1_000_000, times * 1_000, times], times // 1_000
    )


def coded(column: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """Distinct names and, for each row, which one it is."""
    array = column.combine_chunks()
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    codes: Ints = encoded.indices.cast(pa.int32()).to_numpy(zero_copy_only=False)
    return encoded.dictionary.cast(pa.string()).to_pylist(), codes


def senml(payload: bytes) -> Decoded:
    """Readings of a SenML pack: the name up to its last `:` or `/` is the thing, the rest the attribute.

    Times below 2**28 are relative to now in SenML; the hub wants them dated and refuses such records.
    """
    try:
        pack = SENML_PACK.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError("not-understood", f"this is no SenML pack: {error}") from error
    builder = Builder()
    base = SenMLRecord()
    for line, record in enumerate(pack, 1):
        base.bn = record.bn if record.bn is not None else base.bn
        base.bt = record.bt if record.bt is not None else base.bt
        base.bu = record.bu if record.bu is not None else base.bu
        base.bv = record.bv if record.bv is not None else base.bv
        said = next((v for v in (record.v, record.vs, record.vb) if v is not None), None)
        if said is None:
            continue
        if record.v is not None:
            said = record.v + (base.bv or 0)
        name = (base.bn or "") + record.n
        thing, _, attr = name.replace("/", ":").rpartition(":") if "/" not in name else name.rpartition("/")
        time = (base.bt or 0) + record.t
        if time < 2**28:
            builder.errors.append(InputError("bad-time", "the record has no absolute time; send bt or t", line))
            continue
        builder.add(line, thing, attr, round(time * 1_000_000), said, record.u or base.bu or "")
    return builder.reports(), builder.errors


def arrow(payload: bytes) -> Decoded:
    """Readings of an Arrow IPC stream with columns id, attr, time and value; rows with nulls are refused."""
    try:
        table = pa.ipc.open_stream(payload).read_all()
        table = table.select(["id", "attr", "time", "value"])
    except (pa.ArrowInvalid, KeyError, OSError) as error:
        raise InputError("not-understood", f"this is no Arrow stream with id, attr, time, value: {error}") from error
    whole = pc.and_(
        pc.and_(pc.is_valid(table["id"]), pc.is_valid(table["attr"])),
        pc.and_(pc.is_valid(table["time"]), pc.is_valid(table["value"])),
    )
    missing = np.flatnonzero(~whole.to_numpy()) + 1
    errors = [InputError("missing", "id, attr, time and value are all needed", int(line)) for line in missing]
    try:
        reports, _ = from_table(table.filter(whole))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError("not-understood", f"a column is of the wrong type: {error}") from error
    reports.line = (np.flatnonzero(whole.to_numpy()) + 1).astype(np.int32)
    return reports, errors


DECODERS: dict[str, Callable[[bytes], Decoded]] = {NDJSON: ndjson, SENML: senml, ARROW: arrow}
"""By media type."""


def sniff(payload: bytes) -> str:
    """The media type of a payload that came without one."""
    head = payload[:1]
    return ARROW if payload[:4] == b"\xff\xff\xff\xff" else SENML if head == b"[" else NDJSON


def decode(payload: bytes, media_type: str) -> Decoded:
    """Readings of a payload; InputError when nothing in it can be understood."""
    decoder = DECODERS.get(media_type.split(";")[0].strip().lower())
    if decoder is None:
        raise InputError("media-type", f"'{media_type}' is not taken here; send one of {', '.join(DECODERS)}")
    return decoder(payload)


def decode_many(payloads: Sequence[bytes], media_type: str) -> tuple[Reports, list[InputError], list[int | InputError]]:
    """Readings of several payloads, one after the other, their lines counted on; and for each payload how many lines
    it has, or why nothing in it could be understood.
    """
    if len(payloads) > 1 and media_type.startswith(NDJSON):
        reports, errors = decode(b"\n".join(payloads), media_type)
        return reports, errors, [payload.count(b"\n") + 1 for payload in payloads]
    reports, errors = Builder().reports(), []
    lines: list[int | InputError] = []
    end = 0
    for payload in payloads:
        try:
            more, wrong = decode(payload, media_type)
        except InputError as error:
            lines.append(error)
            continue
        count = max([*more.line[-1:].tolist(), *(error.line or 0 for error in wrong)], default=0)
        more.line = more.line + np.int32(end)
        for error in wrong:
            error.line = (error.line or 1) + end
        reports, errors = reports.followed_by(more) if len(reports) else more, [*errors, *wrong]
        lines.append(count)
        end += count
    return reports, errors, lines
