"""The audit: one row an act, in its transaction; and whatever is done to the rows afterwards is found."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import audit as table
from cheng.security import audit
from cheng.security.actors import Actor
from cheng.security.permissions import Target
from cheng.security.seals import Seals, key_in

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)
DETAILS = st.dictionaries(TEXTS, st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3), max_leaves=5))
LI = Actor("li", "Li Wei", ("officer",), "Drainage")
DETAIL = {
    "from": "open",
    "to": "closed",
    "n": 1e5,
    "m": 100000.0,
    "small": 1e-7,
    "text": '井盖 " \\ \u2028',
    "none": None,
}


def write(store: Store, clock: ManualClock, count: int = 1, **more: Any) -> None:
    for number in range(count):
        with store.write() as conn:
            target = Target("case", f"c{number}")
            audit.record(conn, clock.advance(1), LI, "act", target, detail=DETAIL, address="10.0.0.1", **more)


def check(store: Store) -> audit.Verdict:
    with store.read() as conn:
        return audit.verify(conn)


def without_triggers(store: Store, *statements: str) -> None:
    """What somebody does who owns the database file."""
    with store.write() as conn:
        if store.dialect == "postgresql":
            conn.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            kept = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, _ in kept:
                conn.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            conn.exec_driver_sql(statement)
        if store.dialect == "sqlite":
            for _, sql in kept:
                conn.execute(text(sql))


@pytest.mark.backends
def test_an_empty_audit_holds(store: Store) -> None:
    assert check(store) == audit.Verdict(0, audit.NOTHING)


@pytest.mark.backends
def test_rows_say_who_did_what_and_hold(store: Store, clock: ManualClock) -> None:
    write(store, clock, 3, purpose="inspection", reason="done")
    verdict = check(store)
    assert verdict
    assert verdict.rows == 3
    with store.read() as conn:
        row = conn.execute(select(table).order_by(table.c.seq.desc())).mappings().first()
    assert row is not None
    assert dict(row) | {"previous_hash": "", "hash": ""} == {
        "seq": 3, "at": clock.now(), "actor": "li", "verb": "act", "object": "case:c2", "purpose": "inspection",
        "outcome": "allowed", "reason": "done", "address": "10.0.0.1", "detail": DETAIL,
        "previous_hash": "", "hash": "",
    }  # fmt: skip
    assert row["hash"] == verdict.head


@pytest.mark.backends
def test_no_row_for_an_act_that_was_undone(store: Store, clock: ManualClock) -> None:
    def break_off() -> None:
        with store.write() as conn:
            audit.record(conn, 1, LI, "act", "case:c1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    write(store, clock)
    assert check(store).rows == 1


@pytest.mark.backends
def test_many_at_once_make_one_chain(store: Store, clock: ManualClock) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: write(store, clock, 5), range(4)))
    verdict = check(store)
    assert verdict
    assert verdict.rows == 20


@pytest.mark.backends
@pytest.mark.parametrize(
    ("damage", "rows", "problem"),
    [
        (["UPDATE audit SET actor = 'wang' WHERE seq = 3"], 2, "Row 3 was changed."),
        (["UPDATE audit SET at = at + 1 WHERE seq = 1"], 0, "Row 1 was changed."),
        (["UPDATE audit SET detail = '{}' WHERE seq = 5"], 4, "Row 5 was changed."),
        (["UPDATE audit SET purpose = 'act', verb = '' WHERE seq = 2"], 1, "Row 2 was changed."),
        (["UPDATE audit SET hash = previous_hash WHERE seq = 4"], 3, "Row 4 was changed."),
        (["UPDATE audit SET previous_hash = hash WHERE seq = 4"], 3, "Row 4 does not follow the row before it."),
        (["DELETE FROM audit WHERE seq = 3"], 2, "Row 3 is missing."),
        (["DELETE FROM audit WHERE seq = 1"], 0, "Row 1 is missing."),
        (
            [
                "DELETE FROM audit WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 4",
                "UPDATE audit SET seq = 4 WHERE seq = 5",
            ],
            2,
            "Row 3 does not follow the row before it.",
        ),
        (
            [
                "UPDATE audit SET seq = 99 WHERE seq = 2",
                "UPDATE audit SET seq = 2 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 99",
            ],
            1,
            "Row 2 does not follow the row before it.",
        ),
        (
            [
                "INSERT INTO audit SELECT 6, at, actor, verb, object, purpose, outcome, reason, address, detail, "
                "previous_hash, hash FROM audit WHERE seq = 5"
            ],
            5,
            "Row 6 does not follow the row before it.",
        ),
    ],
)
def test_damage_is_found(store: Store, clock: ManualClock, damage: list[str], rows: int, problem: str) -> None:
    write(store, clock, 5)
    without_triggers(store, *damage)
    verdict = check(store)
    assert not verdict
    assert (verdict.rows, str(verdict)) == (rows, problem)


@pytest.mark.slow
def test_500_random_damages_are_all_found(store: Store, clock: ManualClock) -> None:
    random_damages(store, clock, 500)


def test_random_damages_are_all_found(store: Store, clock: ManualClock) -> None:
    random_damages(store, clock, 60)


def random_damages(store: Store, clock: ManualClock, trials: int) -> None:
    chance = random.Random(7)
    write(store, clock, 30)
    with store.read() as conn:
        before = [dict(row) for row in conn.execute(select(table).order_by(table.c.seq)).mappings()]
    for _ in range(trials):
        seq, column = chance.randint(1, 30), chance.choice([c.name for c in table.c if c.name != "seq"])
        value = "9" if column == "at" else chance.choice(["''", "'x'", "'{\"n\":2}'", "'refused'"])
        if column == "outcome":
            value = "'refused'"
        elif column == "detail":
            value = "'{\"n\":2}'"
        deed = chance.choice(
            [f"UPDATE audit SET {column} = {value} WHERE seq = {seq}", f"DELETE FROM audit WHERE seq = {seq}"]
        )
        touched = next(str(row[column]) for row in before if row["seq"] == seq)
        if (deed.startswith("UPDATE") and repr(touched) == value) or (deed.startswith("DELETE") and seq == 30):
            continue
        without_triggers(store, deed)
        verdict = check(store)
        assert not verdict, deed
        assert verdict.rows in (seq - 1, seq), deed
        without_triggers(store, "DELETE FROM audit")
        with store.write() as conn:
            conn.execute(insert(table), before)
    assert check(store)


@pytest.mark.parametrize("odd", ["\0", "\udcff", "' --", "x" * 10_000, "\r\nforged line", "𠮷"])
@pytest.mark.backends
def test_odd_texts_do_not_stop_the_audit(store: Store, odd: str) -> None:
    with store.write() as conn:
        audit.record(conn, 1, odd, odd, odd, "failed", purpose=odd, reason=odd, address=odd)
    assert check(store)


@given(detail=DETAILS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@pytest.mark.backends
def test_any_detail_comes_back_the_same(store: Store, detail: dict[str, Any]) -> None:
    with store.write() as conn:
        seq = audit.record(conn, 1, LI, "act", "case", detail=detail)
    with store.read() as conn:
        assert conn.execute(select(table.c.detail).where(table.c.seq == seq)).scalar_one() == detail
    assert check(store)


def test_walks_a_long_one(store: Store) -> None:
    rows, previous = [], audit.NOTHING
    for seq in range(1, 20_001):
        values = (seq, 1, "li", "act", f"case:c{seq}", "", "allowed", "", "10.0.0.1")
        row = dict(zip(audit.COLUMNS, values, strict=True)) | {"detail": {"n": 1}, "previous_hash": previous}
        previous = audit.row_hash(values, '{"n":1}', previous)
        rows.append(row | {"hash": previous})
    with store.write() as conn:
        conn.execute(insert(table), rows)
    assert check(store).rows == 20_000


@pytest.fixture
def seals(tmp_path: Path) -> Seals:
    return Seals(tmp_path / "audit.seals", key_in(tmp_path / "audit.key"))


@pytest.mark.backends
def test_seals_hold(store: Store, clock: ManualClock, seals: Seals) -> None:
    assert seals.check(store)
    assert seals.seal(store, 1) is None
    for rows in (3, 1):
        write(store, clock, rows)
        assert seals.seal(store, clock.now())
        assert seals.seal(store, clock.now()) is None
    write(store, clock)
    assert seals.check(store).rows == 5
    assert [seal.seq for seal in seals.read()[0]] == [3, 4]


@pytest.mark.backends
def test_seals_show_a_cut_end_and_an_old_copy(store: Store, clock: ManualClock, seals: Seals) -> None:
    write(store, clock, 5)
    seals.seal(store, clock.now())
    without_triggers(store, "DELETE FROM audit WHERE seq > 3")
    assert check(store), "the chain alone does not show it"
    assert str(seals.check(store)) == "Rows after 3 are missing; there were 5 at least."
    write(store, clock, 4)
    assert str(seals.check(store)) == "Row 5 is not the one that was sealed."


def test_seals_of_another_key_are_not_taken(store: Store, clock: ManualClock, seals: Seals, tmp_path: Path) -> None:
    write(store, clock, 2)
    seals.seal(store, clock.now())
    write(store, clock)
    Seals(seals.file, b"another key").seal(store, clock.now())
    assert str(seals.check(store)) == "Seal 2 was not made with our key."


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"seq":1', '"seq":2', "Seal 1 was not made with our key."),
        ("{", "", "Seal 1 cannot be read."),
        ("\n", "\n\n", "Seal 2 cannot be read."),
    ],
)
def test_damaged_seals(store: Store, clock: ManualClock, seals: Seals, old: str, new: str, problem: str) -> None:
    write(store, clock)
    seals.seal(store, clock.now())
    seals.file.write_text(seals.file.read_text().replace(old, new, 1))
    assert str(seals.check(store)) == problem


def test_a_seal_twice_does_not_follow(store: Store, clock: ManualClock, seals: Seals) -> None:
    write(store, clock)
    seals.seal(store, clock.now())
    seals.file.write_bytes(seals.file.read_bytes() * 2)
    assert str(seals.check(store)) == "Seal 2 does not follow the one before it."


def test_a_seal_that_broke_off_is_made_again(store: Store, clock: ManualClock, seals: Seals) -> None:
    write(store, clock)
    seals.seal(store, clock.now())
    whole = seals.file.read_bytes()
    seals.file.write_bytes(whole + whole[:20])
    assert seals.check(store)
    write(store, clock)
    seals.seal(store, clock.now())
    assert [seal.seq for seal in seals.read()[0]] == [1, 2]
    assert seals.check(store)


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: key_in(tmp_path / "k"), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert (tmp_path / "k").stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.iterdir()] == ["k"]
