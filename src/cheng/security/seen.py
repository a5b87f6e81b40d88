"""What a reader sees of a thing: which of its fields, and its present state as data."""

from typing import Any

from cheng.infrastructure.latest import Last
from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Entity, Kept
from cheng.security.actors import Actor
from cheng.security.permissions import Target
from cheng.standards.moments import iso

WORKING = {"officer", "leader", "dispatcher", "reviewer", "operator"}


def cleared(actor: Actor, personal: bool = False) -> frozenset[str]:
    """The levels this actor sees. Sensitive ones only after `require("see-personal", …)` said yes (`personal`)."""
    levels = {"public"}
    if WORKING & set(actor.roles):
        levels.add("internal")
    if personal:
        levels.add("sensitive")
    return frozenset(levels)


def target(thing: Thing, entity: type[Entity], kind: str = "thing") -> Target:
    """The thing, or an alert or command of it, as decisions want to know it."""
    return Target(kind, id=thing.id, department=thing.owner, type=thing.type, public=entity.public)


def fields_seen(entity: type[Entity], levels: frozenset[str]) -> dict[str, Kept]:
    """The fields whose level a reader has."""
    return {name: field for name, field in entity.fields().items() if field.level in levels}


def state_of(thing: Thing, fields: dict[str, Kept], last: dict[str, Last], zone: Any) -> dict[str, Any]:
    """The thing as data: what the register says of it and its last good values, times in the city's zone."""
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if field.live:
            known = last.get(name)
            told = {"value": None, "time": None} if known is None else {"value": known[0], "time": iso(known[1], zone)}
            values[name] = told | ({"unit": field.unit} if hasattr(field, "unit") else {})
    return {
        "id": thing.id,
        "type": thing.type,
        "name": thing.name,
        "state": thing.state,
        "owner": thing.owner,
        "areas": thing.areas,
        "geometry": thing.geometry,
        "version": thing.version,
        "properties": {name: thing.properties.get(name) for name, field in fields.items() if not field.live},
        "values": values,
    }
