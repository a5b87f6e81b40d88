import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cheng.standards.coordinates import (
    bd09_to_gcj02,
    from_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    geometries_to_wgs84,
    in_china,
    is_degrees,
    to_wgs84,
    wgs84_to_gcj02,
)

LON, LAT = st.floats(73, 135), st.floats(3, 53)


def test_a_known_point() -> None:
    """Tiananmen: WGS 84 116.391, 39.907 is GCJ-02 116.39724, 39.90840 and BD-09 116.40363, 39.91470."""
    gcj = wgs84_to_gcj02(116.391, 39.907)
    np.testing.assert_allclose(gcj, (116.397241, 39.908401), atol=1e-6)
    np.testing.assert_allclose(gcj02_to_bd09(*gcj), (116.40364, 39.91473), atol=5e-5)


@given(st.lists(st.tuples(LON, LAT), min_size=1, max_size=20))
def test_both_shifts_are_undone_within_a_billionth_of_a_degree(points: list[tuple[float, float]]) -> None:
    lon, lat = np.array(points).T
    np.testing.assert_allclose(gcj02_to_wgs84(*wgs84_to_gcj02(lon, lat)), (lon, lat), atol=1e-9, rtol=0)
    np.testing.assert_allclose(bd09_to_gcj02(*gcj02_to_bd09(lon, lat)), (lon, lat), atol=1e-9, rtol=0)
    np.testing.assert_allclose(to_wgs84(*from_wgs84(lon, lat, "BD-09"), "bd09"), (lon, lat), atol=1e-9, rtol=0)


def test_the_shift_is_some_hundred_metres() -> None:
    lon, lat = np.meshgrid(np.linspace(75, 130, 40), np.linspace(18, 50, 40))
    moved = wgs84_to_gcj02(lon, lat)
    metres = np.hypot((moved[0] - lon) * 111_320 * np.cos(np.radians(lat)), (moved[1] - lat) * 111_320)
    assert moved[0].shape == (40, 40)
    assert metres.max() < 1000
    assert 300 < np.median(metres) < 600


def test_outside_china_nothing_moves() -> None:
    assert not in_china(13.74, 51.05)
    assert tuple(map(float, gcj02_to_wgs84(13.74, 51.05))) == (13.74, 51.05)
    assert tuple(map(float, wgs84_to_gcj02(-118.3, 34.1))) == (-118.3, 34.1)


def test_missing_and_absurd_coordinates_leave_the_others_alone() -> None:
    lon, lat = gcj02_to_wgs84([106.5, np.nan, np.inf, 5e5], [29.5, 29.5, 29.5, 3e6])
    assert (float(lon[0]), float(lat[0])) == tuple(map(float, gcj02_to_wgs84(106.5, 29.5)))
    assert np.isnan(lon[1])
    assert lon[2:].tolist() == [np.inf, 5e5]


def test_gauss_krueger_zones_of_cgcs2000() -> None:
    """3-degree zone 35 has its middle at 105 E; the zone number leads its eastings in EPSG:4523."""
    np.testing.assert_allclose(to_wgs84(35_500_000, 3_270_000, "EPSG:4523"), to_wgs84(500_000, 3_270_000, "EPSG:4544"))
    np.testing.assert_allclose(to_wgs84(500_000, 3_270_000, "EPSG:4544"), (105, 29.54791), atol=1e-5)
    lon, lat = np.array([105.2, 106.4]), np.array([29.1, 29.9])
    np.testing.assert_allclose(to_wgs84(*from_wgs84(lon, lat, "EPSG:4544"), "EPSG:4544"), (lon, lat), atol=1e-9)


@pytest.mark.parametrize(
    "name", ["WGS84", "wgs 84", "EPSG:4326", "CGCS2000", "EPSG:4490", "urn:ogc:def:crs:OGC:1.3:CRS84"]
)
def test_names_of_what_is_taken_as_wgs84(name: str) -> None:
    assert tuple(map(float, to_wgs84(106.5, 29.5, name))) == (106.5, 29.5)
    assert is_degrees(name)


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(ValueError, match="GCJ-02"):
        to_wgs84(1, 2, "EPSG:999999")
    assert not is_degrees("EPSG:4544")
    assert is_degrees("GCJ-02")


def test_geometries_move_and_keep_their_heights() -> None:
    shapes = np.array([shapely.Point(106.5, 29.5), shapely.LineString([(106, 29, 200), (107, 30, 210)]), None], object)
    moved = geometries_to_wgs84(shapes, "GCJ-02")
    assert not moved[0].has_z
    assert moved[2] is None
    assert list(moved[1].coords)[1][2] == 210
    assert moved[0].x == pytest.approx(float(gcj02_to_wgs84(106.5, 29.5)[0]), abs=1e-12)
