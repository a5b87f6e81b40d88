"""What watches over the city: every rule in words, how often it speaks, and whether it can be judged."""

from typing import Any

from cheng.kernel.conditions import Condition
from cheng.kernel.entities import Quantity
from cheng.kernel.frames import Blank
from cheng.kernel.rules import Rule
from cheng.standards.durations import days
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import counts_by_rule, of_rule
from cheng.web.city.periods import choices, field_value
from cheng.web.city.seeing import levels_of
from cheng.web.city.trials import Asked, asked_for, knobs
from cheng.web.city.words import condition, field_name, named_blanks, span, title
from cheng.web.pages import Column, Page, get

RULES = (
    Column("name", "Rule"),
    Column("app", "Application"),
    Column("level", "Level", "level"),
    Column("condition", "Alerts when"),
    Column("day", "Last 24 hours", "number"),
    Column("month", "Last 30 days", "number"),
    Column("health", "Health"),
)
ALERTS = (
    Column("number", "Number"),
    Column("text", "Alert"),
    Column("level", "Level", "level"),
    Column("thing", "Thing"),
    Column("raised", "Raised", "moment"),
    Column("cleared", "Over", "moment"),
    Column("state", "State"),
)


def short(rule: type[Rule]) -> tuple[str, str]:
    """Application and name, as the address of a rule has them."""
    app, _, name = rule.key().partition(".")
    return app, name


def health(ask: Ask, rule: type[Rule]) -> str:
    """Why a rule cannot be judged; "" while it can."""
    return str(ask.hub.judges.failing.get(rule.key(), ""))


def rule_of(ask: Ask, app: str, name: str) -> type[Rule]:
    """The rule of that name. Refused (404) when there is none."""
    rule: type[Rule] | None = ask.hub.model.rules.get(f"{app}.{name}")
    if rule is None:
        raise Refused("no-rule", "There is no rule {name}.", {"name": f"{app}.{name}"[:120]}, status=404)
    return rule


@get("/rules", needs=("see", "rule"), entry="Rules", order=20)
def rules(ask: Ask) -> Page:
    """All rules, application by application; those that cannot be judged stand out."""
    now = ask.hub.clock.now()
    day, month = counts_by_rule(ask, now - days(1).us), counts_by_rule(ask, now - days(30).us)
    rows = [rule_row(ask, rule, day, month) for rule in ask.hub.model.rules.values()]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["app"], []).append(row)
    broken = [row for row in rows if row["broken"]]
    data = {"rules": rows}
    extra = {"groups": groups, "broken": broken}
    return Page("city/rules.html", data, rows="rules", columns=RULES, keep=("url", "key", "broken"), extra=extra)


def rule_row(ask: Ask, rule: type[Rule], day: dict[str, int], month: dict[str, int]) -> dict[str, Any]:
    """One line of the list."""
    app, name = short(rule)
    reason = health(ask, rule)
    return {
        "key": rule.key(),
        "name": title(ask, rule),
        "app": title(ask, rule.app),
        "level": rule.level,
        "condition": condition(ask, rule.when),
        "day": day.get(rule.key(), 0),
        "month": month.get(rule.key(), 0),
        "health": ask._("cannot be judged: {reason}", reason=reason) if reason else ask._("works"),
        "broken": bool(reason),
        "url": ask.url(f"/rules/{app}/{name}"),
    }


@get("/rules/{app:str}/{name:str}", needs=("see", "rule"))
def rule(ask: Ask, app: str, name: str) -> Page:
    """One rule: what it says, what it rests on, its last alerts, and a dry run over history."""
    found = rule_of(ask, app, name)
    alerts = of_rule(ask, found.key(), levels_of(ask), ask.limit(20, 200))
    data = {**told(ask, found), "alerts": alerts}
    extra: dict[str, Any] = {"rule": found, "may_try": ask.may("try", "rule")}
    if extra["may_try"] and ask.representation == "html":
        extra |= trial_form(ask, found, asked_for(ask, found))
    return Page("city/rule.html", data, rows="alerts", columns=ALERTS, extra=extra)


def told(ask: Ask, rule: type[Rule]) -> dict[str, Any]:
    """What a rule says, in words."""
    return {
        "key": rule.key(),
        "name": title(ask, rule),
        "app": title(ask, rule.app),
        "sentence": ask._(rule.sentence(), **named_blanks(ask, rule.text_blanks(), rule.subject.fields())),
        "condition": condition(ask, rule.when),
        "hold": span(ask, rule.hold) if rule.hold.us else "",
        "release": condition(ask, rule.release) if rule.release is not None else "",
        "level": rule.level,
        "basis": ask._(rule.basis),
        "owner": ask._(str(getattr(rule.app, "owner", ""))),
        "group": grouping(ask, rule),
        "about": rule.subject.__name__,
        "fields": [field_name(ask, field) for field in sorted(rule.needs(), key=lambda f: f.name)],
        "flows": [title(ask, flow) for flow in ask.hub.model.flows_started_by(rule)],
        "broken": health(ask, rule),
    }


def grouping(ask: Ask, rule: type[Rule]) -> str:
    """Which alerts count as one."""
    if rule.group is None:
        return ""
    if rule.group.field is None:
        return ask._("Alerts nearby within {time} are one.", time=span(ask, rule.group.within))
    names = {"what": field_name(ask, rule.group.field), "time": span(ask, rule.group.within)}
    return ask._("Alerts with the same {what} within {time} are one.", **names)


def trial_form(ask: Ask, rule: type[Rule], asked: Asked) -> dict[str, Any]:
    """What the form of a dry run needs."""
    app, name = short(rule)
    return {
        "knobs": knobs(ask, rule, asked),
        "trial_period": asked.period,
        "trial_ranges": choices(ask, asked.period),
        "trial_begin": field_value(ask, asked.period.start),
        "trial_end": field_value(ask, asked.period.end),
        "trial_action": ask.url(f"/rules/{app}/{name}/try"),
    }


def charted(rule: type[Rule]) -> Quantity | None:
    """The field that shows best what a rule is about: the first number it is judged over."""
    wanted: list[Blank] = list(fields_in_order(rule.when))
    return next((field for field in wanted if isinstance(field, Quantity) and field.live), None)


def fields_in_order(when: Condition) -> list[Blank]:
    """The fields of a condition, each once, from left to right."""
    return list(dict.fromkeys(when.fields()))


routes = [rules, rule]
