"""What exists: the types of things with how many there are, and the list of each type."""

from collections.abc import Iterator, Sequence
from typing import Any

from cheng.infrastructure.latest import heard, last_values, newest
from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Choice, Entity, Kept, Quantity
from cheng.security.permissions import Target
from cheng.security.seen import fields_seen, target
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import standing_by_type, standing_of
from cheng.web.city.seeing import area_name, entity_of, levels_of, owners, seen, sees_all, types_seen
from cheng.web.city.words import STATES, label, symbol, title
from cheng.web.pages import Column, Page, get

TYPES = (
    Column("title", "Things"),
    Column("does", "What they are"),
    Column("app", "Application"),
    Column("count", "How many", "number"),
    Column("heard", "Last heard", "ago"),
    Column("alerts", "Standing alerts", "number"),
)
OWN = (Column("id", "Id"), Column("name", "Known as"))
ROUND = (
    Column("area_name", "Area"),
    Column("owner", "Department"),
    Column("register_state", "State"),
    Column("last_heard", "Last heard", "ago"),
    Column("open_alerts", "Alerts", "number"),
)
IN_USE = ("registered", "active")
SEARCHED = 300_000
"""Things looked through for one page at the most."""


@get("/things", needs=("see", "thing"), entry="Things", order=10)
def types(ask: Ask) -> Page:
    """Every type of thing with how many are in use, when one was last heard, and what stands out."""
    standing = standing_by_type(ask) if ask.may("see", "alert") else {}
    rows = [type_row(ask, entity, standing) for entity in types_seen(ask)]
    return Page("city/types.html", {"types": rows}, rows="types", columns=TYPES, keep=("url", "type", "family"))


def type_row(ask: Ask, entity: type[Entity], standing: dict[str, int]) -> dict[str, Any]:
    """One line of the list of types."""
    name = entity.__name__
    in_use = sum(1 for thing in seen(ask, entity, ask.hub.things.of_type(name)) if thing.state in IN_USE)
    return {
        "type": name,
        "title": title(ask, entity),
        "does": ask._(entity.sentence()),
        "app": title(ask, entity.app),
        "family": getattr(entity.app, "family", ""),
        "count": in_use,
        "heard": newest(ask.hub, entity) if sees_all(ask, entity) else None,
        "alerts": standing.get(name, 0),
        "url": ask.url(f"/things/{name}"),
    }


@get("/things/{type_name:str}", needs=("see", "thing"))
def things(ask: Ask, type_name: str) -> Page:
    """All things of a type: their register fields and last values, by area, department, state and text."""
    entity = entity_of(ask, type_name)
    levels = levels_of(ask)
    limit, after = ask.limit(50, 500), ask.whole("after", -1, -1)
    everything = ask.hub.things.of_type(type_name)
    found = list(matching(ask, entity, everything[after + 1 :], levels, limit + 1))
    chosen = found[:limit]
    rows = thing_rows(ask, entity, chosen, levels)
    data = {"type": type_name, "title": title(ask, entity), "total": len(everything), "things": rows}
    data["next"] = chosen[-1].slot if len(found) > limit else None
    may_register = ask.may("register", Target("thing", type=type_name, department=ask.actor.department))
    extra = {"entity": entity, "may_register": may_register, **filters(ask, everything)}
    keep = ("url", "geometry", "times")
    columns = columns_of(ask, entity)
    return Page("city/things.html", data, rows="things", columns=columns, keep=keep, extra=extra, fragment="list")


def filters(ask: Ask, everything: Sequence[Thing]) -> dict[str, Any]:
    """What can be chosen above the list."""
    areas = [a for a in ask.hub.things.of_type("Area") if a.properties.get("level") in ("district", "street")]
    named = sorted(((a.id, a.name or a.id) for a in areas), key=lambda pair: pair[1])
    return {
        "areas": [("", ask._("All areas")), *named[:300]],
        "owners": [("", ask._("All departments")), *((name, ask._(name)) for name in owners(everything)[:200])],
        "states": [("", ask._("In use")), ("any", ask._("All")), *((k, ask._(text)) for k, text in STATES.items())],
    }


def matching(
    ask: Ask, entity: type[Entity], things: Sequence[Thing], levels: frozenset[str], limit: int
) -> Iterator[Thing]:
    """The first things that fit the filters of the address and that this reader may see."""
    area, owner, text = ask.query("area"), ask.query("owner"), ask.query("q").casefold()
    state = ask.choice("state", ("any", *STATES))
    names = list(fields_seen(entity, levels))
    left = limit
    for thing in seen(ask, entity, things[:SEARCHED]):
        if area and area not in thing.areas:
            continue
        if owner and thing.owner != owner:
            continue
        if state != "any" and (thing.state != state if state else thing.state not in IN_USE):
            continue
        if text and not any(text in word.casefold() for word in words(thing, names)):
            continue
        yield thing
        left -= 1
        if not left:
            return


def words(thing: Thing, names: Sequence[str]) -> Iterator[str]:
    """What a search looks into: id, name and the register's words that this reader may see."""
    yield thing.id
    yield thing.name
    for name in names:
        value = thing.properties.get(name)
        if isinstance(value, str):
            yield value


def columns_of(ask: Ask, entity: type[Entity]) -> list[Column]:
    """Id and name, the entity's own fields, and what every thing has."""
    fields = [column_of(ask, field) for field in entity.fields().values() if field.scalar or field.level != "sensitive"]
    return [*OWN, *(column for column in fields if column is not None), *ROUND]


def column_of(ask: Ask, field: Kept) -> Column | None:
    """The column of a field; None for those that no cell can hold."""
    if not field.scalar and type(field).__name__ in ("Place", "Track"):
        return None
    kind = "number" if isinstance(field, Quantity) else ""
    return Column(field.name, label(ask.local, field), kind, field.level, unit=symbol(field))


def thing_rows(ask: Ask, entity: type[Entity], chosen: Sequence[Thing], levels: frozenset[str]) -> list[dict[str, Any]]:
    """The lines of the list."""
    standing = standing_of(ask, [thing.idx for thing in chosen]) if chosen and ask.may("see", "alert") else {}
    fields = {name: field for name, field in entity.fields().items() if field.level in levels}
    rows = []
    for thing in chosen:
        row: dict[str, Any] = {name: told(ask, field, thing.properties.get(name)) for name, field in fields.items()}
        row |= {name: told(ask, fields[name], last.value) for name, last in last_values(ask.hub, thing, fields).items()}
        row |= {
            "id": thing.id,
            "name": thing.name,
            "area_name": area_name(ask, thing.areas[-1]) if thing.areas else "",
            "owner": department(ask, thing.owner),
            "register_state": ask._(STATES.get(thing.state, thing.state)),
            "last_heard": heard(ask.hub, thing),
            "open_alerts": standing.get(thing.idx, 0) if ask.may("see", target(thing, entity, "alert")) else None,
            "geometry": thing.geometry,
            "url": ask.url(f"/things/{thing.type}/{thing.id}"),
        }
        rows.append(row)
    return rows


def department(ask: Ask, owner: str) -> str:
    """A department's name: in the reader's language on the page, as it is kept in files."""
    return ask._(owner) if owner and ask.representation == "html" else owner


def told(ask: Ask, field: Kept, value: Any) -> Any:
    """A value for a cell: labels in the reader's language on the page, as they are declared in files."""
    if isinstance(field, Choice) and isinstance(value, str) and ask.representation == "html":
        return ask._(value)
    return value


routes = [types, things]
