"""What a thing is, and the checks it has to pass before it is registered."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from cheng.kernel.entities import Choice, Entity, Kept, Place, Quantity
from cheng.kernel.specs import did_you_mean
from cheng.standards.places import from_geojson, plain_point, representative_point
from cheng.standards.problems import InputError

UNKNOWN = ""
"""The type of things that reported without being registered."""


STATES = ("registered", "active", "retired")
"""States that somebody may set; `unknown` is for things that nobody registered."""


class Thing(msgspec.Struct, gc=False):
    """One registered thing; `areas` are the ids of the areas it lies in, largest first."""

    idx: int
    id: str
    type: str
    name: str = ""
    state: str = "registered"
    owner: str = ""
    properties: dict[str, Any] = {}
    point: tuple[float, float] | None = None
    """longitude and latitude of a point that surely lies in it, WGS 84"""
    shape: str | None = None
    """its place as GeoJSON text, where it is more than the point: a city has a million things, and most are points"""
    areas: list[str] = []
    version: int = 1
    registered: int = 0
    """microseconds UTC of the first registration"""
    slot: int = 0
    """its place among the things of its type"""

    @property
    def geometry(self) -> dict[str, Any] | None:
        """Its place as GeoJSON, WGS 84."""
        if self.shape is not None:
            shape: dict[str, Any] = msgspec.json.decode(self.shape)
            return shape
        return None if self.point is None else {"type": "Point", "coordinates": list(self.point)}


class NewThing(msgspec.Struct):
    """A thing as somebody registers it; empty blanks keep what is known."""

    id: str
    type: str
    name: str = ""
    owner: str = ""
    properties: dict[str, Any] = {}
    geometry: dict[str, Any] | None = None
    state: str = "active"
    line: int | None = None


@dataclass
class Outcome:
    """What became of a load."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[InputError] = field(default_factory=list)


def checked(row: NewThing, entities: Mapping[str, type[Entity]], old: Thing | None, now: int) -> Thing:
    """The thing that a row asks for, on top of what is known of it; InputError with the reason if it cannot be."""
    entity = entities.get(row.type)
    if entity is None:
        hint = did_you_mean(row.type, list(entities))
        raise InputError("unknown-type", f"there is no type '{row.type}'; {hint}", row.line)
    if not row.id or len(row.id) > 200 or any(c in row.id for c in "+#\x00/ "):
        reason = f"'{row.id[:40]}' cannot be an id; use up to 200 letters, digits, dots, colons or dashes"
        raise InputError("bad-id", reason, row.line)
    if row.state not in STATES:
        hint = did_you_mean(row.state, list(STATES))
        raise InputError("unknown-state", f"'{row.state[:40]}' is no state of a thing; {hint}", row.line)
    if "\x00" in row.name + row.owner:
        raise InputError("bad-text", "its name or owner holds a character that is no text (NUL)", row.line)
    if old is not None and old.type not in (row.type, UNKNOWN):
        raise InputError("other-type", f"'{row.id}' is registered as {old.type} already", row.line)
    properties = dict(old.properties) if old else {}
    fields = fixed_of(entity)  # type: ignore[arg-type]  # mypy takes the hash of its instances for its own
    for name, value in row.properties.items():
        properties[name] = property_value(entity, fields, name, value, row.line)
    place = (old.point, old.shape) if old and same_place(row, old) else None
    if place is None:
        if row.geometry is not None:
            check_place(row.geometry, "", row.line)
        place = placed(row.geometry)
    owner = row.owner or (old.owner if old else "") or str(entity.app.owner)  # type: ignore[attr-defined]  # an App
    name = row.name or (old.name if old else "")
    areas = old.areas if old else []
    return Thing(0, row.id, row.type, name, row.state, owner, properties, *place, areas, registered=now)


@lru_cache(maxsize=1_024)
def fixed_of(entity: type[Entity]) -> Mapping[str, Kept]:
    """The register fields of a type; a million rows ask for the same ten."""
    return entity.fixed()


def same_place(row: NewThing, old: Thing) -> bool:
    """Whether a row says nothing new about the place of a thing; most rows of areas that are loaded again do not."""
    return row.geometry is None or (old.shape is not None and msgspec.json.encode(row.geometry).decode() == old.shape)


def placed(geometry: dict[str, Any] | None) -> tuple[tuple[float, float] | None, str | None]:
    """`point` and `shape` of a thing with this place."""
    point = representative_point(geometry)
    if geometry is None or geometry == {"type": "Point", "coordinates": list(point or ())}:
        return point, None
    return point, msgspec.json.encode(geometry).decode()


def check_place(geometry: dict[str, Any], name: str, line: int | None) -> None:
    """InputError when GeoJSON is no place on the earth; `name` is the field that holds it."""
    if plain_point(geometry):
        return
    try:
        from_geojson(geometry)
    except ValueError as error:
        raise InputError("bad-geometry", f"'{name}': {error}" if name else f"{error}", line) from error


def property_value(entity: type[Entity], fields: Mapping[str, Kept], name: str, value: Any, line: int | None) -> Any:
    """A register value as its field wants it; InputError with what was expected."""
    field = fields.get(name)
    if field is None:
        known = did_you_mean(name, list(fields))
        raise InputError("unknown-field", f"{entity.__name__} has no register field '{name}'; {known}", line)
    if isinstance(field, Quantity):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            reason = f"'{name}' is {str(value)[:80]!r}, a number in {field.unit} is wanted"
            raise InputError("not-a-number", reason, line)
        if not (field.low is None or number >= field.low) or not (field.high is None or number <= field.high):
            reason = f"'{name}' is {number:g}, it has to lie between {field.low} and {field.high} {field.unit}"
            raise InputError("out-of-range", reason, line)
        return number
    if isinstance(field, Choice) and str(value) not in field.options:
        reason = f"'{name}' is '{value}'; it has to be one of {', '.join(field.options)}"
        raise InputError("unknown-label", reason, line)
    if isinstance(field, Place):
        if not isinstance(value, dict):
            raise InputError("bad-geometry", f"'{name}' has to be a GeoJSON geometry", line)
        check_place(value, name, line)
        return value
    if "\x00" in str(value):
        raise InputError("bad-text", f"'{name}' holds a character that is no text (NUL)", line)
    return str(value)


def differs(old: Thing, new: Thing) -> bool:
    names = ("type", "name", "state", "owner", "properties", "geometry")
    return any(getattr(old, name) != getattr(new, name) for name in names)


def snapshot(thing: Thing) -> dict[str, Any]:
    return {
        "id": thing.id,
        "type": thing.type,
        "name": thing.name,
        "state": thing.state,
        "owner": thing.owner,
        "properties": thing.properties,
        "geometry": thing.geometry,
        "areas": thing.areas,
    }


def row_of(thing: Thing, now: int) -> dict[str, Any]:
    return {**snapshot(thing), "idx": thing.idx, "version": thing.version, "changed": now}
