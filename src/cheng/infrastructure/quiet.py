"""What was asked to be quiet: rules that are shelved, and things or areas under maintenance."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.quiet_tables import maintenance, shelves
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.store import Store
from cheng.kernel.rules import Rule
from cheng.standards.problems import Refused

Also = Callable[[Connection], object]
"""What else belongs into the same transaction: the audit, a notice."""


@dataclass(frozen=True)
class Asked:
    """The shelves and maintenance windows of now and later."""

    shelves: list[Mapping[str, Any]]
    windows: list[Mapping[str, Any]]

    def of(self, rule: type[Rule]) -> "Asked":
        """What concerns a rule; what is left of a scope is for its things to say."""
        facts = {"rule": rule.key(), "type": rule.subject.__name__}
        windows: list[Mapping[str, Any]] = []
        for window in self.windows:
            scope: Mapping[str, Any] = window["scope"]
            if scope and all(facts.get(name, value) == value for name, value in scope.items()):
                left = {name: value for name, value in scope.items() if name not in facts}
                windows.append({**window, "scope": left})
        return Asked([shelf for shelf in self.shelves if shelf["rule"] == rule.key()], windows)

    def state(self, at: int, thing: Thing | None) -> str:
        """Of an alert of the rule that this concerns, raised at that time: "standing", or why it stays quiet:
        "shelved", "suppressed"."""
        if any(w["start"] <= at < w["end"] and _covers(w["scope"], thing) for w in self.windows):
            return "suppressed"
        for shelf in self.shelves:
            if shelf["thing"] in (None, thing.idx if thing else None) and at < shelf["until"]:
                return "shelved"
        return "standing"


def _covers(scope: Mapping[str, Any], thing: Thing | None) -> bool:
    places = {"thing": (thing.id,), "area": tuple(thing.areas)} if thing else {}
    return all(value in places.get(name, ()) for name, value in scope.items())


class Quiet:
    """Shelving and maintenance windows; both end by themselves and neither hides that an alert happened."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self._asked: Asked | None = None
        """what is in the store; None when it has to be read again"""
        self._turn = 0
        """counts what was asked; who read while that changed must not be believed later"""

    def now_and_later(self) -> Asked:
        """All that was ever asked: an alert is quiet by the time it was raised, which may be long ago."""
        if (known := self._asked) is not None:
            return known
        turn = self._turn
        with self.store.read() as conn:
            rows = [
                list(conn.execute(select(table).order_by(table.c[end])).mappings())
                for table, end in ((shelves, "until"), (maintenance, "end"))
            ]
        asked = Asked([dict(row) for row in rows[0]], [dict(row) for row in rows[1]])
        if turn == self._turn:
            self._asked = asked
        return asked

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        """A write after which what was asked is read again."""
        try:
            with self.store.write() as conn:
                yield conn
        finally:
            self._turn += 1
            self._asked = None

    def shelve(
        self, rule: str, thing: int | None, until: int, actor: str, reason: str, also: Also | None = None
    ) -> None:
        """Alerts of the rule (for one thing, or all) stay quiet until a time; Refused without reason or end."""
        if not reason.strip():
            raise Refused(
                "no-reason", "Say why this is shelved; whoever is on duty next will want to know.", status=422
            )
        if until <= self.clock.now():
            raise Refused("past", "Choose a time that is still to come.", status=422)
        with self._asking() as conn:
            conn.execute(insert(shelves).values(rule=rule, thing=thing, until=until, by=actor, reason=reason))
            if also:
                also(conn)

    def unshelve(self, shelf: int, also: Also | None = None) -> None:
        with self._asking() as conn:
            if also:
                also(conn)
            conn.execute(delete(shelves).where(shelves.c.id == shelf))

    def maintain(
        self, scope: dict[str, str], start: int, end: int, actor: str, reason: str, also: Also | None = None
    ) -> str:
        """A window in which alerts of the scope (area, thing, rule, type) are kept but open no case; its id."""
        if not scope or end <= start or not reason.strip():
            message = "A maintenance window needs what it is about, a beginning before its end, and a reason."
            raise Refused("incomplete", message, status=422)
        window = uuid.uuid4().hex[:12]
        with self._asking() as conn:
            values = {"id": window, "scope": scope, "start": start, "end": end, "reason": reason, "by": actor}
            conn.execute(insert(maintenance).values(**values))
            if also:
                also(conn)
        return window

    def finish(self, window: str, also: Also | None = None) -> None:
        """End a maintenance window now; Refused (404) when it is over or there is none of that id."""
        now = self.clock.now()
        with self._asking() as conn:
            under_way = (maintenance.c.id == window) & (maintenance.c.end > now)
            if conn.execute(update(maintenance).where(under_way).values(end=now)).rowcount == 0:
                raise Refused("no-window", "This has ended already.", status=404)
            if also:
                also(conn)
