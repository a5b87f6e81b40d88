"""What a case is filed by: classes and conditions to choose from, who would be in charge, and what was chosen."""

from collections.abc import Sequence
from typing import Any

from cheng.infrastructure.case_book import Filed
from cheng.kernel.classes import FilingCondition
from cheng.kernel.needs import ANSWERS
from cheng.standards.durations import Duration
from cheng.web.desk import words
from cheng.web.desk.seeing import case_of
from cheng.web.desk.suggesting import in_charge
from cheng.web.pages import Ask, Form, Page, get

QUESTIONS = {
    "reached": "Did the department get in touch?",
    "solved": "Is it solved?",
    "satisfied": "Is the caller satisfied?",
}
ANSWER_WORDS = {"yes": "Yes", "mostly": "Mostly", "no": "No"}


def class_of(filed: Filed) -> str:
    return str(filed.case.values.get("class") or "")


def class_choices(ask: Ask, flow: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """(big class, its classes as (code, name)), as a form offers them."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in ask.hub.classes.all(flow):
        group = groups.setdefault(words.said(ask, one.group, one.group_zh), [])
        group.append((one.code, f"{words.named(ask, one)} · {one.code}"))
    return list(groups.items())


def condition_choices(ask: Ask, flow: str, code: str) -> list[tuple[str, str, str]]:
    """(id, condition, limit and closing condition) of a class in force."""
    one = ask.hub.classes.get(flow, code) if code else None
    conditions = one.conditions if one else ()
    return [(each.id, words.said(ask, each.text, each.text_zh), promised(ask, each)) for each in conditions]


def promised(ask: Ask, condition: FilingCondition) -> str:
    """Limit and closing condition in one line."""
    limit, closes = words.limit(ask, condition.limit), words.said(ask, condition.closes, condition.closes_zh)
    return ask._("{limit}; closed when: {closes}", limit=limit, closes=closes) if closes else limit


def fields_of(ask: Ask, filed: Filed, needs: Sequence[str], takes: Sequence[str]) -> dict[str, Any]:
    """What the form of an act has to offer for the fields of filing; nothing for acts that have none of them."""
    told: dict[str, Any] = {"conditions_url": "", "conditions": []}
    flow = filed.entry.flow
    if "condition" in needs or "class" in takes:
        told["classes"] = class_choices(ask, flow)
        told["class_now"] = str(ask.form.get("class") or "") or class_of(filed)
    if "condition" in needs:
        told["conditions"] = condition_choices(ask, flow, told["class_now"])
        told["conditions_url"] = ask.url(f"/desk/cases/{filed.entry.number}/conditions")
    if "departments" in needs:
        told["in_charge"] = in_charge(ask, filed)
    if "answer" in needs:
        told["questions"] = [
            (f"answer-{name}", ask._(QUESTIONS[name]), [(word, ask._(ANSWER_WORDS[word])) for word in given])
            for name, given in ANSWERS.items()
        ]
    return told


def answers(form: Form) -> dict[str, str]:
    """What was answered, of the questions that were."""
    found = {name: form.choice(f"answer-{name}", given) for name, given in ANSWERS.items()}
    return {name: word for name, word in found.items() if word}


def standard(ask: Ask, filed: Filed) -> dict[str, Any] | None:
    """What the case was filed by, as it was in force then."""
    told = filed.case.standard
    if not told:
        return None
    limit = Duration(float(told["limit"][0]), str(told["limit"][1])) if told.get("limit") else None
    return {
        "class": told.get("class", ""),
        "name": words.said(ask, told.get("name", ""), told.get("name_zh", "")),
        "condition": words.said(ask, told.get("text", ""), told.get("text_zh", "")),
        "limit": words.limit(ask, limit),
        "closes": words.said(ask, told.get("closes", ""), told.get("closes_zh", "")),
        "version": told.get("version"),
    }


@get("/desk/cases/{number:str}/conditions", needs=("enter", "desk"))
def conditions(ask: Ask, number: str) -> Page:
    """The filing conditions of a class, as the form of this case offers them."""
    filed = case_of(ask, number)
    found = condition_choices(ask, filed.entry.flow, ask.query("class"))
    data = {"conditions": [{"id": id_, "text": text, "limit": limit} for id_, text, limit in found]}
    return Page("desk/conditions.html", data, extra={"options": found, "form": Form(ask)}, fragment="conditions")


routes = [conditions]
