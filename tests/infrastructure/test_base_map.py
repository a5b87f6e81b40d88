"""The base map: sources by name, tiles of all of them, and what becomes of both when something changes."""

import gzip

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from cheng.infrastructure.base_map import TILES, BaseMap
from cheng.methods.tiles import mercator
from cheng.standards.base_map import BRIDGE, Features

HERE = (106.551, 29.561)
BOW = shapely.from_wkt("POLYGON ((106.5 29.5, 106.6 29.6, 106.6 29.5, 106.5 29.6, 106.5 29.5))")


def near(east=0.0, north=0.0, size=0.0004):
    west, south = HERE[0] + east, HERE[1] + north
    return shapely.box(west, south, west + size, south + size)


def town(name="澄江"):
    way = shapely.LineString([(HERE[0] - 0.02, HERE[1] - 0.003), (HERE[0] + 0.02, HERE[1] + 0.004)])
    return Features.concat(
        [
            Features.of("building", ["yes", "civic"], [near(), near(0.001)], height=[12.34, np.nan], rank=14),
            Features.of("street", ["primary", "service"], [way, way], name=["中山路", ""], rank=[9, 14], level=[1, 0]),
            Features.of("place", "city", [shapely.Point(HERE)], name=name, name_en="Chengjiang", rank=3),
        ]
    )


def address(z):
    x, y = mercator(*HERE)
    return z, int(x * 2**z), int(y * 2**z)


def drawn(base_map, z):
    body = base_map.tile(*address(z))
    return mapbox_vector_tile.decode(gzip.decompress(body), default_options={"y_coord_down": True}) if body else {}


@pytest.fixture
def base_map(tmp_path):
    opened = BaseMap(tmp_path / "map")
    yield opened
    opened.close()


def said(tile, layer):
    return [feature["properties"] for feature in tile[layer]["features"]]


def test_an_empty_map_has_no_bounds_and_empty_tiles(base_map):
    assert (base_map.sources(), base_map.bounds(), base_map.revision) == ([], None, "")
    assert base_map.tile(0, 0, 0) == b""


def test_the_deepest_tile_says_everything(base_map):
    assert base_map.put("demo", town()) == []
    tile = drawn(base_map, 14)
    assert said(tile, "building") == [
        {"kind": "yes", "rank": 14, "height": pytest.approx(12.3)},
        {"kind": "civic", "rank": 14},
    ]
    assert said(tile, "street") == [
        {"kind": "service", "rank": 14},
        {"kind": "primary", "name": "中山路", "rank": 9, "level": BRIDGE},
    ]
    assert said(tile, "place") == [{"kind": "city", "name": "澄江", "name_en": "Chengjiang", "rank": 3}]
    west, south, east, north = base_map.bounds()
    assert (west, east) == pytest.approx((HERE[0] - 0.02, HERE[0] + 0.02))
    assert (south, north) == pytest.approx((HERE[1] - 0.003, HERE[1] + 0.004))


def test_far_out_only_what_ranks_is_drawn(base_map):
    base_map.put("demo", town())
    assert set(drawn(base_map, 10)) == {"street", "place"}
    assert said(drawn(base_map, 10), "street") == [{"kind": "primary", "name": "中山路", "rank": 9, "level": 1}]
    assert set(drawn(base_map, 3)) == {"place"}


def test_a_source_takes_the_place_of_its_last_delivery_and_no_others(base_map):
    base_map.put("demo", town())
    base_map.put("names of 区", Features.of("place", "district", [shapely.Point(HERE)], name="临江区", rank=8))
    before = base_map.revision
    assert [place["name"] for place in said(drawn(base_map, 14), "place")] == ["临江区", "澄江"]
    base_map.put("demo", town("重城"))
    assert [place["name"] for place in said(drawn(base_map, 14), "place")] == ["临江区", "重城"]
    assert base_map.revision != before
    base_map.remove("names of 区")
    base_map.remove("never there")
    assert base_map.sources() == ["demo"]
    assert [place["name"] for place in said(drawn(base_map, 14), "place")] == ["重城"]


def test_the_same_delivery_again_changes_nothing(base_map):
    base_map.put("demo", town())
    drawn(base_map, 14)
    before = base_map.revision, (base_map.folder / "demo.parquet").stat().st_mtime_ns
    base_map.put("demo", town())
    assert (base_map.revision, (base_map.folder / "demo.parquet").stat().st_mtime_ns) == before


def test_features_that_cannot_be_drawn_are_told_and_left_out(base_map):
    wrong = Features.of("green", ["park", "meadow", "park"], [BOW, near(), near(0.01)])
    refused = base_map.put("file", Features.concat([wrong, town()]))
    assert [(error.line, error.reason) for error in refused] == [
        (1, "its outline crosses itself"),
        (2, "'green' has only the kinds park, wood, grass, farmland"),
    ]
    assert len(said(drawn(base_map, 14), "green")) == 1


def test_opened_again_it_has_its_sources_and_the_tiles_it_made(base_map, tmp_path):
    base_map.put("demo", town())
    made = base_map.tile(*address(14))
    base_map.close()
    again = BaseMap(tmp_path / "map")
    assert (again.sources(), again.revision) == (["demo"], base_map.revision)
    assert again._kept(address(14)) == made
    again.close()


@pytest.mark.parametrize("content", [b"no database at all", b""])
def test_a_broken_file_of_tiles_is_made_anew(base_map, tmp_path, content):
    base_map.put("demo", town())
    made = base_map.tile(*address(14))
    base_map.close()
    for file in (tmp_path / "map").glob(f"{TILES}*"):
        file.unlink()
    (tmp_path / "map" / TILES).write_bytes(content)
    assert base_map.tile(*address(14)) == made


@pytest.mark.parametrize("wrong", [(3, 8, 0), (15, 0, 0), (-1, 0, 0), (2, 0, -1)])
def test_tiles_that_cannot_be_are_refused(base_map, wrong):
    with pytest.raises(ValueError, match="no tile"):
        base_map.tile(*wrong)
