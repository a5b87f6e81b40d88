"""The book of suggestions: learns from closed cases, says how good it is, takes nothing worse than the plain rule."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cheng.apps.city import urban_management
from cheng.chores import learn_dispatching
from cheng.infrastructure import dispatch_book
from cheng.infrastructure.dispatch_book import DispatchBook, Kept, read
from cheng.infrastructure.dispatch_rows import closed_cases, handled_at
from cheng.kernel.flows import Flow, Step
from cheng.kernel.house import Area
from cheng.testing import Town, city
from learnt_cases import FLOW, lay_in

RIVER = {"class": "E0102", "street": "River Street", "source": "collector"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, urban_management) as made:
        yield made


def test_an_empty_city_suggests_nothing_and_says_so(town: Town) -> None:
    book = town.hub.dispatching
    assert book.suggest(FLOW, RIVER) == ()
    assert book.report(FLOW).at == 0
    report = book.train(FLOW)
    assert not report.taken
    assert str(report.said()) == "There are too few closed cases to learn from: 0; 60 are needed."
    assert book.suggest(FLOW, RIVER) == ()


def test_classes_are_suggested_on_the_first_day(town: Town) -> None:
    book = town.hub.dispatching
    for _ in range(2):
        found = book.suggest_class(FLOW, "学校门口的上水井盖不见了，很危险")
        assert found[0][0] == "C0101"
        assert 0 < sum(chance for _, chance in found) <= 1
        book.train(FLOW)
    assert book.suggest_class(FLOW, "???") == ()


def test_it_learns_and_tells_the_cases_that_speak_for_it(town: Town) -> None:
    lay_in(town.hub, 600)
    report = town.hub.dispatching.train(FLOW)
    assert report.taken
    assert [month.month for month in report.months] == ["2026-07", "2026-08", "2026-09"]
    assert report.judged.first >= report.judged.majority > 0
    assert sum(score.cases for score in report.months[-1].classes.values()) == report.months[-1].score.cases
    first = town.hub.dispatching.suggest(FLOW, RIVER)[0]
    assert first.department == "River Street squad"
    assert (first.level, first.count <= first.of) == ("class street", True)
    assert first.of > 50


def test_what_was_learnt_outlives_the_hub(town: Town) -> None:
    lay_in(town.hub, 300)
    town.hub.dispatching.train(FLOW)
    before = town.hub.dispatching
    again = DispatchBook(town.hub.store, [town.hub.model.flows[FLOW]], town.hub.classes, before.calendar, before.clock)
    assert again.suggest(FLOW, RIVER) == before.suggest(FLOW, RIVER)
    assert again.report(FLOW) == before.report(FLOW)


def test_filed_texts_are_learnt_and_judged(town: Town) -> None:
    lay_in(town.hub, 600)
    report = town.hub.dispatching.train(FLOW)
    texts, first, three = report.months[-1].texts
    assert texts == report.months[-1].score.cases
    assert texts >= three >= first > 0.9 * texts
    assert town.hub.dispatching.suggest_class(FLOW, "有一堆垃圾没人清理")[0][0] == "E0102"


def test_a_young_city_is_judged_by_its_newest_cases(town: Town) -> None:
    lay_in(town.hub, 100, datetime(2026, 11, 2, tzinfo=UTC), days=10)
    report = town.hub.dispatching.train(FLOW)
    assert [(month.month, month.score.cases) for month in report.months] == [("2026-11", 20)]


def test_months_long_over_are_not_judged_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_in(town.hub, 600)
    before = town.hub.dispatching.train(FLOW)
    judged: list[str] = []
    scored = DispatchBook._scored

    def noted(self: DispatchBook, flow: str, month: str, *rows: object) -> object:
        judged.append(month)
        return scored(self, flow, month, *rows)  # type: ignore[arg-type]

    monkeypatch.setattr(DispatchBook, "_scored", noted)
    assert town.hub.dispatching.train(FLOW).months == before.months
    assert judged == ["2026-08", "2026-09"]


def test_what_is_worse_than_the_plain_rule_is_not_taken_and_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_in(town.hub, 300)
    book = town.hub.dispatching
    good = book.train(FLOW)
    wrong = {"E0102": dispatch_book.NOTHING + dispatch_book.Score(40, 1, 2, 30, 0, 20.0)}
    monkeypatch.setattr(dispatch_book.dispatching, "judge", lambda *_: wrong)
    report = book.train(FLOW)
    assert not report.taken
    assert report.in_use_since == good.at
    assert str(report.said()).startswith("What was learnt is not taken: it was right in 2.5 %")
    assert book.suggest(FLOW, RIVER)[0].department == "River Street squad"
    assert "not taken" in str(learn_dispatching(town.hub))


def test_the_chore_says_what_came_of_it(town: Town) -> None:
    lay_in(town.hub, 300)
    said = learn_dispatching(town.hub)
    assert str(said).startswith("Learnt from 300 closed cases: right at first in ")


def test_what_another_release_wrote_is_learnt_anew(town: Town) -> None:
    assert read(b"\xc1") == Kept()
    assert read(b"\x81\xa6report\x05") == Kept()


class nobody_chooses(Flow):
    """Departments are declared."""

    steps = (Step("handle", to="Roads"),)


def test_flows_in_which_nobody_chooses_are_left_alone() -> None:
    assert handled_at(nobody_chooses) == ""
    assert handled_at(urban_management.handle_report) == "handle"


def test_a_case_that_went_through_every_stage_is_a_row(town: Town) -> None:
    centre, command = "Urban Management Supervision Centre", "Urban Management Command Centre"
    corners = [[106.5, 29.5], [106.6, 29.5], [106.6, 29.6], [106.5, 29.6], [106.5, 29.5]]
    area = {"type": "Polygon", "coordinates": [corners]}
    town.register(Area, "area:river-street", at=area, name="River Street", level="street")
    about = {"class_code": "C0101", "source": "collector", "place": (106.55, 29.56)}
    told = town.hears(urban_management.handle_report, "井盖不见了", **about)
    leader, second = (town.officer(name, centre, "shift-leader") for name in ("Ban", "Zhang"))
    case = leader.completes(told.case, condition="missing")
    case = town.officer("Pai", command, "dispatcher").completes(case, departments=["Water Supply Company"])
    case = town.officer("Chu", "Water Supply Company", "handler").completes(case, photo=True)
    case = town.officer("Wen", "Water Supply Company").completes(case)
    checker = town.officer("Ji", "River Street collector team", "collector")
    case = second.completes(checker.completes(case, photo=True))
    assert case.entry.state == "closed"
    with town.hub.store.read() as conn:
        row = closed_cases(conn, urban_management.handle_report)[0]
    assert (row.department, row.class_code, row.text) == ("Water Supply Company", "C0101", "井盖不见了")
    facts = {"class": "C0101", "group": "C01", "kind": "C", "source": "collector"}
    assert row.facts == facts | {"street": "River Street", "district": "", "community": ""}
