"""Who may do something to a case, and what has to hold first: one small guard and one sentence for each reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cheng.kernel.flows import ANOTHER, Flow, Step
from cheng.kernel.standing import EXTENSIONS, Calendar, Case, Person, Run
from cheng.standards.problems import Refused

DISPATCHER, LEADER, REVIEWER, OFFICER = "dispatcher", "leader", "reviewer", "officer"
FINISHED = ("completed", "passed")
"""Outcomes by which somebody has decided that a case goes on."""
FRONT_DESK = ("acceptor", "agent", "shift-leader")
"""Posts of those who hear reports and see which are one and the same."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody wants to do something: all that decides whether they may."""

    flow: type[Flow]
    case: Case
    actor: Person
    now: int
    data: Mapping[str, Any]
    calendar: Calendar
    holds: bool | None = None
    """whether the condition of the step holds for the thing; None when nobody knows"""
    target: Person | None = None
    """the person that the case is to be assigned to"""
    standard: Mapping[str, Any] | None = None
    """the filing condition that the act names, as it is in force; None when there is no such one"""

    @property
    def step(self) -> Step:
        return self.flow.find(self.case.step)

    @property
    def run(self) -> Run:
        run = self.case.run
        assert run is not None, "the table lets only cases with a step come here"
        return run


def refuse(code: str, message: str, status: int = 409, **values: Any) -> Refused:
    return Refused(code, message, values, status)


# -- who may


def the_house(ask: Ask) -> None:
    if not ask.actor.has("house"):
        raise refuse("house-only", "Only the system itself does this.", 403)


def a_dispatcher(ask: Ask) -> None:
    if not ask.actor.has(DISPATCHER):
        raise refuse("not-dispatcher", "Only a dispatcher may do this.", 403)


def dispatcher_or_front_desk(ask: Ask) -> None:
    if not ask.actor.has(*FRONT_DESK):
        a_dispatcher(ask)


def who_may_void(ask: Ask) -> None:
    """A dispatcher or, where the flow says so, whoever has the step."""
    if ask.step.voids and not ask.actor.has(DISPATCHER):
        handler(ask)
    else:
        a_dispatcher(ask)


def who_may_pass_on(ask: Ask) -> None:
    """Where the flow says so: a dispatcher, or whoever has the step."""
    if not ask.step.passes:
        raise refuse("not-passed-on", "At this step no case is passed on to another city.")
    if not ask.actor.has(DISPATCHER):
        handler(ask)


def who_reopens(ask: Ask) -> None:
    if not reports(ask) or ask.flow.reopen_by_reporter is None:
        a_dispatcher(ask)


def who_is_asked(ask: Ask) -> None:
    """Whoever reported it, or an officer who calls them back and notes what they say."""
    if not reports(ask) and not ask.actor.has(*FRONT_DESK):
        message = "Only the person who reported this, or whoever calls them back, says how it went."
        raise refuse("not-asked", message, 403)


def a_leader(ask: Ask) -> None:
    if not ask.actor.has(LEADER):
        raise refuse("not-leader", "Only a leader may do this.", 403)


def dispatcher_or_house(ask: Ask) -> None:
    if not ask.actor.has("house"):
        a_dispatcher(ask)


def who_waits(ask: Ask) -> None:
    """Those who may press for an answer: who is in charge, and the citizen who asked for it."""
    if not ask.actor.has(DISPATCHER, LEADER, "house") and not reports(ask):
        raise refuse("not-waiting", "Only a dispatcher, a leader or the person who reported it may urge a case.", 403)


def opener(ask: Ask) -> None:
    if not ask.actor.has("house", OFFICER, DISPATCHER) and not reports(ask):
        raise refuse("not-opener", "Cases are opened by officers and dispatchers, by citizens or by the system.", 403)


def a_part_of_the_house(ask: Ask) -> None:
    """Only the house itself opens a part of a case, or the record of one that was handled elsewhere."""
    if ask.data.get("begin") or recorded(ask.data.get("values")):
        the_house(ask)


def recorded(values: object) -> bool:
    """Whether a case was handled elsewhere and is only written down here: its evidence stayed there."""
    return isinstance(values, Mapping) and values.get("record") == "yes"


def officer_of_step(ask: Ask) -> None:
    """An officer of a department whose turn it is."""
    if not ask.actor.has(OFFICER):
        raise refuse("not-officer", "Only officers handle cases.", 403)
    some_department(ask)
    departments = ask.case.departments
    if ask.actor.department not in departments:
        message = "This step is for {departments}, and you work for {department}."
        raise refuse(
            "other-department", message, 403, departments=" / ".join(departments), department=ask.actor.department
        )
    if ask.step.posts and not ask.actor.has(*ask.step.posts):
        raise refuse("other-post", "This step is for the post: {post}.", 403, post=" / ".join(ask.step.posts))


def officer_or_dispatcher(ask: Ask) -> None:
    if not ask.actor.has(DISPATCHER):
        officer_of_step(ask)


def handler(ask: Ask) -> None:
    """Whoever has the step in hand: the person it is with or, while nobody has it, any officer of the department; the
    house while another city has the case."""
    if ask.step.away and ask.actor.has("house"):
        return
    officer_of_step(ask)
    if ask.case.assignee not in ("", ask.actor.name):
        message = "This case is with {assignee}; have it assigned to you first."
        raise refuse("with-another", message, 403, assignee=ask.case.assignee)
    not_own_work(ask)


def handler_or_dispatcher(ask: Ask) -> None:
    if not ask.actor.has(DISPATCHER):
        handler(ask)


def decider(ask: Ask) -> None:
    """A dispatcher or reviewer, and not the person who asked."""
    if not ask.actor.has(DISPATCHER, REVIEWER):
        raise refuse("not-decider", "Only a dispatcher or a reviewer decides about more time.", 403)
    if ask.case.extension and ask.case.extension.by == ask.actor.name:
        raise refuse("own-request", "You asked for this yourself; somebody else has to decide.", 403)


def late_department(ask: Ask) -> None:
    if not ask.actor.has(OFFICER) or ask.actor.department not in ask.case.involved:
        raise refuse("not-involved", "Only an officer of a department that had this case may appeal.", 403)
    if not any(blamed(run, ask.actor.department) for run in ask.case.runs):
        raise refuse("not-late", "Your department was not late in this case; there is nothing to appeal against.")


def appeal_reviewer(ask: Ask) -> None:
    if not ask.actor.has(REVIEWER):
        raise refuse("not-reviewer", "Only reviewers decide about appeals.", 403)
    appeal = ask.case.appeal
    if appeal is None:
        return
    if ask.actor.name == appeal.by or ask.actor.department == appeal.department:
        raise refuse("own-appeal", "This appeal comes from your own department; somebody else has to decide.", 403)
    if ask.actor.name in appeal.reviewers:
        raise refuse("already-decided", "You have decided already; the second word belongs to another reviewer.", 403)


def anybody_involved(ask: Ask) -> None:
    """The house, those who look after all cases, officers of every department that had it, and who reported it."""
    officer = ask.actor.has(OFFICER) and ask.actor.department in ask.case.involved
    if not officer and not reports(ask) and not ask.actor.has("house", DISPATCHER, LEADER, REVIEWER):
        message = "Only departments that had this case and the person who reported it may write to it."
        raise refuse("not-involved-note", message, 403)


def reports(ask: Ask) -> bool:
    """Whether the person is one of those who reported the case, or is about to."""
    known = ask.case.reporters or (ask.data.get("reporter"),)
    return ask.actor.name != "" and ask.actor.name in known


# -- what has to hold


def parts_done(ask: Ask) -> None:
    if ask.step.joins:
        nothing_shared(ask)


def nothing_shared(ask: Ask) -> None:
    if ask.case.parts:
        message = "Other departments are still at work on their part: {count}."
        raise refuse("parts-open", message, count=len(ask.case.parts))


def is_away(ask: Ask) -> None:
    if not ask.step.away:
        raise refuse("not-away", "No other city has this case.")


def may_dispute(ask: Ask) -> None:
    if not ask.step.disputes:
        raise refuse("no-dispute", "At this step nobody can say that the case is not theirs.")
    if ask.case.dispute:
        raise refuse("disputed-already", "This was said already; a dispatcher is to decide.")
    if ask.actor.department in ask.case.disputed:
        raise refuse("disputed-once", "A dispatcher has decided that your department keeps this case.")


def dispute_waits(ask: Ask) -> None:
    if ask.case.dispute is None:
        raise refuse("none-disputed", "No department has said that this case is not theirs.")


def not_own_work(ask: Ask) -> None:
    if own_work(ask, ask.actor.name):
        raise refuse("own-work", "You did an earlier step of this case; somebody else has to do this one.", 403)


def own_work(ask: Ask, person: str) -> bool:
    """Four eyes: who finished an earlier step does not do this one."""
    at = ask.flow.position(ask.case.step)
    return ask.step.by == ANOTHER and any(
        run.by == person and run.outcome in FINISHED and ask.flow.position(run.step) < at for run in ask.case.runs
    )


def some_department(ask: Ask) -> None:
    if not ask.case.departments:
        raise refuse("no-department", "No department has this case yet; a dispatcher has to say which one.")


def nobody_has_it(ask: Ask) -> None:
    if ask.case.assignee:
        raise refuse("taken", "This case is already with {assignee}.", assignee=ask.case.assignee)


def condition_met(ask: Ask) -> None:
    if ask.step.until is not None and ask.holds is False:
        message = "This step is not finished while “{condition}” does not hold; the readings say that it does not."
        raise refuse("not-until", message, condition=ask.step.until.words())


def earlier_step(ask: Ask) -> None:
    if not step_choices(ask):
        message = "This is the first step; there is none to return to. A dispatcher can move the case elsewhere."
        raise refuse("first-step", message)


def step_choices(ask: Ask) -> tuple[str, ...]:
    """Steps that were done and may be done again: those before the present one, any of a closed case."""
    done, names = {run.step for run in ask.case.runs}, [step.name for step in ask.flow.steps if not step.away]
    if not ask.case.run:
        return tuple(name for name in names if name in done) or tuple(names)
    at = ask.flow.position(ask.case.step)
    return tuple(name for name in names if name in done and (ask.flow.position(name) < at or at < 0))


def may_extend(ask: Ask) -> None:
    if ask.run.due is None:
        raise refuse("no-limit", "This step has no limit, so there is nothing to extend.")
    if ask.case.extension:
        raise refuse("asked-already", "More time has been asked for already, and nobody has decided yet.")
    if ask.case.extended >= EXTENSIONS:
        raise refuse("extended-enough", "This case was extended {times} times; it cannot be again.", times=EXTENSIONS)
    if ask.run.late(ask.now):
        raise refuse("too-late", "This step is overdue; more time can only be asked for before that.")


def extension_asked(ask: Ask) -> None:
    if ask.case.extension is None:
        raise refuse("none-asked", "Nobody has asked for more time.")


def not_paused_before(ask: Ask) -> None:
    if ask.case.paused:
        raise refuse("paused-before", "This case was suspended once; it cannot be again.")


def may_appeal(ask: Ask) -> None:
    if any(appeal.department == ask.actor.department for appeal in ask.case.appeals):
        raise refuse("appealed-already", "Your department has appealed once; there is no second appeal.")
    if ask.case.appeal:
        message = "The appeal of {department} is still to be decided; yours can follow."
        raise refuse("appeal-open", message, department=ask.case.appeal.department)


def appeal_waits(ask: Ask) -> None:
    if ask.case.appeal is None:
        raise refuse("no-appeal", "There is no appeal to decide about.")


def may_reopen(ask: Ask) -> None:
    limit, closed = ask.flow.reopen, ask.case.closed
    if not ask.actor.has(DISPATCHER):
        limit = ask.flow.reopen_by_reporter
    if limit is not None and closed is not None and ask.now > ask.calendar.due(closed, limit):
        message = "This case was closed too long ago to be reopened; open a new one."
        raise refuse("closed-for-good", message)


def blamed(run: Run, department: str) -> bool:
    """Whether the department finished the run late."""
    return run.done is not None and run.late(run.done) and run.department == department
