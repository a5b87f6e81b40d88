"""What is passed on lies in the store before it is sent, and one alone sends it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cheng.apps.city import urban_management
from cheng.apps.city.urban_management import handle_report
from cheng.infrastructure.passing_book import LETTERS, NewPassing, Passing, PassingBook
from cheng.standards.durations import minutes
from cheng.standards.problems import Refused
from cheng.testing import Officer, Town, city

pytestmark = pytest.mark.backends
CENTRE = "Urban Management Supervision Centre"


@pytest.fixture
def town(tmp_path: Path, store_url: str) -> Iterator[Town]:
    with city(tmp_path, urban_management, store=store_url) as found:
        yield found


def passed(town: Town) -> tuple[PassingBook, Passing]:
    case = town.hears(handle_report, "Rubbish", class_code="E0102", name="Min Zhou").case
    acceptor: Officer = town.officer("Shou", CENTRE, "acceptor")
    town.hub.passings.pass_on(case.entry.id, acceptor.person, NewPassing("Far", "7", "Rubbish", "Rubbish", "Theirs."))
    return town.hub.passings, town.hub.passings.of_case(case.entry.id)[0]


def test_one_alone_sends_it(town: Town) -> None:
    book, one = passed(town)
    assert [each.id for each in book.due("waiting")] == [one.id]
    with ThreadPoolExecutor(4) as hands:
        claims = list(hands.map(book.claim, [one] * 4))
    assert sorted(claims) == [False, False, False, True]
    assert book.due("waiting", "sending") == []
    town.passes(minutes(11))
    assert [each.state for each in book.due("sending")] == ["sending"]


def test_it_goes_its_way(town: Town) -> None:
    book, one = passed(town)
    book.claim(one)
    book.took(one, "N-1")
    book.heard(book.of_case(one.case)[0], "open", "Seen")
    book.heard(book.of_case(one.case)[0], "closed", "Gone")
    row = book.of_case(one.case)[0]
    assert (row.state, row.number, row.status, row.notes, row.next_at) == ("over", "N-1", "closed", "Gone", None)
    assert town.hub.cases.get(one.case).case.step == "close"
    assert set(row.marker) <= set(LETTERS)


def test_an_act_that_is_refused_leaves_nothing_to_be_sent(town: Town) -> None:
    book, one = passed(town)
    stranger = town.officer("Chu", "Cleaning Company")
    with pytest.raises(Refused):
        book.pass_on(one.case, stranger.person, NewPassing("Far", "7", "Rubbish", "again", "?"))
    assert len(book.of_case(one.case)) == 1


def test_a_refusal_that_comes_too_late_changes_nothing(town: Town) -> None:
    book, one = passed(town)
    book.claim(one)
    town.officer("Ban", CENTRE, "shift-leader").returns(town.hub.cases.get(one.case), "accept", "Ours.")
    with pytest.raises(Refused):
        book.turned_down(one, ("x", {}), "No.")
    assert book.of_case(one.case)[0].state == "sending"
    book.took(one, "N-2")  # it had arrived all the same: whoever has the case now reads it
    assert town.hub.cases.acts(one.case)[-1].data["text"] == "Far: N-2"
