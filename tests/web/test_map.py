"""Maps: every tile and position holds what its reader may see and nothing else, and is sent as seldom as can be."""

import asyncio
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from house import Visitor, open_house

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing
from cheng.methods.tiles import mercator
from cheng.protocols.decoding import NDJSON
from cheng.protocols.intake import Intake
from cheng.security.actors import HOUSE
from cheng.standards.base_map import Features
from cheng.web.app import create_app
from cheng.web.map import seeing

HERE = (106.551, 29.561)
Come = Callable[..., Visitor]


def point(east: float = 0.0) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [HERE[0] + east, HERE[1]]}


@pytest.fixture
def town(hub: Hub) -> Hub:
    """Covers and vehicles of two departments in one district, on a small base map."""
    outline = {"type": "Polygon", "coordinates": [[[106, 29], [107, 29], [107, 30], [106, 30], [106, 29]]]}
    rows = [NewThing("d1", "Area", "临江区", properties={"level": "district"}, geometry=outline)]
    rows += [NewThing(f"c{n}", "Cover", f"井盖{n}", geometry=point(n / 1000)) for n in range(3)]
    rows += [
        NewThing("v1", "Vehicle", "甲车", owner="Drainage Bureau", geometry=point()),
        NewThing("v2", "Vehicle", "乙车", owner="Somebody else", geometry=point()),
    ]
    assert not hub.things.put(rows, "test").refused
    way = shapely.LineString([(106.5, 29.5), (106.6, 29.6)])
    hub.base_map.put("demo", Features.of("street", "primary", [way], name="中山路", rank=8))
    return hub


def address(z: int = 14) -> str:
    x, y = mercator(*HERE)
    return f"{z}/{int(x * 2**z)}/{int(y * 2**z)}.mvt"


def layers(answer: Any) -> dict[str, Any]:
    assert answer.status_code in (200, 204), answer.text
    tile = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True}) if answer.content else {}
    return {name: layer["features"] for name, layer in tile.items()}


def ids(hub: Hub, *names: str) -> set[int]:
    return {thing.idx for thing in map(hub.things.find, names) if thing}


def test_the_base_map_is_for_everybody_and_sent_once(town: Hub, visitor: Come) -> None:
    one = visitor()
    path = f"/map/tiles/base/{address()}"
    answer = one.get(path)
    assert answer.headers["content-encoding"] == "gzip"
    assert layers(answer)["street"][0]["properties"]["name"] == "中山路"
    assert answer.headers["cache-control"] == "public, no-cache"
    assert "immutable" in one.get(f"{path}?v={town.base_map.revision}").headers["cache-control"]
    again = one.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    town.base_map.remove("demo")
    assert one.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code == 204


def test_who_takes_no_gzip_gets_the_plain_tile(town: Hub, visitor: Come) -> None:
    answer = visitor().get(f"/map/tiles/base/{address()}", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == gzip.decompress(town.base_map.tile(*map(int, address().removesuffix(".mvt").split("/"))))


@pytest.mark.parametrize(
    "path", ["base/15/0/0", "base/1/2/0", "base/1/0/x.mvt", "areas/99/0/0", "things/1/0/-1?types=Cover"]
)
def test_tiles_that_cannot_be_are_not_there(town: Hub, visitor: Come, path: str) -> None:
    assert visitor().get(f"/map/tiles/{path}").status_code == 404


def test_areas_come_with_borders_and_names(town: Hub, visitor: Come) -> None:
    found = layers(visitor().get("/map/tiles/areas/8/203/106.mvt"))
    assert {border["properties"]["level"] for border in found["borders"]} == {"district"}
    (name,), (shape,) = found["area_names"], found["areas"]
    assert (name["properties"]["name"], name["id"]) == ("临江区", town.things.find("d1").idx)
    assert shape["properties"] == {"level": "district", "area": "d1"}
    assert shape["geometry"]["type"] == "Polygon"


def test_public_things_are_seen_by_everybody_others_by_those_who_may(town: Hub, visitor: Come) -> None:
    assert {f["id"] for f in layers(visitor().get(f"/map/tiles/things/{address()}?types=Cover"))["things"]} == ids(
        town, "c0", "c1", "c2"
    )
    refused = visitor().get(f"/map/tiles/things/{address()}?types=Cover,Vehicle")
    assert refused.status_code in (401, 403, 404)
    assert visitor().get(f"/map/tiles/things/{address()}?types=Nothing").status_code == 404


async def report(hub: Hub, *lines: dict[str, Any]) -> None:
    payload = "\n".join(json.dumps({"time": hub.clock.now(), **line}) for line in lines)
    await Intake(hub).take(payload.encode(), NDJSON, HOUSE, "test")


def moving(answer: Any) -> dict[int, tuple[float, float, int]]:
    (count,) = np.frombuffer(answer.content[:4], "<u4")
    columns = [np.frombuffer(answer.content[4 + 4 * count * n : 4 + 4 * count * (n + 1)], "<u4") for n in range(3)]
    level = np.frombuffer(answer.content[4 + 12 * count :], "u1")
    rows = zip(*(column.tolist() for column in columns), level.tolist(), strict=True)
    return {idx: (x / 2**32, y / 2**32, bad) for idx, x, y, bad in rows}


def test_what_moves_comes_as_columns_within_a_box(town: Hub, visitor: Come) -> None:
    asyncio.run(report(town, {"id": "v1", "attr": "position", "value": [106.6, 29.6]}))
    town.pipeline.drain()
    leader = visitor("leader")
    everywhere = moving(leader.get("/map/moving/Vehicle"))
    there = town.things.find("v1").idx
    assert everywhere.keys() == ids(town, "v1", "v2")
    np.testing.assert_allclose(everywhere[there][:2], mercator(106.6, 29.6), atol=1e-9)
    assert moving(leader.get("/map/moving/Vehicle?bbox=106.59,29.59,106.61,29.61")).keys() == {there}
    assert leader.get("/map/moving/Vehicle?bbox=1,2,3").status_code == 400
    assert visitor().get("/map/moving/Vehicle").status_code in (401, 403, 404)


def test_a_clock_that_ran_backwards_is_played_in_order(town: Hub, visitor: Come) -> None:
    minute, now = 60_000_000, town.clock.now()
    said = [
        {"id": "v1", "attr": "position", "time": now - n * minute, "value": [106.5 + n / 1000, 29.6]} for n in (9, 3, 6)
    ]
    asyncio.run(report(town, *said))
    town.pipeline.drain()
    hour = visitor("leader").get("/dashboard/replay.json").json()
    ways = {each["id"]: each["points"] for kind in hour["moving"] for each in kind["things"]}
    assert [point[1] for point in ways["v1"]] == [106.509, 106.503]  # what comes too late is kept, marked, not played
    assert hour["from"] < ways["v1"][0][0] < ways["v1"][1][0] < hour["to"]


def test_what_moves_is_in_the_tiles_only_far_out_and_where_it_is_too_much_to_be_seen_moving(
    town: Hub, visitor: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = visitor("leader")

    def seen(z: int) -> dict[int, str]:
        found = layers(leader.get(f"/map/tiles/things/{address(z)}?types=Cover,Vehicle"))["things"]
        return {feature["id"]: feature["properties"]["type"] for feature in found}

    assert seen(12).keys() == ids(town, "c0", "c1", "c2")
    monkeypatch.setattr(seeing, "CROWD", 1)
    assert seen(12) == dict.fromkeys(ids(town, "c0", "c1", "c2"), "Cover") | dict.fromkeys(
        ids(town, "v1", "v2"), "Vehicle"
    )
    assert seen(13).keys() == ids(town, "c0", "c1", "c2")
    layer = next(each for each in told(leader.get("/map"))["layers"] if each["type"] == "Vehicle")
    assert layer["from"] == 13


def test_alerts_are_told_only_to_whom_they_concern(town: Hub, visitor: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.alerts, "worst", lambda things: np.full(things, 3, np.intp))
    monkeypatch.setattr(seeing, "CROWD", 1)
    path = f"/map/tiles/things/{address(12)}?types=Vehicle"

    def levels(role: str) -> dict[int, int]:
        return {f["id"]: f["properties"].get("level", 0) for f in layers(visitor(role).get(path))["things"]}

    mine, others = town.things.find("v1").idx, town.things.find("v2").idx
    assert levels("leader") == {mine: 3, others: 3}
    assert levels("officer") == {mine: 3, others: 0}


@pytest.mark.parametrize("look", ["day", "night"])
@pytest.mark.parametrize("filled", [True, False])
def test_styles_name_only_what_is_ours(town: Hub, visitor: Come, look: str, filled: bool) -> None:
    if not filled:
        town.base_map.remove("demo")
    style = visitor().get(f"/map/style/{look}").json()
    assert style["version"] == 8
    assert not {"glyphs", "sprite"} & style.keys()
    assert "//" not in json.dumps(style)
    tiles = [path for source in style["sources"].values() for path in source["tiles"]]
    assert all(path.startswith("/map/tiles/") for path in tiles)
    drawn = {layer.get("source-layer") for layer in style["layers"]} - {None}
    assert drawn == {"land", "green", "water", "relief", "waterway", "building", "street", "rail", "place"} | {
        "borders",
        "area_names",
        "unit_borders",
        "unit_names",
    }
    assert style["sources"]["areas"]["promoteId"] == {"areas": "area"}
    assert len({layer["id"] for layer in style["layers"]}) == len(style["layers"])
    assert visitor().get("/map/style/pink").status_code == 404


def test_a_card_says_what_its_reader_may_know(town: Hub, visitor: Come) -> None:
    cover, vehicle = town.things.find("c1").idx, town.things.find("v1").idx
    said = visitor().get(f"/map/thing/{cover}", headers={"accept": "application/json"}).json()
    assert (said["name"], said["area"], said["url"]) == ("井盖1", "临江区", "/things/Cover/c1")
    assert visitor().get(f"/map/thing/{vehicle}").status_code in (401, 403)
    assert visitor("officer").get(f"/map/thing/{vehicle}").status_code == 200
    assert visitor().get("/map/thing/999999").status_code == 404


def told(page: Any) -> dict[str, Any]:
    found = re.search(r'data-map="([^"]+)"', page.text)
    assert found
    return json.loads(found[1].replace("&#34;", '"').replace("&amp;", "&"))


def test_the_page_offers_the_layers_that_its_reader_sees(town: Hub, visitor: Come) -> None:
    page = visitor().get("/map?hide=Cover")
    public = told(page)
    assert [(each["type"], each["shown"]) for each in public["layers"]] == [("Cover", False)]
    assert "<noscript>" in page.text
    assert public["bounds"] == pytest.approx([106.5, 29.5, 106.6, 29.6])
    leader = {each["type"]: each for each in told(visitor("leader").get("/map"))["layers"]}
    assert leader.keys() == {"Cover", "Vehicle"}
    assert (leader["Vehicle"]["moves"], leader["Vehicle"]["from"]) == ("/map/moving/Vehicle", 0)
    assert told(page)["things"] == "/map/tiles/things/{z}/{x}/{y}.mvt"


def test_everything_lies_below_the_prefix(tmp_path: Path) -> None:
    hub = open_house(tmp_path, root_path="/city")
    one = Visitor(create_app(hub))
    style = one.get("/city/map/style/day").json()
    assert all(path.startswith("/city/map/tiles/") for source in style["sources"].values() for path in source["tiles"])
    assert told(one.get("/city/map"))["styles"]["night"] == "/city/map/style/night"
    hub.close()
