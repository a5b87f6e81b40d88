"""The register: what is put in is found again, what makes no sense is refused alone, and nothing is ever forgotten."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import Connection, func, select

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.store import Store, next_numbers
from cheng.infrastructure.tables import thing_versions
from cheng.infrastructure.things import Things
from cheng.kernel.house import Area
from laboratory import Valve, model

COUNT_VERSIONS = select(func.count()).select_from(thing_versions)
pytestmark = pytest.mark.backends


@pytest.fixture
def things(store: Store, clock: ManualClock) -> Things:
    return Things(store, model(), clock)


def square(west: float, south: float, size: float = 1) -> dict[str, object]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def area(name: str, level: str, geometry: dict[str, object]) -> NewThing:
    return NewThing(name, Area.__name__, properties={"level": level}, geometry=geometry)


def versions(store: Store) -> int:
    with store.read() as conn:
        return conn.execute(COUNT_VERSIONS).scalar_one()


def test_a_second_load_of_the_same_changes_nothing(things: Things, store: Store) -> None:
    rows = [NewThing(f"valve-{n}", "Valve", properties={"bench": "A"}) for n in range(3)]
    first = things.put(rows, "me")
    again = things.put(rows, "me")
    assert (first.added, again.added, again.changed, again.unchanged) == (3, 0, 0, 3)
    assert versions(store) == 3


def test_what_is_loaded_is_there_after_a_restart(things: Things, store: Store, clock: ManualClock) -> None:
    things.put([NewThing("valve-1", "Valve", name="Main", properties={"bench": "A"})], "me")
    things.put([NewThing("valve-1", "Valve", properties={"bench": "B"})], "me")
    again = Things(store, model(), clock)
    valve = again.find("valve-1")
    assert valve is not None
    assert (valve.name, valve.properties, valve.version, valve.owner) == (
        "Main",
        {"bench": "B"},
        2,
        "Laboratory office",
    )
    assert again.attributes == things.attributes
    assert again.codes(again.attribute("Valve", "state")) == {"open": 0, "shut": 1}
    assert versions(store) == 2


@pytest.mark.parametrize(
    ("row", "code", "reason"),
    [
        (NewThing("x", "Vavle"), "unknown-type", "did you mean 'Valve'?"),
        (NewThing("a b", "Valve"), "bad-id", "'a b' cannot be an id"),
        (NewThing("cheng/#", "Valve"), "bad-id", "cannot be an id"),
        (NewThing("x", "Valve", properties={"bnech": "A"}), "unknown-field", "did you mean 'bench'?"),
        (NewThing("x", "Valve", geometry={"type": "Point", "coordinates": []}), "bad-geometry", ""),
        (NewThing("x", "Area", properties={"level": "city"}), "unknown-label", "district"),
        (NewThing("van-1", "Valve"), "other-type", "registered as Van already"),
    ],
)
def test_nonsense_is_refused_alone_and_says_why(things: Things, row: NewThing, code: str, reason: str) -> None:
    things.put([NewThing("van-1", "Van")], "me")
    row.line = 2
    outcome = things.put([NewThing("good-1", "Valve"), row, NewThing("good-2", "Valve")], "me")
    assert outcome.added == 2
    (error,) = outcome.refused
    assert (error.code, error.line) == (code, 2)
    assert reason in error.reason


def test_a_thing_finds_its_areas_largest_first(things: Things) -> None:
    things.put([area("street-1", "street", square(0, 0, 2)), area("district-1", "district", square(0, 0, 9))], "me")
    inside = {"type": "Point", "coordinates": [1, 1]}
    things.put([NewThing("valve-1", "Valve", geometry=inside), NewThing("van-1", "Van")], "me")
    assert [things.find(name).areas for name in ("valve-1", "van-1")] == [["district-1", "street-1"], []]  # type: ignore[union-attr]


def test_areas_that_come_with_or_after_the_things_hold_them_too(
    things: Things, store: Store, clock: ManualClock
) -> None:
    spot = {"type": "Point", "coordinates": [1, 1]}
    things.put([NewThing("valve-1", "Valve", geometry=spot), area("district-1", "district", square(0, 0, 9))], "me")
    things.put([area("street-1", "street", square(0, 0, 2))], "me")
    for each in (things, Things(store, model(), clock)):
        valve = each.find("valve-1")
        assert valve is not None
        assert (valve.areas, valve.version) == (["district-1", "street-1"], 1)


def test_strangers_are_met_and_can_be_registered_later(things: Things, store: Store, clock: ManualClock) -> None:
    things.meet(["valve-9", "valve-9", "valve-8"])
    assert things.strangers == 2
    stranger = things.find("valve-9")
    assert stranger is not None
    things.put([NewThing("valve-1", "Valve"), NewThing("valve-9", "Valve")], "me")
    for each in (things, Things(store, model(), clock)):
        known = each.find("valve-9")
        assert known is not None
        assert (known.idx, known.type) == (stranger.idx, Valve.__name__)
        assert each.of_type("Valve")[known.slot].id == "valve-9"
        assert each.slot[known.idx] == known.slot
        assert each.types[each.type_number[known.idx]] == "Valve"


def test_the_register_of_a_type_follows_every_change(things: Things) -> None:
    valves = things.register("Valve")
    assert valves.size() == 0
    things.put([NewThing("valve-1", "Valve"), NewThing("valve-2", "Valve")], "me")
    assert valves.active().tolist() == [True, True]
    things.put([NewThing("valve-2", "Valve", state="retired")], "me")
    assert valves.active().tolist() == [True, False]
    assert np.all(valves.registered() == things.clock.now())


def test_a_large_load_lets_others_write_in_between(
    things: Things, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def other() -> None:
        with store.write() as conn:
            next_numbers(conn, "others")
            seen.append(conn.execute(COUNT_VERSIONS).scalar_one())

    @contextmanager
    def write() -> Iterator[Connection]:
        with Store.write(store) as conn:
            yield conn
        with ThreadPoolExecutor() as elsewhere:
            elsewhere.submit(other).result()

    spot = {"type": "Point", "coordinates": [1, 1]}
    things.put([NewThing("valve-old", "Valve", geometry=spot)], "me")
    monkeypatch.setattr("cheng.infrastructure.things.AT_A_TIME", 10)
    monkeypatch.setattr(things, "store", SimpleNamespace(write=write))
    rows = [NewThing(f"valve-{n}", "Valve", geometry=spot) for n in range(34)]
    outcome = things.put([*rows, area("district-1", "district", square(0, 0, 9))], "me")
    assert outcome.added == 35
    assert seen == [2, 2, 12, 22, 32, 36]  # the area, who lies in it now, then the rest in parts
    assert all(valve.areas == ["district-1"] for valve in things.of_type("Valve"))
