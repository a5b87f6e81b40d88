"""Signing in: slow for guessers, equal for names that exist and names that do not.

After five wrong passwords a name has to wait, twice as long each time up to an hour. Waiting concerns new sign-ins
only: whoever is signed in already goes on working.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import select, update

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import accounts
from cheng.security import audit
from cheng.security.accounts import Accounts, canonical
from cheng.security.actors import Actor
from cheng.security.passwords import Hasher
from cheng.security.sessions import MINUTE, Sessions
from cheng.standards.problems import Refused

FREE_TRIES = 5
LONGEST_WAIT = 60 * MINUTE
FORGET = 24 * 60 * MINUTE
"""Wrong tries older than this do not count any more."""
REMEMBERED = 10_000
"""Names whose tries are kept in memory; those of real accounts are in the store as well."""


@dataclass(slots=True)
class Tries:
    """Wrong tries in a row, and until when no further one is looked at."""

    failed: int = 0
    until: int = 0


class Door:
    """Where people sign in."""

    def __init__(self, store: Store, clock: Clock, hasher: Hasher, sessions: Sessions) -> None:
        self.store = store
        self.clock = clock
        self.hasher = hasher
        self.sessions = sessions
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, Tries] = OrderedDict()

    def sign_in(self, name: str, password: str, address: str = "", before: str | None = None) -> tuple[str, str]:
        """Open a session: (its token, its CSRF token). `before`: the token the browser came with, which ends.

        Refused (403) with one sentence for every wrong pair, (429) for a name that has to wait.
        """
        name = canonical(name)[:80]
        with self.store.read() as conn:
            row = conn.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
        tries = self._count(name, Tries(row.failed, row.locked_until) if row else Tries())
        right = self.hasher.verify(password, row.password_hash if row else None)
        if row is None or not right or row.disabled:
            self._wrong(name, tries, address)
            raise Refused("wrong-sign-in", "The name or the password is not right.", status=403)
        values: dict[str, object] = {"failed": 0, "locked_until": 0}
        if self.hasher.outdated(row.password_hash):
            values["password_hash"] = self.hasher.hash(password)
        unchanged = (accounts.c.name == name) & (accounts.c.password_hash == row.password_hash) & ~accounts.c.disabled
        with self.store.write() as conn:
            if conn.execute(update(accounts).where(unchanged).values(**values)).rowcount == 0:
                raise Refused("wrong-sign-in", "The name or the password is not right.", status=403)
            opened = self.sessions.open(conn, name, address, before)
            audit.record(conn, self.clock.now(), name, "sign-in", f"account:{name}", address=address)
        with self._lock:
            self._tries.pop(name, None)
        return opened

    def _count(self, name: str, stored: Tries) -> Tries:
        """Count a try before it is looked at, so that many at once are counted too. Refused when the name waits."""
        now = self.clock.now()
        with self._lock:
            known = self._tries.get(name, Tries())
            known = max(known, stored, key=lambda tries: (tries.failed, tries.until))
            if known.until and known.until + FORGET < now:
                known = Tries()
            if known.until > now:
                minutes = -(-(known.until - now) // MINUTE)
                message = "Too many wrong tries; please try again in {minutes} minutes."
                raise Refused("wait", message, {"minutes": minutes}, status=429)
            failed = known.failed + 1
            wait = 0 if failed < FREE_TRIES else min(MINUTE << (failed - FREE_TRIES), LONGEST_WAIT)
            counted = Tries(failed, now + wait if wait else 0)
            self._tries[name] = counted
            self._tries.move_to_end(name)
            if len(self._tries) > REMEMBERED:
                self._tries.popitem(last=False)
            return counted

    def change_password(self, register: Accounts, by: Actor, old: str, new: str) -> None:
        """As `Accounts.change_password`, with wrong tries counted: a stolen session is no way to guess a password."""
        self._count(by.name, Tries())
        register.change_password(by, old, new)
        with self._lock:
            self._tries.pop(by.name, None)

    def _wrong(self, name: str, tries: Tries, address: str) -> None:
        """Write a wrong try down; the same work whether there is such an account or not."""
        with self.store.write() as conn:
            values = {"failed": tries.failed, "locked_until": tries.until}
            fewer = (accounts.c.name == name) & (accounts.c.failed < tries.failed)
            conn.execute(update(accounts).where(fewer).values(**values))
            reason, thing = "wrong name or password", f"account:{name}"
            audit.record(conn, self.clock.now(), name, "sign-in", thing, "refused", reason=reason, address=address)

    def sign_out(self, token: str, address: str = "") -> None:
        """Close the session of this token, at once and for good."""
        session = self.sessions.find(token)
        with self.store.write() as conn:
            self.sessions.close(conn, token)
            if session:
                thing = f"account:{session.actor.name}"
                audit.record(conn, self.clock.now(), session.actor, "sign-out", thing, address=address)
