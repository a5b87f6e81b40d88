"""Cases of other systems into a hub, here and by HTTP: in time as they were there, and a second time for nothing."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cheng.apps.city import urban_management
from cheng.infrastructure.report_tables import case_classes
from cheng.infrastructure.tables import audit, case_runs, cases
from cheng.kernel.house import Area
from cheng.kernel.standing import Person
from cheng.loading import CaseTable, Loaded, Taken, load_cases
from cheng.loading_targets import HereTarget, ThereTarget
from cheng.protocols.files_cases import CaseReading
from cheng.security.actors import HOUSE
from cheng.standards.problems import Refused
from cheng.testing import Town, city
from shared_data import shared
from test_cli import cheng
from test_loading import Wire

FLOW = urban_management.handle_report.key()
HEAD = "id,opened,closed,due,class,group,department,text,note,lon,lat,source\n"
LAMP = "7,2026-03-02 08:00:00,2026-03-04 17:00:00,2026-03-05 18:00:00,Lamp,Lights,PWD,It is dark,Lit,106.5,29.5,App\n"
LATE = "8,2026-03-02 09:00:00,2026-03-09 17:00:00,2026-03-05 18:00:00,Pothole,Roads,PWD,A hole,Filled,,,Call\n"
OPEN = "9,2026-03-03 10:00:00,,2026-03-06 18:00:00,Pothole,Roads,DCR,A hole,,,,Call\n"
LIMIT = ("13", "working days")

BOSTON = {
    "id": "CASE_ENQUIRY_ID",
    "opened": "OPEN_DT",
    "closed": "CLOSED_DT",
    "due": "TARGET_DT",
    "in_time": "OnTime_Status",
    "class": "TYPE",
    "group": "REASON",
    "department": "QUEUE",
    "text": "CASE_TITLE",
    "note": "CLOSURE_REASON",
    "address": "Location",
    "source": "Source",
    "lat": "LATITUDE",
    "lon": "LONGITUDE",
    "street": "LOCATION_STREET_NAME",
    "community": "neighborhood",
}
PINGSHAN = {
    "id": "REC_ID",
    "opened": "CREATE_TIME",
    "in_time": "INTIME_ARCHIVE_NUM",
    "late": "OVERTIME_ARCHIVE_NUM",
    "class": "SUB_TYPE_NAME",
    "group": "EVENT_TYPE_NAME",
    "department": "DISPOSE_UNIT_NAME",
    "source": "EVENT_SRC_NAME",
    "street": "STREET_NAME",
    "community": "COMMUNITY_NAME",
    "district": "DISTRICT_NAME",
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path / "data", urban_management) as town:
        yield town


@pytest.fixture(params=["here", "there"])
def target(request: pytest.FixtureRequest, town: Town) -> Any:
    return HereTarget(town.hub) if request.param == "here" else ThereTarget(Wire(town), local=True)


def quiet(rows: int, total: int, taken: Taken) -> None:
    assert rows <= total or not total


def load(
    target: Any, folder: Path, text: str, flow: str = "", system: str = "", mapping: Mapping[str, str] | None = None
) -> Loaded:
    (folder / "cases.csv").write_text(text, "utf-8")
    table = CaseTable(flow, LIMIT, system, [])
    return load_cases(target, table, folder / "cases.csv", mapping or {}, quiet, CaseReading())


def counts(loaded: Loaded) -> dict[str, int]:
    return dict(+loaded.counts)


def in_time(town: Town) -> dict[str, tuple[int, int]]:
    """By group of classes: closed in time, and closed."""
    runs = select(cases.c.class_code, case_runs.c.done <= case_runs.c.due).join(
        case_runs, case_runs.c.case == cases.c.id
    )
    wanted = runs.where(cases.c.state == "closed", case_runs.c.step == "handle", case_runs.c.due.is_not(None))
    found: dict[str, tuple[int, int]] = {}
    with town.hub.store.read() as conn:
        groups = {code: group for code, group in conn.execute(select(case_classes.c.code, case_classes.c.group_name))}
        for code, good in conn.execute(wanted):
            yes, all_ = found.get(groups[code], (0, 0))
            found[groups[code]] = (yes + bool(good), all_ + 1)
    return found


def state(town: Town, external: str) -> Any:
    filed = town.hub.cases
    with town.hub.store.read() as conn:
        found = filed.by_key(conn, f"record/{FLOW}/{external}")
    assert found is not None
    return found


def test_a_record_becomes_a_case_with_the_acts_it_would_have_had(town: Town, target: Any, tmp_path: Path) -> None:
    town.register(Area, "s1", name="East", level="street", at={"type": "Polygon", "coordinates": [square(106.5, 29.5)]})
    loaded = load(target, tmp_path, HEAD + LAMP + LATE + OPEN)
    assert (counts(loaded), loaded.refused) == ({"added": 3}, [])
    lamp = state(town, "7")
    assert lamp.entry.number == "20260302-000001"
    assert (lamp.entry.state, lamp.entry.source, lamp.entry.area) == ("closed", "citizen", "s1")
    assert lamp.case.values["street_id"] == "s1"
    acts = town.hub.cases.acts(lamp.entry.id)
    assert [(act.verb, act.step) for act in acts] == [("open", ""), ("complete", "handle"), ("complete", "feedback")]
    assert acts[-1].data["text"] == "Lit"
    assert {run.department for run in lamp.case.runs} == {"PWD"}
    assert in_time(town) == {"Lights": (1, 1), "Roads": (0, 1)}
    late = state(town, "8").entry
    assert late.light(town.hub.clock.now()) == "red"
    assert lamp.entry.light(town.hub.clock.now()) == "green"
    assert state(town, "9").entry.state == "open"
    assert town.hub.reports.of_case(lamp.entry.id)[0].external == "7"


def square(x: float, y: float) -> list[list[float]]:
    return [[x - 0.1, y - 0.1], [x + 0.1, y - 0.1], [x + 0.1, y + 0.1], [x - 0.1, y + 0.1], [x - 0.1, y - 0.1]]


def test_a_file_comes_again_for_nothing_and_a_later_one_closes_what_was_open(
    town: Town, target: Any, tmp_path: Path
) -> None:
    text = HEAD + LAMP + LATE + OPEN
    load(target, tmp_path, text)
    assert counts(load(target, tmp_path, text)) == {"unchanged": 3}
    closed = OPEN.replace(",,2026-03-06", ",2026-03-05 09:00:00,2026-03-06").replace("A hole,,", "A hole,Filled,")
    assert counts(load(target, tmp_path, HEAD + LAMP + closed)) == {"unchanged": 1, "changed": 1}
    assert in_time(town)["Roads"] == (1, 2)
    assert town.hub.cases.acts(state(town, "9").entry.id)[-1].data["text"] == "Filled"
    assert counts(load(target, tmp_path, HEAD + LAMP + closed)) == {"unchanged": 2}


def test_a_case_twice_in_one_file_is_one_case_as_the_last_row_leaves_it(
    town: Town, target: Any, tmp_path: Path
) -> None:
    closed = OPEN.replace(",,2026-03-06", ",2026-03-05 09:00:00,2026-03-06")
    assert counts(load(target, tmp_path, HEAD + OPEN + closed)) == {"added": 1, "changed": 1}
    assert state(town, "9").entry.state == "closed"


def test_each_refused_row_says_line_and_reason_and_is_kept(town: Town, target: Any, tmp_path: Path) -> None:
    rows = (
        ",2026-03-02 08:00:00,,,,,,,,,,\n"
        "2,2026-03-02 08:00:00,2026-03-01 08:00:00,,,,,,,,,\n"
        "3,2026-02-30 08:00:00,,,,,,,,,,\n"
        "4,2026-03-02 08:00:00,soon,,,,,,,,,\n"
        "5,2027-03-02 08:00:00,,,,,,,,,,\n"
        "6,2026-03-02 08:00:00\n"
    )
    loaded = load(target, tmp_path, HEAD + rows + LAMP)
    assert [(error.line, error.code) for error in loaded.refused] == [
        (2, "no-id"),
        (3, "closed-before-opened"),
        (4, "time"),
        (5, "time"),
        (6, "future"),
        (7, "cells"),
    ]
    assert counts(loaded) == {"added": 1}
    kept = town.hub.refused.list()
    assert {row.line for row in kept} == {2, 3, 4, 5, 6, 7}
    assert any(row.payload.startswith(b"4,2026-03-02 08:00:00,soon") for row in kept)


def test_numbers_of_two_systems_do_not_meet(town: Town, target: Any, tmp_path: Path) -> None:
    load(target, tmp_path, HEAD + LAMP)
    other = HEAD + LAMP.replace("2026-03-02 08", "2026-03-02 07")
    (refused,) = load(target, tmp_path, other).refused
    assert refused.code == "other-case"
    assert "--system" in refused.reason
    assert counts(load(target, tmp_path, other, system="parks")) == {"added": 1}


def test_what_was_done_here_meanwhile_is_left_alone(town: Town, tmp_path: Path) -> None:
    target, text = HereTarget(town.hub), HEAD + LAMP
    load(target, tmp_path, text)
    case = state(town, "7").entry.id
    dispatcher = Person("dora", "Urban Management Command Centre", frozenset({"officer", "dispatcher"}))
    town.hub.cases.act(case, "reopen", dispatcher, {"step": "handle", "reason": "It is dark again."})
    assert counts(load(target, tmp_path, text)) == {"unchanged": 1}
    assert town.hub.cases.get(case).entry.state == "open"


def test_without_moments_the_flag_is_what_comes_out(town: Town, target: Any, tmp_path: Path) -> None:
    rows = "1,2026-03-02 08:00:00,1,0\n2,2026-03-02 08:00:00,0,1\n3,2026-03-02 08:00:00,-,-\n"
    loaded = load(target, tmp_path, "id,opened,in_time,late\n" + rows)
    assert counts(loaded) == {"added": 3}
    assert in_time(town) == {"Other": (1, 2)}
    assert state(town, "3").entry.state == "open"


def test_what_the_file_says_of_its_moments_is_compared(town: Town, target: Any, tmp_path: Path) -> None:
    text = HEAD.replace("source", "in_time") + LAMP.replace("App", "ONTIME") + LATE.replace("Call", "ONTIME")
    assert counts(load(target, tmp_path, text)) == {"added": 2, "agrees": 1, "disagrees": 1}


def test_the_same_name_in_two_groups_is_two_classes(town: Town, target: Any, tmp_path: Path) -> None:
    text = "id,opened,class,group\n1,2026-03-02,Other,Culture\n2,2026-03-02,other,Praise\n3,2026-03-02,Other,Culture\n"
    load(target, tmp_path, text)
    codes = [state(town, number).entry.class_code for number in "123"]
    assert codes[0] == codes[2] != codes[1]
    found = town.hub.classes.get(FLOW, codes[1])
    assert found is not None
    assert (found.group, found.name, found.public) == ("Praise", "other", False)


def test_classes_of_the_city_are_known_by_name_or_code(town: Town, target: Any, tmp_path: Path) -> None:
    version = town.hub.classes.get(FLOW, "E0102")
    assert version is not None
    load(target, tmp_path, f"id,opened,class\n1,2026-03-02,E0102\n2,2026-03-02,{version.name_zh}\n")
    assert [state(town, number).entry.class_code for number in "12"] == ["E0102", "E0102"]


def test_more_groups_than_big_classes_share_the_last_one(town: Town, tmp_path: Path) -> None:
    rows = "".join(f"{n},2026-03-02,Kind,Group {n}\n" for n in range(150))
    loaded = load(HereTarget(town.hub), tmp_path, "id,opened,class,group\n" + rows)
    assert (counts(loaded), loaded.refused) == ({"added": 150}, [])
    assert len({state(town, str(n)).entry.class_code for n in range(150)}) == 150


def test_whose_cases_they_are_has_to_be_clear(town: Town, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="ways of work with classes are urban_management"):
        load(HereTarget(town.hub), tmp_path, HEAD + LAMP, flow="nobody")


def test_a_load_is_in_the_audit(town: Town, target: Any, tmp_path: Path) -> None:
    load(target, tmp_path, HEAD + LAMP)
    load(target, tmp_path, HEAD + LAMP)
    with town.hub.store.read() as conn:
        found = conn.execute(select(audit.c.detail).where(audit.c.verb == "load", audit.c.object == f"case:{FLOW}"))
        assert [detail["added"] for (detail,) in found] == [1]


def test_a_token_loads_cases_when_its_role_does(town: Town, tmp_path: Path) -> None:
    may = ThereTarget(Wire(town, town.hub.tokens.issue(HOUSE, "importer", "operator")))
    loaded = load(may, tmp_path, HEAD + LAMP + LATE.replace("2026-03-09", "2026-03-01"))
    assert (counts(loaded), [error.code for error in loaded.refused]) == ({"added": 1}, ["closed-before-opened"])
    (kept,) = town.hub.refused.list()
    assert (kept.door, kept.principal, b"A hole" in kept.payload) == ("cases", "token:importer", True)
    may_not = ThereTarget(Wire(town, town.hub.tokens.issue(HOUSE, "visitor", "citizen")))
    with pytest.raises(Refused):
        load(may_not, tmp_path, HEAD + OPEN)


def rates(town: Town) -> dict[str, float]:
    return {group: round(100 * yes / all_, 1) for group, (yes, all_) in in_time(town).items()}


@pytest.mark.slow
def test_a_quarter_of_boston_is_in_time_where_it_was_in_time(tmp_path: Path) -> None:
    path = shared("service_requests/boston_311_2015/boston_311_2015Q1.csv.gz")
    pairs = [word for field, column in BOSTON.items() for word in ("--map", f"{field}={column}")]
    asked = ("load", "cases", path, "--flow", FLOW, "--zone", "America/New_York", *pairs)
    said = cheng(*asked, data=tmp_path / "data")
    assert "26,788 added" in said
    assert "in time as the file says: 14,867 of 14,867" in said
    assert "26,788 as they were" in cheng(*asked, data=tmp_path / "data")


@pytest.mark.slow
def test_a_district_of_shenzhen_has_the_rates_it_had(tmp_path: Path) -> None:
    path = shared("service_requests/shenzhen_pingshan/pingshan_livelihood_requests_2018.csv")
    pairs = [word for field, column in PINGSHAN.items() for word in ("--map", f"{field}={column}")]
    asked = ("load", "cases", path, "--flow", FLOW, *pairs)
    assert "10,000 added" in cheng(*asked, data=tmp_path / "data")
    assert "10,000 as they were" in cheng(*asked, data=tmp_path / "data")
    with city(tmp_path / "data", urban_management) as town:
        yes, all_ = map(sum, zip(*in_time(town).values(), strict=True))
        assert (yes, all_) == (9071, 9995)
        found = rates(town)
    assert {group: found[group] for group in ("市政设施", "环保水务", "社区管理")} == {
        "市政设施": 84.4,
        "环保水务": 95.9,
        "社区管理": 77.1,
    }
