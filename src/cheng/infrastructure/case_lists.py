"""The desk's lists: which cases, most urgent first, page by page, and how many stand in which light.

A list is a few short walks along an index, merged: the work does not grow with the number of cases.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, or_, select, tuple_, union, union_all

from cheng.infrastructure.case_rows import Entry, entry
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import ONCE, case_shared, cases
from cheng.kernel.needs import clean
from cheng.kernel.standing import Light
from cheng.standards.problems import Refused

Order = Literal["due", "newest"]
Place = tuple[int, str]
"""Where a row stands in a list: its due date or opening in µs, and its id."""
MOST = 500
WITHOUT_LIMIT = 2**62
RARE = 2000
"""Fewer cases than this are looked up by the value they share; of more, some are soon met on the way."""
EQUAL = ("flow", "app", "level", "step", "class_code", "source")
WITH_STEPS = ("open", "suspended", "merged")
"""States in which a case is at a step."""
SELECTIVE = ("thing_id", "reporter", "merged_into", "parent")
"""Few cases have the same: better looked up than met on the way."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which cases; what is left empty does not matter."""

    departments: tuple[str, ...] = ()
    """theirs, or those of the person: what is mine"""
    person: str = ""
    states: tuple[str, ...] = ("open",)
    light: Light | None = None
    """of open cases"""
    flow: str = ""
    app: str = ""
    areas: tuple[str, ...] = ()
    level: str = ""
    thing_id: str = ""
    reporter: str = ""
    step: str = ""
    steps: tuple[str, ...] = ()
    """at one of these"""
    class_code: str = ""
    source: str = ""
    merged_into: str = ""
    parent: str = ""
    number: str = ""
    """how the number begins"""


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a list, and where the next ones begin; None on the last page."""

    entries: tuple[Entry, ...]
    cursor: str | None


class CaseLists:
    """What the desk, the map and the exports list. Reads only."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def list(
        self, filters: Filters | None = None, order: Order = "due", limit: int = 50, cursor: str | None = None
    ) -> Page:
        """Cases in order: "due" most urgent first, those without a limit last; "newest" last opened first.

        limit: 1 to 500. cursor: that of the page before; Refused (422) when it is none of ours.
        """
        wanted = filters or Filters()
        limit, after = max(1, min(limit, MOST)), read_cursor(cursor)
        pick = newest if order == "newest" else by_due
        with self.store.read() as conn:
            places = pick(conn, wanted, self.clock.now(), after, limit + 1)
            shown = [id_ for _, id_ in places[:limit]]
            found = conn.execute(select(cases).where(cases.c.id.in_(shown))).mappings()
            entries = {row["id"]: entry(row) for row in found}
        more = write_cursor(places[limit - 1]) if len(places) > limit else None
        return Page(tuple(entries[id_] for id_ in shown), more)

    def counts(self, filters: Filters | None = None) -> dict[str, int]:
        """How many open cases stand in "green", "yellow" and "red" light, and how many are "suspended"."""
        wanted, now = filters or Filters(), self.clock.now()
        light = case((lit("red", now), "red"), (lit("yellow", now), "yellow"), else_="green")
        shown = {"open": light.label("light"), "suspended": literal("suspended").label("light")}
        walks = [
            select(label, cases.c.id).where(cases.c.state == state, *whose, *matching(wanted))
            for state, label in shown.items()
            for whose in roads(wanted)
        ]
        found = (union if len(walks) > 2 else union_all)(*walks).subquery()
        counted = dict.fromkeys(("green", "yellow", "red", "suspended"), 0)
        with self.store.read() as conn:
            for name, number in conn.execute(select(found.c.light, func.count()).group_by(found.c.light)):
                counted[name] = number
        return counted

    def due_to_resume(self, now: int) -> Sequence[str]:
        """Ids of the suspended cases whose clock is to go on, longest over first."""
        query = select(cases.c.id).where(cases.c.state == "suspended", cases.c.resumes <= now)
        with self.store.read() as conn:
            return conn.execute(query.order_by(cases.c.resumes, cases.c.id)).scalars().all()


def by_due(conn: Connection, wanted: Filters, now: int, after: Place | None, limit: int) -> Sequence[Place]:
    """First the cases with a limit, then those without."""
    places: list[Place] = []
    if after is None or after[0] != WITHOUT_LIMIT:
        beyond: list[ColumnElement[bool]] = [cases.c.due.is_not(None)]
        if after is not None:
            beyond.append(tuple_(cases.c.due, cases.c.id) > after)
        places += walk(conn, wanted, now, beyond, limit)
    if len(places) < limit and wanted.light in (None, "green"):
        beyond = [cases.c.due.is_(None)]
        if after is not None and after[0] == WITHOUT_LIMIT:
            beyond.append(cases.c.id > after[1])
        places += walk(conn, wanted, now, beyond, limit - len(places))
    return places


def walk(conn: Connection, wanted: Filters, now: int, beyond: list[ColumnElement[bool]], limit: int) -> Sequence[Place]:
    """One walk of an index for each state and department, one for the person, merged."""
    light = [lit(wanted.light, now)] if wanted.light else []
    walks = [
        select(cases.c.due, cases.c.id)
        .where(cases.c.state == state, *whose, *matching(wanted), *light, *beyond)
        .order_by(cases.c.due, cases.c.id)
        .limit(limit)
        for state in wanted.states
        for whose in roads(wanted)
    ]
    if not walks:
        return []
    merged = union(*(select(each.subquery()) for each in walks)).subquery()
    query = select(merged.c.due, merged.c.id).order_by(merged.c.due, merged.c.id).limit(limit)
    return [(WITHOUT_LIMIT if due is None else due, id_) for due, id_ in conn.execute(query)]


def newest(
    conn: Connection,
    wanted: Filters,
    now: int,
    after: Place | None,
    limit: int,
    extra: Sequence[ColumnElement[bool]] = (),
    few: Sequence[ColumnElement[bool]] = (),
) -> Sequence[Place]:
    """The last opened first. `extra`: further conditions; `few`: those that let so few through that these are looked
    up instead of met on the way."""
    few = [*few, *selective(wanted), *rare(conn, wanted)]
    where = [*owned(wanted), *equal(wanted), *extra]
    if wanted.light:
        where.append(lit(wanted.light, now))
    if after is not None:
        where.append(tuple_(cases.c.opened, cases.c.id) < after)
    states = [state for state in wanted.states if state in WITH_STEPS or not (wanted.step or wanted.steps)]
    ways: list[ColumnElement[bool]] = [cases.c.state == state for state in states]
    if few and states:
        found = cases.c.id.in_(select(cases.c.id).where(*few))
        ways = [cases.c.state.concat("").in_(states) & found]  # an expression: no walk through all of a state
    places: list[Place] = []
    for way in ways:
        query = select(cases.c.opened, cases.c.id).where(way, *where)
        rows = conn.execute(query.order_by(cases.c.opened.desc(), cases.c.id.desc()).limit(limit))
        places += [(opened, id_) for opened, id_ in rows]
    return sorted(places, reverse=True)[:limit]


def rare(conn: Connection, wanted: Filters) -> list[ColumnElement[bool]]:
    """Those of the conditions that few cases meet."""
    asked = [cases.c[name] == value for name in ONCE if name != "area" and (value := getattr(wanted, name))]
    if wanted.areas:
        asked.append(cases.c.area.in_(wanted.areas))
    return [condition for condition in asked if seldom(conn, select(literal(1)).where(condition))]


def seldom(conn: Connection, query: Select[Any]) -> bool:
    """Whether a question that an index answers has few answers."""
    return conn.execute(query.limit(1).offset(RARE)).first() is None


def roads(wanted: Filters) -> list[list[ColumnElement[bool]]]:
    """Conditions that an index answers one by one, and that together are `owned`."""
    if not wanted.departments and not wanted.person:
        return [[]]
    ways: list[list[ColumnElement[bool]]] = [[cases.c.department == name] for name in wanted.departments]
    if wanted.departments:
        ways.append([cases.c.id.in_(shared(wanted))])
    if wanted.person:
        ways.append([cases.c.assignee == wanted.person])
    return ways


def owned(wanted: Filters) -> list[ColumnElement[bool]]:
    if not wanted.departments and not wanted.person:
        return []
    mine = cases.c.department.in_(wanted.departments) | cases.c.id.in_(shared(wanted))
    return [or_(mine, cases.c.assignee == wanted.person) if wanted.person else mine]


def shared(wanted: Filters) -> Any:
    return select(case_shared.c.case).where(case_shared.c.department.in_(wanted.departments))


def equal(wanted: Filters) -> list[ColumnElement[bool]]:
    """What is met on the way: the indexes of lists have these columns. Asked as expressions, or an index of one of
    them alone would be walked instead."""
    found = [cases.c[name].concat("") == value for name in EQUAL if (value := getattr(wanted, name))]
    if wanted.steps:
        found.append(cases.c.step.in_(wanted.steps))
    if wanted.areas:
        found.append(cases.c.area.concat("").in_(wanted.areas))
    return found


def selective(wanted: Filters) -> list[ColumnElement[bool]]:
    few = [cases.c[name] == value for name in SELECTIVE if (value := getattr(wanted, name))]
    if wanted.number:
        few.append(cases.c.number.between(wanted.number, wanted.number + "9" * 14))  # what an index can find
        few.append(cases.c.number.startswith(wanted.number, autoescape=True))
    return few


def matching(wanted: Filters) -> list[ColumnElement[bool]]:
    found, few = equal(wanted), selective(wanted)
    return [*found, cases.c.id.in_(select(cases.c.id).where(*few))] if few else found


def lit(light: Light, now: int) -> ColumnElement[bool]:
    """Open cases in this light; agrees with `Entry.light`."""
    due, warn = (func.coalesce(column, WITHOUT_LIMIT) for column in (cases.c.due, cases.c.warn))
    return {"red": due < now, "yellow": (due >= now) & (warn < now), "green": (due >= now) & (warn >= now)}[light]


def write_cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_cursor(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    try:
        moment, id_ = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        if type(moment) is int and isinstance(id_, str) and abs(moment) < 2**63:
            return moment, clean(id_)
    except (ValueError, TypeError, RecursionError):
        pass
    raise Refused("bad-cursor", "This list has changed; please start from its first page.", {}, 422)
