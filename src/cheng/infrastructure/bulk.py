"""Many rows in few steps, by the driver itself, without SQLAlchemy's work for each of them.

For what a storm of alerts writes; everything else uses statements as they are. A statement for each row would also
let go of the interpreter for each row, and wait for it again as often.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, Update

SIZES = (128, 32, 8)
"""Rows of one statement: few different statements, so that the driver keeps them prepared."""


@lru_cache(maxsize=64)
def inserting(table: str, columns: tuple[str, ...], rows: int, dialect: str) -> str:
    """The statement that adds as many rows."""
    mark = "%s" if dialect == "postgresql" else "?"
    row = f"({', '.join([mark] * len(columns))})"
    names = ", ".join(f'"{name}"' for name in columns)  # one is called "case"
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * rows)}"  # noqa: S608  # names of our own


def insert_rows(conn: Connection, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Adds rows, their values in the order of the columns; JSON as text, see `as_json`. Raises the driver's errors."""
    if not rows:
        return
    dialect, start, cursor = conn.dialect.name, 0, conn.connection.cursor()
    for size in SIZES:
        while len(rows) - start >= size:
            values = tuple(chain.from_iterable(rows[start : start + size]))
            cursor.execute(inserting(table, columns, size, dialect), values)
            start += size
    if start < len(rows):
        cursor.executemany(inserting(table, columns, 1, dialect), rows[start:])
    cursor.close()


def insert_all(conn: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows that all have the same columns; what is a dict or a list is JSON."""
    if rows:
        insert_rows(conn, table, tuple(rows[0]), [tuple(map(plain, row.values())) for row in rows])


@lru_cache(maxsize=64)
def updating(statement: Update, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """The text of a statement for the driver, and the order of its parameters where they go by place."""
    compiled = statement.compile(dialect=dialect)
    order: list[str] | None = getattr(compiled, "positiontup", None)
    return str(compiled), None if order is None else tuple(order)


def update_all(conn: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Executes a statement that is kept for every row; what is a dict or a list is JSON."""
    if rows:
        text, order = updating(statement, conn.dialect)
        cursor = conn.connection.cursor()
        if order is None:
            cursor.executemany(text, [{name: plain(value) for name, value in row.items()} for row in rows])
        else:
            cursor.executemany(text, [tuple(plain(row[name]) for name in order) for row in rows])
        cursor.close()


def plain(value: Any) -> Any:
    return as_json(value) if isinstance(value, (dict, list)) else value


def as_json(value: object) -> str:
    """What a JSON column takes from `insert_rows`."""
    return msgspec.json.encode(value).decode()


def by_json(conn: Connection, statements: Mapping[str, str], value: object) -> list[Any]:
    """Asks or changes many rows by one JSON value in one step: `statements` by dialect. An answer is one row with one
    JSON array, which comes back decoded; empty when there is none. Raises the driver's errors."""
    cursor = conn.connection.cursor()
    cursor.execute(statements[conn.dialect.name], (as_json(value),))
    answer = cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]  # an aggregate has one row
    cursor.close()
    found: list[Any] = msgspec.json.decode(answer) if isinstance(answer, str) else answer or []
    return found
