"""The book of indicators on both stores: from rows to numbers, day by day, and back to the rows."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select

from cheng.infrastructure.case_book import CaseBook
from cheng.infrastructure.case_rows import Opening
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.indicator_book import IndicatorBook
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import alerts, attributes, indicator_values, things
from cheng.kernel.cases import HOUSE, Person
from cheng.kernel.indicators import Indicator, Value, percent
from cheng.kernel.observations import Batch, Quality
from small_flow import (
    CALENDAR,
    DAY,
    DISPATCHER,
    FIRST,
    HOUR,
    LI,
    MINUTE,
    PHOTO,
    SECOND,
    START,
    WU,
    Cover,
    displaced,
    make_safe,
)

pytestmark = pytest.mark.backends
TODAY = date(2026, 11, 20)
PARKS = Person("pan", "Parks drainage crew", frozenset({"officer"}))


class safe_in_time(Indicator):
    """Displaced covers made safe within the hour."""

    of = make_safe
    step = "handle"
    target = 0.95


class closed_in_time(Indicator):
    """Cases closed in time."""

    of = make_safe


class closed(Indicator):
    """Cases closed at all."""

    of = make_safe
    measure = "share"


class begun(Indicator):
    """New cases."""

    of = make_safe
    measure = "count"


class alarms(Indicator):
    """Alerts."""

    of = displaced


class over_after(Indicator):
    """How long alerts stand."""

    of = displaced
    measure = "mean"


class tilt(Indicator):
    """How far covers are tipped."""

    of = Cover.tilt


class highest(Indicator):
    """The worst of them."""

    of = Cover.tilt
    measure = "max"


class reporting(Indicator):
    """Covers that report."""

    of = Cover
    measure = "coverage"


class covers(Indicator):
    """Covers in use."""

    of = Cover


class Recorded:
    """Readings of things 1 to 3, as history would give them."""

    def scan(self, attrs: Sequence[int] | None = None, start: int = 0, end: int = 0) -> Iterator[Batch]:
        rows = [
            (1, 10.0, 0),
            (1, 20.0, 0),
            (2, 30.0, 0),
            (2, 500.0, Quality.OUT_OF_RANGE),
            (3, 1.0, Quality.BAD_SENSOR),
        ]
        thing, value, marks = zip(*rows, strict=True)
        if attrs == [4] and start <= START < end:
            yield Batch.of(thing, [4] * 5, [START] * 5, value, quality=[int(mark) for mark in marks])


@pytest.fixture
def book(store: Store, clock: ManualClock) -> CaseBook:
    return CaseBook(store, [make_safe], CALENDAR, clock)


@pytest.fixture
def numbers(store: Store, clock: ManualClock) -> IndicatorBook:
    mine = [safe_in_time, closed_in_time, closed, begun, alarms, over_after, tilt, highest, reporting, covers]
    return IndicatorBook(store, mine, CALENDAR, clock, Recorded())


def handled(book: CaseBook, clock: ManualClock, key: str, minutes: int, ward: str = "East", person: Person = LI) -> str:
    """A case whose handling took so many minutes."""
    values = {"id": key, "ward": ward}
    id_ = book.open_case(make_safe, values=values, alert_key=key, area=f"area-{ward}").entry.id
    book.act(id_, "complete", person)
    clock.advance(minutes * MINUTE)
    book.act(id_, "complete", person, PHOTO)
    return id_


def today(numbers: IndicatorBook, indicator: type[Indicator], days: int = 1) -> Value:
    return numbers.value(indicator, START - 8 * HOUR, START - 8 * HOUR + days * DAY)


def test_in_time_late_and_still_open(book: CaseBook, numbers: IndicatorBook, clock: ManualClock) -> None:
    assert today(numbers, safe_in_time) == Value()
    for n, minutes in enumerate((10, 20, 61)):
        handled(book, clock, f"k{n}", minutes)
    assert today(numbers, safe_in_time) == Value(2.0, 3.0, 2 / 3)
    left = book.open_case(make_safe, values={"id": "x", "ward": "East"}, alert_key="k9").entry
    book.act(left.id, "complete", LI)
    assert today(numbers, safe_in_time).denominator == 3.0
    clock.advance(HOUR + 1)
    assert today(numbers, safe_in_time) == Value(2.0, 4.0, 0.5)
    assert percent(today(numbers, safe_in_time).value) == "50.00 %"
    facts = numbers.lineage(safe_in_time, START, START + DAY)
    assert [fact.label for fact in facts if not fact.part] == ["20261120-000003", left.number]
    assert today(numbers, begun).value == 4


def test_whole_cases(book: CaseBook, numbers: IndicatorBook, clock: ManualClock) -> None:
    good, late = handled(book, clock, "k1", 10), handled(book, clock, "k2", 90)
    for id_ in (good, late):
        book.act(id_, "complete", WU, {"reason": "Seen"})
    assert today(numbers, closed_in_time) == Value(1.0, 2.0, 0.5)
    assert today(numbers, closed) == Value(2.0, 2.0, 1.0)


def test_an_appeal_granted_leaves_the_statistics_and_stays_listed(
    book: CaseBook, numbers: IndicatorBook, clock: ManualClock
) -> None:
    good, late = handled(book, clock, "k1", 10), handled(book, clock, "k2", 90)
    void = handled(book, clock, "k3", 90)
    book.act(void, "void", DISPATCHER, {"reason": "Invented"})
    for id_ in (good, late):
        book.act(id_, "complete", WU, {"reason": "Seen"})
    assert today(numbers, safe_in_time) == Value(1.0, 2.0, 0.5)
    book.act(late, "appeal", LI, {"reason": "Flooded"})
    book.act(late, "uphold", FIRST)
    assert today(numbers, safe_in_time) == Value(1.0, 2.0, 0.5)
    book.act(late, "uphold", SECOND)
    assert today(numbers, safe_in_time) == Value(1.0, 1.0, 1.0)
    assert today(numbers, closed_in_time) == Value(1.0, 1.0, 1.0)
    listed = {fact.id: fact.left_out for fact in numbers.lineage(safe_in_time, START, START + DAY)}
    assert listed == {good: "", late: "appeal", void: "void"}
    assert book.get(late).entry.marks["late"] is True


def test_a_suspended_case_waits_with_its_number(book: CaseBook, numbers: IndicatorBook, clock: ManualClock) -> None:
    id_ = book.open_case(make_safe, values={"id": "x", "ward": "East"}, alert_key="k").entry.id
    book.act(id_, "complete", LI)
    book.act(id_, "suspend", DISPATCHER, {"until": START + 5 * DAY, "reason": "Waits"})
    clock.advance(2 * HOUR)
    assert today(numbers, safe_in_time) == Value()
    book.act(id_, "resume", DISPATCHER)
    book.act(id_, "complete", LI, PHOTO)
    assert today(numbers, safe_in_time) == Value(1.0, 1.0, 1.0)


def test_a_case_that_was_void_for_a_while_counts_once(
    book: CaseBook, numbers: IndicatorBook, clock: ManualClock
) -> None:
    opening = Opening(values={"id": "x", "ward": "East"}, alert_key="k")
    id_ = book.open_case(make_safe, **opening).entry.id
    book.act(id_, "alert_withdrawn", HOUSE)
    clock.advance(2 * HOUR)
    assert today(numbers, closed_in_time) == Value()
    book.open_case(make_safe, **opening)
    for data in ({}, PHOTO):
        book.act(id_, "complete", LI, data)
    book.act(id_, "complete", WU, {"reason": "Seen"})
    assert today(numbers, closed_in_time) == Value(1.0, 1.0, 1.0)
    assert today(numbers, safe_in_time) == Value(1.0, 1.0, 1.0)


def test_by_area_and_department(book: CaseBook, numbers: IndicatorBook, clock: ManualClock) -> None:
    handled(book, clock, "k1", 10)
    handled(book, clock, "k2", 90, "Parks", PARKS)
    areas = numbers.by(safe_in_time, "area", START, START + DAY)
    assert areas == {"area-East": Value(1.0, 1.0, 1.0), "area-Parks": Value(0.0, 1.0, 0.0)}
    assert set(numbers.by(safe_in_time, "department", START, START + DAY)) == {
        "East drainage crew",
        "Parks drainage crew",
    }


def test_days_are_kept_and_worked_out_again(book: CaseBook, numbers: IndicatorBook, clock: ManualClock) -> None:
    handled(book, clock, "k1", 10)
    clock.set(START + DAY)
    handled(book, clock, "k2", 90)
    for _ in range(2):
        assert numbers.keep_days(safe_in_time, 3) == 4
    trend = numbers.trend(safe_in_time, TODAY, date(2026, 11, 25))
    assert [(point.day, point.value.value) for point in trend] == [(TODAY, 1.0), (date(2026, 11, 21), 0.0)]
    parts = numbers.trend(safe_in_time, TODAY, TODAY, "department:East drainage crew")
    assert [point.value for point in parts] == [Value(1.0, 1.0, 1.0)]
    with numbers.store.read() as conn:
        assert len(conn.execute(select(indicator_values)).all()) == 6
    late = book.list().entries[0].id
    book.act(late, "void", DISPATCHER, {"reason": "Invented"})
    numbers.keep_days(safe_in_time, 3)
    assert len(numbers.trend(safe_in_time, TODAY, date(2026, 11, 25))) == 1, "a void case takes its day's number along"
    assert numbers.keep_all(1) == 10


def put_things(store: Store) -> None:
    about: dict[str, Any] = {"type": "Cover", "properties": {}, "owner": "Roads", "changed": START}
    with store.write() as conn:
        conn.execute(insert(attributes).values(idx=4, type="Cover", name="tilt"))
        for idx, state in ((1, "active"), (2, "registered"), (3, "active"), (4, "retired")):
            areas = ["D1", f"S{idx % 2}"]
            conn.execute(insert(things).values(idx=idx, id=f"cover-{idx}", state=state, areas=areas, **about))


def test_readings_and_things(store: Store, numbers: IndicatorBook, clock: ManualClock) -> None:
    put_things(store)
    assert today(numbers, tilt) == Value(60.0, 3.0, 20.0)
    assert today(numbers, highest).value == 30.0
    assert today(numbers, reporting) == Value(2.0, 3.0, 2 / 3)
    assert today(numbers, covers).value == 3
    assert [fact.id for fact in numbers.lineage(tilt, START - DAY, START + DAY)] == ["cover-1", "cover-2"]
    assert numbers.by(covers, "area", START, START + DAY) == {"S0": Value(1, None, 1), "S1": Value(2, None, 2)}
    assert numbers.value(tilt, START - 3 * DAY, START - 2 * DAY) == Value()
    silent = IndicatorBook(store, [tilt, reporting], CALENDAR, clock)
    assert today(silent, tilt) == Value()
    assert today(silent, reporting) == Value(0.0, 3.0, 0.0)


def test_alerts(store: Store, numbers: IndicatorBook, clock: ManualClock) -> None:
    with store.write() as conn:
        for n, (cleared, withdrawn) in enumerate(((None, None), (START + 30 * MINUTE, None), (None, START + 5))):
            row = {"number": n, "key": f"key{n}", "rule": displaced.key(), "app": "x", "onset": START}
            row |= {"raised": START + n, "cleared": cleared, "withdrawn_at": withdrawn, "area": "S1"}
            conn.execute(insert(alerts).values(**row, level="danger", message_values={}, state="standing"))
    assert today(numbers, alarms).value == 2
    assert [(fact.id, fact.left_out) for fact in numbers.lineage(alarms, START, START + DAY)] == [
        ("key0", ""),
        ("key1", ""),
        ("key2", "withdrawn"),
    ]
    assert today(numbers, over_after).value == pytest.approx(30.0, abs=1e-6)
