"""The last good values of things, from the memory of the judging: no question to the store or the history."""

import math
from typing import Any, NamedTuple

from cheng.infrastructure.registration import Thing
from cheng.kernel.columns import NEVER
from cheng.kernel.entities import Choice, Entity, Kept, Track


class Last(NamedTuple):
    """A value and when it was measured."""

    value: Any
    """a number, a label, or longitude and latitude"""
    time: int


def last_values(hub: Any, thing: Thing, fields: dict[str, Kept]) -> dict[str, Last]:
    """The last good value of each live field that has reported."""
    judge = hub.judges.by_type.get(thing.type)
    found: dict[str, Last] = {}
    if judge is None:
        return found
    numbers, now = judge.register.columns(), judge.now
    for name, field in fields.items():
        if not field.live or thing.slot >= now.value.shape[1]:
            continue
        at = (numbers[name], thing.slot)
        value, time = float(now.value[at]), int(now.time[at])
        if time > NEVER and not math.isnan(value):
            found[name] = Last(readable(hub, field, value, float(now.latitude[at])), time)
    return found


def readable(hub: Any, field: Kept, value: float, latitude: float = math.nan) -> Any:
    """A stored number as what it stands for: a label, a position, or itself."""
    if isinstance(field, Choice):
        return hub.things.label(field, value)
    if isinstance(field, Track):
        return (value, latitude)
    return value


def newest(hub: Any, entity: type[Entity]) -> int | None:
    """When any thing of the type was heard for the last time; None for never."""
    judge = hub.judges.by_type.get(entity.__name__)
    time = NEVER if judge is None else int(judge.now.time.max(initial=NEVER))
    return time if time > NEVER else None


def heard(hub: Any, thing: Thing) -> int | None:
    """When a thing was heard for the last time; None for never."""
    judge = hub.judges.by_type.get(thing.type)
    if judge is None or thing.slot >= judge.now.time.shape[1]:
        return None
    time = int(judge.now.time[:, thing.slot].max(initial=NEVER))
    return time if time > NEVER else None
