"""How well it goes: every indicator with its value, target and course, and each down to the rows it comes from."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cheng.infrastructure.indicator_book import Dimension, Point
from cheng.kernel.indicators import Fact, Indicator, Value, compute
from cheng.kernel.specs import title_of
from cheng.security.permissions import Target
from cheng.standards.problems import Refused
from cheng.standards.units import unit
from cheng.web.ask import Ask
from cheng.web.city.periods import Period, choices, field_value, period
from cheng.web.city.seeing import area_name
from cheng.web.city.words import field_name, measured, title
from cheng.web.pages import Column, Page, get

INDICATORS = (
    Column("name", "Indicator"),
    Column("does", "What it shows"),
    Column("app", "Application"),
    Column("text", "Value"),
    Column("target_text", "Target"),
    Column("met_text", "Reached"),
    Column("days", "Days counted", "number"),
)
ROWS = (
    Column("label", "Record"),
    Column("at", "Counted on", "moment"),
    Column("part", "Above the line", "number"),
    Column("whole", "Below the line", "number"),
    Column("area_name", "Area"),
    Column("department", "Department"),
    Column("left_out", "Left out"),
)
LEFT_OUT = {
    "appeal": "appeal was granted",
    "void": "case is void",
    "merged": "merged into another case",
    "moved": "moved to another department",
    "passed": "passed on to another city",
    "withdrawn": "alert was withdrawn",
}
DAYS = 30


def target(indicator: type[Indicator]) -> Target:
    """The indicator as decisions want to know it; nothing about it is public unless it says so itself."""
    return Target("indicator", id=indicator.key(), public=getattr(indicator, "public", False) is True)


def indicator_of(ask: Ask, app: str, name: str) -> type[Indicator]:
    """The indicator of that name. Refused: 404 when there is none, 403 when it is not for this reader."""
    found: type[Indicator] | None = ask.hub.indicators.indicators.get(f"{app}.{name}")
    if found is None:
        values = {"name": f"{app}.{name}"[:120]}
        raise Refused("no-indicator", "There is no indicator {name}.", values, status=404)
    ask.require("see", target(found))
    return found


def number(ask: Ask, indicator: type[Indicator], value: float | None) -> str:
    """A value as people read it: 93.72%, 4.5 h."""
    measure = indicator.how()
    if value is None:
        return "–"
    if measure.kind == "ratio":
        return ask.local.percent(value, 2)
    return measured(ask.local.number(value), sign(ask, indicator))


def sign(ask: Ask, indicator: type[Indicator]) -> str:
    """The unit behind a value."""
    code = indicator.how().unit
    if indicator.subject() == "field" and indicator.how().kind != "ratio":
        return unit(code).symbol if code else ""
    return ask._(code) if code else ""


def together(indicator: type[Indicator], points: Sequence[Point]) -> Value:
    """One number for several days, from what each was made of; of things in use, the last day alone."""
    if indicator.subject() == "entity" and points:
        return points[-1].value
    facts = [
        Fact("", "", 0, p.value.numerator or 0.0, 1.0 if p.value.denominator is None else p.value.denominator)
        for p in points
        if p.value.value is not None
    ]
    return compute(indicator.how().kind, facts) if facts else Value()


@get("/indicators", needs=("see", "indicator"), entry="Indicators", order=30)
def indicators(ask: Ask) -> Page:
    """All indicators over the last 30 days."""
    today = ask.hub.calendar.day(ask.hub.clock.now())
    rows = [
        indicator_row(ask, found, ask.hub.indicators.trend(found, today - timedelta(DAYS - 1), today))
        for found in ask.hub.indicators.indicators.values()
        if ask.may("see", target(found))
    ]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["app"], []).append(row)
    keep = ("url", "key", "value", "met", "target", "trend")
    extra = {"groups": groups, "days": DAYS}
    return Page(
        "city/indicators.html", {"indicators": rows}, rows="indicators", columns=INDICATORS, keep=keep, extra=extra
    )


def indicator_row(ask: Ask, found: type[Indicator], points: Sequence[Point]) -> dict[str, Any]:
    """One tile."""
    value = together(found, points)
    met = found.met(value.value)
    app, _, name = found.key().partition(".")
    return {
        "key": found.key(),
        "name": ask._(title_of(found.__name__)),
        "does": ask._(found.sentence()),
        "app": title(ask, found.app),
        "text": number(ask, found, value.value),
        "value": value.value,
        "target": found.target,
        "target_text": "" if found.target is None else number(ask, found, found.target),
        "met": met,
        "met_text": "" if met is None else ask._("reached") if met else ask._("missed"),
        "days": len(points),
        "trend": [{"day": str(point.day), "value": point.value.value} for point in points],
        "url": ask.url(f"/indicators/{app}/{name}"),
    }


@get("/indicators/{app:str}/{name:str}", needs=("see", "indicator"))
def indicator(ask: Ask, app: str, name: str) -> Page:
    """One indicator: its formula with the numbers of the period, its course, its parts, and every row behind it."""
    found = indicator_of(ask, app, name)
    chosen = period(ask, "30d")
    facts = ask.hub.indicators.lineage(found, chosen.start, chosen.end)
    value = compute(found.how().kind, facts)
    seen = [fact for fact in facts if sees(ask, found, fact)]
    page, limit = ask.whole("page", 1, 1, 10_000), ask.limit(50, 500)
    shown = seen[::-1][(page - 1) * limit : page * limit]
    data: dict[str, Any] = {
        "key": found.key(),
        "name": ask._(title_of(found.__name__)),
        "does": ask._(found.sentence()),
        "value": value.value,
        "numerator": value.numerator,
        "denominator": value.denominator,
        "target": found.target,
        "met": found.met(value.value),
        "rows": [fact_row(ask, found, fact) for fact in shown],
        "counted": len(facts),
    }
    data |= {"by_area": parts(ask, found, "area", chosen), "by_department": parts(ask, found, "department", chosen)}
    extra = {"found": found, "page": page, "more": len(seen) > page * limit, "hidden": len(facts) - len(seen)}
    extra |= {"period": chosen, "ranges": choices(ask, chosen), **formula(ask, found, value)}
    extra |= {"begin": field_value(ask, chosen.start), "end": field_value(ask, chosen.end), "LEFT_OUT": LEFT_OUT}
    extra["trend_src"] = ask.url(f"/indicators/{app}/{name}/trend.json", **chosen.query(ask))
    extra["app_text"] = title(ask, found.app)
    return Page("city/indicator.html", data, rows="rows", columns=ROWS, extra=extra)


def formula(ask: Ask, found: type[Indicator], value: Value) -> dict[str, Any]:
    """The formula in words, the numbers in it, and where they come from."""
    measure = found.how()
    better = ask._("more is better") if measure.better == "more" else ask._("less is better")
    return {
        "above": ask._(measure.numerator),
        "below": ask._(measure.denominator) if measure.denominator else "",
        "better": better,
        "text": number(ask, found, value.value),
        "target_text": "" if found.target is None else number(ask, found, found.target),
        "sources": sources(ask, found),
    }


def sources(ask: Ask, found: type[Indicator]) -> list[dict[str, str]]:
    """What the rows come from."""
    subject, of = found.subject(), found.of
    if subject == "flow":
        told = [{"text": ask._("Cases: {flow}", flow=title(ask, of)), "url": ""}]
        if found.step:
            told.append({"text": ask._("Step: {step}", step=ask._(found.step)), "url": ""})
        for rule in of.starters():
            told.append({"text": ask._("Opened by: {rule}", rule=title(ask, rule)), "url": rule_url(ask, rule)})
        return told
    if subject == "rule":
        return [{"text": ask._("Alerts: {rule}", rule=title(ask, of)), "url": rule_url(ask, of)}]
    entity = of if subject == "entity" else of.owner
    told = [{"text": ask._("Things: {type}", type=title(ask, entity)), "url": ask.url(f"/things/{entity.__name__}")}]
    if subject == "field":
        told.append({"text": ask._("Field: {field}", field=field_name(ask, of)), "url": ""})
    return told


def rule_url(ask: Ask, rule: Any) -> str:
    app, _, name = rule.key().partition(".")
    return ask.url(f"/rules/{app}/{name}") if ask.may("see", "rule") else ""


def sees(ask: Ask, found: type[Indicator], fact: Fact) -> bool:
    """Whether this reader may see the row itself."""
    kind = {"flow": "case", "rule": "alert"}.get(found.subject(), "thing")
    return ask.may("see", Target(kind, id=fact.id, department=fact.department))


def fact_row(ask: Ask, found: type[Indicator], fact: Fact) -> dict[str, Any]:
    """One row of the lineage."""
    subject = found.subject()
    if subject == "flow":
        url = ask.url(f"/desk/cases/{fact.label}") if ask.may("enter", "desk") else ""
    elif subject == "rule":
        url = ask.url(f"/desk/alerts/{fact.label}") if ask.may("enter", "desk") else ""
    else:
        entity = found.of if subject == "entity" else found.of.owner
        url = ask.url(f"/things/{entity.__name__}/{fact.id}")
    return {
        "label": fact.label,
        "at": fact.at,
        "part": fact.part,
        "whole": fact.whole,
        "area_name": area_name(ask, fact.area),
        "department": ask._(fact.department) if fact.department and ask.representation == "html" else fact.department,
        "left_out": ask._(LEFT_OUT.get(fact.left_out, fact.left_out)) if fact.left_out else "",
        "url": url,
    }


def parts(ask: Ask, found: type[Indicator], dimension: Dimension, chosen: Period) -> list[dict[str, Any]]:
    """The number of each area or department."""
    values = ask.hub.indicators.by(found, dimension, chosen.start, chosen.end)
    rows = []
    for key, value in values.items():
        name = (area_name(ask, key) if dimension == "area" else ask._(key)) if key else ask._("without")
        met = found.met(value.value)
        told = {"id": key, "name": name, "value": value.value, "text": number(ask, found, value.value), "met": met}
        rows.append(told | {"numerator": value.numerator, "denominator": value.denominator})
    return rows


@get("/indicators/{app:str}/{name:str}/trend", needs=("see", "indicator"))
def trend(ask: Ask, app: str, name: str) -> Page:
    """The kept value of each day, as its chart draws them."""
    found = indicator_of(ask, app, name)
    chosen = period(ask, "30d")
    calendar, book = ask.hub.calendar, ask.hub.indicators
    first, last = calendar.day(chosen.start), calendar.day(min(chosen.end, ask.hub.clock.now()))
    points = book.trend(found, first, last)
    times = 100 if found.how().kind == "ratio" else 1
    drawn = [[book.start_of(p.day) // 1000, None if p.value.value is None else p.value.value * times] for p in points]
    data: dict[str, Any] = {
        "title": ask._(title_of(found.__name__)),
        "unit": sign(ask, found),
        "from": book.start_of(first) // 1000,
        "to": book.start_of(last + timedelta(1)) // 1000,
        "zone": str(ask.local.zone),
        "series": [{"name": ask._(title_of(found.__name__)), "points": drawn}],
    }
    if found.target is not None:
        line = {"value": found.target * times, "text": ask._("target"), "level": "notice", "release": False}
        data["limits"] = [line]
    return Page("city/indicator.html", data)


routes = [indicators, indicator, trend]
