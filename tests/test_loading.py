"""Files into a hub: things and readings, mended and refused rows, here and by HTTP, and a second time for nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from cheng.errands import ERRANDS
from cheng.loading import Loaded, Taken, compact, load_osm, load_readings, load_things, reports_of
from cheng.loading_targets import HereTarget, ThereTarget
from cheng.local_door import LocalDoor
from cheng.protocols.files import Reading, SeriesChunk, read_series
from cheng.protocols.http import HttpDoor
from cheng.security.actors import HOUSE
from cheng.standards.problems import InputError, Refused
from cheng.testing import Town, city
from works import small_works
from works.small_works import Pump

PUMPS = (
    "编号,名称,site,rated,lon,lat,colour\np1,One,North,5.5,106.5,29.5,red\np2,Two,South,x,106.6,29.6,\n,Three,,,,,\n"
)
HEAT = "id,time,heat\np1,2026-11-20 07:00:00,50\np1,2026-11-20 07:10:00,hot\np2,2026-11-20 07:00:00,60\n"
SECRET = "a-word-in-the-folder"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path / "data", small_works) as town:
        yield town


def quiet(rows: int, total: int, taken: Taken) -> None:
    assert rows <= total or total == 0


def file(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def things(target: Any, path: Path, **mapping: str) -> Loaded:
    return load_things(target, Pump, path, mapping or {"id": "编号", "name": "名称"}, quiet, placeless="accept")


def readings(target: Any, path: Path, mapping: dict[str, str] | None = None, **how: Any) -> Loaded:
    return load_readings(target, path, mapping or {}, quiet, Reading(**how))


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError(f"nobody is behind {scope['path']}")


class Wire:
    """Requests to the doors of a hub without a network."""

    def __init__(self, town: Town, token: str = SECRET) -> None:
        self.token = token
        self.door = LocalDoor(town.hub, HttpDoor(town.hub, nobody), SECRET, ERRANDS)

    async def ask(self, path: str, payload: bytes, media_type: str) -> tuple[int, dict[str, Any]]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": payload}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", media_type.encode())]
        bare, _, query = path.partition("?")
        scope = {"type": "http", "method": "POST", "path": bare, "query_string": query.encode(), "headers": headers}
        await self.door(scope, receive, send)
        return sent[0]["status"], msgspec.json.decode(sent[1]["body"])

    def __call__(self, path: str, payload: bytes, media_type: str) -> dict[str, Any]:
        status, answer = asyncio.run(self.ask(path, payload, media_type))
        if status != 200:
            raise Refused("refused", str(answer.get("detail", answer)), status=status)
        return answer


@pytest.fixture(params=["here", "there"])
def target(request: pytest.FixtureRequest, town: Town) -> Any:
    return HereTarget(town.hub) if request.param == "here" else ThereTarget(Wire(town), local=True)


def test_things_come_with_their_fields_and_what_is_wrong_is_said(town: Town, target: Any, tmp_path: Path) -> None:
    loaded = things(target, file(tmp_path, "pumps.csv", PUMPS))
    assert loaded.counts["added"] == 1
    assert [(e.line, e.code) for e in loaded.refused] == [(3, "not-a-number"), (4, "no-id")]
    assert loaded.left_out == ["colour"]
    pump = town.hub.things.find("p1")
    assert pump is not None
    assert (pump.name, pump.properties, pump.point) == ("One", {"site": "North", "rated": 5.5}, (106.5, 29.5))


def test_loading_things_again_changes_nothing(town: Town, target: Any, tmp_path: Path) -> None:
    path = file(tmp_path, "pumps.csv", PUMPS)
    things(target, path)
    loaded = things(target, path)
    assert (loaded.counts["added"], loaded.counts["unchanged"]) == (0, 1)


def test_a_field_that_the_type_has_not_is_said_before_anything_is_taken(town: Town, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'site'"):
        things(HereTarget(town.hub), file(tmp_path, "pumps.csv", PUMPS), id="编号", sites="site")
    assert town.hub.things.find("p1") is None


def test_readings_come_in_the_order_of_the_file(town: Town, target: Any, tmp_path: Path) -> None:
    town.register(Pump, "p1", site="North")
    loaded = readings(target, file(tmp_path, "heat.csv", HEAT))
    town.hub.pipeline.drain()
    assert loaded.counts["accepted"] == 2
    assert [(e.line, e.code) for e in loaded.refused] == [(3, "number")]
    assert town.current("p1", "heat") == 50
    assert town.hub.history.count() == 2


def test_loading_readings_again_changes_nothing(town: Town, target: Any, tmp_path: Path) -> None:
    town.register(Pump, "p1", site="North")
    path = file(tmp_path, "heat.csv", HEAT)
    readings(target, path)
    more = HEAT + "p1,2026-11-20 07:20:00,55\n"
    loaded = readings(target, file(tmp_path, "more.csv", more))
    assert (loaded.counts["known"], loaded.counts["accepted"]) == (2, 1)
    assert town.hub.history.count() == 3


def test_labels_and_positions_come_too(town: Town, target: Any, tmp_path: Path) -> None:
    town.register(Pump, "p1", site="North")
    readings(target, file(tmp_path, "state.csv", "id,time,state\np1,2026-11-20 07:00:00,on\n"))
    track = "id,time,经度,纬度\np1,2026-11-20 07:01:00,106.55,29.56\n"
    mapping = {"id": "id", "lon": "经度", "lat": "纬度"}
    loaded = readings(target, file(tmp_path, "track.csv", track), mapping)
    town.hub.pipeline.drain()
    assert loaded.refused == []
    assert town.current("p1", "state") == town.hub.things.code(Pump.state, "on")
    assert town.current("p1", "position") == pytest.approx(106.55)


def test_long_files_need_no_mapping(town: Town, target: Any, tmp_path: Path) -> None:
    town.register(Pump, "p1", site="North")
    long = "id,attr,time,value\np1,heat,1795132800,41\np1,heat,1795132860,42\n"
    assert readings(target, file(tmp_path, "long.csv", long)).counts["accepted"] == 2


def test_refused_rows_are_kept_with_what_stood_there(town: Town, target: Any, tmp_path: Path) -> None:
    things(target, file(tmp_path, "pumps.csv", PUMPS))
    kept = {each.line: each for each in town.hub.refused.list()}
    assert list(kept) == [4, 3]
    assert kept[3].payload.decode() == "p2,Two,South,x,106.6,29.6,"
    assert (kept[3].door, kept[3].principal) == ("file", "pumps.csv")


def test_refused_readings_are_told_in_order_and_kept(town: Town, target: Any, tmp_path: Path) -> None:
    town.register(Pump, "p1", site="North")
    text = (
        "id,attr,time,value\np1,state,1795132800,odd\np1,heat,never,1\np1,heat,1795132860,hot\np1,heat,1795132861,9\n"
    )
    loaded = readings(target, file(tmp_path, "long.csv", text))
    assert [error.line for error in loaded.refused] == [2, 3, 4]
    kept = town.hub.refused.list()
    assert [(k.line, k.principal) for k in kept] == [(4, "long.csv"), (3, "long.csv"), (2, "long.csv")]
    assert kept[0].payload == b"p1,heat,1795132860,hot"


def test_a_hub_elsewhere_keeps_every_refused_row_once(town: Town, tmp_path: Path) -> None:
    token = town.hub.tokens.issue(HOUSE, "importer", "operator")
    loaded = things(ThereTarget(Wire(town, token)), file(tmp_path, "pumps.csv", PUMPS))
    kept = {each.line: each for each in town.hub.refused.list()}
    assert len(town.hub.refused.list()) == len(loaded.refused) == 2
    assert (kept[3].door, kept[3].principal) == ("things", "token:importer")
    assert b'"id":"p2"' in kept[3].payload
    assert (kept[4].door, kept[4].principal, kept[4].payload) == ("file", "token:importer: pumps.csv", b",Three,,,,,")


def test_what_was_refused_is_kept_when_the_load_breaks_off(town: Town, tmp_path: Path) -> None:
    town.register(Pump, "p1", site="North")
    target = HereTarget(town.hub)
    town.hub.pipeline.inbox.room = 0
    with pytest.raises(Refused):
        readings(target, file(tmp_path, "heat.csv", HEAT))
    assert [each.line for each in town.hub.refused.list()] == [3]


def test_an_impossible_state_costs_its_own_row_alone(town: Town, target: Any, tmp_path: Path) -> None:
    text = "id,site,state\np1,North,asleep\np2,North,retired\np3,North,unknown\np4,North,\n"
    loaded = things(target, file(tmp_path, "pumps.csv", text), id="id")
    assert loaded.counts["added"] == 2
    assert [(error.line, error.code) for error in loaded.refused] == [(2, "unknown-state"), (4, "unknown-state")]
    assert "known are active, registered, retired" in loaded.refused[0].reason


def test_decimal_commas_are_read_when_they_are_said(town: Town, target: Any, tmp_path: Path) -> None:
    pumps = file(tmp_path, "pumps.csv", "id;site;rated\np1;North;5,5\n")
    load_things(target, Pump, pumps, {}, quiet, decimal=",", placeless="accept")
    pump = town.hub.things.find("p1")
    assert pump is not None
    assert pump.properties["rated"] == 5.5
    heat = file(tmp_path, "heat.csv", "id;time;heat\np1;2026-11-20 07:00:00;50,5\n")
    assert readings(target, heat, decimal=",").refused == []
    town.hub.pipeline.drain()
    assert town.current("p1", "heat") == 50.5


def test_a_file_that_is_nothing_says_so(town: Town, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        readings(HereTarget(town.hub), file(tmp_path, "empty.csv", ""))
    with pytest.raises(InputError):
        things(HereTarget(town.hub), file(tmp_path, "pumps.doc", "x"))


def test_words_that_are_not_used_are_not_told(tmp_path: Path) -> None:
    path = file(tmp_path, "wide.csv", "time,a,b\n1795132800,1,\n1795132860,2,\n")
    (chunk,) = read_series(path, {}, Reading(attr="heat"))
    assert isinstance(chunk, SeriesChunk)
    reports = reports_of(chunk)
    assert reports.ids == ["a"]
    words, codes = compact(chunk.attrs)
    assert words == ["heat"]
    assert np.array_equal(codes, [0, 0])


# -- the door


def test_a_token_may_load_things_when_its_role_does(town: Town) -> None:
    may = town.hub.tokens.issue(HOUSE, "importer", "operator")
    line = b'{"id": "p7", "type": "Pump", "properties": {"site": "West"}}\n{"id": 7}\n'
    answer = Wire(town, may)("/ingest/things", line, "application/x-ndjson")
    assert answer["added"] == 1
    assert [(e["line"], e["code"]) for e in answer["refused"]] == [(2, "not-understood")]
    may_not = town.hub.tokens.issue(HOUSE, "visitor", "citizen")
    with pytest.raises(Refused, match="does not include"):
        Wire(town, may_not)("/ingest/things", line, "application/x-ndjson")


@pytest.mark.parametrize("path", ["/local/readings", "/local/errands", "/ingest/things"])
def test_nobody_else_comes_in(town: Town, path: str) -> None:
    with pytest.raises(Refused, match="valid token"):
        Wire(town, "guessed")(path, b"{}", "application/json")


@pytest.mark.parametrize("path", ["/local/readings", "/local/errands"])
def test_the_house_alone_runs_errands(town: Town, path: str) -> None:
    token = town.hub.tokens.issue(HOUSE, "boss", "operator")
    with pytest.raises(Refused, match="owns the data folder"):
        Wire(town, token)(path, b"{}", "application/json")


def test_what_nobody_expected_is_told_with_a_number(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(town.hub.things, "put", broken)
    line = b'{"id": "p7", "type": "Pump"}'
    status, problem = asyncio.run(Wire(town).ask("/ingest/things", line, "application/x-ndjson"))
    assert (status, problem["code"], problem["type"]) == (500, "incident", "urn:cheng:problem:incident")
    assert problem["incident"] in problem["detail"]
    assert "inside" not in str(problem)
    assert problem["incident"] in caplog.text
    status, problem = asyncio.run(Wire(town).ask("/local/errands", b"?", "application/json"))
    assert (status, problem["code"]) == (400, "not-understood")


@pytest.mark.parametrize(
    ("position", "told"),
    [([500, 100], "from -180 to 180"), ([29.5, 106.5], "look swapped"), ([106.5, 29.5], "")],
)
def test_a_thing_lies_on_the_earth(town: Town, position: list[float], told: str) -> None:
    geometry = {"type": "Point", "coordinates": position}
    line = msgspec.json.encode({"id": "p1", "type": "Pump", "properties": {"site": "N"}, "geometry": geometry})
    answer = Wire(town)("/ingest/things", line, "application/x-ndjson")
    assert answer["added"] == (not told)
    assert [(e["code"], told in e["reason"]) for e in answer["refused"]] == ([("bad-geometry", True)] if told else [])


def test_only_who_may_load_has_rows_kept(town: Town) -> None:
    visitor = town.hub.tokens.issue(HOUSE, "visitor", "citizen")
    with pytest.raises(Refused, match="does not include"):
        Wire(town, visitor)("/ingest/refused", b'{"file":"x","rows":[]}', "application/json")
    with pytest.raises(Refused, match="wanted is a file"):
        Wire(town)("/ingest/refused", b"[]", "application/json")


def test_an_errand_is_run_and_an_unknown_one_refused(town: Town) -> None:
    town.register(Pump, "p1", site="North")
    town.reports("p1", heat=90)
    asked = {"errand": "try", "rule": "hot", "span": 10**9, "hold": 0}
    answer = Wire(town)("/local/errands", msgspec.json.encode(asked), "application/json")["answer"]
    assert [run["alerts"] for run in answer["runs"]] == [0, 1]
    with pytest.raises(Refused, match="does not know this errand"):
        Wire(town)("/local/errands", b'{"errand": "dance"}', "application/json")


CORNERS = ((29.5, 106.5), (29.6, 106.6), (29.5, 106.6), (29.6, 106.5))
OSM = "".join(
    [
        '<osm version="0.6">',
        *(f'<node id="{n}" version="1" lat="{lat}" lon="{lon}"/>' for n, (lat, lon) in enumerate(CORNERS, 1)),
        '<way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>',
        '<way id="2" version="1">',
        *(f'<nd ref="{n}"/>' for n in (1, 2, 3, 4, 1)),
        '<tag k="building" v="yes"/></way>',
        '<way id="3" version="1"><nd ref="1"/><nd ref="3"/><tag k="highway" v="ladder"/></way></osm>',
    ]
)


def test_an_openstreetmap_file_is_put_on_the_base_map_and_a_second_time_for_nothing(
    town: Town, target: Any, tmp_path: Path
) -> None:
    path = file(tmp_path, "城.osm", OSM)
    loaded = load_osm(target, path, quiet)
    assert (loaded.counts["drawn"], loaded.left_out) == (1, ["highway=ladder (1)"])
    assert [error.code for error in loaded.refused] == ["broken-outline"]
    assert town.hub.base_map.sources() == ["城.osm"]
    assert any("crosses itself" in reason for reason in town.refused())
    before = town.hub.base_map.revision
    load_osm(target, path, quiet)
    assert town.hub.base_map.revision == before


def test_what_is_no_table_of_features_or_of_nobody_is_refused(town: Town) -> None:
    wire = Wire(town)
    for path, payload in (("/ingest/base-map?source=a", b"no Parquet"), ("/ingest/base-map", b"")):
        with pytest.raises(Refused):
            wire(path, payload, "application/vnd.apache.parquet")
