"""Tokens: shown once, known at once, worthless when revoked, and silent about the store at every reading."""

import subprocess
import sys

import pytest
from sqlalchemy import event, select

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import audit, tokens
from cheng.security.actors import HOUSE, Actor
from cheng.security.permissions import Target, decide
from cheng.security.tokens import MARK, TokenBook
from cheng.standards.problems import Refused

SECOND = 1_000_000
OPERATOR = Actor("op", "Op", ("operator",))


@pytest.fixture
def book(store: Store, clock: ManualClock) -> TokenBook:
    return TokenBook(store, clock)


@pytest.mark.backends
def test_issue_and_know(book: TokenBook, store: Store, clock: ManualClock) -> None:
    token = book.issue(OPERATOR, "pump 7", "device", {"ids": ["cover-7"], "prefixes": ["lamp-"], "types": ["Gauge"]})
    assert token.startswith(MARK)
    actor = book.actor(token)
    assert actor is not None
    assert (actor.name, actor.display_name, actor.roles, actor.kind) == (
        "token:pump 7",
        "pump 7",
        ("device",),
        "device",
    )
    asked = [("cover-7", ""), ("lamp-1", ""), ("x", "Gauge"), ("cover-8", "Cover")]
    decisions = [decide(actor, "ingest", Target("thing", thing, type=kind)).allowed for thing, kind in asked]
    assert decisions == [True, True, True, False]
    with store.read() as conn:
        assert token not in str(conn.execute(select(tokens)).all()) + str(conn.execute(select(audit)).all())
    assert TokenBook(store, clock).actor(token) == actor


@pytest.mark.parametrize("nonsense", ["", "cheng_", "cheng_x", "Bearer cheng_x", "令", "\udcff", "cheng_\udcff"])
def test_nonsense_is_nobody(book: TokenBook, nonsense: str) -> None:
    book.issue(OPERATOR, "a", "device")
    assert book.actor(nonsense) is None


def test_the_hash_in_the_store_is_nobodys_token(book: TokenBook, store: Store) -> None:
    book.issue(OPERATOR, "a", "device")
    with store.read() as conn:
        kept = conn.execute(select(tokens.c.token_hash)).scalar_one()
    assert book.actor(kept) is None
    assert book.actor(MARK + kept) is None


def test_a_program_acts_with_its_role_and_department(book: TokenBook) -> None:
    actor = book.actor(book.issue(OPERATOR, "hotline", "officer", department="Drainage"))
    assert actor is not None
    assert actor.kind == "system"
    assert decide(actor, "act", Target("case", department="Drainage")).allowed
    assert not decide(actor, "act", Target("case", department="Roads")).allowed
    assert not decide(actor, "ingest", Target("thing", "cover-7")).allowed


def test_a_device_without_a_scope_sends_nothing(book: TokenBook) -> None:
    actor = book.actor(book.issue(OPERATOR, "a", "device"))
    assert actor is not None
    assert not decide(actor, "ingest", Target("thing", "cover-7", type="Cover")).allowed


@pytest.mark.backends
def test_revoked_at_once_here_and_within_a_second_elsewhere(book: TokenBook, store: Store, clock: ManualClock) -> None:
    token = book.issue(OPERATOR, "a", "device")
    other = TokenBook(store, clock)
    book.revoke(OPERATOR, "a")
    assert book.actor(token) is None
    assert other.actor(token) is not None, "not asked for yet"
    clock.advance(SECOND)
    assert other.actor(token) is None
    with pytest.raises(Refused) as refusal:
        book.revoke(OPERATOR, "a")
    assert refusal.value.status == 404


ISSUE = """
import sys
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.security.actors import HOUSE
from cheng.security.tokens import TokenBook
store = Store(sys.argv[1])
print(TokenBook(store, Clock()).issue(HOUSE, "from the command line", "device", {"types": ["Cover"]}))
store.close()
"""


@pytest.mark.backends
def test_a_token_made_by_another_process_is_known(
    store: Store, clock: ManualClock, store_url: str, book: TokenBook
) -> None:
    done = subprocess.run([sys.executable, "-c", ISSUE, store_url], capture_output=True, check=True, text=True)
    token = done.stdout.strip()
    assert book.actor(token) is None
    clock.advance(SECOND)
    assert book.actor(token) is not None


@pytest.mark.backends
def test_reading_after_reading_asks_the_store_nothing(book: TokenBook, store: Store) -> None:
    token = book.issue(OPERATOR, "a", "device")
    asked: list[str] = []
    event.listen(store._reader, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for _ in range(1000):
        assert book.actor(token)
    assert asked == []


@pytest.mark.backends
def test_last_seen(book: TokenBook, store: Store, clock: ManualClock) -> None:
    token = book.issue(OPERATOR, "a", "device")
    book.issue(OPERATOR, "b", "device")
    clock.advance(5)
    book.actor(token)
    assert [entry.last_seen for entry in book.everything(OPERATOR)] == [clock.now(), None]
    assert (book.write_seen(), book.write_seen()) == (1, 0)
    assert [entry.last_seen for entry in TokenBook(store, clock).everything(OPERATOR)] == [clock.now(), None]


@pytest.mark.backends
@pytest.mark.parametrize(
    ("name", "role", "code"),
    [
        ("", "device", "not-a-name"),
        ("a\nb", "device", "not-a-name"),
        ("x", "house", "no-role"),
        ("taken", "device", "name-taken"),
    ],
)
def test_refuses(book: TokenBook, name: str, role: str, code: str) -> None:
    book.issue(OPERATOR, "taken", "device")
    with pytest.raises(Refused) as refusal:
        book.issue(OPERATOR, name, role)
    assert refusal.value.code == code


def test_only_operators_manage_tokens(book: TokenBook, store: Store) -> None:
    officer = Actor("li", "Li", ("officer",), "Drainage")
    book.issue(HOUSE, "a", "device")
    for attempt in (lambda: book.issue(officer, "b", "operator"), lambda: book.revoke(officer, "a"),
                    lambda: book.everything(officer)):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.status == 403
    with store.read() as conn:
        rows = conn.execute(select(audit.c.outcome, audit.c.object).order_by(audit.c.seq)).all()
    assert [tuple(row) for row in rows] == [
        ("allowed", "token:a"),
        ("refused", "token:b"),
        ("refused", "token:a"),
        ("refused", "token"),
    ]
