"""Things: who sees which, what of each, as a page, as data, and what can be changed."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import Visitor, json_of
from sqlalchemy import select
from waterworks import MINUTE, open_waterworks, report

from cheng.hub import Hub
from cheng.infrastructure.tables import audit

Come = Callable[..., Visitor]
SECRETS = ("SECRET-1", "13900001")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_waterworks(tmp_path)
    yield opened
    opened.close()


# -- lists


def test_a_stranger_sees_the_public_types_only(visitor: Come) -> None:
    listed = {row["type"]: row for row in json_of(visitor(), "/things.json")["types"]}
    assert "Hydrant" in listed
    assert "Ledger" not in listed
    assert listed["Hydrant"]["count"] == 4


def test_whoever_works_here_sees_every_type(visitor: Come) -> None:
    assert "Ledger" in {row["type"] for row in json_of(visitor("officer"), "/things.json")["types"]}


def test_a_type_that_is_not_public_is_not_for_citizens(visitor: Come) -> None:
    assert visitor().get("/things/Ledger.json").status_code in (401, 403)
    assert visitor("citizen").get("/things/Ledger.json").status_code == 403
    assert visitor("citizen").get("/things/Ledger/ledger-1.json").status_code == 403
    assert visitor("officer").get("/things/Ledger").status_code == 200


def test_there_is_no_type_that_nobody_declared(visitor: Come) -> None:
    assert visitor("officer").get("/things/Unicorn").status_code == 404
    assert visitor("officer").get("/things/Hydrant/nobody").status_code == 404
    assert visitor("officer").get("/things/Ledger/hydrant-1").status_code == 404


@pytest.mark.parametrize("path", ["/things/Hydrant", "/things/Hydrant/hydrant-1"])
@pytest.mark.parametrize("ending", ["", ".json", ".csv", ".geojson"])
def test_what_is_internal_or_sensitive_is_not_there_for_citizens(visitor: Come, path: str, ending: str) -> None:
    answer = visitor("citizen").get(path + ending)
    assert answer.status_code in (200, 406)
    for secret in SECRETS:
        assert secret not in answer.text
    assert "inside" not in answer.text


def test_whoever_works_here_sees_what_is_internal_but_not_what_is_personal(visitor: Come) -> None:
    officer = visitor("officer")
    for path in ("/things/Hydrant", "/things/Hydrant.csv", "/things/Hydrant.json", "/things/Hydrant/hydrant-1.json"):
        text = officer.get(path).text
        assert "SECRET-1" in text
        assert "13900001" not in text


def test_personal_details_need_a_purpose_and_the_own_department(hub: Hub, visitor: Come) -> None:
    officer = visitor("officer")
    page = officer.get("/things/Hydrant/hydrant-1?purpose=Burst+pipe")
    assert "13900001" in page.text
    assert officer.get("/things/Hydrant/hydrant-4?purpose=Curiosity").status_code == 403
    assert visitor("citizen").get("/things/Hydrant/hydrant-1?purpose=Curiosity").status_code == 403
    with hub.store.read() as conn:
        kept = conn.execute(select(audit).where(audit.c.verb == "see-personal")).mappings().all()
    assert [(row["purpose"], row["outcome"]) for row in kept][:2] == [
        ("Burst pipe", "allowed"),
        ("Curiosity", "refused"),
    ]


def test_a_search_does_not_find_what_the_reader_may_not_see(visitor: Come) -> None:
    assert json_of(visitor("citizen"), "/things/Hydrant.json?q=SECRET-2")["things"] == []
    assert len(json_of(visitor("officer"), "/things/Hydrant.json?q=secret-2")["things"]) == 1
    assert json_of(visitor("officer"), "/things/Hydrant.json?q=13900002")["things"] == []


def test_a_list_goes_on_where_it_ended(visitor: Come) -> None:
    officer = visitor("officer")
    first = json_of(officer, "/things/Hydrant.json?limit=3")
    rest = json_of(officer, f"/things/Hydrant.json?limit=3&after={first['next']}")
    assert [row["id"] for row in first["things"] + rest["things"]] == [f"hydrant-{n}" for n in range(1, 5)]
    assert rest["next"] is None


def test_a_list_is_filtered_by_department_and_state(visitor: Come) -> None:
    officer = visitor("officer")
    assert [row["id"] for row in json_of(officer, "/things/Hydrant.json?owner=Park office")["things"]] == ["hydrant-4"]
    assert json_of(officer, "/things/Hydrant.json?state=retired")["things"] == []
    assert officer.get("/things/Hydrant.json?state=odd").status_code == 400


def test_a_spreadsheet_runs_nothing(visitor: Come) -> None:
    text = visitor("officer").get("/things/Hydrant.csv").text
    assert "'=cmd|" in text
    assert not re.search(r"(^|,)\"?=cmd", text)


def test_geojson_has_points_and_no_secrets(visitor: Come) -> None:
    told = json_of(visitor(), "/things/Hydrant.geojson")
    assert told["features"][0]["geometry"] == {"type": "Point", "coordinates": [120.01, 30.0]}
    assert "code" not in told["features"][0]["properties"]


def test_what_a_device_says_does_no_harm_in_a_page(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    name = "<script>alert(1)</script>"
    operator.send("/things/Hydrant/hydrant-1/edit", **entry(hub, name=name))
    page = operator.get("/things/Hydrant/hydrant-1").text
    assert name not in page
    assert "&lt;script&gt;alert(1)" in page


# -- one thing


def test_the_state_of_a_thing_is_its_register_entry_and_last_values(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0, 25.5])
    told = json_of(visitor(), "/things/Hydrant/hydrant-1.json")
    assert told["values"]["pressure"] == {"value": 25.5, "time": "2026-11-20T08:00:00+08:00", "unit": "kPa"}
    assert told["values"]["valve"] == {"value": None, "time": None}
    assert told["properties"].keys() == {"street"}


def test_the_state_asks_neither_store_nor_history(hub: Hub, visitor: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = visitor()
    report(hub, "hydrant-1", [20.0])

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr(hub.history, "readings", fail)
    monkeypatch.setattr(hub.store, "read", fail)
    assert stranger.get("/things/Hydrant/hydrant-1.json").status_code == 200


@pytest.mark.parametrize("role", ["", "citizen", "officer", "leader", "operator"])
def test_the_page_of_a_thing_for_every_role(hub: Hub, visitor: Come, role: str) -> None:
    report(hub, "hydrant-1", [120.0] * 5)
    page = visitor(role).get("/things/Hydrant/hydrant-1?lang=en")
    assert page.status_code == 200
    assert ("Change the entry" in page.text) == (role in ("officer", "operator"))
    assert ("/commands/flush" in page.text) == (role == "officer")
    assert ("Versions of the entry" in page.text) == (role in ("officer", "leader", "operator"))
    assert ("SECRET-1" in page.text) == (role in ("officer", "leader", "operator"))


def test_a_marked_reading_is_told_beside_the_last_good_one(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0])
    hub.clock.advance(MINUTE)  # type: ignore[attr-defined]
    report(hub, "hydrant-1", [99_999.0])
    page = visitor("officer").get("/things/Hydrant/hydrant-1?lang=en").text
    assert "out of range" in page
    assert json_of(visitor(), "/things/Hydrant/hydrant-1.json")["values"]["pressure"]["value"] == 20.0


def test_an_officer_is_told_how_many_alerts_stand_for_the_own_department(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [120.0] * 5)
    report(hub, "hydrant-4", [120.0] * 5)
    for role, total, other in (("officer", 1, None), ("leader", 2, 1)):
        reader = visitor(role)
        types = {row["type"]: row for row in json_of(reader, "/things.json")["types"]}
        listed = {row["id"]: row for row in json_of(reader, "/things/Hydrant.json")["things"]}
        assert types["Hydrant"]["alerts"] == total
        assert (listed["hydrant-1"]["open_alerts"], listed["hydrant-4"]["open_alerts"]) == (1, other)


# -- its history


def test_a_chart_gets_points_gaps_thresholds_and_alerts(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0] * 20)
    hub.clock.advance(60 * MINUTE)  # type: ignore[attr-defined]
    report(hub, "hydrant-1", [20.0, *[120.0] * 9])
    told = json_of(visitor("officer"), "/things/Hydrant/hydrant-1/history/pressure.json?range=24h")
    points = told["series"][0]["points"]
    assert len([p for p in points if p[1] is not None]) == 30
    assert len([p for p in points if p[1] is None]) == 1
    assert [(line["value"], line["release"]) for line in told["limits"]] == [(100.0, False), (50.0, True)]
    (span,) = told["spans"]
    assert (span["level"], span["to"]) == ("danger", None)


def test_a_citizen_gets_the_points_but_not_the_rules(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [120.0] * 5)
    told = json_of(visitor(), "/things/Hydrant/hydrant-1/history/pressure.json")
    assert told["limits"] == []
    assert "SECRET" not in str(told)


def test_the_history_of_a_hidden_field_is_hidden(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0], "inside")
    for ending in ("", ".json", ".csv"):
        assert visitor("citizen").get(f"/things/Hydrant/hydrant-1/history/inside{ending}").status_code == 404
    assert visitor("officer").get("/things/Hydrant/hydrant-1/history/inside.json").status_code == 200


def test_the_file_has_every_reading_with_its_marks(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0, 99_999.0, 21.0])
    lines = visitor().get("/things/Hydrant/hydrant-1/history/pressure.csv?lang=en").text.splitlines()
    assert lines[0] == "Time,Pressure (kPa),Quality"
    assert len(lines) == 4
    assert lines[2].endswith("99999.0,out of range")


def test_a_period_of_ones_own(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [float(n) for n in range(10)])
    base = "/things/Hydrant/hydrant-1/history/pressure.json"
    told = json_of(visitor(), f"{base}?from=2026-11-20T07:55&to=2026-11-20T07:58")
    assert [p[1] for p in told["series"][0]["points"]] == [4.0, 5.0, 6.0]
    assert visitor().get(f"{base}?from=2026-11-20T09:00&to=2026-11-20T08:00").status_code == 400
    assert visitor().get(f"{base}?from=yesterday").status_code == 400
    assert visitor().get(f"{base}?range=1y").status_code == 400


# -- changing the register


def entry(hub: Hub, **changes: Any) -> dict[str, Any]:
    """The form of hydrant-1 as it is, with changes."""
    thing = hub.things.find("hydrant-1")
    assert thing is not None
    fields = {"version": thing.version, "name": thing.name, "owner": thing.owner, "state": thing.state}
    fields |= {f"p.{name}": value for name, value in thing.properties.items() if name != "phone"}
    return {**fields, "longitude": "120.01", "latitude": "30.0", **changes}


def test_an_operator_registers_a_thing(hub: Hub, visitor: Come) -> None:
    fields = {"id": "hydrant-9", "name": "H9", "owner": "Water office", "state": "active", "p.street": "Lake street"}
    answer = visitor("operator").send("/things/Hydrant/new", **fields)
    assert answer.status_code == 303
    thing = hub.things.find("hydrant-9")
    assert thing is not None
    assert (thing.name, thing.properties["street"]) == ("H9", "Lake street")
    with hub.store.read() as conn:
        row = conn.execute(select(audit).where(audit.c.verb == "register")).mappings().one()
    assert row["object"] == "thing:hydrant-9"


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(visitor: Come) -> None:
    operator = visitor("operator")
    fields = {"id": "hydrant 9", "name": "Ninth", "owner": "Water office", "state": "active", "longitude": "999"}
    answer = operator.send("/things/Hydrant/new", **fields)
    assert answer.status_code == 422
    assert 'value="Ninth"' in answer.text
    assert operator.send("/things/Hydrant/new", **{**fields, "id": "hydrant-1", "longitude": ""}).status_code == 422


def test_an_officer_changes_what_is_their_departments(hub: Hub, visitor: Come) -> None:
    officer = visitor("officer")
    assert officer.send("/things/Hydrant/hydrant-1/edit", **entry(hub, name="First")).status_code == 303
    assert hub.things.find("hydrant-1").name == "First"  # type: ignore[union-attr]
    assert hub.things.find("hydrant-1").properties["phone"] == "13900001"  # type: ignore[union-attr]
    assert officer.get("/things/Hydrant/hydrant-4/edit").status_code == 403
    assert "First" in officer.get("/things/Hydrant/hydrant-1").text


def test_two_who_change_the_same_entry(hub: Hub, visitor: Come) -> None:
    officer = visitor("officer")
    old = entry(hub)
    officer.send("/things/Hydrant/hydrant-1/edit", **entry(hub, name="First"))
    assert officer.send("/things/Hydrant/hydrant-1/edit", **{**old, "name": "Second"}).status_code == 409
    assert hub.things.find("hydrant-1").name == "First"  # type: ignore[union-attr]


@pytest.mark.parametrize("role", ["", "citizen", "leader"])
def test_others_change_nothing(visitor: Come, role: str) -> None:
    answer = visitor(role).get("/things/Hydrant/new")
    assert answer.status_code in (302, 303, 307, 401, 403)


# -- commands


def test_an_officer_tells_a_thing_what_to_do(hub: Hub, visitor: Come) -> None:
    officer = visitor("officer")
    path, page = "/things/Hydrant/hydrant-1/commands/flush", "/things/Hydrant/hydrant-1"
    assert officer.send(path, page, **{"flush.seconds": "100"}).status_code == 422
    assert officer.send(path, page, **{"flush.seconds": "20"}).status_code == 303
    assert "20 s" in officer.get(page).text
    with hub.store.read() as conn:
        row = conn.execute(select(audit).where(audit.c.verb == "command")).mappings().one()
    assert row["detail"]["arguments"] == {"seconds": 20.0}


def test_nobody_else_tells_it_anything(visitor: Come) -> None:
    officer, leader = visitor("officer"), visitor("leader")
    secret = officer.form("/things/Hydrant/hydrant-1")
    other = "/things/Hydrant/hydrant-4/commands/flush"
    assert officer.send(other, csrf=secret, **{"flush.seconds": "20"}).status_code == 403
    assert leader.send(other, "/account/password", **{"flush.seconds": "20"}).status_code == 403
