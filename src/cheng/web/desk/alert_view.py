"""What an alert says: its sentence, the readings behind it, and all that was said about it since."""

import math
from typing import Any

from cheng.infrastructure.alert_lists import AlertEntry, Notice
from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Choice
from cheng.kernel.rules import Rule
from cheng.security.seen import cleared
from cheng.web.city.seeing import area_name
from cheng.web.city.words import alert_text, condition, label, name_of, shown, span
from cheng.web.desk import words
from cheng.web.pages import Ask

TITLES = {
    "raised": "Raised",
    "moved": "Began or ended at another moment",
    "withdrawn": "Withdrawn: there was nothing after all",
    "cleared": "Over",
    "acknowledged": "Acknowledged",
    "shelved": "Shelved",
    "unshelved": "Heard again",
}
ICONS = {"raised": "bell", "cleared": "check", "withdrawn": "cross", "acknowledged": "person", "shelved": "pause"}
COLOURS = {"raised": "danger", "cleared": "good"}


def rule_of(ask: Ask, alert: AlertEntry) -> type[Rule] | None:
    found: type[Rule] | None = ask.hub.model.rules.get(alert.rule)
    return found


def thing_of(ask: Ask, alert: AlertEntry) -> Thing | None:
    found: Thing | None = ask.hub.things.find(alert.thing_id) if alert.thing_id else None
    return found


def thing_url(ask: Ask, thing: Thing | None) -> str:
    """The page of a thing; "" when it has no type that is known."""
    return ask.url(f"/things/{thing.type}/{thing.id}") if thing and thing.type in ask.hub.model.entities else ""


def alert_row(ask: Ask, alert: AlertEntry, people: dict[str, str]) -> dict[str, Any]:
    """An alert as a row of a list."""
    rule, thing = rule_of(ask, alert), thing_of(ask, alert)
    state = alert.standing(ask.now)
    return {
        "number": alert.number,
        "id": alert.id,
        "text": alert_text(ask, rule, alert.values, cleared(ask.actor)),
        "level": alert.level,
        "state": state,
        "state_text": words.say(ask, state),
        "rule": alert.rule,
        "rule_title": ask._(name_of(rule)) if rule else alert.rule,
        "thing": alert.thing_id,
        "thing_name": (thing.name or thing.id) if thing else alert.thing_id,
        "area": alert.area,
        "area_name": area_name(ask, alert.area),
        "onset": alert.onset,
        "raised": alert.raised,
        "over": alert.withdrawn_at if alert.withdrawn_at is not None else alert.cleared,
        "acknowledged_by": people.get(alert.acknowledged_by, alert.acknowledged_by),
        "acknowledged_at": alert.acknowledged_at,
        "group": alert.group_id,
        "geometry": thing.point if thing else None,
        "url": ask.url(f"/desk/alerts/{alert.number}"),
    }


def readings(ask: Ask, alert: AlertEntry) -> list[dict[str, Any]]:
    """What the thing reported when the alert was raised, and what it reports now, field by field."""
    rule, thing = rule_of(ask, alert), thing_of(ask, alert)
    entity = ask.hub.model.entities.get(thing.type) if thing else None
    if rule is None or entity is None or thing is None or rule.entity() is not entity:
        return []
    levels = cleared(ask.actor)
    found = []
    for name, field in entity.live().items():
        if name not in alert.values or field.level not in levels:
            continue
        known = float(ask.hub.things.current(entity.__name__, name)[thing.slot]) if field.scalar else math.nan
        now: Any = ask.hub.things.label(field, known) if isinstance(field, Choice) else known
        numbers = not isinstance(field, Choice)
        history = ask.url(f"/things/{thing.type}/{thing.id}/history/{name}") if numbers else ""
        found.append(
            {
                "field": name,
                "title": ask._(label(ask.local, field)),
                "then": shown(ask, field, alert.values[name]),
                "now": shown(ask, field, now),
                "url": history,
            }
        )
    return found


def meaning(ask: Ask, alert: AlertEntry) -> dict[str, Any]:
    """The rule behind it in words: its condition, how long it had to hold, what ends it, what it rests on."""
    rule = rule_of(ask, alert)
    if rule is None:
        return {}
    release = condition(ask, rule.release) if rule.release is not None else ""
    hold = span(ask, rule.hold) if rule.hold.amount else ""
    return {"when": condition(ask, rule.when), "hold": hold, "release": release, "basis": ask._(rule.basis)}


def notice(ask: Ask, one: Notice) -> dict[str, Any]:
    """A line of the alert's own story."""
    detail = one.detail
    texts = [str(detail["note"])] if detail.get("note") else []
    if detail.get("until"):
        texts.append(ask._("until {time}", time=ask.local.full(detail["until"])))
    if one.kind == "moved" and isinstance(detail.get("time"), int):
        message = "it had not ended" if detail.get("kind") == "reopened" else "it began {time}"
        texts.append(ask._(message, time=ask.local.moment(detail["time"], seconds=True)))
    if one.kind == "raised" and detail.get("state") in ("shelved", "suppressed"):
        texts.append(ask._("kept quiet: {state}", state=words.say(ask, detail["state"])))
    return {
        "at": one.at,
        "kind": one.kind,
        "what": ask._(TITLES.get(one.kind, one.kind)),
        "who": detail.get("name") or "",
        "text": "\n".join(texts),
        "icon": ICONS.get(one.kind, "dot"),
        "level": COLOURS.get(one.kind, ""),
    }
