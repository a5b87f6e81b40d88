"""Indicators and applications: numbers that open down to their rows, and sentences that say what is done."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from house import Visitor, json_of
from waterworks import MINUTE, alarms, open_waterworks, relieved_in_time, report

from cheng.hub import Hub

Come = Callable[..., Visitor]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_waterworks(tmp_path)
    for number in (1, 2, 4):
        report(opened, f"hydrant-{number}", [120.0] * 4)
    opened.clock.advance(120 * MINUTE)  # type: ignore[attr-defined]  # a manual clock
    opened.indicators.keep_all(3)
    yield opened
    opened.close()


def test_indicators_have_value_target_and_course(visitor: Come) -> None:
    told = {row["key"]: row for row in json_of(visitor("leader"), "/indicators.json?lang=en")["indicators"]}
    late = told["waterworks.relieved_in_time"]
    assert (late["value"], late["met"], late["text"], late["target_text"]) == (0.0, False, "0%", "90%")
    assert told["waterworks.alarms"]["value"] == 3
    assert late["trend"][-1]["value"] == 0.0


def test_nothing_about_them_is_public_unless_it_says_so(visitor: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json_of(visitor("citizen"), "/indicators.json")["indicators"] == []
    assert visitor("citizen").get("/indicators/waterworks/alarms.json").status_code == 403
    assert visitor("citizen").get("/indicators/waterworks/alarms/trend.json").status_code == 403
    monkeypatch.setattr(alarms, "public", True, raising=False)
    told = json_of(visitor("citizen"), "/indicators/waterworks/alarms.json")
    assert told["value"] == 3
    assert told["rows"] == []


def test_an_indicator_opens_down_to_its_rows(hub: Hub, visitor: Come) -> None:
    told = json_of(visitor("leader"), "/indicators/waterworks/relieved_in_time.json?range=24h")
    now = hub.clock.now()
    value = hub.indicators.value(relieved_in_time, now - 24 * 60 * MINUTE, now + 1)
    assert (told["numerator"], told["denominator"]) == (value.numerator, value.denominator) == (0.0, 3.0)
    assert len(told["rows"]) == told["counted"] == 3
    assert all(row["url"].startswith("/desk/cases/") for row in told["rows"])
    assert {row["name"] for row in told["by_department"]} == {"Water office"}


def test_rows_of_others_are_counted_and_not_shown(visitor: Come) -> None:
    told = json_of(visitor("officer"), "/indicators/waterworks/alarms.json?range=24h")
    assert (told["counted"], len(told["rows"])) == (3, 2)
    page = visitor("officer").get("/indicators/waterworks/alarms?range=24h&lang=en").text
    assert "1 of another department is not shown." in page


def test_the_rows_go_on_page_by_page_and_into_a_file(visitor: Come) -> None:
    leader = visitor("leader")
    first = json_of(leader, "/indicators/waterworks/alarms.json?range=24h&limit=2")
    second = json_of(leader, "/indicators/waterworks/alarms.json?range=24h&limit=2&page=2")
    assert (len(first["rows"]), len(second["rows"])) == (2, 1)
    assert len(leader.get("/indicators/waterworks/alarms.csv?range=24h").text.splitlines()) == 4


def test_the_course_is_drawn_with_its_target(visitor: Come) -> None:
    told = json_of(visitor("leader"), "/indicators/waterworks/relieved_in_time/trend.json?range=7d")
    assert told["limits"][0]["value"] == 90.0
    assert told["series"][0]["points"][-1][1] == 0.0


@pytest.mark.parametrize("role", ["officer", "leader", "operator"])
@pytest.mark.parametrize(
    "path", ["/indicators", "/indicators/waterworks/alarms", "/indicators/waterworks/relieved_in_time"]
)
def test_the_pages_for_each_role(visitor: Come, role: str, path: str) -> None:
    assert visitor(role).get(path).status_code == 200


def test_there_is_no_indicator_that_nobody_declared(visitor: Come) -> None:
    assert visitor("leader").get("/indicators/waterworks/luck").status_code == 404


# -- applications


@pytest.mark.parametrize("role", ["", "citizen", "officer", "operator"])
@pytest.mark.parametrize("path", ["/apps", "/apps/city/waterworks", "/135"])
def test_what_the_applications_do_is_open_to_everybody(visitor: Come, role: str, path: str) -> None:
    assert visitor(role).get(path).status_code == 200


def test_an_application_is_told_in_its_own_sentences(visitor: Come) -> None:
    told = json_of(visitor("officer"), "/apps/city/waterworks.json?lang=en")
    assert told["does"] == "Watches the hydrants of the city."
    assert [rule["condition"] for rule in told["rules"]] == ["pressure > 100 kPa"]
    assert told["flows"][0]["steps"][0]["within"] == "1 hour"
    assert [one["name"] for one in told["indicators"]] == ["relieved_in_time", "alarms"]


def test_citizens_are_told_of_public_fields_and_of_no_thresholds(visitor: Come) -> None:
    told = json_of(visitor(), "/apps/city/waterworks.json?lang=en")
    hydrant = next(one for one in told["entities"] if one["name"] == "Hydrant")
    assert [field["name"] for field in hydrant["fields"]] == ["street", "pressure", "valve"]
    assert [(rule["condition"], rule["url"]) for rule in told["rules"]] == [("", "")]


def test_the_drawing_has_five_families_and_three_supports(visitor: Come) -> None:
    told = json_of(visitor(), "/135.json")
    assert (len(told["families"]), len(told["supports"])) == (5, 3)
    assert [app["system"] for app in told["families"][1]["apps"]] == ["G6"]


def test_there_is_no_application_that_nobody_wrote(visitor: Come) -> None:
    assert visitor().get("/apps/city/unicorns").status_code == 404
