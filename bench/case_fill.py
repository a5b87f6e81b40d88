"""A million cases in a store: some thousand that the demo city made, copied over a year by the database itself."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, func, select, text
from sqlalchemy.schema import Table

from bench.case_city import COMMAND, CaseCity, case_city
from cheng.demo.people import accounts
from cheng.infrastructure import case_words
from cheng.infrastructure.clock import wall
from cheng.infrastructure.report_tables import reports
from cheng.infrastructure.tables import acts, case_had, case_runs, cases
from cheng.kernel.standing import Person
from cheng.standards.durations import days, hours

MADE = 3_000
"""Cases that are made as every case is."""
A_DAY = 2_430
BACK = hours(19).us
"""Each copy of a closed case lies so much before the one before it."""
ALIVE = 20_000
"""Cases that are under way."""
DISPATCHER = Person("bench dispatcher", COMMAND, frozenset({"officer", "dispatcher"}))
MOMENTS = {"opened", "due", "warn", "overall_due", "resumes", "closed", "started", "done", "settled", "at"}


def fill(data: Path, count: int) -> dict[str, str]:
    """The store of a folder with that many cases; the cookies' accounts with their password."""
    start = wall() - days(MADE / A_DAY).us
    with case_city(data, A_DAY, start) as city:
        made = dict(accounts(city.hub, city.town))
        told = list(city.told(MADE))
        end = told[-1][0]
        city.live_through(iter(told), 200, end)
        decide(city)
        with city.hub.store.write() as conn:
            copy_all(conn, count)
        return made


def decide(city: CaseCity) -> None:
    """What happens to few cases happens to some of these: they wait for a decision, are suspended, or void."""
    alive = sorted(city.crews.cases.values(), key=lambda case: case.entry.number)
    for n, case in enumerate(alive):
        run = case.case.run
        if run is None or run.step not in ("handle", "dispatch", "file"):
            continue
        officer = Person("bench officer", run.department, frozenset({"officer", "handler"}))
        book, why = city.hub.cases, {"reason": "bench"}
        if run.step == "handle" and n % 25 == 0:
            book.act(case.entry.id, "extend", officer, why)
        elif run.step == "handle" and n % 25 == 1:
            book.act(case.entry.id, "dispute", officer, why)
        elif n % 25 == 2:
            book.act(case.entry.id, "suspend", DISPATCHER, why | {"until": city.hub.clock.now() + days(3).us})
        elif n % 25 == 3 and run.step == "handle":
            book.act(case.entry.id, "supervise", Person("bench leader", "", frozenset({"leader"})), why)


def copy_all(conn: Connection, count: int) -> None:
    """Copies of all rows of all cases, each in its time; indexes are made anew, which is quicker."""
    dropped = conn.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
             "('cases', 'acts', 'case_runs', 'reports')")
    ).all()  # fmt: skip
    for name, _ in dropped:
        conn.execute(text(f"DROP INDEX {name}"))
    over = conn.execute(select(func.count()).where(cases.c.state.not_in(("open", "suspended")))).scalar_one()
    alive = conn.execute(select(func.count()).where(cases.c.state.in_(("open", "suspended")))).scalar_one()
    before, much = (count - ALIVE) // over + 1, ALIVE // alive + 1
    conn.execute(text("CREATE TEMP TABLE copies (original TEXT, n INTEGER, shift INTEGER, id TEXT)"))
    conn.execute(
        text(
            "WITH RECURSIVE turns(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM turns WHERE n < :most) "
            "INSERT INTO copies SELECT cases.id, turns.n, "
            "CASE WHEN cases.closed IS NULL THEN turns.n * :minutes ELSE turns.n * :back END, "
            "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-5' || substr(hex(randomblob(2)), 2) || '-' "
            "|| hex(randomblob(2)) || '-' || hex(randomblob(6))) FROM turns, cases "
            "WHERE turns.n < CASE WHEN cases.state IN ('open', 'suspended') THEN :much ELSE :before END "
            "ORDER BY turns.n DESC, cases.opened"
        ),
        {"most": max(before, much), "much": much, "before": before, "minutes": hours(0.1).us, "back": BACK},
    )
    copy_rows(conn, cases, {
        "id": "copies.id",
        "number": "strftime('%Y%m%d', (t.opened - copies.shift) / 1000000 + 28800, 'unixepoch') "
                  "|| printf('-%06d', t.rowid * 1000 + copies.n)",
        "cell": "t.cell + copies.n % 7",
        "longitude": "t.longitude + copies.n % 7 * 0.002",
        "sought": "t.sought || '，第' || copies.n || '处'",
        "data": "json_set(t.data, '$.text', json_extract(t.data, '$.text') || '，第' || copies.n || '处')",
    }, "id")  # fmt: skip
    copy_rows(conn, case_runs, {"case": "copies.id"}, "case")
    copy_rows(conn, case_had, {"case": "copies.id"}, "case")
    copy_rows(conn, reports, {"case": "copies.id", "id": "NULL"}, "case")
    ends = 't.seq = 1 OR t.seq = (SELECT version FROM cases WHERE cases.id = t."case")'
    copy_rows(conn, acts, {"case": "copies.id", "key": "NULL"}, "case", ends)
    for _, sql in dropped:
        conn.execute(text(sql))
    index_words(conn)


def index_words(conn: Connection) -> None:
    """The words of the copies; those that were copied are in the index."""
    rule = cases.c.data["rule"].as_string()
    query = select(cases.c.number, cases.c.sought, rule).where(cases.c.id.in_(select(text("id FROM copies"))))
    for some in conn.execution_options(yield_per=10_000).execute(query).partitions():
        case_words.add(conn, [tuple(row) for row in some])


def copy_rows(conn: Connection, table: Table, other: dict[str, str], of: str, which: str = "1") -> None:
    """Rows of a table once for each copy of their case, with other values in some columns and moments moved."""
    told = {column.name: f't."{column.name}"' for column in table.columns}
    told |= {name: f"{value} - copies.shift" for name, value in told.items() if name in MOMENTS}
    told |= other
    names: Sequence[str] = [f'"{name}"' for name in told]
    conn.execute(
        text(
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(told.values())} "
            f'FROM copies JOIN {table.name} t ON t."{of}" = copies.original WHERE {which}'
        )
    )
