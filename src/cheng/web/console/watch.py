"""The rules as an operator looks at them: which fail, which flood, which never spoke, and what their judging costs."""

from typing import Any

from sqlalchemy import func, select

from cheng.infrastructure.tables import alerts
from cheng.kernel.entities import Entity
from cheng.kernel.rules import Rule
from cheng.standards.durations import days, minutes
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import counts_by_rule
from cheng.web.city.rules import health, short
from cheng.web.city.words import title
from cheng.web.pages import Column, Page, get

COLUMNS = (
    Column("name", "Rule"),
    Column("app", "Application"),
    Column("state", "State"),
    Column("minutes", "Last ten minutes", "number"),
    Column("day", "Last 24 hours", "number"),
    Column("daily", "A day, over 30 days", "number"),
    Column("last", "Last alert", "ago"),
    Column("cost", "Judging", "percent"),
)
FLOOD = 10
"""Alerts of one rule in ten minutes: as many as one person can deal with (ISA-18.2 calls more a flood)."""
SLOW = 0.2
"""Share of a core that the judging of one type may take before it is worth a look."""
MONTH = 30
TITLES = {"failing": "Failing", "flood": "In flood", "slow": "Slow", "never": "Never spoke", "works": "Working"}
ORDER = list(TITLES)


def rule_states(ask: Ask) -> list[dict[str, Any]]:
    """Every rule with its state, the worst first."""
    now = ask.now
    counts = [counts_by_rule(ask, now - span.us) for span in (minutes(10), days(1), days(MONTH))]
    with ask.hub.store.read() as conn:
        last = dict(conn.execute(select(alerts.c.rule, func.max(alerts.c.raised)).group_by(alerts.c.rule)).all())
    rows = [row_of(ask, rule, [count.get(key, 0) for count in counts], last.get(key)) for key, rule in rules(ask)]
    return sorted(rows, key=lambda row: (ORDER.index(row["state"]), -row["day"], row["key"]))


def rules(ask: Ask) -> list[tuple[str, type[Rule]]]:
    return list(ask.hub.model.rules.items())


def row_of(ask: Ask, rule: type[Rule], counts: list[int], last: int | None) -> dict[str, Any]:
    app, name = short(rule)
    cost = cost_of(ask, rule.subject.__name__) if issubclass(rule.subject, Entity) else None
    reason = health(ask, rule)
    return {
        "key": rule.key(),
        "name": title(ask, rule),
        "app": title(ask, rule.app),
        "state": state(bool(reason), counts[0], cost, last),
        "reason": reason,
        "minutes": counts[0],
        "day": counts[1],
        "daily": round(counts[2] / MONTH, 2),
        "last": last,
        "cost": cost,
        "url": ask.url(f"/rules/{app}/{name}"),
    }


def state(fails: bool, lately: int, cost: float | None, last: int | None) -> str:
    """The worst that can be said of a rule."""
    if fails:
        return "failing"
    if lately >= FLOOD:
        return "flood"
    if cost is not None and cost >= SLOW:
        return "slow"
    return "works" if last is not None else "never"


def cost_of(ask: Ask, type_name: str) -> float | None:
    """Share of a core that judging readings of this type took since the start, all its rules together."""
    judges = ask.hub.judges
    return round(judges.seconds[type_name] / ask.hub.machine.up, 5) if judges.judged[type_name] else None


@get("/console/rules", needs=("enter", "console"), entry="Rules", order=25)
def watch(ask: Ask) -> Page:
    """Rules with their health, the worst first; each leads to its own page."""
    rows = rule_states(ask)
    counts = {key: sum(row["state"] == key for row in rows) for key in ORDER}
    extra = {"counts": counts, "texts": TITLES, "flood": FLOOD}
    keep = ("url", "key", "reason")
    return Page("console/rules.html", {"rules": rows}, rows="rules", columns=COLUMNS, keep=keep, extra=extra)


routes = [watch]
