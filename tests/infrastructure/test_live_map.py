"""The live map: where things are, how bad their alerts are; near by one by one, far out as a glow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest

from cheng.apps.city import manhole_covers
from cheng.apps.city.manhole_covers import Cover
from cheng.apps.government import official_vehicles
from cheng.apps.government.official_vehicles import Vehicle
from cheng.infrastructure import live_map
from cheng.infrastructure.live_map import FEW, FEW_ALERTS, NEAR, Spots
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


def drawn(spots: Spots, z: int, layer: str = "things") -> list[dict[str, Any]]:
    """Features of a tile; types are told by their numbers."""
    found = mapbox_vector_tile.decode(spots.tile(address(z), [str(n) for n in range(10)]))
    return found[layer]["features"] if layer in found else []


def test_things_are_points_with_their_index_and_their_worst_alert(town: Town) -> None:
    town.register(Cover, "c1", ward="North", depth=2, at=HERE)
    town.register(Cover, "c2", ward="North", depth=2, at=(HERE[0] + 0.001, HERE[1]))
    town.register(Cover, "nowhere", ward="North", depth=2)
    town.keeps_reporting("c2", minutes(3), tilt=40)
    spots = town.hub.live_map.spots("Cover")
    found = {feature["id"]: feature["properties"] for feature in drawn(spots, 14)}
    calm, wild = (town.hub.things.find(name).idx for name in ("c1", "c2"))
    assert found.keys() == {calm, wild}
    kind = {"type": str(town.hub.things.types.index("Cover"))}
    assert found[calm] == kind
    assert found[wild]["level"] >= 1
    quiet = spots.silent(np.zeros(2, np.bool_))
    assert [feature["properties"] for feature in drawn(quiet, 14)] == [kind] * 2


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


def crowd(count: int, calm: int = 10) -> Spots:
    """Things spread evenly over the tile at zoom 10, all but every `calm`th without an alert."""
    west, north, east, south = frame(*address(10))
    random = np.random.default_rng(7)
    x, y = random.uniform(west, east, count), random.uniform(north, south, count)
    level = np.where(np.arange(count) % calm, 0, 3)
    return Spots(np.arange(count), x, y, level, np.full(count, "", object), np.full(count, 2))


def counted(features: list[dict[str, Any]]) -> int:
    return sum(feature["properties"]["count"] for feature in features)


def test_far_out_many_things_glow_each_counted_once_and_their_alerts_are_counted_above() -> None:
    spots = crowd(5000)
    assert drawn(spots, 10) == []
    assert counted(drawn(spots, 10, "glow")) == 5000
    squares = drawn(spots, 10, "squares")
    assert counted(squares) == 500
    assert len(squares) == 64
    assert {feature["properties"]["level"] for feature in squares} == {3}


def test_out_of_a_glow_stand_those_few_with_an_alert() -> None:
    spots = crowd(5000, calm=5000 // FEW_ALERTS)
    assert counted(drawn(spots, 10, "glow")) == 5000
    assert drawn(spots, 10, "squares") == []
    assert [feature["id"] for feature in drawn(spots, 10)] == spots.idx[spots.level > 0].tolist()
    calm = spots.silent(np.zeros(5000, np.bool_))
    assert counted(drawn(calm, 10, "glow")) == 5000
    assert drawn(calm, 10) == drawn(calm, 10, "squares") == []


def test_few_things_are_points_at_any_zoom_and_many_near_by() -> None:
    assert len(drawn(crowd(FEW), 10)) == FEW
    west, north, east, south = frame(*address(NEAR))
    random, count = np.random.default_rng(7), 3 * FEW
    x, y = random.uniform(west, east, count), random.uniform(north, south, count)
    none = np.zeros(count, np.intp)
    near = Spots(np.arange(count), x, y, none, np.full(count, "", object), none)
    assert len(drawn(near, NEAR)) == count


def test_parts_are_put_together_in_their_order() -> None:
    one, other = crowd(30), crowd(20)
    both = Spots.concat([one, other])
    np.testing.assert_array_equal(both.x, np.append(one.x, other.x))
    assert len(both.owner) == len(both.type) == 50


def test_what_stands_still_is_worked_out_again_when_the_register_has_changed(town: Town) -> None:
    town.register(Cover, "c1", ward="North", depth=2, at=HERE)
    before = town.hub.live_map.spots("Cover")
    assert town.hub.live_map.spots("Cover").x is before.x
    town.register(Vehicle, "v1", at=HERE)
    assert town.hub.live_map.spots("Cover").x is before.x  # another type has nothing to do with it
    town.hub.things.put([NewThing("c1", "Cover", geometry={"type": "Point", "coordinates": [106.6, 29.6]})], "tester")
    after = town.hub.live_map.spots("Cover")
    np.testing.assert_allclose(degrees(after.x, after.y), [[106.6], [29.6]])


def test_readers_who_see_all_share_a_tile_for_a_second(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(live_map.time, "monotonic", lambda: now[0])
    both = (("Cover", ""), ("Vehicle", "position"))
    town.register(Cover, "c1", ward="North", depth=2, at=HERE)
    town.register(Vehicle, "v1", at=HERE)
    live = town.hub.live_map

    def names(*types: tuple[str, str]) -> set[str]:
        found = mapbox_vector_tile.decode(live.tile(address(14), types))["things"]["features"]
        return {town.hub.things.by_idx[feature["id"]].id for feature in found}

    assert names(*both) == {"c1", "v1"}
    assert names(("Cover", "")) == {"c1"}
    town.register(Cover, "c2", ward="North", depth=2, at=HERE)
    assert names(*both) == {"c1", "v1"}
    now[0] += 1
    assert names(*both) == {"c1", "c2", "v1"}
