"""Who reported a case, and how they are reached: for those who call back, and every look is in the audit."""

from typing import Any

from cheng.web.desk import words
from cheng.web.desk.case import target
from cheng.web.desk.seeing import case_of
from cheng.web.pages import Ask, Column, Page, get

COLUMNS = (
    Column("at", "When", "moment"),
    Column("source_text", "Channel"),
    Column("name", "Name"),
    Column("phone", "Telephone"),
    Column("email", "E-mail"),
    Column("text", "What they said"),
)


@get("/desk/cases/{number:str}/reporters", needs=("see-contact", "case"))
def reporters(ask: Ask, number: str) -> Page:
    """The people whose reports this case stands for."""
    filed = case_of(ask, number)
    ask.require("see-contact", target(filed))
    rows = [row_of(ask, dict(row)) for row in ask.hub.reports.of_case(filed.entry.id)]
    data = {"number": filed.entry.number, "title": words.title(ask, filed.entry), "reports": rows}
    return Page("desk/reporters.html", data, rows="reports", columns=COLUMNS)


def row_of(ask: Ask, row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("at", "source", "name", "phone", "email", "text")}
    return kept | {"source_text": words.say(ask, row["source"])}


routes = [reporters]
