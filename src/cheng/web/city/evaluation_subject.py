"""One subject of the evaluation: every rate with its formula and numbers, and every case behind each of them."""

from typing import Any

from cheng.infrastructure.evaluation_counting import Only
from cheng.infrastructure.evaluation_period import Behind
from cheng.methods.evaluation import POSTS, RATES, Part, band
from cheng.security.permissions import Target
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.evaluating import (
    CITY,
    TEXTS,
    Asked,
    asked,
    judged,
    merged,
    names,
    percent,
    periods,
    points,
    rate_row,
)
from cheng.web.city.evaluation import COUNTED, frame, hotline
from cheng.web.city.evaluation_map import hours_told
from cheng.web.pages import Column, Page, get

OF_RATES = (
    Column("name", "Rate"),
    Column("value", "Value", "percent"),
    Column("above_text", "Counted above the line"),
    Column("above", "Above", "number"),
    Column("below_text", "Counted below the line"),
    Column("below", "Below", "number"),
)
OF_CASES = (
    Column("number", "Case"),
    Column("at", "Counted on", "moment"),
    Column("department", "Department"),
    Column("person", "Who"),
    Column("above", "Above the line"),
    Column("left_out", "Left out"),
)
LEFT_OUT = {
    "appeal": "appeal was granted",
    "void": "case is void",
    "merged": "merged into another case",
    "moved": "moved to another department",
    "passed": "passed on to another city",
    "returned": "sent back in time",
}


def subject_of(ask: Ask, about: Asked) -> tuple[str, str, Only]:
    """Key and name of the subject, and which cases are its own. Refused (404) for one that there is not."""
    key = ask.query("key")
    if about.by == CITY:
        return "", ask.hub.settings.city, about.only
    if not key:
        raise Refused("no-subject", "Name the department, area or person to look at.", status=404)
    if about.by == "department":
        ask.require("see", Target("evaluation", department=key))
    return key, names(ask, about.by, [key])[key], merged(about.only, about.way, key)


@get("/evaluation/subject", needs=("see", "evaluation"))
def subject(ask: Ask) -> Page:
    """A department, an area, a person or the city: score, rates, counts and hours."""
    about = asked(ask, CITY)
    key, name, only = subject_of(ask, about)
    now, then = periods(ask, about)
    counts = now.counts(about.way, about.only).get(key, {})
    before = then.counts(about.way, about.only).get(key, {})
    rows = [rate_row(ask, about, key, rate, counts, before) for rate in RATES.values()]
    told = judged(ask, about, counts, before)
    data: dict[str, Any] = {
        "flow": about.flow,
        "period": {"first": str(about.term.first), "last": str(about.term.last)},
        "by": about.by,
        "key": key,
        "name": name,
        **{part: told[part] for part in ("score", "grade", "change")},
        "counts": counts,
        "rates": [row for row in rows if row["below"]],
        "parts_of_score": [part_row(ask, part, counts) for part in about.parts],
        "hours": now.hours(only),
        "hotline": hotline(ask, now, only),
    }
    extra = frame(ask, about) | {"mark": told, "kind": ask._(TEXTS.get(about.by, "City"))}
    extra |= hours_told(ask, data["hours"])
    extra["tiles"] = [(ask._(text), counts.get(count, 0)) for count, text in COUNTED.items()]
    extra["back"] = ask.url("/evaluation", **about.query())
    return Page("city/evaluation_subject.html", data, rows="rates", columns=OF_RATES, keep=KEPT, extra=extra)


KEPT = ("url", "rate", "text", "before_text", "better")


def part_row(ask: Ask, part: Part, counts: dict[str, int]) -> dict[str, Any]:
    """A part of the score: how many of its points it brings, and from what."""
    share = part.share(counts)
    if part.of in RATES:
        name = ask._(RATES[part.of].name)
        text = percent(ask, None if share is None else 1 - share if part.less_is_more else share)
    else:
        count = counts.get(part.of, 0)
        name, text = ask._("How many"), f"{ask.local.number(count, 0)} → {band(count)}" if count else "–"
    brings = None if share is None else share * part.points
    return {"name": name, "text": text, "of": part.points, "points": None if brings is None else float(brings)} | {
        "points_text": points(ask, brings),
        "less_is_more": part.less_is_more,
    }


@get("/evaluation/cases", needs=("see", "evaluation"))
def cases(ask: Ask) -> Page:
    """Every case behind a rate: those above the line, those below it, and those left out with the reason."""
    about = asked(ask, CITY)
    key, name, only = subject_of(ask, about)
    rate = RATES[ask.choice("rate", tuple(RATES), "closed")]
    show = ask.choice("show", ("all", "above", "not above", "left out"), "all")
    now = ask.hub.evaluation.period(about.flow, *about.term.bounds(ask))
    found = now.behind(rate, only)
    counts = now.counts(about.way, about.only).get(key, {})
    chosen = [row for row in found if fits(row, show)]
    page, limit = ask.whole("page", 1, 1, 100_000), ask.limit(50, 1000)
    shown = chosen[::-1][(page - 1) * limit : page * limit]
    data: dict[str, Any] = {
        "rate": rate_row(ask, about, key, rate, counts, {}),
        "subject": name,
        "cases": case_rows(ask, shown),
        "found": len(chosen),
    }
    extra = frame(ask, about) | {"page": page, "more": len(chosen) > page * limit, "shows": shows(ask, found, show)}
    extra |= {"back": ask.url("/evaluation/subject", **about.query(key=key or None)), "rate_of": rate}
    return Page("city/evaluation_cases.html", data, rows="cases", columns=OF_CASES, extra=extra)


def fits(row: Behind, show: str) -> bool:
    if show == "left out":
        return row.left_out != ""
    if show == "all":
        return True
    return row.left_out == "" and row.counts == (show == "above")


def shows(ask: Ask, found: list[Behind], show: str) -> list[tuple[str, str, bool, int]]:
    """Tabs: all of them, those above the line, those only below it, those left out."""
    texts = {
        "all": "All",
        "above": "Above the line",
        "not above": "Only below the line",
        "left out": "Not counted",
    }
    return [
        (ask._(text), ask.here(show=key, page=None), key == show, sum(fits(row, key) for row in found))
        for key, text in texts.items()
    ]


def case_rows(ask: Ask, rows: list[Behind]) -> list[dict[str, Any]]:
    """As the list shows them; a case of another department has no link for an officer."""
    people = names(ask, next(iter(POSTS)), list({row.person for row in rows if row.person}))
    return [
        {
            "number": row.number,
            "at": row.at,
            "department": ask._(row.department) if row.department and ask.representation == "html" else row.department,
            "person": people.get(row.person, ""),
            "above": "" if row.left_out else ask._("yes") if row.counts else ask._("no"),
            "left_out": ask._(LEFT_OUT.get(row.left_out, row.left_out)) if row.left_out else "",
            "url": ask.url(f"/desk/cases/{row.number}") if ask.may("enter", "desk") else "",
        }
        for row in rows
    ]


routes = [subject, cases]
