"""The desk's lists on both stores: in order, page by page, quick among many."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from cheng.infrastructure import case_lists
from cheng.infrastructure.case_book import CaseBook, Filed
from cheng.infrastructure.case_lists import Filters
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import case_shared, cases
from cheng.kernel.cases import Person, lights
from cheng.standards.problems import Refused
from small_flow import CALENDAR, DAY, DISPATCHER, HOUR, LI, MINUTE, PHOTO, START, VALUES, WU, make_safe, together

pytestmark = pytest.mark.backends


@pytest.fixture
def book(store: Store, clock: ManualClock) -> CaseBook:
    return CaseBook(store, [make_safe, together], CALENDAR, clock)


def opened(book: CaseBook, key: str = "displaced|c1|1", *, also: Any = None, **more: Any) -> Filed:
    about: dict[str, Any] = {"values": VALUES, "alert_key": key, "rule": "covers.displaced", "level": "danger"}
    return book.open_case(make_safe, **(about | more), also=also)


def by_hand(book: CaseBook, number: str, **more: Any) -> Filed:
    return book.open_case(together, values={"id": number}, actor=DISPATCHER, **more)


def test_the_desk_lists_what_is_mine_most_urgent_first(book: CaseBook, clock: ManualClock) -> None:
    numbers = []
    for n in range(7):
        numbers.append(opened(book, f"displaced|c{n}|1").entry.number)
        clock.advance(MINUTE)
    shared = by_hand(book, "s").entry
    without = book.open_case(make_safe, values={"id": "x"}).entry
    assert without.departments == ()
    mine = Filters(departments=("East drainage crew",), person="li")
    first = book.list(mine, limit=3)
    assert [entry.number for entry in first.entries] == numbers[:3]
    second = book.list(mine, limit=3, cursor=first.cursor)
    third = book.list(mine, limit=3, cursor=second.cursor)
    assert [entry.number for entry in (*second.entries, *third.entries)] == numbers[3:]
    assert third.cursor is None
    for department in ("Roads", "Drainage"):
        assert [entry.id for entry in book.list(Filters(departments=(department,))).entries] == [shared.id]
    assert book.counts(Filters(departments=("Drainage",)))["green"] == 1
    book.act(shared.id, "take", Person("dr", "Drainage", frozenset({"officer"})))
    assert book.list(Filters(departments=("Roads",))).entries == ()
    newest = book.list(order="newest", limit=4)
    assert [entry.id for entry in newest.entries][2:] == [book.get(numbers[6]).entry.id, book.get(numbers[5]).entry.id]
    rest = book.list(order="newest", limit=50, cursor=newest.cursor)
    assert [entry.number for entry in rest.entries] == numbers[4::-1]


def test_cases_without_a_limit_come_last_and_every_page_fits_the_next(book: CaseBook, clock: ManualClock) -> None:
    roads = Person("ro", "Roads", frozenset({"officer"}))
    for n in range(5):
        book.act(by_hand(book, f"w{n}").entry.id, "complete", roads)
    dated = [opened(book, f"displaced|d{n}|1").entry.id for n in range(3)]
    seen: list[str] = []
    cursor = None
    while True:
        page = book.list(limit=2, cursor=cursor)
        seen += [entry.id for entry in page.entries]
        cursor = page.cursor
        if cursor is None:
            break
    assert set(seen[:3]) == set(dated)
    assert len(seen) == len(set(seen)) == 8
    for bad in ("!!!", "W10=", "WyJhIiwxXQ==", "é"):
        with pytest.raises(Refused, match="from its first page"):
            book.list(cursor=bad)


def test_filters_and_lights(book: CaseBook, clock: ManualClock) -> None:
    early = opened(book, area="A1").entry.id
    clock.advance(5 * MINUTE)
    later = opened(book, "displaced|c2|1", level="notice").entry.id
    clock.advance(4 * MINUTE)
    now = clock.now()
    assert book.counts() == {"green": 1, "yellow": 1, "red": 0, "suspended": 0}
    assert [entry.id for entry in book.list(Filters(light="yellow")).entries] == [early]
    assert [entry.id for entry in book.list(Filters(level="notice")).entries] == [later]
    assert [entry.id for entry in book.list(Filters(areas=("A1",))).entries] == [early]
    assert [entry.id for entry in book.list(Filters(number="20261120-000002")).entries] == [later]
    assert book.list(Filters(number="%")).entries == ()
    for id_ in (early, later):
        filed = book.get(id_)
        assert filed.entry.light(now) == lights(filed.case, now)
    clock.advance(HOUR)
    assert book.counts()["red"] == 2
    assert len(book.list(Filters(light="red")).entries) == 2
    assert book.list(Filters(light="green")).entries == ()


def test_the_whole_case_can_be_late_before_its_step_is(book: CaseBook, clock: ManualClock) -> None:
    id_ = opened(book).entry.id
    book.act(id_, "complete", LI)
    book.act(id_, "complete", LI, PHOTO)
    clock.advance(2 * DAY - HOUR)
    book.act(id_, "return", WU, {"step": "handle", "reason": "Again"})
    book.act(id_, "complete", LI, PHOTO)
    clock.advance(HOUR + 1)
    filed = book.get(id_)
    assert filed.case.run
    assert filed.case.run.due is not None
    assert filed.case.run.due > clock.now()
    assert lights(filed.case, clock.now()) == filed.entry.light(clock.now()) == "red"
    assert book.counts()["red"] == 1


@pytest.fixture
def many(store: Store, clock: ManualClock) -> Store:
    """Three thousand cases of thirty departments and three hundred people."""
    rows = [
        {
            "id": f"c{n:05d}",
            "number": f"20261119-{n:06d}",
            "flow": f"f{n % 9}",
            "app": "",
            "title_values": {},
            "department": f"D{n % 30}",
            "assignee": f"p{n % 300}" if n % 2 else None,
            "area": f"A{n % 50}",
            "state": "open" if n % 4 else "closed",
            "opened": START + n,
            "due": None if n % 10 == 3 else START + n * 7919 % 100_003 * MINUTE,
            "warn": None if n % 10 == 3 else START + n * 7919 % 100_003 * MINUTE - HOUR,
            "data": {},
        }
        for n in range(3000)
    ]
    with store.write() as conn:
        conn.execute(insert(cases), rows)
        conn.execute(insert(case_shared), [{"case": f"c{n:05d}", "department": "D5"} for n in (1, 2, 5)])
    return store


def expected(store: Store, departments: set[str], person: str) -> list[str]:
    """The same list, worked out in the plainest way."""
    with store.read() as conn:
        rows = conn.execute(select(cases)).mappings().all()
        shared = {row.case for row in conn.execute(select(case_shared)) if row.department in departments}
    mine = [
        row
        for row in rows
        if row["state"] == "open"
        and (row["department"] in departments or row["assignee"] == person or row["id"] in shared)
    ]
    return [row["id"] for row in sorted(mine, key=lambda row: (row["due"] is None, row["due"] or 0, row["id"]))]


def test_pages_are_the_whole_list_in_order(many: Store, book: CaseBook) -> None:
    wanted = Filters(departments=("D1", "D5"), person="p7")
    whole = expected(many, {"D1", "D5"}, "p7")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = book.list(wanted, limit=37, cursor=cursor)
        seen += [entry.id for entry in page.entries]
        if (cursor := page.cursor) is None:
            break
    assert seen == whole
    assert sum(book.counts(wanted).values()) == len(whole)
    for light in ("green", "yellow", "red"):
        assert book.counts(wanted)[light] == len(book.list(replace(wanted, light=light), limit=500).entries)


@pytest.mark.parametrize("rare", [0, 10**6])
def test_values_that_few_or_many_cases_have_are_found_alike(
    many: Store, book: CaseBook, monkeypatch: pytest.MonkeyPatch, rare: int
) -> None:
    monkeypatch.setattr(case_lists, "RARE", rare)
    with many.read() as conn:
        rows = sorted(conn.execute(select(cases)).mappings(), key=lambda row: (row["opened"], row["id"]), reverse=True)
    for told in ({"flow": "f3"}, {"flow": "f3", "area": "A7"}, {"department": "D4", "flow": "f1"}, {"flow": "none"}):
        known = [row["id"] for row in rows if all(row[name] == value for name, value in told.items())]
        wanted = Filters(
            departments=(told["department"],) if "department" in told else (),
            states=("open", "closed", "void"),
            flow=told["flow"],
            areas=(told["area"],) if "area" in told else (),
        )
        assert [entry.id for entry in book.list(wanted, order="newest", limit=500).entries] == known


def test_what_is_over_is_at_no_step(many: Store, book: CaseBook) -> None:
    assert book.list(Filters(states=("closed",), step="handle"), order="newest").entries == ()


def test_lists_walk_along_indexes(many: Store, book: CaseBook) -> None:
    """No list reads the table of cases row by row, however many there are."""
    if many.dialect != "sqlite":
        pytest.skip("how PostgreSQL walks depends on its statistics")
    asked: list[tuple[str, Any]] = []
    event.listen(many._reader, "before_cursor_execute", lambda c, cursor, sql, params, *_: asked.append((sql, params)))
    for wanted in (Filters(), Filters(departments=("D1",), person="p1"), Filters(areas=("A1",)), Filters(flow="f1")):
        book.list(wanted)
        book.list(wanted, order="newest")
        book.counts(wanted)
    for wanted in (Filters(thing_id="x"), Filters(reporter="x"), Filters(number="20261119-0001"), Filters(parent="x")):
        book.list(wanted)
    with many.read() as conn:
        for sql, params in list(asked):
            plan = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", params)]
            assert not [line for line in plan if line == "SCAN cases"], sql
