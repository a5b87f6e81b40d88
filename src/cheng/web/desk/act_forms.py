"""The forms of a case: what this person may do next, with what each act has to carry, and what was typed already."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cheng.infrastructure import case_search
from cheng.infrastructure.case_book import Filed
from cheng.kernel.cases import Option, judge
from cheng.kernel.guards import Ask as Asked
from cheng.standards.problems import Refused
from cheng.web.desk import filing, words
from cheng.web.desk.offices import departments_known
from cheng.web.desk.seeing import may_do, person
from cheng.web.pages import Ask, Form

FIRST = ("take", "complete", "allow", "deny", "uphold", "dismiss", "resume")
"""What is offered openly; everything else is folded away."""
BARE = ("take", "allow", "uphold", "resume", "urge")
"""A button and no more: a word about it can be written as a note."""
DANGEROUS = ("void",)
ELSEWHERE = {"pass_on": "pass-on"}
"""Acts with a page of their own, below that of the case."""
ASKED = {
    "condition": "The condition sets the limit. Later changes of the table do not touch this case.",
    "departments": "The first one leads. Each of the others gets a part of the work, and the case waits for it.",
}
"""What a step asks for → what it does."""
DONE = {"condition": "File the case", "departments": "Send it there"}
"""What a step asks for → its button."""
KEYS = {"take": "t", "complete": "d", "note": "n", "return": "r", "assign": "a", "extend": "e"}
SENTENCES = {
    "take": "From then on it is with you, and your department answers for it.",
    "complete": "The case goes on to the next step.",
    "assign": "The person finds it among their cases.",
    "move": "The step begins anew there, with its full limit.",
    "return": "Nothing that was done or handed in is lost.",
    "extend": "A dispatcher or reviewer decides; twice at most, and only before it is overdue.",
    "allow": "The limit moves by its full length once more.",
    "suspend": "Once in the life of a case and for a year at most; the clock stands still meanwhile.",
    "appeal": "Two reviewers decide. That it was late stays visible; the statistics leave it out if they agree.",
    "uphold": "The second agreement grants it.",
    "supervise": "Everybody who handles it sees that it is under supervision.",
    "merge": "This case ends here and goes on in the other one.",
    "dispute": "A dispatcher decides; the clock runs on meanwhile.",
    "insist": "The department keeps it and cannot say so a second time.",
    "rate": "What was answered later stands in place of what was answered before.",
    "void": "For what should never have been a case. It stays readable.",
    "note": "Everybody who handles the case can read it.",
}


@dataclass
class Sent:
    """A form that came back: it was not taken, and nothing of it may be lost."""

    verb: str
    form: Form
    kept: Sequence[str] = ()
    """files that are safely here already, by their SHA-256"""
    problem: str = ""
    changed: bool = False
    """somebody else was quicker"""
    text: dict[str, str] = field(default_factory=dict)


def forms(ask: Ask, filed: Filed, sent: Sent | None = None) -> list[dict[str, Any]]:
    """A form for each thing this person may do now, what matters first."""
    options = [
        option
        for option in ask.hub.cases.next_acts(filed.entry.id, person(ask.actor))
        if may_do(ask, option.verb, filed) and (option.verb != "pass_on" or ask.hub.settings.neighbours)
    ]
    order = {verb: n for n, verb in enumerate(FIRST)}
    options.sort(key=lambda option: order.get(option.verb, len(order)))
    drawn = [act_form(ask, filed, option, sent if sent and sent.verb == option.verb else None) for option in options]
    if drawn and drawn[0]["verb"] == "take":
        if at_a_post(ask, filed):  # many share the work of a post: who sees it does it
            drawn[0]["first"] = "complete" not in {each["verb"] for each in drawn}
            return drawn
        for each in drawn[1:]:  # one thing at a time: who takes a case sees next what to do about it
            each["first"] = False
    return drawn


def at_a_post(ask: Ask, filed: Filed) -> bool:
    """Whether the step is done by whoever holds a post."""
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    return flow is not None and bool(flow.find(filed.case.step).posts)


def act_form(ask: Ask, filed: Filed, option: Option, sent: Sent | None) -> dict[str, Any]:
    optional = [name for name in option.takes if name not in hidden(ask, filed, option)]
    fields = [*option.needs, *(optional if option.verb not in BARE else ())]
    if option.verb == "complete" and "class" in fields:
        fields = ["class", *(name for name in fields if name != "class")]  # what it is comes before what is said of it
    page = ELSEWHERE.get(option.verb, "")
    fields = fields if not page else []
    text = SENTENCES.get(option.verb, "")
    if option.verb == "complete" and filed.case.step == last_step(ask, filed):
        text = "The case is closed with it."
    watched = option.verb == "complete" and is_away(ask, filed)
    if watched:
        text = "This is done by itself when they say that it is closed. Do it only if you have heard so in another way."
    elif option.verb == "complete":
        text = next((ASKED[name] for name in option.needs if name in ASKED), text)
    return {
        "verb": option.verb,
        "title": title(ask, filed, option),
        "text": ask._(text) if text else "",
        "fields": list(dict.fromkeys(fields)),
        "needs": list(option.needs),
        "proofs": [(kind, words.say(ask, kind)) for kind in option.proofs or ("photo",)],
        "steps": [(name, words.step_name(ask, name)) for name in option.steps],
        "people": others(ask, filed) if "person" in option.needs else [],
        "departments": elsewhere(ask, filed) if "department" in option.needs else [],
        "elsewhere": elsewhere(ask, filed) if "departments" in option.needs else [],
        **filing.fields_of(ask, filed, option.needs, fields),
        "first": option.verb in FIRST and not watched,
        "danger": option.verb in DANGEROUS,
        "bare": not fields,
        "key": KEYS.get(option.verb, ""),
        "form": sent.form if sent else Form(ask) if not ask.form else blank(ask),
        "kept": list(sent.kept) if sent else [],
        "open": sent is not None,
        "once": secrets.token_hex(16),
        "href": ask.url(f"/desk/cases/{filed.entry.number}/{page}") if page else "",
    }


def title(ask: Ask, filed: Filed, option: Option) -> str:
    """What the button says: of a step what it does, or what its flow calls it."""
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    told = [DONE[name] for name in option.needs if name in DONE]
    if option.verb == "complete" and flow is not None:
        told.append(flow.find(filed.case.step).done)
    return next((ask._(text) for text in told if text), "") or words.verb(ask, option.verb)


def hidden(ask: Ask, filed: Filed, option: Option) -> tuple[str, ...]:
    """What an act may carry and its form does not offer: a reason for a step that asks for none, a class of a case
    that has none or is filed already."""
    if option.verb != "complete":
        return ()
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    classed = flow is not None and flow.classes and not filed.case.standard and not is_away(ask, filed)
    return ("reason",) if classed else ("reason", "class", "urgent")


def is_away(ask: Ask, filed: Filed) -> bool:
    """Whether another city has the case."""
    return bool(ask.hub.cases.flow(filed.entry.flow).find(filed.case.step).away)


def blank(ask: Ask) -> Form:
    """An empty form beside the one that was sent."""
    return Form(Ask(ask.request, ask.hub, ask.actor, ask.session, ask.local))


def last_step(ask: Ask, filed: Filed) -> str:
    """The step that the case stands at, if none follows."""
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    last = flow is not None and flow.after(filed.case.step, filed.case.values) is None
    return filed.case.step if last else ""


def others(ask: Ask, filed: Filed) -> list[tuple[str, str]]:
    """Whom the case can be assigned to."""
    return case_search.officers(ask.hub.store, filed.case.departments)


def elsewhere(ask: Ask, filed: Filed) -> list[str]:
    """Departments that could have the case instead."""
    return [name for name in departments_known(ask) if name not in filed.case.departments]


def why_not(ask: Ask, filed: Filed, offered: Sequence[str], people: dict[str, str]) -> str:
    """Why an officer cannot finish the present step; "" when they can, or when there is nothing to finish."""
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    if "complete" in offered or not ask.actor.has("officer") or filed.case.run is None or flow is None:
        return ""
    until = flow.find(filed.case.step).until
    holds = ask.hub.cases.truth(until, filed.entry.thing) if until is not None else None
    asked = Asked(flow, filed.case, person(ask.actor), ask.now, {}, ask.hub.calendar, holds)
    try:
        judge("complete", asked)
    except Refused as refused:
        return words.explain(ask, filed, refused, people)
    return ""
