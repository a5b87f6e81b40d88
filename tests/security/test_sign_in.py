"""Signing in: guessers wait, names are not given away, and who is inside stays inside."""

from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
from sqlalchemy import select

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import audit
from cheng.security.accounts import Accounts
from cheng.security.actors import Actor
from cheng.security.passwords import Hasher
from cheng.security.sessions import MINUTE, Sessions
from cheng.security.sign_in import REMEMBERED, Door
from cheng.standards.problems import Refused

GOOD = "three rivers meet at dawn"


def guess(door: Door, name: str, password: str = "a wrong one") -> str:
    """The code of the refusal."""
    with pytest.raises(Refused) as refusal:
        door.sign_in(name, password)
    return refusal.value.code


def outcomes(store: Store) -> list[str]:
    with store.read() as conn:
        return list(
            conn.execute(select(audit.c.outcome).where(audit.c.verb == "sign-in").order_by(audit.c.seq)).scalars()
        )


@pytest.mark.backends
def test_signs_in_by_any_way_to_write_the_name(door: Door, sessions: Sessions, store: Store) -> None:
    for name in ("li", " LI ", "ｌｉ"):
        assert sessions.find(door.sign_in(name, GOOD)[0])
    assert outcomes(store) == ["allowed"] * 3


@pytest.mark.backends
@pytest.mark.parametrize("name", ["li", "nobody-of-this-name"])
def test_known_and_unknown_names_are_refused_alike(door: Door, store: Store, clock: ManualClock, name: str) -> None:
    codes = [guess(door, name) for _ in range(6)]
    clock.advance(MINUTE)
    codes += [guess(door, name), guess(door, name)]
    clock.advance(2 * MINUTE)
    codes += [guess(door, name), guess(door, name)]
    assert codes == ["wrong-sign-in"] * 5 + ["wait", "wrong-sign-in", "wait", "wrong-sign-in", "wait"]
    assert outcomes(store) == ["refused"] * 7, "tries that were not looked at are not written down one by one"


def test_the_right_password_waits_too_and_counts_from_nothing_afterwards(door: Door, clock: ManualClock) -> None:
    for _ in range(5):
        guess(door, "li")
    assert guess(door, "li", GOOD) == "wait"
    clock.advance(MINUTE)
    assert door.sign_in("li", GOOD)
    assert [guess(door, "li") for _ in range(6)][-2:] == ["wrong-sign-in", "wait"]


def test_sentences_say_how_long(door: Door, clock: ManualClock) -> None:
    for _ in range(5):
        guess(door, "li")
    clock.advance(MINUTE)
    guess(door, "li")
    with pytest.raises(Refused, match=r"try again in 2 minutes\.") as refusal:
        door.sign_in("li", GOOD)
    assert refusal.value.status == 429


@pytest.mark.backends
def test_who_is_inside_stays_inside(door: Door, sessions: Sessions) -> None:
    token, _ = door.sign_in("li", GOOD)
    for _ in range(10):
        guess(door, "li")
    assert sessions.find(token) is not None
    assert door.sign_in("op", GOOD), "others are not kept waiting"


@pytest.mark.parametrize("name", ["li", "nobody"])
def test_1000_guesses_in_a_day_few_are_looked_at(door: Door, store: Store, clock: ManualClock, name: str) -> None:
    per_hour = []
    for _ in range(8):
        before = len(outcomes(store))
        for _ in range(125):
            guess(door, name)
            clock.advance(60 * MINUTE // 125)
        per_hour.append(len(outcomes(store)) - before)
    assert max(per_hour) <= 20
    assert sum(per_hour) <= 30


@pytest.mark.backends
def test_guesses_at_once_are_counted_before_they_are_looked_at(door: Door, store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: guess(door, "li"), range(40)))
    assert codes.count("wrong-sign-in") == 5
    assert len(outcomes(store)) == 5


@pytest.mark.backends
def test_waiting_outlives_a_restart(
    door: Door, store: Store, clock: ManualClock, hasher: Hasher, sessions: Sessions
) -> None:
    for _ in range(5):
        guess(door, "li")
    assert guess(Door(store, clock, hasher, sessions), "li", GOOD) == "wait"


def test_old_tries_are_forgotten(door: Door, clock: ManualClock) -> None:
    for _ in range(5):
        guess(door, "li")
    clock.advance(25 * 60 * MINUTE)
    assert [guess(door, "li") for _ in range(5)] == ["wrong-sign-in"] * 5


def test_many_invented_names_do_not_fill_the_memory_nor_free_a_real_one(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cheng.security.sign_in.REMEMBERED", 50)
    for _ in range(5):
        guess(door, "li")
    for number in range(60):
        guess(door, f"invented-{number}")
    assert len(door._tries) <= 50 < REMEMBERED
    assert guess(door, "li") == "wait"


@pytest.mark.parametrize("name", ["", "x" * 10_000, "li' --", "li\0", "\udcff", "%", "王" * 500])
def test_odd_names_are_only_wrong(door: Door, name: str) -> None:
    assert guess(door, name, "x" * 100_000) == "wrong-sign-in"


def test_a_stolen_session_is_no_way_to_guess_the_password(door: Door, accounts: Accounts) -> None:
    li = Actor("li", "Li Wei", ("officer",), "Drainage")
    codes = []
    for _ in range(7):
        with pytest.raises(Refused) as refusal:
            door.change_password(accounts, li, "a wrong one", "seven lamps along the quay")
        codes.append(refusal.value.code)
    assert codes == ["wrong-password"] * 5 + ["wait"] * 2


def test_the_right_change_frees(door: Door, accounts: Accounts) -> None:
    li = Actor("li", "Li Wei", ("officer",), "Drainage")
    door.change_password(accounts, li, GOOD, "seven lamps along the quay")
    assert door._tries == {}
    assert door.sign_in("li", "seven lamps along the quay")


def test_hashes_of_older_parameters_are_made_anew(door: Door, accounts: Accounts, store: Store) -> None:
    before = accounts.find("li")["password_hash"]
    door.hasher = Hasher(memory=128, rounds=1, weak_for_tests=True)
    door.sign_in("li", GOOD)
    assert accounts.find("li")["password_hash"] != before
    assert door.sign_in("li", GOOD)


def test_as_much_is_worked_out_for_names_that_do_not_exist(
    store: Store, clock: ManualClock, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = Hasher(memory=8 * 1024, rounds=1, weak_for_tests=True)
    door = Door(store, clock, hasher, accounts.sessions)
    with store.write() as conn:
        conn.exec_driver_sql("UPDATE accounts SET password_hash = ?", (hasher.hash(GOOD),))
    worked: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(own: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        worked.append(hashed.rpartition("p=")[0])
        return verify(own, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    guess(door, "li")
    guess(door, "nobody-of-that-name")
    assert len(worked) == 2
    assert worked[0] == worked[1], "Argon2id of the same memory and rounds, once for each"
