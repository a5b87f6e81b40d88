"""What could not be taken: kept aside with its reason, counted, and there to be mended and sent again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from cheng.infrastructure.bulk import insert_rows
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import refused
from cheng.standards.problems import InputError, Refused

LONGEST = 64 * 1024
"""Bytes kept of a payload."""
MOST = 1_000
"""Rows kept of one delivery; the rest is counted in the last."""


COLUMNS = ("at", "door", "principal", "code", "reason", "line", "payload", "state")
Delivery = tuple[str, str, Sequence[tuple[InputError, bytes]]]
"""The door, the sender, and what was wrong with which line or payload."""


@dataclass(frozen=True)
class Kept:
    """One payload, or line of a payload, that was refused."""

    id: int
    at: int
    door: str
    principal: str
    code: str
    reason: str
    line: int | None
    payload: bytes
    state: str


class RefusedBox:
    """All refused payloads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.total = 0
        """since the start"""

    def keep(self, door: str, principal: str, errors: Sequence[tuple[InputError, bytes]]) -> None:
        """Keeps refused lines of a delivery with what was sent; durable when it returns."""
        self.keep_all([(door, principal, errors)])

    def keep_all(self, deliveries: Sequence[Delivery]) -> None:
        """Keeps what was refused of several deliveries, in one go."""
        now = self.clock.now()
        rows = [row for door, principal, errors in deliveries for row in _rows(now, door, principal, errors)]
        if not rows:
            return
        self.total += sum(len(errors) for _, _, errors in deliveries)
        with self.store.write() as conn:
            insert_rows(conn, refused.name, COLUMNS, rows)

    def get(self, number: int) -> Kept:
        """The refused payload with that number; Refused (404) when there is none."""
        with self.store.read() as conn:
            row = conn.execute(select(refused).where(refused.c.id == number)).mappings().first()
        if row is None:
            raise Refused("not-there", "There is no refused payload with this number.", status=404)
        return Kept(**row)

    def list(self, state: str = "kept", before: int | None = None, limit: int = 100, code: str = "") -> list[Kept]:
        """The newest first, of one `code` or of all; `before` is the number to go on from."""
        query = select(refused).where(refused.c.state == state).order_by(refused.c.id.desc()).limit(limit)
        if code:
            query = query.where(refused.c.code == code)
        if before is not None:
            query = query.where(refused.c.id < before)
        with self.store.read() as conn:
            return [Kept(**row) for row in conn.execute(query).mappings()]

    def counts(self) -> dict[str, int]:
        """How many are kept, by code."""
        query = select(refused.c.code, func.count()).where(refused.c.state == "kept").group_by(refused.c.code)
        with self.store.read() as conn:
            return {code: count for code, count in conn.execute(query)}

    def mark(self, number: int, state: str) -> None:
        """Notes that a payload was sent again (`retried`) or given up (`dropped`)."""
        with self.store.write() as conn:
            conn.execute(update(refused).where(refused.c.id == number).values(state=state))


def _rows(now: int, door: str, principal: str, errors: Sequence[tuple[InputError, bytes]]) -> Iterator[tuple[Any, ...]]:
    """What is kept of one delivery; its last row counts those that there was no room for."""
    for number, (error, payload) in enumerate(errors[:MOST], 1):
        more = len(errors) - MOST if number == MOST else 0
        reason = error.reason + (f" (and {more} more lines of the same delivery)" if more > 0 else "")
        yield now, door, principal, error.code, reason, error.line, payload[:LONGEST], "kept"
