"""Areas: what lies inside is added up, for each reader what they may see, from the whole city down to a grid."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import PASSWORD, Visitor, json_of
from waterworks import OTHER, open_waterworks, report

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing
from cheng.security.actors import HOUSE

Come = Callable[..., Visitor]


def square(west: float, east: float) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[west, 29.9], [east, 29.9], [east, 30.1], [west, 30.1], [west, 29.9]]]}


def area(key: str, level: str, west: float, east: float, parent: str = "") -> NewThing:
    properties = {"level": level, "code": key} | ({"parent": parent} if parent else {})
    return NewThing(f"area:{key}", "Area", f"Area {key}", properties=properties, geometry=square(west, east))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """One district of two streets: hydrants 1 and 2 in the first, 3 and 4 in the second."""
    opened = open_waterworks(tmp_path)
    rows = [area("1", "district", 120.0, 120.1), area("11", "street", 120.0, 120.025, "area:1")]
    assert not opened.things.put([*rows, area("12", "street", 120.025, 120.1)], "test").refused
    report(opened, "hydrant-1", [150.0, 150.0, 150.0, 150.0])
    report(opened, "hydrant-4", [20.0, 21.0, 22.0, 23.0])
    yield opened
    opened.close()


def test_the_city_is_the_sum_of_its_areas(visitor: Come) -> None:
    leader = visitor("leader")
    city = json_of(leader, "/areas.json")
    assert [row["id"] for row in city["inside"]] == ["area:1"]
    district = json_of(leader, "/areas/area:1.json")
    assert [row["name"] for row in district["inside"]] == ["Area 11", "Area 12"]
    for name in ("things", "alerts", "open", "late"):
        assert city["inside"][0][name] == district[name] == sum(row[name] for row in district["inside"])
    assert (district["things"], district["alerts"], district["open"]) == (4, 1, 1)
    assert [row["alerts"] for row in district["inside"]] == [1, 0]


def test_present_values_are_those_of_the_things_inside(visitor: Come) -> None:
    here = json_of(visitor("officer"), "/areas/area:12.json")["types"]
    assert [(row["type"], row["count"]) for row in here] == [("Hydrant", 2)]
    pressure = next(value for value in here[0]["values"] if value["field"] == "pressure")
    assert (pressure["mean"], pressure["n"]) == (23.0, 1)


def test_a_thing_that_moves_out_of_use_or_away_is_not_counted(hub: Hub, visitor: Come) -> None:
    leader = visitor("leader")
    assert json_of(leader, "/areas/area:11.json")["things"] == 2
    moved = {"type": "Point", "coordinates": [120.05, 30.0]}
    hub.things.put([NewThing("hydrant-1", "Hydrant", name="H1", geometry=moved)], "test")
    hub.things.put([NewThing("hydrant-2", "Hydrant", name="H2", state="retired")], "test")
    assert json_of(leader, "/areas/area:11.json")["things"] == 0
    assert json_of(leader, "/areas/area:12.json")["things"] == 3


def test_a_citizen_sees_public_things_and_alerts_and_nothing_of_cases(visitor: Come) -> None:
    for who in (visitor(), visitor("citizen")):
        page = who.get("/areas/area:1?lang=en")
        assert page.status_code == 200
        assert "Open cases" not in page.text
        assert "inside" not in json_of(who, "/areas/area:1.json")["types"][0]["values"]
        data = json_of(who, "/areas/area:1.json")
        assert "open" not in data
        assert all("late" not in row for row in data["inside"])
        assert [value["field"] for value in data["types"][0]["values"]] == ["pressure"]  # "inside" is internal


def test_an_officer_counts_the_cases_of_the_own_department(hub: Hub, visitor: Come) -> None:
    hub.accounts.create(HOUSE, "gardener", "Wang", ["officer"], OTHER, PASSWORD)
    assert json_of(visitor("officer"), "/areas/area:1.json")["open"] == 1
    assert json_of(visitor("gardener"), "/areas/area:1.json")["open"] == 0
    page = visitor("gardener").get("/areas/area:1?lang=en").text
    assert "of your department" in page
    assert "/desk/cases/" not in page


def test_what_an_area_is_not_is_said(visitor: Come) -> None:
    assert visitor("officer").get("/areas/area:99").status_code == 404
    assert visitor("officer").get("/areas/hydrant-1").status_code == 404


@pytest.mark.parametrize("ending", [".csv", ".geojson"])
def test_areas_are_a_file_too(visitor: Come, ending: str) -> None:
    answer = visitor("leader").get("/areas/area:1" + ending)
    assert answer.status_code == 200
    assert "Area 11" in answer.text


# -- a thing beside others


def test_two_things_share_a_chart(visitor: Come) -> None:
    chart = json_of(visitor("officer"), "/things/Hydrant/hydrant-1/history/pressure.json?with=hydrant-4")
    assert [(each["name"], len(each["points"])) for each in chart["series"]] == [("H1", 4), ("H4", 4)]
    page = visitor("officer").get("/things/Hydrant/hydrant-1/history/pressure?with=hydrant-4,%20hydrant-2")
    assert 'value="hydrant-4, hydrant-2"' in page.text


def test_beside_it_stand_things_of_its_kind_and_not_too_many(visitor: Come) -> None:
    base = "/things/Hydrant/hydrant-1/history/pressure?with="
    assert visitor("officer").get(base + "ledger-1").status_code == 404
    assert visitor("officer").get(base + "nobody").status_code == 404
    assert visitor("officer").get(base + ",".join(f"x{n}" for n in range(9))).status_code == 400


def test_a_personal_or_internal_field_is_not_compared_by_those_who_may_not_see_it(visitor: Come) -> None:
    assert visitor("citizen").get("/things/Hydrant/hydrant-1/history/inside?with=hydrant-2").status_code == 404
