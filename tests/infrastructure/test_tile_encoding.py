"""Vector tiles: read by another's decoder, and held to a plain form of the specification."""

import itertools

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cheng.infrastructure.tile_cutting import cut
from cheng.infrastructure.tile_encoding import LINE, POINT, POLYGON, Column, Shapes, encode_layer, tile, varint

AT = (14, 13041, 6789)
SIDE = 1 / (1 << 14)
POINTS = st.tuples(st.floats(-200, 4300), st.floats(-200, 4300))


def decoded(*layers):
    return mapbox_vector_tile.decode(tile(layers), default_options={"y_coord_down": True})


def shapes_of(kind, features):
    """Lists of features of parts of points as columns; every first part of a polygon feature is an outer ring."""
    parts = [part for feature in features for part in feature]
    points = [point for part in parts for point in part]
    x, y = (np.array([point[axis] for point in points], np.float64) for axis in range(2))
    rings = np.cumsum([0, *map(len, parts)])
    outer = np.array([number == 0 for feature in features for number in range(len(feature))], np.bool_)
    return Shapes(kind, x, y, rings, outer, np.cumsum([0, *map(len, features)]))


def plain(kind, features):
    """Commands of each feature as section 4.3 of the specification has them; features of which nothing is left go."""
    found = {}
    for number, parts in enumerate(features):
        if kind == POINT:
            points = [(int(np.floor(x + 0.5)), int(np.floor(y + 0.5))) for part in parts for x, y in part]
            runs = [(1, points)] if points else []
        else:
            runs = list(ways(kind, parts))
        commands, cursor = [], (0, 0)
        for command, points in runs:
            commands.append(max(len(points), 1) << 3 | command)
            for x, y in points:
                commands += [zigzag(x - cursor[0]), zigzag(y - cursor[1])]
                cursor = (x, y)
        if commands:
            found[number] = commands
    return found


def ways(kind, parts):
    hollow = False
    for number, part in enumerate(parts):
        points = []
        for x, y in part:
            whole = (int(np.floor(x + 0.5)), int(np.floor(y + 0.5)))
            if not points or whole != points[-1]:
                points.append(whole)
        while kind == POLYGON and len(points) > 1 and points[0] == points[-1]:
            points.pop()
        if kind == LINE:
            if len(points) > 1:
                yield from ((1, points[:1]), (2, points[1:]))
            continue
        pairs = zip(points, points[1:] + points[:1], strict=True)
        area = sum(a * d - c * b for (a, b), (c, d) in pairs)
        if number == 0:
            hollow = area != 0
        if area and hollow:
            points = points if (area > 0) == (number == 0) else points[::-1]
            yield from ((1, points[:1]), (2, points[1:]), (7, []))


def zigzag(number):
    return number * 2 if number >= 0 else -number * 2 - 1


def commands_in(layer):
    """Numbers of features, and their commands, read by hand from a layer of one key whose value is the number."""
    at, found, keys, values = 0, [], [], []
    while at < len(layer):
        (field, told), at = read(layer, at)
        if field == 2:
            feature, inner = {}, 0
            while inner < len(told):
                (name, part), inner = read(told, inner)
                feature[name] = part
            found.append(feature)
        elif field == 4:
            values.append(read(told, 0)[0][1])
        elif field == 3:
            keys.append(told)
    assert len(keys) == 1
    return {values[numbers(feature[2])[1]]: numbers(feature[4]) for feature in found}


def read(data, at):
    tag, at = number_at(data, at)
    if tag & 7 == 0:
        number, at = number_at(data, at)
        return (tag >> 3, number), at
    length, at = number_at(data, at)
    return (tag >> 3, data[at : at + length]), at + length


def number_at(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return number, at


def numbers(data):
    at, found = 0, []
    while at < len(data):
        number, at = number_at(data, at)
        found.append(number)
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([POINT, LINE, POLYGON]),
    st.lists(st.lists(st.lists(POINTS, max_size=6), min_size=1, max_size=3), min_size=1, max_size=5),
)
def test_the_kernel_writes_what_the_plain_form_writes(kind, features):
    number = Column(np.arange(len(features)), list(range(len(features))))
    layer = encode_layer("some", shapes_of(kind, features), {"number": number})
    wanted = plain(kind, features)
    assert (commands_in(layer) if layer else {}) == wanted


@given(st.integers(0, 2**63 - 1))
def test_varints_are_those_of_protocol_buffers(number):
    assert number_at(varint(number), 0) == (number, len(varint(number)))


def test_points_come_with_their_numbers_and_what_is_said_of_them():
    x, y = np.array([1.4, 4095.5, -63.0]), np.array([0.0, 2.5, 4000.49])
    said = {
        "name": Column(np.array([0, 1, -1]), ["井盖", "never said", "灯"][:2]),
        "level": Column(np.array([2, -1, 0]), [0, 1, 4]),
        "depth": Column(np.array([0, 1, 2]), [1.5, -3, True]),
    }
    found = decoded(encode_layer("things", Shapes.points(x, y), said, np.array([7, 0, 1_000_000])))["things"]
    assert (found["extent"], found["version"]) == (4096, 2)
    assert [f["geometry"]["coordinates"] for f in found["features"]] == [[1, 0], [4096, 3], [-63, 4000]]
    assert [f.get("id", 0) for f in found["features"]] == [7, 0, 1_000_000]
    assert [f["properties"] for f in found["features"]] == [
        {"name": "井盖", "level": 4, "depth": 1.5},
        {"name": "never said", "depth": -3},
        {"level": 0, "depth": True},
    ]


def square(west, north, east, south):
    """A box of the unit square, given in units of the tile AT."""
    return shapely.box(*(corner(west, north) + corner(east, south)))


def corner(across, down):
    return (AT[1] + across / 4096) * SIDE, (AT[2] + down / 4096) * SIDE


def layer_of(geometries, kind):
    kept, shapes = cut(np.array(geometries, object), kind, AT)
    return kept, encode_layer("areas", shapes, {}, kept)


def test_areas_are_cut_at_the_edge_with_their_holes_and_wound_as_wanted():
    ring = square(-1000, 100, 2000, 3000) - square(500, 500, 900, 900)
    kept, layer = layer_of([ring, square(9000, 0, 9100, 10), square(10, 10, 10.2, 10.2)], POLYGON)
    (found,) = decoded(layer)["areas"]["features"]
    assert kept[0] == 0
    outer, hole = found["geometry"]["coordinates"]
    assert {tuple(point) for point in outer} == {(-128, 100), (2000, 100), (2000, 3000), (-128, 3000)}
    assert {tuple(point) for point in hole} == {(500, 500), (900, 500), (900, 900), (500, 900)}
    assert turned(outer) > 0 > turned(hole)


def turned(ring):
    return sum(a * d - c * b for (a, b), (c, d) in itertools.pairwise(ring))


def test_areas_of_several_parts_stay_one_feature():
    two = shapely.union_all([square(0, 0, 100, 100), square(200, 200, 300, 300)])
    _, layer = layer_of([two], POLYGON)
    (found,) = decoded(layer)["areas"]["features"]
    assert found["geometry"]["type"] == "MultiPolygon"
    assert len(found["geometry"]["coordinates"]) == 2


def test_lines_are_cut_and_lose_what_nobody_could_see():
    line = shapely.LineString(
        [corner(-5000, 50), corner(100, 50), corner(200, 50.3), corner(300, 50), corner(300, 9000)]
    )
    kept, layer = layer_of([line, shapely.LineString([corner(9, 9), corner(9.2, 9)])], LINE)
    (found,) = decoded(layer)["areas"]["features"]
    assert kept.tolist()[0] == 0
    assert found["geometry"]["coordinates"] == [[-128, 50], [300, 50], [300, 4224]]


@pytest.mark.parametrize("kind", [POINT, LINE, POLYGON])
def test_nothing_gives_no_layer(kind):
    kept, layer = layer_of([], kind)
    assert (len(kept), layer, tile([])) == (0, b"", b"")
