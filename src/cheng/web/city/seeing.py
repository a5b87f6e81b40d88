"""Who sees what of the register: types, things, and the fields of each."""

from collections.abc import Iterable
from typing import Any

from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Entity, Kept
from cheng.security.permissions import Target, reach
from cheng.security.seen import cleared, fields_seen, target
from cheng.standards.problems import Refused
from cheng.web.ask import Ask


def sees_all(ask: Ask, entity: type[Entity]) -> bool:
    """Whether no thing of the type is held back from this reader."""
    ways = reach(ask.actor, "see", "thing")
    return "any" in ways or (entity.public and "public" in ways)


def types_seen(ask: Ask) -> list[type[Entity]]:
    """The types of which this reader sees things, in the order of their applications."""
    ways = reach(ask.actor, "see", "thing")
    partly = ways - {"any", "public"}
    return [e for e in ask.hub.model.entities.values() if sees_all(ask, e) or partly]


def seen(ask: Ask, entity: type[Entity], things: Iterable[Thing]) -> Iterable[Thing]:
    """Those of the things that this reader may see."""
    if sees_all(ask, entity):
        return things
    return (thing for thing in things if ask.may("see", target(thing, entity)))


def entity_of(ask: Ask, name: str) -> type[Entity]:
    """The type of that name. Refused (404) when there is none, or none that this reader may know of."""
    entity: type[Entity] | None = ask.hub.model.entities.get(name)
    if entity is None or entity not in types_seen(ask):
        if entity is not None:
            ask.require("see", Target("thing", type=name, public=entity.public))
        raise Refused("no-type", "There is no type of things named {name}.", {"name": name[:80]}, status=404)
    return entity


def thing_of(ask: Ask, type_name: str, thing_id: str) -> tuple[Thing, type[Entity]]:
    """The thing with that id. Refused: 404 when there is none, 403 when it is not for this reader."""
    entity = entity_of(ask, type_name)
    thing: Thing | None = ask.hub.things.find(thing_id)
    if thing is None or thing.type != type_name:
        raise Refused("not-there", "There is no thing {id}.", {"id": thing_id[:80]}, status=404)
    ask.require("see", target(thing, entity))
    return thing, entity


def thing_at(ask: Ask, idx: int) -> tuple[Thing, type[Entity]]:
    """The thing of that index, by which maps know it. Refused: 404 when there is none, 403 when it is not for this
    reader."""
    things = ask.hub.things
    thing: Thing | None = things.by_idx[idx] if 0 <= idx < len(things) else None
    entity: type[Entity] | None = ask.hub.model.entities.get(thing.type) if thing is not None else None
    if thing is None or entity is None:
        raise Refused("not-there", "There is no thing {id}.", {"id": idx}, status=404)
    ask.require("see", target(thing, entity))
    return thing, entity


def field_of(ask: Ask, entity: type[Entity], name: str, levels: frozenset[str]) -> Kept:
    """A live field by name. Refused (404) when there is none that this reader may see."""
    field = fields_seen(entity, levels).get(name)
    if field is None or not field.live:
        raise Refused("no-field", "There is no field {name} with a history here.", {"name": name[:80]}, status=404)
    return field


def levels_of(ask: Ask) -> frozenset[str]:
    """The levels this reader has without saying what for."""
    return cleared(ask.actor)


def levels_for(ask: Ask, thing: Thing, entity: type[Entity]) -> frozenset[str]:
    """The levels this reader has for one thing: with `?purpose=` also personal details, and the audit knows.

    Refused (403) when a purpose is given by somebody who may not see them.
    """
    purpose = ask.query("purpose")
    if purpose:
        ask.require("see-personal", target(thing, entity), purpose)
    return cleared(ask.actor, personal=bool(purpose))


def area_name(ask: Ask, area: str) -> str:
    """What people call an area."""
    found: Any = ask.hub.things.find(area) if area else None
    return (found.name or found.id) if found else area


def owners(things: Iterable[Thing]) -> list[str]:
    """The departments that own some of the things."""
    return sorted({thing.owner for thing in things if thing.owner})
