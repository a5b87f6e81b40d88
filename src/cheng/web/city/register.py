"""The form of the register: put a new thing into it, or bring what it says up to date."""

from typing import Any

import msgspec

from cheng.infrastructure.registration import NewThing, Thing
from cheng.kernel.entities import Choice, Entity, Kept, Place, Quantity, Ref
from cheng.security.permissions import Target, decide
from cheng.security.seen import fields_seen, target
from cheng.standards.problems import InputError, Refused
from cheng.web.ask import Ask
from cheng.web.city.noting import note
from cheng.web.city.seeing import entity_of, levels_for, thing_of
from cheng.web.city.words import STATES, label, name_of, symbol
from cheng.web.forms import Form
from cheng.web.pages import Answer, Page, get, post, see_other

PROBLEMS = {
    "bad-id": ("id", "An id has up to 200 letters, digits, dots, colons or dashes."),
    "other-type": ("id", "There is a thing of another type with this id."),
    "bad-geometry": ("geometry", "This is no place that can be read: GeoJSON in WGS 84 is wanted."),
    "out-of-range": ("", "A value lies outside what its field allows."),
}
CHOSEN = ("registered", "active", "retired")


def form_fields(ask: Ask, entity: type[Entity], levels: frozenset[str]) -> list[dict[str, Any]]:
    """The fields of the register as the form draws them."""
    told = []
    for name, field in fields_seen(entity, levels).items():
        if field.live or isinstance(field, Place):
            continue
        options = [(text, ask._(text)) for text in field.options] if isinstance(field, Choice) else None
        row = {"name": f"p.{name}", "label": label(ask.local, field), "doc": field.doc, "options": options}
        number, ref = isinstance(field, Quantity), field.target if isinstance(field, Ref) else ""
        told.append({**row, "unit": symbol(field), "number": number, "ref": ref})
    return told


def initial(thing: Thing) -> dict[str, Any]:
    """What the form begins with."""
    values: dict[str, Any] = {f"p.{name}": value for name, value in thing.properties.items()}
    values |= {"id": thing.id, "name": thing.name, "owner": thing.owner, "state": thing.state}
    values["version"] = thing.version
    shape = thing.geometry or {}
    if shape.get("type") == "Point":
        values["longitude"], values["latitude"] = shape["coordinates"][:2]
    elif shape:
        values["geometry"] = msgspec.json.encode(shape).decode()
    return values


def page(ask: Ask, entity: type[Entity], thing: Thing | None, form: Form, status: int = 200) -> Page:
    levels = levels_for(ask, thing, entity) if thing is not None else frozenset({"public", "internal"})
    extra = {"form": form, "entity": entity, "type_text": name_of(entity), "thing": thing}
    extra |= {"fields": form_fields(ask, entity, levels), "states": [(key, ask._(STATES[key])) for key in CHOSEN]}
    extra["departments"] = departments(ask)
    return Page("city/register.html", {"type": entity.__name__}, extra=extra, status=status)


def departments(ask: Ask) -> list[tuple[str, str]]:
    """Departments that may own a thing: one's own for officers, all that own anything for operators."""
    if decide(ask.actor, "register", Target("thing", department="?")).allowed:
        named = {d.name or d.id for d in ask.hub.things.of_type("Department")}
        named |= {str(app.owner) for app in ask.hub.model.apps.values()}
        return [(name, ask._(name)) for name in sorted(named)]
    return [(ask.actor.department, ask._(ask.actor.department))]


def taken(ask: Ask, entity: type[Entity], form: Form, thing: Thing | None) -> NewThing:
    """The form as a row for the register; what is wrong stands in its errors."""
    levels = levels_for(ask, thing, entity) if thing is not None else frozenset({"public", "internal"})
    properties: dict[str, Any] = {}
    for name, field in fields_seen(entity, levels).items():
        if not field.live and not isinstance(field, Place):
            value = read(ask, form, f"p.{name}", field, thing is not None and thing.properties.get(name) is not None)
            if value is not None:
                properties[name] = value
    return NewThing(
        thing.id if thing is not None else form.text("id", required=True, most=200) or "",
        entity.__name__,
        form.text("name", most=200) or "",
        form.choice("owner", [name for name, _ in departments(ask)], required=True) or "",
        properties,
        geometry(form),
        form.choice("state", CHOSEN, required=True) or "active",
    )


def read(ask: Ask, form: Form, key: str, field: Kept, known: bool) -> Any:
    """One field of the register."""
    if isinstance(field, Quantity):
        low = -1e300 if field.low is None else field.low
        return form.number(key, required=known, low=low, high=1e300 if field.high is None else field.high)
    if isinstance(field, Choice):
        return form.choice(key, field.options, required=known)
    text = form.text(key, most=2000)
    if isinstance(field, Ref) and text:
        other = ask.hub.things.find(text)
        if other is None or other.type != field.target:
            form.wrong(key, "There is no thing {id} of this kind.", id=text[:80])
    return text if text is not None else ("" if known else None)


def geometry(form: Form) -> dict[str, Any] | None:
    """Where it is: longitude and latitude, or GeoJSON for lines and areas."""
    longitude = form.number("longitude", low=-180, high=180)
    latitude = form.number("latitude", low=-90, high=90)
    if longitude is not None and latitude is not None:
        return {"type": "Point", "coordinates": [longitude, latitude]}
    if (longitude is None) != (latitude is None) and not form.errors:
        form.wrong("latitude" if latitude is None else "longitude", "Please fill this in.")
    text = form.text("geometry", most=200_000)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError):
        form.wrong("geometry", PROBLEMS["bad-geometry"][1])
        return None


def put(ask: Ask, form: Form, row: NewThing, deed: str) -> bool:
    """Hand it to the register; whether it was taken."""
    outcome = ask.hub.things.put([row], ask.actor.name)
    if outcome.refused:
        wrong(form, outcome.refused[0])
        return False
    if outcome.added or outcome.changed:
        where = Target("thing", id=row.id, department=row.owner, type=row.type)
        note(ask, "register", where, deed=deed, properties=sorted(row.properties), state=row.state)
    return True


def wrong(form: Form, error: InputError) -> None:
    name, message = PROBLEMS.get(error.code, ("", "This cannot be registered: {reason}."))
    form.wrong(name or "id", message, reason=error.reason)


# -- pages


@get("/things/{type_name:str}/new", needs=("register", "thing"))
def new(ask: Ask, type_name: str) -> Page:
    """The empty form."""
    entity = entity_of(ask, type_name)
    ask.require("register", Target("thing", type=type_name, department=ask.actor.department))
    start = {"state": "active", "owner": ask.actor.department or str(getattr(entity.app, "owner", ""))}
    return page(ask, entity, None, Form(ask, start))


@post("/things/{type_name:str}/new", needs=("register", "thing"))
def add(ask: Ask, type_name: str) -> Answer:
    """Register a new thing."""
    entity = entity_of(ask, type_name)
    form = Form(ask)
    row = taken(ask, entity, form, None)
    ask.require("register", Target("thing", type=type_name, department=row.owner or ask.actor.department))
    known = ask.hub.things.find(row.id)
    if not form.errors and known is not None and known.type == type_name:
        form.wrong("id", "There is a thing with this id already.")
    if not form.errors and put(ask, form, row, "add"):
        return see_other(ask, f"/things/{type_name}/{row.id}", "The thing is registered.")
    return page(ask, entity, None, form, 422)


@get("/things/{type_name:str}/{thing_id:str}/edit", needs=("register", "thing"))
def edit(ask: Ask, type_name: str, thing_id: str) -> Page:
    """The form with what the register says now."""
    thing, entity = thing_of(ask, type_name, thing_id)
    ask.require("register", target(thing, entity))
    return page(ask, entity, thing, Form(ask, initial(thing)))


@post("/things/{type_name:str}/{thing_id:str}/edit", needs=("register", "thing"))
def change(ask: Ask, type_name: str, thing_id: str) -> Answer:
    """Bring the register up to date, unless somebody else did so meanwhile."""
    thing, entity = thing_of(ask, type_name, thing_id)
    ask.require("register", target(thing, entity))
    form = Form(ask)
    row = taken(ask, entity, form, thing)
    if not form.errors and form.whole("version") != thing.version:
        message = "Somebody has changed this entry since you opened it. Please look at it again before you save."
        raise Refused("changed", message)
    if not form.errors:
        ask.require("register", Target("thing", id=thing.id, department=row.owner, type=type_name))
    if not form.errors and put(ask, form, row, "change"):
        return see_other(ask, f"/things/{type_name}/{thing.id}", "The entry was changed.")
    return page(ask, entity, thing, form, 422)


routes = [new, add, edit, change]
