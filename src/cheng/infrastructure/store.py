"""The store of everything but readings: SQLite in one file, or PostgreSQL; the same tables, the same promises.

`read()` sees one unchanging moment. `write()` commits at the end of its block or not at all, and what it committed
is on the disk. On SQLite one writer goes at a time, also across processes; on PostgreSQL rows are locked as usual.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.schema import Table

from cheng.infrastructure.tables import counters
from cheng.standards.problems import Problem, SpecError

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATING = threading.Lock()
"""Alembic keeps what it works on in globals, so one thread at a time."""
PATIENCE = 30
"""Seconds to wait for another writer before giving up."""
DIALECTS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Store:
    """One open store. Safe to use from many threads; close it in the end."""

    def __init__(self, url: str | Path) -> None:
        """`url`: `sqlite:///path`, `postgresql://…`, or the path of an SQLite file; SpecError for anything else."""
        self.url = parse(url)
        self.dialect = self.url.get_backend_name()
        self._mine = threading.local()
        if self.dialect == "sqlite":
            prepare_file(self.url)
            self._reader = self._engine(pool_size=10, max_overflow=30)
            self._writer = self._engine(pool_size=1, max_overflow=0)
            event.listen(self._reader, "connect", only_reads)
            event.listen(self._reader, "begin", begin)
            event.listen(self._writer, "connect", keeps_more)
            event.listen(self._writer, "begin", begin_immediate)
        else:
            self._writer = self._reader = self._engine(pool_size=10, max_overflow=20)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def _engine(self, **pool: int) -> Engine:
        engine = create_engine(
            self.url,
            json_serializer=lambda value: msgspec.json.encode(value).decode(),
            json_deserializer=msgspec.json.decode,
            pool_timeout=PATIENCE,
            pool_pre_ping=self.dialect == "postgresql",
            **pool,
        )
        if self.dialect == "sqlite":
            event.listen(engine, "connect", pragmas)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the store as it was at its first question; writing through it fails."""
        options: dict[str, Any] = {}
        if self.dialect == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._reader.connect() as plain:
            conn = plain.execution_options(**options)
            with conn.begin():
                yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a transaction: committed when the block ends, rolled back when it raises.

        Does not nest: a write inside a write of the same thread raises RuntimeError, see `afterwards`.
        """
        if self.writing:
            raise RuntimeError("a write inside a write; hand the connection on, or use store.afterwards")
        self._mine.afterwards, self._mine.committed = [], []
        try:
            with self._writer.begin() as conn:
                yield conn
            for told in self._mine.committed:
                told()
        finally:
            later, self._mine.afterwards = self._mine.afterwards, None
            for action in later:
                self.afterwards(action)

    @property
    def writing(self) -> bool:
        """Whether this thread is inside a `write()` block."""
        return getattr(self._mine, "afterwards", None) is not None

    def once_committed(self, told: Callable[[], object]) -> None:
        """Call `told` when this thread's open transaction is on the disk; never, when it is given up."""
        if self.writing:
            self._mine.committed.append(told)

    def afterwards(self, action: Callable[[Connection], object]) -> None:
        """Write in a transaction of its own: now, or when this thread's open one has ended, however it ended."""
        if self.writing:
            self._mine.afterwards.append(action)
            return
        with self.write() as conn:
            action(conn)

    def _migrate(self) -> None:
        """Bring the tables up to date, one starter at a time; the others find it done."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        head = ScriptDirectory.from_config(config).get_current_head()
        with self.read() as conn:
            if MigrationContext.configure(conn).get_current_revision() == head:
                return
        with MIGRATING, self.write() as conn:
            serialise(conn, "migrations")
            config.attributes["connection"] = conn
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise SpecError(
                    [
                        Problem(
                            "S102",
                            f"The tables cannot be brought up to date: {error}",
                            self.place,
                            "the store may belong to a newer Cheng; start that one",
                        )
                    ]
                ) from error

    @property
    def place(self) -> str:
        """Where the store is, without its password."""
        return self.url.render_as_string(hide_password=True)

    def bytes(self) -> int:
        """What it takes on its disk."""
        if self.dialect == "sqlite":
            file = Path(self.url.database or "")
            return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*") if part.is_file())
        with self.read() as conn:
            return int(conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def snapshot(self, file: Path) -> None:
        """Copy an SQLite store as it is at one moment to a new file, while others go on writing."""
        if self.dialect != "sqlite":
            raise SpecError([Problem("S103", "Only an SQLite store is copied file by file", self.place, "use pg_dump")])
        with closing(sqlite3.connect(self.url.database or "", timeout=PATIENCE, isolation_level=None)) as conn:
            conn.execute("VACUUM INTO ?", (str(file),))

    def close(self) -> None:
        """Close every connection; on SQLite this also empties the write-ahead log into the file."""
        self._reader.dispose()
        self._writer.dispose()


def parse(url: str | Path) -> URL:
    """The URL with the driver we use. Raises SpecError for anything but SQLite files and PostgreSQL."""
    place = str(url)
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite+pysqlite", database=place)
    try:
        parsed = make_url(url)
        driver = DIALECTS[parsed.get_backend_name()]
    except (ArgumentError, KeyError):
        hint = "write sqlite:///cheng.db or postgresql://user@host/name"
        raise SpecError([Problem("S100", "The store's URL is not understood", place, hint)]) from None
    if driver == "sqlite+pysqlite" and parsed.database in (None, "", ":memory:"):
        hint = "name a file: sqlite:///cheng.db"
        raise SpecError([Problem("S101", "A store in memory would forget everything", place, hint)])
    return parsed.set(drivername=driver)


def prepare_file(url: URL) -> None:
    """Make the folder, and switch the file to a write-ahead log once, waiting for another who is doing the same."""
    file = Path(url.database or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + PATIENCE
    while True:
        conn = sqlite3.connect(file, timeout=PATIENCE)
        try:
            conn.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # SQLite does not wait by itself for this one pragma
        finally:
            conn.close()


def pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        f"busy_timeout={PATIENCE * 1000}",
        "foreign_keys=ON",
        "synchronous=FULL",
        "recursive_triggers=ON",  # else INSERT OR REPLACE would get past the append-only triggers
        "mmap_size=8589934592",  # the reader's pages are those of the system, not copies of its own
        "wal_autocheckpoint=4000",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def only_reads(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def keeps_more(connection: sqlite3.Connection, _record: object) -> None:
    """The writer alone keeps 64 MB of pages: it changes what it has read."""
    connection.execute("PRAGMA cache_size=-65536")


def begin(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN")


def begin_immediate(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE")


def serialise(conn: Connection, name: str) -> None:
    """Let nobody else past this line with the same name until the transaction ends. SQLite writers are alone anyway."""
    if conn.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        conn.execute(select(func.pg_advisory_xact_lock(number)))


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    key: Sequence[str],
    update: Sequence[str] | None = None,
) -> None:
    """Insert rows, or change those whose `key` columns are there already. All rows carry the same columns.

    `update` names the columns to change; None means all others that the rows carry, an empty list means none.
    """
    if not rows:
        return
    insert = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(table)
    columns = [name for name in rows[0] if name not in key] if update is None else list(update)
    if columns:
        statement = insert.on_conflict_do_update(
            index_elements=list(key), set_={name: insert.excluded[name] for name in columns}
        )
    else:
        statement = insert.on_conflict_do_nothing(index_elements=list(key))
    conn.execute(statement, rows)


def counting(dialect: Any) -> Any:
    """The statement that takes numbers of a counter."""
    insert = dialect.insert(counters)
    taken = insert.on_conflict_do_update(
        index_elements=["name"], set_={"value": counters.c.value + insert.excluded.value}
    )
    return taken.returning(counters.c.value)


COUNT = {"sqlite": counting(sqlite), "postgresql": counting(postgresql)}
"""Built once: building a statement takes longer than running it."""


def next_numbers(conn: Connection, name: str, count: int = 1) -> int:
    """Take `count` numbers of the counter `name`, which starts at 1; the first of them. No gaps, no repeats."""
    last: int = conn.execute(COUNT[conn.dialect.name], {"name": name, "value": count}).scalar_one()
    return last - count + 1


def reachable(store: Store) -> bool:
    """Whether the store answers just now: for /readyz."""
    try:
        with store.read() as conn:
            return bool(conn.execute(text("SELECT 1")).scalar_one() == 1)
    except DBAPIError:
        return False
