"""Counts of a period on both stores: what is due, in time, late, waiting and left out, and every case behind it."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cheng.infrastructure.case_book import CaseBook, Filed
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.evaluation import EvaluationBook
from cheng.infrastructure.evaluation_columns import Lot
from cheng.infrastructure.evaluation_counting import COUNTS, By, Counted, Only, Span
from cheng.infrastructure.store import Store
from cheng.kernel.cases import Flow, Person, Step
from cheng.methods.evaluation import RATES, CallBacks, share
from cheng.standards.calendars import Calendar
from cheng.standards.durations import hours

pytestmark = pytest.mark.backends
HOUR = 3_600_000_000
DAY = 24 * HOUR
PHOTO = {"proof": [{"kind": "photo", "blob": "ab12"}]}
PUBLIC = ("hotline",)


class mend(Flow):
    """What is broken in the street is mended."""

    steps = (
        Step("accept", to="Centre", within=hours(1), only={"source": PUBLIC}),
        Step("verify", to="Collectors", within=hours(2), only={"source": PUBLIC}),
        Step("file", to="Centre", within=hours(1), voids=True),
        Step("dispatch", to="Command", within=hours(1)),
        Step("handle", to="{office}", proof="photo", within=hours(10)),
        Step("feedback", within="rest"),
        Step("check", to="Collectors", within=hours(4)),
        Step("close", to="Centre", within=hours(1)),
    )


def officer(name: str, department: str, *roles: str) -> Person:
    return Person(name, department, frozenset({"officer", *roles}))


AN, BO, CAI = officer("an", "Centre"), officer("bo", "Collectors"), officer("cai", "Collectors")
PAI, ROAD, PARK = officer("pai", "Command", "dispatcher"), officer("lu", "Roads"), officer("yuan", "Parks")
DORA = Person("dora", "Command", frozenset({"dispatcher"}))
RUI, RONG = (Person(name, "Review office", frozenset({"reviewer"})) for name in ("rui", "rong"))


class City:
    """A book of cases whose clock moves on, and the book that evaluates it."""

    def __init__(self, store: Store, clock: ManualClock, folder: Path) -> None:
        self.calendar, self.clock, self.store, self.folder = Calendar(), clock, store, folder
        self.cases = CaseBook(store, [mend], self.calendar, clock)
        self.start = clock.now()

    @property
    def book(self) -> EvaluationBook:
        """A new one each time: what it knows lies in the folder."""
        return EvaluationBook(self.store, {mend.key(): mend}, self.calendar, self.clock, self.folder)

    def opens(self, source: str = "collector", office: str = "Roads", **more: Any) -> Filed:
        opener = BO if source == "collector" else officer("shou", "Centre")
        values = {"office": office, "source": source, "class": "E0102"} | more.pop("values", {})
        return self.cases.open_case(mend, actor=opener, values=values, source=source, **more)

    def does(self, case: Filed, verb: str, who: Person, after: float = 0, **data: Any) -> Filed:
        self.clock.advance(int(after * HOUR))
        return self.cases.act(case.entry.id, verb, who, data)

    def until(self, case: Filed, step: str, handling: float = 1) -> Filed:
        """Step after step, each a quarter of an hour, up to one that is not done."""
        case = self.cases.get(case.entry.id)
        while case.case.step not in ("", step):
            here = case.case.step
            who = {"accept": AN, "verify": CAI, "file": AN, "dispatch": PAI, "check": CAI, "close": AN}.get(here)
            worker = ROAD if "Roads" in case.case.departments else PARK
            proof = PHOTO if here == "handle" else {}
            case = self.does(case, "complete", who or worker, handling if here == "handle" else 0.25, **proof)
        return case

    def counts(self, by: By | None = None, key: str = "", only: Only | None = None) -> dict[str, int]:
        now = self.clock.now()
        found = self.book.period(mend.key(), self.start, now + 1).counts(by or By(), only or Only())
        return found.get(key, dict.fromkeys(COUNTS, 0))


@pytest.fixture
def town(store: Store, clock: ManualClock, tmp_path: Path) -> City:
    return City(store, clock, tmp_path / "evaluation")


def test_a_case_in_time_counts_at_every_step(town: City) -> None:
    town.until(town.opens("hotline"), "")
    counts = town.counts()
    for step in ("accept", "verify", "file", "dispatch", "handle", "feedback", "check", "close", "whole"):
        assert (counts[f"{step}.due"], counts[f"{step}.done"], counts[f"{step}.in_time"]) == (1, 1, 1), step
        assert (counts[f"{step}.late"], counts[f"{step}.overdue"], counts[f"{step}.pending"]) == (0, 0, 0), step
    assert (counts["report.all"], counts["report.valid"], counts["report.public"]) == (1, 1, 1)
    assert (counts["file.all"], counts["file.missed"]) == (1, 1)


def test_the_time_of_a_department_goes_on_until_it_has_said_that_it_is_done(town: City) -> None:
    """Handled within ten hours, said so after them: late."""
    case = town.until(town.opens(), "feedback", handling=9)
    assert town.counts()["handle.pending"] == 1
    town.does(case, "complete", ROAD, 2)
    counts = town.counts()
    assert (counts["handle.due"], counts["handle.done"], counts["handle.in_time"], counts["handle.late"]) == (
        1,
        1,
        0,
        1,
    )


def test_what_waits_and_what_is_overdue_and_waits(town: City) -> None:
    town.until(town.opens(), "handle")
    assert (town.counts()["handle.pending"], town.counts()["handle.due"]) == (1, 0)
    town.clock.advance(11 * HOUR)
    counts = town.counts()
    assert (counts["handle.pending"], counts["handle.overdue"], counts["handle.due"], counts["handle.done"]) == (
        *(0, 1),
        *(1, 0),
    )
    assert share("overdue", counts) == 1
    assert counts["whole.due"] == 1
    assert counts["whole.done"] == 0


def test_sent_back_in_time_is_nobodys_work_and_sent_back_late_is_late(town: City) -> None:
    for after in (1, 12):
        case = town.until(town.opens(), "handle")
        town.does(case, "return", ROAD, after, step="dispatch", reason="not our road")
    counts = town.counts()
    assert counts["sent_back.return"] == 2
    assert (counts["handle.due"], counts["handle.done"], counts["handle.late"]) == (1, 0, 1)


def test_rework_is_counted_once_a_case(town: City) -> None:
    case = town.until(town.opens(), "check")
    for _ in range(2):
        case = town.does(case, "return", CAI, 0.1, step="handle", reason="still there")
        case = town.until(case, "check")
    town.until(case, "")
    counts = town.counts()
    assert (counts["sent_back.rework"], counts["whole.reworked"], counts["handle.due"]) == (2, 1, 3)
    assert share("reworked", counts) == 1
    assert (counts["dispatch.due"], counts["dispatch.right"]) == (1, 0)


def test_more_time_and_pauses(town: City) -> None:
    case = town.until(town.opens(), "handle")
    town.does(case, "extend", ROAD, 1, reason="rain")
    town.does(case, "allow", DORA)
    other = town.until(town.opens(), "handle")
    town.does(other, "suspend", DORA, until=town.clock.now() + 3 * DAY, reason="frost")
    town.clock.advance(12 * HOUR)
    counts = town.counts()
    assert (counts["extended.all"], counts["paused.all"]) == (1, 1)
    assert (counts["handle.due"], counts["handle.pending"]) == (0, 1)
    town.until(case, "")
    counts = town.counts()
    assert (counts["handle.due"], counts["handle.in_time"], counts["handle.extended"]) == (1, 1, 1)


def test_void_and_merged_cases_leave_and_stay_to_be_seen(town: City) -> None:
    kept = town.until(town.opens(), "")
    gone = town.until(town.opens(), "dispatch")
    town.does(gone, "void", DORA, reason="nothing there")
    twin, other = town.opens(), town.opens()
    town.does(twin, "merge", DORA, into=other.entry.id, reason="the same")
    town.until(other, "")
    counts = town.counts()
    assert (counts["whole.due"], counts["whole.done"], counts["report.all"], counts["report.void"]) == (2, 2, 3, 1)
    assert (counts["file.all"], counts["file.kept"]) == (3, 2)
    behind = town.book.period(mend.key(), town.start, town.clock.now() + 1).behind(RATES["filed_right"])
    assert [(row.counts, row.left_out) for row in behind if row.case == gone.entry.id] == [(False, "")]
    whole = town.book.period(mend.key(), town.start, town.clock.now() + 1).behind(RATES["closed"])
    assert {row.number: (row.counts, row.left_out) for row in whole} == {
        kept.entry.number: (True, ""),
        gone.entry.number: (False, "void"),
        twin.entry.number: (False, "merged"),
        other.entry.number: (True, ""),
    }


def test_a_granted_appeal_stays_visible_and_leaves_the_statistics(town: City) -> None:
    case = town.until(town.opens(), "", handling=12)
    assert share("handled_in_time", town.counts()) == 0
    town.does(case, "appeal", ROAD, 1, reason="the road was flooded")
    town.does(case, "uphold", RUI)
    assert share("handled_in_time", town.counts()) == 0
    town.does(case, "uphold", RONG)
    counts = town.counts()
    assert share("handled_in_time", counts) is None
    assert (counts["whole.due"], counts["whole.appealed"]) == (0, 1)
    behind = town.book.period(mend.key(), town.start, town.clock.now() + 1).behind(RATES["handled_in_time"])
    assert [(row.case, row.left_out) for row in behind] == [(case.entry.id, "appeal")]


def test_by_department_area_and_person(town: City) -> None:
    town.until(town.opens(office="Roads", area="grid-1"), "")
    town.until(town.opens(office="Parks", area="grid-2"), "", handling=12)
    town.until(town.opens("hotline", office="Parks", area="grid-9"), "check")
    assert town.counts(By("department"), "Roads")["handle.in_time"] == 1
    assert town.counts(By("department"), "Parks")["handle.late"] == 1
    assert town.counts(By("department"), "Parks")["whole.due"] == 1
    streets = By("area", above={"grid-1": "street", "grid-2": "street"})
    assert (town.counts(streets, "street")["handle.due"], town.counts(streets, "")["handle.due"]) == (2, 1)
    assert town.counts(By("post", "dispatcher"), "pai")["dispatch.due"] == 3
    assert town.counts(By("post", "handler"), "lu")["handle.due"] == 1
    assert town.counts(By("post", "collector"), "cai")["check.due"] == 2
    found = town.counts(By("post", "collector"), "bo")
    assert (found["report.all"], found["report.valid"], found["file.missed"]) == (2, 2, 0)
    assert town.counts(By("post", "collector"), "cai")["file.missed"] == 1
    assert town.counts(only=Only("Parks"))["handle.due"] == 2
    assert town.counts(only=Only(by=By("department"), key="Roads"))["handle.due"] == 1


def test_numbers_and_the_lists_behind_them_agree(town: City) -> None:
    for n in range(6):
        town.until(town.opens(office="Roads" if n % 2 else "Parks"), "", handling=8 + n)
    now = town.clock.now() + 1
    for office in ("Roads", "Parks"):
        counts = town.counts(By("department"), office)
        for key, rate in RATES.items():
            rows = town.book.period(mend.key(), town.start, now).behind(rate, Only(by=By("department"), key=office))
            counted = [row for row in rows if not row.left_out]
            assert len(counted) == counts.get(rate.below, 0), key
            assert sum(row.counts for row in counted) == counts.get(rate.above, 0), key


def test_what_was_kept_follows_the_store(town: City) -> None:
    cases = [town.opens() for _ in range(12)]
    assert town.book.keep() == 12
    assert list(town.folder.glob("*/*.runs"))
    town.until(cases[0], "")
    assert town.counts()["whole.done"] == 1
    book = town.book
    book.keep()
    town.until(cases[1], "handle")
    town.clock.advance(11 * HOUR)
    found = book.period(mend.key(), town.start, town.clock.now()).counts(By("department"))
    assert found["Roads"]["handle.overdue"] == 1
    assert found == town.book.period(mend.key(), town.start, town.clock.now()).counts(By("department"))
    for file in town.folder.glob("*/*.cases"):
        file.write_bytes(b"damaged")
    assert town.counts()["whole.done"] == 1


def test_months_and_periods(town: City) -> None:
    """Opened in November and closed in December: due where it was decided, reported where it was reported."""
    case = town.until(town.opens(), "handle")
    middle = town.book.start_of(date(2026, 12, 1))
    town.clock.advance(middle - town.clock.now() - 8 * HOUR)
    town.opens()
    town.clock.advance(20 * HOUR)
    town.opens()
    town.until(case, "")
    book, key, now = town.book, mend.key(), town.clock.now() + 1
    november = book.period(key, town.start, middle).counts(By())[""]
    december = book.period(key, middle, now).counts(By())[""]
    assert (november["report.all"], december["report.all"]) == (2, 1)
    assert (november["handle.due"], december["handle.due"]) == (1, 0)
    assert (december["check.due"], november["check.due"]) == (1, 0)
    days = book.period(key, town.start, now).days()
    assert [numbers[0] for numbers in days.values() if numbers[0]] == [1, 1, 1]
    assert book.period(key, 0, town.start).counts(By()) == {}


def test_hours_spots_and_what_people_said(town: City) -> None:
    for _ in range(5):
        case = town.opens("hotline", place=(120.50001, 31.20002))
    town.opens("hotline", place=(120.6, 31.2))
    book, key, now = town.book, mend.key(), town.clock.now() + 1
    table = book.period(key, town.start, now).hours()
    assert table[4][8] == 6  # a Friday at eight
    assert sum(map(sum, table)) == 6
    assert book.period(key, town.start, now).spots() == [(120.5, 31.2, 5)]
    case = town.until(case, "")
    agent = officer("gen", "Centre", "agent")
    town.does(case, "rate", agent, 1, answer={"reached": "yes", "solved": "yes", "satisfied": "no"})
    town.does(case, "rate", agent, 1, answer={"satisfied": "mostly"})
    now = town.clock.now() + 1
    assert town.book.period(key, town.start, now).said() == CallBacks(1, 1, 1, 0, 1)
    assert town.book.period(key, town.start, now).said(Only("Parks")) == CallBacks()
    assert town.book.period(key, town.start, now).cycle() == (1, (case.case.closed or 0) - case.case.opened)


def test_what_is_not_known_has_no_counts() -> None:
    it = Counted(Lot(), Span(0, 1, 2))
    assert len(it.rows("send_check.due")) == 0
    assert np.array_equal(it.rows("handle.due"), [])
