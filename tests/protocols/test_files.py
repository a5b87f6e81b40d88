"""Things out of every format a city sends, made here: good rows come out, bad ones say line and reason."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from cheng.protocols.files import Row, read_things
from cheng.standards.coordinates import from_wgs84, wgs84_to_gcj02
from cheng.standards.problems import InputError

STOPS = "编号,名称,经度,纬度\nA1,解放碑,106.5771,29.5572\nA2,观音桥,106.5323,29.5756\n"
BOW_TIE = {"type": "Polygon", "coordinates": [[[106, 29], [107, 30], [107, 29], [106, 30], [106, 29]]]}


def read(path: Path, *args: Any, **options: Any) -> tuple[list[Row], list[InputError]]:
    found = list(read_things(path, *args, **options))
    return [x for x in found if isinstance(x, Row)], [x for x in found if isinstance(x, InputError)]


def written(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_is_recognised(tmp_path: Path, encoding: str) -> None:
    rows, bad = read(written(tmp_path / "stops.csv", STOPS, encoding), {"id": "编号", "name": "名称"})
    assert bad == []
    assert [row.fields for row in rows] == [{"id": "A1", "name": "解放碑"}, {"id": "A2", "name": "观音桥"}]
    assert rows[0].geometry == {"type": "Point", "coordinates": [106.5771, 29.5572]}
    assert [row.number for row in rows] == [2, 3]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_every_separator_is_recognised(tmp_path: Path, separator: str) -> None:
    rows, _ = read(written(tmp_path / "stops.csv", STOPS.replace(",", separator)))
    assert rows[1].fields == {"编号": "A2", "名称": "观音桥"}


def test_packed_files_and_quoted_cells(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv.gz"
    path.write_bytes(gzip.compress(b'id,note,lon,lat\n1,"two\nlines, one ""cell""",106.5,29.5\n2,x,106.6,29.6\n'))
    rows, bad = read(path)
    assert rows[0].fields["note"] == 'two\nlines, one "cell"'
    assert [row.number for row in rows] == [3, 4]
    assert bad == []


def test_a_file_without_header_counts_its_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "poi.txt", "天宫大道站 106.550994 29.603164\n临江门站 106.573142 29.559210\n", "gb18030")
    rows, bad = read(path, {"name": "#1", "lon": "#2", "lat": "#3"}, "GCJ-02")
    assert bad == []
    assert rows[1].fields == {"name": "临江门站"}
    assert rows[1].geometry is not None
    np.testing.assert_allclose(wgs84_to_gcj02(*rows[1].geometry["coordinates"]), (106.573142, 29.559210), atol=1e-9)


def test_bad_rows_say_line_and_reason_and_never_stop_the_rest(tmp_path: Path) -> None:
    path = written(
        tmp_path / "stops.csv",
        "id,lon,lat\n1,106.5,29.5\n2,29.5,106.5\n3,,\n4,0,0\n5,106.5\n\n6,east,29\n7,500000,3270000\n8,nan,29\n9,106.6,29.6\n",
    )
    rows, bad = read(path)
    assert [row.fields["id"] for row in rows] == ["1", "9"]
    told = {problem.line: problem.reason for problem in bad}
    assert "swapped" in told[3]
    assert "no coordinates" in told[4]
    assert "both 0" in told[5]
    assert "2 cells, the header has 3" in told[6]
    assert "not two numbers" in told[8]
    assert "EPSG:4544" in told[9]
    assert "no number" in told[10]
    assert len(bad) == 7


def test_rows_without_a_place_may_be_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "id,lon,lat\n1,,\n2,106.5,29.5\n")
    rows, bad = read(path, placeless="keep")
    assert [row.geometry is None for row in rows] == [True, False]
    assert bad == []


def test_a_table_without_places_is_no_fault(tmp_path: Path) -> None:
    rows, bad = read(written(tmp_path / "codes.csv", "code,name\n500112,渝北区\n"))
    assert bad == []
    assert rows[0] == Row(2, {"code": "500112", "name": "渝北区"}, None)


def test_bytes_that_are_no_text_refuse_their_row_only(tmp_path: Path) -> None:
    content = STOPS.encode("gb18030").replace("观音桥".encode("gb18030"), b"\xff\xff")
    rows, bad = read(written(tmp_path / "stops.csv", content), encoding="gb18030")
    assert [row.fields["名称"] for row in rows] == ["解放碑"]
    assert bad[0].line == 3
    assert bad[0].code == "encoding"


def test_well_known_text(tmp_path: Path) -> None:
    path = written(tmp_path / "lines.csv", 'id;wkt\n1;"LINESTRING (106 29, 107 30)"\n2;LINESTRING (106\n')
    rows, bad = read(path)
    assert rows[0].geometry == {"type": "LineString", "coordinates": [[106.0, 29.0], [107.0, 30.0]]}
    assert bad[0].line == 3


def test_projected_coordinates(tmp_path: Path) -> None:
    x, y = (float(value) for value in from_wgs84(106.55, 29.56, "EPSG:4544"))
    rows, _ = read(written(tmp_path / "points.csv", f"id,x,y\n1,{x},{y}\n"), crs="EPSG:4544")
    assert rows[0].geometry is not None
    np.testing.assert_allclose(rows[0].geometry["coordinates"], (106.55, 29.56), atol=1e-7)


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


POINT = {"type": "Point", "coordinates": [106.5, 29.5]}


@pytest.mark.parametrize("shape", ["collection", "lines", "sequence"])
def test_geojson_whole_and_by_line(tmp_path: Path, shape: str) -> None:
    features = [
        feature(POINT, 名称="井盖"),
        feature(BOW_TIE, 名称="网格"),
        feature(None, 名称="无处"),
        feature({"type": "Point", "coordinates": []}, 名称="空"),
        feature({"type": "Blob", "coordinates": [1, 2]}, 名称="怪"),
        {"type": "Thing"},
        feature({"type": "Point", "coordinates": [29.5, 106.5]}, 名称="反"),
    ]
    if shape == "collection":
        text = json.dumps({"type": "FeatureCollection", "features": features}, indent=1, ensure_ascii=False)
    else:
        mark = "\x1e" if shape == "sequence" else ""
        text = "".join(f"{mark}{json.dumps(one, ensure_ascii=False)}\n" for one in features)
    rows, bad = read(written(tmp_path / "things.geojson", text), {"name": "名称"})
    assert [(row.number, row.fields["name"], row.geometry is None) for row in rows] == [
        (1, "井盖", False),
        (3, "无处", True),
    ]
    told = {problem.line: problem.reason for problem in bad}
    assert "Self-intersection" in told[2]
    assert "mend" in told[2]
    assert "no coordinates" in told[4]
    assert "no GeoJSON geometry" in told[5]
    assert "not Feature" in told[6]
    assert "swapped" in told[7]


def test_areas_that_touch_themselves_can_be_mended(tmp_path: Path) -> None:
    spike = [[106, 29], [107, 29], [107, 30], [106.5, 30], [106.5, 30.2], [106.5, 30], [106, 30], [106, 29]]
    features = [feature({"type": "Polygon", "coordinates": [spike]}), feature(BOW_TIE)]
    path = written(tmp_path / "a.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    assert len(read(path)[1]) == 2
    rows, bad = read(path, mend=True)
    assert shapely.geometry.shape(rows[0].geometry).is_valid
    assert [problem.line for problem in bad] == [2]  # half of a bow tie is not what was drawn


def test_an_old_coordinate_member_is_believed_unless_told_otherwise(tmp_path: Path) -> None:
    x, y = (float(value) for value in from_wgs84(106.5, 29.5, "EPSG:4544"))
    old = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4544"}}
    document = {
        "type": "FeatureCollection",
        "crs": old,
        "features": [feature({"type": "Point", "coordinates": [x, y]})],
    }
    rows, _ = read(written(tmp_path / "a.geojson", json.dumps(document)))
    assert rows[0].geometry is not None
    np.testing.assert_allclose(rows[0].geometry["coordinates"], (106.5, 29.5), atol=1e-7)


@pytest.mark.parametrize(
    "content", ["", "[1, 2]", "{}", '{"type": "Topology"}', '{"type": "FeatureCollection"', "a,b\n1,2\n"]
)
def test_what_is_no_geojson_is_refused_as_a_whole(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError) as raised:
        read(written(tmp_path / "a.geojson", content))
    assert raised.value.code == "not-geojson"


def vector_file(path: Path, crs: str | None = "EPSG:4490", encoding: str = "UTF-8", **options: Any) -> Path:
    geometry = shapely.to_wkb([shapely.Point(106.5, 29.5), None, shapely.Point(106.6, 29.6)])
    names = np.array(["渝中区", "无处", "江北区"], object)
    driver = "GPKG" if path.suffix == ".gpkg" else "ESRI Shapefile"
    kept = {"encoding": encoding} if driver != "GPKG" else {}
    write(
        path, geometry, [names, np.array([1, 2, 3])], ["名称", "n"], geometry_type="Point", crs=crs, driver=driver,
        **kept, **options,
    )  # fmt: skip
    return path


@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
def test_geopackage_and_shapefile(tmp_path: Path, suffix: str) -> None:
    rows, bad = read(vector_file(tmp_path / f"a{suffix}"), {"name": "名称"})
    assert [(row.number, row.fields) for row in rows] == [
        (1, {"n": 1, "name": "渝中区"}),
        (3, {"n": 3, "name": "江北区"}),
    ]
    assert rows[0].geometry == {"type": "Point", "coordinates": [106.5, 29.5]}
    assert [problem.line for problem in bad] == [2]


@pytest.mark.parametrize("encoding", ["GB18030", "UTF-8"])
def test_shapefiles_that_do_not_say_their_encoding(tmp_path: Path, encoding: str) -> None:
    path = vector_file(tmp_path / "a.shp", encoding=encoding)
    path.with_suffix(".cpg").unlink()
    rows, _ = read(path, {"name": "名称"})
    assert [row.fields["name"] for row in rows] == ["渝中区", "江北区"]


def test_shapefiles_without_a_system_are_taken_as_degrees_or_as_told(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        path = vector_file(tmp_path / "a.shp", crs=None)
    assert read(path)[0][0].geometry == {"type": "Point", "coordinates": [106.5, 29.5]}
    moved = read(path, crs="GCJ-02")[0][0].geometry
    assert moved is not None
    assert moved["coordinates"][0] == pytest.approx(106.5 - 0.0038, abs=1e-3)


def test_a_geopackage_with_two_layers_asks_which(tmp_path: Path) -> None:
    path = vector_file(tmp_path / "a.gpkg", layer="roads")
    vector_file(path, layer="parks", append=True)
    with pytest.raises(InputError, match="roads, parks"):
        read(path)
    assert len(read(path, layer="parks")[0]) == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.shp", "not-vector"),
        ("a.gpkg", "not-vector"),
        ("a.docx", "kind"),
        ("gone.csv", "no-file"),
        ("empty.csv", "empty"),
    ],
)
def test_files_that_are_not_what_they_seem(tmp_path: Path, name: str, code: str) -> None:
    if name != "gone.csv":
        written(tmp_path / name, "" if name == "empty.csv" else "<OGRVRTDataSource/>")
    with pytest.raises(InputError) as raised:
        read(tmp_path / name)
    assert raised.value.code == code


def test_wrong_columns_systems_and_encodings_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "stops.csv", STOPS)
    with pytest.raises(InputError, match="no column 'nr'; it has 编号, 名称, 经度, 纬度"):
        read(path, {"id": "nr"})
    with pytest.raises(InputError, match="EPSG:n"):
        read(path, crs="EPSG:0")
    with pytest.raises(InputError, match="gb18030"):
        read(path, encoding="chinese-ish")
    with pytest.raises(InputError, match="two columns"):
        read(written(tmp_path / "twice.csv", "a,a\n1,2\n"))
    with pytest.raises(InputError, match="both lon and lat"):
        read(path, {"lon": "经度"})
