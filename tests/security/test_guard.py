"""A no is raised and written down, and stays written down when the act is rolled back."""

import pytest
from sqlalchemy import select

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import audit
from cheng.security.actors import ANONYMOUS, Actor
from cheng.security.guard import Guard
from cheng.security.permissions import Target
from cheng.standards.problems import Refused

OFFICER = Actor("li", "Li Wei", ("officer",), "Drainage")


def rows(store: Store) -> list[tuple[str, ...]]:
    with store.read() as conn:
        wanted = select(audit.c.actor, audit.c.verb, audit.c.object, audit.c.outcome, audit.c.purpose, audit.c.address)
        return [tuple(row) for row in conn.execute(wanted.order_by(audit.c.seq))]


@pytest.mark.backends
def test_refusals_are_raised_and_recorded(store: Store, clock: ManualClock) -> None:
    guard = Guard(store, clock)
    assert guard.require(OFFICER, "act", Target("case", "c1", "Drainage")).allowed
    for actor, kind in ((OFFICER, Target("case", "c2", "Roads")), (ANONYMOUS, Target("case", "c3"))):
        with pytest.raises(Refused) as refusal:
            guard.require(actor, "act", kind, address="10.0.0.1")
        assert refusal.value.status == 403
    assert rows(store) == [
        ("li", "act", "case:c2", "refused", "", "10.0.0.1"),
        ("", "act", "case:c3", "refused", "", "10.0.0.1"),
    ]


@pytest.mark.backends
def test_a_refusal_inside_a_write_stays_when_the_write_is_undone(store: Store, clock: ManualClock) -> None:
    guard = Guard(store, clock)
    with pytest.raises(Refused), store.write():
        guard.require(OFFICER, "backup", "store")
    assert rows(store) == [("li", "backup", "store", "refused", "", "")]


def test_reading_personal_details_is_recorded_with_its_purpose(store: Store, clock: ManualClock) -> None:
    Guard(store, clock).require(OFFICER, "see-personal", Target("case", "c1", "Drainage"), "calling back")
    assert rows(store) == [("li", "see-personal", "case:c1", "allowed", "calling back", "")]
