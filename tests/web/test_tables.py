"""Lists as files."""

import csv
import io
import json
from zoneinfo import ZoneInfo

import pytest

from cheng.web.fields import Column
from cheng.web.local import Local
from cheng.web.tables import as_csv, as_geojson, cell
from cheng.web.texts import Catalogues

NOW = 1_795_132_800_000_000
LOCAL = Local(Catalogues.load().languages["en"], ZoneInfo("Asia/Shanghai"), NOW)
COLUMNS = (Column("name", "Name"), Column("at", "At", "moment"), Column("tilt", "Tilt", "number", unit="deg"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://x")'])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert str(cell(text, "", LOCAL)).startswith("'")


def test_numbers_stay_numbers() -> None:
    assert cell(-1.5, "number", LOCAL) == -1.5
    assert cell(True, "", LOCAL) == "true"
    assert cell({"a": [1]}, "", LOCAL) == '{"a":[1]}'


def test_csv_reads_back() -> None:
    rows = [{"name": 'a "quoted", name\nwith a line', "at": NOW, "tilt": -2.5}, {"name": None, "at": None}]
    data = as_csv(rows, COLUMNS, LOCAL, bom=True)
    assert data.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert read == [
        ["Name", "At", "Tilt (deg)"],
        ['a "quoted", name\nwith a line', "2026-11-20T08:00:00+08:00", "-2.5"],
        ["", "", ""],
    ]


def test_geojson() -> None:
    rows = [
        {"name": "a", "at": NOW, "place": (106.5, 29.5)},
        {"name": "b", "at": None, "place": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}},
        {"name": "c", "at": None, "place": None},
        {"name": "d", "at": None, "place": [None, None]},
    ]
    told = json.loads(as_geojson(rows, COLUMNS, LOCAL, "place"))
    shapes = [feature["geometry"] for feature in told["features"]]
    assert shapes[0] == {"type": "Point", "coordinates": [106.5, 29.5]}
    assert shapes[1]["type"] == "LineString"
    assert shapes[2:] == [None, None]
    assert told["features"][0]["properties"] == {"name": "a", "at": "2026-11-20T08:00:00+08:00"}
