"""Cases that are filed by a condition: posts, steps passed over, limits of the condition, work that is shared."""

from typing import Any

import pytest

from cheng.kernel.cases import HOUSE, Act, Case, Flow, Person, Step, act, add, fold, next_acts
from cheng.kernel.flows import BY_CONDITION, REST
from cheng.standards.durations import Duration, days, hours, minutes
from cheng.standards.problems import Refused
from small_flow import CALENDAR, DISPATCHER, HOUR, MINUTE, PHOTO, START

PUBLIC = {"source": ("citizen", "hotline")}
STANDARD = {
    "class": "E0102",
    "condition": "1",
    "text": "a pile of rubbish on a main road",
    "limit": [4, "hour"],
    "closes": "the pile is gone",
    "simple": False,
}


NAMED: dict[str, Any] = {"condition": "1", "class": "E0205"}


class handle_report(Flow):
    """From the report to the close."""

    reopen = days(30)
    reopen_by_reporter = days(7)
    reopen_at = "dispatch"
    steps = (
        Step("verify", to="{street} collectors", post="collector", only=PUBLIC, within=hours(2)),
        Step("file", to="Centre", post="shift-leader", asks=("condition",), voids=True, within=minutes(30)),
        Step("dispatch", to="Command", post="dispatcher", asks=("departments",), unless={"simple": ("yes",)}),
        Step(
            "handle",
            post=("handler", "foreman"),
            proof="photo",
            within=BY_CONDITION,
            disputes=True,
            unless={"simple": ("yes",)},
        ),
        Step("feedback", within=REST, joins=True, unless={"simple": ("yes",)}),
        Step(
            "check",
            to="{street} collectors",
            post="collector",
            by="another person",
            unless={"simple": ("yes",), "part": ("yes",)},
        ),
        Step("close", to="Centre", post="shift-leader", by="another person", unless={"part": ("yes",)}),
    )


def worker(name: str, department: str, *posts: str) -> Person:
    return Person(name, department, frozenset({"officer", *posts}))


COLLECTOR, SECOND_COLLECTOR = (worker(name, "East collectors", "collector") for name in ("cai", "cui"))
LEADER, SECOND_LEADER = (worker(name, "Centre", "shift-leader") for name in ("zhou", "zhu"))
SENDER = worker("pai", "Command", "dispatcher")
HANDLER, CLERK = worker("chu", "Cleaning", "handler"), worker("ke", "Cleaning")
REPORTER = Person("report:1", roles=frozenset({"citizen"}))


class Street:
    """One report, and a clock that moves a minute with each act."""

    def __init__(self, **values: str) -> None:
        self.now, self.acts = START - MINUTE, list[Act]()
        self.case = Case(id="case-1", flow=handle_report.key())
        values = {"street": "East", "source": "citizen", "class": "E0102"} | values
        self.do("open", HOUSE, values=values, reporter="report:1")

    def do(
        self, verb: str, actor: Person, wait: int = MINUTE, standard: dict[str, Any] | None = None, **data: Any
    ) -> Case:
        self.now += wait
        done = act(handle_report, self.case, verb, actor, self.now, data, CALENDAR, standard=standard)
        self.acts.append(done)
        self.case = add(self.case, done, CALENDAR)
        assert self.case == fold(handle_report, self.acts, CALENDAR, "case-1")
        return self.case

    def verbs(self, actor: Person) -> set[str]:
        return {option.verb for option in next_acts(handle_report, self.case, actor, self.now, CALENDAR)}

    def file(self, standard: dict[str, Any] = STANDARD) -> "Street":
        if self.case.step == "verify":
            self.do("complete", COLLECTOR)
        self.do("complete", LEADER, condition="1", standard=standard)
        return self

    def handled(self) -> "Street":
        self.file()
        self.do("complete", SENDER, departments=["Cleaning"])
        self.do("complete", HANDLER, **PHOTO)
        return self

    def closed(self) -> "Street":
        self.handled().do("complete", CLERK)
        self.do("complete", SECOND_COLLECTOR)
        self.do("complete", SECOND_LEADER)
        return self


def test_a_report_goes_from_hand_to_hand_until_it_is_closed() -> None:
    street = Street().closed()
    steps = ["verify", "file", "dispatch", "handle", "feedback", "check", "close"]
    assert [run.step for run in street.case.runs] == steps
    assert street.case.state == "closed"
    assert street.case.standard["closes"] == "the pile is gone"
    assert street.case.values["condition"] == "1"


def test_what_a_collector_finds_is_filed_without_being_verified() -> None:
    assert Street(source="collector").case.step == "file"


def test_what_was_put_right_on_the_spot_is_filed_and_closed() -> None:
    street = Street(source="collector", simple="yes")
    street.do("complete", LEADER, condition="1", standard=STANDARD | {"simple": True})
    assert street.case.step == "close"
    street.do("complete", SECOND_LEADER)
    assert street.case.state == "closed"


def test_what_cannot_be_put_right_on_the_spot_is_dispatched_whatever_its_finder_says() -> None:
    street = Street(source="collector", simple="yes").file()
    assert street.case.step == "dispatch"
    assert street.case.values["simple"] == "no"


def test_the_limit_is_that_of_the_condition_and_the_rest_of_it_is_for_the_feedback() -> None:
    street = Street().handled()
    handle, feedback = street.case.runs[-2:]
    assert handle.limit == Duration(4, "hour")
    assert handle.due == handle.started + 4 * HOUR
    assert (feedback.due, feedback.warn) == (handle.due, handle.warn)


def test_feedback_after_the_deadline_is_late_even_when_the_work_was_done_in_time() -> None:
    street = Street().handled()
    street.do("complete", CLERK, wait=5 * HOUR)
    handle, feedback = street.case.runs[-3:-1]
    assert not handle.late(street.now)
    assert feedback.late(street.now)


def test_filing_needs_a_condition_that_is_in_force() -> None:
    street = Street(source="collector")
    for data in ({}, {"condition": "9"}):
        with pytest.raises(Refused) as refused:
            street.do("complete", LEADER, **data)
        assert refused.value.code == "no-condition"


def test_the_class_can_be_put_right_when_it_is_filed() -> None:
    street = Street(source="collector")
    street.do("complete", LEADER, standard=STANDARD | {"class": "E0205"}, **NAMED)
    assert street.case.values["class"] == "E0205"


@pytest.mark.parametrize("person", [CLERK, SENDER, LEADER, HANDLER])
def test_a_step_is_for_its_post(person: Person) -> None:
    assert "complete" not in Street().verbs(person)


def test_a_post_without_the_department_is_not_enough() -> None:
    elsewhere = worker("cao", "West collectors", "collector")
    assert "complete" not in Street().verbs(elsewhere)


def test_dispatching_names_a_department() -> None:
    street = Street().file()
    with pytest.raises(Refused, match="Choose the department"):
        street.do("complete", SENDER, departments=[" "])
    with pytest.raises(Refused, match="At most"):
        street.do("complete", SENDER, departments=[f"D{n}" for n in range(6)])


def test_nobody_checks_their_own_work() -> None:
    street = Street()
    street.do("complete", COLLECTOR)
    street.file()
    street.do("complete", SENDER, departments=["Cleaning"])
    street.do("complete", HANDLER, **PHOTO)
    street.do("complete", CLERK)
    assert "complete" not in street.verbs(COLLECTOR)
    assert "complete" in street.verbs(SECOND_COLLECTOR)


def test_the_shift_leader_declares_void_what_is_none() -> None:
    street = Street()
    assert "void" not in street.verbs(COLLECTOR)
    street.do("complete", COLLECTOR)
    street.do("void", LEADER, reason="nothing there")
    assert street.case.state == "void"


def test_a_department_that_is_not_in_charge_says_so_once_and_the_clock_runs_on() -> None:
    street = Street().file()
    street.do("complete", SENDER, departments=["Cleaning"])
    due = street.case.next_due
    assert "insist" not in street.verbs(DISPATCHER)
    street.do("dispute", HANDLER, reason="this is a private yard")
    assert street.case.dispute is not None
    assert street.case.next_due == due
    street.do("insist", DISPATCHER, reason="the land is public")
    assert street.case.dispute is None
    assert "dispute" not in street.verbs(HANDLER)
    other = Street().file()
    other.do("complete", SENDER, departments=["Cleaning"])
    other.do("dispute", HANDLER, reason="this is a private yard")
    other.do("move", DISPATCHER, department="Housing", reason="so it is")
    assert other.case.dispute is None
    assert other.case.departments == ("Housing",)


def test_the_lead_waits_for_those_who_share_the_work() -> None:
    street = Street().file()
    street.do("complete", SENDER, departments=["Cleaning", "Parks"])
    street.do("part_opened", HOUSE, case="case-2")
    street.do("complete", HANDLER, **PHOTO)
    with pytest.raises(Refused) as refused:
        street.do("complete", CLERK)
    assert refused.value.code == "parts-open"
    street.do("part_over", HOUSE, case="case-2")
    street.do("complete", CLERK)
    assert street.case.step == "check"


def test_a_part_begins_where_the_work_does_and_ends_with_the_feedback() -> None:
    values = {"street": "East", "source": "citizen", "part": "yes"}
    begin = {"step": "handle", "to": ["Parks"], "standard": STANDARD}
    told = {"values": values, "begin": begin}
    opened = act(handle_report, Case(), "open", HOUSE, START, told, CALENDAR)
    case = fold(handle_report, [opened], CALENDAR)
    assert (case.step, case.departments, case.next_due) == ("handle", ("Parks",), START + 4 * HOUR)
    gardener = worker("yuan", "Parks", "handler")
    for _ in range(2):
        done = act(handle_report, case, "complete", gardener, START + HOUR, PHOTO, CALENDAR)
        case = add(case, done, CALENDAR)
    assert case.state == "closed"
    with pytest.raises(Refused, match="Only the system"):
        act(handle_report, Case(), "open", SENDER, START, told, CALENDAR)


def test_rework_goes_back_to_the_department_with_the_limit_of_the_condition() -> None:
    street = Street().handled()
    street.do("complete", CLERK)
    street.do("return", SECOND_COLLECTOR, step="handle", reason="half of it is still there")
    assert street.case.departments == ("Cleaning",)
    run = street.case.run
    assert run is not None
    assert run.due == street.now + 4 * HOUR


def test_whoever_reported_it_opens_it_again_within_the_window_and_says_how_it_went() -> None:
    street = Street().closed()
    assert street.verbs(REPORTER) >= {"reopen", "rate"}
    street.do("rate", REPORTER, answer={"solved": "no", "satisfied": "mostly"})
    street.do("rate", REPORTER, answer={"satisfied": "no"})
    assert street.case.rating == {"solved": "no", "satisfied": "no"}
    street.do("reopen", REPORTER, reason="it is there again")
    assert street.case.step == "dispatch"
    late = Street().closed()
    with pytest.raises(Refused, match="too long ago"):
        late.do("reopen", REPORTER, wait=8 * 24 * HOUR, reason="it is there again")


@pytest.mark.parametrize("answer", [None, {}, {"solved": "perhaps"}, {"why": "yes"}, "yes"])
def test_an_answer_is_one_of_those_that_were_asked_for(answer: object) -> None:
    with pytest.raises(Refused):
        Street().closed().do("rate", REPORTER, answer=answer)


def test_repeats_raise_the_weight_and_separating_lowers_it_again() -> None:
    street = Street()
    street.do("follow", HOUSE, report="r-2")
    street.do("absorb", HOUSE, case="case-9", weight=3)
    assert street.case.weight == 5
    street.do("release", HOUSE, case="case-9", weight=3)
    assert street.case.weight == 2


def test_what_is_wrong_with_a_step_is_said_when_it_is_declared() -> None:
    class bad(Flow):
        """It goes nowhere."""

        reopen_at = "dipatch"
        steps = (Step("dispatch", post=3, asks=("conditon",), within="soon"),)  # type: ignore[arg-type]

    assert {problem.code for problem in bad.problems} == {"H033", "H046", "H047", "H048"}


def test_a_record_of_another_system_has_the_moments_it_had_there_and_its_evidence_stayed_there() -> None:
    values = {"street": "East", "source": "hotline", "part": "yes", "record": "yes"}
    begin = {"step": "handle", "to": ["Parks"], "standard": STANDARD, "due": START + 3 * HOUR}
    told = {"values": values, "begin": begin}
    opened = act(handle_report, Case(), "open", HOUSE, START, told, CALENDAR)
    case = fold(handle_report, [opened], CALENDAR)
    assert case.next_due == START + 3 * HOUR
    gardener = worker("yuan", "Parks", "handler")
    for _ in range(2):
        case = add(case, act(handle_report, case, "complete", gardener, START + 4 * HOUR, {}, CALENDAR), CALENDAR)
    assert (case.state, case.late(case.closed or 0)) == ("closed", True)
    with pytest.raises(Refused, match="Only the system"):
        act(handle_report, Case(), "open", SENDER, START, {"values": values}, CALENDAR)


def test_everybody_who_reported_it_may_press_for_it_also_after_a_merge() -> None:
    street = Street()
    second, third = (Person(f"report:{n}", roles=frozenset({"citizen"})) for n in (2, 3))
    street.do("follow", HOUSE, report=second.name)
    street.do("absorb", HOUSE, case="case-9", reporters=[third.name])
    for person in (REPORTER, second, third):
        assert "urge" in street.verbs(person)
    street.do("release", HOUSE, case="case-9", reporters=[third.name])
    assert street.verbs(third) == set()
