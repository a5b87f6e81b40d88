"""The store keeps its promises on SQLite and on PostgreSQL: one text, one outcome."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, func, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

import cheng.hub  # noqa: F401 - whose parts declare every table
from cheng.infrastructure.hotline_tables import articles
from cheng.infrastructure.report_tables import case_classes, responsibilities
from cheng.infrastructure.store import Store, next_numbers, reachable, serialise, upsert
from cheng.infrastructure.tables import (
    APPEND_ONLY,
    acts,
    alert_notices,
    alerts,
    audit,
    cases,
    labels,
    metadata,
    settings_kv,
    thing_versions,
    things,
)
from cheng.standards.problems import SpecError
from postgres import Postgres

AT = 1_795_132_800_000_000


def thing(idx: int, **more: object) -> dict[str, object]:
    return {"idx": idx, "id": f"cover-{idx}", "type": "Cover", "properties": {}, "areas": [], "changed": AT} | more


def case(number: int, **more: object) -> dict[str, object]:
    row = {"id": f"c{number}", "number": f"20261120-{number:06}", "flow": "make_safe", "app": "manhole_covers"}
    return row | {"title_values": {}, "opened": AT, "data": {}, "department": "Drainage", "due": AT + number} | more


def of_our_own(name: str | None, kind: str, parents: object) -> bool:
    """All but the index of words, which is a table of another make on each store."""
    return kind != "table" or not str(name).startswith("case_words")


@pytest.mark.backends
def test_tables_equal_migrations(store: Store) -> None:
    with store.read() as conn:
        opts = {"compare_type": True, "compare_server_default": False, "include_name": of_our_own}
        context = MigrationContext.configure(conn, opts=opts)
        assert compare_metadata(context, metadata) == []
        inspector = inspect(conn)
        for table in metadata.sorted_tables:
            there = {check["name"] for check in inspector.get_check_constraints(table.name)}
            wanted = {c.name for c in table.constraints if c.__visit_name__ == "check_constraint"}
            assert wanted <= there, table.name


@pytest.mark.backends
def test_rows_come_back_as_they_went(store: Store) -> None:
    geometry = {"type": "Point", "coordinates": [106.55, 29.563]}
    row = thing(0, name="井盖 '7'", geometry=geometry, areas=["渝中"], properties={"tilt": 1.5, "on": None, "n": 2**52})
    with store.write() as conn:
        conn.execute(insert(things), [row, row | {"idx": 1, "id": "cover-1", "geometry": None}])
    with store.read() as conn:
        first, second = conn.execute(select(things).order_by(things.c.idx)).mappings()
        assert {name: first[name] for name in row} == row
        assert (first["state"], first["version"], second["geometry"]) == ("registered", 1, None)
        assert conn.execute(select(func.count()).where(things.c.geometry.is_(None))).scalar_one() == 1


@pytest.mark.backends
def test_a_broken_write_leaves_nothing(store: Store) -> None:
    def break_off() -> None:
        with store.write() as conn:
            conn.execute(insert(things), thing(0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(things)).scalar_one() == 0


@pytest.mark.backends
def test_reading_connections_do_not_write(store: Store) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), store.read() as conn:
        conn.execute(insert(things), thing(0))
    with store.write() as conn:
        conn.execute(insert(things), thing(0))


@pytest.mark.backends
def test_a_read_sees_one_moment(store: Store) -> None:
    count = select(func.count()).select_from(things)
    with store.read() as reader:
        assert reader.execute(count).scalar_one() == 0
        with store.write() as writer:
            writer.execute(insert(things), thing(0))
        assert reader.execute(count).scalar_one() == 0
    with store.read() as reader:
        assert reader.execute(count).scalar_one() == 1


@pytest.mark.backends
def test_words_and_references_are_checked(store: Store) -> None:
    for wrong in (insert(things).values(thing(0, state="lost")), insert(labels).values(attr=9, code=0, text="x")):
        with pytest.raises(IntegrityError), store.write() as conn:
            conn.execute(wrong)


def fill_append_only(conn: Connection) -> None:
    conn.execute(insert(things), thing(0))
    conn.execute(insert(thing_versions), {"idx": 0, "version": 1, "at": AT, "actor": "li", "snapshot": {}})
    conn.execute(insert(cases), case(1))
    conn.execute(
        insert(acts),
        {"case": "c1", "seq": 1, "at": AT, "actor": "li", "actor_name": "Li", "verb": "open", "data": {"n": 1}},
    )
    alert = {"number": 1, "key": "k", "rule": "r", "app": "x", "onset": AT, "raised": AT, "level": "danger"}
    conn.execute(insert(alerts), alert | {"message_values": {}, "state": "open"})
    conn.execute(insert(alert_notices), {"alert": 1, "at": AT, "kind": "raised", "detail": {}})
    texts = ("question", "question_zh", "answer", "answer_zh", "words", "department", "class_code", "actor")
    conn.execute(insert(articles), dict.fromkeys(texts, "x") | {"number": 1, "version": 1, "retired": False, "at": AT})
    texts = ("flow", "code", "group_name", "group_name_zh", "name", "name_zh", "responsible", "supervising", "source")
    told = dict.fromkeys((*texts, "since", "actor"), "x") | {"version": 1, "kind": "event", "conditions": [], "at": AT}
    conn.execute(insert(case_classes), told | {"public": True, "retired": False})
    told = dict.fromkeys(("flow", "prefix", "area", "since", "actor"), "x") | {"departments": [], "at": AT}
    conn.execute(insert(responsibilities), told)
    words = dict.fromkeys(("actor", "verb", "object", "purpose", "reason", "address", "previous_hash", "hash"), "x")
    conn.execute(insert(audit), words | {"seq": 1, "at": AT, "outcome": "allowed", "detail": {}})


@pytest.mark.backends
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_append_only(store: Store, table: str) -> None:
    with store.write() as conn:
        fill_append_only(conn)
    attempts = [f"UPDATE {table} SET at = 0", f"DELETE FROM {table}", f"DELETE FROM {table} WHERE at > 0"]
    if store.dialect == "sqlite":
        attempts.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    else:
        attempts.append(f"TRUNCATE {table} CASCADE")
    for attempt in attempts:
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), store.write() as conn:
            conn.execute(text(attempt))
    with store.read() as conn:
        assert conn.execute(text(f"SELECT at FROM {table}")).scalars().all() == [AT]


@pytest.mark.backends
def test_numbers_have_no_gaps_and_no_repeats(store: Store) -> None:
    def take(count: int) -> list[int]:
        with store.write() as conn:
            first = next_numbers(conn, "cases/20261120", count)
        return list(range(first, first + count))

    with ThreadPoolExecutor(4) as pool:
        taken = [number for numbers in pool.map(take, [1, 3, 2, 1] * 5) for number in numbers]
    assert sorted(taken) == list(range(1, 36))
    with store.write() as conn:
        assert next_numbers(conn, "cases/20261121") == 1


@pytest.mark.backends
def test_upsert(store: Store) -> None:
    with store.write() as conn:
        upsert(conn, things, [], ["idx"])
        upsert(conn, things, [thing(0), thing(1)], ["idx"])
        upsert(conn, things, [thing(1, name="new"), thing(2, name="")], ["idx"])
        upsert(conn, things, [thing(2, name="not taken")], ["id"], update=[])
        upsert(conn, things, [thing(0, name="taken", type="not taken")], ["idx"], update=["name"])
        rows = conn.execute(select(things.c.name, things.c.type).order_by(things.c.idx)).all()
    assert [tuple(row) for row in rows] == [("taken", "Cover"), ("new", "Cover"), ("", "Cover")]


@pytest.mark.backends
def test_writes_do_not_nest_and_afterwards_waits(store: Store) -> None:
    def note(key: str) -> None:
        store.afterwards(lambda conn: conn.execute(insert(settings_kv), {"key": key, "value": store.writing}))

    def break_off() -> None:
        with store.write():
            note("inside")
            with pytest.raises(RuntimeError, match="inside a write"), store.write():
                pass
            with store.read() as conn:
                assert conn.execute(select(settings_kv.c.key)).scalars().all() == ["outside"]
            raise ZeroDivisionError

    note("outside")
    with pytest.raises(ZeroDivisionError):
        break_off()
    with store.read() as conn:
        assert sorted(conn.execute(select(settings_kv.c.key)).scalars()) == ["inside", "outside"]
    assert not store.writing


@pytest.mark.backends
def test_serialise_lets_one_past_at_a_time(store: Store) -> None:
    inside, most = 0, 0
    meeting = threading.Barrier(3)

    def go() -> None:
        nonlocal inside, most
        meeting.wait()
        with store.write() as conn:
            serialise(conn, "audit")
            inside += 1
            most = max(most, inside)
            conn.execute(text("SELECT 1"))
            inside -= 1

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(go) for _ in range(3)]:
            done.result()
    assert most == 1


OPEN_AT_ONCE = """
import sys
from cheng.infrastructure.store import Store, next_numbers
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    store = Store(sys.argv[1])
    with store.write() as conn:
        next_numbers(conn, "starters")
    store.close()
"""


@pytest.mark.backends
def test_processes_open_one_store_at_once(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if backend == "sqlite":
        url = f"sqlite:///{tmp_path / 'cheng.db'}"
    else:
        url = request.getfixturevalue("postgres").empty_database()
    starters = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN_AT_ONCE, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write(b"go\n")
        starter.stdin.flush()
    for starter in starters:
        _, errors = starter.communicate(timeout=60)
        assert starter.returncode == 0, errors.decode()
    store = Store(url)
    with store.write() as conn:
        assert next_numbers(conn, "starters") == 21
    store.close()


@pytest.mark.backends
def test_opens_again_without_loss_and_refuses_a_newer_store(store_url: str) -> None:
    store = Store(store_url)
    with store.write() as conn:
        conn.execute(insert(things), thing(0))
    store.close()
    store = Store(store_url)
    with store.write() as conn:
        assert conn.execute(select(things.c.id)).scalar_one() == "cover-0"
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(SpecError, match="newer Cheng"):
        Store(store_url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://localhost/x", "S100"),
        ("://", "S100"),
        ("sqlite://", "S101"),
        ("sqlite:///:memory:", "S101"),
    ],
)
def test_refuses_other_stores(url: str, code: str) -> None:
    with pytest.raises(SpecError) as refusal:
        Store(url)
    assert [problem.code for problem in refusal.value.problems] == [code]
    assert refusal.value.problems[0].hint


def test_place_hides_the_password(store: Store) -> None:
    assert store.place.startswith("sqlite+pysqlite:///")


@pytest.mark.backends
def test_reachable(store: Store) -> None:
    assert reachable(store)


def test_unreachable_when_the_server_is_gone(postgres: Postgres) -> None:
    with postgres.database() as url:
        store = Store(url)
        assert "cheng@" in store.place
    assert not reachable(store)
    store.close()


def test_snapshot_while_others_write(store: Store, tmp_path: Path) -> None:
    with store.write() as conn:
        conn.execute(insert(things), thing(0))
    store.snapshot(tmp_path / "copy.db")
    with store.write() as conn:
        conn.execute(insert(things), thing(1))
    copy = Store(tmp_path / "copy.db")
    with copy.read() as conn:
        assert conn.execute(select(things.c.id)).scalars().all() == ["cover-0"]
    copy.close()


def test_postgres_is_not_copied_by_file(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.database() as url:
        store = Store(url)
        with pytest.raises(SpecError, match="pg_dump"):
            store.snapshot(tmp_path / "copy")
        store.close()


def test_sqlite_is_durable_and_strict(store: Store) -> None:
    with store.write() as conn:
        asked = {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous",
                 "foreign_keys", "recursive_triggers")}  # fmt: skip
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}


@pytest.mark.backends
def test_optimistic_version(store: Store) -> None:
    with store.write() as conn:
        conn.execute(insert(cases), case(1))

    def close(version: int) -> int:
        with store.write() as conn:
            where = (cases.c.id == "c1") & (cases.c.version == version)
            return conn.execute(update(cases).where(where).values(version=version + 1, state="closed")).rowcount

    assert [close(1), close(1), close(2)] == [1, 0, 1]
