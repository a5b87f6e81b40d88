"""What the desk looks for beyond the plain lists, on both stores."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cheng.hub import Hub
from cheng.infrastructure import case_search, case_words
from cheng.infrastructure.case_lists import Filters
from cheng.infrastructure.case_search import Sought
from cheng.infrastructure.clock import ManualClock
from cheng.kernel.standing import Person
from cheng.security.actors import HOUSE
from cheng.standards.durations import minutes
from cheng.standards.problems import Refused
from laboratory import high, open_laboratory

pytestmark = pytest.mark.backends
LI, WU = (Person(name, "A crew", frozenset({"officer"})) for name in ("li", "wu"))
FLOW = "laboratory.relieve"
PASSWORD = "quiet-lantern-river-47"


@dataclass
class Cases:
    """A hub and its cases by the thing they are about."""

    hub: Hub
    ids: dict[str, str]

    def find(self, newest: bool = False, **sought: Any) -> list[str]:
        page = case_search.find(self.hub.store, self.hub.clock.now(), Sought(**sought), newest)
        return [entry.thing_id for entry in page.entries]


@pytest.fixture
def cases(tmp_path: Path, clock: ManualClock, store_url: str) -> Iterator[Cases]:
    """Valve 1 of bench A, valve 2 a minute later, and one of bench B that nobody's rule found."""
    hub = open_laboratory(tmp_path, clock, store_url)
    ids = {}
    for thing, bench, area in (("valve-1", "A", "north"), ("valve-2", "A", "south"), ("valve-9", "B", "south")):
        about: dict[str, Any] = {"values": {"id": thing, "bench": bench, "name": f"阀门 {thing}"}, "area": area}
        about |= {"rule": high.key()} if bench == "A" else {"text": "It drips on the 地板."}
        ids[thing] = hub.cases.open_case(FLOW, **about).entry.id
        clock.advance(minutes(1).us)
    yield Cases(hub, ids)
    hub.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("valve", ["valve-1", "valve-2", "valve-9"]),
        ("VALVE-2", ["valve-2"]),
        ("阀门", ["valve-1", "valve-2", "valve-9"]),
        ("地板", ["valve-9"]),
        ("20261120-000002", ["valve-2"]),
        ("%", []),
        ("_", []),
        ("'; --", []),
    ],
)
def test_words(cases: Cases, text: str, found: list[str]) -> None:
    assert cases.find(text=text) == found


def test_rules_whose_sentence_has_the_words(cases: Cases) -> None:
    assert cases.find(text="stands at", rules=(high.key(),)) == ["valve-1", "valve-2"]


def test_classes_whose_name_has_the_words(cases: Cases) -> None:
    about: dict[str, Any] = {"values": {"id": "valve-7", "bench": "B", "class": "C0101", "address": "文风路 40 号"}}
    cases.hub.cases.open_case(FLOW, **about)
    assert cases.find(text="manhole", classes=("C0101",)) == ["valve-7"]
    assert cases.find(text="valve-2", classes=("C0101",)) == ["valve-2", "valve-7"]
    assert cases.find(text="文风路 40") == ["valve-7"]
    assert cases.find(text="40号") == [], "it is written with a blank"
    assert cases.find(text="ＶＡＬＶＥ 7") == ["valve-7"], "all of the words, in any order and width"


def test_many_are_met_on_the_way_and_the_answer_is_the_same(cases: Cases, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [cases.find(newest, text=text) for newest in (False, True) for text in ("valve", "地板", "a", "阀门 valve")]
    monkeypatch.setattr(case_words, "RARE", 0)
    assert few == [cases.find(n, text=t) for n in (False, True) for t in ("valve", "地板", "a", "阀门 valve")]
    assert few[0] == ["valve-1", "valve-2", "valve-9"]


def test_areas(cases: Cases) -> None:
    assert cases.find(areas=("south",)) == ["valve-2", "valve-9"]
    assert cases.find(areas=("south", "north"), text="valve-1") == ["valve-1"]


def test_what_waits_for_a_decision(cases: Cases) -> None:
    assert cases.find(waiting=True) == []
    cases.hub.cases.act(cases.ids["valve-2"], "extend", LI, {"reason": "The part is missing."})
    assert cases.find(waiting=True) == ["valve-2"]


def test_what_one_once_had(cases: Cases) -> None:
    closed = Filters(states=("closed", "void", "merged"))
    first = cases.ids["valve-1"]
    cases.hub.cases.act(first, "complete", LI)
    cases.hub.cases.act(first, "complete", WU, {"reason": "The gauge is off; I looked myself."})
    assert cases.find(True, filters=closed, involved=("A crew",)) == ["valve-1"]
    assert cases.find(True, filters=closed, involved=("B crew",)) == []


def test_what_one_once_had_is_narrowed_as_every_list(cases: Cases, clock: ManualClock) -> None:
    for n in range(8):
        cases.hub.cases.open_case(FLOW, values={"id": f"v{n}", "bench": "AB"[n % 2]}, area="xy"[n // 2 % 2])
        clock.advance(1)
    alive = Filters(states=("open", "suspended"))
    whose = {"A crew": {"v0", "v2", "v4", "v6"}, "B crew": {"v1", "v3", "v5", "v7"}}
    for departments in (("A crew",), ("B crew",), ("A crew", "B crew")):
        theirs = set[str]().union(*(whose[name] for name in departments))
        in_x = cases.find(True, filters=alive, areas=("x",), involved=departments)
        assert set(in_x) == theirs & {"v0", "v1", "v4", "v5"}
        assert cases.find(True, filters=alive, text="v3", involved=departments) == sorted(theirs & {"v3"})
        one = replace(alive, thing_id="v2")
        assert cases.find(True, filters=one, involved=departments) == sorted(theirs & {"v2"})
    sought = Sought(alive, involved=("B crew",))
    first = case_search.find(cases.hub.store, clock.now(), sought, True, 2)
    rest = case_search.find(cases.hub.store, clock.now(), sought, True, 9, first.cursor or "")
    assert [entry.thing_id for entry in (*first.entries, *rest.entries)] == ["v7", "v5", "v3", "v1", "valve-9"]


@pytest.mark.parametrize("newest", [False, True])
def test_page_by_page(cases: Cases, newest: bool) -> None:
    seen, cursor = [], ""
    for _ in range(3):
        page = case_search.find(cases.hub.store, cases.hub.clock.now(), Sought(text="valve"), newest, 1, cursor)
        seen += [entry.thing_id for entry in page.entries]
        cursor = page.cursor or ""
    assert seen == cases.find(newest, text="valve")
    assert cursor == ""
    with pytest.raises(Refused, match="first page"):
        case_search.find(cases.hub.store, 0, Sought(), newest, 1, "nothing")


def test_lights_agree_with_the_list(cases: Cases, clock: ManualClock) -> None:
    clock.advance(minutes(7).us + minutes(0.5).us)
    now = clock.now()
    counted = case_search.lights(cases.hub.store, now, Sought(text="valve"))
    assert counted == {"red": 1, "yellow": 2, "green": 0, "suspended": 0}
    for light in ("red", "yellow", "green"):
        assert len(cases.find(filters=Filters(light=light), text="valve")) == counted[light]


def test_people_and_departments(cases: Cases) -> None:
    accounts = cases.hub.accounts
    accounts.create(HOUSE, "li", "Li Ming", ["officer"], "A crew", PASSWORD)
    accounts.create(HOUSE, "lena", "Lena Zhao", ["leader"], "A crew", PASSWORD)
    accounts.create(HOUSE, "opal", "Opal Xu", ["operator"], "", PASSWORD)
    accounts.create(HOUSE, "gone", "Gone Away", ["officer"], "C crew", PASSWORD)
    accounts.change(HOUSE, "gone", disabled=True)
    store = cases.hub.store
    assert case_search.officers(store, ("A crew", "C crew")) == [("li", "Li Ming")]
    assert case_search.names(store, ["li", "stranger", ""]) == {"li": "Li Ming", "stranger": "stranger"}
    assert case_search.names(store, []) == {}
    assert case_search.all_departments(store) == ["A crew"]
