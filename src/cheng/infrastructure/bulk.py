"""Rows by the driver itself, without SQLAlchemy's work for each statement and each of them.

For what a storm of alerts writes, many rows in few steps, and for what every act of a case asks and writes; everything
else uses statements as they are. A statement for each row would also let go of the interpreter for each row, and wait
for it again as often.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, Dialect, Select, Update
from sqlalchemy.exc import DBAPIError

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
    """Adds rows, their values in the order of the columns; JSON as text, see `as_json`."""
    if not rows:
        return
    dialect, start, cursor = conn.dialect.name, 0, conn.connection.cursor()
    with as_its_own(conn):
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


@contextmanager
def as_its_own(conn: Connection) -> Iterator[None]:
    """Errors of the driver become those that SQLAlchemy would have raised."""
    errors = conn.dialect.loaded_dbapi.Error
    try:
        yield
    except errors as error:
        raise DBAPIError.instance(None, None, error, errors, dialect=conn.dialect) from error


@lru_cache(maxsize=64)
def kept(statement: Update | Select[Any], dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """The text of a statement for the driver, and the order of its parameters where they go by place."""
    compiled = statement.compile(dialect=dialect)
    order: list[str] | None = getattr(compiled, "positiontup", None)
    return str(compiled), None if order is None else tuple(order)


def update_all(conn: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Executes a statement that is kept for every row; what is a dict or a list is JSON."""
    if rows:
        text, order = kept(statement, conn.dialect)
        cursor = conn.connection.cursor()
        with as_its_own(conn):
            if order is None:
                cursor.executemany(text, [{name: plain(value) for name, value in row.items()} for row in rows])
            else:
                cursor.executemany(text, [tuple(plain(row[name]) for name in order) for row in rows])
        cursor.close()


@lru_cache(maxsize=64)
def columns_of(statement: Select[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the columns that a statement asks for, and of those among them that are JSON."""
    columns = statement.selected_columns
    return tuple(each.name for each in columns), tuple(each.name for each in columns if isinstance(each.type, JSON))


def ask_all(conn: Connection, statement: Select[Any], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that a statement that is kept finds, by names of columns; JSON comes decoded."""
    text, order = kept(statement, conn.dialect)
    names, encoded = columns_of(statement)
    cursor = conn.connection.cursor()
    with as_its_own(conn):
        cursor.execute(text, dict(values) if order is None else tuple(values[name] for name in order))
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    cursor.close()
    for row in rows:
        for name in encoded:
            if isinstance(row[name], str):
                row[name] = msgspec.json.decode(row[name])
    return rows


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
