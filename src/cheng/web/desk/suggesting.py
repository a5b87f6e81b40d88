"""Who could be in charge of a case: the table of responsibilities first, then what closed cases teach, with reasons."""

from typing import Any

from cheng.infrastructure.case_book import Filed
from cheng.methods.dispatching import FAMILY, Suggestion
from cheng.web.pages import Ask

LEAST = 0.05
"""Chance below which a department is not named."""
REASONS = {
    "class community": "{count} of {of} such cases in this community went there.",
    "class street": "{count} of {of} such cases in this street went there.",
    "class": "{count} of {of} such cases in the city went there.",
    "group street": "{count} of {of} cases of this group in this street went there.",
    "group": "{count} of {of} cases of this group in the city went there.",
    "street": "{count} of {of} cases in this street went there.",
    "": "{count} of {of} cases of all kinds went there.",
    FAMILY: "{count} of {of} such cases elsewhere went to departments like this one.",
}
"""Level of a suggestion → its reason in a sentence."""


def in_charge(ask: Ask, filed: Filed) -> list[dict[str, Any]]:
    """Departments to choose from, the best first: "department", "text" for the reader, "why" in a sentence, "chance"
    (0 to 1; None where the table says so) and "learnt".
    """
    flow, values = filed.entry.flow, filed.case.values
    code = str(values.get("class") or filed.entry.class_code or "")
    named = ask.hub.classes.responsible(flow, code, values) if code else ()
    rule = ask._("by the table of responsibilities")
    found = [row(ask, name, rule, None) for name in named]
    known = {**values, "class": code, "source": filed.entry.source}
    learnt = [one for one in ask.hub.dispatching.suggest(flow, known) if one.chance >= LEAST]
    for each in found:
        spoken = next((one for one in learnt if one.department == each["department"]), None)
        if spoken is not None:
            each["why"] = ask._("{rule}; {reason}", rule=rule, reason=reason(ask, spoken))
    return found + [
        row(ask, one.department, learnt_reason(ask, one), one.chance) for one in learnt if one.department not in named
    ]


def row(ask: Ask, department: str, why: str, chance: float | None) -> dict[str, Any]:
    told = {"department": department, "text": ask._(department), "why": why}
    return {**told, "chance": None if chance is None else round(chance, 3), "learnt": chance is not None}


def reason(ask: Ask, one: Suggestion) -> str:
    """The cases that speak for it."""
    return ask._(REASONS[one.level], count=one.count, of=one.of)


def learnt_reason(ask: Ask, one: Suggestion) -> str:
    """The same with its chance."""
    return ask._("{chance} likely: {reason}", chance=ask.local.percent(one.chance, 0), reason=reason(ask, one))


def classes(ask: Ask, flow: str, text: str, most: int = 3) -> list[dict[str, Any]]:
    """Classes that a text may mean, the likeliest first: code, both names and chance."""
    found = []
    for code, chance in ask.hub.dispatching.suggest_class(flow, text, most):
        one = ask.hub.classes.get(flow, code)
        if one is not None:
            found.append({"code": code, "name": one.name, "name_zh": one.name_zh, "chance": round(chance, 3)})
    return found
