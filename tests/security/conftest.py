"""A door, a register and sessions over the test's store, with hashes made for tests."""

import pytest

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.security.accounts import Accounts
from cheng.security.actors import HOUSE, Actor
from cheng.security.passwords import Hasher
from cheng.security.sessions import Sessions
from cheng.security.sign_in import Door

GOOD = "three rivers meet at dawn"
OPERATOR = Actor("op", "Op", ("operator",))


@pytest.fixture(scope="session")
def hasher() -> Hasher:
    return Hasher(memory=64, rounds=1, weak_for_tests=True)


@pytest.fixture
def sessions(store: Store, clock: ManualClock) -> Sessions:
    return Sessions(store, clock)


@pytest.fixture
def accounts(store: Store, clock: ManualClock, hasher: Hasher, sessions: Sessions) -> Accounts:
    """With `op`, who runs the house, and `li`, an officer of Drainage; both know the password GOOD."""
    register = Accounts(store, clock, hasher, sessions)
    register.create(HOUSE, "op", "Op", ["operator"], password=GOOD)
    register.create(HOUSE, "li", "Li Wei", ["officer"], "Drainage", password=GOOD)
    return register


@pytest.fixture
def door(store: Store, clock: ManualClock, hasher: Hasher, sessions: Sessions, accounts: Accounts) -> Door:
    return Door(store, clock, hasher, sessions)
