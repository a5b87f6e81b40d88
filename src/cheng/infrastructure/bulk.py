"""Many rows in one go: the driver's own executemany, without SQLAlchemy's work for each row.

For what a storm of alerts writes. Everything else uses the statements as they are.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, Dialect, Insert, Update


@lru_cache(maxsize=64)
def rendered(
    statement: Insert | Update, dialect: Dialect, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    """The text of a statement for a driver, and the order of its parameters where they go by place."""
    keys = list(names) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=keys)
    order: list[str] | None = getattr(compiled, "positiontup", None)
    return str(compiled), None if order is None else tuple(order)


def execute_many(conn: Connection, statement: Insert | Update, rows: Sequence[dict[str, Any]]) -> None:
    """Executes a statement for every row; all rows carry the same names. Keep the statement: it is rendered once.

    JSON columns of an insert are written as such; an update takes plain values only.
    """
    if not rows:
        return
    names = tuple(rows[0])
    text, order = rendered(statement, conn.dialect, names)
    as_json: list[str] = []
    if isinstance(statement, Insert):
        as_json = [name for name in names if isinstance(statement.table.c[name].type, JSON)]
    if as_json:
        rows = [{**row, **{name: msgspec.json.encode(row[name]).decode() for name in as_json}} for row in rows]
    conn.exec_driver_sql(text, list(rows) if order is None else [tuple(row[name] for name in order) for row in rows])
