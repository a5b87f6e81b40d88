"""The report of a day on paper: A4, Chinese set in the song face that every PDF reader has."""

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from cheng.web.ask import Ask

SONG = "STSong-Light"
LINE, INK, SOFT = colors.HexColor("#c8cfda"), colors.HexColor("#15191f"), colors.HexColor("#eef1f5")
WIDTH = A4[0] - 36 * mm
pdfmetrics.registerFont(UnicodeCIDFont(SONG))
BODY = ParagraphStyle("body", fontName=SONG, fontSize=9.5, leading=14, textColor=INK, wordWrap="CJK")
SMALL = ParagraphStyle("small", BODY, fontSize=8.5, leading=12)
HEAD = ParagraphStyle("head", BODY, fontSize=12, leading=18, spaceBefore=10, spaceAfter=4)
TITLE = ParagraphStyle("title", BODY, fontSize=18, leading=26)


def pdf(ask: Ask, report: dict[str, Any]) -> bytes:
    """`report` of `day_of_city` as the bytes of a PDF."""
    out = io.BytesIO()
    city, day = ask.hub.settings.city, ask.local.date(report["begin"])
    heading = ask._("Daily report of {city}, {day}", city=city, day=day)
    document = SimpleDocTemplate(
        out, pagesize=A4, title=heading, author=city, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm,
        bottomMargin=16 * mm,
    )  # fmt: skip

    def foot(canvas: Any, page: Any) -> None:
        canvas.setFont(SONG, 8)
        canvas.drawString(18 * mm, 9 * mm, heading)
        canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, ask._("Page {n}", n=page.page))

    story: list[Flowable] = [Paragraph(escape(heading), TITLE), Spacer(0, 4 * mm)]
    story += [*summary(ask, report), *indicators(ask, report), *areas(ask, report), *departments(ask, report)]
    story += [*worst(ask, report)]
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


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


def section(
    heading: str, heads: Sequence[str], rows: list[list[str]], widths: Sequence[float], right: Sequence[int] = ()
) -> list[Flowable]:
    """A heading with its table; nothing where there are no rows."""
    if not rows:
        return []
    return [Paragraph(escape(heading), HEAD), table([list(heads), *rows], widths, right, head=True)]


def table(rows: list[list[str]], widths: Sequence[float], right: Sequence[int] = (), head: bool = False) -> Table:
    """Cells that break where they have to; columns `right` are numbers."""
    to_right = ParagraphStyle("right", SMALL, alignment=2)
    cells = [[Paragraph(raised(text), to_right if n in right else SMALL) for n, text in enumerate(row)] for row in rows]
    made = Table(cells, colWidths=[share * WIDTH for share in widths], repeatRows=1 if head else 0)
    style: list[Any] = [("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    made.setStyle(TableStyle([*style, ("BACKGROUND", (0, 0), (-1, 0), SOFT)] if head else style))
    return made


def raised(text: str) -> str:
    """As markup: the song face has no raised figures of its own."""
    return escape(text).replace("²", "<super>2</super>").replace("³", "<super>3</super>")
