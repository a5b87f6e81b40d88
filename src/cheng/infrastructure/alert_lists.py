"""The desk's view of the alerts: which stand, whose they are, what was said about each, and who has seen them.

Whoever may see alerts of some departments only gives their names, and no query returns anything else: an alert is a
department's when it owns the thing, was ever asked to handle the case, or answers for the application.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, Connection, RowMapping, Text, and_, cast, func, or_, select, update

from cheng.infrastructure.alert_changes import onset_of
from cheng.infrastructure.alert_rows import say, story, take_over
from cheng.infrastructure.alert_things import about, plain_rule
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.quiet import Quiet
from cheng.infrastructure.quiet_tables import shelves
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import alert_notices, alerts, case_runs, case_shared, cases
from cheng.infrastructure.tables import things as register
from cheng.infrastructure.things import Things
from cheng.kernel.columns import Rows
from cheng.kernel.model import Model
from cheng.kernel.rules import LEVELS
from cheng.standards.problems import Refused

View = Literal["standing", "quiet", "all"]
Whose = tuple[str, ...] | None
"""Names of departments; None for everybody's."""
Also = Callable[[Connection], object]
Place = tuple[int, int, int]
"""Where an alert stands in a list: 0 while it stands, 1 afterwards; when it was raised; its number."""
MOST = 100_000
"""The most alerts of one answer: a download."""
AS_THEY_ARE = (
    *("number", "key", "rule", "app", "thing", "onset", "raised", "cleared", "withdrawn_at", "level", "state"),
    *("acknowledged_at", "shelved_until", "written", "ended"),
)
OR_EMPTY = ("thing_id", "area", "acknowledged_by")
OVER: ColumnElement[bool] = alerts.c.cleared.is_not(None) | alerts.c.withdrawn_at.is_not(None)
UNDER_WAY: ColumnElement[bool] = alerts.c.cleared.is_(None) & alerts.c.withdrawn_at.is_(None)


@dataclass(frozen=True, slots=True)
class AlertFilters:
    """Which alerts; what is left empty does not matter."""

    whose: Whose = None
    view: View = "standing"
    level: str = ""
    rule: str = ""
    thing: str = ""
    areas: tuple[str, ...] = ()
    acknowledged: bool | None = None
    text: str = ""
    """in what is known of the thing, or the number"""


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """One alert as it is in the book."""

    number: int
    key: str
    rule: str
    app: str
    thing: int | None
    thing_id: str
    onset: int
    raised: int
    cleared: int | None
    withdrawn_at: int | None
    level: str
    values: dict[str, Any]
    area: str
    state: str
    group_id: str
    """the id of the alert it joined; empty when it stands alone or leads"""
    acknowledged_by: str
    acknowledged_at: int | None
    shelved_until: int | None
    written: int | None
    ended: int | None
    """when the hub wrote down that it was raised and over; None when its notices tell that"""

    @property
    def id(self) -> str:
        """Its number, as addresses name it."""
        return str(self.number)

    def standing(self, now: int) -> str:
        """In one word: "standing", "shelved", "suppressed", "cleared" or "withdrawn"."""
        if self.withdrawn_at is not None or self.state == "withdrawn":
            return "withdrawn"
        if self.cleared is not None:
            return "cleared"
        if self.state != "standing":
            return self.state
        return "shelved" if self.shelved_until is not None and self.shelved_until > now else "standing"


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some alerts, and where the next ones begin; None on the last page."""

    entries: tuple[AlertEntry, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was said about an alert."""

    alert: int
    """its number"""
    at: int
    kind: str
    detail: dict[str, Any]


def alert_entry(row: RowMapping) -> AlertEntry:
    """A row of `alerts`."""
    known = {name: row[name] for name in AS_THEY_ARE} | {name: row[name] or "" for name in OR_EMPTY}
    lead = row["group_id"]
    return AlertEntry(**known, group_id="" if lead is None else str(lead), values=row["message_values"])


class AlertLists:
    """What the desk, the dashboard and open pages read of the alerts, and what people say about them."""

    store: Store
    model: Model
    things: Things
    clock: Clock
    quiet: Quiet

    # -- lists

    def list(self, filters: AlertFilters | None = None, limit: int = 50, cursor: str | None = None) -> AlertPage:
        """Standing ones first, the last raised on top. limit: 1 to MOST; Refused (422) for a cursor of another list."""
        wanted, after = filters or AlertFilters(), read_place(cursor)
        limit = max(1, min(limit, MOST))
        phases = [UNDER_WAY] if wanted.view != "all" else [UNDER_WAY, OVER]
        found: list[tuple[int, AlertEntry]] = []
        with self.store.read() as conn:
            for phase, condition in enumerate(phases):
                if after is not None and phase < after[0]:
                    continue
                where = [condition, *self._matching(wanted)]
                if after is not None and phase == after[0]:
                    where.append(below(after[1], after[2]))
                query = select(alerts).where(*where).order_by(alerts.c.raised.desc(), alerts.c.number.desc())
                rows = conn.execute(query.limit(limit + 1 - len(found))).mappings()
                found += [(phase, alert_entry(row)) for row in rows]
                if len(found) > limit:
                    break
        shown = found[:limit]
        more = len(found) > limit
        last = (shown[-1][0], shown[-1][1].raised, shown[-1][1].number) if more else None
        return AlertPage(tuple(one for _, one in shown), write_place(last) if last else None)

    def counts(self, whose: Whose = None) -> dict[str, int]:
        """How many stand at each level, under "unseen" how many of them nobody has acknowledged, under "quiet" those
        that are shelved or suppressed."""
        audible = self._audible()
        query = select(
            alerts.c.level, audible.label("audible"), alerts.c.acknowledged_at.is_(None).label("unseen"), func.count()
        )
        query = query.where(UNDER_WAY, *self._whose(whose)).group_by(alerts.c.level, "audible", "unseen")
        counted = dict.fromkeys((*LEVELS, "unseen", "quiet"), 0)
        with self.store.read() as conn:
            for level, heard, unseen, number in conn.execute(query):
                if not heard:
                    counted["quiet"] += number
                    continue
                counted[level] = counted.get(level, 0) + number
                counted["unseen"] += number if unseen else 0
        return counted

    def worst(self, things: int) -> Rows:
        """(things,) how bad the worst alert that stands for each thing is: its place in LEVELS from 1, 0 for none."""
        found: Rows = np.zeros(things, np.intp)
        query = select(alerts.c.thing, alerts.c.level).where(UNDER_WAY, self._audible(), alerts.c.thing < things)
        with self.store.read() as conn:
            rows = conn.execute(query.distinct()).all()
        whose = np.array([thing for thing, _ in rows], np.intp)
        np.maximum.at(found, whose, np.array([LEVELS.index(level) + 1 for _, level in rows], np.intp))
        return found

    # -- single alerts

    def get(self, alert: str, whose: Whose = None) -> AlertEntry:
        """The alert with this number; Refused (404) when there is none, or it is another department's."""
        with self.store.read() as conn:
            return self._get(conn, alert, whose)

    def by_key(self, key: str) -> AlertEntry | None:
        """The alert with this key: the one a case names."""
        try:
            onset = onset_of(key)
        except ValueError:
            return None
        with self.store.read() as conn:
            row = conn.execute(select(alerts).where(alerts.c.onset == onset, alerts.c.key == key)).mappings().first()
            return None if row is None else alert_entry(row)

    def led_by(self, lead: str, limit: int = 50) -> "Sequence[AlertEntry]":
        """The alerts that joined the one with the id `lead`, first ones first."""
        query = select(alerts).where(alerts.c.group_id == int(lead)).order_by(alerts.c.raised).limit(limit)
        with self.store.read() as conn:
            return [alert_entry(row) for row in conn.execute(query).mappings()]

    def notices(self, alert: str) -> "Sequence[Notice]":
        """Everything that was said about an alert (its id), in order; Refused (404) when there is none."""
        columns = [alert_notices.c[name] for name in ("alert", "at", "kind", "detail")]
        with self.store.read() as conn:
            found = self._get(conn, alert, None)
            said = conn.execute(select(*columns).where(columns[0] == found.number).order_by(alert_notices.c.seq))
            return [Notice(*each) for each in [*story(found), *said]]

    def _get(self, conn: Connection, alert: str, whose: Whose) -> AlertEntry:
        wanted = alert[:200].replace("\0", "")
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 18 else -1
        query = select(alerts).where(alerts.c.number == number, *self._whose(whose))
        row = conn.execute(query).mappings().first()
        if row is None:
            raise Refused("no-such-alert", "There is no alert {alert}.", {"alert": wanted}, 404)
        return alert_entry(row)

    # -- what people say about them

    def acknowledge(
        self, alert: str, by: str, name: str, note: str = "", *, whose: Whose = None, also: Also | None = None
    ) -> AlertEntry:
        """Somebody has seen it and says so. Refused when somebody else did so before, or it was withdrawn; saying it
        twice changes nothing."""
        with self.store.write() as conn:
            found = self._get(conn, alert, whose)
            if found.acknowledged_at is not None:
                if found.acknowledged_by == by:
                    return found
                message = "{person} has acknowledged this alert already."
                raise Refused("acknowledged", message, {"person": found.acknowledged_by})
            if found.withdrawn_at is not None:
                raise Refused("withdrawn", "This alert was withdrawn: there was nothing after all.")
            now = self.clock.now()
            change = update(alerts).where(alerts.c.number == found.number)
            conn.execute(change.values(acknowledged_by=by, acknowledged_at=now))
            take_over(conn, found)
            say(conn, [(found.number, now, "acknowledged", {"by": by, "name": name, "note": note})])
            if also:
                also(conn)
            return self._get(conn, found.id, None)

    def shelve(
        self,
        alert: str,
        until: int,
        by: str,
        name: str,
        reason: str,
        *,
        every: bool = False,
        whose: Whose = None,
        also: Also | None = None,
    ) -> AlertEntry:
        """Keep the alert's rule quiet until a time: for its thing, or with `every` for all. Nothing is lost: what is
        raised meanwhile is kept, and what still stands afterwards stands again."""
        found = self.get(alert, whose)

        def mark(conn: Connection) -> None:
            concerned = (plain_rule == found.rule) & UNDER_WAY
            if not every:
                only = alerts.c.number if found.thing is None else alerts.c.thing
                concerned &= only == (found.number if found.thing is None else found.thing)
            conn.execute(update(alerts).where(concerned).values(shelved_until=until))
            detail = {"by": by, "name": name, "note": reason, "until": until, "every": every}
            take_over(conn, self._get(conn, alert, None))
            say(conn, [(found.number, self.clock.now(), "shelved", detail)])
            if also:
                also(conn)

        self.quiet.shelve(found.rule, None if every else found.thing, until, by, reason, also=mark)
        return self.get(found.id)

    def unshelve(self, shelf: int, also: Also | None = None) -> None:
        """End a shelf before its time; Refused (404) when there is none of that number."""

        def mark(conn: Connection) -> None:
            row = conn.execute(select(shelves).where(shelves.c.id == shelf)).mappings().first()
            if row is None:
                raise Refused("no-shelf", "This has ended already.", status=404)
            concerned = plain_rule == row["rule"]
            if row["thing"] is not None:
                concerned &= alerts.c.thing == row["thing"]
            conn.execute(update(alerts).where(concerned, UNDER_WAY).values(shelved_until=None))
            if also:
                also(conn)

        self.quiet.unshelve(shelf, also=mark)

    # -- for open pages

    def raised_after(self, number: int, whose: Whose = None, limit: int = 20) -> "Sequence[AlertEntry]":
        """The alerts after the one with this number that still stand, the last `limit` of them, first ones first: what
        a page missed while its connection was gone."""
        where = [alerts.c.number > number, UNDER_WAY, self._audible(), *self._whose(whose)]
        query = select(alerts).where(*where).order_by(alerts.c.number.desc()).limit(limit)
        with self.store.read() as conn:
            return [alert_entry(row) for row in conn.execute(query).mappings()][::-1]

    # -- conditions

    def _audible(self) -> ColumnElement[bool]:
        awake = alerts.c.shelved_until.is_(None) | (alerts.c.shelved_until <= self.clock.now())
        return and_(alerts.c.state == "standing", awake)

    def _matching(self, wanted: AlertFilters) -> "Sequence[ColumnElement[bool]]":
        found = [*self._whose(wanted.whose)]
        if wanted.view == "standing":
            found.append(self._audible())
        elif wanted.view == "quiet":
            found.append(~self._audible())
        thing = self.things.find(wanted.thing)
        if thing is not None:
            found.append(about(thing.idx))
        rule = alerts.c.rule if thing is None else plain_rule
        named = ((alerts.c.level, wanted.level), (rule, wanted.rule), (alerts.c.thing_id, wanted.thing))
        found += [column == value for column, value in named if value]
        if wanted.areas:
            found.append(alerts.c.area.in_(wanted.areas))
        if wanted.acknowledged is not None:
            told = alerts.c.acknowledged_at
            found.append(told.is_not(None) if wanted.acknowledged else told.is_(None))
        if wanted.text:
            values = cast(alerts.c.message_values, Text).icontains(wanted.text, autoescape=True)
            exact = cast(alerts.c.number, Text) == wanted.text
            found.append(or_(values, exact, alerts.c.thing_id.icontains(wanted.text, autoescape=True)))
        return found

    def _whose(self, whose: Whose) -> "Sequence[ColumnElement[bool]]":
        """Conditions under which an alert belongs to one of the departments."""
        if whose is None:
            return []
        theirs = [app.__name__ for app in self.model.apps.values() if app.owner in whose]
        owned = select(register.c.idx).where(register.c.idx == alerts.c.thing, register.c.owner.in_(whose)).exists()
        lead = alerts.alias("lead")
        key = select(lead.c.key).where(lead.c.number == alerts.c.group_id).correlate(alerts).scalar_subquery()
        runs = select(case_runs.c.case).where(case_runs.c.case == cases.c.id, case_runs.c.department.in_(whose))
        shared = select(case_shared.c.case).where(case_shared.c.case == cases.c.id)
        asked = or_(runs.exists(), shared.where(case_shared.c.department.in_(whose)).exists())
        handled = select(cases.c.id).where(cases.c.alert == func.coalesce(key, alerts.c.key), asked).exists()
        return [or_(owned, handled, alerts.c.app.in_(theirs))]


def below(raised: int, number: int) -> ColumnElement[bool]:
    return or_(alerts.c.raised < raised, and_(alerts.c.raised == raised, alerts.c.number < number))


def write_place(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_place(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    try:
        phase, raised, number = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        if all(type(part) is int and abs(part) < 2**63 for part in (phase, raised, number)):
            return phase, raised, number
    except (ValueError, TypeError, RecursionError):
        pass
    raise Refused("bad-cursor", "This list has changed; please start from its first page.", {}, 422)
