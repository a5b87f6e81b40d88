"""Payloads into columns: every plain line survives whatever stands beside it, and each refusal says which line."""

import io
import json
import math
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.protocols.decoding import ARROW, NDJSON, NO_MEANINGS, SENML, decode, ndjson, ndjson_lines, sniff
from cheng.protocols.decoding_rows import Decoded, instant
from cheng.standards.problems import InputError

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
READINGS = st.lists(
    st.tuples(NAMES, NAMES, st.integers(1, 10**15), st.floats(allow_nan=False, allow_infinity=False)), max_size=20
)


def by_lines(payload: bytes) -> Decoded:
    builder = ndjson_lines(enumerate(payload.split(b"\n"), 1))
    return builder.reports(), builder.errors


def line(thing: str = "a", attr: str = "x", time: object = 1_700_000_000_000, value: object = 1.5) -> bytes:
    return json.dumps({"id": thing, "attr": attr, "time": time, "value": value}).encode()


@given(READINGS)
def test_what_was_sent_is_what_comes_out_on_both_ways(sent: list[tuple[str, str, int, float]]) -> None:
    payload = b"\n".join(line(*reading) for reading in sent)
    for way in (ndjson, lambda sent, _: by_lines(sent)):
        reports, errors = way(payload, NO_MEANINGS)
        assert not errors
        got = [
            (reports.ids[reports.id[n]], reports.attrs[reports.attr[n]], int(reports.time[n]), reports.value[n])
            for n in range(len(reports))
        ]
        assert got == [(thing, attr, instant(time), value) for thing, attr, time, value in sent]
        assert reports.line.tolist() == list(range(1, len(sent) + 1))


@given(st.lists(st.one_of(st.just(line()), st.binary(max_size=40).filter(lambda b: b"\n" not in b)), max_size=12))
def test_a_bad_line_takes_no_good_one_down(lines: list[bytes]) -> None:
    reports, errors = ndjson(b"\n".join(lines), NO_MEANINGS)
    good = [number for number, text in enumerate(lines, 1) if text == line()]
    assert set(good) <= set(reports.line.tolist())
    bad = {number for number, text in enumerate(lines, 1) if text.strip() and text != line()}
    assert {error.line for error in errors} <= bad


@pytest.mark.parametrize(
    "bad",
    [
        b'{"id":"a","attr":"x","time":17000',
        line(time="abc"),
        b"not json",
        b'{"id":null,"attr":"x","time":1700000000000,"value":90}',
        b"[]",
        b'{"id":"a","attr":"x","time":1700000000000}',
        b"\xff\xfe\x00bad",
        b'{"id":"a","attr":"x","time":1700000000000,"value":1e999}',
        b"{}",
        line(thing=""),
        line(value={"type": "Polygon"}),
        line(value=[1, "2"]),
        line(time=math.nan).replace(b"NaN", b"1e30"),
        b"[" * 10_000,
    ],
)
def test_each_kind_of_nonsense_is_refused_with_its_line_and_reason(bad: bytes) -> None:
    reports, errors = ndjson(b"\n".join([line(), bad, line()]), NO_MEANINGS)
    assert reports.line.tolist() == [1, 3]
    assert [error.line for error in errors] == [2]
    assert len(errors[0].reason) > 10


@given(st.lists(st.sampled_from([b"{}", b"not json", b" ", line(), line(time="abc"), line(value=[])]), max_size=12))
def test_a_bad_line_is_refused_for_the_same_reason_wherever_it_is_repeated(lines: list[bytes]) -> None:
    alone = [(number, decode(text, NDJSON)[1]) for number, text in enumerate(lines, 1)]
    right = [(error.code, error.reason, number) for number, errors in alone for error in errors]
    assert [(error.code, error.reason, error.line) for error in by_lines(b"\n".join(lines))[1]] == right


def test_labels_positions_flags_units_and_times_with_a_zone() -> None:
    payload = b"\n".join(
        [
            line(value="open"),
            line(value=[106.5, 29.5]),
            line(value={"type": "Point", "coordinates": [106.5, 29.5]}),
            line(value=True),
            b'{"id":"a","attr":"x","time":"2026-11-20T08:00:00+08:00","value":1,"unit":"MPa"}',
        ]
    )
    reports, errors = ndjson(payload, NO_MEANINGS)
    assert not errors
    assert reports.texts == ["open"]
    assert reports.text.tolist() == [0, -1, -1, -1, -1]
    assert reports.value[1:3].tolist() == [106.5, 106.5]
    assert reports.latitude[1:3].tolist() == [29.5, 29.5]
    assert reports.value[3] == 1.0
    assert reports.units == ["MPa"]
    assert int(reports.time[4]) == 1_795_132_800_000_000


@pytest.mark.parametrize(
    ("sent", "us"),
    [(1_700_000_000, 10**6), (1_700_000_000_000, 10**3), (1_700_000_000_000_000, 1), (1_700_000_000.5, 10**6)],
)
def test_the_unit_of_an_epoch_number_is_told_by_its_size(sent: float, us: int) -> None:
    assert instant(sent) == round(sent * us)
    assert int(ndjson(line(time=sent), NO_MEANINGS)[0].time[0]) == round(sent * us)


@given(
    st.lists(st.sampled_from([line(), line("b", value="open"), line("c", time=5), b"nonsense", b"", b"{}"]), max_size=9)
)
def test_plain_and_other_lines_keep_their_order_and_their_numbers(lines: list[bytes]) -> None:
    reports, errors = ndjson(b"\n".join(lines), NO_MEANINGS)
    slow, slow_errors = by_lines(b"\n".join(lines))
    for name in ("time", "value", "latitude", "line"):
        assert np.array_equal(getattr(reports, name), getattr(slow, name), equal_nan=True)
    for names, codes in (("ids", "id"), ("attrs", "attr"), ("texts", "text")):
        said = [
            [getattr(each, names)[code] if code >= 0 else None for code in getattr(each, codes)]
            for each in (reports, slow)
        ]
        assert said[0] == said[1]
    assert [error.line for error in errors] == [error.line for error in slow_errors]


def test_a_local_time_without_zone_is_refused_with_the_mend() -> None:
    with pytest.raises(InputError, match=r"lacks its time zone; add \+08:00 or Z"):
        instant("2026-11-20T08:00:00")


def test_senml_base_fields_hold_for_what_follows() -> None:
    pack = [
        {"bn": "cover-1:", "bt": 1.7e9, "bu": "deg", "n": "tilt", "v": 3},
        {"n": "tilt", "t": 10, "v": 4},
        {"n": "state", "vs": "shut", "u": ""},
        {"bn": "cover-2/", "n": "tilt", "vb": True},
    ]
    reports, errors = decode(json.dumps(pack).encode(), SENML)
    assert not errors
    assert [reports.ids[i] for i in reports.id] == ["cover-1", "cover-1", "cover-1", "cover-2"]
    assert [reports.attrs[i] for i in reports.attr] == ["tilt", "tilt", "state", "tilt"]
    assert reports.time.tolist() == [1_700_000_000_000_000, 1_700_000_010_000_000] + [1_700_000_000_000_000] * 2


def test_senml_without_absolute_time_is_refused_by_record() -> None:
    reports, errors = decode(b'[{"n":"a:x","v":1},{"n":"a:x","t":1.7e9,"v":2}]', SENML)
    assert len(reports) == 1
    assert [error.line for error in errors] == [1]


def stream(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_arrow_columns_come_through_and_rows_with_nulls_are_refused() -> None:
    table = pa.table(
        {
            "id": pa.array(["a", None, "b"]).dictionary_encode(),
            "attr": ["x", "x", "x"],
            "time": pa.array([1, 2, 3], pa.timestamp("ms")),
            "value": [1, 2, 3],
        }
    )
    reports, errors = decode(stream(table), ARROW)
    assert [reports.ids[i] for i in reports.id] == ["a", "b"]
    assert reports.time.tolist() == [1000, 3000]
    assert reports.line.tolist() == [1, 3]
    assert [error.line for error in errors] == [2]


@pytest.mark.parametrize("media_type", [NDJSON, SENML, ARROW])
@given(payload=st.binary(max_size=200))
def test_no_payload_breaks_anything(media_type: str, payload: bytes) -> None:
    with suppress(InputError):
        reports, _ = decode(payload, media_type)
        assert np.isfinite(reports.value[reports.text < 0]).all()
    assert sniff(payload) in (NDJSON, SENML, ARROW)


def test_an_unknown_media_type_names_those_that_are_taken() -> None:
    with pytest.raises(InputError, match="'text/html' is not taken here; send one of application/x-ndjson"):
        decode(b"", "text/html")
