"""How a citizen is told where a report stands: plain words, no names of persons, nothing that is between officials."""

from typing import Any

from cheng.kernel.standing import Act, Case, Passed
from cheng.web.desk import words
from cheng.web.pages import Ask

TITLES = {
    "accept": "Accepting the report",
    "verify": "Looking at it on site",
    "file": "Deciding what is to be done",
    "dispatch": "Choosing the department",
    "handle": "Putting it right",
    "feedback": "Reporting back",
    "elsewhere": "With another city",
    "check": "Checking the result on site",
    "close": "Closing the case",
}
"""Steps by their usual names; others are called what their application calls them."""
SENTENCES = {
    "accept": "Your report was accepted.",
    "verify": "Somebody was there and has seen it.",
    "file": "It was decided what is to be done.",
    "dispatch": "It was given to the department in charge.",
    "handle": "The department says that it is put right.",
    "feedback": "The department has reported back.",
    "elsewhere": "The other city has finished it.",
    "check": "Somebody else was there and found it in order.",
    "close": "The case was closed.",
    "open": "The report arrived.",
    "follow": "Somebody else reported the same.",
    "move": "It was given to another department.",
    "return": "It was sent back: it is not in order yet.",
    "allow": "The department got more time.",
    "suspend": "It has to wait; the clock stands still meanwhile.",
    "resume": "It goes on.",
    "urge": "You asked for hurry.",
    "note": "You added something.",
    "pass_on": "It was passed on to another city.",
    "answered": "The other city has answered.",
    "turned_down": "The other city did not take it; it goes on here.",
    "absorb": "Another report of the same was joined to it.",
    "merge": "It was joined to another report of the same and goes on there.",
    "void": "It is not followed any further.",
    "reopen": "It was opened again.",
    "rate": "You said how it went.",
}
"""What was done, as the person who reported it is told: steps that are finished, and other acts."""
TOLD = frozenset(SENTENCES) - frozenset(TITLES)
"""Acts that are told; others are between officials."""
ICONS = {
    "open": "send",
    "complete": "check",
    "return": "left",
    "move": "right",
    "urge": "bell",
    "note": "edit",
    "void": "cross",
    "suspend": "pause",
    "rate": "check",
    "follow": "person",
    "pass_on": "right",
    "answered": "right",
    "turned_down": "left",
    "absorb": "link",
    "merge": "link",
}
EXPLAINED = ("void", "suspend")
"""Acts whose reason the person who reported it is owed."""


def stage(ask: Ask, name: str) -> str:
    """A step of the flow as a citizen knows it."""
    return ask._(TITLES[name]) if name in TITLES else words.step_name(ask, name)


def state(ask: Ask, name: str) -> str:
    """The state of a case in a word or two."""
    if name == "closed":
        return ask._("done")
    if name == "suspended":
        return ask._("has to wait")
    return ask._("not followed further") if name == "void" else ask._("under way")


def told(ask: Ask, act: Act) -> str:
    """What was done, in one sentence; "" for what is between officials."""
    if act.verb == "complete":
        if act.step in TITLES:
            return ask._(SENTENCES[act.step])
        return ask._("Done: {stage}.", stage=stage(ask, act.step))
    return ask._(SENTENCES[act.verb]) if act.verb in TOLD else ""


def standing(ask: Ask, case: Case) -> str:
    """Where it stands, in a sentence or two."""
    told = passed_on(ask, case.passed) if case.passed is not None else ""
    if told and case.run is not None and case.run.away and case.state == "open":
        return told
    return "\n".join(part for part in (told, standing_here(ask, case)) if part)


def passed_on(ask: Ask, passed: Passed) -> str:
    """Which other city has it, under which number, and what it says."""
    if not passed.number:
        return ask._("It was passed on to {city}.", city=passed.to)
    told = ask._("It was passed on to {city} and has the number {number} there.", city=passed.to, number=passed.number)
    return "\n".join((told, ask._("There it says: “{text}”", text=passed.says))) if passed.says else told


def standing_here(ask: Ask, case: Case) -> str:
    """Where it stands with us, in one sentence."""
    who = ", ".join(ask._(name) for name in case.departments)
    values: dict[str, Any] = {"who": who, "stage": stage(ask, case.step) if case.step else ""}
    if case.state == "closed":
        return ask._("It is done: the case was closed on {day}.", day=ask.local.moment(case.closed))
    if case.state == "void":
        return ask._("It is not followed any further.")
    if case.state == "suspended":
        return ask._("It has to wait. It goes on by {day}.", day=ask.local.moment(case.resumes))
    if not who:
        return ask._("It waits to be given to a department.")
    return ask._("It is with: {who}. Present stage: {stage}.", **values)
