"""An hour of the past as the wall plays it: what stood from when to when, and where what moves has been."""

from typing import Any

import numpy as np
from sqlalchemy import or_, select

from cheng.infrastructure.tables import alerts, things
from cheng.kernel.entities import Entity, Kept, Track
from cheng.security.seen import cleared, fields_seen
from cheng.standards.durations import hours, seconds
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import alert_row, seen_here, thing_url
from cheng.web.city.periods import moment
from cheng.web.city.seeing import levels_of, seen, types_seen
from cheng.web.pages import Page, get

HOUR = hours(1).us
STEP = seconds(20).us
"""Between two positions that are told."""
ALERTS, MOVING = 5_000, 2_000
"""The most of an hour: alerts, and things of one type."""


@get("/dashboard/replay", needs=("enter", "dashboard"))
def replay(ask: Ask) -> Page:
    """The hour that begins `at` (the last one without it); its `.json` is what the wall plays, times in ms UTC."""
    start = moment(ask, "at") or ask.now - HOUR
    if start >= ask.now:
        raise Refused("not-yet", "That hour has not come yet.", status=400)
    end = min(start + HOUR, ask.now)
    data: dict[str, Any] = {"from": start // 1000, "to": end // 1000}
    data |= {"alerts": stood(ask, start, end), "moving": moved(ask, start, end)}
    return Page("dashboard/replay.html", data, extra={"start": start, "end": end})


def stood(ask: Ask, start: int, end: int) -> list[dict[str, Any]]:
    """The alerts that stood in [start, end), with the place of their thing."""
    over = or_(alerts.c.cleared.is_(None), alerts.c.cleared > start)
    query = select(alerts, things.c.owner, things.c.type).outerjoin(things, things.c.idx == alerts.c.thing)
    query = query.where(alerts.c.onset < end, over, alerts.c.withdrawn_at.is_(None), *seen_here(ask))
    with ask.hub.store.read() as conn:
        rows = [dict(row) for row in conn.execute(query.order_by(alerts.c.onset.desc()).limit(ALERTS)).mappings()]
    levels = cleared(ask.actor)
    return [stretch(ask, row, levels) for row in reversed(rows)]


def stretch(ask: Ask, row: dict[str, Any], levels: frozenset[str]) -> dict[str, Any]:
    """One alert: from when to when, where, and what it says."""
    thing = ask.hub.things.find(row["thing_id"]) if row["thing_id"] else None
    told = alert_row(ask, row, levels)
    return {
        "from": row["onset"] // 1000,
        "to": row["cleared"] // 1000 if row["cleared"] else None,
        "level": row["level"],
        "text": told["text"],
        "place": list(thing.point) if thing is not None and thing.point is not None else None,
        "url": thing_url(ask, row),
    }


def moved(ask: Ask, start: int, end: int) -> list[dict[str, Any]]:
    """For each type with a position that moves: where its things were, a point every 20 seconds at the most."""
    found = []
    for entity in types_seen(ask):
        tracks = [field for field in fields_seen(entity, levels_of(ask)).values() if isinstance(field, Track)]
        if tracks:
            found.append({"type": entity.__name__, "things": ways(ask, entity, tracks[0], start, end)})
    return found


def ways(ask: Ask, entity: type[Entity], field: Kept, start: int, end: int) -> list[dict[str, Any]]:
    """The ways of a type's things; points are [ms, longitude, latitude]."""
    hub = ask.hub
    mine = {thing.idx: thing for thing in list(seen(ask, entity, hub.things.of_type(entity.__name__)))[:MOVING]}
    table = hub.history.readings(list(mine), [hub.things.attribute_of(field)], start, end, good_only=True)
    thing, time, lon, lat = (np.asarray(table[name]) for name in ("thing", "time", "value", "latitude"))
    step, found = time // STEP, np.ones(len(time), np.bool_)
    found[1:] = (thing[1:] != thing[:-1]) | (step[1:] != step[:-1])
    rows: dict[int, list[list[float]]] = {}
    for one, at, x, y in zip(*(column[found].tolist() for column in (thing, time, lon, lat)), strict=True):
        rows.setdefault(one, []).append([at // 1000, round(x, 6), round(y, 6)])
    return [{"id": mine[one].id, "name": mine[one].name, "points": points} for one, points in rows.items()]


routes = [replay]
