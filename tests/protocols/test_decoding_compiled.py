"""Compiled passes over a payload give exactly what one line, record or row at a time gives, whatever the bytes."""

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cheng.kernel.meanings import WORD, Meanings
from cheng.kernel.names import Names
from cheng.kernel.reports import Reports
from cheng.protocols.decoding import ARROW, NDJSON, NO_MEANINGS, SENML, decode
from cheng.standards.problems import InputError

THINGS = ["valve-1", "", "井-2", "a" * 200, "b" * 201, "urn:ngsi-ld:Valve:0003", "x", "eight888"]


@pytest.fixture(scope="module")
def meanings() -> Meanings:
    known = Meanings(["", "Valve"])
    known.add_things(THINGS)
    attributes = {("Valve", name): n for n, name in enumerate(["tilt", "水位", "state", "c" * 200, "d" * 201])}
    known.learn(attributes, [None] * len(attributes), {2: {"open": 0, "半开": 1, "e" * 200: 2, "f" * 201: 3}})
    return known


def spelled(names: list[str], codes: Any, known: Names, first: int) -> list[str | None]:
    return [names[c] if c >= 0 else known.told(first - c) if c <= first else None for c in codes.tolist()]


def rows(reports: Reports, meanings: Meanings) -> list[tuple[Any, ...]]:
    """Each reading in words; floats by their bits."""
    units = [None] * len(reports) if reports.unit is None else spelled(reports.units, reports.unit, Names(), -2)
    return list(
        zip(
            spelled(reports.ids, reports.id, meanings.things, -1),
            spelled(reports.attrs, reports.attr, meanings.attrs, -1),
            spelled(reports.texts, reports.text, meanings.words, WORD),
            units,
            reports.time.tolist(),
            reports.value.view(np.int64).tolist(),
            np.isnan(reports.latitude).tolist(),
            reports.line.tolist(),
            strict=True,
        )
    )


def told(payload: bytes, media_type: str, known: Meanings) -> Any:
    """What a payload is found to say: its readings and its errors, in order."""
    try:
        reports, errors = decode(payload, media_type, known)
    except InputError as error:
        return error.code
    return rows(reports, known), sorted((error.line or 0, error.code, error.reason) for error in errors)


NAMES = st.sampled_from(
    [*THINGS, "tilt", "水位", "state", "c" * 200, "d" * 201, "stranger", 'quo"te', "tab\tin", "back\\slash", "é", "a/b"]
)
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.from_regex(r"-?[0-9]{0,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{0,5})?", fullmatch=True),
    st.sampled_from(
        ["-0", "0", "-0.0", "1e999", "-1e999", "01", "1.", ".5", "1e22", "1e23", "9007199254740993", "NaN"]
    ),
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "+08:00"),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
    ),
    st.sampled_from(
        ["2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2026-11-20T08:00:00", "0001-01-01T00:00:00+23:59"]
    ),
)
TIMES = st.one_of(st.integers(10**8, 2 * 10**18).map(str), NUMBERS, MOMENTS.map(json.dumps))
TEXTS = st.sampled_from(['"open"', '"半开"', '"e"', '"\\u0061"', '""', f'"{"e" * 200}"', f'"{"f" * 201}"', '"new"'])
VALUES = st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false", "null", "[1,2]", "{}", "truefalse", "tru"]))
SPACES = st.sampled_from(["", "", "", " ", "\t", " \r", "\x0b"])


@st.composite
def objects(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[str]]) -> bytes:
    """An object with these fields in any order: mostly each once, with spaces, now and then broken."""
    keys = draw(st.permutations(list(fields)))
    keys = keys if draw(st.integers(0, 4)) else draw(st.lists(st.sampled_from([*fields, "other"]), max_size=12))
    parts = [f'{draw(SPACES)}"{key}"{draw(SPACES)}:{draw(SPACES)}{draw(fields.get(key, VALUES))}' for key in keys]
    said = f"{draw(SPACES)}{{{','.join(parts)}{draw(SPACES)}}}{draw(SPACES)}".encode()
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(said)))
        return said[:place] + draw(st.binary(max_size=2)) + said[place + draw(st.integers(0, 3)) :]
    return said


READING = {"id": NAMES.map(json.dumps), "attr": NAMES.map(json.dumps), "time": TIMES, "value": VALUES}
RAW = {key: NAMES.map(lambda name: json.dumps(name, ensure_ascii=False)) for key in ("id", "attr")}
LINES = st.one_of(objects(READING), objects(READING | RAW), st.binary(max_size=60), st.just(b""))


@given(st.lists(LINES, max_size=8), st.integers(0, 400))
@example([b'{"id":"valve-1","attr":"tilt","time":1,"value":-0}'], 0)
@example([b'{"id":"valve-1","attr":"tilt","time":-1700000000123456789,"value":1}'], 0)
def test_lines_of_ndjson(meanings: Meanings, lines: list[bytes], cut: int) -> None:
    payload = b"\n".join(lines)
    payload = payload[: len(payload) - cut] if cut < 40 else payload
    assert told(payload, NDJSON, meanings) == told(payload, NDJSON, NO_MEANINGS)


TAILS = st.sampled_from(
    ["tilt", ":tilt", "valve-1:tilt", "valve-1/tilt", "x:y/state", "1:水位", "", "stranger:new", "/tilt"]
)
WHOLE = st.one_of(TAILS, NAMES).map(json.dumps)
SECONDS = st.one_of(st.floats(0, 3e9).map(repr), st.integers(0, 2**33).map(str), NUMBERS)
UNITS = st.sampled_from(['"Cel"', '"%RH"', '""', '"m\\u0032"'])
RECORD: dict[str, st.SearchStrategy[str]] = {
    "bn": WHOLE,
    "n": WHOLE,
    "bt": SECONDS,
    "t": SECONDS,
    "u": UNITS,
    "bu": UNITS,
    "v": NUMBERS,
    "bv": NUMBERS,
    "vs": TEXTS,
    "vb": st.sampled_from(["true", "false", "0"]),
}


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """A record with some of the fields."""
    some = draw(st.lists(st.sampled_from(list(RECORD)), min_size=1, max_size=6, unique=True))
    return draw(objects({key: RECORD[key] for key in some}))


PLAIN = st.fixed_dictionaries(
    {"n": st.sampled_from(["tilt", "state", "new"]), "t": st.integers(0, 10**6), "v": st.floats(-1e6, 1e6)},
    optional={"bn": st.sampled_from(["valve-1:", "x/", "stranger:"]), "u": st.sampled_from(["Cel", "m"])},
).map(lambda record: json.dumps(record).encode())
START = b'{"bn":"valve-1:","bt":1.7e9,"bu":"Cel"}'


@given(st.lists(st.one_of(records(), PLAIN), max_size=6), st.integers(0, 200), st.booleans())
@example([b'{"n":"tilt","v":1}'] * 3, 199, True)
@example([b'{"n":"tilt","t":1e13,"v":1}'], 199, True)
def test_records_of_senml(meanings: Meanings, pack: list[bytes], cut: int, dated: bool) -> None:
    payload = b"[" + b",".join([START, *pack] if dated else pack) + b"]"
    payload = payload[: len(payload) - cut] if cut < 20 else payload
    assert told(payload, SENML, meanings) == told(payload, SENML, NO_MEANINGS)


def stream(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


ARROW_ROWS = st.lists(st.tuples(NAMES, NAMES, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), max_size=9)


@given(ARROW_ROWS, st.sampled_from(["plain", "large", "dictionary"]), st.integers(0, 3))
def test_rows_of_arrow(meanings: Meanings, sent: list[Any], kind: str, skip: int) -> None:
    ids, attrs, times, values = zip(*sent, strict=True) if sent else ((), (), (), ())
    columns = [pa.array(names, pa.large_string() if kind == "large" else pa.string()) for names in (ids, attrs)]
    if kind == "dictionary":
        columns = [column.dictionary_encode() for column in columns]
    table = pa.table(
        [*columns, pa.array(times, pa.int64()), pa.array(values, pa.float64())], ["id", "attr", "time", "value"]
    )
    payload = stream(table.slice(skip))
    assert told(payload, ARROW, meanings) == told(payload, ARROW, NO_MEANINGS)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_a_damaged_arrow_stream_is_refused_or_read(meanings: Meanings, place: int, damage: bytes) -> None:
    table = pa.table({"id": ["valve-1", "x"] * 9, "attr": ["tilt"] * 18, "time": range(18), "value": [1.0] * 18})
    for known in (table, table.set_column(0, "id", table["id"].dictionary_encode())):
        whole = stream(known)
        place %= len(whole)
        assert told(whole[:place] + damage + whole[place + len(damage) :], ARROW, meanings) is not None
