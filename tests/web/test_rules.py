"""Rules: in words, with their health, and a dry run that finds what the judge itself would find."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from house import Visitor, json_of
from waterworks import MINUTE, Hydrant, high, open_waterworks, report

from cheng.hub import Hub
from cheng.infrastructure.judges import Judges
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.stretches import Readings

Come = Callable[..., Visitor]
SPIKES = [20.0, 20, 90, 95, 92, 40, 20, 110, 120, 130, 125, 30, 20, 105, 20, 140, 150, 160, 40, 20]
"""kPa, a minute apart: some above 100 for two minutes and more, one for a moment."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_waterworks(tmp_path)
    for number in (1, 2):
        report(opened, f"hydrant-{number}", SPIKES)
    yield opened
    opened.close()


def judged(hub: Hub, threshold: float, hold: int, values: list[float] = SPIKES, things: int = 2) -> int:
    """How many alerts the judge raises when it is asked directly."""
    register = hub.things.register("Hydrant")
    judge = Judge(Hydrant, [Judged.of(high, Hydrant.pressure > threshold, hold)], register)
    times = hub.clock.now() - MINUTE * np.arange(len(values))[::-1]
    field = np.full(len(values), register.columns()["pressure"], np.int32)
    raised = 0
    for slot in range(things):
        slots = np.full(len(values), slot, np.intp)
        rows = Readings(slots, field, times.astype(np.int64), np.array(values), np.full(len(values), np.nan))
        raised += sum(change.kind == "raised" for change in judge.take(rows)[1])
    return raised


# -- reading about them


@pytest.mark.parametrize(("role", "status"), [("", 401), ("citizen", 403), ("officer", 200), ("operator", 200)])
def test_rules_are_for_those_who_work_here(visitor: Come, role: str, status: int) -> None:
    for path in ("/rules.json", "/rules/waterworks/high.json"):
        assert visitor(role).get(path, headers={"accept": "application/json"}).status_code == status


def test_the_list_says_when_each_rule_speaks_and_how_often(visitor: Come) -> None:
    (row,) = json_of(visitor("leader"), "/rules.json?lang=en")["rules"]
    assert (row["condition"], row["level"], row["health"]) == ("pressure > 100 kPa", "danger", "works")
    assert row["day"] == row["month"] == 4


def test_a_rule_in_words(visitor: Come) -> None:
    told = json_of(visitor("officer"), "/rules/waterworks/high.json?lang=en")
    assert told["sentence"] == "Hydrant ‹name› in ‹street› stands at ‹pressure› kPa, its code is ‹code›."
    assert (told["hold"], told["release"]) == ("2 minutes", "pressure < 50 kPa")
    assert told["flows"] == ["Relieve"]
    assert len(told["alerts"]) == 4


def test_an_officer_sees_alerts_of_the_own_department_only(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-4", SPIKES)
    assert len(json_of(visitor("officer"), "/rules/waterworks/high.json")["alerts"]) == 4
    assert len(json_of(visitor("leader"), "/rules/waterworks/high.json")["alerts"]) == 6


def test_a_rule_that_cannot_be_judged_stands_out(hub: Hub, visitor: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judges, "tick", lambda self, now: [])
    hub.judges.failing = {"waterworks.high": "ValueError: no such place"}
    operator = visitor("operator")
    assert "no such place" in operator.get("/rules").text
    assert "no such place" in operator.get("/rules/waterworks/high").text
    assert "no such place" in operator.get("/console").text


def test_there_is_no_rule_that_nobody_declared(visitor: Come) -> None:
    assert visitor("officer").get("/rules/waterworks/low").status_code == 404


# -- dry runs


@pytest.mark.parametrize(("threshold", "hold"), [(100, 2), (80, 2), (100, 0), (115, 1.5), (139, 2), (1000, 2)])
def test_a_dry_run_finds_what_the_judge_finds(hub: Hub, visitor: Come, threshold: float, hold: float) -> None:
    told = json_of(visitor("officer"), f"/rules/waterworks/high/try.json?n0={threshold}&hold={hold}&range=24h")
    assert told["tried"]["alerts"] == judged(hub, threshold, round(hold * MINUTE))
    assert told["present"]["alerts"] == judged(hub, 100, 2 * MINUTE) == 4
    assert sum(told["tried"]["per_day"].values()) == told["tried"]["alerts"]
    assert told["tried"]["readings"] == 2 * len(SPIKES)


def test_a_dry_run_changes_nothing(hub: Hub, visitor: Come) -> None:
    before = json_of(visitor("officer"), "/rules.json")
    json_of(visitor("officer"), "/rules/waterworks/high/try.json?n0=1&range=24h")
    assert json_of(visitor("officer"), "/rules.json") == before
    assert hub.history.count() == 2 * len(SPIKES)


def test_it_works_as_a_form_without_scripts(visitor: Come) -> None:
    page = visitor("officer").get("/rules/waterworks/high/try?n0=80&hold=2&range=24h&lang=en")
    assert page.status_code == 200
    assert '<svg class="bars"' in page.text
    assert 'name="n0" value="80"' in page.text
    assert "as tried" in page.text


def test_only_the_result_comes_for_the_slider(visitor: Come) -> None:
    headers = {"HX-Request": "true"}
    part = visitor("officer").get("/rules/waterworks/high/try?n0=80&range=24h", headers=headers)
    assert "<html" not in part.text
    assert "trial-said" in part.text


def test_the_example_shows_the_alerts_there_would_have_been(hub: Hub, visitor: Come) -> None:
    told = json_of(visitor("officer"), "/rules/waterworks/high/example.json?n0=80&range=24h&thing=hydrant-1")
    assert len(told["spans"]) == judged(hub, 80, 2 * MINUTE, things=1)
    assert [line["value"] for line in told["limits"]] == [80.0, 50.0]
    assert visitor("officer").get("/rules/waterworks/high/example.json?thing=nobody").status_code == 404


@pytest.mark.parametrize("query", ["n0=much", "hold=-1", "hold=99999999", "range=1y", "from=2020-01-01&to=2026-01-01"])
def test_nonsense_is_refused_in_words(visitor: Come, query: str) -> None:
    assert visitor("officer").get(f"/rules/waterworks/high/try.json?{query}").status_code == 400


@pytest.mark.parametrize("role", ["", "citizen"])
def test_a_dry_run_is_not_for_everybody(visitor: Come, role: str) -> None:
    assert visitor(role).get("/rules/waterworks/high/try.json").status_code in (401, 403)
    assert visitor(role).get("/rules/waterworks/high/example.json?thing=hydrant-1").status_code in (401, 403)


def test_a_period_without_readings(visitor: Come) -> None:
    page = visitor("officer").get("/rules/waterworks/high/try?from=2026-10-01T00:00&to=2026-10-02T00:00&lang=en")
    assert "There are no readings in this period." in page.text
