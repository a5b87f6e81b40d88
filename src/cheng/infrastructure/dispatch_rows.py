"""Closed cases as rows to learn from: what was known of each when it was dispatched, and who handled it in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from cheng.infrastructure.tables import case_runs, cases
from cheng.kernel.flows import Flow
from cheng.methods.dispatching import AREAS

FIELDS = ("class", "group", "kind", "source", *AREAS)
MOST = 40_000
"""Closed cases that are learnt from, the newest."""


@dataclass(frozen=True, slots=True)
class Closed:
    """One closed case; times in µs."""

    opened: int
    closed: int
    class_code: str
    text: str
    facts: Mapping[str, str]
    """by FIELDS"""
    department: str


def facts_of(values: Mapping[str, Any], class_code: str, source: str = "") -> dict[str, str]:
    """What a department is suggested by. Group and kind are the first three signs of a class's code and its letter."""
    code = class_code or str(values.get("class") or "")
    known = {"class": code, "group": code[:3], "kind": code[:1], "source": source or str(values.get("source") or "")}
    return known | {area: str(values.get(area) or "") for area in AREAS}


def handled_at(flow: type[Flow]) -> str:
    """The step that goes to the departments which the one before it chose; "" in flows where nobody chooses."""
    asking = next((step.name for step in flow.steps if "departments" in step.asks), "")
    following = flow.steps[flow.position(asking) + 1 :] if asking else ()
    return following[0].name if following else ""


def closed_cases(conn: Connection, flow: type[Flow]) -> list[Closed]:
    """The newest closed cases that were dispatched, the oldest of them first; parts of others left out."""
    here = (case_runs.c.flow == flow.key()) & (case_runs.c.step == handled_at(flow))
    last = (
        select(case_runs.c.case, func.max(case_runs.c.n).label("n")).where(here).group_by(case_runs.c.case).subquery()
    )
    columns = (cases.c.opened, cases.c.closed, cases.c.class_code, cases.c.source, cases.c.title_values, cases.c.data)
    query = (
        select(*columns, case_runs.c.department)
        .join(last, last.c.case == cases.c.id)
        .join(case_runs, (case_runs.c.case == last.c.case) & (case_runs.c.n == last.c.n))
        .where(cases.c.flow == flow.key(), cases.c.state == "closed", cases.c.parent.is_(None))
        .where(case_runs.c.department != "", cases.c.closed.is_not(None))
        .order_by(cases.c.opened.desc(), cases.c.id.desc())
        .limit(MOST)
    )
    found = []
    for row in conn.execute(query):
        code, text = row.class_code or "", str(row.data.get("text") or "")
        facts = facts_of(row.title_values, code, row.source or "")
        found.append(Closed(row.opened, row.closed, facts["class"], text, facts, row.department))
    return found[::-1]


def columns_of(rows: Sequence[Closed]) -> dict[str, list[str]]:
    """Field → the word of each case."""
    return {field: [row.facts[field] for row in rows] for field in FIELDS}


def departments_of(rows: Sequence[Closed]) -> list[str]:
    return [row.department for row in rows]
