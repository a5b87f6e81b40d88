import numpy as np
import pytest
import shapely

from cheng.protocols.files import Row, read_things
from cheng.standards.areas import AreaIndex
from shared_data import shared


def index() -> AreaIndex:
    """Two districts side by side, one street inside the first."""
    return AreaIndex(
        ["west", "east", "street"],
        ["district", "district", "street"],
        [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(0.2, 0.2, 0.4, 0.4)],
    )


def test_each_level_has_its_answer() -> None:
    areas = index()
    assert areas.levels == ("district", "street")
    district, street = areas.locate([0.3, 1.5, 9, np.nan, 1.0], [0.3, 0.5, 9, 0.5, 0.5])
    assert district.tolist() == [0, 1, -1, -1, 0]  # the border belongs to the one that was given first
    assert street.tolist() == [2, -1, -1, -1, -1]
    assert areas.ids_at(0.3, 0.3) == {"district": "west", "street": "street"}


def test_no_points_and_no_areas() -> None:
    assert [found.tolist() for found in index().locate([], [])] == [[], []]
    assert AreaIndex([], [], []).locate([1.0], [1.0]) == []


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="2 ids"):
        AreaIndex(["a", "b"], ["x"], [shapely.box(0, 0, 1, 1)])


def test_against_asking_every_polygon() -> None:
    random = np.random.default_rng(7)
    corners = random.uniform(0, 10, (60, 2))
    polygons = [shapely.Point(x, y).buffer(random.uniform(0.2, 2)) for x, y in corners]
    areas = AreaIndex([str(n) for n in range(60)], ["a", "b"] * 30, polygons)
    lon, lat = random.uniform(0, 10, (2, 500))
    for level, found in enumerate(areas.locate(lon, lat)):
        for row in range(500):
            inside = [n for n in range(level, 60, 2) if polygons[n].intersects(shapely.Point(lon[row], lat[row]))]
            assert found[row] == (inside[0] if inside else -1)


def test_bus_stops_of_chongqing_lie_in_their_districts() -> None:
    boundaries = shared("admin_cn/boundaries/chongqing_500000_districts.geojson")
    districts = [row for row in read_things(boundaries, {"id": "adcode"}, "GCJ-02", mend=True) if isinstance(row, Row)]
    areas = AreaIndex(
        [str(row.fields["id"]) for row in districts],
        ["district"] * len(districts),
        [shapely.geometry.shape(row.geometry) for row in districts],
    )
    assert len(areas.ids) == 38
    stops = [
        row
        for row in read_things(
            shared("chongqing_bus/stops_utf8_with_district.csv"), {"lon": "lon_gcj02", "lat": "lat_gcj02"}, "GCJ-02"
        )
        if isinstance(row, Row)
    ]
    lon, lat = np.array([row.geometry["coordinates"] for row in stops if row.geometry]).T
    (found,) = areas.locate(lon, lat)
    told = [row.fields["district_adcode_pip"] for row in stops]
    same = sum((areas.ids[at] if at >= 0 else "") == code for at, code in zip(found, told, strict=True))
    assert same >= len(stops) - 3  # on a border, a mended line may fall to the other side
