"""Types as the judging sees them follow the register: their own things, and those that they refer to."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely

from cheng.apps.city import grids, street_lamps
from cheng.apps.city.grids import GridWorker
from cheng.apps.city.street_lamps import Cabinet, Lamp
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.type_register import geometries
from cheng.testing import Town, city

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, grids, street_lamps) as town:
        yield town


def test_what_a_thing_refers_to_may_come_and_change_after_it(town: Town) -> None:
    lamps = town.hub.things.register("Lamp")
    town.register(Lamp, "l1", district="North", cabinet="box")
    assert np.isnan(lamps.target(Lamp.cabinet, "dim_from")).all()
    town.register(Cabinet, "box", district="North", dim_from=22, mode="schedule")
    assert lamps.target(Lamp.cabinet, "dim_from").tolist() == [22]
    town.hub.things.put([NewThing("box", "Cabinet", properties={"dim_from": 21})], "tester")
    assert lamps.target(Lamp.cabinet, "dim_from").tolist() == [21]
    town.register(Lamp, "l2", district="North", cabinet="box")
    assert lamps.target(Lamp.cabinet, "dim_from").tolist() == [21, 21]


def test_what_has_nothing_to_do_with_a_change_is_not_laid_out_anew(town: Town) -> None:
    town.register(Lamp, "l1", district="North", at=(106.5, 29.5))
    lamps = town.hub.things.register("Lamp")
    before = lamps.active()
    town.register(GridWorker, "w1", street="North", grid="a1")
    assert lamps.active() is before
    town.hub.things.put([NewThing("l1", "Lamp", state="retired")], "tester")
    assert lamps.active().tolist() == [False]


def test_places_are_points_shapes_or_nothing(town: Town) -> None:
    things = town.hub.things
    rows = [NewThing("a1", "Area", properties={"level": "district", "code": "500100"}, geometry=SQUARE)]
    assert not things.put(rows, "tester").refused
    town.register(Lamp, "here", district="North", at=(106.5, 29.5))
    town.register(Lamp, "nowhere", district="North")
    here, nowhere, area = (things.find(name) for name in ("here", "nowhere", "a1"))
    found = geometries([area, here, None, nowhere, area], "place")
    assert found[1] == shapely.Point(106.5, 29.5)
    assert found[0].equals(shapely.box(0, 0, 2, 2))
    assert found[0] is found[4]  # read once
    assert found[2] is found[3] is None
    assert list(geometries([], "place")) == []
