"""Who is signed in. The browser holds 256 random bits; we hold their SHA-256, so a stolen store opens no session."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import accounts, sessions
from cheng.security import csrf
from cheng.security.actors import Actor

MINUTE = 60_000_000
TOUCH_EVERY = MINUTE
"""A session's use is written down this often, not at every request."""

HOLDER = (accounts.c.name, accounts.c.display_name, accounts.c.roles, accounts.c.department, accounts.c.must_change)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open."""

    actor: Actor
    csrf: str
    must_change: bool
    """The account has to change its password; until then the actor may do nothing else."""
    created: int
    absolute: int
    """when it ends at the latest"""


class Sessions:
    """Open, find and close sessions."""

    def __init__(self, store: Store, clock: Clock, idle: int = 30 * MINUTE, absolute: int = 12 * 60 * MINUTE) -> None:
        """`idle`: how long one may be unused; `absolute`: how long one may last; both in microseconds."""
        self.store = store
        self.clock = clock
        self.idle = idle
        self.absolute = absolute

    def open(self, conn: Connection, account: str, address: str = "", before: str | None = None) -> tuple[str, str]:
        """Open a session: (its token, its CSRF token). The one the browser came with, `before`, ends: ours are new."""
        if before:
            self.close(conn, before)
        now = self.clock.now()
        token, form = csrf.secret(), csrf.secret()
        row = {"token_hash": digest(token), "account": account, "csrf": form, "created": now, "seen": now}
        row |= {"expires": min(now + self.idle, now + self.absolute), "absolute": now + self.absolute}
        conn.execute(insert(sessions), row | {"address": address[:64]})
        return token, form

    def find(self, token: str | None) -> Session | None:
        """The session of a token, or None: unknown, over, closed, or its account disabled."""
        if not token:
            return None
        now, key = self.clock.now(), digest(token)
        with self.store.read() as conn:
            row = conn.execute(
                select(sessions.c.csrf, sessions.c.seen, sessions.c.created, sessions.c.absolute, *HOLDER)
                .join(accounts, accounts.c.name == sessions.c.account)
                .where(sessions.c.token_hash == key, sessions.c.expires > now, sessions.c.absolute > now)
                .where(~accounts.c.disabled)
            ).one_or_none()
        if row is None:
            return None
        if now - row.seen >= TOUCH_EVERY:
            until = min(now + self.idle, row.absolute)
            change = update(sessions).where(sessions.c.token_hash == key).values(seen=now, expires=until)
            self.store.afterwards(lambda conn: conn.execute(change))
        roles = ("newcomer",) if row.must_change else tuple(row.roles)
        actor = Actor(row.name, row.display_name, roles, row.department)
        return Session(actor, row.csrf, row.must_change, row.created, row.absolute)

    def close(self, conn: Connection, token: str) -> None:
        """Sign out: the token is worth nothing from now on."""
        conn.execute(delete(sessions).where(sessions.c.token_hash == digest(token)))

    def close_all(self, conn: Connection, account: str) -> int:
        """End every session of an account; how many there were."""
        return conn.execute(delete(sessions).where(sessions.c.account == account)).rowcount

    def sweep(self) -> int:
        """Remove sessions that are over; how many there were."""
        now = self.clock.now()
        with self.store.write() as conn:
            over = (sessions.c.expires <= now) | (sessions.c.absolute <= now)
            return conn.execute(delete(sessions).where(over)).rowcount


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
