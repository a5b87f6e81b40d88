"""One day of the city in numbers: what was raised and handled, how well it went, where, and what was worst."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, case, func, select

from cheng.infrastructure.tables import alerts, cases, things
from cheng.kernel.rules import LEVELS
from cheng.security.permissions import reach
from cheng.security.seen import cleared
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import alert_row, seen_here
from cheng.web.city.apps import FAMILIES
from cheng.web.city.area_tree import Tree
from cheng.web.city.areas import sorted_by_name
from cheng.web.city.indicators import indicator_row, target
from cheng.web.city.words import title

WORST, RULES, DEPARTMENTS = 15, 8, 20
"""Lines of a report: the gravest alerts, the rules that spoke most, the departments with most cases."""


def day_of_city(ask: Ask, day: date) -> dict[str, Any]:
    """The report of a day as data. Times in microseconds UTC."""
    start, end = (ask.hub.indicators.start_of(day + timedelta(more)) for more in (0, 1))
    return {
        "day": str(day),
        "begin": start,
        "end": end,
        "alerts": alerts_of_day(ask, start, end),
        "cases": cases_of_day(ask, start, end) if sees_cases(ask) else None,
        "indicators": indicators_of_day(ask, day),
        "areas": areas_of_day(ask, start, end),
    }


def sees_cases(ask: Ask) -> bool:
    """Whether no case is held back from this reader: counts of all would tell of them."""
    return "any" in reach(ask.actor, "see", "case")


def alerts_of_day(ask: Ask, start: int, end: int) -> dict[str, Any]:
    """How many were raised by level, by which rules, and the gravest of them."""
    true = and_(alerts.c.withdrawn_at.is_(None), *seen_here(ask))
    raised = and_(alerts.c.raised >= start, alerts.c.raised < end, true)
    both = alerts.outerjoin(things, things.c.idx == alerts.c.thing)
    by_rule = select(alerts.c.rule, alerts.c.level, func.count()).select_from(both).where(raised)
    grave = case({level: n for n, level in enumerate(LEVELS)}, value=alerts.c.level, else_=0)
    worst = select(alerts).select_from(both).where(raised).order_by(grave.desc(), alerts.c.raised.desc())
    over = (alerts.c.cleared.is_(None)) | (alerts.c.cleared >= end)
    left = select(func.count()).select_from(both).where(alerts.c.raised < end, over, true)
    with ask.hub.store.read() as conn:
        counted = conn.execute(by_rule.group_by(alerts.c.rule, alerts.c.level)).all()
        rows = [dict(row) for row in conn.execute(worst.limit(WORST)).mappings()]
        standing = int(conn.execute(left).scalar_one())
    levels: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for rule, level, count in counted:
        levels[level] += count
        rules[rule] += count
    names = ask.hub.model.rules
    return {
        "raised": levels.total(),
        "levels": {level: levels[level] for level in reversed(LEVELS)},
        "standing": standing,
        "rules": [
            {"rule": title(ask, names[key]) if key in names else key, "count": n} for key, n in rules.most_common(RULES)
        ],
        "worst": [alert_row(ask, row, cleared(ask.actor)) for row in rows],
    }


def cases_of_day(ask: Ask, start: int, end: int) -> dict[str, Any]:
    """What was opened and closed, in all and by department, and what was overdue when the day was over."""

    def within(column: Any) -> Any:
        return func.sum(case((and_(column >= start, column < end), 1), else_=0))

    late = and_(
        cases.c.due < min(end, ask.now), cases.c.opened < end, (cases.c.closed.is_(None)) | (cases.c.closed >= end)
    )
    columns = (within(cases.c.opened), within(cases.c.closed), func.sum(case((late, 1), else_=0)))
    touched = (cases.c.closed.is_(None)) | (cases.c.closed >= start)
    query = select(cases.c.department, *columns).where(cases.c.opened < end, touched).group_by(cases.c.department)
    with ask.hub.store.read() as conn:
        found = conn.execute(query).all()
    rows: list[dict[str, Any]] = [
        {"department": ask._(name) if name else ask._("nobody's"), "opened": int(o), "closed": int(c), "late": int(n)}
        for name, o, c, n in found
    ]
    totals = {name: sum(row[name] for row in rows) for name in ("opened", "closed", "late")}
    busy = sorted(rows, key=lambda row: (-row["late"], -row["opened"] - row["closed"], row["department"]))
    there = [row for row in busy if row["opened"] or row["closed"] or row["late"]]
    return {**totals, "departments": there[:DEPARTMENTS]}


def indicators_of_day(ask: Ask, day: date) -> list[dict[str, Any]]:
    """Family → its indicators with the value of this one day."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for indicator in ask.hub.indicators.indicators.values():
        if ask.may("see", target(indicator)):
            row = indicator_row(ask, indicator, ask.hub.indicators.trend(indicator, day, day))
            kept = {key: row[key] for key in ("name", "text", "value", "target_text", "met", "met_text", "url")}
            groups.setdefault(getattr(indicator.app, "family", ""), []).append(kept)
    return [{"family": ask._(text), "rows": groups[key]} for key, text in FAMILIES.items() if key in groups]


def areas_of_day(ask: Ask, start: int, end: int) -> list[dict[str, Any]]:
    """The largest areas with the alerts that were raised and the cases that were opened in them."""
    tree = Tree.of(ask)
    counts: dict[str, Counter[str]] = {}
    both = alerts.outerjoin(things, things.c.idx == alerts.c.thing)
    of_alerts = select(alerts.c.area, func.count()).select_from(both).where(*seen_here(ask))
    of_alerts = of_alerts.where(alerts.c.raised >= start, alerts.c.raised < end, alerts.c.withdrawn_at.is_(None))
    of_cases = select(cases.c.area, func.count()).where(cases.c.opened >= start, cases.c.opened < end)
    queries = {"alerts": of_alerts.group_by(alerts.c.area)}
    if sees_cases(ask):
        queries["opened"] = of_cases.group_by(cases.c.area)
    with ask.hub.store.read() as conn:
        for name, query in queries.items():
            for area, count in conn.execute(query):
                counts.setdefault(area or "", Counter())[name] += count
    rows = []
    for area in sorted_by_name(tree, ""):
        inside = [counts.get(one, Counter()) for one in tree.within(area)]
        totals = {name: sum(count[name] for count in inside) for name in queries}
        rows.append({"area": tree.areas[area].name or area, "url": ask.url(f"/areas/{area}"), **totals})
    return rows
