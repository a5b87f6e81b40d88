"""How well departments, areas and posts do: a ranking with grades, where and when most is reported, and its course."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

from cheng.infrastructure.evaluation_counting import By, Only
from cheng.infrastructure.evaluation_period import Period
from cheng.methods.evaluation import POSTS, RATES, WORDS, CallBacks, hotline_points
from cheng.web.ask import Ask
from cheng.web.city.evaluating import (
    CITY,
    TEXTS,
    Asked,
    asked,
    flow_title,
    judged,
    merged,
    names,
    percent,
    periods,
    points,
    ranked,
    sees_all,
    totals,
    way,
)
from cheng.web.city.evaluation_map import hours_told, level_drawn, picture
from cheng.web.city.terms import offered
from cheng.web.pages import Column, Page, get

RANKING = (
    Column("name", "Who or where"),
    Column("rank", "Rank", "number"),
    Column("score", "Points", "number"),
    Column("grade", "Grade"),
    Column("change", "Against the period before", "number"),
)
OF_AREAS = ("handled", "handled_in_time", "closed_in_time", "reworked", "extended", "overdue")
"""Rates beside the score where it is one of an area or a department."""
COUNTED = {
    "report.all": "Reported",
    "report.valid": "Filed",
    "report.simple": "Put right on the spot",
    "whole.done": "Closed",
    "whole.pending": "Under way",
    "handle.overdue": "Overdue and open",
    "report.void": "Void",
    "paused.all": "Suspended",
    "sent_back.return": "Sent back",
    "sent_back.rework": "Rework",
    "extended.all": "More time",
    "whole.appealed": "Appeals granted",
}
"""Counts on the tiles, with their names."""
MOST = 200
DAY = 86_400_000_000


@get("/evaluation", needs=("see", "evaluation"), entry="Evaluation", order=35)
def evaluation(ask: Ask) -> Page:
    """The ranking of a period, and what is to be seen of it as a whole."""
    about = asked(ask)
    now, then = periods(ask, about)
    level = level_drawn(about.tree, about.by)
    ways = [By(), about.way, *([way(about.tree, level)] if level else [])]
    found = now.counts_by(ways, about.only)
    before = then.counts_by(ways[:2], about.only)
    rows = ranking(ask, about, found[1], before[1])
    city = totals(found[0])
    page, limit = ask.whole("page", 1, 1, 10_000), ask.limit(MOST, 5000)
    data: dict[str, Any] = {
        "flow": about.flow,
        "period": {"first": str(about.term.first), "last": str(about.term.last)},
        "by": about.by,
        "counts": {name: city.get(name, 0) for name in COUNTED},
        "rows": rows[(page - 1) * limit : page * limit],
        "subjects": len(rows),
        "hours": now.hours(about.only),
        "hotline": hotline(ask, now, about.only),
    }
    columns = (*RANKING, *(Column(key, RATES[key].name, "percent") for key in shown_rates(about)))
    extra: dict[str, Any] = frame(ask, about) | {"page": page, "more": len(rows) > page * limit, "rates": RATES}
    if ask.representation == "html":
        there = {key: counts["report.all"] for key, counts in found[2].items()} if level else {}
        links = {key: ask.url("/evaluation/subject", **about.query() | {"by": level, "key": key}) for key in there}
        extra["picture"] = picture(ask, about.tree, level, there, links)
        extra["places"] = busiest(ask, level, there)
        extra |= hours_told(ask, data["hours"])
        extra["tiles"] = [(ask._(text), data["counts"][name]) for name, text in COUNTED.items()]
        extra["report_url"] = ask.url(f"/evaluation/report/{about.term.last:%Y-%m}", flow=about.query()["flow"])
    keep = ("url", "key", "grade", "score_text", "change_text")
    return Page("city/evaluation.html", data, rows="rows", columns=columns, keep=keep, extra=extra)


def frame(ask: Ask, about: Asked) -> dict[str, Any]:
    """What every page about evaluation says: of what, over which time, and by what else one may look."""
    flows = ask.hub.evaluation.flows
    return {
        "about": about,
        "flow_text": flow_title(ask, about.flow),
        "flows": [(key, flow_title(ask, key)) for key in flows],
        "term_text": about.term.title(ask),
        "before_text": about.term.before.title(ask),
        "terms": offered(ask, about.term),
        "ways": [
            (ask._(text), ask.here(by=by, key=None, page=None), by == about.by, None) for by, text in TEXTS.items()
        ],
        "sees_all": sees_all(ask),
        "trend_src": ask.url("/evaluation/trend.json", **about.query(key=ask.query("key") or None)),
    }


def shown_rates(about: Asked) -> tuple[str, ...]:
    """The rates beside the score: those that it is made of where it is one of a post."""
    if about.by not in POSTS or about.by == "handler":
        return OF_AREAS
    return tuple(part.of for part in POSTS[about.by] if part.of in RATES)


def ranking(ask: Ask, about: Asked, found: Any, before: Any) -> list[dict[str, Any]]:
    """One line a subject, the best first; what belongs to nobody is left out."""
    called = names(ask, about.by, [key for key in found if key])
    rows = []
    for key, name in called.items():
        told = judged(ask, about, found[key], before.get(key))
        if told["score"] is None:
            continue
        url = ask.url("/evaluation/subject", **about.query(key=key))
        rates = {rate: told["rates"][rate] for rate in shown_rates(about)}
        rows.append({"key": key, "name": name, "url": url, **told, **rates})
    return ranked(rows)


def busiest(ask: Ask, level: str, counts: dict[str, int]) -> list[tuple[str, int]]:
    """The ten areas in which most was reported: what the picture says, in words."""
    most = sorted(((n, key) for key, n in counts.items() if key and n), reverse=True)[:10]
    called = names(ask, level, [key for _, key in most])
    return [(called[key], n) for n, key in most]


def hotline(ask: Ask, now: Period, only: Only) -> dict[str, Any]:
    """What people said who were called back, and the points of the hotline's block."""
    said: CallBacks = now.said(only)
    closed, took = now.cycle(only)
    spots = now.spots(only)
    days = Fraction(took, closed * DAY) if closed else None
    block = hotline_points(said.satisfaction, days, len(spots))
    rates = {name: getattr(said, name) for name in ("response", "solution", "satisfaction", "composite")}
    return {
        **{name: getattr(said, name) for name in ("valid", "reached", "solved", "satisfied", "mostly")},
        **{name: None if value is None else float(value) for name, value in rates.items()},
        "days": None if days is None else round(float(days), 2),
        "spots": len(spots),
        "points": {name: None if value is None else round(float(value), 2) for name, value in block.items()},
        "texts": {name: percent(ask, value) for name, value in rates.items()}
        | {f"points_{name}": points(ask, value) for name, value in block.items()},
    }


@get("/evaluation/trend", needs=("see", "evaluation"))
def trend(ask: Ask) -> Page:
    """Reports of each day, cases due and closed in time, as their chart draws them."""
    about = asked(ask, CITY)
    book, (start, end) = ask.hub.evaluation, about.term.bounds(ask)
    only = merged(about.only, about.way, ask.query("key"))
    days = book.period(about.flow, start, end).days(only)
    last = min(about.term.last, ask.hub.calendar.day(ask.now))
    all_days = [about.term.first + timedelta(n) for n in range((last - about.term.first).days + 1)]
    texts = (ask._("Reported"), ask._(WORDS["whole.due"][0]), ask._(WORDS["whole.in_time"][0]))
    series = [
        {"name": text, "points": [[book.start_of(day) // 1000, days.get(day, (0, 0, 0))[at]] for day in all_days]}
        for at, text in enumerate(texts)
    ]
    data = {
        "title": ask._("Day by day"),
        "unit": "",
        "from": start // 1000,
        "to": book.start_of(last + timedelta(1)) // 1000,
        "zone": str(ask.local.zone),
        "series": series,
    }
    return Page("city/evaluation.html", data)


routes = [evaluation, trend]
