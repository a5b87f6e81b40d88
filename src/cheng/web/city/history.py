"""The history of one field of one thing: for a chart, as a table, and raw as a file."""

import itertools
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from cheng.infrastructure.latest import readable
from cheng.infrastructure.registration import Thing
from cheng.kernel.entities import Choice, Entity, Kept, Track
from cheng.kernel.observations import BAD
from cheng.security.permissions import Target
from cheng.security.seen import target
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import alert_row, spans
from cheng.web.city.periods import Period, choices, field_value, period
from cheng.web.city.seeing import field_of, levels_for, levels_of, seen, thing_of
from cheng.web.city.things import IN_USE, SEARCHED
from cheng.web.city.thresholds import lines
from cheng.web.city.tracks import way
from cheng.web.city.words import kinds_of_marks, label, marks, name_of, symbol, title
from cheng.web.pages import Column, Page, get

POINTS = 1000
TABLE = 100
BESIDE = 4
"""Things that one chart shows beside the one it is about."""
OFFERED = 20
SEPARATORS = re.compile(r"[\s,，、]+")
"""Rows of the page's own table; the file has them all."""


def columns(ask: Ask, field: Kept) -> list[Column]:
    """What a list of readings shows."""
    kind = "number" if not isinstance(field, (Choice, Track)) else ""
    value = Column("value", label(ask.local, field), kind, unit=symbol(field))
    return [Column("time", "Time", "moment"), value, Column("marks", "Quality")]


@get("/things/{type_name:str}/{thing_id:str}/history/{field_name:str}", needs=("see", "thing"))
def history(ask: Ask, type_name: str, thing_id: str, field_name: str) -> Page:
    """One field over time: a chart and a table; `.json` is what the chart draws, `.csv` every reading as it came."""
    thing, entity = thing_of(ask, type_name, thing_id)
    field = field_of(ask, entity, field_name, levels_for(ask, thing, entity))
    chosen = period(ask)
    others = compared(ask, thing, entity, field)
    if ask.representation == "json":
        return Page("city/history.html", chart(ask, thing, entity, field, chosen, others))
    raw = ask.representation != "html"
    rows = readings(ask, thing, field, chosen, ask.limit(TABLE, TABLE), newest=not raw)
    data = {"thing": thing.id, "field": field.name, "rows": rows}
    extra = {"thing_name": thing.name or thing.id, "period": chosen, "ranges": choices(ask, chosen)}
    extra |= {"label": label(ask.local, field), "doc": field.doc, "entity": entity, "type_text": name_of(entity)}
    extra |= {"begin": field_value(ask, chosen.start), "end": field_value(ask, chosen.end), "most": TABLE}
    asked = {**chosen.query(ask), "purpose": ask.query("purpose"), "with": ask.query("with")}
    extra |= {"others": others, "near": near(ask, thing, entity) if not isinstance(field, Track) else []}
    extra |= {"chart_src": ask.url(f"/things/{type_name}/{thing_id}/history/{field_name}.json", **asked)}
    extra["track"] = way(ask, thing, field, chosen) if isinstance(field, Track) else None
    return Page("city/history.html", data, rows="rows", columns=columns(ask, field), extra=extra)


def readings(ask: Ask, thing: Thing, field: Kept, chosen: Period, limit: int, newest: bool) -> list[dict[str, Any]]:
    """Readings as they came, marked ones too, at most `limit`: the first of the period, or the newest ones first."""
    hub = ask.hub
    attr = hub.things.attribute_of(field)
    table = hub.history.readings([thing.idx], [attr], chosen.start, chosen.end, dedupe=False)
    table = table.slice(max(0, table.num_rows - limit)) if newest else table.slice(0, limit)
    names = ("time", "value", "latitude", "quality")
    rows = []
    for time, value, latitude, quality in zip(*(table[name].to_pylist() for name in names), strict=True):
        shown = readable(hub, field, value, latitude)
        row = {"time": time, "value": list(shown) if isinstance(shown, tuple) else shown, "marks": marks(ask, quality)}
        if isinstance(field, Track):
            row["geometry"] = list(shown)
        rows.append(row)
    return rows[::-1] if newest else rows


# -- beside others of its kind


def compared(ask: Ask, thing: Thing, entity: type[Entity], field: Kept) -> list[Thing]:
    """The things of the same type that the address wants beside this one, by their ids. Refused: too many; not seen."""
    wanted = dict.fromkeys(one for one in SEPARATORS.split(ask.query("with")) if one and one != thing.id)
    if len(wanted) > BESIDE:
        raise Refused("too-many", "No more than {n} things stand beside this one.", {"n": BESIDE}, status=400)
    others = [thing_of(ask, thing.type, one)[0] for one in wanted]
    for other in others:
        field_of(ask, entity, field.name, levels_for(ask, other, entity))
    return others


def near(ask: Ask, thing: Thing, entity: type[Entity]) -> list[Thing]:
    """Some things of the same type to choose from, the nearest first, then those without a place."""
    alike = [o for o in ask.hub.things.of_type(thing.type)[:SEARCHED] if o.idx != thing.idx and o.state in IN_USE]
    if thing.point is not None:
        here, nowhere = np.array(thing.point), (np.nan, np.nan)
        places = np.array([nowhere if other.point is None else other.point for other in alike]).reshape(-1, 2)
        order = np.argsort(np.hypot(*((places - here) * [math.cos(math.radians(here[1])), 1]).T), kind="stable")
        alike = [alike[row] for row in order.tolist()]
    return list(itertools.islice(seen(ask, entity, alike), OFFERED))


# -- what the chart draws


def chart(
    ask: Ask, thing: Thing, entity: type[Entity], field: Kept, chosen: Period, others: Sequence[Thing] = ()
) -> dict[str, Any]:
    """Points, thresholds and alerts of a period. Times in milliseconds UTC, points [time, value or null, marks]."""
    hub = ask.hub
    name = (thing.name or thing.id) if others else ask._(label(ask.local, field))
    told: dict[str, Any] = {
        "title": ask._(label(ask.local, field)),
        "unit": symbol(field),
        "zone": str(ask.local.zone),
        "from": chosen.start // 1000,
        "to": min(chosen.end, ask.now) // 1000,
        "steps": field.on_change or isinstance(field, Choice),
        "low": getattr(field, "low", None),
        "high": getattr(field, "high", None),
        "bad": int(BAD),
        "marks": {str(bit): text for bit, text in kinds_of_marks(ask).items()},
        "series": [{"name": name, "points": points_of(ask, thing, entity, field, chosen)}],
    }
    if isinstance(field, Choice):
        told["labels"] = {
            str(code): ask._(text) for text, code in hub.things.codes(hub.things.attribute_of(field)).items()
        }
    if isinstance(field, Track):
        latitudes = points_of(ask, thing, entity, field, chosen, "latitude")
        told["series"].append({"name": ask._("latitude"), "points": latitudes})
    for other in others:
        points = points_of(ask, other, entity, field, chosen)
        told["series"].append({"name": other.name or other.id, "points": points})
    told["limits"] = limits(ask, thing, field)
    told["spans"] = alert_spans(ask, thing, entity, field, chosen)
    return told


def points_of(
    ask: Ask, thing: Thing, entity: type[Entity], field: Kept, chosen: Period, column: str = "value"
) -> list[list[Any]]:
    """The course of one thing's field."""
    hub = ask.hub
    series = hub.history.series(thing.idx, hub.things.attribute_of(field), chosen.start, chosen.end, POINTS)
    time, value, quality = (np.asarray(series[name]) for name in ("time", column, "quality"))
    return with_gaps(time, value, quality, gap(entity, field, time, chosen))


def gap(entity: type[Entity], field: Kept, time: Any, chosen: Period) -> int | None:
    """Microseconds without a reading after which the line breaks; None where the last value holds until the next."""
    if field.on_change or len(time) < 3:
        return None
    usual = int(np.median(np.diff(time)))
    expected = entity.reports.us * 3 if entity.reports is not None else 0
    return max(expected, usual * 5, 3 * (chosen.end - chosen.start) // POINTS)


def with_gaps(time: Any, value: Any, quality: Any, widest: int | None) -> list[list[Any]]:
    """Points for the chart, an empty one where the line has to break."""
    points: list[list[Any]] = []
    before = None
    for at, number, mark in zip(time.tolist(), value.tolist(), quality.tolist(), strict=True):
        if widest is not None and before is not None and at - before > widest:
            points.append([(before + at) // 2000, None, 0])
        points.append([at / 1000, number if number == number else None, mark])
        before = at
    return points


def limits(ask: Ask, thing: Thing, field: Kept) -> list[dict[str, Any]]:
    """The thresholds of the rules, for readers who may know the rules."""
    if not ask.may("see", Target("rule")):
        return []
    found = []
    for line in lines(ask.hub, thing, field):
        name = title(ask, line.rule)
        text = ask._("{rule} ends", rule=name) if line.release else name
        found.append({"value": line.value, "text": text, "level": line.rule.level, "release": line.release})
    return found


def alert_spans(ask: Ask, thing: Thing, entity: type[Entity], field: Kept, chosen: Period) -> list[dict[str, Any]]:
    """When alerts stood that this field has a part in."""
    if not ask.may("see", target(thing, entity, "alert")):
        return []
    rules = [key for key, rule in ask.hub.model.rules.items() if rule.subject is entity and field in rule.needs()]
    levels = levels_of(ask)
    found = []
    for row in spans(ask, thing, rules, chosen.start, chosen.end):
        told = alert_row(ask, row, levels)
        end = row["cleared"] // 1000 if row["cleared"] else None
        found.append({"from": row["onset"] // 1000, "to": end, "level": row["level"], "text": told["text"]})
    return found


routes = [history]
