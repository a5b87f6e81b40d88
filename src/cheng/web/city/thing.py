"""One thing: what it is, how it stands now, its history, alerts, cases, versions, and what it can be told to do."""

from typing import Any

from sqlalchemy import select

from cheng.infrastructure.area_lookup import AREA
from cheng.infrastructure.latest import Last, last_values
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.tables import thing_versions
from cheng.kernel.entities import Entity, Kept, Place, Ref, Track
from cheng.kernel.house import UNIT
from cheng.security.permissions import decide
from cheng.security.seen import WORKING, fields_seen, state_of, target
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import cases_of, of_thing
from cheng.web.city.commands import commands_of
from cheng.web.city.periods import choices, field_value, period
from cheng.web.city.seeing import area_name, levels_for, thing_of
from cheng.web.city.tracks import way
from cheng.web.city.words import STATES, field_name, label, marks, name_of, shown, symbol
from cheng.web.forms import Form
from cheng.web.pages import Page, get

DAY = 86_400_000_000
VERSIONS = 20


@get("/things/{type_name:str}/{thing_id:str}", needs=("see", "thing"))
def thing(ask: Ask, type_name: str, thing_id: str) -> Page:
    """One thing; its `.json` is its state and reads neither store nor history."""
    found, entity = thing_of(ask, type_name, thing_id)
    return thing_page(ask, found, entity)


def thing_page(ask: Ask, found: Thing, entity: type[Entity], form: Form | None = None, status: int = 200) -> Page:
    """The page of a thing, with a form for a command that was not right."""
    levels = levels_for(ask, found, entity)
    fields = fields_seen(entity, levels)
    last = last_values(ask.hub, found, fields)
    data = state_of(found, fields, last, ask.local.zone)
    if ask.representation != "html":
        return Page("city/thing.html", data)
    extra = {"thing": found, "entity": entity, "title": found.name or found.id, "STATES": STATES}
    extra |= {"type_text": name_of(entity), "registered_facts": register_facts(ask, found, fields)}
    extra |= {"now_rows": now_rows(ask, found, fields, last), "trail": trail(ask, found)}
    extra["nowhere"] = nowhere(found, fields)
    extra |= {"alerts": of_thing(ask, found, entity, levels), "cases": cases_of(ask, found)}
    extra |= {"versions": versions_of(ask, found, entity, levels), **charts(ask, found, fields)}
    extra |= {"commands": commands_of(ask, found, entity), "form": form or Form(ask)}
    extra |= {"may_edit": ask.may("register", target(found, entity)), "personal": personal(ask, found, entity)}
    return Page("city/thing.html", data, extra=extra, status=status)


def nowhere(found: Thing, fields: dict[str, Kept]) -> bool:
    """Whether no map can show it: it has no place in the register, and none that it reports."""
    return found.point is None and not any(isinstance(field, Track) for field in fields.values())


def register_facts(ask: Ask, found: Thing, fields: dict[str, Kept]) -> list[dict[str, Any]]:
    """What the register says: heading, meaning, value, and where a reference leads."""
    rows = []
    for name, field in fields.items():
        if field.live:
            continue
        value = found.properties.get(name)
        row = {"label": label(ask.local, field), "doc": field.doc, "text": shown(ask, field, value), "url": ""}
        if isinstance(field, Ref) and isinstance(value, str):
            other = ask.hub.things.find(value)
            if other is not None:
                row |= {"text": other.name or other.id, "url": ask.url(f"/things/{other.type}/{other.id}")}
        if value is not None and not (isinstance(field, Place) and not value):
            rows.append(row)
    return rows


def now_rows(ask: Ask, found: Thing, fields: dict[str, Kept], last: dict[str, Last]) -> list[dict[str, Any]]:
    """The present values, each with its age, and with what is wrong with the newest reading where it is marked."""
    live = {name: field for name, field in fields.items() if field.live}
    spoilt = spoilt_since(ask, found, live, last) if live else {}
    rows = []
    for name, field in live.items():
        known = last.get(name)
        row = {"field": field, "label": label(ask.local, field), "doc": field.doc, "spoilt": spoilt.get(name)}
        row |= {"text": shown(ask, field, known.value) if known else "", "time": known.time if known else None}
        rows.append(row)
    return rows


def spoilt_since(ask: Ask, found: Thing, live: dict[str, Kept], last: dict[str, Last]) -> dict[str, dict[str, Any]]:
    """Field → the newest marked reading, where it came after the last good one and within the last day."""
    since = max(min((known.time for known in last.values()), default=0), ask.now - DAY)
    numbers = {ask.hub.things.attribute_of(field): name for name, field in live.items()}
    table = ask.hub.history.readings([found.idx], list(numbers), since + 1, limit=20_000, dedupe=False)
    columns = (table[name].to_pylist() for name in ("attr", "time", "value", "quality"))
    spoilt: dict[str, dict[str, Any]] = {}
    for attr, time, value, quality in zip(*columns, strict=True):
        name = numbers[attr]
        if quality and (name not in last or time > last[name].time):
            spoilt[name] = {"text": shown(ask, live[name], value), "time": time, "marks": marks(ask, quality)}
    return spoilt


def trail(ask: Ask, found: Thing) -> list[dict[str, str]]:
    """The areas the thing lies in, largest first, with its unit grid."""
    areas = [{"name": area_name(ask, area), "url": ask.url(f"/areas/{area}")} for area in found.areas]
    unit = ask.hub.things.lookup.at(*found.point).get(UNIT) if found.point and found.type != AREA else None
    return [*areas, {"name": area_name(ask, unit), "url": ask.url(f"/things/{AREA}/{unit}")}] if unit else areas


def charts(ask: Ask, found: Thing, fields: dict[str, Kept]) -> dict[str, Any]:
    """A chart for each live field over the period chosen."""
    chosen = period(ask)
    asked = {**chosen.query(ask), "purpose": ask.query("purpose")}
    base = f"/things/{found.type}/{found.id}/history"
    drawn = [
        {
            "name": name,
            "label": label(ask.local, field),
            "unit": symbol(field),
            "src": ask.url(f"{base}/{name}.json", **asked),
            "page": ask.url(f"{base}/{name}", **asked),
            "csv": ask.url(f"{base}/{name}.csv", **asked, bom=1),
            "geojson": ask.url(f"{base}/{name}.geojson", **asked) if isinstance(field, Track) else "",
            "track": way(ask, found, field, chosen) if isinstance(field, Track) else None,
        }
        for name, field in fields.items()
        if field.live
    ]
    begin, end = field_value(ask, chosen.start), field_value(ask, chosen.end)
    return {"charts": drawn, "period": chosen, "ranges": choices(ask, chosen), "begin": begin, "end": end}


def versions_of(ask: Ask, found: Thing, entity: type[Entity], levels: frozenset[str]) -> list[dict[str, Any]] | None:
    """Who changed what in the register, newest first; None for readers who do not work here."""
    if not WORKING & set(ask.actor.roles):
        return None
    query = select(thing_versions).where(thing_versions.c.idx == found.idx)
    with ask.hub.store.read() as conn:
        rows = conn.execute(query.order_by(thing_versions.c.version.desc()).limit(VERSIONS + 1)).all()
    told = []
    for row, before in zip(rows, [*rows[1:], None], strict=True):
        old = before.snapshot if before is not None else {}
        changes = differences(ask, entity, old, row.snapshot, levels) if old else []
        told.append({"version": row.version, "at": row.at, "actor": row.actor, "changes": changes})
    return told[:VERSIONS]


def differences(
    ask: Ask, entity: type[Entity], old: dict[str, Any], new: dict[str, Any], levels: frozenset[str]
) -> list[dict[str, str]]:
    """What one version changed, as far as this reader may see it."""
    own = {"name": "Known as", "state": "State", "owner": "Department"}
    found = [
        {"label": ask._(text), "old": str(old.get(key) or "–"), "new": str(new.get(key) or "–")}
        for key, text in own.items()
        if old.get(key) != new.get(key)
    ]
    before, after = old.get("properties") or {}, new.get("properties") or {}
    for name, field in fields_seen(entity, levels).items():
        if before.get(name) != after.get(name):
            texts = {"old": shown(ask, field, before.get(name)), "new": shown(ask, field, after.get(name))}
            found.append({"label": field_name(ask, field), **texts})
    if old.get("geometry") != new.get("geometry"):
        found.append({"label": ask._("place"), "old": "", "new": ask._("moved")})
    return found


def personal(ask: Ask, found: Thing, entity: type[Entity]) -> str:
    """Whether personal details are "shown", can be "asked" for by saying what for, or there are none: ""."""
    if not any(field.level == "sensitive" for field in entity.fields().values()):
        return ""
    if ask.query("purpose"):
        return "shown"
    return "asked" if decide(ask.actor, "see-personal", target(found, entity), "?").allowed else ""


routes = [thing]
