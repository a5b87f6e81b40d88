"""Who sees which cases and alerts on the desk, and as whom they act."""

from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.case_lists import Filters
from cheng.kernel.standing import Person
from cheng.security.actors import Actor
from cheng.security.permissions import Target, decide, reach
from cheng.standards.problems import Refused
from cheng.web.pages import Ask

NOTES = ("note", "urge", "supervise")
"""Acts that change nothing about how a case goes; the permission to write a note covers them."""
NOBODY = "\0"
"""A department that cannot be."""


def person(actor: Actor) -> Person:
    """The reader as the book of cases knows people."""
    return Person(actor.name, actor.department, frozenset(actor.roles), actor.display_name)


def sees_all(ask: Ask) -> bool:
    """Whether no case is held back from this reader."""
    return "any" in reach(ask.actor, "see", "case")


def mine(ask: Ask) -> tuple[str, ...]:
    """The reader's department, as a list's filter takes it."""
    return (ask.actor.department,) if ask.actor.department else ()


def scope(ask: Ask) -> Filters | None:
    """What every list of cases is cut down to; None when this reader sees none at all."""
    ways = reach(ask.actor, "see", "case")
    if "any" in ways:
        return Filters()
    departments = mine(ask) if "own department" in ways else ()
    who = ask.actor.name if "assigned" in ways else ""
    return Filters(departments=departments, person=who) if departments or who else None


def whose_alerts(ask: Ask) -> tuple[str, ...] | None:
    """The departments whose alerts this reader sees; None for everybody's."""
    ways = reach(ask.actor, "see", "alert")
    if "any" in ways:
        return None
    return mine(ask) if "own department" in ways and mine(ask) else (NOBODY,)


def enter_alerts(ask: Ask) -> None:
    """Alerts with all that was said about them are for those who work here; Refused (403) for everybody else."""
    if not ask.may("enter", "desk"):
        ask.require("enter", "console")


def targets(filed: Filed) -> list[Target]:
    """The case as decisions want to know it: once for each department that has it or had it."""
    entry = filed.entry
    departments = sorted(filed.case.involved | set(entry.departments)) or [""]
    return [
        Target("case", entry.number, name, assignee=entry.assignee, reporter=entry.reporter) for name in departments
    ]


def may(ask: Ask, verb: str, filed: Filed) -> bool:
    """Whether the reader's role lets them do this with the case at all; the flow decides the rest."""
    return any(decide(ask.actor, verb, target).allowed for target in targets(filed))


def may_do(ask: Ask, act: str, filed: Filed) -> bool:
    return may(ask, "note" if act in NOTES else "act", filed)


def case_of(ask: Ask, number: str) -> Filed:
    """The case with that number. Refused (404) when there is none and, word for word, when it is not for this reader:
    that it exists says something already. The audit knows the difference."""
    found: Filed = ask.hub.cases.get(number)
    if not may(ask, "see", found):
        try:
            ask.require("see", targets(found)[0])
        except Refused:
            raise Refused("no-such-case", "There is no case {case}.", {"case": number[:200]}, 404) from None
    return found
