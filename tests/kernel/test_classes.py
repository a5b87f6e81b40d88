"""Which version of a class is in force, what is wrong with one, and who puts it right where."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.kernel import classes
from cheng.kernel.class_rows import classes_in, responsibilities_in, responsibility_row, rows_of
from cheng.kernel.classes import CaseClass, FilingCondition, Responsibility, faults, in_force, standard_of
from cheng.standards.durations import Duration, hours
from cheng.standards.problems import InputError, Refused
from small_classes import COVER, MISSING, NOISY

FIRST = date(2026, 1, 1)


def broken(**changes: object) -> list[str]:
    return [str(fault) for fault in faults(replace(COVER, **changes))]  # type: ignore[arg-type]


def condition(**changes: object) -> list[str]:
    return broken(conditions=(replace(MISSING, **changes), NOISY))  # type: ignore[arg-type]


# -- what is in force


days = st.integers(0, 40).map(lambda n: FIRST + timedelta(n))
histories = st.lists(st.tuples(days, st.booleans()), max_size=8).map(
    lambda told: [replace(COVER, since=day, retired=gone, version=n) for n, (day, gone) in enumerate(told, 1)]
)


@given(histories, days)
def test_the_version_in_force_is_the_last_that_has_begun(versions: list[CaseClass], day: date) -> None:
    found = in_force(versions, day)
    begun = [version for version in versions if version.since <= day]
    if not begun:
        assert found is None
        return
    latest = max(version.since for version in begun)
    last = [version for version in begun if version.since == latest][-1]
    assert found == (None if last.retired else last)


@given(histories, days)
def test_a_version_that_begins_later_changes_nothing_before(versions: list[CaseClass], day: date) -> None:
    later = replace(COVER, since=day + timedelta(1), version=len(versions) + 1, name="changed")
    assert in_force([*versions, later], day) == in_force(versions, day)
    assert in_force([*versions, replace(later, since=FIRST + timedelta(100))], FIRST + timedelta(100)) is not None


def test_a_standard_keeps_what_was_in_force() -> None:
    standard = standard_of(replace(COVER, version=3), "missing")
    assert (standard.class_code, standard.limit, standard.version) == ("C0101", hours(2), 3)
    assert standard.facts()["limit"] == [2, "hour"]


def test_a_condition_of_another_class_is_refused() -> None:
    with pytest.raises(Refused, match="no filing condition flooded"):
        standard_of(COVER, "flooded")


# -- what is wrong


def test_a_sound_class_has_no_fault() -> None:
    assert list(faults(COVER)) == []
    assert list(faults(replace(COVER, code="C01080", name="Local"))) == []


@pytest.mark.parametrize(
    ("found", "part"),
    [
        (broken(code="X0101"), "“X0101” is no class code"),
        (broken(code="C011"), "no class code"),
        (broken(code="E0101"), "does not begin as codes of the kind"),
        (broken(name_zh=" "), "needs a name"),
        (broken(group=""), "name of its big class"),
        (broken(conditions=()), "at least one filing condition"),
        (broken(conditions=(MISSING, MISSING)), "two conditions named “missing”"),
        (broken(responsible="{streat} squad"), "did you mean 'street'"),
        (broken(responsible="{street squad"), "cannot be read"),
        (condition(id="Missing!"), "is no name for a condition"),
        (condition(text=""), "what is found"),
        (condition(closes_zh=""), "when it is done"),
        (condition(limit=Duration(0, "hour")), "more than 0"),
        (condition(limit=Duration(4000, "hour")), "at most 1000"),
        (condition(limit=Duration(30, "second")), "is in seconds"),
    ],
)
def test_each_fault_has_its_sentence(found: list[str], part: str) -> None:
    assert len(found) == 1
    assert part in found[0]


# -- rows


def table(*versions: CaseClass) -> list[tuple[int, dict[str, str]]]:
    return list(enumerate((row for version in versions for row in rows_of(version)), 2))


texts = st.text(st.characters(categories=("L", "N", "Zs"), include_characters=",;\"'"), min_size=1).map(str.strip)
conditions = st.builds(
    FilingCondition,
    id=st.from_regex(classes.CONDITION_ID, fullmatch=True),
    text=texts.filter(bool),
    text_zh=texts.filter(bool),
    limit=st.builds(Duration, st.integers(1, 1000), st.sampled_from(classes.UNITS)),
    closes=texts.filter(bool),
    closes_zh=texts.filter(bool),
    basis=texts,
    note=texts,
    simple=st.booleans(),
    source=texts,
)
sound = st.builds(
    replace,
    st.just(COVER),
    conditions=st.lists(conditions, min_size=1, max_size=4, unique_by=lambda each: each.id).map(tuple),
    name=texts.filter(bool),
    public=st.booleans(),
    retired=st.booleans(),
    since=st.dates(),
    supervising=texts,
)


@given(sound)
def test_rows_and_back_are_the_same_class(version: CaseClass) -> None:
    (found,) = classes_in(table(version))
    assert not isinstance(found, InputError)
    assert found.version == version


def test_a_class_may_say_itself_once_and_in_chinese_words() -> None:
    rows = [
        (2, {"code": "E0102", "group_zh": "市容环境", "name_zh": "暴露垃圾"}),
        (
            3,
            {
                "code": "E0102",
                "condition": "",
                "text_zh": "主干道堆放",
                "limit": "4",
                "unit": "工作时",
                "closes_zh": "清净",
            },
        ),
    ]
    (found,) = classes_in(rows)
    assert not isinstance(found, InputError)
    assert found.version.name == "暴露垃圾"
    assert found.version.conditions[0].limit == Duration(4, "working hour")
    assert found.version.conditions[0].id == "1"


@pytest.mark.parametrize(
    ("change", "line", "part"),
    [
        ({"unit": "fortnight"}, 3, "no unit of a limit"),
        ({"limit": "soon"}, 3, "no number of working days"),
        ({"limit": "-1"}, 3, "no number of working days"),
        ({"name": "Another"}, 3, "two different values of 'name'"),
        ({"simple": "perhaps"}, 3, "write yes or no"),
        ({"condition": "missing"}, 2, "two conditions"),
        ({"since": "20th"}, 3, "two different values"),
        ({"code": ""}, 3, "no class code"),
    ],
)
def test_a_row_that_cannot_be_taken_says_its_line(change: dict[str, str], line: int, part: str) -> None:
    rows = table(COVER)
    rows[1][1].update(change)
    error = next(found for found in classes_in(rows) if isinstance(found, InputError))
    assert error.line == line
    assert part in error.reason


# -- who puts it right


HERE = {"street": "East Street", "street_id": "s1", "district_id": "d1", "grid_id": "g1", "district": "North"}


def who(*rows: Responsibility, code: str = "C0101", values: dict[str, str] = HERE) -> tuple[str, ...]:
    return classes.responsible(rows, COVER, code, values)


def row(prefix: str, area: str, *departments: str) -> Responsibility:
    return Responsibility(prefix, area, departments)


def test_without_a_row_the_text_of_the_class_says_who() -> None:
    assert who() == ("East Street water crew",)
    assert who(row("E", "", "Sweepers")) == ("East Street water crew",)
    assert who(values={}) == ()


def test_the_row_that_fits_the_class_best_wins_then_the_smallest_area() -> None:
    general, by_class = row("", "g1", "Grid staff"), row("C01", "", "Utilities Bureau")
    assert who(general, by_class) == ("Utilities Bureau",)
    assert who(row("C01", "d1", "District"), row("C01", "s1", "Street"), by_class) == ("Street",)
    assert who(row("C01", "elsewhere", "Others"), by_class) == ("Utilities Bureau",)


def test_several_departments_share_and_blanks_are_filled() -> None:
    assert who(row("C0101", "", "{district} water", "Gas Company")) == ("North water", "Gas Company")
    assert who(row("C0101", "", "{owner}"), row("C01", "", "Utilities")) == ("Utilities",)


@given(st.permutations([row("", "", "a"), row("C", "d1", "b"), row("C", "s1", "c"), row("C01", "", "d")]))
def test_the_order_of_rows_does_not_matter(rows: list[Responsibility]) -> None:
    assert who(*rows) == ("d",)


def test_responsibilities_are_read_and_written() -> None:
    given_rows = [(2, {"prefix": "E01", "area": "s1", "departments": "Sweepers；Street", "since": "2026-12-01"})]
    ((line, found, told),) = responsibilities_in(given_rows)  # type: ignore[misc]
    assert (line, told) == (2, True)
    assert found == Responsibility("E01", "s1", ("Sweepers", "Street"), date(2026, 12, 1))
    assert responsibility_row(found)["departments"] == "Sweepers; Street"
    (error,) = responsibilities_in([(9, {"prefix": "Q", "departments": "X"})])
    assert isinstance(error, InputError)
    assert "no beginning of a class code" in error.reason
