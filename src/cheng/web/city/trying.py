"""The dry run of a rule: what it would have done over history, as it is and with other numbers."""

from datetime import date, timedelta
from typing import Any

from cheng.infrastructure.dry_run import SKIPPED
from cheng.kernel.dry_runs import DryRun, Trial
from cheng.kernel.entities import Quantity
from cheng.kernel.rules import Rule
from cheng.security.seen import target
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.bars import bars
from cheng.web.city.history import POINTS, gap, with_gaps
from cheng.web.city.rules import charted, rule_of, short, told, trial_form
from cheng.web.city.seeing import entity_of, levels_of, thing_of
from cheng.web.city.thresholds import comparisons, fixed_side, number_for
from cheng.web.city.trials import Asked, asked_for, results, setting_words
from cheng.web.city.words import alert_text, kinds_of_marks, label, symbol
from cheng.web.pages import Page, get

FIRST = 10


@get("/rules/{app:str}/{name:str}/try", needs=("try", "rule"))
def trial(ask: Ask, app: str, name: str) -> Page:
    """Alerts a day under the setting asked for and under the present one, the first of them, and an example."""
    rule = rule_of(ask, app, name)
    asked = asked_for(ask, rule)
    present, tried = results(ask).of(ask.hub, rule, asked)
    calendar = ask.hub.calendar
    data: dict[str, Any] = {"present": present.told(calendar, 0), "tried": tried.told(calendar, 0)}
    data |= {"from": ask.local.iso(asked.period.start), "to": ask.local.iso(asked.period.end)}
    data["first"] = first_ones(ask, rule, tried)
    if ask.representation != "html":
        return Page("city/try.html", data)
    extra = {"rule": rule, "told_rule": told(ask, rule), **trial_form(ask, rule, asked), "changed": asked.changed}
    extra |= {"bars": drawing(ask, asked, present, tried), "example": example_of(ask, rule, asked, tried)}
    extra |= {
        "words": setting_words(ask, rule, tried, asked.setting),
        "address": ask.here(),
        **by_day(ask, asked, present, tried),
    }
    return Page("city/try.html", data, extra=extra, fragment="result")


def first_ones(ask: Ask, rule: type[Rule], run: DryRun) -> list[dict[str, Any]]:
    """The first alerts there would have been, of things that this reader may see."""
    rows = []
    for trial in run.alerts:
        row = trial_row(ask, rule, trial)
        if row is not None:
            rows.append(row)
        if len(rows) == FIRST:
            break
    return rows


def trial_row(ask: Ask, rule: type[Rule], trial: Trial) -> dict[str, Any] | None:
    """An alert that would have been; None for a thing that is not for this reader."""
    thing = ask.hub.things.find(trial.thing)
    entity = ask.hub.model.entities.get(thing.type) if thing is not None else None
    if thing is not None and entity is not None and not ask.may("see", target(thing, entity)):
        return None
    values: dict[str, Any] = dict(trial.values)
    if thing is not None:
        values |= {
            **thing.properties,
            **trial.values,
            "id": thing.id,
            "name": thing.name or thing.id,
            "owner": thing.owner,
        }
    return {
        "thing": trial.thing,
        "text": alert_text(ask, rule, values, levels_of(ask)),
        "onset": ask.local.iso(trial.onset),
        "raised": ask.local.iso(trial.raised),
        "cleared": ask.local.iso(trial.cleared),
        "raised_us": trial.raised,
        "cleared_us": trial.cleared,
        "url": ask.url(f"/things/{thing.type}/{thing.id}") if thing is not None else "",
    }


def by_day(ask: Ask, asked: Asked, present: DryRun, tried: DryRun) -> dict[str, Any]:
    """The numbers behind the bars."""
    calendar = ask.hub.calendar
    before, after = present.per_day(calendar), tried.per_day(calendar)
    days = [str(day) for day in days_of(ask, asked)]
    return {"day_rows": [(day, before.get(day, 0), after.get(day, 0)) for day in days]}


def days_of(ask: Ask, asked: Asked) -> list[date]:
    """The days of the city that the period touches."""
    first, last = ask.hub.calendar.day(asked.period.start), ask.hub.calendar.day(asked.period.end - 1)
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def drawing(ask: Ask, asked: Asked, present: DryRun, tried: DryRun) -> Any:
    """The bars."""
    rows = by_day(ask, asked, present, tried)["day_rows"]
    days = [f"{int(day[5:7])}/{int(day[8:])}" for day, _, _ in rows]
    drawn = [("bar-present", [n for _, n, _ in rows])]
    if asked.changed:
        drawn.append(("bar-tried", [n for _, _, n in rows]))
    return bars(days, drawn, ask._("Alerts a day; the same numbers are in the table below."))


def example_of(ask: Ask, rule: type[Rule], asked: Asked, tried: DryRun) -> dict[str, str] | None:
    """The thing with the most alerts, and where its chart comes from; None where no chart can show the rule."""
    field = charted(rule)
    if field is None or field.level not in levels_of(ask):
        return None
    counted: dict[str, int] = {}
    for trial in tried.alerts:
        counted[trial.thing] = counted.get(trial.thing, 0) + 1
    wanted = ask.query("thing") or max(counted, key=lambda thing: counted[thing], default="")
    thing = ask.hub.things.find(wanted)
    if thing is None or thing.type != rule.subject.__name__:
        return None
    app, name = short(rule)
    query = {k: v for k, v in ask.request.query_params.dict().items() if k not in ("thing", "lang")}
    src = ask.url(f"/rules/{app}/{name}/example.json", **{**query, "thing": thing.id})
    unit = symbol(field)
    title = f"{ask._(label(ask.local, field))}{f' ({unit})' if unit else ''}, {thing.name or thing.id}"
    return {
        "src": src,
        "title": title,
        "name": thing.name or thing.id,
        "url": ask.url(f"/things/{thing.type}/{thing.id}"),
    }


@get("/rules/{app:str}/{name:str}/example", needs=("try", "rule"))
def example(ask: Ask, app: str, name: str) -> Page:
    """One thing over the period: what its chart draws, with the alerts that would have been."""
    rule = rule_of(ask, app, name)
    field = charted(rule)
    entity = rule.entity()
    if field is None or entity is None or field.level not in levels_of(ask):
        raise Refused("no-chart", "This rule is about nothing that a chart could show.", status=404)
    entity_of(ask, entity.__name__)
    thing, _ = thing_of(ask, entity.__name__, ask.query("thing"))
    asked = asked_for(ask, rule)
    _, tried = results(ask).of(ask.hub, rule, asked)
    hub, chosen = ask.hub, asked.period
    table = hub.history.series(thing.idx, hub.things.attribute_of(field), chosen.start, chosen.end, POINTS)
    time = table["time"].to_numpy()
    points = with_gaps(time, table["value"].to_numpy(), table["quality"].to_numpy(), gap(entity, field, time, chosen))
    data: dict[str, Any] = {
        "title": ask._(label(ask.local, field)),
        "unit": symbol(field),
        "zone": str(ask.local.zone),
        "from": chosen.start // 1000,
        "to": chosen.end // 1000,
        "bad": SKIPPED,
        "marks": {str(bit): text for bit, text in kinds_of_marks(ask).items()},
        "series": [{"name": ask._(label(ask.local, field)), "points": points}],
        "limits": lines_of(ask, rule, asked, thing, field),
        "spans": spans_of(rule, tried, thing.id),
    }
    return Page("city/try.html", data)


def lines_of(ask: Ask, rule: type[Rule], asked: Asked, thing: Any, field: Quantity) -> list[dict[str, Any]]:
    """The thresholds under the setting asked for, and where alerts end."""
    judge = ask.hub.judges.by_type[thing.type]
    found = []
    for condition, release in ((asked.setting.condition(rule), False), (rule.release, True)):
        for compare in comparisons(condition) if condition is not None else ():
            side = fixed_side(compare, field)
            value = None if side is None else number_for(judge, thing, side)
            if value is not None:
                text = ask._("alert ends") if release else ask._("as tried")
                found.append({"value": value, "text": text, "level": rule.level, "release": release})
    return found


def spans_of(rule: type[Rule], run: DryRun, thing: str) -> list[dict[str, Any]]:
    """The alerts that would have been, of one thing."""
    return [
        {
            "from": trial.onset // 1000,
            "to": trial.cleared // 1000 if trial.cleared else None,
            "level": rule.level,
            "text": "",
        }
        for trial in run.alerts
        if trial.thing == thing
    ][:500]


routes = [trial, example]
