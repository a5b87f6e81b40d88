"""Tokens of devices and programs: shown once, kept as SHA-256, looked up in memory at every reading that comes in."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store, next_numbers
from cheng.infrastructure.tables import counters, tokens
from cheng.security import audit, csrf
from cheng.security.actors import DEVICE, PROGRAMS, ROLES, Actor, ActorKind, Scope
from cheng.security.guard import Guard
from cheng.security.permissions import Target
from cheng.security.sessions import digest
from cheng.standards.problems import Refused

MARK = "cheng_"
"""How every token starts, so that people and scanners recognise a leaked one."""
CHANGES = "tokens"
"""The counter that moves with every change, for the other processes on the same store."""
LOOK_EVERY = 1_000_000
"""Microseconds after which a change made by another process is noticed."""


@dataclass(frozen=True, slots=True)
class Token:
    """What the console shows of a token."""

    name: str
    role: str
    scope: Scope
    department: str
    created: int
    created_by: str
    last_seen: int | None
    revoked: int | None


class TokenBook:
    """All tokens in force, by their hash, in memory."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.guard = Guard(store, clock)
        self._lock = threading.Lock()
        self._actors: dict[str, Actor] = {}
        self._seen: dict[str, int] = {}
        self.version = -1
        """another one whenever tokens were issued or revoked and this process knows of it"""
        self._looked = 0
        self._refresh(clock.now())

    def actor(self, token: str) -> Actor | None:
        """Who sends this token, or None: unknown or revoked. No question to the store but once a second."""
        now = self.clock.now()
        if now - self._looked >= LOOK_EVERY:
            self._refresh(now)
        actor = self._actors.get(digest(token)) if token.startswith(MARK) else None
        if actor is not None:
            self._seen[actor.display_name] = now
        return actor

    def issue(
        self, by: Actor, name: str, role: str, scope: Mapping[str, Any] | None = None, department: str = ""
    ) -> str:
        """Make a token and return it, once. `scope` as for `Scope.of`; a device without one may send nothing.

        Refused: not allowed, no such role, no name, or the name is taken.
        """
        self.guard.require(by, "manage-tokens", Target("token", name))
        if role not in (*PROGRAMS, *ROLES):
            values = {"role": role, "roles": ", ".join([*PROGRAMS, *ROLES])}
            raise Refused("no-role", "There is no role {role}; choose from {roles}.", values, status=422)
        if not name.strip() or len(name) > 120 or not name.isprintable():
            raise Refused("not-a-name", "A token needs a name of at most 120 characters.", status=422)
        token = MARK + csrf.secret()
        told: dict[str, Any] = {**Scope.of(scope or {}).told(), "department": department}
        row = {"name": name, "token_hash": digest(token), "role": role, "scope": told, "created": self.clock.now()}
        try:
            with self.store.write() as conn:
                conn.execute(insert(tokens), row | {"created_by": by.name})
                self._changed(conn, by, "issue", name, {"role": role, "scope": told})
        except IntegrityError:
            raise Refused("name-taken", "There is already a token named {name}.", {"name": name}) from None
        self._refresh(self.clock.now())
        return token

    def revoke(self, by: Actor, name: str) -> None:
        """Make a token worthless, at once here and within a second elsewhere. Refused (404) when there is none."""
        self.guard.require(by, "manage-tokens", Target("token", name))
        now = self.clock.now()
        with self.store.write() as conn:
            change = update(tokens).where((tokens.c.name == name) & tokens.c.revoked.is_(None)).values(revoked=now)
            if conn.execute(change).rowcount == 0:
                raise Refused("no-token", "There is no token named {name} in force.", {"name": name}, status=404)
            self._changed(conn, by, "revoke", name, {})
        self._refresh(now)

    def renew(self, by: Actor, name: str) -> str:
        """Another secret for a token, which is returned once; the old one is worth nothing. Refused as by `revoke`."""
        self.guard.require(by, "manage-tokens", Target("token", name))
        token = MARK + csrf.secret()
        with self.store.write() as conn:
            mine = (tokens.c.name == name) & tokens.c.revoked.is_(None)
            if conn.execute(update(tokens).where(mine).values(token_hash=digest(token))).rowcount == 0:
                raise Refused("no-token", "There is no token named {name} in force.", {"name": name}, status=404)
            self._changed(conn, by, "renew", name, {})
        self._refresh(self.clock.now())
        return token

    def everything(self, by: Actor) -> list[Token]:
        """All tokens by name, also revoked ones, without their hashes."""
        self.guard.require(by, "manage-tokens", "token")
        with self.store.read() as conn:
            rows = conn.execute(select(tokens).order_by(tokens.c.name)).all()
        return [
            Token(
                row.name,
                row.role,
                Scope.of(row.scope),
                row.scope.get("department", ""),
                row.created,
                row.created_by,
                self._seen.get(row.name, row.last_seen),
                row.revoked,
            )
            for row in rows
        ]

    def write_seen(self) -> int:
        """Write down when tokens were last used; how many were. Call it now and then, and when closing."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if seen:
            change = update(tokens).where(tokens.c.name == bindparam("who")).values(last_seen=bindparam("at"))
            with self.store.write() as conn:
                conn.execute(change, [{"who": name, "at": at} for name, at in seen.items()])
        return len(seen)

    def _changed(self, conn: Connection, by: Actor, deed: str, name: str, detail: dict[str, Any]) -> None:
        next_numbers(conn, CHANGES)
        audit.record(conn, self.clock.now(), by, "manage-tokens", f"token:{name}", detail={"deed": deed, **detail})

    def _refresh(self, now: int) -> None:
        """Read all tokens again when any was changed since the last time."""
        with self._lock, self.store.read() as conn:
            self._looked = now
            version = conn.execute(select(counters.c.value).where(counters.c.name == CHANGES)).scalar_one_or_none() or 0
            if version == self.version:
                return
            rows = conn.execute(select(tokens).where(tokens.c.revoked.is_(None))).all()
            self._actors = {row.token_hash: as_actor(row.name, row.role, row.scope) for row in rows}
            self.version = version


def as_actor(name: str, role: str, scope: Mapping[str, Any]) -> Actor:
    """Whoever sends a token with this role and scope. Its name cannot be mistaken for an account's."""
    kind: ActorKind = "device" if role == DEVICE else "system"
    return Actor(f"token:{name}", name, (role,), scope.get("department", ""), kind, Scope.of(scope))
