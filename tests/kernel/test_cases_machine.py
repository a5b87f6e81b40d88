"""The machine of a case against a small oracle: random people try random verbs in random order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cheng.kernel.cases import HOUSE, VERBS, Act, Option, Person, add, fold, lights, next_acts, remaining
from cheng.kernel.cases import act as judge
from cheng.standards.problems import Refused
from small_flow import (
    CALENDAR,
    CITIZEN,
    DAY,
    DISPATCHER,
    FIRST,
    HE,
    HOUR,
    LEADER,
    LI,
    MINUTE,
    SECOND,
    STRANGER,
    WU,
    Desk,
    make_safe,
    officer,
)

ALL = (LI, WU, HE, STRANGER, officer("sam", "Parks"), DISPATCHER, LEADER, FIRST, SECOND, CITIZEN, HOUSE)
STEPS = ["dispatch", "handle", "check"]
LIMITS = {"dispatch": 10 * MINUTE, "handle": HOUR, "check": DAY}

DULL = {"note", "void", "urge"}
"""Verbs that change nothing or everything, and so are not sought."""


class Oracle:
    """What a case should be, told in another way: plain words about one case on a continuous clock."""

    def __init__(self, now: int) -> None:
        self.state, self.step, self.department, self.due = "open", "dispatch", "East drainage crew", now + 10 * MINUTE
        self.holder, self.done_by, self.asked_by = "", list[tuple[str, str]](), ""
        self.extended, self.paused, self.stopped, self.wakes = 0, False, 0, 0
        self.owners = dict[str, str]()
        self.late = set[str]()
        self.appeals = dict[str, list[str]]()
        self.untouched = True

    def enter(self, step: str, department: str, now: int) -> None:
        self.state, self.step, self.department = "open", step, department
        self.due, self.holder, self.asked_by = now + LIMITS[step], "", ""

    def may_handle(self, person: Person) -> bool:
        mine = "officer" in person.roles and person.department == self.department
        checks_own = self.step == "check" and any(by == person.name and s != "check" for s, by in self.done_by)
        return self.state == "open" and mine and not checks_own and self.holder in ("", person.name)

    def leave(self, person: Person, now: int, *, finished: bool) -> None:
        if now > self.due:
            self.late.add(self.department)
        self.owners[self.step] = self.department
        if finished:
            self.done_by.append((self.step, person.name))

    def complete(self, person: Person, now: int) -> None:
        self.leave(person, now, finished=True)
        if self.step == "check":
            self.state, self.step = "closed", ""
            return
        following = STEPS[STEPS.index(self.step) + 1]
        self.enter(following, self.owners.get(following, self.department), now)


class Machine(RuleBasedStateMachine):
    @initialize()
    def opens(self) -> None:
        self.desk = Desk()
        self.oracle = Oracle(self.desk.now)

    @rule(minutes=st.sampled_from([1, 5, 30, 120, 1440]))
    def waits(self, minutes: int) -> None:
        self.desk.now += minutes * MINUTE

    @rule(
        verb=st.sampled_from(sorted(VERBS.keys() - {"note"})),
        person=st.sampled_from(ALL),
        other=st.sampled_from(ALL),
        step=st.sampled_from(STEPS),
        holds=st.sampled_from([True, False, None]),
    )
    def tries(self, verb: str, person: Person, other: Person, step: str, holds: bool | None) -> None:
        desk = self.desk
        offered = {option.verb: option for option in desk.options(person, holds)}
        before = desk.case
        data = fitting(offered[verb], step, other, desk.now) if verb in offered else {}
        done = attempt(desk, verb, person, data, holds, other)
        if isinstance(done, Refused):
            assert verb not in offered or done.code in ("person-elsewhere", "own-work", "same-department")
            assert str(done).endswith(".")
            return
        assert verb in offered, "what is done was offered"
        desk.acts.append(done)
        desk.case = add(desk.case, done, CALENDAR)
        assert desk.case.version == before.version + 1
        assert desk.case.runs[: len(before.runs) - 1] == before.runs[:-1] or verb == "uphold", "no past run changes"
        self.mirror(verb, person, data, other)

    @rule(
        person=st.sampled_from([LI, WU, HE, STRANGER, DISPATCHER, DISPATCHER, FIRST, SECOND]),
        other=st.sampled_from([LI, WU, HE, STRANGER]),
        step=st.sampled_from(STEPS),
        pick=st.integers(0, 20),
        holds=st.sampled_from([True, None]),
    )
    def does_what_is_offered(self, person: Person, other: Person, step: str, pick: int, holds: bool | None) -> None:
        offered = sorted(self.desk.verbs(person, holds) - DULL)
        if offered:
            self.tries(offered[pick % len(offered)], person, other, step, holds)

    @rule(person=st.sampled_from([LI, WU, HE]))
    def goes_on(self, person: Person) -> None:
        if "complete" in self.desk.verbs(person, True):
            self.tries("complete", person, LI, "check", True)

    def mirror(self, verb: str, person: Person, data: dict[str, object], target: Person) -> None:
        oracle, now = self.oracle, self.desk.now
        tell = getattr(self, f"then_{verb}", None)
        if tell:
            tell(oracle, person, data, now, target)
        if person != HOUSE:
            oracle.untouched = False

    def then_take(self, oracle: Oracle, person: Person, *_: object) -> None:
        assert oracle.may_handle(person)
        assert oracle.holder == ""
        oracle.holder = person.name

    def then_assign(self, oracle: Oracle, person: Person, data: object, now: int, target: Person) -> None:
        assert target.department == oracle.department
        oracle.holder = target.name

    def then_complete(self, oracle: Oracle, person: Person, data: object, now: int, *_: object) -> None:
        assert oracle.may_handle(person)
        oracle.complete(person, now)

    def then_return(self, oracle: Oracle, person: Person, data: dict[str, str], now: int, *_: object) -> None:
        assert oracle.may_handle(person) or person == DISPATCHER
        assert STEPS.index(data["step"]) < STEPS.index(oracle.step)
        oracle.leave(person, now, finished=False)
        oracle.enter(data["step"], oracle.owners[data["step"]], now)

    def then_move(self, oracle: Oracle, person: Person, data: dict[str, str], now: int, *_: object) -> None:
        assert person == DISPATCHER
        if now > oracle.due:
            oracle.late.add(oracle.department)
        oracle.enter(oracle.step, data["department"], now)

    def then_extend(self, oracle: Oracle, person: Person, data: object, now: int, *_: object) -> None:
        assert oracle.may_handle(person)
        assert now <= oracle.due
        assert not oracle.asked_by
        assert oracle.extended < 2
        oracle.asked_by = person.name

    def then_allow(self, oracle: Oracle, person: Person, *_: object) -> None:
        assert oracle.asked_by not in ("", person.name)
        oracle.asked_by, oracle.extended, oracle.due = "", oracle.extended + 1, oracle.due + LIMITS[oracle.step]

    def then_deny(self, oracle: Oracle, person: Person, *_: object) -> None:
        assert oracle.asked_by not in ("", person.name)
        oracle.asked_by = ""

    def then_suspend(self, oracle: Oracle, person: Person, data: dict[str, int], now: int, *_: object) -> None:
        assert not oracle.paused
        oracle.state, oracle.paused, oracle.stopped, oracle.wakes = "suspended", True, now, data["until"]

    def then_resume(self, oracle: Oracle, person: Person, data: object, now: int, *_: object) -> None:
        oracle.state, oracle.due = "open", oracle.due + min(now, oracle.wakes) - oracle.stopped

    def then_merge(self, oracle: Oracle, *_: object) -> None:
        oracle.state = "merged"

    def then_unmerge(self, oracle: Oracle, *_: object) -> None:
        oracle.state = "open"

    def then_void(self, oracle: Oracle, *_: object) -> None:
        oracle.state, oracle.step = "void", ""

    def then_alert_withdrawn(self, oracle: Oracle, *_: object) -> None:
        if oracle.untouched and oracle.state == "open":
            oracle.state, oracle.step = "void", ""

    def then_alert_restored(self, oracle: Oracle, person: Person, data: object, now: int, *_: object) -> None:
        if oracle.untouched and oracle.state == "void":
            oracle.enter("dispatch", "East drainage crew", now)

    def then_reopen(self, oracle: Oracle, person: Person, data: dict[str, str], now: int, *_: object) -> None:
        oracle.enter(data["step"], oracle.owners[data["step"]], now)

    def then_appeal(self, oracle: Oracle, person: Person, *_: object) -> None:
        assert person.department in oracle.late
        assert person.department not in oracle.appeals
        oracle.appeals[person.department] = []

    def then_uphold(self, oracle: Oracle, person: Person, *_: object) -> None:
        heard = list(oracle.appeals.values())[-1]
        assert person.name not in heard
        heard.append(person.name)

    @invariant()
    def is_what_the_oracle_says(self) -> None:
        if not hasattr(self, "desk"):
            return
        desk, case, oracle = self.desk, self.desk.case, self.oracle
        assert case == fold(make_safe, desk.acts, CALENDAR, "case-1"), "the state is the sum of the acts"
        assert (case.state, case.step) == (oracle.state, oracle.step)
        if case.run:
            assert case.departments == (oracle.department,)
            assert (case.assignee, case.run.due) == (oracle.holder, oracle.due)
            if case.state == "open":
                assert remaining(case, desk.now) == oracle.due - desk.now
                assert desk.now <= oracle.due or lights(case, desk.now) == "red"
        assert case.extended == oracle.extended
        granted = {department for department, heard in oracle.appeals.items() if len(heard) == 2}
        assert {run.department for run in case.runs if run.excused} <= granted


def attempt(
    desk: Desk, verb: str, person: Person, data: dict[str, object], holds: bool | None, other: Person
) -> Act | Refused:
    try:
        return judge(make_safe, desk.case, verb, person, desk.now, data, CALENDAR, holds=holds, target=other)
    except Refused as refused:
        return refused


def fitting(option: Option, step: str, target: Person, now: int) -> dict[str, object]:
    """Data that the option asks for."""
    gives: dict[str, object] = {
        "reason": "for good reason",
        "text": "a word",
        "proof": [{"kind": kind, "blob": "ab12"} for kind in option.proofs],
        "step": step if step in option.steps else (option.steps or ("",))[0],
        "person": target.name,
        "department": target.department or "Parks",
        "until": now + 3 * HOUR,
        "into": "case-2",
        "case": "case-3",
        "report": "r-1",
        "answer": {"solved": "yes"},
    }
    return {need: gives[need] for need in option.needs}


Machine.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
TestMachine = Machine.TestCase


def test_nothing_is_offered_to_those_who_have_no_part_in_it() -> None:
    assert {o.verb for o in next_acts(make_safe, Desk().case, CITIZEN, 0, CALENDAR)} == set()
