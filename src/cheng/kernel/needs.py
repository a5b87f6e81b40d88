"""What an act may carry, cleaned and checked: one small check for each name."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cheng.kernel.guards import OFFICER, Ask, own_work, refuse, step_choices
from cheng.standards.durations import days

LONGEST_TEXT = 4000
MOST_PROOFS = 50
LONGEST_PAUSE = days(365)
MOST_DEPARTMENTS = 5
ANSWERS = {"reached": ("yes", "no"), "solved": ("yes", "no"), "satisfied": ("yes", "mostly", "no")}
"""What people who reported something are asked in the end, and what they can say."""


def check(ask: Ask, needs: tuple[str, ...], takes: tuple[str, ...]) -> dict[str, Any]:
    """The data of an act as it will be kept; Refused for what is missing, malformed or not asked for."""
    for name in ask.data:
        if name not in needs and name not in takes:
            raise refuse("unknown-field", "“{field}” does not belong to this act.", 422, field=str(name)[:40])
    given = {name: CHECKS[name](ask) for name in needs}
    kinds = {piece["kind"] for piece in given.get("proof", ())}
    for kind in ask.step.proofs if "proof" in needs else ():
        if kind not in kinds:
            raise refuse("no-proof", "This step asks for evidence: {kind}. Please attach it.", 422, kind=kind)
    optional = {name: CHECKS[name](ask) for name in takes if name not in needs and _is_given(ask.data.get(name))}
    return {**given, **optional}


def reason(ask: Ask) -> str:
    text = _text(ask.data.get("reason"))
    if not text:
        raise refuse("no-reason", "Please write down the reason: it stays with the case.", 422)
    return text


def text(ask: Ask) -> str:
    found = _text(ask.data.get("text"))
    if not found:
        raise refuse("no-text", "Please write something first.", 422)
    return found


def proof(ask: Ask) -> list[dict[str, str]]:
    """Pieces of evidence: [{"kind": "photo", "blob": the address of what was kept}, …]."""
    given = ask.data.get("proof") or []
    if not isinstance(given, list) or len(given) > MOST_PROOFS or not all(_is_proof(piece) for piece in given):
        raise refuse("bad-proof", "The evidence could not be read; please attach it again.", 422)
    return [{name: clean(value) for name, value in piece.items()} for piece in given]


def step(ask: Ask) -> str:
    wanted, choices = ask.data.get("step"), step_choices(ask)
    if wanted not in choices:
        message = "Choose a step to go back to: {steps}."
        raise refuse("no-such-step", message, 422, steps=", ".join(choices))
    return str(wanted)


def person(ask: Ask) -> str:
    """The person to be assigned: known, of a department whose turn it is, and not bound to check their own work."""
    name = _text(ask.data.get("person"))
    if not name:
        raise refuse("no-person", "Choose the person who is to do this.", 422)
    if ask.target is None or ask.target.name != name:
        raise refuse("unknown-person", "Nobody here is called “{person}”.", 422, person=name)
    if ask.target.department not in ask.case.departments or not ask.target.has(OFFICER):
        message = "{person} is no officer of {departments}, whose turn it is."
        departments = " / ".join(ask.case.departments)
        raise refuse("person-elsewhere", message, 422, person=name, departments=departments)
    if ask.step.posts and not ask.target.has(*ask.step.posts):
        message = "{person} does not hold the post: {post}."
        raise refuse("person-post", message, 422, person=name, post=" / ".join(ask.step.posts))
    if own_work(ask, name):
        message = "{person} did an earlier step of this case; somebody else has to do this one."
        raise refuse("own-work", message, 403, person=name)
    return name


def department(ask: Ask) -> str:
    name = _text(ask.data.get("department"))
    if not name:
        raise refuse("no-target", "Choose the department that is to have this case.", 422)
    if ask.case.departments == (name,):
        raise refuse("same-department", "{department} has this case already.", 422, department=name)
    return name


def departments(ask: Ask) -> list[str]:
    """Who gets the next step: the first leads, the others share the work."""
    given = ask.data.get("departments")
    names = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    found = list(dict.fromkeys(filter(None, map(_text, names))))
    if not found:
        raise refuse("no-target", "Choose the department that is to have this case.", 422)
    if len(found) > MOST_DEPARTMENTS:
        message = "At most {most} departments can share a case."
        raise refuse("too-many-departments", message, 422, most=MOST_DEPARTMENTS)
    return found


def condition(ask: Ask) -> str:
    """The filing condition; the book of cases has looked it up."""
    wanted = _text(ask.data.get("condition"))
    if not wanted or ask.standard is None:
        message = "Choose the class and the filing condition that applies: it sets the limit."
        raise refuse("no-condition", message, 422)
    return wanted


def answer(ask: Ask) -> dict[str, str]:
    """What whoever reported it said: each of ANSWERS that was asked."""
    given = ask.data.get("answer")
    if not isinstance(given, Mapping) or not given:
        raise refuse("no-answer", "Please note what the answer was.", 422)
    for name, word in given.items():
        if word not in ANSWERS.get(str(name), ()):
            raise refuse("bad-answer", "“{answer}” is no answer to that question.", 422, answer=str(word)[:40])
    return {str(name): str(word) for name, word in given.items()}


def until(ask: Ask) -> int:
    """When the clock is to go on, µs."""
    moment = ask.data.get("until")
    if isinstance(moment, bool) or not isinstance(moment, int):
        raise refuse("no-until", "Say until when the case is suspended.", 422)
    if moment <= ask.now:
        raise refuse("until-past", "A case is suspended until a moment that is still to come.", 422)
    if moment > ask.calendar.due(ask.now, LONGEST_PAUSE):
        raise refuse("until-far", "A case is suspended for one year at most.", 422)
    return moment


def into(ask: Ask) -> str:
    """The case that this one is merged into; whether it can take it is for the book of cases to see."""
    other = _text(ask.data.get("into"))
    if not other:
        raise refuse("no-other", "Choose the case that this one belongs to.", 422)
    if other == ask.case.id:
        raise refuse("itself", "A case cannot be merged into itself.", 422)
    return other


def named(name: str, sentence: str) -> Callable[[Ask], str]:
    """A word that has to be there."""

    def check(ask: Ask) -> str:
        found = _text(ask.data.get(name))
        if not found:
            raise refuse(f"no-{name}", sentence, 422)
        return found

    return check


def words(name: str) -> Callable[[Ask], str]:
    """A name that another part of the house gives: no person types it."""
    return lambda ask: _text(ask.data.get(name))


def clean(value: Any, depth: int = 0) -> Any:
    """JSON as both stores can keep it: no NUL, no half characters, no bottomless nesting."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if depth > 20:
        return None
    if isinstance(value, Mapping):
        return {clean(str(name)): clean(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(inner, depth + 1) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value if value is None or isinstance(value, (bool, int, float)) else clean(str(value))


def _kept(name: str) -> Callable[[Ask], Any]:
    return lambda ask: clean(ask.data[name])


def _mapping(ask: Ask) -> dict[str, Any]:
    values = clean(ask.data["values"])
    if not isinstance(values, dict):
        raise refuse("not-a-form", "What came with this act is no form with named fields.", 422)
    return values


def _text(value: object) -> str:
    """The words without blanks around them, cut where no reason is that long."""
    return str(clean(value)).strip()[:LONGEST_TEXT] if isinstance(value, str) else ""


def _is_proof(piece: object) -> bool:
    if not isinstance(piece, dict) or not all(isinstance(value, str) for value in (*piece, *piece.values())):
        return False
    return all(piece.get(name, "").strip() for name in ("kind", "blob")) and len(piece) < 10


def _is_given(value: object) -> bool:
    return value is not None and value != "" and value != []


CHECKS: dict[str, Callable[[Ask], Any]] = {
    "reason": reason,
    "text": text,
    "proof": proof,
    "step": step,
    "person": person,
    "department": department,
    "until": until,
    "into": into,
    "case": words("case"),
    "city": named("city", "Choose the city that is to have this case."),
    "service": named("service", "Choose what it is reported as there."),
    "number": words("number"),
    "reporter": words("reporter"),
    "values": _mapping,
    "alert": words("alert"),
    "rule": words("rule"),
    "place": _kept("place"),
    "area": words("area"),
    "detail": _kept("detail"),
    "condition": condition,
    "class": words("class"),
    "urgent": words("urgent"),
    "departments": departments,
    "answer": answer,
    "begin": _kept("begin"),
    "source": words("source"),
    "weight": _kept("weight"),
    "reporters": _kept("reporters"),
    "report": words("report"),
}
