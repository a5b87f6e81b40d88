"""Grids that make no sense are refused alone, with a sentence; a code that was given up stays so."""

from typing import Any

import pytest
import shapely

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.store import Store
from cheng.infrastructure.things import Things
from laboratory import model

COMMUNITY = "500112001002"


@pytest.fixture
def things(store: Store, clock: ManualClock) -> Things:
    return Things(store, model(), clock)


def unit(number: int, west: float, east: float, level: str = "unit grid", **more: Any) -> NewThing:
    where = shapely.geometry.mapping(shapely.box(120 + west / 1000, 30, 120 + east / 1000, 30.001))
    properties = {"level": level, "code": f"{COMMUNITY}{number:03d}", **more}
    return NewThing(f"{level[0]}-{number}", "Area", properties=properties, geometry=dict(where), line=number)


def told(things: Things, *rows: NewThing) -> list[tuple[int | None, str]]:
    return [(error.line, error.code) for error in things.put(rows, "me").refused]


def test_the_second_of_two_that_overlap_is_refused_and_the_rest_is_taken(things: Things) -> None:
    outcome = things.put([unit(1, 0, 1), unit(2, 0.5, 2), unit(3, 2, 3)], "me")
    assert (outcome.added, [error.line for error in outcome.refused]) == (2, [2])
    assert str(outcome.refused[0].reason) == "it overlaps the unit grid 'u-1' by 5,348 m²"
    assert told(things, unit(4, 2.5, 4)) == [(4, "overlap")]
    assert told(things, unit(4, 3, 4)) == []


def test_a_line_drawn_inexactly_is_taken(things: Things) -> None:
    assert told(things, unit(1, 0, 1), unit(2, 0.9999, 2)) == []


def test_classes_do_not_disturb_each_other(things: Things) -> None:
    rows = [unit(1, 0, 1), unit(1, 0, 1, "grid"), unit(1, 0, 1, "evaluation grid")]
    assert told(things, *rows) == []


def test_a_border_moves_from_one_to_the_other_in_one_load(things: Things) -> None:
    things.put([unit(1, 0, 1), unit(2, 1, 2)], "me")
    assert told(things, unit(1, 0, 1.5), unit(2, 1.5, 2)) == []
    assert things.put([unit(1, 0, 1.5), unit(2, 1.5, 2)], "me").unchanged == 2


def test_who_is_refused_keeps_the_ground(things: Things) -> None:
    """The first may not spread because the second, which would have made room, is refused and stays where it was."""
    things.put([unit(1, 0, 1), unit(2, 1, 2), unit(3, 3, 4)], "me")
    assert told(things, unit(1, 0, 1.5), unit(2, 1.5, 3.5)) == [(1, "overlap"), (2, "overlap")]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (NewThing("u", "Area", properties={"level": "unit grid"}, geometry=unit(1, 0, 1).geometry), "no-code"),
        (NewThing("u", "Area", properties={"level": "unit grid", "code": f"{COMMUNITY}001"}), "no-boundary"),
        (unit(0, 0, 1), "bad-code"),
        (unit(1, 0, 1, code="12"), "bad-code"),
        (unit(1, 0, 1, "grid", code="A-7"), "bad-code"),
        (
            NewThing(
                "u",
                "Area",
                properties={"level": "unit grid", "code": f"{COMMUNITY}001"},
                geometry={"type": "LineString", "coordinates": [[120, 30], [121, 30]]},
            ),
            "no-polygon",
        ),
        (
            NewThing(
                "u",
                "Area",
                properties={"level": "unit grid", "code": f"{COMMUNITY}001"},
                geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            ),
            "bad-geometry",
        ),
    ],
)
def test_nonsense_is_refused_alone(things: Things, row: NewThing, code: str) -> None:
    row.line = 7
    assert told(things, unit(8, 5, 6), row, unit(9, 6, 7)) == [(7, code)]
    assert len(things) == 2


def test_a_code_has_one_grid_and_a_void_one_none(things: Things) -> None:
    things.put([unit(1, 0, 1)], "me")
    other = unit(1, 1, 2)
    other.id = "u-other"
    assert told(things, other) == [(1, "code-taken")]
    gone = unit(1, 0, 1)
    gone.state = "retired"
    assert told(things, gone) == []
    assert told(things, other) == [(1, "void-code")]
    assert told(things, unit(1, 0, 1)) == [(1, "void-code")]
    other.properties = {**other.properties, "code": f"{COMMUNITY}002"}
    assert told(things, other) == []


def test_a_grid_keeps_its_class_and_its_code(things: Things) -> None:
    things.put([unit(1, 0, 1)], "me")
    changed = unit(1, 0, 1, code=f"{COMMUNITY}009")
    assert told(things, changed) == [(1, "code-kept")]
    changed = unit(1, 0, 1)
    changed.properties = {"level": "grid"}
    assert told(things, changed) == [(1, "other-level")]


def test_a_place_finds_all_its_grids(things: Things) -> None:
    assert things.lookup.at(120.0005, 30.0005) == {}
    things.put([unit(1, 0, 1), unit(2, 1, 2), unit(1, 0, 2, "grid")], "me")
    assert things.lookup.at(120.0005, 30.0005) == {"grid": "g-1", "unit grid": "u-1"}
    assert things.lookup.at(120.0015, 30.0005) == {"grid": "g-1", "unit grid": "u-2"}
    thing = things.find("u-2")
    assert thing is not None
    assert thing.areas == ["g-1"]  # what things are counted by is as it was: unit grids are looked up
