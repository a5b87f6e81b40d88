"""Indicators: formulas with worked examples, and no number where there is nothing to count."""

from datetime import date
from operator import attrgetter
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.kernel.entities import Choice, Entity, Quantity, Text, Track
from cheng.kernel.flows import Flow, Step
from cheng.kernel.indicators import (
    MEASURES,
    Fact,
    Indicator,
    Kind,
    Value,
    by_day,
    compute,
    condensed,
    grade,
    grouped,
    percent,
    run_fact,
)
from cheng.standards.calendars import Calendar
from cheng.standards.durations import days
from small_flow import DAY, HOUR, START, Cover, displaced, make_safe


class Lamp(Entity):
    """A street lamp."""

    pole = Text("its number")
    power = Quantity("W", "what it draws")
    state = Choice("on", "off")
    position = Track("where it is carried")


class safe_in_time(Indicator):
    """Displaced covers made safe within the hour."""

    of = make_safe
    step = "handle"
    target = 0.95


def facts(good: int, all_: int, **more: str) -> list[Fact]:
    return [Fact(f"c{n}", f"n{n}", START + n, float(n < good), **more) for n in range(all_)]


# -- worked examples


def test_the_rates_of_tianmen_in_december_2016() -> None:
    """Closed 911 of 972 that should be, 737 of them in time."""
    assert percent(compute("ratio", facts(911, 972)).value) == "93.72 %"
    assert percent(compute("ratio", facts(737, 972)).value) == "75.82 %"


@pytest.mark.parametrize(
    ("good", "of", "expected"),
    [
        (90, 100, "A"),
        (100, 100, "A"),
        (899, 1000, "B"),
        (75, 100, "B"),
        (749, 1000, "C"),
        (60, 100, "C"),
        (599, 1000, "D"),
        (40, 100, "D"),
        (399, 1000, "E"),
        (0, 100, "E"),
        (3, 5, "C"),
        (9, 10, "A"),
        (2, 5, "D"),
    ],
)
def test_grades(good: int, of: int, expected: str) -> None:
    assert grade(compute("ratio", facts(good, of)).value) == expected


def test_percent_is_multiplied_once_and_rounded_half_up() -> None:
    assert percent(1.0) == "100.00 %"
    assert percent(0.0) == "0.00 %"
    assert percent(0.123450) == "12.35 %"
    assert percent(None) == "–"
    assert grade(None) == ""


# -- nothing to count


@pytest.mark.parametrize("kind", ["ratio", "mean", "max", "min"])
def test_without_rows_there_is_no_value(kind: str) -> None:
    assert compute(kind, []) == Value(None, None, None)  # type: ignore[arg-type]
    assert compute(kind, facts(1, 1, left_out="appeal")) == Value(None, None, None)  # type: ignore[arg-type]
    assert safe_in_time.met(None) is None


def test_a_count_of_nothing_is_nought() -> None:
    assert compute("sum", []) == Value(0, None, 0)


def test_those_left_out_are_listed_and_not_counted() -> None:
    rows = [*facts(3, 4), *facts(0, 2, left_out="appeal")]
    assert compute("ratio", rows) == Value(3.0, 4.0, 0.75)


# -- which runs count, and for which day


def run(measure: str = "in time", now: int = START + DAY, **times: int | None) -> Fact | None:
    row: dict[str, int | None] = {"due": START + HOUR, "done": None} | times
    ends = [moment for moment in (row["done"], row["due"]) if moment is not None]
    settled = min(ends) if ends else None
    return run_fact(
        measure, now, started=START, due=row["due"], done=row["done"], settled=settled, id="c", label="20261120-000001"
    )


def test_done_in_time() -> None:
    fact = run(done=START + HOUR)
    assert fact
    assert (fact.part, fact.at) == (1.0, START + HOUR)


def test_done_late_counts_on_the_day_its_limit_passed() -> None:
    fact = run(done=START + 2 * HOUR)
    assert fact
    assert (fact.part, fact.at) == (0.0, START + HOUR)
    share = run("share", done=START + 2 * HOUR)
    assert share
    assert share.part == 1.0


def test_still_open_past_its_limit_counts_as_not_in_time() -> None:
    fact = run()
    assert fact
    assert fact.part == 0.0
    assert run(now=START + HOUR) is None
    assert run(now=START + HOUR + 1) is not None


def test_what_is_not_decided_yet_does_not_count() -> None:
    assert run(now=START + 1) is None
    assert run(due=None) is None
    assert run("mean") is None


def test_without_a_limit_what_is_done_is_in_time() -> None:
    fact = run(due=None, done=START + DAY)
    assert fact
    assert fact.part == 1.0


def test_counts_and_lengths() -> None:
    begun, length = run("count"), run("mean", done=START + 3 * HOUR)
    assert begun
    assert (begun.at, begun.part) == (START, 1.0)
    assert length
    assert length.part == 3.0


# -- trend and groups


def test_trend_by_the_citys_day() -> None:
    evening = START + 15 * HOUR
    rows = [Fact("a", "a", evening, 1.0), Fact("b", "b", evening + 2 * HOUR, 0.0), Fact("c", "c", evening, 0.0)]
    assert by_day("ratio", rows, Calendar()) == {
        date(2026, 11, 20): Value(1.0, 2.0, 0.5),
        date(2026, 11, 21): Value(0.0, 1.0, 0.0),
    }


def test_groups() -> None:
    rows = [*facts(1, 2, area="A1", department="Roads"), *facts(3, 3, area="A2", department="Roads")]
    assert grouped("ratio", rows, lambda fact: fact.area)["A1"] == Value(1.0, 2.0, 0.5)
    assert grouped("ratio", rows, lambda fact: fact.department) == {"Roads": Value(4.0, 5.0, 0.8)}


@given(st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.booleans(), st.booleans()), max_size=60))
def test_groups_add_up_to_the_whole(rows: list[tuple[str, bool, bool]]) -> None:
    made = [Fact(str(n), "", START, float(g), area=a, left_out="void" if o else "") for n, (a, g, o) in enumerate(rows)]
    whole, parts = compute("ratio", made), grouped("ratio", made, lambda fact: fact.area).values()
    assert (whole.numerator or 0) == sum(part.numerator or 0 for part in parts)
    assert (whole.denominator or 0) == sum(part.denominator or 0 for part in parts)
    assert whole.value is None or 0 <= whole.value <= 1


# -- declarations


def test_defaults_fit_what_it_is_of() -> None:
    assert safe_in_time.problems == []
    assert safe_in_time.name_of_measure() == "in time"
    assert safe_in_time.how().formula == "cases finished within their limit ÷ cases that were due"
    assert safe_in_time.met(0.95) is True
    assert safe_in_time.met(0.9499) is False

    class alarms(Indicator):
        """Alerts a day."""

        of = displaced
        target = 10

    assert (alarms.problems, alarms.how().kind, alarms.how().better) == ([], "sum", "less")
    assert alarms.met(10) is True
    assert alarms.met(11) is False

    class power(Indicator):
        """What a lamp draws."""

        of = Lamp.power

    assert (power.problems, power.how().kind, power.how().unit) == ([], "mean", "W")

    class covered(Indicator):
        """Lamps that report."""

        of = Lamp
        measure = "coverage"
        better = "less"
        public = True

    assert (alarms.public, covered.public) == (False, True)
    assert (covered.problems, covered.how().unit, covered.how().better) == ([], "%", "less")


def declared(**blanks: object) -> list[tuple[str, str]]:
    made = type("broken", (Indicator,), {"__doc__": "Something.", **blanks})
    return [(problem.code, problem.message + " " + problem.hint) for problem in made.problems]


class unlimited(Flow):
    """Without limits."""

    steps = (Step("handle"), Step("check", within=days(1)))


@pytest.mark.parametrize(
    ("blanks", "code", "words"),
    [
        ({}, "H003", "lacks 'of'"),
        ({"of": 3}, "H040", "is of 3"),
        ({"of": Lamp.pole}, "H040", "reported over time"),
        ({"of": Lamp.position}, "H040", "no number"),
        ({"of": make_safe, "measure": "in tme"}, "H041", "did you mean 'in time'?"),
        ({"of": Cover, "measure": "mean"}, "H041", "known are count, coverage"),
        ({"of": make_safe, "target": 95}, "H042", "0.95"),
        ({"of": make_safe, "step": "handel"}, "H043", "did you mean 'handle'?"),
        ({"of": Lamp.power, "step": "handle"}, "H043", "only flows have steps"),
        ({"of": unlimited, "step": "handle"}, "H044", "add within"),
        ({"of": make_safe, "every": days(1)}, "H002", "unknown attribute 'every'"),
        ({"of": make_safe, "tagret": 1}, "H002", "did you mean 'target'?"),
    ],
)
def test_what_is_wrong_is_said(blanks: dict[str, object], code: str, words: str) -> None:
    ((found, text),) = declared(**blanks)
    assert found == code
    assert words in text


def test_every_measure_says_what_it_counts() -> None:
    for measures in MEASURES.values():
        for measure in measures.values():
            assert measure.numerator
            assert bool(measure.denominator) == (measure.kind in ("ratio", "mean"))


fact = st.builds(
    Fact,
    id=st.just("x"),
    label=st.just("x"),
    at=st.just(START),
    part=st.integers(-9, 9).map(float),
    whole=st.integers(1, 4).map(float),
    area=st.sampled_from(["", "n", "s"]),
    department=st.sampled_from(["", "a", "b"]),
    left_out=st.sampled_from(["", "", "void"]),
)


@given(st.sampled_from(get_args(Kind)), st.lists(fact, max_size=30))
def test_condensed_rows_give_the_same_numbers(kind: Any, rows: list[Fact]) -> None:
    few = condensed(kind, rows)
    assert len(few) == len({(row.area, row.department) for row in rows if not row.left_out})
    assert compute(kind, few) == compute(kind, rows)
    for about in ("area", "department"):
        counted = [row for row in rows if not row.left_out]
        assert grouped(kind, few, attrgetter(about)) == grouped(kind, counted, attrgetter(about))
