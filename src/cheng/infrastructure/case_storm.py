"""Cases that many alerts open, and what is said about those alerts since: a lot at a time, by the rules of one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from cheng.infrastructure import case_rows as rows
from cheng.infrastructure.bulk import insert_all, update_all
from cheng.infrastructure.case_book import CaseBook, case_id
from cheng.infrastructure.case_rows import Opening
from cheng.infrastructure.tables import acts, cases
from cheng.kernel import cases as kernel
from cheng.kernel.cases import Case
from cheng.kernel.changing import replace
from cheng.kernel.flows import Flow
from cheng.kernel.standing import HOUSE, Act

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
    numbers = book.numbers(conn, now, len(opened))
    lines, done, runs, had, shared = [], [], [], [], []
    for number, (flow, about, over) in zip(numbers, opened, strict=True):
        id_, area = case_id(about.get("alert_key"), number), about.get("area") or None
        case = Case(id=id_, flow=flow.key())
        for verb, data in (("open", rows.told(about)), ("alert_cleared", over)):
            if data is not None:
                act = kernel.act(flow, case, verb, HOUSE, now, data, book.calendar)
                case = kernel.add(case, act, book.calendar)
                done.append(rows.act_row(id_, case.version, act))
        lines.append(rows.line(case, flow, about, number))
        runs += rows.run_rows(case, area)
        had += rows.had_rows(Case(), case, area)
        shared += [{"case": id_, "department": name} for name in case.departments[1:]]
    rows.write_lines(conn, lines)
    for table, added in (("acts", done), ("case_runs", runs), ("case_had", had), ("case_shared", shared)):
        insert_all(conn, table, added)


def tell_all(book: CaseBook, conn: Connection, told: Sequence[Told]) -> None:
    """Tells cases what became of their alerts, each in the order in which it is to hear it."""
    by_case: dict[str, list[Told]] = {}
    for one in told:
        by_case.setdefault(one.case, []).append(one)
    ids = list(by_case)
    for start in range(0, len(ids), CHUNK):
        tell(book, conn, {id_: by_case[id_] for id_ in ids[start : start + CHUNK]})


def tell(book: CaseBook, conn: Connection, told: Mapping[str, Sequence[Told]]) -> None:
    now, house = book.clock.now(), HOUSE
    found = conn.execute(select(cases).where(cases.c.id.in_(told)).with_for_update()).mappings().all()
    before: dict[str, list[Act]] = {row["id"]: [] for row in found}
    for row in conn.execute(select(acts).where(acts.c.case.in_(told)).order_by(acts.c.case, acts.c.seq)).mappings():
        before[row["case"]].append(rows.to_act(row))
    done, lines, added, changed, had = [], [], [], [], []
    for row in found:
        flow = book.flow(row["flow"])
        case = was = replace(kernel.fold(flow, before[row["id"]], book.calendar, row["id"]), flow=row["flow"])
        for _, verb, data in told[row["id"]]:
            act = kernel.act(flow, case, verb, house, now, data, book.calendar)
            case = kernel.add(case, act, book.calendar)
            done.append(rows.act_row(case.id, case.version, act))
        lines.append({**rows.changed(case, now, row["data"]), "this": case.id})
        new, other = rows.run_changes(was, case, row["area"])
        added += new
        changed += other
        had += rows.had_rows(was, case, row["area"])
        rows.write_shared(conn, was, case)
    insert_all(conn, "acts", done)
    update_all(conn, rows.CHANGE, lines)
    update_all(conn, rows.CHANGE_RUN, changed)
    insert_all(conn, "case_runs", added)
    insert_all(conn, "case_had", had)


def rename(conn: Connection, before: str, after: str) -> None:
    """An alert is known by another key: so is it to its case."""
    conn.execute(RENAME, {"before": before, "after": after})
