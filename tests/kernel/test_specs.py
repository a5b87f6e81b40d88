"""Blanks refuse nonsense: every problem has a code, a sentence, a place and a mend, and all come at once."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytest

from cheng.kernel.specs import App, Problem, Spec, SpecError, did_you_mean, title_of
from cheng.standards.durations import Duration, minutes


class Recipe(Spec, kind="recipe"):
    """How something is cooked."""

    serves: int
    time: Duration
    heat: Literal["low", "high"] = "low"
    steps: tuple[str, ...] = ()
    pair: tuple[int, str] | None = None
    price: float = 0
    after: type[Spec] | None = None
    work: Callable[..., int] | None = None
    names: dict[str, int] | None = None
    anything: Any = None
    open: bool = False

    shelf: ClassVar[str] = "kitchen"


def line() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def texts(spec: type[Spec]) -> list[str]:
    return [str(problem) for problem in spec.problems]


def test_a_whole_declaration_has_no_problem() -> None:
    class soup(Recipe):
        """Soup for {serves}
        in a hurry."""

        serves, time, heat, steps = 4, minutes(20), "high", ("cut", "boil")
        pair, price, after, work, names, open = (1, "a"), 3, App, len, {"a": 1}, True

    assert soup.problems == []
    assert soup.sentence() == "Soup for {serves} in a hurry."
    assert soup.place() == f"test_specs.py:{inspect.getsourcelines(soup)[1]}"
    assert (Recipe.kind, soup.kind, "shelf" in Recipe.blanks) == ("recipe", "recipe", False)


def test_h001_no_sentence() -> None:
    at = line() + 2

    class soup(Recipe):
        serves, time = 4, minutes(20)

    problem = "H001 recipe soup has no sentence"
    assert texts(soup) == [f"{problem} (test_specs.py:{at}); add a docstring: it is what people read"]


def test_h002_unknown_attribute() -> None:
    at = line() + 2

    class soup(Recipe):
        """Soup."""

        serves, tiem = 4, minutes(20)
        time = minutes(20)

    problem = "H002 unknown attribute 'tiem' in class soup"
    assert texts(soup) == [f"{problem} (test_specs.py:{at}); did you mean 'time'?"]


def test_h002_names_what_is_known_when_nothing_is_near() -> None:
    class stale(Spec, kind="stale"):
        """Old."""

        zeal: int = 0
        age: int = 0

    class bread(stale):
        """Bread."""

        unheard_of = 1

    assert [(p.code, p.hint) for p in bread.problems] == [("H002", "known are age, zeal")]


def test_h003_lacking_attribute() -> None:
    at = line() + 2

    class soup(Recipe):
        """Soup."""

        serves = 4

    assert texts(soup) == [f"H003 recipe soup lacks 'time' (test_specs.py:{at}); add time = …"]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("serves", "4", "int"),
        ("serves", None, "int"),
        ("time", 20, "Duration"),
        ("heat", "medium", "'low' or 'high'"),
        ("steps", "cut", "tuple[str, ...]"),
        ("steps", ("cut", 1), "tuple[str, ...]"),
        ("pair", (1, 2), "tuple[int, str] or NoneType"),
        ("pair", (1, "a", "b"), "tuple[int, str] or NoneType"),
        ("price", "3", "float"),
        ("price", True, "float"),
        ("open", 1, "bool"),
    ],
)
def test_h004_a_value_that_does_not_fit(name: str, value: Any, wanted: str) -> None:
    filled = {"__doc__": "Soup.", "serves": 4, "time": minutes(20), name: value}
    soup = type("soup", (Recipe,), filled)
    (problem,) = soup.problems
    assert (problem.code, problem.message) == ("H004", f"'{name}' of soup is {value!r}")
    assert problem.hint == f"it has to be {wanted}"


@pytest.mark.parametrize(("name", "value"), [("after", int), ("after", 1), ("work", 3), ("names", [1])])
def test_h004_classes_functions_and_tables(name: str, value: Any) -> None:
    soup = type("soup", (Recipe,), {"__doc__": "Soup.", "serves": 4, "time": minutes(20), name: value})
    assert [problem.code for problem in soup.problems] == ["H004"]


def test_all_problems_at_once() -> None:
    class soup(Recipe):
        serves = "4"
        heet = "low"

    assert [problem.code for problem in soup.problems] == ["H001", "H004", "H002", "H003"]
    error = SpecError(soup.problems)
    assert str(error).splitlines() == texts(soup)


def test_problems_of_one_declaration_are_its_own() -> None:
    class soup(Recipe):
        """Soup."""

        serves, time, odd = 1, minutes(1), 2

    class bread(Recipe):
        """Bread."""

        serves, time = 1, minutes(1)

    assert (len(soup.problems), bread.problems, Recipe.problems) == (1, [], [])


def test_an_application_says_who_answers_for_it() -> None:
    class lamps(App):
        """Keeps the lamps lit."""

        title, system = "Lamps", "G5"

    assert [problem.message for problem in lamps.problems] == ["app lamps lacks 'owner'"]
    lamps.family = "city"
    assert lamps.key() == "city/lamps"


def test_words_for_names() -> None:
    assert (title_of("make_safe"), title_of("MakeSafe"), title_of("x")) == ("Make safe", "Make safe", "X")
    assert did_you_mean("levl", ["level", "hold"]) == "did you mean 'level'?"
    assert str(Problem("H009", "it is so")) == "H009 it is so"
