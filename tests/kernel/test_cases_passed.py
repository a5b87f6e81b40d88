"""Cases that another city has: who passes them on, what that writes down, and how they come back."""

from typing import Any

import pytest

from cheng.infrastructure.case_rows import run_rows
from cheng.kernel.cases import HOUSE, Act, Case, Flow, Person, Step, act, add, lights, next_acts
from cheng.standards.durations import days, hours
from cheng.standards.problems import Refused
from small_flow import CALENDAR, DAY, HOUR, MINUTE, START

PASSED = {"passed": ("yes",)}
GIVEN = {"city": "River City", "service": "Rubbish", "reason": "It lies beyond the bridge."}


class hear(Flow):
    """Hear, do, look, close."""

    steps = (
        Step("accept", to="Centre", post="acceptor", passes=True, within=hours(1)),
        Step("handle", to="Crew", within=hours(4)),
        Step("elsewhere", to="Centre", post="leader-of-shift", only=PASSED, away=True, within=days(3)),
        Step("check", to="Crew", unless=PASSED, within=hours(1)),
        Step("close", to="Centre", by="another person", within=hours(1)),
    )


def officer(name: str, department: str, *posts: str) -> Person:
    return Person(name, department, frozenset({"officer", *posts}))


ACCEPTOR, OTHER = officer("shou", "Centre", "acceptor"), officer("qi", "Centre")
LEADER, CREW = officer("ban", "Centre", "leader-of-shift"), officer("chu", "Crew")
DISPATCHER = officer("pai", "Command", "dispatcher")


class Desk:
    """One case, and a clock that moves a minute with each act."""

    def __init__(self) -> None:
        self.now, self.case = START, Case(id="case-1", flow=hear.key())
        self.do("open", HOUSE, values={"source": "citizen"})

    def do(self, verb: str, who: Person, **data: Any) -> Act:
        self.now += MINUTE
        done = act(hear, self.case, verb, who, self.now, data, CALENDAR)
        self.case = add(self.case, done, CALENDAR)
        return done

    def offered(self, who: Person) -> set[str]:
        return {option.verb for option in next_acts(hear, self.case, who, self.now, CALENDAR)}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_waits_at_a_step_of_its_own_until_they_are_done(desk: Desk) -> None:
    done = desk.do("pass_on", ACCEPTOR, **GIVEN)
    assert (done.actor, done.data["reason"]) == ("shou", GIVEN["reason"])
    case = desk.case
    assert (case.state, case.step, case.departments) == ("open", "elsewhere", ("Centre",))
    assert case.runs[-1].due == desk.now + 3 * DAY
    desk.do("answered", HOUSE, number="N-7", text="Received")
    desk.do("answered", HOUSE, text="A crew is there")
    assert desk.case.passed is not None
    assert (desk.case.passed.to, desk.case.passed.number, desk.case.passed.says) == (
        *("River City", "N-7", "A crew is there"),
    )
    desk.do("complete", HOUSE, text="Gone")
    assert desk.case.step == "close", "nobody of ours looks at what others did"
    assert "complete" not in desk.offered(ACCEPTOR), "who passed it on does not close it"
    desk.do("complete", OTHER)
    assert desk.case.state == "closed"
    assert [run.outcome for run in desk.case.runs] == ["passed", "completed", "completed"]


def test_the_time_of_others_is_nobodys_fault_here(desk: Desk) -> None:
    desk.do("pass_on", ACCEPTOR, **GIVEN)
    desk.now += 5 * DAY
    assert lights(desk.case, desk.now) == "red", "who watches over it sees that it takes long"
    desk.do("complete", HOUSE)
    desk.do("complete", OTHER)
    assert not desk.case.late(desk.now)
    assert lights(desk.case, desk.now) == "green"
    rows = {row["step"]: row for row in run_rows(desk.case, None)}
    assert {step: row["left_out"] for step, row in rows.items()} == {
        "": "passed",
        "accept": "",
        "elsewhere": "passed",
        "close": "",
    }


def test_who_is_late_before_it_is_passed_on_is_late(desk: Desk) -> None:
    desk.now += 2 * HOUR
    desk.do("pass_on", ACCEPTOR, **GIVEN)
    assert [row["left_out"] for row in run_rows(desk.case, None) if row["step"] == "accept"] == [""]
    assert desk.case.runs[0].late(desk.now)


def test_what_they_do_not_take_goes_on_where_it_was(desk: Desk) -> None:
    desk.do("take", ACCEPTOR)
    desk.do("pass_on", ACCEPTOR, **GIVEN)
    desk.do("turned_down", HOUSE, text="Not ours either.")
    case = desk.case
    assert (case.step, case.departments, case.passed, case.values["passed"]) == ("accept", ("Centre",), None, "no")
    assert case.runs[-1].due == desk.now + HOUR
    assert next(row["left_out"] for row in run_rows(case, None)) == ""
    desk.do("complete", ACCEPTOR)
    desk.do("complete", CREW)
    assert desk.case.step == "check"


def test_it_is_taken_back_and_then_goes_the_way_of_our_own(desk: Desk) -> None:
    desk.do("pass_on", ACCEPTOR, **GIVEN)
    desk.do("return", LEADER, step="accept", reason="It is ours.")
    assert (desk.case.step, desk.case.passed) == ("accept", None)
    desk.do("pass_on", ACCEPTOR, **GIVEN)
    desk.do("complete", LEADER, text="They told us on the telephone.")
    assert desk.case.step == "close"
    desk.do("return", OTHER, step="accept", reason="It lies there still.")
    assert desk.case.values["passed"] == "no"
    with pytest.raises(Refused, match="none to return to"):
        desk.do("return", DISPATCHER, step="elsewhere", reason="?")


@pytest.mark.parametrize("who", [OTHER, LEADER, CREW, HOUSE])
def test_only_who_has_the_step_passes_it_on(desk: Desk, who: Person) -> None:
    assert "pass_on" not in desk.offered(who)
    with pytest.raises(Refused):
        desk.do("pass_on", who, **GIVEN)


def test_a_dispatcher_passes_on_where_the_flow_lets_cases_go(desk: Desk) -> None:
    assert "pass_on" in desk.offered(DISPATCHER)
    desk.do("complete", ACCEPTOR)
    for who in (CREW, DISPATCHER):
        with pytest.raises(Refused, match="At this step no case is passed on"):
            desk.do("pass_on", who, **GIVEN)


@pytest.mark.parametrize("name", GIVEN)
def test_it_says_to_whom_as_what_and_why(desk: Desk, name: str) -> None:
    with pytest.raises(Refused) as error:
        desk.do("pass_on", ACCEPTOR, **{**GIVEN, name: " "})
    assert error.value.code == f"no-{name}"


def test_nobody_speaks_for_the_other_city(desk: Desk) -> None:
    for verb in ("answered", "turned_down"):
        with pytest.raises(Refused, match="No other city has this case"):
            desk.do(verb, HOUSE, text="x")
    desk.do("pass_on", ACCEPTOR, **GIVEN)
    for who in (ACCEPTOR, LEADER, DISPATCHER):
        for verb in ("answered", "turned_down"):
            with pytest.raises(Refused, match="Only the system"):
                desk.do(verb, who, text="x")


def test_work_that_is_shared_is_not_passed_on(desk: Desk) -> None:
    desk.do("part_opened", HOUSE, case="case-2")
    with pytest.raises(Refused, match="still at work"):
        desk.do("pass_on", ACCEPTOR, **GIVEN)
