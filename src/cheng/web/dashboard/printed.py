"""The report of a day on paper."""

from typing import Any

from reportlab.platypus import Flowable

from cheng.web.ask import Ask
from cheng.web.paper import printed, section, table


def pdf(ask: Ask, report: dict[str, Any]) -> bytes:
    """`report` of `day_of_city` as the bytes of a PDF."""
    heading = ask._("Daily report of {city}, {day}", city=ask.hub.settings.city, day=ask.local.date(report["begin"]))
    story = [*summary(ask, report), *indicators(ask, report), *areas(ask, report), *departments(ask, report)]
    return printed(ask, heading, [*story, *worst(ask, report)])


def summary(ask: Ask, report: dict[str, Any]) -> list[Flowable]:
    alerts, cases = report["alerts"], report["cases"]
    rows = [[ask._("Alerts raised"), alerts["raised"]], [ask._("Alerts left standing"), alerts["standing"]]]
    rows.append([ask._("Emergencies"), alerts["levels"]["emergency"]])
    if cases:
        rows[0] += [ask._("Cases opened"), cases["opened"]]
        rows[1] += [ask._("Cases closed"), cases["closed"]]
        rows[2] += [ask._("Overdue at the end"), cases["late"]]
    widths = (0.32, 0.18, 0.32, 0.18)[: len(rows[0])]
    return [table([[str(cell) for cell in row] for row in rows], widths, right=(1, 3))]


def indicators(ask: Ask, report: dict[str, Any]) -> list[Flowable]:
    heads = (ask._("Indicator"), ask._("Value"), ask._("Target"), ask._("Reached"))
    rows = [
        [row["name"], row["text"], row["target_text"] or "–", row["met_text"] or "–"]
        for group in report["indicators"]
        for row in group["rows"]
        if row["value"] is not None
    ]
    return section(ask._("How well it went"), heads, rows, (0.46, 0.2, 0.18, 0.16), right=(1, 2))


def areas(ask: Ask, report: dict[str, Any]) -> list[Flowable]:
    counted = {"alerts": ask._("Alerts raised"), **({"opened": ask._("Cases opened")} if report["cases"] else {})}
    heads = (ask._("Area"), *counted.values())
    rows = [[row["area"], *(str(row[name]) for name in counted)] for row in report["areas"]]
    return section(ask._("By area"), heads, rows, (0.5, 0.25, 0.25)[: len(heads)], right=(1, 2))


def departments(ask: Ask, report: dict[str, Any]) -> list[Flowable]:
    heads = (ask._("Department"), ask._("Cases opened"), ask._("Cases closed"), ask._("Overdue at the end"))
    rows = [
        [row["department"], *(str(row[name]) for name in ("opened", "closed", "late"))]
        for row in (report["cases"] or {"departments": ()})["departments"]
    ]
    return section(ask._("By department"), heads, rows, (0.4, 0.2, 0.2, 0.2), right=(1, 2, 3))


def worst(ask: Ask, report: dict[str, Any]) -> list[Flowable]:
    heads = (ask._("Raised"), ask._("Alert"), ask._("Over"))
    rows = [
        [ask.local.time(row["raised"]), row["text"], ask.local.moment(row["cleared"]) or ask._("standing")]
        for row in report["alerts"]["worst"]
    ]
    return section(ask._("The gravest alerts"), heads, rows, (0.12, 0.66, 0.22))
