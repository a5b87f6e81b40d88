"""The book of classes: versions with a start day, what is refused, what is in memory, who answers where."""

import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.report_tables import case_classes, responsibilities
from cheng.infrastructure.store import Store
from cheng.kernel.classes import EVER, CaseClass, Responsibility
from cheng.kernel.flows import Flow
from cheng.standards.calendars import Calendar
from cheng.standards.durations import days, hours
from cheng.standards.problems import Refused, SpecError
from small_classes import COVER, MISSING
from small_flow import make_safe

TODAY = date(2026, 11, 20)
TOMORROW = TODAY + timedelta(1)
FLOW = make_safe.key()
pytestmark = pytest.mark.backends


@pytest.fixture
def book(store: Store, clock: ManualClock) -> ClassBook:
    return ClassBook(store, [make_safe], Calendar(), clock)


def put(book: ClassBook, version: CaseClass, **how: int) -> CaseClass:
    with book.store.write() as conn:
        return book.put(conn, FLOW, version, "li", **how)  # type: ignore[arg-type]


def answer(book: ClassBook, prefix: str, area: str, *departments: str, since: date = TODAY) -> bool:
    with book.store.write() as conn:
        return book.put_responsibility(conn, FLOW, Responsibility(prefix, area, departments, since), "li")


now = replace(COVER, since=TODAY)
slower = replace(now, since=TOMORROW, conditions=(replace(MISSING, limit=hours(8)),))


def test_a_version_is_in_force_from_its_start_day(book: ClassBook, clock: ManualClock) -> None:
    assert put(book, now).version == 1
    assert put(book, slower).version == 2
    assert book.standard(FLOW, "C0101", "missing").limit == hours(2)
    assert book.standard(FLOW, "C0101", "missing", TOMORROW).limit == hours(8)
    clock.advance(days(1).us)
    assert book.standard(FLOW, "C0101", "missing").limit == hours(8)
    assert [version.version for version in book.versions(FLOW, "C0101")] == [1, 2]
    assert book.get(FLOW, "C0101", TODAY - timedelta(1)) is None


def test_what_is_read_anew_is_what_was_written(book: ClassBook, clock: ManualClock) -> None:
    put(book, now)
    put(book, slower)
    fresh = ClassBook(book.store, [make_safe], Calendar(), clock)
    assert fresh.versions(FLOW, "C0101") == (replace(now, version=1), replace(slower, version=2))
    assert fresh.all(FLOW) == (replace(now, version=1),)
    assert fresh.codes(FLOW) == ("C0101",)


def test_a_start_day_in_the_past_is_refused(book: ClassBook) -> None:
    with pytest.raises(Refused, match="start day in the past"):
        put(book, replace(now, since=TODAY - timedelta(1)))
    assert book.all(FLOW) == ()


def test_a_class_without_a_condition_is_refused(book: ClassBook) -> None:
    with pytest.raises(Refused, match="at least one filing condition"):
        put(book, replace(now, conditions=()))


def test_an_unknown_flow_is_refused(book: ClassBook) -> None:
    with pytest.raises(Refused, match="no way of work"), book.store.write() as conn:
        book.put(conn, "nobody.knows", now, "li")


def test_who_did_not_see_the_last_version_is_told(book: ClassBook) -> None:
    put(book, now, seen=0)
    with pytest.raises(Refused, match="changed by somebody else"):
        put(book, slower, seen=0)
    assert put(book, slower, seen=1).version == 2


def test_the_same_again_is_not_written_again(book: ClassBook) -> None:
    first = put(book, now)
    assert put(book, replace(now, since=TOMORROW)) == first
    assert len(book.versions(FLOW, "C0101")) == 1


def test_a_class_is_retired_and_comes_back(book: ClassBook) -> None:
    put(book, now)
    put(book, replace(now, since=TOMORROW, retired=True))
    assert book.get(FLOW, "C0101") is not None
    assert book.get(FLOW, "C0101", TOMORROW) is None
    assert book.all(FLOW, TOMORROW) == ()
    with pytest.raises(Refused, match="no class C0101 in force"):
        book.standard(FLOW, "C0101", "missing", TOMORROW)
    put(book, replace(now, since=TOMORROW + timedelta(1)))
    assert book.get(FLOW, "C0101", TOMORROW + timedelta(1)) is not None


def test_some_classes_are_not_for_the_public(book: ClassBook) -> None:
    put(book, now)
    put(book, replace(now, code="C0102", public=False))
    assert [version.code for version in book.all(FLOW)] == ["C0101", "C0102"]
    assert [version.code for version in book.all(FLOW, public=True)] == ["C0101"]


def test_what_a_transaction_took_back_is_not_remembered(book: ClassBook) -> None:
    put(book, now)
    with book.store.write() as conn:
        book.put(conn, FLOW, slower, "li")
        assert book.standard(FLOW, "C0101", "missing", TOMORROW, conn).limit == hours(8)
        conn.rollback()
    assert len(book.versions(FLOW, "C0101")) == 1


def test_acts_get_the_facts_inside_their_transaction(book: ClassBook, clock: ManualClock) -> None:
    put(book, now)
    with book.store.write() as conn:
        facts = book.facts(conn, make_safe, "C0101", "missing", clock.now())
        assert facts is not None
        assert (facts["class"], facts["limit"], facts["version"]) == ("C0101", [2, "hour"], 1)
        assert book.facts(conn, make_safe, "C0101", "none", clock.now()) is None
        assert book.facts(conn, make_safe, "E0101", "missing", clock.now()) is None


def test_rows_can_be_added_and_nothing_else(book: ClassBook) -> None:
    put(book, now)
    answer(book, "C", "", "Crew")
    for statement in (update(case_classes).values(name="x"), delete(responsibilities)):
        with pytest.raises(DBAPIError, match="append-only"), book.store.write() as conn:
            conn.execute(statement)
    with book.store.read() as conn:
        assert conn.execute(select(case_classes.c.actor)).scalars().all() == ["li"]


# -- who answers where


def test_responsibilities_have_versions_too(book: ClassBook) -> None:
    put(book, now)
    assert answer(book, "C01", "s1", "Street crew")
    assert not answer(book, "C01", "s1", "Street crew")
    assert answer(book, "C01", "s1", "New crew", since=TOMORROW)
    assert answer(book, "C01", "", "City crew")
    values = {"street_id": "s1"}
    assert book.responsible(FLOW, "C0101", values) == ("Street crew",)
    assert book.responsible(FLOW, "C0101", values, TOMORROW) == ("New crew",)
    assert book.responsible(FLOW, "C0101", {"street_id": "s2"}) == ("City crew",)
    assert [(row.area, row.departments) for row in book.responsibilities(FLOW)] == [
        ("", ("City crew",)),
        ("s1", ("Street crew",)),
    ]


def test_a_row_without_departments_ends_one(book: ClassBook) -> None:
    put(book, now)
    assert not answer(book, "C01", "s1")
    answer(book, "C01", "s1", "Street crew")
    assert answer(book, "C01", "s1")
    assert book.responsible(FLOW, "C0101", {"street_id": "s1", "street": "East"}) == ("East water crew",)
    assert book.responsibilities(FLOW) == ()


def test_a_responsibility_from_the_past_or_without_sense_is_refused(book: ClassBook) -> None:
    with pytest.raises(Refused, match="start day in the past"):
        answer(book, "C01", "s1", "Street crew", since=TODAY - timedelta(1))
    with pytest.raises(Refused, match="no beginning of a class code"):
        answer(book, "C1", "s1", "Street crew")


# -- what comes with an application


class Filed(Flow):
    """Something filed by classes."""

    steps = make_safe.steps


def with_classes(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> type[Flow]:
    (folder / "own_classes.csv").write_text(text, "utf-8")
    monkeypatch.setattr(sys.modules[__name__], "__file__", str(folder / "module.py"))
    monkeypatch.setattr(Filed, "classes", "own_classes.csv", raising=False)
    return Filed


HEAD = "code,group,name,condition,text,limit,unit,closes,since\n"
GOOD = "E0102,Streets,Refuse,piled,Refuse lies about,4,working hours,It is clean,\n"


def test_defaults_are_loaded_once_and_have_always_been_in_force(
    store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = with_classes(monkeypatch, tmp_path, HEAD + GOOD)
    book = ClassBook(store, [flow, make_safe], Calendar(), clock)
    assert book.load_defaults() == 1
    assert book.load_defaults() == 0
    assert [version.since for version in book.versions(flow.key(), "E0102")] == [EVER]
    assert book.standard(flow.key(), "E0102", "piled", date(2015, 1, 1)).text_zh == "Refuse lies about"


def test_defaults_that_do_not_hold_together_say_their_line(
    store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = with_classes(monkeypatch, tmp_path, HEAD + GOOD + GOOD.replace("E0102", "E0103").replace("4", "many"))
    with pytest.raises(SpecError, match=r"own_classes\.csv:3"):
        ClassBook(store, [flow], Calendar(), clock).load_defaults()
