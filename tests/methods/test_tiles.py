"""Where tiles lie: by the known figures of Web Mercator."""

import numpy as np
import pytest

from cheng.methods.tiles import BUFFER, EQUATOR, EXTENT, LATITUDE, cells, degrees, frame, in_tile, mercator, there


def test_the_square_is_web_mercator():
    x, y = mercator([-180.0, 0.0, 180.0, 106.55], [LATITUDE, 0.0, -LATITUDE, 29.56])
    np.testing.assert_allclose(x[:3], [0, 0.5, 1])
    np.testing.assert_allclose(y[:3], [0, 0.5, 1], atol=1e-15)
    # EPSG:3857 of the same place, by PROJ
    np.testing.assert_allclose((x[3] - 0.5) * EQUATOR, 11861091.74, atol=0.01)
    np.testing.assert_allclose((0.5 - y[3]) * EQUATOR, 3447116.41, atol=0.01)


def test_degrees_are_the_way_back():
    longitude, latitude = np.linspace(-180, 180, 97), np.linspace(-85, 85, 97)
    np.testing.assert_allclose(degrees(*mercator(longitude, latitude)), (longitude, latitude), atol=1e-11)


def test_poles_go_to_the_edge_and_nothing_stays_nothing():
    x, y = mercator([0, 0, np.nan], [90, -90, np.nan])
    np.testing.assert_allclose(y[:2], [0, 1], atol=1e-12)
    assert np.isnan(x[2])
    assert np.isnan(y[2])


@pytest.mark.parametrize(
    ("z", "x", "y", "known"),
    [(0, 0, 0, True), (1, 1, 1, True), (1, 2, 0, False), (3, -1, 0, False), (25, 0, 0, False), (14, 13041, 6789, True)],
)
def test_which_tiles_there_are(z, x, y, known):
    assert there(z, x, y) is known


def test_a_position_in_units_of_its_tile():
    west, north, east, south = frame(14, 13041, 6800)
    across, down = in_tile(14, 13041, 6800, np.array([west, east, (west + east) / 2]), np.array([north, south, south]))
    np.testing.assert_allclose(across, [0, EXTENT, EXTENT / 2], atol=1e-6)
    np.testing.assert_allclose(down, [0, EXTENT, EXTENT], atol=1e-6)
    wider = frame(14, 13041, 6800, BUFFER)
    np.testing.assert_allclose(in_tile(14, 13041, 6800, np.array([wider[0]]), np.array([wider[3]])), [[-128], [4224]])


def test_cells_are_counted_row_by_row():
    assert cells(np.array([0.0, 63.9, 64, 4095]), np.array([0.0, 0, 0, 64]), 64).tolist() == [0, 0, 1, 127]
