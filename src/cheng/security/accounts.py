"""The people who may sign in: their roles, their department, their password's hash.

Whoever runs the accounts cannot change what he may do himself, and the last operator stays.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store, serialise
from cheng.infrastructure.tables import accounts
from cheng.security import audit
from cheng.security.actors import HOUSE, ROLES, Actor
from cheng.security.guard import Guard
from cheng.security.passwords import Hasher, check_new, one_time
from cheng.security.permissions import Target
from cheng.security.sessions import Sessions
from cheng.standards.problems import Refused

NAME = re.compile(r"[^\W_][\w.@-]{1,39}")
CHANGEABLE = {"display_name", "roles", "department", "disabled"}


class Accounts:
    """The register of accounts."""

    def __init__(self, store: Store, clock: Clock, hasher: Hasher, sessions: Sessions) -> None:
        self.store = store
        self.clock = clock
        self.hasher = hasher
        self.sessions = sessions
        self.guard = Guard(store, clock)

    def create(
        self,
        by: Actor,
        name: str,
        display_name: str,
        roles: Sequence[str],
        department: str = "",
        password: str | None = None,
    ) -> str | None:
        """Add an account. Without `password` it gets one for the first sign-in, which is returned, once.

        Refused: not allowed, the name is taken or not a name, an unknown role, an easily guessed password.
        """
        name = canonical(name)
        self.guard.require(by, "manage-accounts", Target("account", name))
        check_roles(roles)
        if not NAME.fullmatch(name):
            message = (
                "A sign-in name has 2 to 40 letters, digits, dots, dashes or @, and starts with a letter or digit."
            )
            raise Refused("not-a-name", message, status=422)
        with self.store.read() as conn:
            if conn.execute(select(accounts.c.name).where(accounts.c.name == name)).first() is not None:
                raise name_taken(name)  # before a password is hashed for nothing
        first = None if password is not None else one_time()
        chosen = password if password is not None else first or ""
        check_new(chosen, name, display_name)
        row: dict[str, Any] = {
            "name": name,
            "display_name": display_name.strip() or name,
            "roles": list(roles),
            "department": department,
        }
        row |= {
            "password_hash": self.hasher.hash(chosen),
            "created": self.clock.now(),
            "must_change": first is not None,
        }
        try:
            with self.store.write() as conn:
                conn.execute(insert(accounts), row)
                self._note(conn, by, "create", name, {"roles": list(roles), "department": department})
        except IntegrityError:
            raise name_taken(name) from None
        return first

    def change(self, by: Actor, name: str, **changes: Any) -> None:
        """Change `display_name`, `roles`, `department` or `disabled`. Disabling ends the account's sessions.

        Refused: not allowed, one's own account, no such account, an unknown role, or no operator would be left.
        """
        name = canonical(name)
        self.guard.require(by, "manage-accounts", Target("account", name))
        if unknown := changes.keys() - CHANGEABLE:
            raise ValueError(f"an account's {', '.join(sorted(unknown))} cannot be changed here")
        refuse_own(by, name)
        if "roles" in changes:
            check_roles(changes["roles"])
            changes["roles"] = list(changes["roles"])
        with self.store.write() as conn:
            serialise(conn, "operators")
            if conn.execute(update(accounts).where(accounts.c.name == name).values(**changes)).rowcount == 0:
                raise unknown_account(name)
            if not operators(conn):
                raise Refused("last-operator", "Somebody has to run the house; this is the last operator.")
            if changes.get("disabled"):
                self.sessions.close_all(conn, name)
            self._note(conn, by, "change", name, changes)

    def reset_password(self, by: Actor, name: str) -> str:
        """Give an account a new password for one sign-in, end its sessions and its waiting; the password, once."""
        name = canonical(name)
        self.guard.require(by, "manage-accounts", Target("account", name))
        refuse_own(by, name)
        password = one_time()
        self._set(by, name, password, must_change=True)
        return password

    def change_password(self, by: Actor, old: str, new: str) -> None:
        """Change one's own password and end all one's sessions. Refused when `old` is wrong or `new` easily guessed."""
        self.guard.require(by, "change-password", Target("account", by.name))
        account = self.find(by.name)
        if not self.hasher.verify(old, account["password_hash"]):
            raise Refused("wrong-password", "Your present password is not right.", status=422)
        check_new(new, by.name, account["display_name"])
        if new == old:
            raise Refused("same-password", "Please choose a password that differs from the present one.", status=422)
        self._set(by, by.name, new, must_change=False)

    def _set(self, by: Actor, name: str, password: str, must_change: bool) -> None:
        values = {
            "password_hash": self.hasher.hash(password),
            "must_change": must_change,
            "failed": 0,
            "locked_until": 0,
        }
        with self.store.write() as conn:
            if conn.execute(update(accounts).where(accounts.c.name == name).values(**values)).rowcount == 0:
                raise unknown_account(name)
            self.sessions.close_all(conn, name)
            self._note(conn, by, "set-password", name, {"must_change": must_change})

    def find(self, name: str) -> RowMapping:
        """An account's row. Refused (404) when there is none."""
        with self.store.read() as conn:
            row = conn.execute(select(accounts).where(accounts.c.name == canonical(name))).mappings().one_or_none()
        if row is None:
            raise unknown_account(name)
        return row

    def everyone(self, by: Actor) -> list[dict[str, Any]]:
        """All accounts by name, without their hashes."""
        self.guard.require(by, "manage-accounts", "account")
        shown = [column for column in accounts.c if column.name != "password_hash"]
        with self.store.read() as conn:
            return [dict(row) for row in conn.execute(select(*shown).order_by(accounts.c.name)).mappings()]

    def ensure_operator(self) -> str | None:
        """When nobody runs the house yet: add the account `operator`, and return its password, to be shown once."""
        with self.store.write() as conn:
            serialise(conn, "operators")
            if operators(conn):
                return None
            password = one_time()
            hashed, now = self.hasher.hash(password), self.clock.now()
            row = {"name": "operator", "display_name": "Operator", "roles": ["operator"], "must_change": True}
            conn.execute(insert(accounts), row | {"password_hash": hashed, "created": now})
            self._note(conn, HOUSE, "create", "operator", {"roles": ["operator"]})
            return password

    def _note(self, conn: Connection, by: Actor, deed: str, name: str, detail: Mapping[str, Any]) -> None:
        audit.record(conn, self.clock.now(), by, "manage-accounts", f"account:{name}", detail={"deed": deed, **detail})


def ensure_operator(store: Store, clock: Clock, hasher: Hasher | None = None) -> str | None:
    """At the first start: an account `operator` with a password for one sign-in, returned to be printed once."""
    return Accounts(store, clock, hasher or Hasher(), Sessions(store, clock)).ensure_operator()


def operators(conn: Connection) -> list[str]:
    """Names of the accounts that can run the house."""
    rows = conn.execute(select(accounts.c.name, accounts.c.roles).where(~accounts.c.disabled))
    return [row.name for row in rows if "operator" in row.roles]


def canonical(name: str) -> str:
    """The one way to write a sign-in name: Li.Wei and li.wei are the same person."""
    return audit.storable(unicodedata.normalize("NFKC", name)).strip().casefold()


def check_roles(roles: Sequence[str]) -> None:
    """Refused when one of them is no role."""
    for role in roles:
        if role not in ROLES:
            values = {"role": role, "roles": ", ".join(ROLES)}
            raise Refused("no-role", "There is no role {role}; choose from {roles}.", values, status=422)


def refuse_own(by: Actor, name: str) -> None:
    """Refused when somebody would change what they may do themselves."""
    if by.name == name:
        raise Refused("own-account", "Nobody can change their own account; ask another operator.", status=403)


def name_taken(name: str) -> Refused:
    return Refused("name-taken", "There is already an account named {name}.", {"name": name})


def unknown_account(name: str) -> Refused:
    return Refused("no-account", "There is no account named {name}.", {"name": name}, status=404)
