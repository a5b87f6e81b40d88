"""Cases that are remembered stand as their acts add up, whatever became of the transaction that wrote them."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from cheng.infrastructure.case_book import CaseBook
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.recent_cases import RecentCases
from cheng.infrastructure.store import Store
from cheng.kernel.standing import Case
from cheng.standards.problems import Refused
from small_flow import CALENDAR, DISPATCHER, HOUR, LI, MINUTE, VALUES, make_safe

pytestmark = pytest.mark.backends


def new_book(store: Store, clock: ManualClock) -> CaseBook:
    return CaseBook(store, [make_safe], CALENDAR, clock, truth=lambda condition, thing: True)


@pytest.fixture
def book(store: Store, clock: ManualClock) -> CaseBook:
    return new_book(store, clock)


@pytest.fixture
def anew(store: Store, clock: ManualClock) -> CaseBook:
    """A book that remembers nothing, as after a start."""
    return new_book(store, clock)


def written(store: Store, change: Callable[[Connection], None]) -> None:
    with store.write() as conn:
        change(conn)


def opened(book: CaseBook) -> str:
    return book.open_case(make_safe, values=VALUES, actor=DISPATCHER).entry.id


def test_what_is_remembered_is_what_the_acts_add_up_to(book: CaseBook, anew: CaseBook, clock: ManualClock) -> None:
    id_ = opened(book)
    for verb, who, data in (
        ("note", LI, {"text": "on my way"}),
        ("complete", LI, {}),
        ("suspend", DISPATCHER, {"reason": "the street is flooded", "until": clock.now() + HOUR}),
        ("resume", DISPATCHER, {}),
    ):
        clock.advance(MINUTE)
        assert book.act(id_, verb, who, data).case == new_book(book.store, clock).get(id_).case
        assert book.get(id_) == anew.get(id_)


def test_a_transaction_that_is_given_up_leaves_nothing_behind(book: CaseBook, anew: CaseBook, store: Store) -> None:
    id_ = opened(book)

    def fail(conn: Connection) -> None:
        raise OSError("the audit is full")

    def act_and_fail(conn: Connection) -> None:
        book.act_in(conn, id_, "complete", LI)
        book.act_in(conn, id_, "note", LI, {"text": "nor this"}, also=fail)

    with pytest.raises(OSError, match="full"):
        book.act(id_, "note", LI, {"text": "never written"}, also=fail)
    assert book.get(id_) == anew.get(id_)
    with pytest.raises(OSError, match="full"):
        written(store, act_and_fail)
    book.act(id_, "note", LI, {"text": "in its place"})
    book.act(id_, "note", LI, {"text": "and one more"})
    assert book.get(id_).case.step == anew.get(id_).case.step == "dispatch"
    assert book.get(id_) == anew.get(id_)


def test_a_transaction_knows_what_it_wrote_and_nobody_else_does(book: CaseBook, store: Store) -> None:
    id_ = opened(book)
    with store.write() as conn:
        done = book.act_in(conn, id_, "complete", LI)
        assert book.get(id_).case.version == 1
        assert book.act_in(conn, id_, "note", LI, {"text": "done"}).case.version == done.case.version + 1
    assert book.get(id_).case.version == 3


def test_what_another_process_did_is_seen(book: CaseBook, anew: CaseBook) -> None:
    id_ = opened(book)
    book.act(id_, "note", LI, {"text": "here"})
    anew.act(id_, "complete", LI)
    with pytest.raises(Refused, match="meanwhile"):
        book.act(id_, "complete", LI, version=2)
    assert book.act(id_, "note", LI, {"text": "there"}).case == anew.get(id_).case


def test_only_so_many_are_remembered(store: Store) -> None:
    recent = RecentCases(store, most=2)
    recent.keep(*(Case(id=name, version=1) for name in "abc"))
    recent.keep(Case(id="b", version=2))
    recent.keep(Case(id="d", version=1))
    with store.read() as conn:
        assert [recent.get(conn, name, 1) is not None for name in "abcd"] == [False, False, False, True]
        assert recent.get(conn, "b", 2) == Case(id="b", version=2)
