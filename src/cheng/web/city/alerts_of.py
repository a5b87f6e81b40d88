"""Alerts and cases of a thing or a rule, as lists of plain rows with their sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from cheng.infrastructure.alert_things import about, plain_rule
from cheng.infrastructure.case_lists import Filters, Order
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.tables import alerts, things
from cheng.kernel.entities import Entity
from cheng.security.permissions import Target, reach
from cheng.security.seen import target
from cheng.web.ask import Ask
from cheng.web.city.words import alert_text, title

STANDING = and_(alerts.c.cleared.is_(None), alerts.c.withdrawn_at.is_(None))
EVERY_STATE = ("open", "suspended", "closed", "merged", "void")


def alert_row(ask: Ask, row: Mapping[str, Any], levels: frozenset[str]) -> dict[str, Any]:
    """One alert for a list."""
    rule = ask.hub.model.rules.get(row["rule"])
    state = "withdrawn" if row["withdrawn_at"] is not None else "over" if row["cleared"] is not None else row["state"]
    return {
        "number": row["number"],
        "text": alert_text(ask, rule, row["message_values"], levels),
        "level": row["level"],
        "state": state,
        "raised": row["raised"],
        "cleared": row["cleared"],
        "rule": row["rule"],
        "rule_name": title(ask, rule) if rule else row["rule"],
        "thing": row["thing_id"],
    }


def of_thing(ask: Ask, thing: Thing, entity: type[Entity], levels: frozenset[str], limit: int = 20) -> list[Any] | None:
    """The newest alerts of a thing; None when this reader may not see them."""
    if not ask.may("see", target(thing, entity, "alert")):
        return None
    query = select(alerts).where(about(thing.idx)).order_by(alerts.c.raised.desc()).limit(limit)
    with ask.hub.store.read() as conn:
        return [alert_row(ask, dict(row), levels) for row in conn.execute(query).mappings()]


def spans(ask: Ask, thing: Thing, rules: Sequence[str], start: int, end: int) -> list[dict[str, Any]]:
    """From when to when alerts of these rules stood for a thing, as far as they touch [start, end)."""
    over = or_(alerts.c.cleared.is_(None), alerts.c.cleared > start)
    query = select(alerts).where(about(thing.idx), plain_rule.in_(rules), alerts.c.onset < end, over)
    query = query.where(alerts.c.withdrawn_at.is_(None)).order_by(alerts.c.onset).limit(500)
    with ask.hub.store.read() as conn:
        return [dict(row) for row in conn.execute(query).mappings()]


def of_rule(ask: Ask, rule: str, levels: frozenset[str], limit: int = 20) -> list[dict[str, Any]]:
    """The newest alerts of a rule that this reader may see."""
    query = select(alerts, things.c.owner, things.c.type).outerjoin(things, things.c.idx == alerts.c.thing)
    query = query.where(alerts.c.rule == rule, *mine(ask)).order_by(alerts.c.raised.desc()).limit(limit * 5)
    with ask.hub.store.read() as conn:
        rows = [dict(row) for row in conn.execute(query).mappings()]
    kept = [row for row in rows if ask.may("see", alert_target(ask, row))]
    return [{**alert_row(ask, row, levels), "url": thing_url(ask, row)} for row in kept[:limit]]


def alert_target(ask: Ask, row: Mapping[str, Any]) -> Target:
    entity = ask.hub.model.entities.get(row["type"] or "")
    public = bool(entity is not None and entity.public)
    return Target("alert", id=str(row["number"]), department=row["owner"] or "", public=public)


def thing_url(ask: Ask, row: Mapping[str, Any]) -> str:
    return ask.url(f"/things/{row['type']}/{row['thing_id']}") if row["thing_id"] and row["type"] else ""


def alert_url(ask: Ask, number: int) -> str:
    """The page of an alert; "" for readers who have none."""
    return ask.url(f"/desk/alerts/{number}") if ask.may("enter", "desk") or ask.may("enter", "console") else ""


def counts_by_rule(ask: Ask, since: int) -> dict[str, int]:
    """How many alerts each rule has raised since then; those withdrawn do not count."""
    query = select(alerts.c.rule, func.count()).where(alerts.c.raised >= since, alerts.c.withdrawn_at.is_(None))
    with ask.hub.store.read() as conn:
        return {rule: count for rule, count in conn.execute(query.group_by(alerts.c.rule))}


def standing_by_type(ask: Ask) -> dict[str, int]:
    """How many alerts stand for each type of thing."""
    query = select(things.c.type, func.count()).join(alerts, alerts.c.thing == things.c.idx).where(STANDING, *mine(ask))
    with ask.hub.store.read() as conn:
        return {name: count for name, count in conn.execute(query.group_by(things.c.type))}


def mine(ask: Ask) -> list[ColumnElement[bool]]:
    """What cuts a query of alerts and their things down to those that this reader's department may see."""
    ways = reach(ask.actor, "see", "alert")
    return [things.c.owner == ask.actor.department] if "own department" in ways and "any" not in ways else []


def standing_by_area(ask: Ask) -> dict[str, int]:
    """How many alerts stand in each area, the smallest that each lies in; those without one under ""."""
    query = select(func.coalesce(alerts.c.area, ""), func.count()).where(STANDING, *seen_here(ask))
    query = query.outerjoin(things, things.c.idx == alerts.c.thing).group_by(alerts.c.area)
    with ask.hub.store.read() as conn:
        return {area: count for area, count in conn.execute(query)}


def of_areas(ask: Ask, areas: Sequence[str] | None, levels: frozenset[str], limit: int = 12) -> list[dict[str, Any]]:
    """The newest standing alerts in these areas, or anywhere, that this reader may see."""
    query = select(alerts, things.c.owner, things.c.type).outerjoin(things, things.c.idx == alerts.c.thing)
    query = query.where(STANDING, *seen_here(ask)).order_by(alerts.c.raised.desc())
    if areas is not None:
        query = query.where(alerts.c.area.in_(areas))
    with ask.hub.store.read() as conn:
        rows = [dict(row) for row in conn.execute(query.limit(limit)).mappings()]
    return [{**alert_row(ask, row, levels), "url": thing_url(ask, row)} for row in rows]


def seen_here(ask: Ask) -> list[ColumnElement[bool]]:
    """What cuts a query of alerts and their things down to those that this reader may see."""
    ways = reach(ask.actor, "see", "alert")
    if "any" in ways:
        return []
    public = [name for name, entity in ask.hub.model.entities.items() if entity.public]
    own = things.c.owner == ask.actor.department if "own department" in ways else false()
    return [or_(own, things.c.type.in_(public) if "public" in ways else false())]


def standing_of(ask: Ask, idxs: Sequence[int]) -> dict[int, int]:
    """How many alerts stand for each of these things."""
    query = select(alerts.c.thing, func.count()).where(STANDING).group_by(alerts.c.thing)
    if len(idxs) <= 500:
        query = query.where(alerts.c.thing.in_(idxs))
    with ask.hub.store.read() as conn:
        return {thing: count for thing, count in conn.execute(query)}


def cases_of(ask: Ask, thing: Thing, limit: int = 10) -> list[dict[str, Any]]:
    """The newest cases of a thing that this reader may see."""
    return case_rows(ask, Filters(thing_id=thing.id, states=EVERY_STATE), "newest", limit)


def case_rows(ask: Ask, filters: Filters, order: Order, limit: int) -> list[dict[str, Any]]:
    """Cases in order, as far as this reader may see them."""
    found = ask.hub.cases.list(filters, order, limit * 2)
    rows = []
    for entry in found.entries:
        flow = ask.hub.model.flows.get(entry.flow)
        whose = entry.departments[0] if entry.departments else ""
        if ask.may("see", Target("case", entry.number, whose, assignee=entry.assignee, reporter=entry.reporter)):
            light = entry.light(ask.now)
            row = {
                "number": entry.number,
                "flow": entry.flow,
                "title": title(ask, flow) if flow else entry.flow,
                "state": entry.state,
                "light": light,
            }
            url = ask.url(f"/desk/cases/{entry.number}")
            rows.append({**row, "step": entry.step, "opened": entry.opened, "due": entry.due, "url": url})
    return rows[:limit]
