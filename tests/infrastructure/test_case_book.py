"""The book of cases on both stores: opened once, acted on once, listed in order, never lost."""

import threading
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from cheng.infrastructure.case_book import CaseBook, Filed
from cheng.infrastructure.case_lists import Filters
from cheng.infrastructure.case_rows import Opening
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import accounts, acts, case_runs, cases
from cheng.kernel.cases import HOUSE, Act, Person
from cheng.kernel.conditions import Condition
from cheng.standards.calendars import Calendar
from cheng.standards.problems import Refused
from small_flow import CALENDAR, CITIZEN, DAY, DISPATCHER, HOUR, LI, MINUTE, PHOTO, VALUES, WU, make_safe, together

pytestmark = pytest.mark.backends
PEOPLE = {person.name: person for person in (LI, WU)}


class Knowing:
    """What the readings say about the condition of the step."""

    answer: bool | None = True

    def __call__(self, condition: Condition, thing: int | None) -> bool | None:
        return self.answer


@pytest.fixture
def truth() -> Knowing:
    return Knowing()


@pytest.fixture
def book(store: Store, clock: ManualClock, truth: Knowing) -> CaseBook:
    people = lambda conn, name: PEOPLE.get(name)  # noqa: E731
    return CaseBook(store, [make_safe, together], CALENDAR, clock, truth=truth, people=people)


def opened(book: CaseBook, key: str = "displaced|c1|1", *, also: Any = None, **more: Any) -> Filed:
    about: dict[str, Any] = {"values": VALUES, "alert_key": key, "rule": "covers.displaced", "level": "danger"}
    return book.open_case(make_safe, **(about | more), also=also)


def by_hand(book: CaseBook, number: str, **more: Any) -> Filed:
    return book.open_case(together, values={"id": number}, actor=DISPATCHER, **more)


def test_an_alert_opens_one_case(book: CaseBook, clock: ManualClock) -> None:
    first = opened(book, thing=7, place=(120.1, 30.2), area="A1")
    assert first.entry.number == "20261120-000001"
    assert first.entry.departments == ("East drainage crew",)
    assert (first.entry.rule, first.entry.values["ward"], first.entry.thing_id) == ("covers.displaced", "East", "c1")
    assert (first.entry.thing, first.entry.longitude, first.entry.area) == (7, 120.1, "A1")
    clock.advance(MINUTE)
    again = opened(book)
    assert (again.entry.id, again.case) == (first.entry.id, first.case)
    other = opened(book, "displaced|c2|1")
    assert other.entry.number == "20261120-000002"
    clock.advance(DAY)
    assert opened(book, "displaced|c3|1").entry.number == "20261121-000001"
    found = book.by_alert("displaced|c1|1")
    assert found
    assert found.entry.id == first.entry.id
    assert book.by_alert("nothing") is None
    assert book.get(first.entry.number).entry.id == first.entry.id


def test_one_case_for_one_alert_from_many_threads(book: CaseBook, store: Store) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(opened(book).entry.id)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6
    assert len(set(ids)) == 1
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(acts)).scalar_one() == 1


def test_through_to_the_close(book: CaseBook, clock: ManualClock, truth: Knowing) -> None:
    id_ = opened(book).entry.id
    clock.advance(MINUTE)
    book.act(id_, "complete", LI, version=1)
    done = book.act(id_, "complete", LI, PHOTO, version=2)
    assert (done.entry.step, done.entry.version, done.case.version) == ("check", 3, 3)
    truth.answer = False
    assert "complete" not in {option.verb for option in book.next_acts(id_, WU)}
    with pytest.raises(Refused, match="tilt < 5"):
        book.act(id_, "complete", WU)
    truth.answer = True
    with pytest.raises(Refused, match="does not belong to this act"):
        book.act(id_, "complete", WU, {"holds": True})
    closed = book.act(id_, "complete", WU)
    assert (closed.entry.state, closed.entry.closed, closed.entry.due) == ("closed", clock.now(), None)
    told = book.acts(id_)
    assert [(act.verb, act.actor, act.step) for act in told] == [
        ("open", "cheng", ""),
        ("complete", "li", "dispatch"),
        ("complete", "li", "handle"),
        ("complete", "wu", "check"),
    ]
    assert told[2].data == PHOTO
    assert told[3].facts["holds"] is True
    assert book.get(id_) == closed


def test_the_number_of_acts_seen_has_to_be_the_present_one(book: CaseBook) -> None:
    id_ = opened(book).entry.id
    book.act(id_, "take", LI, version=1)
    with pytest.raises(Refused, match="li has done something about this case meanwhile") as refused:
        book.act(id_, "take", WU, version=1)
    assert refused.value.code == "changed"
    assert len(book.acts(id_)) == 2


def test_a_request_sent_twice_is_done_once_and_answered_as_before(book: CaseBook, clock: ManualClock) -> None:
    id_ = opened(book).entry.id
    told: list[int] = []
    first = book.act(id_, "take", LI, version=1, key="k1", also=lambda conn: told.append(1))
    clock.advance(MINUTE)
    book.act(id_, "note", LI, {"text": "on my way"})
    again = book.act(id_, "take", LI, version=1, key="k1", also=lambda conn: told.append(1))
    assert again.case == first.case, "the answer of then, not of now"
    assert len(book.acts(id_)) == 3
    assert told == [1]
    for person, verb, data in ((LI, "note", {"text": "x"}), (WU, "take", {}), (LI, "take", {"text": "x"})):
        with pytest.raises(Refused, match="another request") as refused:
            book.act(id_, verb, person, data, key="k1")
        assert refused.value.code == "key-used"
    other = opened(book, "displaced|c2|1").entry.id
    with pytest.raises(Refused, match="another request"):
        book.act(other, "take", LI, key="k1")
    for bad in ("", "x" * 201, "a\nb"):
        with pytest.raises(Refused, match="1 to 200 printable"):
            book.act(id_, "take", LI, key=bad)


def test_a_report_sent_twice_opens_one_case(book: CaseBook) -> None:
    hole = Opening(values={}, text="A hole", reporter="citizen")
    first = book.open_case(together, actor=CITIZEN, key="form-1", **hole)
    assert book.open_case(together, actor=CITIZEN, key="form-1", **hole).entry.id == first.entry.id
    assert (first.entry.text, first.entry.reporter) == ("A hole", "citizen")
    with pytest.raises(Refused, match="another request"):
        book.open_case(together, actor=CITIZEN, key="form-1", **(hole | {"text": "Another hole"}))
    assert book.open_case(together, actor=CITIZEN, **hole).entry.id != first.entry.id
    assert book.act(first.entry.id, "urge", CITIZEN).case.urged == 1


def test_an_alert_withdrawn_and_raised_again_opens_its_case_again(book: CaseBook, clock: ManualClock) -> None:
    id_ = opened(book).entry.id
    assert book.act(id_, "alert_withdrawn", HOUSE).entry.state == "void"
    clock.advance(HOUR)
    again = opened(book)
    assert (again.entry.id, again.entry.state, again.entry.due) == (id_, "open", clock.now() + 10 * MINUTE)
    assert opened(book).case.version == 3


def test_what_else_belongs_to_the_act_is_kept_or_lost_with_it(book: CaseBook, store: Store) -> None:
    id_ = opened(book).entry.id

    def fails(conn: Connection) -> None:
        raise RuntimeError("the audit is full")

    with pytest.raises(RuntimeError):
        book.act(id_, "take", LI, also=fails)
    assert book.get(id_).case.assignee == ""
    with pytest.raises(RuntimeError):
        opened(book, "displaced|c9|1", also=fails)
    assert book.by_alert("displaced|c9|1") is None


def test_many_acts_share_one_commit(book: CaseBook, store: Store) -> None:
    with store.write() as conn:
        id_ = book.open_in(conn, make_safe, values=VALUES, alert_key="k").entry.id
        book.act_in(conn, id_, "complete", LI)
        book.act_in(conn, id_, "complete", LI, PHOTO)
        book.act_in(conn, id_, "complete", WU)
    assert book.get(id_).entry.state == "closed"


def test_a_person_is_looked_up_before_they_get_a_case(book: CaseBook, store: Store, clock: ManualClock) -> None:
    id_ = opened(book).entry.id
    assert book.act(id_, "assign", LI, {"person": "wu"}).entry.assignee == "wu"
    with pytest.raises(Refused, match="Nobody here is called “zhao”"):
        book.act(id_, "assign", LI, {"person": "zhao"})
    real = CaseBook(store, [make_safe], CALENDAR, clock)
    with store.write() as conn:
        row = {"name": "zhao", "display_name": "Zhao", "password_hash": "", "department": "East drainage crew"}
        conn.execute(insert(accounts).values(**row, roles=["officer"], created=0))
        conn.execute(insert(accounts).values(**(row | {"name": "gone"}), roles=["officer"], created=0, disabled=True))
    assert real.act(id_, "assign", LI, {"person": "zhao"}).entry.assignee == "zhao"
    with pytest.raises(Refused, match="Nobody here"):
        real.act(id_, "assign", LI, {"person": "gone"})


def test_merging_tells_both_cases(book: CaseBook) -> None:
    one, two = opened(book).entry, opened(book, "displaced|c1|2").entry
    merged = book.act(two.id, "merge", DISPATCHER, {"into": one.id, "reason": "Same cover"})
    assert (merged.entry.state, merged.entry.merged_into) == ("merged", one.id)
    assert book.get(one.id).case.absorbed == (two.id,)
    with pytest.raises(Refused, match="not open any more"):
        book.act(one.id, "merge", DISPATCHER, {"into": two.id, "reason": "Same cover"})
    with pytest.raises(Refused, match="There is no case nowhere"):
        book.act(one.id, "merge", DISPATCHER, {"into": "nowhere", "reason": "Same cover"})
    assert [entry.id for entry in book.list(Filters(states=("merged",), merged_into=one.id)).entries] == [two.id]
    book.act(two.id, "unmerge", DISPATCHER, {"reason": "Another one"})
    assert book.get(one.id).case.absorbed == ()
    assert book.get(two.id).entry.state == "open"


def test_clocks_go_on_by_themselves(book: CaseBook, clock: ManualClock) -> None:
    id_, other = opened(book).entry.id, opened(book, "displaced|c2|1").entry.id
    for case, length in ((id_, DAY), (other, 2 * DAY)):
        book.act(case, "suspend", DISPATCHER, {"until": clock.now() + length, "reason": "Waits"})
    assert book.due_to_resume(clock.now()) == []
    clock.advance(DAY + HOUR)
    assert book.due_to_resume(clock.now()) == [id_]
    assert book.counts()["suspended"] == 2
    assert list(book.resume_due()) == [id_]
    assert list(book.resume_due()) == []
    resumed = book.get(id_)
    assert resumed.entry.state == "open"
    assert resumed.entry.light(clock.now()) == "red"
    assert book.acts(id_)[-1].actor == HOUSE.name


def test_runs_are_kept_for_indicators(book: CaseBook, store: Store, clock: ManualClock) -> None:
    id_ = opened(book).entry.id
    clock.advance(MINUTE)
    book.act(id_, "complete", LI)
    with store.read() as conn:
        rows = conn.execute(select(case_runs).order_by(case_runs.c.n)).mappings().all()
    assert [(row["n"], row["step"], row["outcome"], row["person"]) for row in rows] == [
        (0, "", "open", ""),
        (1, "dispatch", "completed", "li"),
        (2, "handle", "", ""),
    ]
    assert rows[1]["settled"] == clock.now()
    assert rows[2]["settled"] == rows[2]["due"] == clock.now() + HOUR
    book.act(id_, "void", DISPATCHER, {"reason": "Invented"})
    with store.read() as conn:
        assert set(conn.execute(select(case_runs.c.left_out)).scalars()) == {"void"}


def test_hostile_words_do_no_harm(book: CaseBook) -> None:
    id_ = opened(book).entry.id
    noted = book.act(id_, "note", LI, {"text": "a\0b\ud800 {ward} '; DROP TABLE cases"})
    assert noted.case.version == 2
    assert book.acts(id_)[-1].data["text"] == "ab {ward} '; DROP TABLE cases"
    with pytest.raises(Refused, match="There is no case"):
        book.get("x\0' OR 1=1")
    weird = opened(book, "k\u2028", values={"ward": "{ward.__class__}", "n": float("nan"), "deep": [[[]]]})
    assert weird.entry.departments == ("{ward.__class__} drainage crew",)


def test_a_case_outlives_its_application(book: CaseBook, store: Store, clock: ManualClock) -> None:
    id_ = opened(book).entry.id
    later = CaseBook(store, [], CALENDAR, clock)
    assert later.get(id_).case.step == "dispatch"
    assert len(later.list().entries) == 1
    with pytest.raises(Refused, match="not installed"):
        later.act(id_, "complete", LI)
    with pytest.raises(Refused, match="not installed"):
        later.open_case("gone.flow", values={})


def test_two_people_at_once(book: CaseBook) -> None:
    id_ = opened(book).entry.id
    outcomes: list[str] = []

    def takes(person: Person) -> None:
        try:
            book.act(id_, "take", person, version=1)
            outcomes.append("took it")
        except Refused as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=takes, args=(person,)) for person in (LI, WU, LI, WU)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["changed", "changed", "changed", "took it"]


def test_other_calendars_count_other_days(store: Store, clock: ManualClock) -> None:
    book = CaseBook(store, [together], Calendar(timezone="America/New_York"), clock)
    assert by_hand(book, "1").entry.number == "20261119-000001"


def test_the_row_is_the_sum_of_the_acts(book: CaseBook, store: Store, clock: ManualClock) -> None:
    id_ = opened(book).entry.id
    for verb, person, data in (
        ("take", LI, {}),
        ("extend", LI, {"reason": "More"}),
        ("allow", DISPATCHER, {}),
        ("complete", LI, {}),
        ("supervise", Person("lena", "City hall", frozenset({"leader"})), {"reason": "School"}),
        ("complete", LI, PHOTO),
        ("return", WU, {"step": "handle", "reason": "Again"}),
    ):
        clock.advance(MINUTE)
        filed = book.act(id_, verb, person, data)
        case, entry = filed.case, filed.entry
        assert case.run is not None
        assert (entry.state, entry.step, entry.departments) == (case.state, case.step, case.departments)
        assert (entry.due, entry.warn, entry.overall_due) == (case.run.due, case.run.warn, case.due)
        assert (entry.assignee, entry.version) == (case.assignee, case.version)
    with store.read() as conn:
        assert conn.execute(select(cases.c.version)).scalar_one() == 8
    assert isinstance(book.acts(id_)[0], Act)
