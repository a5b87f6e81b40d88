"""The evaluation of a month as a report: a page, and a PDF to hand round."""

from typing import Any

from litestar import Response
from reportlab.platypus import Flowable

from cheng.infrastructure.evaluation_counting import By
from cheng.kernel.classes import CaseClass
from cheng.methods.evaluation import RATES
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.evaluating import (
    CITY,
    POST_TEXTS,
    TEXTS,
    Asked,
    asked,
    flow_title,
    judged,
    periods,
    rate_row,
    totals,
    way,
)
from cheng.web.city.evaluation import COUNTED, hotline, ranking
from cheng.web.city.evaluation_map import WEEKDAYS
from cheng.web.city.terms import MONTH, Term, named
from cheng.web.pages import Answer, Page, get
from cheng.web.paper import printed, section, table

PATHS = ("/evaluation/report", "/evaluation/report/{month:str}")
TABLES = ("department", "district", "street", *POST_TEXTS)
"""What is ranked in the report, in this order."""
MOST, CLASSES = 15, 15
"""Lines of each ranking, and classes that were reported most."""
OFFERED = 12
RATES_SHOWN = ("handled", "handled_in_time", "reworked")
Report = dict[str, Any]


@get(PATHS, needs=("see", "evaluation"), entry="Monthly report", order=36)
def report(ask: Ask, month: str = "") -> Page:
    """One month; the last one that is over when none is named."""
    about = of_month(ask, month)
    today = ask.hub.calendar.day(ask.now)
    months = [Term.month(today.year, today.month)]
    while len(months) < OFFERED:
        months.append(months[-1].before)
    extra: dict[str, Any] = {
        "terms": [
            (one.title(ask), ask.url(f"/evaluation/report/{one.name}", flow=ask.query("flow")), one == about.term, None)
            for one in months
        ],
        "unfinished": about.term.last >= today,
        "term_text": about.term.title(ask),
        "flow_text": flow_title(ask, about.flow),
        "pdf": ask.url(f"/evaluation/report/{about.term.name}/report.pdf", flow=ask.query("flow")),
        "RATES_SHOWN": [(key, RATES[key].name) for key in RATES_SHOWN],
    }
    return Page("city/evaluation_report.html", month_of(ask, about), extra=extra)


@get("/evaluation/report/{month:str}/report.pdf", needs=("see", "evaluation"), api=True)
def on_paper(ask: Ask, month: str) -> Answer:
    """The same as a PDF."""
    about = of_month(ask, month)
    headers = {"Content-Disposition": f'inline; filename="evaluation-{about.term.name}.pdf"'}
    headers["Cache-Control"] = "no-store"
    return Response(pdf(ask, about, month_of(ask, about)), media_type="application/pdf", headers=headers)


def of_month(ask: Ask, month: str) -> Asked:
    """What is to be reported. Refused: not a month (404), or one that has not come yet (400)."""
    about = asked(ask, CITY)
    today = ask.hub.calendar.day(ask.now)
    chosen = named(month) if MONTH.fullmatch(month) else None
    if not month:
        chosen = Term.month(today.year, today.month).before
    if chosen is None:
        raise Refused("not-a-month", "{month} is not a month; write it like 2026-11.", {"month": month[:40]}, 404)
    if chosen.first > today:
        raise Refused("not-yet", "That month has not begun yet.", status=400)
    return Asked(about.flow, chosen, CITY, about.only, about.tree)


def month_of(ask: Ask, about: Asked) -> Report:
    """The report of a month as data."""
    now, earlier = periods(ask, about)
    ways = [By(), *(way(about.tree, by) for by in TABLES)]
    found = now.counts_by([*ways, By("class")], about.only)
    before = earlier.counts_by(ways, about.only)
    city, then = totals(found[0]), totals(before[0])
    rankings = []
    for at, by in enumerate(TABLES, 1):
        of_kind = Asked(about.flow, about.term, by, about.only, about.tree)
        rows = ranking(ask, of_kind, found[at], before[at])
        if rows:
            rankings.append({"by": by, "title": ask._(TEXTS[by]), "subjects": len(rows), "rows": rows[:MOST]})
    return {
        "flow": about.flow,
        "month": about.term.name,
        **{name: value for name, value in judged(ask, about, city, then).items() if name != "rates"},
        "counts": [
            {"count": name, "text": ask._(text), "value": city.get(name, 0), "before": then.get(name, 0)}
            for name, text in COUNTED.items()
        ],
        "rates": [row for rate in RATES.values() if (row := rate_row(ask, about, "", rate, city, then))["below"]],
        "rankings": rankings,
        "classes": classes(ask, about, found[-1], city.get("report.all", 0)),
        "busiest": busiest_hours(ask, now.hours(about.only)),
        "hotline": hotline(ask, now, about.only),
    }


def classes(ask: Ask, about: Asked, found: Any, reports: int) -> list[Report]:
    """What was reported most, with the share of all reports and how much of it was closed in time."""
    known: dict[str, CaseClass] = {one.code: one for one in ask.hub.classes.all(about.flow)}
    most = sorted(((counts["report.all"], code) for code, counts in found.items() if code), reverse=True)[:CLASSES]
    rows = []
    for count, code in most:
        told = known.get(code)
        chinese = ask.local.language.code == "zh_CN"
        name = code if told is None else told.name_zh if chinese and told.name_zh else told.name
        rates = judged(ask, about, found[code])["rates"]
        rows.append({"code": code, "name": name, "reports": count, "share": count / reports if reports else None})
        rows[-1]["closed_in_time"] = rates["closed_in_time"]
    return rows


def busiest_hours(ask: Ask, table: list[list[int]]) -> list[Report]:
    """The five hours of the week with most reports."""
    cells = sorted(((n, day, hour) for day, row in enumerate(table) for hour, n in enumerate(row) if n), reverse=True)
    return [
        {"day": ask._(WEEKDAYS[day]), "hour": f"{hour:02}:00–{hour + 1:02}:00", "reports": n}
        for n, day, hour in cells[:5]
    ]


# -- on paper


def pdf(ask: Ask, about: Asked, told: Report) -> bytes:
    """The report as the bytes of a PDF."""
    heading = ask._(
        "{flow} in {city}: evaluation of {month}",
        flow=flow_title(ask, about.flow),
        city=ask.hub.settings.city,
        month=about.term.title(ask),
    )
    story = [*summary(ask, told), *rates(ask, told), *rankings(ask, told), *reported(ask, told), *said(ask, told)]
    return printed(ask, heading, story)


def summary(ask: Ask, told: Report) -> list[Flowable]:
    cells = [[one["text"], ask.local.number(one["value"], 0)] for one in told["counts"]]
    cells.append([ask._("Points"), f"{told['score_text']} {told['grade']}".strip()])
    if len(cells) % 2:
        cells.append(["", ""])
    rows = [[*cells[at], *cells[at + 1]] for at in range(0, len(cells), 2)]
    return [table(rows, (0.32, 0.18, 0.32, 0.18), right=(1, 3))]


def rates(ask: Ask, told: Report) -> list[Flowable]:
    heads = (ask._("Rate"), ask._("Value"), ask._("Formula"), ask._("The month before"))
    rows = [
        [row["name"], row["text"], formula(ask, row), row["before_text"]]
        for row in told["rates"]
    ]  # fmt: skip
    return section(ask._("Rates"), heads, rows, (0.22, 0.14, 0.48, 0.16), right=(1, 3))


def formula(ask: Ask, row: Report) -> str:
    """The formula in words, with its numbers."""
    above, below = ask.local.number(row["above"], 0), ask.local.number(row["below"], 0)
    return f"{row['above_text']} {above} ÷ {row['below_text']} {below}"


def rankings(ask: Ask, told: Report) -> list[Flowable]:
    heads = (ask._("Rank"), ask._("Who or where"), ask._("Points"), ask._("Grade"), ask._("Against the month before"))
    found: list[Flowable] = []
    for one in told["rankings"]:
        rows = [
            [str(row["rank"]), row["name"], row["score_text"], row["grade"], row["change_text"] or "–"]
            for row in one["rows"]
        ]
        found += section(one["title"], heads, rows, (0.1, 0.42, 0.16, 0.12, 0.2), right=(0, 2, 4))
    return found


def reported(ask: Ask, told: Report) -> list[Flowable]:
    heads = (ask._("Class"), ask._("Reports"), ask._("Share"), ask._(RATES["closed_in_time"].name))
    rows = [
        [
            row["name"],
            ask.local.number(row["reports"], 0),
            ask.local.percent(row["share"], 2),
            ask.local.percent(row["closed_in_time"], 2),
        ]
        for row in told["classes"]
    ]
    found = section(ask._("What was reported most"), heads, rows, (0.49, 0.17, 0.17, 0.17), right=(1, 2, 3))
    times = (ask._("Day of the week"), ask._("Hour"), ask._("Reports"))
    rows = [[row["day"], row["hour"], ask.local.number(row["reports"], 0)] for row in told["busiest"]]
    return found + section(ask._("When most is reported"), times, rows, (0.4, 0.35, 0.25), right=(2,))


def said(ask: Ask, told: Report) -> list[Flowable]:
    line = told["hotline"]
    if not line["valid"]:
        return []
    names = {"response": "Response", "solution": "Solution", "satisfaction": "Satisfaction", "composite": "Composite"}
    rows = [[ask._(text), line["texts"][name]] for name, text in names.items()]
    rows.append([ask._("Valid call-backs"), ask.local.number(line["valid"], 0)])
    return section(ask._("The hotline"), (ask._("Rate"), ask._("Value")), rows, (0.6, 0.4), right=(1,))


routes = [report, on_paper]
