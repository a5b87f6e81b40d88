"""The desk's view of the alerts, on both stores: whose they are, in which order, acknowledged and shelved."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cheng.hub import Hub
from cheng.infrastructure.alert_changes import Found
from cheng.infrastructure.alert_lists import AlertFilters
from cheng.infrastructure.clock import ManualClock
from cheng.kernel.rules import Change
from cheng.standards.durations import hours
from cheng.standards.problems import Refused
from laboratory import high, open_laboratory

pytestmark = pytest.mark.backends
OFFICE, CREW = ("Laboratory office",), ("A crew",)


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock, store_url: str) -> Iterator[Hub]:
    """Three valves are too high, one a second after the other; the first one is over."""
    hub = open_laboratory(tmp_path, clock, store_url)
    for second, thing in enumerate(("valve-1", "valve-2", "valve-3")):
        found(hub, "raised", thing, second)
    found(hub, "cleared", "valve-1", 0)
    yield hub
    hub.close()


def found(hub: Hub, kind: Any, thing: str, onset: int) -> None:
    now = hub.clock.now()
    change = Change(kind, high.key(), 0, now + onset * 1_000_000, now + (60 + onset) * 1_000_000, {"pressure": 120.0})
    hub.alerts.apply([Found(change, hub.things.find(thing))])


def things(hub: Hub, **wanted: Any) -> list[str]:
    return [entry.thing_id for entry in hub.alerts.list(AlertFilters(**wanted)).entries]


def test_standing_ones_first_the_last_on_top(hub: Hub) -> None:
    assert things(hub) == ["valve-3", "valve-2"]
    assert things(hub, view="all") == ["valve-3", "valve-2", "valve-1"]


def test_page_by_page_across_the_border(hub: Hub) -> None:
    seen, cursor = [], None
    for _ in range(3):
        page = hub.alerts.list(AlertFilters(view="all"), 1, cursor)
        seen += [entry.thing_id for entry in page.entries]
        cursor = page.cursor
    assert (seen, cursor) == (["valve-3", "valve-2", "valve-1"], None)


@pytest.mark.parametrize("cursor", ["x", "WzFd", "e30=", "bm90IGpzb24="])
def test_a_cursor_of_nobody_is_refused(hub: Hub, cursor: str) -> None:
    with pytest.raises(Refused, match="first page"):
        hub.alerts.list(None, 10, cursor)


def test_of_the_office_that_owns_and_the_crew_that_is_asked(hub: Hub) -> None:
    assert things(hub, whose=OFFICE) == things(hub, whose=CREW) == ["valve-3", "valve-2"]
    assert things(hub, whose=("Somebody else",)) == things(hub, whose=()) == []
    with pytest.raises(Refused, match="There is no alert"):
        hub.alerts.get("1", ("Somebody else",))


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ({"level": "danger"}, 2),
        ({"level": "notice"}, 0),
        ({"rule": high.key()}, 2),
        ({"thing": "valve-2"}, 1),
        ({"text": "VALVE-2"}, 1),
        ({"text": "3"}, 1),
        ({"text": "%"}, 0),
        ({"areas": ("nowhere",)}, 0),
        ({"acknowledged": False}, 2),
        ({"acknowledged": True}, 0),
    ],
)
def test_filters(hub: Hub, wanted: dict[str, Any], seen: int) -> None:
    assert len(things(hub, **wanted)) == seen


def test_counts(hub: Hub) -> None:
    hub.alerts.acknowledge("2", "li", "Li Ming")
    assert hub.alerts.counts() == hub.alerts.counts(CREW) | {}
    assert {k: n for k, n in hub.alerts.counts(OFFICE).items() if n} == {"danger": 2, "unseen": 1}
    assert not any(hub.alerts.counts(("Somebody else",)).values())


def test_acknowledged_once(hub: Hub) -> None:
    told: list[str] = []
    done = hub.alerts.acknowledge("2", "li", "Li Ming", "Seen.", also=lambda conn: told.append("audited"))
    assert (done.acknowledged_by, done.acknowledged_at) == ("li", hub.clock.now())
    assert hub.alerts.acknowledge("2", "li", "Li Ming") == done
    with pytest.raises(Refused, match="has acknowledged"):
        hub.alerts.acknowledge("2", "wu", "Wu Fang")
    assert told == ["audited"]
    assert [n.kind for n in hub.alerts.notices(done.id)] == ["raised", "acknowledged"]


def test_what_fails_beside_it_undoes_it(hub: Hub) -> None:
    def fail(conn: object) -> None:
        raise OSError("the audit cannot be written")

    with pytest.raises(OSError, match="audit"):
        hub.alerts.acknowledge("2", "li", "Li Ming", also=fail)
    with pytest.raises(OSError, match="audit"):
        hub.alerts.shelve("2", hub.clock.now() + hours(1).us, "li", "Li Ming", "Works", also=fail)
    assert hub.alerts.get("2").acknowledged_at is None
    assert hub.alerts.quiet.now_and_later().shelves == []
    assert things(hub) == ["valve-3", "valve-2"]


def test_a_withdrawn_one_is_not_acknowledged(hub: Hub) -> None:
    now = hub.clock.now()
    gone = Change("withdrawn", high.key(), 0, now + 1_000_000, now + 61_000_000, {})
    hub.alerts.apply([Found(gone, hub.things.find("valve-2"))])
    with pytest.raises(Refused, match="withdrawn"):
        hub.alerts.acknowledge("2", "li", "Li Ming")
    assert things(hub) == ["valve-3"]


def test_shelved_for_one_thing_until_the_time_is_over(hub: Hub, clock: ManualClock) -> None:
    hub.alerts.shelve("2", clock.now() + hours(1).us, "li", "Li Ming", "The valve is being replaced.")
    assert things(hub) == ["valve-3"]
    assert things(hub, view="quiet") == ["valve-2"]
    assert hub.alerts.get("2").standing(clock.now()) == "shelved"
    assert hub.alerts.counts()["quiet"] == 1
    clock.advance(hours(1).us)
    assert things(hub) == ["valve-3", "valve-2"]


def test_shelved_for_all_and_heard_again(hub: Hub, clock: ManualClock) -> None:
    hub.alerts.shelve("2", clock.now() + hours(1).us, "opal", "Opal Xu", "A flood of alerts.", every=True)
    assert things(hub) == []
    (shelf,) = hub.alerts.quiet.now_and_later().shelves
    hub.alerts.unshelve(shelf["id"])
    assert things(hub) == ["valve-3", "valve-2"]
    with pytest.raises(Refused, match="ended already"):
        hub.alerts.unshelve(shelf["id"])


def test_a_window_ends_early(hub: Hub, clock: ManualClock) -> None:
    quiet = hub.alerts.quiet
    window = quiet.maintain({"thing": "valve-1"}, clock.now(), clock.now() + hours(2).us, "li", "New lid")
    clock.advance(60_000_000)
    quiet.finish(window)
    assert quiet.now_and_later().windows[0]["end"] == clock.now()
    with pytest.raises(Refused, match="ended already"):
        quiet.finish(window)


def test_what_a_page_missed(hub: Hub) -> None:
    assert [entry.number for entry in hub.alerts.raised_after(0)] == [2, 3]
    assert [entry.number for entry in hub.alerts.raised_after(2, CREW)] == [3]
    assert hub.alerts.raised_after(0, ("Somebody else",)) == []


def test_by_key_and_what_joined(hub: Hub) -> None:
    first = hub.alerts.get("1")
    assert hub.alerts.by_key(first.key) == first
    assert hub.alerts.by_key("nothing") is None
    assert list(hub.alerts.led_by(first.id)) == []
