"""Grids on their pages: what does not fit is told and drawn, and a community is cut and its grids gathered there."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from house import Visitor, json_of
from waterworks import OWN, open_waterworks

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing
from cheng.kernel.house import house
from cheng.standards.base_map import Features

Come = Callable[..., Visitor]
COMMUNITY = "500112001002"
WEST, SOUTH, SIDE = 120.0, 30.0, 0.004
CHECK, CUT, GATHER = "/areas/check", "/areas/cut/area:c", "/areas/gather/area:c"


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A rectangle in parts of the community."""
    corners = (WEST + west * SIDE, SOUTH + south * SIDE, WEST + east * SIDE, SOUTH + north * SIDE)
    told: dict[str, Any] = shapely.geometry.mapping(shapely.box(*corners))
    return told


def area(key: str, level: str, code: str, where: dict[str, Any], parent: str = "") -> NewThing:
    properties = {"level": level, "code": code} | ({"parent": parent} if parent else {})
    return NewThing(key, "Area", key.title(), properties=properties, geometry=where)


def unit(number: int, west: float, south: float, east: float, north: float) -> NewThing:
    return area(f"unit:{number}", "unit grid", f"{COMMUNITY}{number:03d}", box(west, south, east, north), "area:c")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A community of 400 by 440 metres, and two streets that cross in it."""
    opened = open_waterworks(tmp_path)
    rows = [area("area:c", "community", COMMUNITY, box(0, 0, 1, 1))]
    rows.append(area("area:d", "community", "500112001003", box(1, 0, 2, 1)))
    assert not opened.things.put(rows, "test").refused
    ways = [
        [(WEST + SIDE / 2, SOUTH - 1), (WEST + SIDE / 2, SOUTH + 1)],
        [(119, SOUTH + SIDE / 2), (121, SOUTH + SIDE / 2)],
    ]
    opened.base_map.put("test", Features.of("street", "minor", [shapely.LineString(way) for way in ways]))
    yield opened
    opened.close()


def faults(visitor: Visitor, query: str = "") -> list[tuple[str, int, str]]:
    return [(one["kind"], one["area"], one["codes"]) for one in json_of(visitor, f"{CHECK}.json{query}")["faults"]]


def test_gaps_and_overlaps_are_told_with_their_size_and_shape(hub: Hub, visitor: Come) -> None:
    rows = [unit(1, 0, 0, 0.5, 1), unit(2, 0.4999, 0, 1, 0.5), unit(3, 0.5, 0.5, 1.2, 0.9)]
    assert not hub.things.put(rows, "test").refused
    operator = visitor("operator")
    found = faults(operator)
    assert [(kind, grids) for kind, _, grids in found] == [
        ("outside", f"{COMMUNITY}003"),
        ("gap", ""),
        ("overlap", f"{COMMUNITY}001, {COMMUNITY}002"),
    ]
    size = 386 * 443.4
    for (_, told, _), share in zip(found, (0.2 * 0.4, 0.5 * 0.1, 0.0001 * 0.5), strict=True):
        assert told == pytest.approx(share * size, rel=0.01, abs=1)
    shapes = operator.get(f"{CHECK}.geojson").json()["features"]
    assert [shape["properties"]["kind"] for shape in shapes] == ["outside", "gap", "overlap"]
    assert shapes[1]["geometry"]["type"] == "Polygon"
    assert operator.get(f"{CHECK}.csv").text.count("\n") == 4
    page = operator.get(CHECK).text
    assert "data-shapes" in page
    assert "17,1" in page.replace(" ", "")[:20] or "Gap" in page or "缺口" in page


def test_the_check_follows_the_register_and_the_area_chosen(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    hub.things.put([unit(1, 0, 0, 1, 0.5)], "test")
    assert [kind for kind, *_ in faults(operator)] == ["gap"]
    assert faults(operator, "?area=area:d") == []
    hub.things.put([unit(2, 0, 0.5, 1, 1)], "test")
    assert faults(operator) == []
    told = json_of(operator, f"{CHECK}.json")
    assert (told["total"], [one["id"] for one in told["without"]]) == (2, ["area:d"])


def test_a_unit_grid_may_not_cross_the_border_of_its_grid(hub: Hub, visitor: Come) -> None:
    hub.things.put([area("area:g", "grid", f"{COMMUNITY}001", box(0, 0, 0.5, 1), "area:c")], "test")
    hub.things.put([unit(1, 0, 0, 1, 1)], "test")
    row = unit(1, 0, 0, 1, 1)
    row.properties = {**row.properties, "parent": "area:g"}
    hub.things.put([row], "test")
    assert [(kind, grids) for kind, _, grids in faults(visitor("operator"))] == [("outside", f"{COMMUNITY}001")]


def test_a_community_is_cut_when_somebody_says_so(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    drawn = json_of(operator, f"{CUT}.json?size=20000")
    assert hub.grids.members("unit grid") == []
    assert drawn["count"] == len(drawn["pieces"]) >= 8
    assert [one["code"][-3:] for one in drawn["pieces"][:2]] == ["001", "002"]
    page = operator.get(f"{CUT}?size=20000").text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    answer = operator.send(CUT, f"{CUT}?size=20000", size="20000", seen=seen)
    assert answer.status_code == 303
    units = hub.grids.members("unit grid")
    assert len(units) == drawn["count"]
    assert faults(operator) == []
    middle = shapely.box(WEST, SOUTH, WEST + SIDE / 2, SOUTH + SIDE)
    shapes = shapely.from_geojson(np.array([unit.shape for unit in units], object))
    halves = shapely.area(shapely.intersection(shapes, middle)) / shapely.area(shapes)
    assert np.minimum(halves, 1 - halves).max() < 1e-4  # the street is a border
    again = operator.get(f"{CUT}?size=20000")
    assert again.status_code == 422
    assert operator.get("/console/audit.json").text.count('"deed"') >= 0


def test_what_was_looked_at_is_what_is_taken(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    seen = operator.get(CUT).text.split('name="seen" value="')[1].split('"')[0]
    hub.base_map.remove("test")
    assert operator.send(CUT, CUT, size="10000", seen=seen).status_code == 409
    assert hub.grids.members("unit grid") == []


def test_responsibility_grids_are_built_of_unit_grids(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    quarters = [unit(r * 4 + c + 1, c / 4, r / 4, (c + 1) / 4, (r + 1) / 4) for r in range(4) for c in range(4)]
    hub.things.put(quarters, "test")
    page = operator.get(f"{GATHER}?size=4").text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    assert operator.send(GATHER, f"{GATHER}?size=4", size="4", seen=seen).status_code == 303
    grids = {grid.id for grid in hub.grids.members("grid")}
    assert 3 <= len(grids) <= 8
    assert {unit.properties["parent"] for unit in hub.grids.members("unit grid")} == grids
    assert faults(operator) == faults(operator, "?class=grid") == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{CUT}?size=x", 422),
        (f"{CUT}?size=nan", 422),
        (f"{CUT}?size=3", 422),
        (f"{GATHER}?size=8", 422),
        ("/areas/cut/area:none", 404),
        ("/areas/cut/hydrant-1", 404),
        ("/areas/at?q=200,91", 400),
    ],
)
def test_nonsense_gets_a_sentence(hub: Hub, visitor: Come, path: str, status: int) -> None:
    assert visitor("operator").get(path).status_code == status


def test_grids_are_cut_by_those_who_keep_the_register(hub: Hub, visitor: Come) -> None:
    assert house.owner != OWN
    assert visitor("officer").get(CHECK).status_code == 200
    assert visitor("officer").get(CUT).status_code == 403
    assert visitor("citizen").get(CHECK).status_code == 403
    assert visitor().get(CHECK).status_code in (302, 303, 401)


def test_a_place_and_a_code_find_their_grid(hub: Hub, visitor: Come) -> None:
    hub.things.put([unit(1, 0, 0, 0.5, 1), unit(2, 0.5, 0, 1, 1)], "test")
    officer = visitor("officer")
    told = json_of(officer, f"/areas/at.json?q={WEST + 0.75 * SIDE},{SOUTH + SIDE / 2}")["areas"]
    assert [(one["level"], one["id"]) for one in told] == [("community", "area:c"), ("unit grid", "unit:2")]
    by_code = json_of(officer, f"/areas/at.json?q={COMMUNITY}001")["areas"]
    assert [one["id"] for one in by_code] == ["unit:1"]
    assert json_of(officer, "/areas/at.json?q=nothing")["areas"] == []


def test_unit_grids_crowd_no_list(hub: Hub, visitor: Come) -> None:
    hub.things.put([unit(1, 0, 0, 0.5, 1)], "test")
    leader = visitor("leader")
    assert json_of(leader, "/areas/area:c.json")["inside"] == []
    assert leader.get("/areas/unit:1").status_code == 404
    assert leader.get("/things/Area/unit:1").status_code == 200
    assert "unit:1" not in visitor("operator").get("/desk/quiet").text


@pytest.mark.parametrize("path", ["/areas/at", CHECK, CUT, GATHER])
def test_all_pages_about_grids_lie_under_their_line_of_the_menu(hub: Hub, visitor: Come, path: str) -> None:
    def lit(role: str) -> list[str]:
        return re.findall(r'<a href="([^"]+)" aria-current="page"', visitor(role).get(path).text)

    assert lit("operator") == [CHECK]
    assert path != "/areas/at" or lit("leader") == ["/areas"]  # who has no such line
