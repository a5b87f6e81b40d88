"""Many rows in few steps, by the driver itself, without SQLAlchemy's work for each of them.

For what a storm of alerts writes; everything else uses statements as they are. A statement for each row would also
let go of the interpreter for each row, and wait for it again as often.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Connection

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
