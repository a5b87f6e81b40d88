"""Where the wall looks: an area with what is inside, and a thing with its course, alerts and cases, in place."""

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import Visitor, json_of
from waterworks import MINUTE, START, open_waterworks, report

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing

Come = Callable[..., Visitor]
HTMX = {"HX-Request": "true"}


def area(key: str, level: str, west: float, east: float, parent: str = "") -> NewThing:
    corners = [[west, 29.9], [east, 29.9], [east, 30.1], [west, 30.1], [west, 29.9]]
    properties = {"level": level, "code": key} | ({"parent": parent} if parent else {})
    geometry = {"type": "Polygon", "coordinates": [corners]}
    return NewThing(f"area:{key}", "Area", f"Area {key}", properties=properties, geometry=geometry)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """One district of two streets; in the first hydrant 1 is too high, in the second hydrant 4 is well."""
    opened = open_waterworks(tmp_path)
    rows = [area("1", "district", 120.0, 120.1), area("11", "street", 120.0, 120.025, "area:1")]
    assert not opened.things.put([*rows, area("12", "street", 120.025, 120.1, "area:1")], "test").refused
    report(opened, "hydrant-1", [150.0, 150.0, 150.0, 150.0])
    report(opened, "hydrant-4", [20.0, 21.0, 22.0, 23.0])
    yield opened
    opened.close()


def idx(hub: Hub, name: str) -> int:
    thing = hub.things.find(name)
    assert thing is not None
    return thing.idx


def told(page: str) -> dict[str, Any]:
    found = re.search(r'data-told="([^"]+)"', page)
    assert found
    return json.loads(html.unescape(found[1]))


def test_only_those_who_read_the_wall_look_into_places(hub: Hub, visitor: Come) -> None:
    for path in ("/dashboard/place?area=area:1", f"/dashboard/thing/{idx(hub, 'hydrant-1')}"):
        for role in ("leader", "operator", "dispatcher", "reviewer"):
            assert visitor(role).get(path).status_code == 200, role
        for role in ("officer", "citizen"):
            assert visitor(role).get(path).status_code == 403, role
        assert visitor().get(path).status_code in (302, 303, 401)


def test_the_way_down_counts_what_lies_inside(visitor: Come) -> None:
    leader = visitor("leader")
    city = json_of(leader, "/dashboard/place.json")
    assert ([one["id"] for one in city["inside"]], city["outline"], city["alerts"]) == (["area:1"], None, [])
    district = json_of(leader, "/dashboard/place.json?area=area:1")
    assert [(one["id"], one["alerts"]) for one in district["inside"]] == [("area:11", 1), ("area:12", 0)]
    street = json_of(leader, "/dashboard/place.json?area=area:11")
    assert [step["id"] for step in street["way"]] == ["area:1", "area:11"]
    assert (street["inside"], street["outline"]["type"]) == ([], "Polygon")
    assert street["counts"] == {"things": 2, "alerts": 1, "open": 1, "late": 0}
    assert [row["count"] for row in street["types"]] == [2]
    assert street["alerts"][0]["url"] == f"/desk/alerts/{street['alerts'][0]['number']}"
    assert [case["light"] for case in street["cases"]] == ["green"]
    assert json_of(leader, "/dashboard/place.json?area=area:12")["alerts"] == []


def test_the_wall_begins_at_the_place_of_its_address(visitor: Come) -> None:
    page = visitor("leader").get("/dashboard?area=area:11&lang=en").text
    assert told(page)["area"] == "area:11"
    assert 'aria-current="location">Area 11' in page
    part = visitor("leader").get("/dashboard/place?area=area:11&lang=en", headers=HTMX).text
    assert "<html" not in part
    assert "in time" in part
    for path in ("/dashboard?area=nowhere", "/dashboard/place?area=nowhere"):
        answer = visitor("leader").get(f"{path}&lang=en")
        assert answer.status_code == 404
        assert "There is no area nowhere." in answer.text


def test_an_operator_hears_of_alerts_but_not_of_cases(visitor: Come) -> None:
    street = json_of(visitor("operator"), "/dashboard/place.json?area=area:11")
    assert set(street["counts"]) == {"things", "alerts"}
    assert (len(street["alerts"]), street["cases"]) == (1, [])


def test_a_thing_says_how_it_stands(hub: Hub, visitor: Come) -> None:
    path = f"/dashboard/thing/{idx(hub, 'hydrant-1')}"
    part = visitor("leader").get(f"{path}?lang=en", headers=HTMX).text
    assert "<html" not in part
    assert 'href="/things/Hydrant/hydrant-1"' in part
    assert "150 kPa" in part
    assert 'data-src="/things/Hydrant/hydrant-1/history/pressure.json?range=24h"' in part
    data = json_of(visitor("leader"), f"{path}.json")
    assert [row["level"] for row in data["alerts"]] == ["danger"]
    assert [case["light"] for case in data["cases"]] == ["green"]
    assert data["place"] == list(hub.things.find("hydrant-1").point)
    assert json_of(visitor("operator"), f"{path}.json")["cases"] == []


def test_marks_of_readings_are_said(hub: Hub, visitor: Come) -> None:
    hub.clock.set(START + MINUTE)
    report(hub, "hydrant-4", [5000.0])
    part = visitor("leader").get(f"/dashboard/thing/{idx(hub, 'hydrant-4')}?lang=en", headers=HTMX).text
    assert "5,000" in part
    assert "tag-warning" in part


def test_a_thing_that_is_none_is_refused_in_a_sentence(visitor: Come) -> None:
    answer = visitor("leader").get("/dashboard/thing/999?lang=en")
    assert (answer.status_code, "There is no thing 999." in answer.text) == (404, True)


def test_a_thing_without_a_place_says_so_and_the_rest_goes_on(hub: Hub, visitor: Come) -> None:
    assert not hub.things.put([NewThing("hydrant-9", "Hydrant", "H9")], "test").refused
    report(hub, "hydrant-9", [150.0, 150.0, 150.0, 150.0])
    leader, said = visitor("leader"), "The register knows no place of it; no map shows it."
    for name, expected in (("hydrant-9", True), ("hydrant-1", False)):
        for path in (f"/dashboard/thing/{idx(hub, name)}", f"/things/Hydrant/{name}"):
            assert (said in leader.get(f"{path}?lang=en").text) == expected, path
    assert leader.get("/map/tiles/things/0/0/0?types=Hydrant").status_code == 200
    played = json_of(leader, "/dashboard/replay.json")["alerts"]
    assert [alert["place"] for alert in played if "H9" in alert["text"]] == [None]
    assert "H9" in leader.get("/dashboard/happening").text
