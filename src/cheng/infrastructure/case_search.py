"""What the desk looks for beyond `case_lists`: words, areas, cases that wait for a decision, cases one once had.

A walk along the same indexes with further conditions. Words that few cases have are looked up first; a list is then
made of these cases alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
    union_all,
)

from cheng.infrastructure import case_words
from cheng.infrastructure.bulk import as_json
from cheng.infrastructure.case_lists import (
    WITHOUT_LIMIT,
    Filters,
    Page,
    Place,
    equal,
    lit,
    matching,
    newest,
    rare,
    read_cursor,
    roads,
    seldom,
    selective,
    walk,
    write_cursor,
)
from cheng.infrastructure.case_rows import Entry, entry
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import accounts, case_had, cases

CHUNK = 500
NUMBER = re.compile(r"\d{8}-\d{1,14}", re.ASCII)
"""What is the number of a case, or begins as one does: whoever looks for it means that case."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which cases."""

    filters: Filters = field(default_factory=Filters)
    text: str = ""
    """words: all of them in the number, in what is known of the thing and its place, or in what was written when it
    was opened"""
    rules: tuple[str, ...] = ()
    """keys of rules whose sentence has the text in it"""
    classes: tuple[str, ...] = ()
    """codes of classes whose name has the text in it"""
    areas: tuple[str, ...] = ()
    waiting: bool = False
    involved: tuple[str, ...] = ()
    """departments that had the case at any time"""
    found: tuple[str, ...] | None = None
    """ids of all cases that have the text, where few do"""
    looked: bool = False
    """whether that was looked up"""

    def by_number(self) -> "Sought":
        """The same, looked up by the number where the text is one."""
        if not NUMBER.fullmatch(self.text):
            return self
        return replace(self, text="", filters=replace(self.filters, number=self.text))

    def looked_up(self, conn: Connection) -> "Sought":
        """The same, with the ids of the cases that have the text, where few do."""
        if self.looked:
            return self
        sought = replace(self.by_number(), looked=True)
        numbers = case_words.few(conn, case_words.folded(sought.text), sought.rules) if sought.text else None
        classed = cases.c.class_code.in_(sought.classes)
        if numbers is None or (sought.classes and not seldom(conn, select(literal(1)).where(classed))):
            return sought
        query = select(cases.c.id).where(cases.c.number.in_(among(conn, numbers)), sought._has_text())
        ids = set(conn.execute(query).scalars())
        if sought.classes:
            ids.update(conn.execute(select(cases.c.id).where(classed)).scalars())
        return replace(sought, found=tuple(sorted(ids)))

    def conditions(self, conn: Connection) -> list[ColumnElement[bool]]:
        """What goes beyond the filters."""
        found: list[ColumnElement[bool]] = []
        if self.found is not None:
            found.append(cases.c.id.in_(among(conn, self.found)))
        elif self.text:
            found.append(self._has_text())
        if self.areas:
            found.append(cases.c.area.concat("").in_(self.areas))
        if self.waiting:
            found.append(cases.c.id.in_(select(cases.c.id).where(cases.c.waiting.is_not(None))))
        if self.involved:
            found.append(had(self.involved))
        return found

    def _has_text(self) -> ColumnElement[bool]:
        words = case_words.folded(self.text).split()
        known = and_(*(cases.c.sought.contains(word, autoescape=True) for word in words))
        others = [cases.c.class_code.concat("").in_(self.classes)] if self.classes else []
        others += [cases.c.data["rule"].as_string().in_(self.rules)] if self.rules else []
        return or_(known, *others)


def among(conn: Connection, words: Sequence[str]) -> Any:
    """Many words as one parameter of a question, to be asked with `in_`."""
    if conn.dialect.name == "sqlite":
        return select(func.json_each(as_json(list(words))).table_valued("value").c.value)
    return select(func.unnest(literal(list(words), ARRAY(Text))))


def looked_up(store: Store, sought: Sought) -> Sought:
    """The same, ready for several questions."""
    with store.read() as conn:
        return sought.looked_up(conn)


def find(store: Store, now: int, sought: Sought, newest: bool = False, limit: int = 50, cursor: str = "") -> Page:
    """Cases in order: most urgent first, or with `newest` the last opened. Refused (422) for a cursor not of ours."""
    after = read_cursor(cursor)
    with store.read() as conn:
        sought = sought.looked_up(conn)
        places = (last_opened if newest else by_due)(conn, sought, now, after, limit + 1)
        shown = [id_ for _, id_ in places[:limit]]
        entries = entries_of(conn, shown)
    more = write_cursor(places[limit - 1]) if len(places) > limit else None
    return Page(tuple(entries[id_] for id_ in shown), more)


def entries_of(conn: Connection, ids: Sequence[str]) -> dict[str, Entry]:
    """The lines of the desk with these ids."""
    found = {}
    for start in range(0, len(ids), CHUNK):
        rows = conn.execute(select(cases).where(cases.c.id.in_(ids[start : start + CHUNK]))).mappings()
        found.update({row["id"]: entry(row) for row in rows})
    return found


def by_due(conn: Connection, sought: Sought, now: int, after: Place | None, limit: int) -> Sequence[Place]:
    """First the cases with a limit, then those without."""
    wanted, extra, places = sought.filters, sought.conditions(conn), list[Place]()
    if after is None or after[0] != WITHOUT_LIMIT:
        beyond = [cases.c.due.is_not(None), *extra]
        if after is not None:
            beyond.append(tuple_(cases.c.due, cases.c.id) > after)
        places += walk(conn, wanted, now, beyond, limit)
    if len(places) < limit and wanted.light in (None, "green"):
        beyond = [cases.c.due.is_(None), *extra]
        if after is not None and after[0] == WITHOUT_LIMIT:
            beyond.append(cases.c.id > after[1])
        places += walk(conn, wanted, now, beyond, limit - len(places))
    return places


def last_opened(conn: Connection, sought: Sought, now: int, after: Place | None, limit: int) -> Sequence[Place]:
    """The last opened first, whatever their state."""
    wanted = replace(sought.filters, areas=sought.areas or sought.filters.areas)
    extra, few = replace(sought, areas=(), involved=(), found=None).conditions(conn), list[ColumnElement[bool]]()
    if sought.found is not None:
        few.append(cases.c.id.in_(among(conn, sought.found)))
    if not sought.involved:
        return newest(conn, wanted, now, after, limit, extra, few)
    at_a_step = bool(wanted.step or wanted.steps)  # of those that are over only few are
    if few or at_a_step or selective(wanted) or rare(conn, wanted):
        return newest(conn, wanted, now, after, limit, [*extra, had(sought.involved)], few)
    if wanted.light:
        extra.append(lit(wanted.light, now))
    places: set[Place] = set()
    for department in sought.involved:
        places.update(once_had(conn, department, wanted, after, limit, extra))
    return sorted(places, reverse=True)[:limit]


def had(departments: Sequence[str]) -> ColumnElement[bool]:
    """Whether one of the departments had the case at any time."""
    theirs = (case_had.c.case == cases.c.id) & (case_had.c.opened == cases.c.opened)
    return select(case_had.c.case).where(case_had.c.department.in_(departments), theirs).exists()


def once_had(
    conn: Connection,
    department: str,
    wanted: Filters,
    after: Place | None,
    limit: int,
    extra: Sequence[ColumnElement[bool]],
) -> Sequence[Place]:
    """Cases that a department had at any time: a walk through its own list."""
    where = [case_had.c.department == department, cases.c.state.concat("").in_(wanted.states), *equal(wanted), *extra]
    if wanted.areas:
        where.append(case_had.c.area.in_(wanted.areas))
    if after is not None:
        where.append(tuple_(case_had.c.opened, case_had.c.case) < after)
    query = select(case_had.c.opened, case_had.c.case).join(cases, cases.c.id == case_had.c.case).where(*where)
    rows = conn.execute(query.order_by(case_had.c.opened.desc(), case_had.c.case.desc()).limit(limit))
    return [(opened, id_) for opened, id_ in rows]


def lights(store: Store, now: int, sought: Sought) -> dict[str, int]:
    """How many of them stand in "green", "yellow" and "red" light, and how many are "suspended"."""
    with store.read() as conn:
        return lights_of(conn, now, sought.looked_up(conn))


def lights_of(conn: Connection, now: int, sought: Sought) -> dict[str, int]:
    wanted, extra = sought.filters, sought.conditions(conn)
    light = case((lit("red", now), "red"), (lit("yellow", now), "yellow"), else_="green")
    shown = {"open": light.label("light"), "suspended": literal("suspended").label("light")}
    walks = [
        select(label, cases.c.id).where(cases.c.state == state, *whose, *matching(wanted), *extra)
        for state, label in shown.items()
        if state in wanted.states
        for whose in roads(wanted)
    ]
    counted = dict.fromkeys(("red", "yellow", "green", "suspended"), 0)
    if not walks:
        return counted
    found = (union if len(walks) > 2 else union_all)(*walks).subquery()
    for name, number in conn.execute(select(found.c.light, func.count()).group_by(found.c.light)):
        counted[name] = number
    return counted


def officers(store: Store, departments: Sequence[str]) -> list[tuple[str, str]]:
    """(account, name) of those who may handle cases of these departments, by name."""
    query = select(accounts).where(accounts.c.department.in_(departments), ~accounts.c.disabled)
    with store.read() as conn:
        rows = conn.execute(query.order_by(accounts.c.display_name)).mappings()
        return [(row["name"], row["display_name"]) for row in rows if "officer" in row["roles"]]


def names(store: Store, people: Sequence[str]) -> dict[str, str]:
    """What those with these accounts are called; an account that is gone keeps its sign-in name."""
    wanted = {name for name in people if name}
    if not wanted:
        return {}
    query = select(accounts.c.name, accounts.c.display_name).where(accounts.c.name.in_(wanted))
    with store.read() as conn:
        return {name: name for name in wanted} | {name: shown for name, shown in conn.execute(query)}


def all_departments(store: Store) -> list[str]:
    """Departments in which somebody works."""
    query = select(accounts.c.department).where(~accounts.c.disabled, accounts.c.department != "").distinct()
    with store.read() as conn:
        return sorted(conn.execute(query).scalars())
