"""The book of alerts: each once, grouped, quiet where asked, corrected with a notice, and followed by its case."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cheng.hub import Hub
from cheng.infrastructure import alert_book
from cheng.infrastructure.alert_changes import Found, broken
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.tables import acts, alert_notices, alerts, cases
from cheng.kernel.cases import Person
from cheng.kernel.rules import Change, near
from cheng.standards.durations import minutes
from cheng.standards.problems import Refused
from laboratory import high, open_laboratory, rang, relieve

MINUTE = 60_000_000
pytestmark = pytest.mark.backends


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock, store_url: str) -> Iterator[Hub]:
    hub = open_laboratory(tmp_path, clock, store_url)
    yield hub
    hub.close()


def change(hub: Hub, kind: Any, thing: str = "valve-1", onset: int = 0, time: int = 60) -> Found:
    now = hub.clock.now()
    known = hub.things.find(thing)
    values = {"pressure": 120.0} if kind == "raised" else {}
    return Found(Change(kind, high.key(), 0, now + onset * 1_000_000, now + time * 1_000_000, values), known)


def rows(hub: Hub, table: Any) -> list[dict[str, Any]]:
    with hub.store.read() as conn:
        return [dict(row) for row in conn.execute(select(table).order_by(*table.primary_key)).mappings()]


def test_an_alert_told_twice_is_one(hub: Hub) -> None:
    assert [topic for topic, _ in hub.alerts.apply([change(hub, "raised")])] == ["alerts/raised"]
    assert hub.alerts.apply([change(hub, "raised")]) == []
    assert len(rows(hub, alerts)) == len(rows(hub, cases)) == 1


def test_an_end_is_written_and_the_case_is_told(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised"), change(hub, "cleared", time=90)])
    (alert,) = rows(hub, alerts)
    assert alert["cleared"] == hub.clock.now() + 90_000_000
    assert [act["verb"] for act in rows(hub, acts)] == ["open", "alert_cleared"]
    assert hub.alerts.apply([change(hub, "cleared", time=90)]) == []


def test_a_moved_alert_keeps_its_identity_and_its_case(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised")])
    hub.alerts.apply([change(hub, "moved", time=-5)])
    (alert,) = rows(hub, alerts)
    assert alert["onset"] == hub.clock.now() - 5_000_000
    assert [notice["kind"] for notice in rows(hub, alert_notices)] == ["raised", "moved"]
    assert hub.alerts.apply([change(hub, "raised", onset=-5)]) == []


def test_a_withdrawn_alert_voids_the_case_nobody_touched(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised")])
    assert [topic for topic, _ in hub.alerts.apply([change(hub, "withdrawn")])] == ["alerts/withdrawn"]
    assert [(case["state"]) for case in rows(hub, cases)] == ["void"]
    assert hub.alerts.apply([change(hub, "cleared", time=70)]) == []
    assert [topic for topic, _ in hub.alerts.apply([change(hub, "raised")])] == ["alerts/raised"]
    assert [(case["state"]) for case in rows(hub, cases)] == ["open"]


def test_the_case_of_a_moved_alert_hears_of_its_end(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised")])
    hub.alerts.apply([change(hub, "moved", time=-5)])
    hub.alerts.apply([change(hub, "cleared", onset=-5, time=90)])
    assert [act["verb"] for act in rows(hub, acts)] == ["open", "alert_moved", "alert_cleared"]
    (alert,) = rows(hub, alerts)
    assert [case["alert"] for case in rows(hub, cases)] == [alert["key"]]


def test_an_alert_ends_though_the_application_of_its_case_is_gone(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised"), change(hub, "raised", "valve-2")])
    hub.cases.flows.clear()
    hub.alerts.apply([change(hub, "cleared", time=90), change(hub, "withdrawn", "valve-2")])
    assert {case["thing_id"]: case["state"] for case in rows(hub, cases)} == {"valve-1": "open", "valve-2": "void"}


def test_a_replay_of_all_that_happened_changes_nothing(hub: Hub) -> None:
    happened = [
        *(change(hub, "raised"), change(hub, "cleared", time=90), change(hub, "moved", time=-5)),
        *(change(hub, "reopened", onset=-5, time=90), change(hub, "cleared", onset=-5, time=120)),
        *(change(hub, "raised", "valve-2"), change(hub, "withdrawn", "valve-2")),
    ]
    for one in happened:
        assert hub.alerts.apply([one])
    before = rows(hub, alerts), rows(hub, alert_notices), rows(hub, acts)
    assert hub.alerts.apply(happened) == []
    assert (rows(hub, alerts), rows(hub, alert_notices), rows(hub, acts)) == before


def test_what_is_found_in_one_go_comes_to_the_same_as_one_by_one(hub: Hub) -> None:
    for kind, onset, time in (("raised", 0, 60), ("moved", 0, -5), ("cleared", -5, 90)):
        hub.alerts.apply([change(hub, kind, onset=onset, time=time)])
    hub.alerts.apply(
        [
            *(change(hub, "raised", "valve-2"), change(hub, "moved", "valve-2", time=-5)),
            change(hub, "cleared", "valve-2", onset=-5, time=90),
        ]
    )
    one, other = rows(hub, alerts)
    assert all(one[name] == other[name] for name in ("onset", "raised", "cleared", "state"))


def test_one_that_moves_to_the_place_of_a_withdrawn_one_is_that_one(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised")])
    hub.alerts.apply([change(hub, "withdrawn")])
    hub.alerts.apply([change(hub, "raised", onset=30, time=90)])
    hub.alerts.apply([change(hub, "moved", onset=30, time=0)])
    assert [(alert["onset"] - hub.clock.now(), alert["state"]) for alert in rows(hub, alerts)] == [
        (0, "standing"),
        (30_000_000, "withdrawn"),
    ]
    assert [case["state"] for case in rows(hub, cases)] == ["open", "void"]


def test_several_move_up_in_one_go(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised"), change(hub, "cleared", time=70), change(hub, "raised", onset=100)])
    hub.alerts.apply([change(hub, "moved", onset=100, time=110), change(hub, "moved", time=100)])
    assert [alert["onset"] - hub.clock.now() for alert in rows(hub, alerts)] == [100_000_000, 110_000_000]


def test_raised_and_withdrawn_in_one_go_is_kept_and_opens_nothing(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised"), change(hub, "withdrawn")])
    assert [alert["state"] for alert in rows(hub, alerts)] == ["withdrawn"]
    assert [notice.kind for notice in hub.alerts.notices("1")] == ["raised", "withdrawn"]
    assert rows(hub, cases) == []


def test_the_line_of_an_ordinary_alert_tells_its_story(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised")])
    hub.alerts.apply([change(hub, "cleared", time=90)])
    told = [(notice.kind, notice.detail) for notice in hub.alerts.notices("1")]
    assert told == [("raised", {"state": "standing"}), ("cleared", {"time": hub.clock.now() + 90_000_000})]
    assert rows(hub, alert_notices) == []
    hub.alerts.acknowledge("1", "li", "Li Ming")
    assert [notice["kind"] for notice in rows(hub, alert_notices)] == ["raised", "cleared", "acknowledged"]
    assert [(notice.kind, notice.detail) for notice in hub.alerts.notices("1")][:2] == told
    hub.alerts.apply([change(hub, "reopened", time=90)])
    hub.alerts.apply([change(hub, "cleared", time=95)])
    assert [notice.kind for notice in hub.alerts.notices("1")][3:] == ["moved", "cleared"]


def test_a_storm_of_alerts(hub: Hub) -> None:
    onsets = range(0, 200_000, 1000)
    raised = [change(hub, "raised", onset=onset, time=onset + 60) for onset in onsets]
    cleared = [change(hub, "cleared", onset=onset, time=onset + 90) for onset in onsets]
    assert len(hub.alerts.apply([one for pair in zip(raised, cleared[:100], strict=False) for one in pair])) == 200
    assert len(hub.alerts.apply([*raised[100:], *cleared[:150]])) == 150
    found = rows(hub, alerts)
    assert [alert["number"] for alert in found] == list(range(1, 201))
    assert [alert["cleared"] is None for alert in found] == [False] * 150 + [True] * 50
    assert len({case["number"] for case in rows(hub, cases)}) == 200
    verbs = [act["verb"] for act in rows(hub, acts)]
    assert (verbs.count("open"), verbs.count("alert_cleared")) == (200, 150)


def test_a_flood_goes_in_parts_in_its_order(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_book, "TOGETHER", 1)
    hub.alerts.apply([change(hub, "raised"), change(hub, "cleared", time=70), change(hub, "raised", onset=100)])
    hub.alerts.apply([change(hub, "moved", onset=100, time=110), change(hub, "moved", time=100)])
    assert [alert["onset"] - hub.clock.now() for alert in rows(hub, alerts)] == [100_000_000, 110_000_000]
    hub.alerts.apply([change(hub, "moved", onset=110, time=120), change(hub, "raised", onset=110)])
    assert [alert["onset"] - hub.clock.now() for alert in rows(hub, alerts)] == [100_000_000, 120_000_000, 110_000_000]


def test_nothing_is_put_into_words_for_nobody(hub: Hub) -> None:
    found = [change(hub, "raised"), change(hub, "cleared", time=90)]
    assert [topic for topic, _ in hub.alerts.apply(found, lambda topic: topic == "alerts/cleared")] == [
        "alerts/cleared"
    ]
    assert hub.alerts.noticed == 2


def test_withdrawn_and_raised_again_in_one_go_stands(hub: Hub) -> None:
    hub.alerts.apply([change(hub, "raised")])
    hub.alerts.apply([change(hub, "withdrawn"), change(hub, "raised"), change(hub, "cleared", time=90)])
    (alert,) = rows(hub, alerts)
    assert (alert["state"], alert["cleared"]) == ("standing", hub.clock.now() + 90_000_000)


def test_a_maintenance_window_keeps_the_alert_and_opens_no_case(hub: Hub) -> None:
    now = hub.clock.now()
    hub.alerts.quiet.maintain({"thing": "valve-1"}, now, now + 5 * MINUTE, "me", "new gasket")
    assert hub.alerts.apply([change(hub, "raised"), change(hub, "raised", "valve-2")]) != []
    assert sorted(alert["state"] for alert in rows(hub, alerts)) == ["standing", "suppressed"]
    assert [case["thing_id"] for case in rows(hub, cases)] == ["valve-2"]


def test_a_shelved_rule_is_quiet_until_its_time_is_over(hub: Hub) -> None:
    hub.alerts.quiet.shelve(high.key(), None, hub.clock.now() + 2 * MINUTE, "me", "known fault, part ordered")
    hub.alerts.apply([change(hub, "raised"), change(hub, "raised", onset=120, time=180)])
    assert [alert["state"] for alert in rows(hub, alerts)] == ["shelved", "standing"]


@pytest.mark.parametrize(("until", "reason"), [(-1, "because"), (1, "  ")])
def test_shelving_needs_a_reason_and_an_end_to_come(hub: Hub, until: int, reason: str) -> None:
    with pytest.raises(Refused):
        hub.alerts.quiet.shelve(high.key(), None, hub.clock.now() + until, "me", reason)


def test_alerts_of_one_cause_share_a_case(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(high, "group", near(within=minutes(10)))
    hub.alerts.apply([change(hub, "raised"), change(hub, "raised", "valve-2", time=120)])
    hub.alerts.apply([change(hub, "raised", "valve-3", time=60 + 20 * 60)])
    lead, follower, later = rows(hub, alerts)
    assert (lead["group_id"], follower["group_id"], later["group_id"]) == (None, lead["number"], None)
    assert {case["thing_id"] for case in rows(hub, cases)} == {"valve-1", "valve-3"}
    assert [act["verb"] for act in rows(hub, acts) if act["seq"] == 2] == ["alert_joined"]


def test_a_rule_that_cannot_be_judged_says_so_about_itself(hub: Hub) -> None:
    hub.alerts.apply(broken([(high, "ValueError: no such place")], hub.clock.now()))
    (alert,) = rows(hub, alerts)
    assert (alert["thing"], alert["message_values"]) == (None, {"broken": "ValueError: no such place"})
    assert rows(hub, cases) == []


def test_an_alert_of_an_event_ends_with_its_case(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relieve, "starts", (high, rang))
    now = hub.clock.now()
    bell = Found(Change("raised", rang.key(), 0, now, now, {"valve": "valve-1"}), hub.things.find("valve-1"))
    hub.alerts.apply([bell, change(hub, "raised", "valve-2")])
    assert hub.alerts.end_events() == []
    for case in rows(hub, cases):
        officer = Person("wang", str(case["department"]), frozenset({"officer", "dispatcher"}))
        hub.cases.act(case["id"], "void", officer, {"reason": "a child rang"})
    assert [topic for topic, _ in hub.alerts.end_events()] == ["alerts/cleared"]
    assert [alert["cleared"] for alert in rows(hub, alerts) if alert["rule"] == rang.key()] == [now]
    assert [alert["cleared"] for alert in rows(hub, alerts) if alert["rule"] == high.key()] == [None]
    assert hub.alerts.end_events() == []


def test_an_alert_of_an_event_without_a_case_ends_when_somebody_has_seen_it(hub: Hub) -> None:
    now = hub.clock.now()
    bell = Found(Change("raised", rang.key(), 0, now, now, {"valve": "valve-1"}), hub.things.find("valve-1"))
    hub.alerts.apply([bell])
    assert hub.alerts.end_events() == []
    (alert,) = rows(hub, alerts)
    hub.alerts.acknowledge(str(alert["number"]), "wang", "Wang", "")
    assert [topic for topic, _ in hub.alerts.end_events()] == ["alerts/cleared"]
