"""Cases that many alerts open, and what is said about those alerts since: a lot at a time, by the rules of one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import JSON, Connection, Table, bindparam, select, update

from cheng.infrastructure import case_rows as rows
from cheng.infrastructure.bulk import as_json, insert_rows
from cheng.infrastructure.case_book import CaseBook, case_id
from cheng.infrastructure.case_rows import Opening
from cheng.infrastructure.store import next_numbers
from cheng.infrastructure.tables import acts, case_runs, case_shared, cases
from cheng.kernel import cases as kernel
from cheng.kernel.cases import Case
from cheng.kernel.flows import Flow
from cheng.kernel.standing import HOUSE

CHUNK = 500
"""Alerts that one question names."""
RENAME = update(cases).where(cases.c.alert == bindparam("before")).values(alert=bindparam("after"))


class Opened(NamedTuple):
    """A case to be opened for an alert."""

    flow: type[Flow]
    about: Opening
    over: Mapping[str, Any] | None
    """what the case is told when the alert is over already"""


class Told(NamedTuple):
    """Something the house tells a case."""

    case: str
    verb: str
    data: Mapping[str, Any]


def open_all(book: CaseBook, conn: Connection, opened: Sequence[Opened]) -> None:
    """Opens a case for each alert; one whose alert had opened a case stands again if it was withdrawn."""
    known: set[str | None] = set()
    for start in range(0, len(opened), CHUNK):
        keys = [one.about.get("alert_key") for one in opened[start : start + CHUNK]]
        known |= set(conn.execute(select(cases.c.alert).where(cases.c.alert.in_(keys))).scalars())
    open_new(book, conn, [one for one in opened if one.about.get("alert_key") not in known])
    for flow, about, over in opened:
        if about.get("alert_key") in known:
            filed = book.open_in(conn, flow, **about)
            if over is not None:
                book.act_in(conn, filed.entry.id, "alert_cleared", HOUSE, over)


def open_new(book: CaseBook, conn: Connection, opened: Sequence[Opened]) -> None:
    if not opened:
        return
    now = book.clock.now()
    first = next_numbers(conn, book.counter(now), len(opened))
    lines, done, runs, shared = [], [], [], []
    for count, (flow, about, over) in enumerate(opened, first):
        number = book.number(now, count)
        id_, area = case_id(about.get("alert_key"), number), about.get("area") or None
        case = Case(id=id_, flow=flow.key())
        for verb, data in (("open", rows.told(about)), ("alert_cleared", over)):
            if data is not None:
                act = kernel.act(flow, case, verb, HOUSE, now, data, book.calendar)
                case = kernel.add(case, act, book.calendar)
                done.append(rows.act_row(id_, case.version, act))
        lines.append(rows.line(case, flow, about, number))
        runs += rows.run_rows(case, area)
        shared += [{"case": id_, "department": name} for name in case.departments[1:]]
    for table, added in ((cases, lines), (acts, done), (case_runs, runs), (case_shared, shared)):
        insert(conn, table, added)


def insert(conn: Connection, table: Table, added: Sequence[dict[str, Any]]) -> None:
    """Adds rows that all have the same columns."""
    if added:
        columns = tuple(added[0])
        plain = [not isinstance(table.c[name].type, JSON) for name in columns]
        values = [
            tuple(v if as_it_is else as_json(v) for v, as_it_is in zip(row.values(), plain, strict=True))
            for row in added
        ]
        insert_rows(conn, table.name, columns, values)


def tell_all(book: CaseBook, conn: Connection, told: Sequence[Told]) -> None:
    """Tells cases what became of their alerts."""
    for case, verb, data in told:
        book.act_in(conn, case, verb, HOUSE, data)


def rename(conn: Connection, before: str, after: str) -> None:
    """An alert is known by another key: so is it to its case."""
    conn.execute(RENAME, {"before": before, "after": after})
