"""What an agent writes down while somebody speaks: one form, which becomes a case or an answer."""

from dataclasses import dataclass, replace
from typing import Any

from litestar.datastructures import FormMultiDict

from cheng.infrastructure.area_lookup import level_of
from cheng.infrastructure.duplicates import ALIVE, Like
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.report_book import NewReport
from cheng.standards.problems import Refused
from cheng.web.desk import filing
from cheng.web.desk import words as desk_words
from cheng.web.desk.alike import PROBABLE
from cheng.web.pages import Ask, Form
from cheng.web.point import Place, point

LEVELS = ("street", "community", "district")
"""Areas that callers name, in the order in which they are offered."""
MOST_AREAS = 6
ANOTHER = "none"
"""Chosen where it is none of the cases that are like it."""
BESIDE = {
    "outside-the-city": "place",
    "no-such-place": "place",
    "no-text": "text",
    "no-such-class": "class",
    "case-over": "same",
    "no-such-case": "same",
}
"""Why a report was not taken → the field to say it at."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a form says, as far as it could be read."""

    flow: str
    text: str
    class_code: str
    place: Place | None
    address: str
    name: str
    phone: str
    call_back: bool


def flows(ask: Ask) -> list[str]:
    """The ways of work that calls can go to: those whose cases are filed by classes."""
    book = ask.hub.classes
    return [key for key, flow in ask.hub.cases.flows.items() if flow.classes or book.codes(key)]


def classes_of(ask: Ask) -> dict[str, str]:
    """Code of every class in force → the flow that has it."""
    found: dict[str, str] = {}
    for flow in flows(ask):
        for one in ask.hub.classes.all(flow):
            found.setdefault(one.code, flow)
    return found


def choices(ask: Ask) -> list[tuple[str, list[tuple[str, str]]]]:
    """(big class, its classes) of all flows, as a form offers them."""
    return [group for flow in flows(ask) for group in filing.class_choices(ask, flow)]


# -- what was chosen from what is offered, where there is no script


def chosen(ask: Ask) -> Ask:
    """The same request with the class or the street that a button stood for in the fields of the form."""
    fields = {str(name): ask.form.get(name) for name in ask.form}
    if code := str(ask.form.get("pick") or ""):
        fields["class"] = code
    area = ask.hub.things.find(str(ask.form.get("at") or ""))
    if area is not None and area.point is not None:
        fields |= {"place": written(area), "address": fields.get("address") or area.name}
    return replace(ask, form=FormMultiDict(fields)) if code or area else ask


def areas(ask: Ask, words: str) -> list[dict[str, str]]:
    """Streets and communities with these words in their names, with the middle of each."""
    low = "".join(words.casefold().split())
    if not low:
        return []
    found = [
        (LEVELS.index(level), area.name, area)
        for area in ask.hub.things.of_type("Area")
        if (level := level_of(area)) in LEVELS and area.point is not None and low in area.name.casefold()
    ]
    found.sort(key=lambda each: each[:2])
    return [
        {"id": area.id, "name": area.name, "within": within(ask, area), "place": written(area)}
        for _, _, area in found[:MOST_AREAS]
    ]


def within(ask: Ask, area: Thing) -> str:
    """The area around it: two streets may bear one name."""
    above = ask.hub.things.find(str(area.properties.get("parent") or ""))
    return above.name if above is not None else ""


def written(area: Thing) -> str:
    """A point that surely lies in it, as the field has it: the latitude first."""
    longitude, latitude = area.point or (0.0, 0.0)
    return f"{latitude:.5f}, {longitude:.5f}"


# -- reading


def read(ask: Ask, form: Form) -> Told:
    """What was written; what is wrong stands beside its field."""
    known = classes_of(ask)
    code = form.choice("class", known) or ""
    text = form.text("text", required="Please write what the caller says.", most=3000) or ""
    if urgent := form.text("urgent", most=300):
        text = f"{text}\n{ask._('Urgent: {why}', why=urgent)}"
    place, address = point(form), form.text("address", most=200) or ""
    if place is None and not address and not {"place", "address"} & form.errors.keys():
        form.wrong("address", "Please ask where it is: write the address, or choose the place.")
    name, phone = form.text("name", most=60) or "", form.text("phone", most=40) or ""
    calls_back = form.flag("call_back")
    if calls_back and not phone:
        form.wrong("phone", "Without a number nobody can call back; please write it, or untick the call back.")
    flow = known.get(code) or next(iter(flows(ask)), "")
    return Told(flow, text, code, place, address, name, phone, calls_back)


def report_of(ask: Ask, told: Told) -> NewReport:
    return NewReport(
        flow=told.flow,
        source="hotline",
        text=told.text,
        class_code=told.class_code,
        place=told.place,
        address=told.address,
        name=told.name,
        phone=told.phone,
        key=str(ask.form.get("key") or ""),
        lang=ask.local.language.code,
        call_back=told.call_back,
    )


def alike(ask: Ask, form: Form) -> list[Like]:
    """Cases under way that are perhaps what the caller speaks of; none without a place that can be read."""
    place = point(Form(ask))
    if place is None or not flows(ask):
        return []
    code, text = str(form.value("class") or ""), str(form.value("text") or "")
    flow = classes_of(ask).get(code) or flows(ask)[0]
    try:
        found: tuple[Like, ...] = ask.hub.duplicates.like(place, code, text, (), ask.now, flow)
    except (Refused, ValueError):
        return []
    return [each for each in found if each.entry.state in ALIVE]


def probable(found: list[Like]) -> bool:
    """Whether one of them is likely enough to ask before another case is opened."""
    return any(each.chance >= PROBABLE for each in found)


def article_row(ask: Ask, article: Any) -> dict[str, Any]:
    """An article in the reader's language."""
    code = article.class_code
    flow = classes_of(ask).get(code, "") if code else ""
    return {
        "number": article.number,
        "version": article.version,
        "question": desk_words.said(ask, article.question, article.question_zh),
        "answer": desk_words.said(ask, article.answer, article.answer_zh),
        "department": ask._(article.department) if article.department else "",
        "class_code": code if flow else "",
        "class_name": desk_words.class_name(ask, flow, code) if flow else "",
        "words": article.words,
        "at": article.at,
        "retired": article.retired,
        "url": ask.url(f"/desk/articles/{article.number}"),
    }
