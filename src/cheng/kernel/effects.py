"""What an act does to a case: what the house writes down with it, and how it changes the sum."""

from collections.abc import Callable, Mapping
from typing import Any

from cheng.kernel.changing import replace
from cheng.kernel.flows import BY_CONDITION, PASSED, REST, URGENT, Step
from cheng.kernel.guards import Ask, blamed
from cheng.kernel.standing import YELLOW, Act, Appeal, Calendar, Case, Dispute, Extension, Run
from cheng.standards.durations import Duration

Effect = Callable[[Case, Act, Calendar], Case]
Facts = Callable[[Ask], dict[str, Any]]

# -- what the house adds to an act


def first_facts(ask: Ask) -> dict[str, Any]:
    """Who gets the first step, and the limit of the whole case. A part of another case begins where its work does."""
    part = ask.data.get("begin")
    if part:
        ask = replace(ask, standard=part["standard"])
        entered = entering(ask, ask.flow.find(part["step"]), tuple(part["to"]))
        if "due" in part:
            entered["enter"]["rest"] = [part["due"], None]
        return {**entered, "within": None, "standard": part["standard"]}
    return {**entering(ask, ask.flow.first(values_of(ask))), "within": pack(ask.flow.within)}


def next_facts(ask: Ask) -> dict[str, Any]:
    """Who gets the step after this one, nothing after the last; and what was decided about the case."""
    told: dict[str, Any] = {} if ask.step.until is None else {"holds": ask.holds}
    if "condition" in ask.step.asks:
        told["standard"] = dict(ask.standard or {})
    values = decided(ask.case.values, ask.data, told)
    following = ask.flow.after(ask.case.step, values)
    if following is None:
        return told
    after = replace(ask, case=replace(ask.case, values=values))
    return {**told, **entering(after, following, tuple(ask.data.get("departments", ())[:1]))}


def decided(values: Mapping[str, Any], data: Mapping[str, Any], facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of a case with what an act says of its class and condition."""
    known = {name: data[name] for name in ("class", "condition", URGENT) if data.get(name)}
    standard = facts.get("standard")
    if standard:
        known |= {"class": standard["class"], "condition": standard["condition"]}
        if values.get("simple") == "yes" and not standard.get("simple"):
            known["simple"] = "no"  # what this condition is about cannot be put right on the spot
    return {**values, **known} if known else values


def again_facts(ask: Ask) -> dict[str, Any]:
    """An earlier step is done again, by the department that did it."""
    step = ask.data.get("step") or ask.flow.reopen_at or ask.flow.first(ask.case.values).name
    return entering(ask, ask.flow.find(step))


def moved_facts(ask: Ask) -> dict[str, Any]:
    """The same step for another department, with its whole limit: it is not to blame for the detour."""
    return entering(ask, ask.step, (ask.data["department"],))


def entering(ask: Ask, step: Step, departments: tuple[str, ...] = ()) -> dict[str, Any]:
    """The limit is written down with the act: a later change of the flow does not touch what is under way."""
    to = departments or done_before(ask, step) or by_text(ask, step)
    entered: dict[str, Any] = {"step": step.name, "to": list(to)} | ({"away": True} if step.away else {})
    run = ask.case.runs[-1] if ask.case.runs else None
    if step.within == REST:
        left = None if run is None else [run.due, run.warn]
        return {"enter": {**entered, "limit": pack(run.limit if run else None), "rest": left}}
    standard = ask.standard or ask.case.standard
    limit = standard.get("limit") if step.within == BY_CONDITION else pack(step.limit_of(values_of(ask)))
    return {"enter": {**entered, "limit": limit}}


def done_before(ask: Ask, step: Step) -> tuple[str, ...]:
    """Who did this step the last time: work that is done again stays with its department."""
    runs = (run for run in reversed(ask.case.runs) if run.step == step.name)
    return next((run.departments for run in runs if run.outcome in ("completed", "returned", "passed")), ())


def by_text(ask: Ask, step: Step) -> tuple[str, ...]:
    """Whom the flow names; where it names nobody, whoever has the case now, and at first the owner of the thing."""
    values = values_of(ask)
    if step.texts:
        return step.departments(values)
    if ask.case.run:
        here = ask.case.departments
        return (ask.actor.department,) if ask.actor.department in here else here
    owner = values.get("owner")
    return (str(owner),) if owner else ()


def values_of(ask: Ask) -> Mapping[str, Any]:
    """What is known of the case, also while it is being opened."""
    return ask.case.values or ask.data.get("values") or {}


def pack(limit: Duration | None) -> list[Any] | None:
    return None if limit is None else [limit.amount, limit.unit]


def unpack(packed: Any) -> Duration | None:
    return None if packed is None else Duration(float(packed[0]), str(packed[1]))


# -- what it does to the case


def enter(case: Case, act: Act, calendar: Calendar) -> Case:
    """A step begins, its clock too."""
    to = act.facts["enter"]
    limit, due, warn = unpack(to["limit"]), None, None
    if "rest" in to:
        due, warn = to["rest"] or (None, None)
    elif limit is not None:
        due = calendar.due(act.at, limit)
        warn = calendar.due(act.at, Duration(limit.amount * (1 - YELLOW), limit.unit))
    run = Run(to["step"], tuple(to["to"]), act.at, limit, due, warn, away=to.get("away") is True)
    runs = (*case.runs, run)
    return replace(case, state="open", closed=None, runs=runs, assignee="", extension=None, dispute=None)


def leave(case: Case, act: Act, outcome: str) -> Case:
    """The present run ends. An extension nobody decided about lapses."""
    run = case.runs[-1]
    doer = act.facts.get("department", "")
    departments = (doer,) if doer in run.departments else run.departments
    ended = replace(run, done=act.at, outcome=outcome, by=act.actor, departments=departments)
    return replace(case, runs=(*case.runs[:-1], ended), assignee="", extension=None, dispute=None)


def change_run(case: Case, **changes: Any) -> tuple[Run, ...]:
    return (*case.runs[:-1], replace(case.runs[-1], **changes))


def opened(case: Case, act: Act, calendar: Calendar) -> Case:
    limit = unpack(act.facts["within"])
    case = replace(
        case,
        values=act.data.get("values") or {},
        standard=act.facts.get("standard") or {},
        reporter=act.data.get("reporter", ""),
        opened=act.at,
        limit=limit,
        due=None if limit is None else calendar.due(act.at, limit),
        alert="standing" if act.data.get("alert") else "",
        alerts=1 if act.data.get("alert") else 0,
    )
    return enter(case, act, calendar)


def assigned(case: Case, act: Act, calendar: Calendar) -> Case:
    department = act.facts.get("target")
    departments = (department,) if department in case.departments else case.departments
    return replace(case, assignee=act.data["person"], runs=change_run(case, departments=departments))


def taken(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, assignee=act.actor, runs=change_run(case, departments=(act.facts["department"],)))


def moved(case: Case, act: Act, calendar: Calendar) -> Case:
    return enter(leave(case, act, "moved"), act, calendar)


def completed(case: Case, act: Act, calendar: Calendar) -> Case:
    case = leave(case, act, "completed")
    values = decided(case.values, act.data, act.facts)
    case = replace(case, values=values, standard=act.facts.get("standard") or case.standard)
    return enter(case, act, calendar) if "enter" in act.facts else replace(case, state="closed", closed=act.at)


def returned(case: Case, act: Act, calendar: Calendar) -> Case:
    return enter(ours_again(leave(case, act, "returned")), act, calendar)


def ours_again(case: Case) -> Case:
    """No other city has it any more: it goes the way of our own cases."""
    return replace(case, passed=None, values={**case.values, PASSED: "no"}) if case.passed else case


def asked(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, extension=Extension(act.actor, act.at, act.data["reason"]))


def allowed(case: Case, act: Act, calendar: Calendar) -> Case:
    """The deadline moves by the original limit, and the yellow light with it."""
    run, times = case.runs[-1], case.extended + 1
    if run.limit is None or run.due is None:
        return replace(case, extension=None)
    share = max(0.0, 1 - YELLOW * (times + 1))
    warn = calendar.due(run.due, Duration(run.limit.amount * share, run.limit.unit))
    whole = None if case.due is None else calendar.due(case.due, run.limit)
    runs = change_run(case, due=calendar.due(run.due, run.limit), warn=warn)
    return replace(case, extension=None, extended=times, runs=runs, due=whole)


def denied(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, extension=None)


def suspended(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, state="suspended", suspended=act.at, resumes=act.data["until"], paused=True)


def resumed(case: Case, act: Act, calendar: Calendar) -> Case:
    """The clock goes on from the day that was set, however late the house comes to say so."""
    since, until = case.suspended or act.at, min(act.at, case.resumes or act.at)

    def later(due: int | None, limit: Duration | None) -> int | None:
        return due if due is None or limit is None else calendar.shift(due, since, until, limit.clock)

    run = case.runs[-1]
    runs = change_run(case, due=later(run.due, run.limit), warn=later(run.warn, run.limit))
    return replace(case, state="open", suspended=None, resumes=None, runs=runs, due=later(case.due, case.limit))


def appealed(case: Case, act: Act, calendar: Calendar) -> Case:
    appeal = Appeal(act.facts["department"], act.actor, act.at, act.data["reason"])
    return replace(case, appeals=(*case.appeals, appeal))


def upheld(case: Case, act: Act, calendar: Calendar) -> Case:
    """The second yes grants it: late the department was, but the statistics leave it out."""
    appeals = [replace(a, reviewers=(*a.reviewers, act.actor)) if not a.outcome else a for a in case.appeals]
    at = next(n for n, appeal in enumerate(appeals) if not appeal.outcome)
    if len(appeals[at].reviewers) < 2:
        return replace(case, appeals=tuple(appeals))
    appeals[at] = replace(appeals[at], outcome="granted")
    department = appeals[at].department
    runs = tuple(replace(run, excused=True) if blamed(run, department) else run for run in case.runs)
    return replace(case, appeals=tuple(appeals), runs=runs)


def dismissed(case: Case, act: Act, calendar: Calendar) -> Case:
    appeals = (
        a if a.outcome else replace(a, reviewers=(*a.reviewers, act.actor), outcome="dismissed") for a in case.appeals
    )
    return replace(case, appeals=tuple(appeals))


def voided(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(leave(case, act, "void"), state="void")


def merged(case: Case, act: Act, calendar: Calendar) -> Case:
    """Its clock goes on: separated again it is as late as it would have been."""
    return replace(case, state="merged", merged_into=act.data["into"])


def unmerged(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, state="open", merged_into="")


def absorbed(case: Case, act: Act, calendar: Calendar) -> Case:
    """It stands for the reports of the other one, too."""
    more = int(act.data.get("weight") or 1)
    absorbed = tuple(dict.fromkeys((*case.absorbed, act.data["case"])))
    followers = (*case.followers, *(act.data.get("reporters") or ()))
    return replace(case, absorbed=absorbed, weight=case.weight + more, followers=tuple(dict.fromkeys(followers)))


def released(case: Case, act: Act, calendar: Calendar) -> Case:
    less = int(act.data.get("weight") or 1)
    kept = tuple(other for other in case.absorbed if other != act.data["case"])
    gone = act.data.get("reporters") or ()
    followers = tuple(name for name in case.followers if name not in gone)
    return replace(case, absorbed=kept, weight=max(1, case.weight - less), followers=followers)


def followed(case: Case, act: Act, calendar: Calendar) -> Case:
    followers = tuple(dict.fromkeys((*case.followers, act.data["report"])))
    return replace(case, weight=case.weight + 1, followers=followers)


def part_opened(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, parts=tuple(dict.fromkeys((*case.parts, act.data["case"]))))


def part_over(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, parts=tuple(part for part in case.parts if part != act.data["case"]))


def disputed(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, dispute=Dispute(act.actor, act.facts.get("department", ""), act.at, act.data["reason"]))


def insisted(case: Case, act: Act, calendar: Calendar) -> Case:
    department = case.dispute.department if case.dispute else ""
    return replace(case, dispute=None, disputed=(*case.disputed, department))


def rated(case: Case, act: Act, calendar: Calendar) -> Case:
    """What was answered later stands in place of what was answered before."""
    return replace(case, rating={**case.rating, **act.data["answer"]})


def reopened(case: Case, act: Act, calendar: Calendar) -> Case:
    return enter(ours_again(replace(case, reopened=case.reopened + 1)), act, calendar)


def urged(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, urged=case.urged + 1)


def supervised(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, urged=case.urged + 1, supervised=True)


def noted(case: Case, act: Act, calendar: Calendar) -> Case:
    return case


def cleared(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, alert="cleared")


def joined(case: Case, act: Act, calendar: Calendar) -> Case:
    return replace(case, alerts=case.alerts + 1)


def restored(case: Case, act: Act, calendar: Calendar) -> Case:
    """It was true after all: the case that went with it begins anew."""
    gone = case.state == "void" and not case.touched
    case = replace(case, alert="standing")
    return enter(case, act, calendar) if gone else case


def withdrawn(case: Case, act: Act, calendar: Calendar) -> Case:
    """There was nothing after all. Where nobody has done anything yet, the case goes too."""
    case = replace(case, alert="withdrawn")
    return case if case.touched or case.state != "open" else voided(case, act, calendar)
