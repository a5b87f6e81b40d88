"""Readings out of CSV and Parquet in every shape, made here."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.protocols.files import Reading, SeriesChunk, read_series
from cheng.protocols.files_times import instants
from cheng.standards.coordinates import wgs84_to_gcj02
from cheng.standards.problems import InputError

SHANGHAI = 8 * 3_600_000_000
LONG = {"id": "id", "attr": "attr", "time": "time", "value": "value"}


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def read(path: Path, mapping: dict[str, str], **options: Any) -> tuple[list[tuple[Any, ...]], list[InputError]]:
    """Readings as (row, id, attribute, time, value), and what was refused."""
    readings: list[tuple[Any, ...]] = []
    bad: list[InputError] = []
    for chunk in read_series(path, mapping, Reading(**options)):
        if isinstance(chunk, InputError):
            bad.append(chunk)
            continue
        values = chunk.value.to_pylist() if chunk.is_text else chunk.value.tolist()
        columns = (chunk.rows.tolist(), chunk.ids.to_pylist(), chunk.attrs.to_pylist(), chunk.time.tolist(), values)
        readings.extend(zip(*columns, strict=True))
    return readings, bad


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_long(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "time,id,attr,value\n2026-11-20T08:00:00Z,p1,tilt,3.5\n2026-11-20T08:00:01Z,p2,state,open\n"
        "2026-11-20T08:00:02Z,p1,tilt,NA\n2026-11-20T08:00:03Z,p1,tilt,1e1\n",
    )
    readings, bad = read(path, LONG)
    assert bad == []
    assert readings == [
        (2, "p1", "tilt", us("2026-11-20T08:00:00"), 3.5),
        (5, "p1", "tilt", us("2026-11-20T08:00:03"), 10.0),
        (3, "p2", "state", us("2026-11-20T08:00:01"), "open"),
    ]


def test_bad_rows_say_line_and_reason_and_never_stop_the_rest(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "time,id,attr,value\n2026-11-20T08:00:00Z,p1,tilt,3.5\nyesterday,p1,tilt,1\n,p1,tilt,1\n\n"
        "2026-11-20T08:00:00Z,p1,tilt,wet\n2026-11-20T08:00:00Z,,tilt,1\n2026-11-20T08:00:00Z,p1,,1\n"
        "2026-11-20T08:00:00Z,p1,tilt\n2026-11-20T08:00:00Z,p1,tilt,inf\n2026-11-20T08:00:00Z,p1,tilt,1e999\n"
        "2026-11-20T08:00:05Z,p1,tilt, +4 \n",
    )
    readings, bad = read(path, LONG)
    assert [(row, value) for row, *_, value in readings] == [(2, 3.5), (12, 4.0)]
    assert {problem.line: (problem.code, problem.reason) for problem in bad} == {
        3: ("time", "'yesterday' is no time"),
        4: ("time", "it has no time"),
        6: ("number", "'wet' is no number"),
        7: ("no-id", "it has no id"),
        8: ("no-attr", "it names no attribute"),
        9: ("cells", "it has 3 cells, the header has 4"),
        10: ("number", "'inf' is no number"),
        11: ("number", "'1e999' is no number"),
    }


def test_wide_by_attribute_keeps_the_order_of_time(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "datum;temp;wind;druck\n2020-03-09 10:14:33;20,5;N;1\n2020-03-09 10:14:34;;S;2\n"
    )
    readings, bad = read(path, {"time": "datum"}, thing="rig", decimal=",")
    assert bad == []
    first, second = us("2020-03-09T10:14:33") - SHANGHAI, us("2020-03-09T10:14:34") - SHANGHAI
    assert sorted(readings, key=str) == sorted(
        [
            (2, "rig", "temp", first, 20.5),
            (2, "rig", "druck", first, 1.0),
            (3, "rig", "druck", second, 2.0),
            (2, "rig", "wind", first, "N"),
            (3, "rig", "wind", second, "S"),
        ],
        key=str,
    )
    figures = [time for *_, time, value in readings if isinstance(value, float)]
    assert figures == sorted(figures)


def test_only_the_mapped_columns_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", '"No","year","month","day","hour","PM2.5","station"\n1,2013,3,1,0,9,"东四"\n')
    readings, _ = read(path, {"time": "year+month+day+hour", "id": "station", "pm25": "PM2.5"})
    assert readings == [(2, "东四", "pm25", us("2013-03-01T00:00:00") - SHANGHAI, 9.0)]


def test_wide_by_thing(tmp_path: Path) -> None:
    text = "timestamp,Altmarkt,Messe\n2021-09-01T00:00:02+00:00,259.0,\n2021-09-01T02:15:01+02:00,,130\n"
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    readings, bad = read(path, {"time": "timestamp"}, attr="free")
    assert bad == []
    assert readings == [
        (2, "Altmarkt", "free", us("2021-09-01T00:00:02"), 259.0),
        (3, "Messe", "free", us("2021-09-01T00:15:01"), 130.0),
    ]


def test_a_matrix_without_times(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "773869,767541\n64.5,67\n62,68\n")
    readings, _ = read(path, {}, attr="speed", start_us=1_000_000, step_us=300_000_000)
    assert readings == [
        (2, "773869", "speed", 1_000_000, 64.5),
        (2, "767541", "speed", 1_000_000, 67.0),
        (3, "773869", "speed", 301_000_000, 62.0),
        (3, "767541", "speed", 301_000_000, 68.0),
    ]


def test_a_file_without_header(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "p1,1700000000,5\np2,1700000001,6\n")
    readings, _ = read(path, {"id": "#1", "time": "#2", "value": "#3"}, attr="level")
    assert [(row, thing, value) for row, thing, _, _, value in readings] == [(1, "p1", 5.0), (2, "p2", 6.0)]
    assert readings[0][3] == 1_700_000_000_000_000


def test_chinese_encodings_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    text = "时间,站点,水位\n2026-11-20 08:00:00,朝天门,1.5\n2026-11-20 09:00:00,寸滩,1.6\n"
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("gb18030").replace("寸滩".encode("gb18030"), b"\xff\xff"))
    readings, bad = read(path, {"time": "时间", "id": "站点"})
    assert [(thing, attr, value) for _, thing, attr, _, value in readings] == [("朝天门", "水位", 1.5)]
    assert [(problem.line, problem.code) for problem in bad] == [(3, "encoding")]


def test_positions(tmp_path: Path) -> None:
    lon, lat = (float(value) for value in wgs84_to_gcj02(106.5, 29.5))
    path = written(
        tmp_path / "a.csv",
        f"car,t,x,y,load\n渝A1,1700000000,{lon},{lat},3\n渝A1,1700000001,106,,3\n渝A1,1700000002,190,29,\n",
    )
    mapping = {"id": "car", "time": "t", "lon": "x", "lat": "y", "load": "load"}
    chunks = list(read_series(path, mapping, Reading(crs="GCJ-02")))
    places = [chunk for chunk in chunks if isinstance(chunk, SeriesChunk) and chunk.latitude is not None]
    assert len(places) == 1
    np.testing.assert_allclose([*places[0].value, *places[0].latitude], [106.5, 29.5], atol=1e-9)
    assert places[0].attrs.to_pylist() == ["position"]
    assert [problem.line for problem in chunks if isinstance(problem, InputError)] == [3, 4]
    loads = [chunk.value.tolist() for chunk in chunks if isinstance(chunk, SeriesChunk) and chunk.latitude is None]
    assert loads == [[3.0, 3.0]]


def test_parquet_in_its_own_types(tmp_path: Path) -> None:
    stamps = pa.array([us("2026-11-20T08:00:00"), None, us("2026-11-20T08:00:02")], pa.timestamp("us", "UTC"))
    table = pa.table(
        {
            "time": stamps,
            "id": pa.array(["p1", "p2", "p1"]).dictionary_encode(),
            "tilt": pa.array([1.5, 2.0, float("nan")]),
            "open": pa.array([True, False, True]),
            "state": pa.array(["wet", "dry", "wet"]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    readings, bad = read(tmp_path / "a.parquet", {"time": "time", "id": "id"})
    assert sorted((row, attr, value) for row, _, attr, _, value in readings if not isinstance(value, str)) == [
        (1, "open", 1.0),
        (1, "tilt", 1.5),
        (3, "open", 1.0),
    ]
    assert [(row, value) for row, *_, value in readings if isinstance(value, str)] == [(1, "wet"), (3, "wet")]
    assert [(problem.line, problem.code) for problem in bad] == [(2, "time")]


def test_chunks_stay_within_their_size_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    lines = [f"2026-11-20T00:00:00Z,p{n % 7},tilt,{n}" for n in range(5000)]
    lines[1234] = "broken"
    path = written(tmp_path / "a.csv", "time,id,attr,value\n" + "\n".join(lines) + "\n")
    chunks = [chunk for chunk in read_series(path, LONG, Reading(rows=999)) if isinstance(chunk, SeriesChunk)]
    assert max(len(chunk) for chunk in chunks) <= 999
    rows = np.concatenate([chunk.rows for chunk in chunks])
    values = np.concatenate([chunk.value for chunk in chunks])
    assert (rows == values + 2).all()
    assert len(rows) == 4999


@pytest.mark.parametrize(
    ("mapping", "options", "code"),
    [
        ({"time": "time"}, {}, "no-attr"),
        ({"time": "time", "value": "value", "attr": "attr"}, {}, "no-id"),
        ({"time": "time", "value": "value", "id": "id"}, {}, "no-attr"),
        ({"time": "when"}, {"attr": "x"}, "no-column"),
        ({"time": "time", "id": "id", "value": "val", "attr": "attr"}, {}, "no-column"),
        (LONG, {"decimal": "x"}, "decimal"),
        (LONG, {"encoding": "klingon"}, "encoding"),
    ],
)
def test_what_is_not_clear_is_asked(tmp_path: Path, mapping: dict[str, str], options: Any, code: str) -> None:
    path = written(tmp_path / "a.csv", "time,id,attr,value\n2026-11-20T08:00:00Z,p1,tilt,3.5\n")
    with pytest.raises(InputError) as raised:
        read(path, mapping, **options)
    assert raised.value.code == code


@pytest.mark.parametrize(("name", "code"), [("a.parquet", "not-parquet"), ("b.csv", "empty"), ("gone.csv", "no-file")])
def test_files_that_are_none(tmp_path: Path, name: str, code: str) -> None:
    if name != "gone.csv":
        written(tmp_path / name, "" if name == "b.csv" else "PAR?")
    with pytest.raises(InputError) as raised:
        read(tmp_path / name, LONG)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-11-20T08:05:06Z", "2026-11-20T08:05:06"),
        ("2026-11-20T08:05:06.123456Z", "2026-11-20T08:05:06.123456"),
        ("2026-11-20T08:05:06+08:00", "2026-11-20T00:05:06"),
        ("2026-11-20 08:05:06+0530", "2026-11-20T02:35:06"),
        ("2026-11-20 08:05:06", "2026-11-20T00:05:06"),
        ("2026/11/20 8:05", "2026-11-20T00:05:00"),
        ("2026-11-20", "2026-11-19T16:00:00"),
        ("2026.11.20 08", "2026-11-20T00:00:00"),
        ("2026年11月20日 8时5分6秒", "2026-11-20T00:05:06"),
        ("2026年11月20日", "2026-11-19T16:00:00"),
        ("20261120", "2026-11-19T16:00:00"),
        ("202611200805", "2026-11-20T00:05:00"),
        ("20261120T080506", "2026-11-20T00:05:06"),
        ("2026-11-20 24:00", "2026-11-20T16:00:00"),
        ("1795132800", "2026-11-20T00:00:00"),
        ("1795132800.5", "2026-11-20T00:00:00.5"),
        ("1795132800000", "2026-11-20T00:00:00"),
        ("1795132800000000", "2026-11-20T00:00:00"),
        ("1795132800000000000", "2026-11-20T00:00:00"),
    ],
)
def test_times_in_every_writing_alone_and_mixed(text: str, told: str) -> None:
    alone, bad = instants([pa.array([text])], "Asia/Shanghai")
    assert not bad[0]
    assert alone[0] == us(told)
    mixed, bad = instants([pa.array(["nonsense", None, text, "2026-11-20T08:00:00Z"])], "Asia/Shanghai")
    assert bad.tolist() == [True, True, False, False]
    assert mixed[2:].tolist() == [us(told), us("2026-11-20T08:00:00")]


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-13-01", "26-01-01", "2026-11-20 25:00", "12:00", "", "20261320", "8"]
)
def test_what_is_no_time(text: str) -> None:
    times, bad = instants([pa.array([text])], "Asia/Shanghai")
    assert bad.tolist() == [True]
    assert times.tolist() == [0]


def test_times_in_several_columns() -> None:
    day, hour = pa.array(["2026-11-20", "2026/11/21", "x"]), pa.array(["8", "24", "3"])
    times, bad = instants([day, hour], "Asia/Shanghai")
    assert bad.tolist() == [False, False, True]
    assert times[:2].tolist() == [us("2026-11-20T00:00:00"), us("2026-11-21T16:00:00")]
    times, bad = instants([pa.array(["2026-11-20"]), pa.array(["08:05:06"])], "Asia/Shanghai")
    assert times[0] == us("2026-11-20T00:05:06")
    parts = [pa.array(part) for part in ([2026, 2026], [2, 2], [28, 29], [0, 0], [30, 30])]
    times, bad = instants(parts, "UTC")
    assert bad.tolist() == [False, True]
    assert times[0] == us("2026-02-28T00:30:00")


def test_a_pattern_of_ones_own_and_types_of_ones_own() -> None:
    times, bad = instants([pa.array(["20.11.26 08:05", "x"])], "Asia/Shanghai", "%d.%m.%y %H:%M")
    assert bad.tolist() == [False, True]
    assert times[0] == us("2026-11-20T00:05:00")
    days, bad = instants([pa.array([date(2026, 11, 20)])], "Asia/Shanghai")
    assert days[0] == us("2026-11-19T16:00:00")
    seconds, bad = instants([pa.array([1_795_132_800, None])], "Asia/Shanghai")
    assert seconds[0] == us("2026-11-20T00:00:00")
    assert bad.tolist() == [False, True]


@given(st.lists(st.integers(0, 4_000_000_000_000_000), min_size=1, max_size=5), st.booleans())
def test_iso_times_are_read_as_they_were_written(times: list[int], zoned: bool) -> None:
    texts = [f"{np.datetime64(time, 'us')}{'Z' if zoned else ''}" for time in times]
    found, bad = instants([pa.array(texts)], "UTC")
    assert not bad.any()
    assert found.tolist() == times


@given(st.lists(st.text(max_size=25), min_size=1, max_size=5), st.sampled_from(["Asia/Shanghai", "Europe/Vienna"]))
def test_no_text_breaks_the_reading_of_times(texts: list[str], zone: str) -> None:
    found, bad = instants([pa.array(texts)], zone)
    assert len(found) == len(bad) == len(texts)
