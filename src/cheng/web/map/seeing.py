"""What a reader sees on the map: things of a type without those, uncounted, that they may not see, and without the
alerts they may not know of."""

from typing import Any

import numpy as np

from cheng.infrastructure.live_map import Spots
from cheng.kernel.columns import Bools
from cheng.kernel.entities import Entity, Track
from cheng.security.permissions import OWN_DEPARTMENT, reach
from cheng.security.seen import cleared, fields_seen, target
from cheng.web.ask import Ask

CROWD = 10_000
"""Things that move are drawn one by one, up to so many at any zoom."""
APART = 13
"""The zoom from which on all that move are drawn one by one."""


def track_of(ask: Ask, entity: type[Entity]) -> str:
    """The field by which things of the type move; "" where there is none, or none that this reader may see."""
    fields = fields_seen(entity, cleared(ask.actor))
    return next((name for name, field in fields.items() if isinstance(field, Track) and field.live), "")


def spots_seen(ask: Ask, entity: type[Entity], box: tuple[float, float, float, float] | None = None) -> Spots:
    """The things of the type that this reader may see, where they are now, with the alerts they may know of; of a `box`
    only those between its west, north, east and south edge on the square of `methods.tiles`."""
    spots: Spots = ask.hub.live_map.spots(entity.__name__, track_of(ask, entity))
    spots = spots if box is None else spots.within(box)
    visible = allowed(ask, entity, "thing", spots)
    spots = spots if visible.all() else spots.take(visible)
    heard = allowed(ask, entity, "alert", spots)
    return spots if heard.all() else spots.silent(heard)


def crowded(ask: Ask, entity: type[Entity]) -> bool:
    """Whether so many things of a type move that far out they only glow."""
    return track_of(ask, entity) != "" and ask.hub.things.register(entity.__name__).size() > CROWD


def sees_whole(ask: Ask, entity: type[Entity]) -> bool:
    """Whether the reader sees every thing of the type and may know of all its alerts."""
    return all(unlimited(ask, entity, kind) for kind in ("thing", "alert"))


def unlimited(ask: Ask, entity: type[Entity], kind: str) -> bool:
    ways = reach(ask.actor, "see", kind)
    return "any" in ways or ("public" in ways and entity.public)


def allowed(ask: Ask, entity: type[Entity], kind: str, spots: Spots) -> Bools:
    """(n,) whether the reader may see each thing, or its alerts."""
    if unlimited(ask, entity, kind):
        return np.ones(len(spots.idx), np.bool_)
    rest = reach(ask.actor, "see", kind) - {"any", "public"}
    if not rest:
        return np.zeros(len(spots.idx), np.bool_)
    if rest == {OWN_DEPARTMENT.name}:
        mine: Bools = (spots.owner == ask.actor.department) & (ask.actor.department != "")
        return mine.astype(np.bool_)
    things: list[Any] = ask.hub.things.by_idx
    return np.array([ask.may("see", target(things[idx], entity, kind)) for idx in spots.idx.tolist()], np.bool_)
