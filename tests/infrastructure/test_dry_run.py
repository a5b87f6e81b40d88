"""A dry run over history gives what the live judging gave, and what another setting would have given."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cheng.apps.city import manhole_covers
from cheng.apps.city.manhole_covers import Cover, unheard
from cheng.infrastructure import dry_run
from cheng.infrastructure.dry_run import try_rule
from cheng.kernel.dry_runs import DryRun, Setting
from cheng.kernel.observations import Batch
from cheng.standards.durations import hours, minutes
from cheng.testing import Town, city
from works import small_works
from works.small_works import Knock, Pump, hot, knocking

FAR = 1 << 60


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, small_works) as town:
        town.register(Pump, "p1", site="North")
        town.register(Pump, "p2", site="South")
        yield town


def tried(town: Town, *settings: Setting, rule: type = hot) -> list[DryRun]:
    now = town.clock.now()
    return try_rule(town.hub.things, town.hub.history, rule, settings or (Setting(),), now - hours(240).us, now + 1)


def test_the_same_setting_gives_the_alerts_that_were_raised(town: Town) -> None:
    random = np.random.default_rng(7)
    heat = {"p1": 75.0, "p2": 75.0}
    for _ in range(120):
        for pump in heat:
            heat[pump] += float(random.normal(0, 4)) - (heat[pump] - 77) / 10
            town.reports(pump, heat=round(heat[pump], 1))
        town.passes(minutes(1))
    raised = [(a.thing, a.onset, a.raised, a.cleared) for a in town.alerts(hot, over=True)]
    assert len(raised) >= 3
    (run,) = tried(town)
    assert sorted((t.thing, t.onset, t.raised, t.cleared) for t in run.alerts) == sorted(raised)
    assert run.alerts[0].values["heat"] > 80


def test_another_threshold_and_hold_are_tried_beside_it(town: Town) -> None:
    for heat in (60, 78, 78, 78, 85, 60):
        town.reports("p1", heat=heat)
        town.passes(minutes(1))
    as_it_is, lower, at_once = tried(town, Setting(), Setting(threshold=75), Setting(hold=0))
    assert as_it_is.alerts == []
    assert [a.onset for a in lower.alerts] == [town.clock.now() - minutes(5).us]
    assert lower.condition == "heat > 75"
    assert len(at_once.alerts) == 1
    assert as_it_is.readings == lower.readings == 6


def test_counts_go_by_the_days_of_the_city(town: Town) -> None:
    for _ in range(2):
        town.reports("p1", heat=90)
        town.reports("p1", heat=20)
        town.passes(minutes(1))
        town.passes(hours(24))
    (run,) = tried(town, Setting(hold=0, threshold=10))
    told = run.told(town.hub.calendar)
    assert told["per_day"] == {"2026-11-20": 1}  # it never falls below 10, so it stands through the second day
    assert told["first"][0]["thing"] == "p1"


def test_events_are_tried_as_well(town: Town) -> None:
    for force in (2, 6, 9):
        town.happens(Knock, pump="p1", force=force)
        town.passes(minutes(1))
    as_it_is, harder = tried(town, Setting(), Setting(threshold=8), rule=knocking)
    assert [len(as_it_is.alerts), len(harder.alerts)] == [2, 1]
    assert {alert.thing for alert in as_it_is.alerts} == {"p1"}


def test_nothing_is_raised_and_nothing_kept(town: Town) -> None:
    town.reports("p1", heat=95)
    tried(town, Setting(hold=0))
    assert town.alerts(over=True) == []


def test_a_long_time_is_judged_in_batches_of_one_size(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cheng.infrastructure.dry_run.ROWS", 100)
    things, start = town.hub.things, town.clock.now() - hours(100).us
    pump, heat = things.find("p1"), things.attributes["Pump", "heat"]
    assert pump is not None
    count = 1000
    times = start + np.arange(count) * minutes(1).us
    values = np.where(np.arange(count) % 50 < 5, 90.0, 50.0)
    town.hub.history.append(Batch.of(np.full(count, pump.idx), np.full(count, heat), times, values))
    (run,) = tried(town)
    assert run.readings == count
    assert len(run.alerts) == 20
    assert run.told(town.hub.calendar)["alerts"] == 20
    assert len(run.told(town.hub.calendar)["first"]) == 10


def test_of_very_many_things_it_draws_some_evenly_and_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MANY", 4)
    monkeypatch.setattr(dry_run, "BLOCK", 2)
    names = [f"p{n}" for n in range(3, 11)]
    for name in names:
        town.register(Pump, name, site="North")
    for _ in range(3):
        for name in ("p1", "p2", *names):
            town.reports(name, heat=90)
        town.passes(minutes(2))
    (whole,) = tried(town)
    assert (whole.things, whole.of) == (4, 10)
    assert sorted(alert.thing for alert in whole.alerts) == ["p1", "p10", "p2", "p9"]
    assert whole.readings == 12


@pytest.mark.parametrize("count", [0, 1, 19_999, 20_000, 20_001, 1_000_000])
def test_a_sample_has_both_ends_and_no_thing_twice(count: int) -> None:
    drawn = dry_run.sample(count)
    assert len(drawn) == len(set(drawn.tolist())) <= 20_000
    assert count < 2 or (drawn[0], drawn[-1]) == (0, count - 1)
    assert len(drawn) == count or len(drawn) > 19_000


def test_things_that_were_not_drawn_are_not_taken_for_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MANY", 2)
    monkeypatch.setattr(dry_run, "BLOCK", 1)
    with city(tmp_path, manhole_covers) as town:
        for n in range(5):
            town.register(Cover, f"c{n}", ward="North", depth=2)
            town.reports(f"c{n}", tilt=1)
        town.passes(hours(30))
        town.reports("c2", tilt=1)
        (run,) = tried(town, rule=unheard)
    assert sorted(alert.thing for alert in run.alerts) == ["c0", "c4"]
