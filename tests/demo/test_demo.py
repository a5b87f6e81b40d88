"""The invented city lives through a day: things go wrong, crews come, some late; it can be left and entered again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from cheng import demo
from cheng.apps.city import manhole_covers, street_lamps, urban_management
from cheng.apps.city.manhole_covers import Cover
from cheng.apps.livelihood import home_safety
from cheng.demo import crews
from cheng.demo.cast import Cast, Chunk, reports_of
from cheng.demo.city.street_lamps import Lamps
from cheng.demo.clock import DemoClock, leave, left_at, open_clock
from cheng.demo.feed import Feed
from cheng.demo.people import SHOWN, accounts, photo
from cheng.demo.town import Town
from cheng.hub import Hub, open_hub
from cheng.infrastructure.blobs import media_type
from cheng.infrastructure.case_lists import Filters
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.tables import accounts as account_rows
from cheng.infrastructure.tables import alerts, commands, refused
from cheng.kernel.model import Model
from cheng.standards.durations import days, hours
from cheng.standards.problems import SpecError
from cheng.testing import START, weak_hasher

EVENING = START + hours(6).us
"""14:00 in the city: seven hours from then on the lamps have gone on."""


def opened(folder: Path, begin: int = EVENING) -> Hub:
    model = Model.of([manhole_covers, street_lamps, home_safety, urban_management])
    return open_hub(Settings(data=folder), DemoClock(begin), model, weak_hasher())


def living(folder: Path, span: int, begin: int = EVENING) -> tuple[Hub, Feed]:
    """A hub with three applications, in which so much time (µs) has been lived through."""
    hub = opened(folder, begin)
    town = Town(seed=3)
    casts: list[Cast] = [make(town, count) for make, count in demo.troupes(hub)]
    voices = [make(town, count, hub.classes) for make, count in demo.choirs(hub)]
    made = accounts(hub, town)
    demo.register(hub, town, casts, demo.unheard, demo.never)
    feed = Feed(hub, casts, voices, 3, made)
    assert isinstance(hub.clock, DemoClock)
    asyncio.run(feed.catch_up(hub.clock, lambda: begin + span, demo.unheard, demo.never))
    return hub, feed


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, Feed]]:
    hub, feed = living(tmp_path_factory.mktemp("demo"), hours(9).us)
    yield hub, feed
    hub.close()


def raised(hub: Hub) -> list[tuple[str, int]]:
    with hub.store.read() as conn:
        return [tuple(row) for row in conn.execute(select(alerts.c.key, alerts.c.raised).order_by(alerts.c.key))]


def test_things_go_wrong_and_are_put_right(day: tuple[Hub, Feed]) -> None:
    hub, feed = day
    with hub.store.read() as conn:
        assert conn.execute(select(refused)).all() == []
    assert feed.sent > 10_000
    assert len(raised(hub)) > 5
    over = hub.cases.list(Filters(states=("closed",))).entries
    assert over
    assert all(entry.area for entry in over)
    acts = hub.cases.acts(over[0].id)
    assert len({act.actor for act in acts if act.verb == "complete"}) > 1
    assert all(act.at <= hub.clock.now() for act in acts)


def test_lamps_do_what_they_are_told(day: tuple[Hub, Feed]) -> None:
    hub, feed = day
    with hub.store.read() as conn:
        assert conn.execute(select(commands.c.thing).where(commands.c.command == "dim")).first() is not None
    lamps = next(cast for cast in feed.casts if isinstance(cast, Lamps))
    assert (lamps.level > 0).mean() > 0.8
    levels = hub.things.current("Lamp", "level")
    assert (levels > 0).mean() > 0.8


def test_everything_finds_its_district(day: tuple[Hub, Feed]) -> None:
    hub, _ = day
    covers = hub.things.of_type("Cover")
    assert covers
    for cover in covers[:50]:
        district = hub.things.find(cover.areas[0])
        assert district is not None
        assert district.name == cover.properties["ward"]


def test_every_department_that_gets_a_case_is_registered(day: tuple[Hub, Feed]) -> None:
    hub, _ = day
    known = {thing.name for thing in hub.things.of_type("Department")}
    for entry in hub.cases.list(Filters(states=("open", "closed")), limit=500).entries:
        assert set(entry.departments) <= known


def test_the_same_seed_gives_the_same_day(tmp_path: Path) -> None:
    days = []
    for name in ("one", "two"):
        hub, _ = living(tmp_path / name, hours(2).us)
        days.append(raised(hub))
        hub.close()
    assert days[0] == days[1]


def test_a_city_that_was_left_goes_on_from_there(tmp_path: Path) -> None:
    hub, feed = living(tmp_path, hours(1).us)
    things, passwords = len(hub.things), feed.accounts
    assert {name for name, _ in passwords} == {name for name, *_ in SHOWN}
    feed.stop()
    hub.close()
    at = left_at(tmp_path)
    assert at is not None
    assert 0 <= at - EVENING - hours(1).us < hours(1).us
    hub, feed = living(tmp_path, hours(1).us, begin=at)
    assert len(hub.things) == things
    assert feed.accounts == []  # they are there, and their passwords are nobody else's business
    with hub.store.read() as conn:
        names = conn.execute(select(account_rows.c.name)).scalars().all()
    assert len(set(names)) == len(names)
    hub.close()


def test_a_city_that_was_stopped_while_it_was_filled_is_filled_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "AT_A_TIME", 100)
    whole, feed = living(tmp_path / "whole", hours(1).us)
    wanted = len(whole.things)
    whole.close()
    town, told = Town(seed=3), list[str]()
    hub = opened(tmp_path / "parts")
    casts: list[Cast] = [make(town, count) for make, count in demo.troupes(hub)]
    demo.register(hub, town, casts, told.append, lambda: len(told) > 2)
    assert 300 < len(hub.things) < wanted
    assert told[-1].startswith("registering its things: 200 of 1,")
    hub.close()
    hub, feed = living(tmp_path / "parts", hours(1).us)
    assert len(hub.things) == wanted
    feed.stop()
    hub.close()


def test_a_past_that_is_stopped_is_noted_and_lived_on(tmp_path: Path) -> None:
    hub, feed = living(tmp_path, hours(1).us)
    assert isinstance(hub.clock, DemoClock)
    told: list[str] = []
    wall = feed.last + hours(4).us
    asyncio.run(feed.catch_up(hub.clock, lambda: wall, told.append, lambda: len(told) > 1))
    feed.stop()
    hub.close()
    at = left_at(tmp_path)
    assert at is not None
    assert feed.last == at
    assert hours(3).us < wall - at < hours(4).us
    assert told[0] == "living through its past: 4.0 hours to go"


def test_it_lives_on_until_it_is_told_to_stop(tmp_path: Path) -> None:
    hub, feed = living(tmp_path, hours(1).us)
    feed.start()
    feed.stop()
    assert left_at(tmp_path) is not None
    hub.close()


def test_crews_take_up_every_open_case_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "PAGE", 3)
    hub, feed = living(tmp_path, hours(3).us)
    unsolved = {case.entry.id for case in crews.Crews(hub, 3, lambda thing, at: None)._fresh()}
    assert len(unsolved) > 6
    assert unsolved == {entry.id for entry in hub.cases.list(Filters(states=("open",)), limit=500).entries}
    assert list(feed.crews._fresh()) == []
    hub.close()


def test_the_clock_stands_is_moved_and_goes(tmp_path: Path) -> None:
    clock = open_clock(tmp_path, 1, hours(48).us, wall=lambda: START)
    assert clock.now() == START - hours(48).us
    assert open_clock(tmp_path, 1, days(30).us, wall=lambda: START).now() == START - days(30).us
    assert clock.set(START - hours(1).us) == START - hours(1).us
    assert clock.set(START - hours(2).us) == START - hours(1).us  # never back
    clock.go()
    assert not clock.standing
    assert clock.now() >= START - hours(1).us
    leave(tmp_path, START + 5)
    assert open_clock(tmp_path, 1, hours(48).us, wall=lambda: START).now() == START + 5
    assert open_clock(tmp_path, 1, days(30).us, wall=lambda: START).now() == START + 5  # it has its past
    (tmp_path / "demo.json").write_text("rubbish")
    assert left_at(tmp_path) is None


def test_there_are_three_sizes(tmp_path: Path) -> None:
    hub = open_hub(Settings(data=tmp_path), DemoClock(START), Model.of([manhole_covers]), weak_hasher())
    with pytest.raises(SpecError, match="choose one of small, district, city"):
        demo.start(hub, scale="huge")
    assert Cover.__name__ not in {thing.type for thing in hub.things.by_idx}
    hub.close()


def test_photos_are_photos() -> None:
    assert {media_type(photo(n), photo=True) for n in range(3)} == {"image/png"}
    assert photo(1) != photo(2)


def test_columns_leave_out_what_is_not_reported() -> None:
    chunk = Chunk(["a", "b"], np.arange(2), {"x": [1.0, float("nan")], "state": ["", "open"], "p": ([1, 2], [3, 4])})
    reports = reports_of([chunk])
    assert len(reports) == 4
    assert reports.texts == ["open"]
    assert sorted(reports.attrs[n] for n in reports.attr) == ["p", "p", "state", "x"]


def test_reports_go_through_all_stages_some_are_nothing_and_some_work_is_done_again(day: tuple[Hub, Feed]) -> None:
    hub, _ = day
    flow = "urban_management.handle_report"
    over = hub.cases.list(Filters(flow=flow, states=("closed", "void")), order="newest", limit=500).entries
    assert {entry.state for entry in over} == {"closed", "void"}
    runs = [hub.cases.get(entry.id).case.runs for entry in over]
    stages = {run.step for case in runs for run in case}
    assert stages == {"accept", "verify", "file", "dispatch", "handle", "feedback", "check", "close"}
    under_way = hub.cases.list(Filters(flow=flow, states=("open",)), order="newest", limit=500).entries
    runs += [hub.cases.get(entry.id).case.runs for entry in under_way]
    assert any(run.outcome == "returned" for case in runs for run in case)
    assert {entry.source for entry in over} >= {"collector", "hotline", "citizen"}
    assert len({entry.class_code for entry in over}) > 10
