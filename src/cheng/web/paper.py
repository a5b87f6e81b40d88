"""Reports on paper: A4, Chinese set in the song face that every PDF reader has."""

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


def printed(ask: Ask, heading: str, story: Sequence[Flowable]) -> bytes:
    """The bytes of a PDF: a heading, what follows it, and on every page what it is and which page."""
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, title=heading, author=ask.hub.settings.city, leftMargin=18 * mm, rightMargin=18 * mm,
        topMargin=16 * mm, bottomMargin=16 * mm,
    )  # fmt: skip

    def foot(canvas: Any, page: Any) -> None:
        canvas.setFont(SONG, 8)
        canvas.drawString(18 * mm, 9 * mm, heading)
        canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, ask._("Page {n}", n=page.page))

    top: list[Flowable] = [Paragraph(escape(heading), TITLE), Spacer(0, 4 * mm)]
    document.build([*top, *story], onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


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
