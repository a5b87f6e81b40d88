"""The report of a day: as a page, and as a PDF to hand round."""

from datetime import date, timedelta
from typing import Any

from litestar import Response

from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.dashboard.day import day_of_city
from cheng.web.dashboard.printed import pdf
from cheng.web.pages import Answer, Page, get

PATHS = ("/dashboard/reports", "/dashboard/reports/{day:str}")
OFFERED = 14
"""Days that the page has a link to."""


@get(PATHS, needs=("enter", "dashboard"), entry="Daily report", order=20)
def report(ask: Ask, day: str = "") -> Page:
    """One day of the city; yesterday when none is named."""
    today, chosen = days_of(ask, day)
    data = day_of_city(ask, chosen)
    days = [today - timedelta(back) for back in range(OFFERED)]
    extra: dict[str, Any] = {"days": [(str(one), ask.hub.indicators.start_of(one)) for one in days]}
    extra["unfinished"] = chosen == today
    return Page("dashboard/report.html", data, extra=extra)


@get("/dashboard/reports/{day:str}/report.pdf", needs=("enter", "dashboard"), api=True)
def printed(ask: Ask, day: str) -> Answer:
    """The same as a PDF."""
    _, chosen = days_of(ask, day)
    headers = {"Content-Disposition": f'inline; filename="report-{chosen}.pdf"', "Cache-Control": "no-store"}
    return Response(pdf(ask, day_of_city(ask, chosen)), media_type="application/pdf", headers=headers)


def days_of(ask: Ask, day: str) -> tuple[date, date]:
    """Today, and the day that is meant. Refused: not a day (404), or one that has not come yet (400)."""
    today = ask.hub.calendar.day(ask.now)
    if not day:
        return today, today - timedelta(1)
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        raise Refused("not-a-day", "{day} is not a day; write it like 2026-11-20.", {"day": day[:40]}, 404) from None
    if chosen > today:
        raise Refused("not-yet", "That day has not come yet.", status=400)
    return today, chosen


routes = [report, printed]
