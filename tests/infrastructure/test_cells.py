"""What lies near a place lies in the squares around it."""

import math

from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.cells import box, cell, rows_of_cells
from cheng.methods.likeness import metres

LONGITUDES, LATITUDES = st.floats(-180, 180), st.floats(-85, 85)


@given(LONGITUDES, LATITUDES, st.floats(0, 2 * math.pi), st.floats(0, 199))
def test_whatever_is_near_is_found(longitude: float, latitude: float, way: float, far: float) -> None:
    north = latitude + far * math.cos(way) / 111_195
    east = longitude + far * math.sin(way) / 111_195 / math.cos(math.radians(latitude))
    if not -180 <= east <= 180 or metres((longitude, latitude), east, north) > 199:
        return
    where = cell((east, north))
    assert where is not None
    assert any(first <= where <= last for first, last in rows_of_cells((longitude, latitude), 200))


@given(LONGITUDES, LATITUDES)
def test_few_squares_are_looked_through(longitude: float, latitude: float) -> None:
    rows = rows_of_cells((longitude, latitude), 200)
    assert 1 <= len(rows) <= 3
    west, south, east, north = box((longitude, latitude), 200)
    assert west <= longitude <= east
    assert south <= latitude <= north


def test_no_place_has_no_square() -> None:
    assert cell(None) is None
    assert cell((200.0, 31.0)) is None
    assert cell((math.nan, 31.0)) is None
