"""What people do about a case: one table of verbs, and three functions over it.

`act` says whether somebody may do something and returns it as an act; `fold` adds acts up to a case; `next_acts`
lists what a person may do now and agrees with `act` in every case.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cheng.kernel import effects as do
from cheng.kernel import guards as may
from cheng.kernel import passing
from cheng.kernel.changing import replace
from cheng.kernel.effects import Effect, Facts
from cheng.kernel.flows import Flow, Step
from cheng.kernel.guards import Ask, refuse, step_choices
from cheng.kernel.needs import check
from cheng.kernel.standing import HOUSE, Act, Calendar, Case, Person, State, lights, remaining
from cheng.standards.problems import Refused

__all__ = [
    "HOUSE",
    "VERBS",
    "Act",
    "Case",
    "Flow",
    "Option",
    "Person",
    "Step",
    "act",
    "add",
    "fold",
    "lights",
    "next_acts",
    "remaining",
]

Guard = Callable[[Ask], None]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that can be done to a case."""

    title: str
    """for the button and the list of acts: a msgid"""
    states: tuple[State, ...]
    who: Guard
    effect: Effect
    needs: tuple[str, ...] = ()
    """what the act has to carry, names of `needs.CHECKS`"""
    takes: tuple[str, ...] = ("text",)
    """what it may carry besides"""
    when: tuple[Guard, ...] = ()
    facts: Facts | None = None


OPEN: tuple[State, ...] = ("open",)
ALIVE: tuple[State, ...] = ("open", "suspended")
OPENED: tuple[State, ...] = ("open", "suspended", "closed", "void", "merged")

VERBS: dict[str, Verb] = {
    "open": Verb(
        "Open a case",
        ("new",),
        may.opener,
        do.opened,
        takes=("text", "values", "alert", "rule", "place", "area", "reporter", "source", "proof", "begin"),
        when=(may.a_part_of_the_house,),
        facts=do.first_facts,
    ),
    "assign": Verb(
        "Assign to a person", OPEN, may.officer_or_dispatcher, do.assigned, ("person",), when=(may.some_department,)
    ),
    "take": Verb("Take it on", OPEN, may.officer_of_step, do.taken, when=(may.nobody_has_it, may.not_own_work)),
    "move": Verb(
        "Give it to another department",
        OPEN,
        may.a_dispatcher,
        do.moved,
        ("department", "reason"),
        facts=do.moved_facts,
    ),
    "complete": Verb(
        "Done",
        OPEN,
        may.handler,
        do.completed,
        takes=("text", "proof", "reason", "class", "urgent"),
        when=(may.condition_met, may.parts_done),
        facts=do.next_facts,
    ),
    "return": Verb(
        "Send it back",
        OPEN,
        may.handler_or_dispatcher,
        do.returned,
        ("step", "reason"),
        takes=("text", "proof"),
        when=(may.earlier_step,),
        facts=do.again_facts,
    ),
    "extend": Verb("Ask for more time", OPEN, may.handler, do.asked, ("reason",), when=(may.may_extend,)),
    "allow": Verb("Allow more time", OPEN, may.decider, do.allowed, when=(may.extension_asked,)),
    "deny": Verb("Refuse more time", OPEN, may.decider, do.denied, ("reason",), when=(may.extension_asked,)),
    "suspend": Verb(
        "Suspend", OPEN, may.a_dispatcher, do.suspended, ("until", "reason"), when=(may.not_paused_before,)
    ),
    "resume": Verb("Let the clock go on", ("suspended",), may.dispatcher_or_house, do.resumed),
    "appeal": Verb(
        "Appeal against “late”",
        ("closed",),
        may.late_department,
        do.appealed,
        ("reason",),
        takes=("text", "proof"),
        when=(may.may_appeal,),
    ),
    "uphold": Verb(
        "Agree with the appeal", (*ALIVE, "closed"), may.appeal_reviewer, do.upheld, when=(may.appeal_waits,)
    ),
    "dismiss": Verb(
        "Dismiss the appeal",
        (*ALIVE, "closed"),
        may.appeal_reviewer,
        do.dismissed,
        ("reason",),
        when=(may.appeal_waits,),
    ),
    "dispute": Verb(
        "Say that it is not yours",
        OPEN,
        may.officer_of_step,
        do.disputed,
        ("reason",),
        takes=("text", "proof"),
        when=(may.may_dispute,),
    ),
    "insist": Verb("Leave it where it is", OPEN, may.a_dispatcher, do.insisted, ("reason",), when=(may.dispute_waits,)),
    "urge": Verb("Urge", ALIVE, may.who_waits, do.urged),
    "supervise": Verb("Put under supervision", ALIVE, may.a_leader, do.supervised, ("reason",)),
    "note": Verb("Write a note", OPENED, may.anybody_involved, do.noted, ("text",), takes=("proof",)),
    "pass_on": Verb(
        "Pass on to another city",
        OPEN,
        may.who_may_pass_on,
        passing.passed_on,
        ("city", "service", "reason"),
        when=(may.nothing_shared,),
        facts=passing.passed_facts,
    ),
    "answered": Verb(
        "The other city has answered",
        ALIVE,
        may.the_house,
        passing.answered,
        takes=("text", "number"),
        when=(may.is_away,),
    ),
    "turned_down": Verb(
        "The other city did not take it",
        OPEN,
        may.the_house,
        passing.turned_down,
        ("text",),
        takes=(),
        when=(may.is_away,),
        facts=passing.turned_down_facts,
    ),
    "merge": Verb("Merge into another case", OPEN, may.dispatcher_or_front_desk, do.merged, ("into", "reason")),
    "unmerge": Verb("Separate again", ("merged",), may.dispatcher_or_front_desk, do.unmerged, ("reason",)),
    "absorb": Verb(
        "Another case was merged into this one",
        OPENED,
        may.the_house,
        do.absorbed,
        ("case",),
        takes=("weight", "reporters"),
    ),
    "release": Verb(
        "A merged case was separated again",
        OPENED,
        may.the_house,
        do.released,
        ("case",),
        takes=("weight", "reporters"),
    ),
    "follow": Verb(
        "Somebody else reported the same", OPENED, may.the_house, do.followed, ("report",), takes=("text", "proof")
    ),
    "part_opened": Verb("Another department shares the work", OPENED, may.the_house, do.part_opened, ("case",)),
    "part_over": Verb("Another department has done its part", OPENED, may.the_house, do.part_over, ("case",)),
    "rate": Verb("Say how it went", ("closed",), may.who_is_asked, do.rated, ("answer",)),
    "void": Verb("Declare void", ALIVE, may.who_may_void, do.voided, ("reason",)),
    "reopen": Verb(
        "Reopen",
        ("closed",),
        may.who_reopens,
        do.reopened,
        ("step", "reason"),
        takes=("text", "proof"),
        when=(may.may_reopen,),
        facts=do.again_facts,
    ),
    "alert_cleared": Verb("The alert is over", OPENED, may.the_house, do.cleared, takes=("text", "detail")),
    "alert_moved": Verb("The alert began at another moment", OPENED, may.the_house, do.noted, takes=("text", "detail")),
    "alert_withdrawn": Verb("The alert was withdrawn", OPENED, may.the_house, do.withdrawn, takes=("text", "detail")),
    "alert_restored": Verb("The alert stands again", OPENED, may.the_house, do.restored, facts=do.first_facts),
    "alert_joined": Verb("Another alert joined", OPENED, may.the_house, do.joined, takes=("text", "detail")),
}

NOT_NOW: dict[State, tuple[str, str]] = {
    "new": ("not-opened", "This case has not been opened."),
    "suspended": ("suspended", "This case is suspended; a dispatcher has to resume it first."),
    "closed": ("closed", "This case is closed; a dispatcher can reopen it."),
    "void": ("void", "This case was declared void; nothing more is done about it."),
    "merged": ("merged", "This case was merged into another one; go on there, or separate them first."),
}
NOT_YET: dict[State, tuple[str, str]] = {
    "new": ("opened", "This case was opened already."),
    "suspended": ("not-suspended", "This case is not suspended."),
    "closed": ("not-closed", "This case is not closed yet."),
    "merged": ("not-merged", "This case was not merged into another one."),
}


@dataclass(frozen=True, slots=True)
class Option:
    """Something a person may do now, and what the act has to carry."""

    verb: str
    title: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()
    """kinds of evidence asked for"""
    steps: tuple[str, ...] = ()
    """steps to choose from"""


def fold(flow: type[Flow], acts: Iterable[Act], calendar: Calendar, id: str = "") -> Case:  # noqa: A002 - its word
    """The case that the acts add up to; ValueError for an act that no release of the house wrote."""
    case = Case(id=id, flow=flow.key())
    for one in acts:
        case = add(case, one, calendar)
    return case


def add(case: Case, one: Act, calendar: Calendar) -> Case:
    """The case after one more act. It is not judged again: it happened."""
    if one.verb not in VERBS:
        raise ValueError(f"the log of case {case.id} has an act '{one.verb}' that is not known")
    after = VERBS[one.verb].effect(case, one, calendar)
    return replace(
        after,
        version=case.version + 1,
        touched=case.touched or not one.by_house,
        last_actor=one.actor_title or one.actor,
    )


def act(
    flow: type[Flow],
    case: Case,
    verb: str,
    actor: Person,
    now: int,
    data: Mapping[str, Any],
    calendar: Calendar,
    *,
    holds: bool | None = None,
    target: Person | None = None,
    standard: Mapping[str, Any] | None = None,
) -> Act:
    """What the person does, ready to be appended; Refused, with a sentence for each reason, when they may not.

    `holds`: whether the condition of the step holds for the thing, None when nobody knows: then the step can only be
    completed with a reason. `target`: the person whom data["person"] names. `standard`: the filing condition that the
    data names, as it is in force.
    """
    if not isinstance(data, Mapping):
        raise refuse("not-a-form", "What came with this act is no form with named fields.", 422)
    ask = Ask(flow, case, actor, now, data, calendar, holds, target, standard)
    judge(verb, ask)
    wanted = VERBS[verb]
    ask = replace(ask, data=check(ask, needed(verb, ask), wanted.takes))
    facts = wanted.facts(ask) if wanted.facts else {}
    if target is not None and "person" in ask.data:
        facts = {**facts, "target": target.department}
    if actor.department:
        facts["department"] = actor.department
    if actor.has("house"):
        facts["house"] = True
    return Act(verb, actor.name, now, case.step, ask.data, facts, actor.title or actor.name)


def judge(verb: str, ask: Ask) -> None:
    """Refused when the person may not do this now, whatever the act would carry."""
    if verb not in VERBS:
        raise refuse("unknown-verb", "Nobody can “{verb}” a case.", 422, verb=str(verb)[:40])
    wanted, state = VERBS[verb], ask.case.state
    if state not in wanted.states:
        code, message = NOT_YET[wanted.states[0]] if state == "open" else NOT_NOW[state]
        raise refuse(code, message)
    wanted.who(ask)
    for guard in wanted.when:
        guard(ask)


def needed(verb: str, ask: Ask) -> tuple[str, ...]:
    """What the act has to carry here and now."""
    needs = VERBS[verb].needs
    if verb == "complete" and ask.step.proofs and not may.recorded(ask.case.values):
        needs = (*needs, "proof")
    if verb == "complete" and ask.step.until is not None and ask.holds is None:
        needs = (*needs, "reason")
    if verb == "complete":
        needs = (*needs, *ask.step.asks)
    if verb == "reopen" and not ask.actor.has(may.DISPATCHER):
        needs = ("reason",)
    return needs


def next_acts(
    flow: type[Flow], case: Case, actor: Person, now: int, calendar: Calendar, holds: bool | None = None
) -> list[Option]:
    """What this person may do now, in the order of the table: exactly what `act` lets them do with fitting data."""
    ask = Ask(flow, case, actor, now, {}, calendar, holds)
    options = []
    for verb, wanted in VERBS.items():
        try:
            judge(verb, ask)
        except Refused:
            continue
        needs = needed(verb, ask)
        proofs = ask.step.proofs if "proof" in needs else ()
        steps = step_choices(ask) if "step" in needs else ()
        options.append(
            Option(verb, wanted.title, needs, tuple(t for t in wanted.takes if t not in needs), proofs, steps)
        )
    return options
