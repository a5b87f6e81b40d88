"""The audit: who did or tried what, and whether the chain of its rows holds."""

from typing import Any

from sqlalchemy import ColumnElement, select

from cheng.infrastructure.tables import audit
from cheng.web.ask import Ask
from cheng.web.city.noting import note
from cheng.web.city.periods import moment
from cheng.web.pages import Answer, Column, Page, get, post

COLUMNS = (
    Column("seq", "Row"),
    Column("at", "When", "moment"),
    Column("actor", "Who"),
    Column("verb", "Did what"),
    Column("object", "With what"),
    Column("outcome", "Outcome"),
    Column("reason", "Why"),
    Column("purpose", "What for"),
    Column("address", "From where"),
    Column("detail", "Details"),
)
OUTCOMES = {"allowed": "allowed", "refused": "refused", "failed": "failed"}


@get("/console/audit", needs=("read-audit", "audit"), entry="Audit", order=60)
def trail(ask: Ask) -> Page:
    """The newest rows first, by person, verb, object, outcome and time."""
    ask.require("read-audit", "audit")
    return page(ask)


def page(ask: Ask, verdict: dict[str, Any] | None = None) -> Page:
    limit, before = ask.limit(50, 500), ask.whole("before", 0)
    query = select(audit).where(*matching(ask)).order_by(audit.c.seq.desc()).limit(limit + 1)
    if before:
        query = query.where(audit.c.seq < before)
    with ask.hub.store.read() as conn:
        found = [row_of(dict(row)) for row in conn.execute(query).mappings()]
        verbs = list(conn.execute(select(audit.c.verb).distinct().order_by(audit.c.verb).limit(100)).scalars())
    rows = found[:limit]
    data = {"audit": rows, "next": rows[-1]["seq"] if len(found) > limit else None}
    extra = {"verbs": [("", ask._("Everything")), *((verb, verb) for verb in verbs)], "verdict": verdict}
    extra["outcomes"] = [("", ask._("All")), *((key, ask._(text)) for key, text in OUTCOMES.items())]
    return Page(
        "console/audit.html", data, rows="audit", columns=COLUMNS, extra=extra, fragment="" if verdict else "list"
    )


def row_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row for a list."""
    detail = ", ".join(f"{key}={value}" for key, value in (row["detail"] or {}).items())
    return {**{column.key: row[column.key] for column in COLUMNS}, "detail": detail}


def matching(ask: Ask) -> list[ColumnElement[bool]]:
    """The filters of the address as conditions."""
    found: list[ColumnElement[bool]] = []
    if actor := ask.query("actor"):
        found.append(audit.c.actor == actor)
    if verb := ask.query("verb"):
        found.append(audit.c.verb == verb)
    if about := ask.query("object"):
        found.append(audit.c.object.startswith(about, autoescape=True))
    if outcome := ask.choice("outcome", tuple(OUTCOMES)):
        found.append(audit.c.outcome == outcome)
    if start := moment(ask, "from"):
        found.append(audit.c.at >= start)
    if end := moment(ask, "to"):
        found.append(audit.c.at < end)
    return found


@post("/console/audit/verify", needs=("read-audit", "audit"))
def check(ask: Ask) -> Answer:
    """Walk the whole chain and say whether every row is the one that was written."""
    ask.require("read-audit", "audit")
    verdict = ask.hub.seals.check(ask.hub.store)
    note(ask, "read-audit", "audit", deed="verify", rows=verdict.rows, holds=bool(verdict))
    told = {"rows": verdict.rows, "head": verdict.head, "holds": bool(verdict)}
    return page(ask, told | {"problem": ask._(verdict.problem, **verdict.values) if verdict.problem else ""})


routes = [trail, check]
