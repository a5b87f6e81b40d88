"""What was asked to be quiet: rules that are shelved, and things or areas under maintenance."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import maintenance, shelves
from cheng.kernel.rules import Rule
from cheng.standards.problems import Refused

Also = Callable[[Connection], object]
"""What else belongs into the same transaction: the audit, a notice."""


@dataclass(frozen=True)
class Asked:
    """The shelves and maintenance windows of now and later."""

    shelves: list[Mapping[str, Any]]
    windows: list[Mapping[str, Any]]

    def state(self, row: Mapping[str, Any], thing: Thing | None, rule: type[Rule]) -> str:
        """ "standing", or why an alert stays quiet: "shelved", "suppressed"."""
        at = row["raised"]
        if any(w["start"] <= at < w["end"] and _covers(w["scope"], thing, rule) for w in self.windows):
            return "suppressed"
        for shelf in self.shelves:
            if shelf["rule"] == rule.key() and shelf["thing"] in (None, row["thing"]) and at < shelf["until"]:
                return "shelved"
        return "standing"


def _covers(scope: Mapping[str, Any], thing: Thing | None, rule: type[Rule]) -> bool:
    facts: dict[str, tuple[str, ...]] = {"rule": (rule.key(),), "type": (rule.subject.__name__,)}
    facts["thing"] = (thing.id,) if thing else ()
    facts["area"] = tuple(thing.areas) if thing else ()
    return bool(scope) and all(value in facts.get(name, ()) for name, value in scope.items())


class Quiet:
    """Shelving and maintenance windows; both end by themselves and neither hides that an alert happened."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def now_and_later(self) -> Asked:
        with self.store.read() as conn:
            rows = [
                list(conn.execute(select(table).where(table.c[end] > 0).order_by(table.c[end])).mappings())
                for table, end in ((shelves, "until"), (maintenance, "end"))
            ]
        return Asked([dict(row) for row in rows[0]], [dict(row) for row in rows[1]])

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
        with self.store.write() as conn:
            conn.execute(insert(shelves).values(rule=rule, thing=thing, until=until, by=actor, reason=reason))
            if also:
                also(conn)

    def unshelve(self, shelf: int, also: Also | None = None) -> None:
        with self.store.write() as conn:
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
        with self.store.write() as conn:
            values = {"id": window, "scope": scope, "start": start, "end": end, "reason": reason, "by": actor}
            conn.execute(insert(maintenance).values(**values))
            if also:
                also(conn)
        return window

    def finish(self, window: str, also: Also | None = None) -> None:
        """End a maintenance window now; Refused (404) when it is over or there is none of that id."""
        now = self.clock.now()
        with self.store.write() as conn:
            under_way = (maintenance.c.id == window) & (maintenance.c.end > now)
            if conn.execute(update(maintenance).where(under_way).values(end=now)).rowcount == 0:
                raise Refused("no-window", "This has ended already.", status=404)
            if also:
                also(conn)
