"""Classes and responsibilities from files into a hub, here and by HTTP, and a second time for nothing."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cheng.apps.city import urban_management
from cheng.kernel.class_rows import COLUMNS, rows_of
from cheng.kernel.house import Area
from cheng.loading import ClassTable, Loaded, Taken, load_classes
from cheng.loading_targets import HereTarget, ThereTarget
from cheng.protocols.files_classes import read_classes, read_responsibilities
from cheng.standards.durations import hours, working_days
from cheng.standards.problems import Refused
from cheng.testing import Town, city
from shared_data import shared
from test_loading import Wire

FLOW = urban_management.handle_report.key()
TODAY = date(2026, 11, 20)
HEAD = "code,group,name,condition,text,limit,unit,closes,since\n"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path / "data", urban_management) as town:
        yield town


@pytest.fixture(params=["here", "there"])
def target(request: pytest.FixtureRequest, town: Town) -> Any:
    return HereTarget(town.hub) if request.param == "here" else ThereTarget(Wire(town), local=True)


def quiet(rows: int, total: int, taken: Taken) -> None:
    assert rows == total


def load(target: Any, path: Path, since: str = "", flow: str = "") -> Loaded:
    return load_classes(target, ClassTable("classes", flow, since, []), path, read_classes(path), quiet)


def put(folder: Path, text: str) -> Path:
    (folder / "classes.csv").write_text(text, "utf-8")
    return folder / "classes.csv"


def exported(town: Town) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()
    for version in town.hub.classes.all(FLOW):
        writer.writerows(rows_of(version))
    return stream.getvalue()


def test_what_was_written_out_changes_nothing_when_it_comes_back(town: Town, target: Any, tmp_path: Path) -> None:
    loaded = load(target, put(tmp_path, exported(town)))
    assert loaded.refused == []
    assert dict(+loaded.counts) == {"unchanged": len(town.hub.classes.all(FLOW))}


def test_a_limit_changed_in_the_table_begins_today_or_on_the_day_asked_for(
    town: Town, target: Any, tmp_path: Path
) -> None:
    version = town.hub.classes.get(FLOW, "E0102")
    assert version is not None
    changed = replace(version, conditions=tuple(replace(each, limit=hours(3)) for each in version.conditions))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()
    writer.writerows(rows_of(changed))
    loaded = load(target, put(tmp_path, stream.getvalue()), since="2026-12-01")
    assert (loaded.counts["changed"], loaded.refused) == (1, [])
    assert town.hub.classes.standard(FLOW, "E0102", "main").limit != hours(3)
    assert town.hub.classes.standard(FLOW, "E0102", "main", date(2026, 12, 1)).limit == hours(3)


def test_each_refused_row_says_line_and_reason_and_stops_nothing_else(town: Town, target: Any, tmp_path: Path) -> None:
    rows = (
        "E0680,Other,Kites,flies,A kite flies,2,hours,It is down,\n"
        "E0681,Other,Drones,flies,A drone flies,soon,hours,It is down,\n"
        "E0102,Streets,Refuse,piled,Refuse lies about,4,hours,It is clean,2026-01-01\n"
        "Q1,Other,What,x,y,4,hours,z,\n"
        "E0682,Other,Nothing,,,,,,\n"
    )
    loaded = load(target, put(tmp_path, HEAD + rows))
    assert loaded.counts["added"] == 1
    assert [(error.line, error.code) for error in loaded.refused] == [
        (3, "limit"),
        (4, "past"),
        (5, "bad-class"),
        (6, "bad-class"),
    ]
    assert "at least one filing condition" in loaded.refused[3].reason
    assert town.hub.classes.get(FLOW, "E0680") is not None
    assert any("soon" in reason for reason in town.refused())


def test_whose_classes_they_are_has_to_be_clear(town: Town, tmp_path: Path) -> None:
    path = put(tmp_path, HEAD + "E0680,Other,Kites,flies,A kite flies,2,hours,It is down,\n")
    with pytest.raises(Refused, match="ways of work with classes are urban_management"):
        load(HereTarget(town.hub), path, flow="nobody")
    assert load(HereTarget(town.hub), path, flow="handle_report").counts["added"] == 1


def responsibilities(target: Any, folder: Path, text: str) -> Loaded:
    path = put(folder, "prefix,area,departments,since\n" + text)
    table = ClassTable("responsibilities", "", "", [])
    return load_classes(target, table, path, read_responsibilities(path), quiet)


def test_who_answers_where_is_loaded_by_id_or_name_of_the_area(town: Town, target: Any, tmp_path: Path) -> None:
    town.register(Area, "s1", name="East Street", level="street")
    rows = "E01,s1,East sweepers,\nE0102,East Street,Crew A; Crew B,2026-12-01\nE01,West,Nobody,\nE,,{city} squad,\n"
    loaded = responsibilities(target, tmp_path, rows)
    assert loaded.counts["added"] == 2
    assert [(error.line, error.code) for error in loaded.refused] == [(4, "area"), (5, "bad-responsibility")]
    book, values = town.hub.classes, {"street_id": "s1"}
    assert book.responsible(FLOW, "E0102", values) == ("East sweepers",)
    assert book.responsible(FLOW, "E0102", values, date(2026, 12, 1)) == ("Crew A", "Crew B")
    assert responsibilities(target, tmp_path, rows).counts["unchanged"] == 2


def test_a_real_taxonomy_of_517_rows_is_loaded_and_again_for_nothing(town: Town) -> None:
    path = shared("service_requests/tipdm2020_c/category_taxonomy_3level.csv")
    loaded = load(HereTarget(town.hub), path)
    assert (loaded.counts["added"], loaded.refused) == (517, [])
    assert load(HereTarget(town.hub), path).counts["unchanged"] == 517
    tomorrow = town.hub.classes.all(FLOW, TODAY + timedelta(1))
    assert len([version for version in tomorrow if version.source == "taxonomy of three levels"]) == 517


def test_categories_of_amsterdam_are_loaded_with_who_answers_for_them(town: Town) -> None:
    path = shared("service_requests/signalen_categories.json")
    loaded = load(HereTarget(town.hub), path)
    assert (loaded.counts["added"], loaded.refused) == (77, [])
    book = town.hub.classes
    bins = next(version for version in book.all(FLOW) if version.name == "Container is vol")
    assert bins.conditions[0].limit == working_days(3)
    assert book.responsible(FLOW, bins.code, {}) == tuple(f"Signalen department {n}" for n in (6, 5, 12))
    assert load(HereTarget(town.hub), path).counts["unchanged"] == 77
