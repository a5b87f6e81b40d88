"""Sessions: new at every sign-in, over when idle or old, worthless once signed out; nothing to steal in the store."""

import pytest
from sqlalchemy import select

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import sessions as table
from cheng.security.accounts import Accounts
from cheng.security.sessions import MINUTE, Sessions
from cheng.security.sign_in import Door

GOOD = "three rivers meet at dawn"


@pytest.fixture
def token(door: Door) -> str:
    return door.sign_in("li", GOOD, "10.0.0.1")[0]


@pytest.mark.backends
def test_find(door: Door, sessions: Sessions, store: Store) -> None:
    token, form = door.sign_in("li", GOOD, "10.0.0.1")
    session = sessions.find(token)
    assert session is not None
    assert (session.actor.name, session.actor.display_name, session.actor.roles) == ("li", "Li Wei", ("officer",))
    assert (session.actor.department, session.csrf, session.must_change) == ("Drainage", form, False)
    with store.read() as conn:
        kept = str(conn.execute(select(table)).all())
    assert token not in kept
    assert len(token) >= 43


@pytest.mark.parametrize("nonsense", [None, "", "x", "0" * 64, "\udcff", "' OR 1=1 --", "eyJhbGciOiJub25lIn0.e30."])
def test_nonsense_opens_nothing(accounts: Accounts, sessions: Sessions, nonsense: str | None) -> None:
    assert sessions.find(nonsense) is None


def test_the_hash_in_the_store_opens_nothing(token: str, sessions: Sessions, store: Store) -> None:
    with store.read() as conn:
        assert sessions.find(conn.execute(select(table.c.token_hash)).scalar_one()) is None


@pytest.mark.backends
def test_idle(token: str, sessions: Sessions, clock: ManualClock) -> None:
    for _ in range(4):
        clock.advance(29 * MINUTE)
        assert sessions.find(token) is not None
    clock.advance(30 * MINUTE)
    assert sessions.find(token) is None
    assert sessions.sweep() == 1


@pytest.mark.backends
def test_absolute(token: str, sessions: Sessions, clock: ManualClock) -> None:
    for _ in range(35):
        clock.advance(20 * MINUTE)
        assert sessions.find(token) is not None
    clock.advance(20 * MINUTE)
    assert sessions.find(token) is None


def test_use_is_not_written_down_at_every_request(
    token: str, sessions: Sessions, store: Store, clock: ManualClock
) -> None:
    seen = []
    for _ in range(5):
        clock.advance(MINUTE // 2)
        sessions.find(token)
        with store.read() as conn:
            seen.append(conn.execute(select(table.c.seen)).scalar_one())
    assert len(set(seen)) == 3


@pytest.mark.backends
def test_sign_out_is_for_good(token: str, door: Door, sessions: Sessions) -> None:
    other = door.sign_in("li", GOOD)[0]
    door.sign_out(token)
    assert sessions.find(token) is None
    assert sessions.find(other) is not None
    door.sign_out(token)
    door.sign_out("nonsense")


@pytest.mark.backends
def test_fixation_a_token_from_before_is_worthless_after(token: str, door: Door, sessions: Sessions) -> None:
    planted = token
    token, _ = door.sign_in("op", GOOD, before=planted)
    assert token != planted
    assert sessions.find(planted) is None
    made_up, _ = door.sign_in("op", GOOD, before="chosen-by-an-attacker")
    assert made_up != "chosen-by-an-attacker"
    assert sessions.find("chosen-by-an-attacker") is None


def test_every_session_has_its_own_form_token(door: Door) -> None:
    made = [door.sign_in("li", GOOD) for _ in range(3)]
    assert len({text for pair in made for text in pair}) == 6
