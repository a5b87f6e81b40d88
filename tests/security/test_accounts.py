"""The register of people: added, changed, disabled, always by somebody who may, always written down."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import audit
from cheng.security.accounts import Accounts, canonical, ensure_operator
from cheng.security.actors import HOUSE, Actor
from cheng.security.passwords import Hasher
from cheng.security.sign_in import Door
from cheng.standards.problems import Refused

GOOD, BETTER = "three rivers meet at dawn", "seven lamps along the quay"
OPERATOR = Actor("op", "Op", ("operator",))
OFFICER = Actor("li", "Li Wei", ("officer",), "Drainage")


def deeds(store: Store) -> list[tuple[str, str, str, str]]:
    with store.read() as conn:
        rows = conn.execute(select(audit).where(audit.c.verb == "manage-accounts").order_by(audit.c.seq)).all()
    return [(row.actor, row.object, row.outcome, row.detail.get("deed", "")) for row in rows]


@pytest.mark.backends
def test_create_and_find(accounts: Accounts, store: Store, clock: ManualClock) -> None:
    row = accounts.find(" LI ")
    assert (row["display_name"], row["roles"], row["department"]) == ("Li Wei", ["officer"], "Drainage")
    assert (row["must_change"], row["disabled"], row["created"]) == (False, False, clock.now())
    assert GOOD not in str(dict(row))
    first = accounts.create(OPERATOR, "wang", "王芳", ["citizen"])
    assert first is not None
    assert accounts.find("wang")["must_change"] is True
    assert deeds(store)[-1] == ("op", "account:wang", "allowed", "create")
    assert [entry["name"] for entry in accounts.everyone(OPERATOR)] == ["li", "op", "wang"]
    assert all("password_hash" not in entry for entry in accounts.everyone(OPERATOR))


@pytest.mark.backends
def test_a_name_is_given_once_even_to_many_at_once(accounts: Accounts) -> None:
    def create(number: int) -> str:
        try:
            accounts.create(HOUSE, "ZHANG" if number % 2 else "zhang", "Zhang", ["citizen"], password=GOOD)
        except Refused as refusal:
            return refusal.code
        return "created"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(12))) == ["created"] + ["name-taken"] * 11


@pytest.mark.parametrize(
    ("name", "roles", "password", "code"),
    [
        ("x", ["citizen"], GOOD, "not-a-name"),
        ("token:pump", ["citizen"], GOOD, "not-a-name"),
        ("a b", ["citizen"], GOOD, "not-a-name"),
        ("_house", ["citizen"], GOOD, "not-a-name"),
        ("zhao", ["emperor"], GOOD, "no-role"),
        ("zhao", ["house"], GOOD, "no-role"),
        ("zhao", ["citizen"], "password1234", "easily-guessed"),
        ("li", ["citizen"], GOOD, "name-taken"),
    ],
)
def test_refuses(accounts: Accounts, name: str, roles: list[str], password: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        accounts.create(HOUSE, name, "Zhao", roles, password=password)
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


def test_only_operators_manage_accounts(accounts: Accounts, store: Store) -> None:
    attempts = (
        lambda: accounts.create(OFFICER, "zhao", "Zhao", ["operator"], password=GOOD),
        lambda: accounts.change(OFFICER, "li", roles=["operator"]),
        lambda: accounts.reset_password(OFFICER, "op"),
        lambda: accounts.everyone(OFFICER),
    )
    for attempt in attempts:
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.status == 403
    assert [row[2] for row in deeds(store)[-4:]] == ["refused"] * 4
    assert accounts.find("li")["roles"] == ["officer"]


@pytest.mark.backends
def test_change_and_disable(accounts: Accounts, door: Door, store: Store) -> None:
    token, _ = door.sign_in("li", GOOD)
    accounts.change(OPERATOR, "LI", roles=["officer", "leader"], department="Roads", display_name="Li W.")
    session = door.sessions.find(token)
    assert session is not None
    assert (session.actor.roles, session.actor.department) == (("officer", "leader"), "Roads")
    accounts.change(OPERATOR, "li", disabled=True)
    assert door.sessions.find(token) is None
    with pytest.raises(Refused, match="not right"):
        door.sign_in("li", GOOD)
    accounts.change(OPERATOR, "li", disabled=False)
    assert door.sessions.find(token) is None
    assert deeds(store)[-1] == ("op", "account:li", "allowed", "change")


def test_changes_that_are_refused(accounts: Accounts) -> None:
    refusals = (("op", ["leader"], "own-account"), ("none", [], "no-account"), ("li", ["device"], "no-role"))
    for name, roles, code in refusals:
        with pytest.raises(Refused) as refusal:
            accounts.change(OPERATOR, name, roles=roles)
        assert refusal.value.code == code
    with pytest.raises(Refused) as refusal:
        accounts.reset_password(OPERATOR, "op")
    assert refusal.value.code == "own-account"
    with pytest.raises(ValueError, match="password_hash"):
        accounts.change(OPERATOR, "li", password_hash="x")


def test_the_last_operator_stays(accounts: Accounts, store: Store) -> None:
    before = len(deeds(store))
    for change in ({"disabled": True}, {"roles": ["citizen"]}):
        with pytest.raises(Refused) as refusal:
            accounts.change(HOUSE, "op", **change)
        assert refusal.value.code == "last-operator"
    assert len(deeds(store)) == before, "what was undone is not in the audit"
    accounts.change(OPERATOR, "li", roles=["operator"])
    accounts.change(HOUSE, "op", disabled=True)


@pytest.mark.backends
def test_password_of_ones_own(accounts: Accounts, door: Door) -> None:
    token, _ = door.sign_in("li", GOOD)
    for old, new, code in (("wrong one here", BETTER, "wrong-password"), (GOOD, "password1234", "easily-guessed"),
                           (GOOD, GOOD, "same-password")):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            accounts.change_password(OFFICER, old, new)
        assert refusal.value.code == code
    assert door.sessions.find(token) is not None
    accounts.change_password(OFFICER, GOOD, BETTER)
    assert door.sessions.find(token) is None
    with pytest.raises(Refused):
        door.sign_in("li", GOOD)
    assert door.sign_in("li", BETTER)


def test_a_reset_ends_sessions_and_has_to_be_changed(accounts: Accounts, door: Door) -> None:
    token, _ = door.sign_in("li", GOOD)
    first = accounts.reset_password(OPERATOR, "li")
    assert door.sessions.find(token) is None
    token, _ = door.sign_in("li", first)
    session = door.sessions.find(token)
    assert session is not None
    assert (session.must_change, session.actor.roles) == (True, ("newcomer",))
    accounts.change_password(session.actor, first, BETTER)
    session = door.sessions.find(door.sign_in("li", BETTER)[0])
    assert session is not None
    assert session.actor.roles == ("officer",)


@pytest.mark.backends
def test_first_start(store: Store, clock: ManualClock, hasher: Hasher) -> None:
    with ThreadPoolExecutor(3) as pool:
        passwords = [p for p in pool.map(lambda _: ensure_operator(store, clock, hasher), range(3)) if p]
    assert len(passwords) == 1
    assert ensure_operator(store, clock, hasher) is None
    assert deeds(store) == [("cheng", "account:operator", "allowed", "create")]
    with store.read() as conn:
        assert passwords[0] not in str(conn.execute(select(audit)).all())


@pytest.mark.parametrize(("typed", "name"), [(" Li.Wei ", "li.wei"), ("ＬＩ", "li"), ("王芳", "王芳")])
def test_canonical(typed: str, name: str) -> None:
    assert canonical(typed) == name
