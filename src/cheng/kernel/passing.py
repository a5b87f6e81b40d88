"""A case that another city has: what the acts about it write down, and how they change its sum."""

from typing import Any

from cheng.kernel.changing import replace
from cheng.kernel.effects import enter, entering, leave, ours_again
from cheng.kernel.flows import PASSED
from cheng.kernel.guards import Ask, refuse
from cheng.kernel.standing import Act, Calendar, Case, Passed


def passed_facts(ask: Ask) -> dict[str, Any]:
    """The step at which it waits for the other city."""
    waits = ask.flow.elsewhere(ask.case.values)
    if waits is None:
        raise refuse("not-passed-on", "At this step no case is passed on to another city.")
    return entering(ask, waits)


def passed_on(case: Case, act: Act, calendar: Calendar) -> Case:
    passed = Passed(act.data["city"], act.data["service"], act.actor, act.at, case.version + 1, act.step)
    case = leave(case, act, "passed")
    return enter(replace(case, values={**case.values, PASSED: "yes"}, passed=passed), act, calendar)


def answered(case: Case, act: Act, calendar: Calendar) -> Case:
    """The other city gave it a number, or says how far it has come."""
    if case.passed is None:
        return case
    number, says = act.data.get("number") or case.passed.number, act.data.get("text") or case.passed.says
    return replace(case, passed=replace(case.passed, number=number, says=says))


def turned_down_facts(ask: Ask) -> dict[str, Any]:
    """It goes on where it was, with whoever had it, and with the whole limit: they are not to blame for the detour."""
    step = ask.case.passed.step if ask.case.passed else ask.flow.first(ask.case.values).name
    return entering(ask, ask.flow.find(step))


def turned_down(case: Case, act: Act, calendar: Calendar) -> Case:
    return enter(ours_again(leave(case, act, "refused")), act, calendar)
