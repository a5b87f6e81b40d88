"""Is it one of these? Open public cases of the same class near a place, before another one is opened."""

import math
from typing import Any

from sqlalchemy import select

from cheng.infrastructure.tables import cases
from cheng.web.pages import Ask
from cheng.web.portal.kinds import Kind
from cheng.web.portal.snapshots import Place

AROUND = 150.0
"""Metres within which it may be the same."""
MOST = 5
METRES_PER_DEGREE = 111_320.0


def alike(ask: Ask, kind: Kind, place: Place) -> list[dict[str, Any]]:
    """What may be the same, nearest first. (By class and place alone.)"""
    north = AROUND / METRES_PER_DEGREE
    east = north / max(math.cos(math.radians(place[1])), 0.01)
    query = (
        select(cases)
        .where(cases.c.state.in_(("open", "suspended")), cases.c.class_code == kind.code)  # what an index has
        .where(cases.c.parent.is_(None))
        .where(cases.c.longitude.between(place[0] - east, place[0] + east))
        .where(cases.c.latitude.between(place[1] - north, place[1] + north))
    )
    with ask.hub.store.read() as conn:
        rows = [dict(row) for row in conn.execute(query).mappings() if row["flow"] == kind.flow]
    told = [(metres(place, (row["longitude"], row["latitude"])), row) for row in rows]
    return [seen(kind, away, row) for away, row in sorted(told, key=lambda one: one[0])[:MOST] if away <= AROUND]


def seen(kind: Kind, away: float, row: dict[str, Any]) -> dict[str, Any]:
    """As much of a case as anybody may know. The distance is told in steps, as is the place of every public case."""
    return {
        "number": row["number"],
        "name": kind.name,
        "street": str(row["title_values"].get("street") or ""),
        "opened": row["opened"],
        "metres": max(50, round(away / 50) * 50),
    }


def metres(one: Place, other: Place) -> float:
    """How far two places are apart that are near each other."""
    east = (one[0] - other[0]) * math.cos(math.radians(one[1]))
    return math.hypot(east, one[1] - other[1]) * METRES_PER_DEGREE
