"""Unit grids and responsibility grids from files as cities keep them: what is wrong is told, the rest is taken."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from cheng.kernel.house import Area
from cheng.loading import Loaded, load_things
from cheng.loading_targets import HereTarget
from cheng.testing import Town, city
from works import small_works

COMMUNITY = "500112001002"
MAPPING = {"id": "BGID", "code": "BGCODE", "level": "KIND", "name": "BGNAME"}
ROWS = (
    ("unit:1", f"{COMMUNITY}001", "unit grid", "第1单元网格", shapely.box(106.5, 29.5, 106.501, 29.501)),
    ("unit:2", f"{COMMUNITY}002", "unit grid", "第2单元网格", shapely.box(106.501, 29.5, 106.502, 29.501)),
    ("unit:3", f"{COMMUNITY}003", "unit grid", "压盖", shapely.box(106.5015, 29.5, 106.503, 29.501)),
    ("unit:4", f"{COMMUNITY}004", "unit grid", "自相交", shapely.Polygon([(1, 1), (2, 2), (2, 1), (1, 2)])),
    ("unit:5", "12345", "unit grid", "编码不对", shapely.box(106.503, 29.5, 106.504, 29.501)),
    ("unit:6", f"{COMMUNITY}001", "unit grid", "编码重复", shapely.box(106.504, 29.5, 106.505, 29.501)),
    ("area:1", f"{COMMUNITY}001", "grid", "第1网格", shapely.box(106.5, 29.5, 106.502, 29.501)),
)
WRONG = [(3, "overlap"), (4, "place"), (5, "bad-code"), (6, "code-taken")]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path / "data", small_works) as town:
        yield town


def written(path: Path) -> Path:
    driver = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON"}[path.suffix]
    *fields, shapes = zip(*ROWS, strict=True)
    columns = [np.array(column, object) for column in fields]
    geometry = shapely.to_wkb(np.array(shapes, object))
    names = [MAPPING[name] for name in ("id", "code", "level", "name")]
    write(path, geometry, columns, names, geometry_type="Polygon", crs="EPSG:4490", driver=driver, encoding="utf-8")
    return path


def loaded(town: Town, path: Path) -> Loaded:
    return load_things(HereTarget(town.hub), Area, path, MAPPING, lambda *_: None)


@pytest.mark.parametrize("suffix", [".geojson", ".shp", ".gpkg"])
def test_grids_come_in_any_of_three_formats(town: Town, tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"grids{suffix}")
    first = loaded(town, path)
    assert (first.counts["added"], [(error.line, error.code) for error in first.refused]) == (3, WRONG)
    assert "by" in first.refused[0].reason
    assert town.hub.things.lookup.at(106.5012, 29.5005) == {"grid": "area:1", "unit grid": "unit:2"}
    again = loaded(town, path)
    assert (again.counts["unchanged"], again.counts["changed"], len(again.refused)) == (3, 0, 4)
