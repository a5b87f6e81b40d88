"""Passing a case on: choose the city, choose what it is there, answer what they ask. Nothing leaves before that."""

import re
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from cheng.beside import Attribute, Offered, OtherCities
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.neighbours import Neighbour
from cheng.infrastructure.passing_book import NewPassing
from cheng.kernel.cases import judge
from cheng.kernel.guards import Ask as Asked
from cheng.security import audit
from cheng.security.permissions import Target
from cheng.standards.problems import Refused
from cheng.web.desk import words
from cheng.web.desk.acts import denied, note, tell
from cheng.web.desk.case import target
from cheng.web.desk.case_view import View
from cheng.web.desk.seeing import case_of, may_do, person
from cheng.web.pages import Answer, Ask, Form, Page, get, post, see_other

VERB, CHORE = "pass_on", "house.pass_on"
LONGEST_TEXT, LONGEST_REASON, LONGEST_ANSWER = 3500, 4000, 2000
"""Signs. Other cities take 4000 of a description, and who sends it is written below."""
WITHOUT = "none"
"""No photo goes along."""


@get("/desk/cases/{number:str}/pass-on", needs=("act", "case"))
def offer(ask: Ask, number: str) -> Page:
    """To which city, and as what: step by step, for `city` and `service` of the address."""
    filed = case_of(ask, number)
    allowed(ask, filed)
    return passing_page(ask, filed, Form(ask, begun(ask, filed)))


@post("/desk/cases/{number:str}/pass-on", needs=("act", "case"))
def pass_on(ask: Ask, number: str) -> Answer:
    """The act, and what is to be sent; the worker sends it at once."""
    filed = case_of(ask, number)
    allowed(ask, filed)
    form = Form(ask)
    city = form.choice("city", names(ask), required="Choose the city that is to have this case.") or ""
    service, attributes = asked_there(ask, form, city)
    new = read(ask, filed, form, city, service, attributes)
    if form.errors or new is None:
        return passing_page(ask, filed, form, 422)
    try:
        done = perform(ask, filed, new)
    except Refused as refused:
        note(ask, filed, VERB, refused)
        form.wrong("reason", words.explain(ask, filed, refused, View.of(ask, filed).people))
        return passing_page(ask, ask.hub.cases.get(filed.entry.id), form, refused.status)
    tell(ask, done, VERB)
    at_once(ask)
    return see_other(ask, f"/desk/cases/{number}", "The case was passed on.")


def allowed(ask: Ask, filed: Filed) -> None:
    """Refused (403, 409) when this reader may not pass it on now."""
    if not may_do(ask, VERB, filed):
        denied(ask, filed, VERB)
    flow = ask.hub.cases.flow(filed.entry.flow)
    try:
        judge(VERB, Asked(flow, filed.case, person(ask.actor), ask.now, {}, ask.hub.calendar))
    except Refused as refused:
        note(ask, filed, VERB, refused)
        sentence = words.explain(ask, filed, refused, View.of(ask, filed).people)
        raise Refused(refused.code, sentence.replace("{", "(").replace("}", ")"), {}, refused.status) from None
    cities(ask)


def perform(ask: Ask, filed: Filed, new: NewPassing) -> Filed:
    """The act, what is to be sent and the line in the audit, in one transaction."""
    now = ask.hub.clock.now()
    detail = {"act": VERB, "to": new.city, "personal": new.personal}

    def also(conn: Connection) -> None:
        audit.record(conn, now, ask.actor, "act", target(filed), address=ask.address, detail=detail)

    version = str(ask.form.get("version") or "")
    seen = int(version) if version.isdigit() and len(version) < 10 else None
    key = str(ask.form.get("key") or "") or None
    done: Filed = ask.hub.passings.pass_on(filed.entry.id, person(ask.actor), new, version=seen, key=key, also=also)
    return done


def at_once(ask: Ask) -> None:
    """Sends it now, beside the page; where nobody works beside it, before the page is answered."""
    if ask.hub.worker is not None:
        with suppress(Refused):  # it is at it just now, and comes by again in a minute
            ask.hub.worker.run_now(CHORE)
    elif ask.hub.cities is not None:
        ask.hub.cities.send()


# -- what is offered


def cities(ask: Ask) -> OtherCities:
    """Who speaks to them. Refused (409) when there is none to speak to."""
    found: OtherCities | None = ask.hub.cities
    if found is None or not names(ask):
        raise Refused("no-city", "No other city is named in the settings; the operator can do that.", status=409)
    return found


def names(ask: Ask) -> list[str]:
    return [city.name for city in ask.hub.settings.neighbours]


def neighbour(ask: Ask, name: str) -> Neighbour | None:
    return next((city for city in ask.hub.settings.neighbours if city.name == name), None)


def begun(ask: Ask, filed: Filed) -> dict[str, Any]:
    photos = photos_of(ask, filed)
    address = filed.entry.values.get("address") or ""
    said = filed.entry.text or words.title(ask, filed.entry)
    return {"text": said, "address": address, "photo": photos[0] if photos else WITHOUT}


def passing_page(ask: Ask, filed: Filed, form: Form, status: int = 200) -> Page:
    """As far as it has come: cities, then what one of them offers, then what it asks."""
    known = names(ask)
    city = str(ask.form.get("city") or ask.query("city") or (known[0] if len(known) == 1 else ""))
    one = neighbour(ask, city)
    form.initial.setdefault("city", city)
    offered, attributes, problem = list[Offered](), list[Attribute](), ""
    service: Offered | None = None
    if one is not None:
        wanted = str(ask.form.get("service") or ask.query("service") or one.services.get(filed.entry.class_code, ""))
        try:
            offered = list(cities(ask).services(city))
            service = next((each for each in offered if each.code == wanted), None)
            attributes = list(cities(ask).attributes(city, service.code)) if service and service.asks else []
        except Refused as refused:
            problem, service = ask._(refused.message, **refused.values), None
    data = {
        "number": filed.entry.number,
        "title": words.title(ask, filed.entry),
        "cities": known,
        "to": one.name if one else "",
        "services": [{"code": each.code, "name": each.name, "group": each.group} for each in offered],
        "service": service.code if service else "",
        "problem": problem,
    }
    extra = {
        "groups": grouped(offered),
        "service_name": service.name if service else "",
        "attributes": [(field_of(each), each) for each in attributes],
        "form": form,
        "once": secrets.token_hex(16),
        "version": filed.case.version,
        "place": filed.entry.longitude is not None,
        "photos": [(sha, ask.url(f"/desk/cases/{filed.entry.number}/files/{sha}")) for sha in photos_of(ask, filed)],
        "without": WITHOUT,
        "may_tell": may_tell(ask, filed),
        "someone": bool(ask.hub.passings.contact(filed.entry.id)),
    }
    return Page("desk/pass_on.html", data, extra=extra, status=status)


def grouped(offered: list[Offered]) -> list[tuple[str, list[Offered]]]:
    groups: dict[str, list[Offered]] = {}
    for each in offered:
        groups.setdefault(each.group, []).append(each)
    return list(groups.items())


def photos_of(ask: Ask, filed: Filed) -> list[str]:
    """Photos that came with the report, when there is an address by which others could see them."""
    if not ask.hub.settings.public_url:
        return []
    acts = [act for act in ask.hub.cases.acts(filed.entry.id) if act.verb in ("open", "follow")]
    found = [piece["blob"] for act in acts for piece in act.data.get("proof") or () if piece["kind"] == "photo"]
    return list(dict.fromkeys(found))


def may_tell(ask: Ask, filed: Filed) -> bool:
    """Whether this reader may know who reported it, and so may tell it."""
    return ask.may("see-contact", Target("case", filed.entry.number))


# -- what was filled in


def asked_there(ask: Ask, form: Form, city: str) -> tuple[Offered | None, list[Attribute]]:
    """The service that was chosen, as it is offered there now, and what they ask about it."""
    if not city:
        return None, []
    try:
        offered = {each.code: each for each in cities(ask).services(city)}
        code = form.choice("service", offered, required="Choose what it is reported as there.")
        service = offered[code] if code else None
        return service, list(cities(ask).attributes(city, service.code)) if service and service.asks else []
    except Refused as refused:
        form.wrong("city", refused.message, **refused.values)
        return None, []


def read(
    ask: Ask, filed: Filed, form: Form, city: str, service: Offered | None, attributes: list[Attribute]
) -> NewPassing | None:
    """What is to be sent; None when something is wrong. Who reported it goes along only when the box is ticked, and
    only by somebody who may know it (else Refused, 403)."""
    text = form.text("text", required="Please say what is wrong.", most=LONGEST_TEXT)
    reason = form.text("reason", required="Please write down the reason: it stays with the case.", most=LONGEST_REASON)
    address = form.text("address", most=500)
    place = filed.entry.longitude, filed.entry.latitude
    if None in place and not address:
        form.wrong("address", "Without a place on the map the other city needs an address.")
    fields = answers(ask, form, attributes)
    photos = photos_of(ask, filed)
    photo = form.choice("photo", [WITHOUT, *photos]) if photos else None
    personal = form.flag("personal")
    if personal:
        ask.require("see-contact", target(filed))
    if form.errors or service is None or not text or not reason:
        return None
    if address:
        fields["address_string"] = address
    if None not in place:
        fields |= {"lat": f"{place[1]:.7f}", "long": f"{place[0]:.7f}"}
    photo = photo if photo and photo != WITHOUT else ""
    new = NewPassing(city, service.code, service.name, text, reason, fields, personal, photo)
    return signed(ask, filed, new)


def signed(ask: Ask, filed: Filed, new: NewPassing) -> NewPassing:
    """The text with who sends it, in the language of the house: by the marker it is found there again."""
    settings = ask.hub.settings
    language = ask.request.app.state.catalogues.best(None, None, settings.language)
    message = "Passed on by {city}, our number {number}, reference {marker}."
    values = {"city": settings.city, "number": filed.entry.number, "marker": new.marker}
    text = f"{new.text}\n\n{language.gettext(message, **values)}"
    return NewPassing(
        new.city, new.service, new.service_name, text, new.reason, new.form, new.personal, new.photo, new.marker
    )


def field_of(attribute: Attribute) -> str:
    """The name of its field in the form."""
    return "about-" + re.sub(r"[^\w-]", "-", attribute.code)


def answers(ask: Ask, form: Form, attributes: list[Attribute]) -> dict[str, Any]:
    """What they want to know, as Open311 writes it."""
    found: dict[str, Any] = {}
    for each in attributes:
        value = answer(ask, form, each)
        if value not in (None, "", []):
            several = "[]" if isinstance(value, list) else ""
            found[f"attribute[{each.code}]{several}"] = value
    return found


def answer(ask: Ask, form: Form, each: Attribute) -> str | list[str] | None:
    name, required = field_of(each), each.required
    if each.kind == "singlevaluelist":
        return form.choice(name, dict(each.values), required=required)
    if each.kind == "multivaluelist":
        return form.choices(name, dict(each.values), required=required)
    if each.kind == "number":
        number = form.number(name, required=required)
        return None if number is None else f"{number:.15g}"
    if each.kind == "datetime":
        moment = form.moment(name, required=required)
        return None if moment is None else datetime.fromtimestamp(moment / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return form.text(name, required=required, most=LONGEST_ANSWER)


routes = [offer, pass_on]
