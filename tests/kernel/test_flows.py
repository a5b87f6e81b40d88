"""Flows refuse nonsense at import, all of it at once."""

import pytest

from cheng.kernel.conditions import Condition
from cheng.kernel.flows import Flow, Step
from cheng.standards.durations import hours
from small_flow import Cover, displaced, make_safe, together


def codes(flow: type[Flow]) -> list[str]:
    return [problem.code for problem in flow.problems]


def test_the_example_holds_together() -> None:
    assert make_safe.problems == []
    assert make_safe.key() == "small_flow.make_safe"
    assert make_safe.starters() == (displaced,)
    assert make_safe.step_names() == ["dispatch", "handle", "check"]
    assert make_safe.after("handle") is make_safe.steps[2]
    assert make_safe.after("check") is None
    assert make_safe.find("gone by now").texts == ()
    assert make_safe.position("gone by now") == -1


def test_departments_are_named_by_the_things_fields() -> None:
    step = make_safe.steps[0]
    assert step.departments({"ward": "East"}) == ("East drainage crew",)
    assert step.departments({"ward": None}) == ()
    assert step.departments({}) == ()
    assert together.steps[0].departments({}) == ("Roads", "Drainage")
    assert Step("x", to=("{a}", "{b}")).departments({"a": "Roads", "b": "Roads"}) == ("Roads",)
    assert Step("x", to="{a}").departments({"a": "{b}", "b": "no"}) == ("{b}",), "what is filled in is not read again"


def problem_of(*steps: object) -> list[tuple[str, str, str]]:
    made = type("broken", (Flow,), {"__doc__": "A flow.", "steps": steps, "starts": displaced})
    return [(problem.code, problem.message, problem.hint) for problem in made.problems]


@pytest.mark.parametrize(
    ("steps", "code", "message", "hint"),
    [
        ((), "H030", "flow broken has no steps", "add steps"),
        ((Step(""),), "H031", "a step is named ''", "short name"),
        ((Step("a"), Step("b", by="another persn")), "H032", "by='another persn'", "did you mean 'another person'?"),
        ((Step("a", within=3),), "H033", "within=3", "hours(1)"),
        ((Step("a", within=hours(0)),), "H033", "leaves no time", "leave 'within' out"),
        ((Step("a", until="tilt < 5"),), "H034", "until='tilt < 5'", "Cover.tilt < 5"),
        ((Step("a", proof=()),), "H035", "proof=()", "photo"),
        ((Step("a", to=("",)),), "H036", "to=('',)", "crew"),
        ((Step("a", to="{ward"),), "H036", "cannot be read", "{ward}"),
        ((Step("a", to="{ward.name}"),), "H036", "'{ward.name}'", "one field"),
        ((Step("a", to="{wrad} crew"),), "H036", "'{wrad}'", "did you mean 'ward'?"),
        ((Step("a"), Step("a")), "H038", "two steps named 'a'", "own name"),
        ((Step("a", by="another person"),), "H039", "the first step", "nobody came before"),
        ((Step("a", passes=True),), "H049", "no step says where they wait", "away=True"),
        (("handle",), "H004", "'steps' of broken", "Step"),
    ],
)
def test_what_is_wrong_is_said(steps: tuple[object, ...], code: str, message: str, hint: str) -> None:
    ((found, words, mend),) = problem_of(*steps)
    assert found == code
    assert message in words
    assert hint in mend


def test_all_problems_come_at_once() -> None:
    class hasty(Flow):
        """Everything wrong at once."""

        starts = Cover
        stepps = ()
        steps = (Step("a", by="me", within=0), Step("a", to="{nothing"))  # type: ignore[arg-type]

    assert codes(hasty) == ["H002", "H037", "H032", "H033", "H036", "H038"]


def test_a_flow_without_steps_or_sentence_is_refused() -> None:
    class bare(Flow):
        pass

    assert codes(bare) == ["H001", "H003"]


def test_a_condition_is_no_truth() -> None:
    assert isinstance(make_safe.steps[2].until, Condition)
