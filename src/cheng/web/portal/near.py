"""Is it one of these? Open public cases of the same class near a place, before another one is opened."""

from typing import Any

from cheng.infrastructure.duplicates import Near
from cheng.web.pages import Ask
from cheng.web.portal.kinds import Kind
from cheng.web.portal.snapshots import Place


def alike(ask: Ask, kind: Kind, place: Place) -> list[dict[str, Any]]:
    """What may be the same, nearest first."""
    return [seen(kind, near) for near in ask.hub.duplicates.is_it_one_of_these(place, kind.code, kind.flow)]


def seen(kind: Kind, near: Near) -> dict[str, Any]:
    """As much of a case as anybody may know. The distance is told in steps, as is the place of every public case."""
    return {
        "number": near.number,
        "name": kind.name,
        "street": near.street,
        "opened": near.opened,
        "metres": max(50, round(near.away / 50) * 50),
    }
