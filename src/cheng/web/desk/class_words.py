"""Classes of cases in the reader's words: names, limits, conditions, and what is different between versions."""

import re
from datetime import date, datetime, time
from typing import Any

from cheng.kernel.class_changes import Change
from cheng.kernel.classes import EVER, CaseClass, FilingCondition
from cheng.standards.durations import Duration
from cheng.web.city.words import span
from cheng.web.pages import Ask, Refused

ARTICLE = re.compile(r"第.+条|[Aa]rt(icle|\.)|§")
"""What a legal basis says that names more than the law."""
KINDS = {"component": "Component", "event": "Event", "service": "Service request"}
UNITS = {
    "minute": "minutes, also at night",
    "hour": "hours, also at night",
    "working hour": "working hours",
    "working day": "working days",
    "day": "calendar days",
}
FIELDS = {
    "": "Filing condition",
    "group": "Big class",
    "group_zh": "Big class, in Chinese",
    "name": "Name",
    "name_zh": "Name, in Chinese",
    "responsible": "Responsible",
    "supervising": "Supervising",
    "public": "People may report it",
    "source": "Source",
    "retired": "Retired",
    "text": "What is found",
    "text_zh": "What is found, in Chinese",
    "limit": "Limit",
    "closes": "Closed when",
    "closes_zh": "Closed when, in Chinese",
    "simple": "May be put right on the spot",
    "basis": "Legal basis",
    "note": "Note for collectors",
}

BLANK_WORDS = {
    "district": "[district]",
    "street": "[street]",
    "community": "[community]",
    "grid": "[grid]",
    "owner": "[owner]",
}


def flows(ask: Ask) -> list[str]:
    """The ways of work whose cases are filed by classes."""
    book = ask.hub.classes
    return [key for key, flow in book.flows.items() if flow.classes or book.codes(key)]


def flow_asked(ask: Ask) -> str:
    """The flow that the address or the form names, or the first; "" when no application has classes."""
    known = flows(ask)
    told = str(ask.form.get("flow") or "") or ask.query("flow")
    if told and told not in known:
        raise Refused("no-flow", "There is no way of work named {flow}.", {"flow": told[:60]}, status=404)
    return told or (known[0] if known else "")


def flow_in_address(ask: Ask, flow: str) -> str | None:
    """What addresses have to say of the flow: nothing where there is only one."""
    return flow if len(flows(ask)) > 1 else None


def department(ask: Ask, text: str) -> str:
    """The name of a department; what a case will fill in stands in brackets."""
    return ask._(text, **{blank: ask._(word) for blank, word in BLANK_WORDS.items()}) if text else ""


def chinese(ask: Ask) -> bool:
    return ask.local.language.code.startswith("zh")


def name(ask: Ask, version: CaseClass) -> str:
    return version.name_zh if chinese(ask) else version.name


def group(ask: Ask, version: CaseClass) -> str:
    return version.group_zh if chinese(ask) else version.group


def limit(ask: Ask, length: Duration) -> str:
    return span(ask, length)


def limits(ask: Ask, version: CaseClass) -> str:
    """All limits of a class, each once, as they stand."""
    return " · ".join(dict.fromkeys(limit(ask, condition.limit) for condition in version.conditions))


def day(ask: Ask, when: date) -> str:
    """A start day; one that always was is said so."""
    return ask._("always") if when == EVER else ask.local.date(instant(ask, when))


def instant(ask: Ask, when: date) -> int:
    """When a day begins in the city, µs."""
    return round(datetime.combine(when, time(), ask.local.zone).timestamp()) * 1_000_000


def condition(ask: Ask, each: FilingCondition) -> dict[str, Any]:
    """A filing condition as its page shows it."""
    return {
        "id": each.id,
        "text": each.text_zh if chinese(ask) else each.text,
        "limit": limit(ask, each.limit),
        "amount": each.limit.amount,
        "unit": each.limit.unit,
        "night": each.limit.clock == "emergency",
        "closes": each.closes_zh if chinese(ask) else each.closes,
        "simple": each.simple,
        "basis": basis(ask, each.basis) if each.basis else "",
        "note": ask._(each.note) if each.note else "",
        "source": ask._(each.source) if each.source else "",
    }


def basis(ask: Ask, law: str) -> str:
    """A law as it was named; where nobody has named the article, that too."""
    text = ask._(law)
    return text if ARTICLE.search(law) else ask._("{law} (no article named)", law=text)


def change(ask: Ask, each: Change) -> dict[str, str]:
    """A difference in words: what, before, after."""
    what = ask._(FIELDS[each.field])
    if each.condition:
        what = ask._("Condition {id}: {what}", id=each.condition, what=what)
    return {"what": what, "before": said(ask, each.before), "after": said(ask, each.after)}


def said(ask: Ask, value: Any) -> str:
    if isinstance(value, bool):
        return ask._("Yes") if value else ask._("No")
    if isinstance(value, Duration):
        return limit(ask, value)
    if isinstance(value, FilingCondition):
        shown = condition(ask, value)
        return f"{shown['text']} {shown['limit']}"
    return str(value) if value else "–"
