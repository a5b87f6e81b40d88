"""The live map: where things are, how bad their alerts are, near by one by one and far out in squares."""

from collections.abc import Iterator
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pytest

from cheng.apps.city import manhole_covers
from cheng.apps.city.manhole_covers import Cover
from cheng.apps.government import official_vehicles
from cheng.apps.government.official_vehicles import Vehicle
from cheng.infrastructure.live_map import FEW, Spots
from cheng.infrastructure.registration import NewThing
from cheng.methods.tiles import degrees, frame, mercator
from cheng.standards.durations import minutes, seconds
from cheng.testing import Town, city

HERE = (106.55, 29.56)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, manhole_covers, official_vehicles) as town:
        yield town


def address(z: int) -> tuple[int, int, int]:
    x, y = mercator(*HERE)
    return z, int(x * 2**z), int(y * 2**z)


def drawn(spots: Spots, z: int) -> list[dict[str, object]]:
    body = spots.tile(address(z))
    return mapbox_vector_tile.decode(body)["things"]["features"] if body else []


def test_things_are_points_with_their_index_and_their_worst_alert(town: Town) -> None:
    town.register(Cover, "c1", ward="North", depth=2, at=HERE)
    town.register(Cover, "c2", ward="North", depth=2, at=(HERE[0] + 0.001, HERE[1]))
    town.register(Cover, "nowhere", ward="North", depth=2)
    town.keeps_reporting("c2", minutes(3), tilt=40)
    spots = town.hub.live_map.spots("Cover")
    found = {feature["id"]: feature["properties"] for feature in drawn(spots, 14)}
    calm, wild = (town.hub.things.find(name).idx for name in ("c1", "c2"))
    assert found.keys() == {calm, wild}
    assert found[calm] == {}
    assert found[wild]["level"] >= 1
    quiet = spots.silent(np.zeros(2, np.bool_))
    assert [feature["properties"] for feature in drawn(quiet, 14)] == [{}, {}]


def test_retired_things_are_gone_and_new_ones_appear(town: Town) -> None:
    town.register(Cover, "c1", ward="North", depth=2, at=HERE)
    assert len(drawn(town.hub.live_map.spots("Cover"), 14)) == 1
    town.register(Cover, "c2", ward="North", depth=2, at=HERE)
    town.hub.things.put([NewThing("c1", "Cover", state="retired")], "tester")
    assert [f["id"] for f in drawn(town.hub.live_map.spots("Cover"), 14)] == [town.hub.things.find("c2").idx]


def test_what_moves_is_where_it_last_said(town: Town) -> None:
    town.register(Vehicle, "v1", at=HERE)
    town.register(Vehicle, "v2", at=HERE)
    town.reports("v1", position=[106.6, 29.6])
    town.passes(seconds(1))
    moving = town.hub.live_map.spots("Vehicle", "position")
    np.testing.assert_allclose(degrees(moving.x, moving.y), [[106.6, HERE[0]], [29.6, HERE[1]]])
    parked = town.hub.live_map.spots("Vehicle")
    np.testing.assert_allclose(degrees(parked.x, parked.y), [[HERE[0]] * 2, [HERE[1]] * 2])


def crowd(count: int) -> Spots:
    """Things spread evenly over the tile at zoom 10, every tenth with an alert."""
    west, north, east, south = frame(*address(10))
    random = np.random.default_rng(7)
    x, y = random.uniform(west, east, count), random.uniform(north, south, count)
    level = np.where(np.arange(count) % 10, 0, 3)
    return Spots(np.arange(count), x, y, level, np.full(count, "", object))


def test_far_out_many_things_are_counted_in_squares_none_twice() -> None:
    spots = crowd(5000)
    far = drawn(spots, 10)
    assert sum(feature["properties"]["count"] for feature in far) == 5000
    assert len(far) == 256
    assert {feature["properties"].get("level", 0) for feature in far} == {3, 0} - ({0} if all_bad(far) else set())
    assert not any("id" in feature and feature["id"] for feature in far)


def all_bad(far: list[dict[str, object]]) -> bool:
    return all("level" in feature["properties"] for feature in far)


def test_few_things_are_points_at_any_zoom_and_many_near_by() -> None:
    assert len(drawn(crowd(FEW), 10)) == FEW
    near = crowd(5000).within(frame(*address(13)))
    assert len(drawn(near, 13)) == len(near.idx)
