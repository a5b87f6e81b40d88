"""Features of a base map as columns: there and back, and what is wrong with them."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from cheng.standards.base_map import BRIDGE, LAYERS, Features

SQUARE = shapely.box(106.5, 29.5, 106.6, 29.6)
BOW = shapely.from_wkt("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))")


def some() -> Features:
    roads = [shapely.LineString([(106.5, 29.5), (106.6, 29.6)])]
    return Features.concat(
        [
            Features.of("building", ["yes", "civic"], [SQUARE, SQUARE], height=[12.5, np.nan], rank=14),
            Features.of("street", "primary", roads, name="中山路", name_en="Zhongshan Road", level=BRIDGE),
            Features.of("place", "city", [shapely.Point(106.55, 29.55)], name="澄江", rank=3),
        ]
    )


def test_features_go_to_a_table_and_come_back_the_same():
    before = some()
    after = Features.of_table(before.table())
    for name in ("layer", "kind", "name", "name_en", "rank", "height", "level"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name), err_msg=name)
    assert shapely.equals(after.geometry, before.geometry).all()
    assert len(Features.of_table(Features.concat([]).table())) == 0


def test_taking_some_of_them_takes_every_column():
    kept = some().take(np.array([False, False, True, False]))
    assert (kept.name.tolist(), kept.level.tolist(), len(kept)) == (["中山路"], [BRIDGE], 1)


def test_what_is_wrong_with_a_feature_is_said_for_it_alone():
    point = shapely.Point(1, 1)
    features = Features.concat(
        [
            some(),
            Features.of("green", "park", [BOW, point, None, shapely.Polygon()]),
            Features.of("green", "meadow", [SQUARE]),
            Features.of("clouds", "grey", [SQUARE]),
        ]
    )
    faults = features.faults().tolist()
    assert faults[:4] == [""] * 4
    assert faults[4:8] == [
        "its outline crosses itself",
        "'green' wants a polygon",
        "it has no geometry",
        "it has no geometry",
    ]
    assert faults[8] == "'green' has only the kinds park, wood, grass, farmland"
    assert faults[9] == f"there is no layer 'clouds', only {', '.join(LAYERS)}"


def test_columns_of_different_lengths_are_no_features():
    told = some()
    with pytest.raises(ValueError, match="differ in length"):
        Features(told.layer, told.kind, told.name, told.name_en, told.rank, told.height, told.level, told.geometry[:1])


def test_another_table_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="no table of map features"):
        Features.of_table(pa.table({"name": ["a"]}))
