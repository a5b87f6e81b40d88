"""The wall of the operations centre: the city on one screen, alerts as they come, and the numbers that matter."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from cheng.infrastructure.tables import alerts
from cheng.kernel.rules import LEVELS
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import STANDING, of_areas
from cheng.web.city.apps import FAMILIES, SUPPORTS, by_family
from cheng.web.city.area_tree import Tree
from cheng.web.city.areas import added, eyes, hidden, standing
from cheng.web.city.indicators import indicator_row, target
from cheng.web.city.periods import field_value
from cheng.web.city.seeing import levels_of
from cheng.web.dashboard.place import place_told
from cheng.web.dashboard.replay import HOUR
from cheng.web.map.page import legend, map_told
from cheng.web.pages import Page, everybody, get

COLON = re.compile("[:：]")
DAYS = 14
NEWEST = 12


@get("/dashboard", needs=("enter", "dashboard"), entry="City at a glance", order=10)
def wall(ask: Ask) -> Page:
    """The map with what stands around it, looking at `?area=`."""
    data = {**numbers(ask), **happening(ask), "map": map_told(ask)}
    begin, latest = field_value(ask, ask.now - HOUR), field_value(ask, ask.now)
    extra = {"place": place_told(ask), "begin": begin, "latest": latest, **legend(ask, data["map"])}
    return Page("dashboard/wall.html", data, extra=extra)


@get("/dashboard/numbers", needs=("enter", "dashboard"), shared=eyes)
def numbers_now(ask: Ask) -> Page:
    """The left side of the wall, asked for again from time to time."""
    return Page("dashboard/numbers.html", numbers(ask), fragment="numbers")


@get("/dashboard/happening", needs=("enter", "dashboard"), shared=everybody)
def happening_now(ask: Ask) -> Page:
    """The right side of the wall, asked for again when alerts have changed."""
    return Page("dashboard/happening.html", happening(ask), fragment="happening")


def numbers(ask: Ask) -> dict[str, Any]:
    """Counts of now and the indicators of each family."""
    tree = Tree.of(ask)
    gone = hidden(ask)
    counts = {name: n for name, n in added(standing(ask, tree), tree.within("")).items() if name not in gone}
    return {"counts": {"things": things_in_use(ask), **counts}, "families": families(ask)}


def things_in_use(ask: Ask) -> int:
    """How many things the city has, its areas and departments aside."""
    types = [entity for entity in ask.hub.model.entities.values() if entity.app.__name__ != "house"]
    return sum(int(ask.hub.things.register(entity.__name__).active().sum()) for entity in types)


def families(ask: Ask) -> list[dict[str, Any]]:
    """The indicators of each family with their course over two weeks."""
    today = ask.hub.calendar.day(ask.now)
    found: dict[str, list[dict[str, Any]]] = {}
    for indicator in ask.hub.indicators.indicators.values():
        if ask.may("see", target(indicator)):
            points = ask.hub.indicators.trend(indicator, today - timedelta(DAYS - 1), today)
            found.setdefault(getattr(indicator.app, "family", ""), []).append(indicator_row(ask, indicator, points))
    return [{"key": key, "title": ask._(text), "rows": found[key]} for key, text in FAMILIES.items() if key in found]


def happening(ask: Ask) -> dict[str, Any]:
    """The newest standing alerts, and the city's own drawing with what stands in each part of it."""
    by_app = standing_by_app(ask)
    groups = by_family(ask)
    drawn = []
    for key, text in FAMILIES.items():
        rows = [app_state(row, by_app.get(row["key"].rpartition("/")[2], Counter())) for row in groups[key]]
        drawn.append({"key": key, "title": ask._(text), "apps": rows})
    data: dict[str, Any] = {"alerts": of_areas(ask, None, levels_of(ask), NEWEST), "drawing": drawn}
    data["by_level"] = {level: sum(counts[level] for counts in by_app.values()) for level in reversed(LEVELS)}
    data["supports"] = [{"key": key, "title": COLON.split(ask._(text))[0]} for key, text in SUPPORTS.items()]
    return data


def app_state(row: dict[str, Any], counts: Counter[str]) -> dict[str, Any]:
    """An application in the drawing: its place, and the worst of what stands in it."""
    worst = next((level for level in reversed(LEVELS) if counts[level]), "")
    kept = {key: row[key] for key in ("key", "title", "system", "url")}
    return {**kept, "alerts": counts.total(), "worst": worst}


def standing_by_app(ask: Ask) -> dict[str, Counter[str]]:
    """Application → how many alerts stand, by level."""
    query = select(alerts.c.app, alerts.c.level, func.count()).where(STANDING).group_by(alerts.c.app, alerts.c.level)
    found: dict[str, Counter[str]] = {}
    with ask.hub.store.read() as conn:
        for app, level, count in conn.execute(query):
            found.setdefault(app, Counter())[level] += count
    return found


routes = [wall, numbers_now, happening_now]
