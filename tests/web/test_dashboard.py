"""The dashboard: the wall, an hour played again, and the report of a day, as a page, as data and on paper."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from house import Visitor, json_of
from waterworks import MINUTE, START, open_waterworks, report

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing

Come = Callable[..., Visitor]
TODAY = date(2026, 11, 20)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Hydrant 1 was too high from two minutes ago until a minute later, hydrant 4 still is."""
    opened = open_waterworks(tmp_path)
    square = [[119.9, 29.9], [120.5, 29.9], [120.5, 30.1], [119.9, 30.1], [119.9, 29.9]]
    place = {"type": "Polygon", "coordinates": [square]}
    area = NewThing("area:1", "Area", "滨江区", properties={"level": "district", "code": "1"}, geometry=place)
    assert not opened.things.put([area], "test").refused
    opened.clock.set(START + 30 * MINUTE)
    report(opened, "hydrant-1", [150.0, 150.0, 150.0, 150.0, 20.0])
    report(opened, "hydrant-4", [150.0, 150.0, 150.0, 150.0])
    yield opened
    opened.close()


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/numbers", "/dashboard/happening", "/dashboard/replay"])
def test_the_wall_is_for_those_who_lead_and_run_the_city(visitor: Come, path: str) -> None:
    for role in ("leader", "operator", "dispatcher", "reviewer"):
        assert visitor(role).get(path).status_code == 200, role
    for role in ("officer", "citizen"):
        assert visitor(role).get(path).status_code == 403, role
    assert visitor().get(path).status_code in (302, 303, 401)


def test_the_wall_says_what_stands(visitor: Come) -> None:
    page = visitor("leader").get("/dashboard?lang=en")
    assert "Hydrant H4" in page.text
    assert 'data-theme="dark"' in page.text
    data = json_of(visitor("leader"), "/dashboard.json")
    assert data["counts"] == {"things": 5, "alerts": 1, "open": 2, "late": 0}
    assert data["by_level"]["danger"] == 1
    drawn = {app["key"]: app for family in data["drawing"] for app in family["apps"]}
    assert (drawn["city/waterworks"]["alerts"], drawn["city/waterworks"]["worst"]) == (1, "danger")


def test_the_sides_come_alone_when_they_are_asked_for_again(visitor: Come) -> None:
    side = visitor("leader").get("/dashboard/happening", headers={"HX-Request": "true"})
    assert "<html" not in side.text
    assert "H4" in side.text


def test_an_operator_hears_nothing_of_cases(visitor: Come) -> None:
    assert set(json_of(visitor("operator"), "/dashboard.json")["counts"]) == {"things", "alerts"}
    day = json_of(visitor("operator"), f"/dashboard/reports/{TODAY}.json")
    assert day["cases"] is None
    assert "opened" not in day["areas"][0]


def test_an_hour_is_played_as_it_was(hub: Hub, visitor: Come) -> None:
    hour = json_of(visitor("leader"), "/dashboard/replay.json?at=2026-11-20T08:00")
    assert hour["from"] == START // 1000
    first, second = sorted(hour["alerts"], key=lambda each: each["text"])
    assert (first["to"], second["to"]) == ((START + 30 * MINUTE) // 1000, None)
    assert first["place"] == [120.01, 30.0]
    earlier = json_of(visitor("leader"), "/dashboard/replay.json?at=2026-11-20T06:00")
    assert earlier["alerts"] == []


def test_what_moved_is_told_with_its_positions(hub: Hub, visitor: Come) -> None:
    assert json_of(visitor("leader"), "/dashboard/replay.json")["moving"] == []  # nothing in a waterworks moves


def test_an_hour_that_has_not_come_cannot_be_played(visitor: Come) -> None:
    assert visitor("leader").get("/dashboard/replay?at=2030-01-01T00:00").status_code == 400
    assert visitor("leader").get("/dashboard/replay?at=yesterday").status_code == 400


def test_the_report_counts_what_the_day_brought(hub: Hub, visitor: Come) -> None:
    hub.indicators.keep_all()
    day = json_of(visitor("leader"), f"/dashboard/reports/{TODAY}.json")
    assert (day["alerts"]["raised"], day["alerts"]["standing"]) == (2, 1)
    assert (day["cases"]["opened"], day["cases"]["closed"], day["cases"]["late"]) == (2, 0, 0)
    assert day["areas"] == [{"area": "滨江区", "url": "/areas/area:1", "alerts": 2, "opened": 2}]
    hub.clock.set(START + 36 * 60 * MINUTE)
    late = json_of(visitor("leader"), f"/dashboard/reports/{TODAY}.json")
    assert late["cases"]["late"] == 2
    assert json_of(visitor("leader"), f"/dashboard/reports/{TODAY + timedelta(1)}.json")["alerts"]["raised"] == 0


def test_a_day_that_is_none_or_has_not_come_is_refused(visitor: Come) -> None:
    assert visitor("leader").get("/dashboard/reports/someday").status_code == 404
    assert visitor("leader").get(f"/dashboard/reports/{TODAY + timedelta(1)}").status_code == 400


@pytest.mark.parametrize("role", ["leader", "operator"])
@pytest.mark.parametrize("lang", ["zh_CN", "en"])
def test_the_report_goes_on_paper(visitor: Come, role: str, lang: str) -> None:
    answer = visitor(role).get(f"/dashboard/reports/{TODAY}/report.pdf?lang={lang}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert b"%%EOF" in answer.content[-1024:]
    assert visitor("officer").get(f"/dashboard/reports/{TODAY}/report.pdf").status_code == 403


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59", "yesterday", "2026-11-20T08:00+99:00"])
def test_a_moment_that_is_none_is_refused_in_a_sentence(visitor: Come, at: str) -> None:
    answer = visitor("leader").get("/dashboard/replay", params={"at": at, "lang": "en"})
    assert answer.status_code == 400
    assert "at has to be a date and time, for example 2026-11-20 08:30." in answer.text
