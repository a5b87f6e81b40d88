"""What became of calls: those that came in, and those back to people whose case is closed.

A question that was answered at once opens no case: nobody has anything to do and no clock runs. It is a call that was
answered, and counted as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, insert, or_, select

from cheng.infrastructure.case_rows import Entry, entry
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.hotline_tables import calls
from cheng.infrastructure.report_book import telephone
from cheng.infrastructure.report_tables import reports
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import acts, cases
from cheng.kernel.needs import clean
from cheng.standards.durations import days, hours

Outcome = Literal["filed", "followed", "answered", "reached", "missed", "declined"]
CAME_IN = ("filed", "followed", "answered")
OVER = ("reached", "declined")
"""Outcomes of a call back after which nobody calls again."""
MOST_TRIES = 3
"""So often somebody who does not answer is called."""
AGAIN = hours(2).us
"""After a call that was missed, the next one."""
BACK = days(30).us
"""Who was not reached so long after the close is not asked any more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A closed case whose reporter is to be called back."""

    entry: Entry
    tries: int
    """calls that were missed"""
    last: int | None
    """when the last one was, µs"""

    def due(self, now: int) -> bool:
        """Whether it is time to call, not too soon after a call that was missed."""
        return self.last is None or now - self.last >= AGAIN


class CallBook:
    """All calls. Synchronous, safe to use from many threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self._settled = 0
        """cases closed before this moment need no call any more, µs"""

    def record(
        self,
        conn: Connection,
        agent: str,
        outcome: Outcome,
        *,
        phone: str = "",
        case: str | None = None,
        article: int | None = None,
        text: str = "",
        key: str | None = None,
    ) -> bool:
        """Writes a call down; False when that key has one already. `case` by its id."""
        if key and conn.execute(select(calls.c.id).where(calls.c.key == key)).first() is not None:
            return False
        row = {"agent": agent, "outcome": outcome, "phone": telephone(phone)[:40], "case": case, "article": article}
        row |= {"text": str(clean(text)).strip()[:4000], "key": key or None, "at": self.clock.now()}
        conn.execute(insert(calls), [row])
        return True

    def answered(self, phone: str, limit: int = 10) -> Sequence[RowMapping]:
        """What a caller asked that was answered at once, the last first. Personal."""
        if not telephone(phone):
            return []
        query = select(calls).where(calls.c.phone == telephone(phone), calls.c.outcome == "answered")
        with self.store.read() as conn:
            return conn.execute(query.order_by(calls.c.id.desc()).limit(limit)).mappings().all()

    def caller(self, phone: str) -> RowMapping | None:
        """The last report of somebody with this number who told a name. Personal."""
        query = select(reports).where(reports.c.phone == telephone(phone), reports.c.phone != "", reports.c.name != "")
        with self.store.read() as conn:
            return conn.execute(query.order_by(reports.c.id.desc()).limit(1)).mappings().first()

    def counts(self, since: int, until: int, agent: str = "") -> dict[str, int]:
        """How many calls there were of each outcome in [since, until), of one agent or of all."""
        query = select(calls.c.outcome, func.count()).where(calls.c.at >= since, calls.c.at < until)
        if agent:
            query = query.where(calls.c.agent == agent)
        with self.store.read() as conn:
            found = {name: int(n) for name, n in conn.execute(query.group_by(calls.c.outcome))}
        return {name: found.get(name, 0) for name in (*CAME_IN, *OVER, "missed")}

    # -- calling back

    def waiting(self, limit: int = 50) -> list[Waiting]:
        """Closed cases of people with a telephone who have not said yet how it went: those whose time has come first,
        the longest closed first among them."""
        now = self.clock.now()
        begin = max(self._settled, now - BACK)
        tries, last = missed(func.count(calls.c.id)), missed(func.max(calls.c.at))
        columns = (cases, tries.label("tries"), last.label("last"))
        query = select(*columns).where(*to_call(begin), tries < MOST_TRIES).order_by(cases.c.closed, cases.c.id)
        soon = last > now - AGAIN
        with self.store.read() as conn:
            rows = list(conn.execute(query.where(or_(last.is_(None), ~soon)).limit(limit)).mappings())
            rows += conn.execute(query.where(soon).limit(limit)).mappings()
        if len(rows) < limit:  # all of them: what was closed before the first needs no look the next time
            self._settled = max(self._settled, min((row["closed"] for row in rows), default=begin))
        return [Waiting(entry(row), int(row["tries"]), row["last"]) for row in rows[:limit]]

    def tries(self, conn: Connection, case: str, closed: int) -> int:
        """How often somebody was called in vain since the case was closed."""
        query = select(func.count()).where(calls.c.case == case, calls.c.outcome == "missed", calls.c.at >= closed)
        return int(conn.execute(query).scalar_one())

    def reporter(self, case: str) -> RowMapping | None:
        """The report of the case whose sender is called: the first one with a telephone. Personal."""
        query = select(reports).where(reports.c.case == case, *wants_call()).order_by(reports.c.id)
        with self.store.read() as conn:
            return conn.execute(query.limit(1)).mappings().first()


def wants_call() -> tuple[ColumnElement[bool], ...]:
    return reports.c.phone != "", reports.c.call_back.is_(True)


def missed(what: Any) -> Any:
    """Something about the missed calls since the case was closed."""
    since = and_(calls.c.case == cases.c.id, calls.c.outcome == "missed", calls.c.at >= cases.c.closed)
    return select(what).where(since).correlate(cases).scalar_subquery()


def to_call(since: int) -> tuple[ColumnElement[bool], ...]:
    """Closed since a moment, somebody left a telephone, and nobody has said since the close how it went."""
    asks = select(reports.c.id).where(reports.c.case == cases.c.id, *wants_call())
    over = select(calls.c.id).where(calls.c.case == cases.c.id, calls.c.outcome.in_(OVER), calls.c.at >= cases.c.closed)
    said = select(acts.c.case).where(acts.c.case == cases.c.id, acts.c.verb == "rate", acts.c.at >= cases.c.closed)
    closed = (cases.c.closed >= since, cases.c.state + "" == "closed", cases.c.parent.is_(None))
    return (*closed, asks.exists(), ~over.exists(), ~said.exists())
