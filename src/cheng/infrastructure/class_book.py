"""The book of classes: what cases are filed by, in versions with a start day, and who answers for what where.

Everything in force is kept in memory: acts of cases ask inside their write transaction.
"""

import csv
import io
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from cheng.infrastructure.class_lines import class_line, class_of_line, responsibility_line, responsibility_of_line
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.report_tables import case_classes, responsibilities
from cheng.infrastructure.store import Store, serialise
from cheng.infrastructure.tables import cases
from cheng.kernel import classes as kernel
from cheng.kernel.class_rows import classes_in
from cheng.kernel.classes import EVER, CaseClass, Responsibility, Standard
from cheng.kernel.flows import Flow
from cheng.standards.calendars import Calendar
from cheng.standards.problems import InputError, Problem, Refused, SpecError

HOUSE = "house"
Key = tuple[str, str]
"""Prefix and area of a responsibility."""


@dataclass(frozen=True)
class Known:
    """All that the store has about a flow."""

    versions: Mapping[str, tuple[CaseClass, ...]]
    """by code, in the order of their numbers"""
    responsibilities: Mapping[Key, tuple[Responsibility, ...]]
    """in the order in which they were written"""
    seen: dict[date, tuple[CaseClass, ...]]
    """what was in force on days that were asked for"""

    def at(self, day: date) -> tuple[CaseClass, ...]:
        """The classes in force on a day, by code."""
        if (found := self.seen.get(day)) is None:
            versions = (kernel.in_force(self.versions[code], day) for code in sorted(self.versions))
            found = tuple(version for version in versions if version)
            if len(self.seen) < 1000:  # a replay goes through years; nobody asks for more than a thousand days
                self.seen[day] = found
        return found

    def answer(self, day: date) -> tuple[Responsibility, ...]:
        """The responsibilities in force on a day."""
        begun = ([row for row in rows if row.since <= day] for rows in self.responsibilities.values())
        last = (max(rows, key=lambda row: row.since) if rows else None for rows in map(latest_last, begun))
        return tuple(row for row in last if row and row.departments)


def latest_last(rows: list[Responsibility]) -> list[Responsibility]:
    """The same rows, newest writing first, so that `max` takes the newest of those that start on one day."""
    return rows[::-1]


class ClassBook:
    """Classes and responsibilities of all flows. Synchronous, safe to use from many threads."""

    def __init__(self, store: Store, flows: Iterable[type[Flow]], calendar: Calendar, clock: Clock) -> None:
        self.store, self.calendar, self.clock = store, calendar, clock
        self.flows = {flow.key(): flow for flow in flows}
        self._known: dict[str, Known] = {}
        self._turn = 0
        """counts writes; who read while that changed must not be believed later"""
        self._writing: set[int] = set()
        """threads inside a transaction that changed something"""

    def today(self) -> date:
        return self.calendar.day(self.clock.now())

    # -- what is in force

    def all(self, flow_key: str, day: date | None = None, public: bool = False) -> tuple[CaseClass, ...]:
        """The classes in force on a day, today without one, by code; with `public` those that people may report."""
        found = self._of(flow_key).at(day or self.today())
        return tuple(version for version in found if version.public) if public else found

    def get(
        self, flow_key: str, code: str, day: date | None = None, conn: Connection | None = None
    ) -> CaseClass | None:
        """The version of a class in force on a day; None when there is none, or it is retired."""
        return kernel.in_force(self._of(flow_key, conn).versions.get(code, ()), day or self.today())

    def known(self, flow_key: str, code: str) -> CaseClass | None:
        """The class with that code in force today."""
        return self.get(flow_key, code)

    def versions(self, flow_key: str, code: str) -> tuple[CaseClass, ...]:
        """Every version of a class, the first one first; empty for a code that never was."""
        return self._of(flow_key).versions.get(code, ())

    def codes(self, flow_key: str) -> tuple[str, ...]:
        """Every code that ever was, also of classes that are retired or still to come."""
        return tuple(sorted(self._of(flow_key).versions))

    def standard(
        self, flow_key: str, code: str, condition: str, day: date | None = None, conn: Connection | None = None
    ) -> Standard:
        """What a case of that day is filed by; Refused (422) when there is no such class or condition in force."""
        version = self.get(flow_key, code, day, conn)
        if version is None:
            message = "There is no class {code} in force; please choose one from the list."
            raise Refused("no-such-class", message, {"code": code[:20]}, status=422)
        return kernel.standard_of(version, condition)

    def facts(
        self, conn: Connection, flow: type[Flow], class_code: str, condition: str, now: int
    ) -> Mapping[str, Any] | None:
        """The standard as an act keeps it: for the book of cases, which asks while it writes. None when there is no
        such class or condition in force at that moment.
        """
        version = self.get(flow.key(), class_code, self.calendar.day(now), conn)
        if version is None or version.condition(condition) is None:
            return None
        return kernel.standard_of(version, condition).facts()

    def responsible(
        self, flow_key: str, code: str, values: Mapping[str, Any], day: date | None = None
    ) -> tuple[str, ...]:
        """Who puts a case of the class right: by the row of the table that fits class and area best (`values` has
        the ids of its areas: `grid_id`, `community_id`, `street_id`, `district_id`), else by the text of the class.
        """
        known, on = self._of(flow_key), day or self.today()
        version = kernel.in_force(known.versions.get(code, ()), on)
        return kernel.responsible(known.answer(on), version, code, values)

    def responsibilities(self, flow_key: str, day: date | None = None) -> tuple[Responsibility, ...]:
        """The table of responsibilities in force on a day, by prefix and area."""
        found = self._of(flow_key).answer(day or self.today())
        return tuple(sorted(found, key=lambda row: (row.prefix, row.area)))

    def under_way(self, flow_key: str, code: str) -> int:
        """How many cases of the class are under way; they keep the limit they were filed with."""
        alive = cases.c.state.in_(("open", "suspended")) & (cases.c.flow == flow_key)
        with self.store.read() as conn:
            return int(conn.execute(select(func.count()).where(alive, cases.c.class_code == code)).scalar_one())

    # -- writing

    def put(
        self,
        conn: Connection,
        flow_key: str,
        case_class: CaseClass,
        actor: str,
        *,
        seen: int | None = None,
        first_may_be_past: bool = False,
    ) -> CaseClass:
        """Writes a new version of a class and returns it with its number; call it inside `store.write()`.

        `seen` is the last version that whoever wrote it knew of. A version that says what the one in force on its
        day says is not written again. Refused (422) for a class that does not hold together and for a start day in
        the past, which would change what cases were filed by (a class that nobody knew, or that is as it was, may
        start earlier where `first_may_be_past`); Refused (409) when somebody else changed it meanwhile.
        """
        self.flow(flow_key)
        kernel.check(case_class)
        serialise(conn, f"classes/{flow_key}")
        there = self._versions(conn, flow_key, case_class.code).get(case_class.code, ())
        last = there[-1].version if there else 0
        if seen is not None and seen != last:
            message = "Class {code} was changed by somebody else meanwhile. Please look at its last version first."
            raise Refused("changed-meanwhile", message, {"code": case_class.code})
        begun = case_class.since < self.today()
        if begun and not first_may_be_past:
            raise past()
        if (standing := same(there, case_class)) is not None:
            return standing
        if begun and there:
            raise past()
        version = replace(case_class, version=last + 1)
        line = class_line(version)
        conn.execute(insert(case_classes), line | {"flow": flow_key, "at": self.clock.now(), "actor": actor})
        self._changed()
        return version

    def put_responsibility(
        self, conn: Connection, flow_key: str, row: Responsibility, actor: str, first_may_be_past: bool = False
    ) -> bool:
        """Writes who answers for what; False when that is what is in force on that day already. Refused as in `put`."""
        self.flow(flow_key)
        for fault in kernel.responsibility_faults(row):
            raise Refused("bad-responsibility", fault.message, fault.values, status=422)
        serialise(conn, f"responsibilities/{flow_key}")
        key = (row.prefix, row.area)
        there = self._rows(conn, flow_key).get(key, ())
        before = next(iter(Known({}, {key: there}, {}).answer(row.since)), None)
        later = any(other.since > row.since for other in there)
        if not later and (before.departments if before else ()) == row.departments:
            return False
        if row.since < self.today() and not (first_may_be_past and not there):
            raise past()
        line = responsibility_line(row)
        conn.execute(insert(responsibilities), line | {"flow": flow_key, "at": self.clock.now(), "actor": actor})
        self._changed()
        return True

    def load_defaults(self) -> int:
        """The classes that come with each flow, for flows that have none yet; how many were taken.

        Raises SpecError when a table that comes with an application does not hold together.
        """
        taken = 0
        for key, flow in self.flows.items():
            if flow.classes and not self._of(key).versions:
                lines = [class_line(version) for version in default_classes(flow)]
                more = {"flow": key, "at": self.clock.now(), "actor": HOUSE}
                with self.store.write() as conn:
                    conn.execute(insert(case_classes), [line | more for line in lines])
                    self._changed()
                taken += len(lines)
        return taken

    def flow(self, flow_key: str) -> type[Flow]:
        """The flow of that key; Refused (404) when no application has it."""
        if (found := self.flows.get(flow_key)) is None:
            raise Refused("no-flow", "There is no way of work named {flow}.", {"flow": flow_key[:60]}, status=404)
        return found

    # -- what is kept in memory

    def _of(self, flow_key: str, conn: Connection | None = None) -> Known:
        if (known := self._known.get(flow_key)) is not None:
            return known
        turn = self._turn
        if conn is not None:
            known = self._read(conn, flow_key)
        else:
            with self.store.read() as own:
                known = self._read(own, flow_key)
        if turn == self._turn:
            self._known[flow_key] = known
        return known

    def _read(self, conn: Connection, flow_key: str) -> Known:
        return Known(self._versions(conn, flow_key), self._rows(conn, flow_key), {})

    def _versions(self, conn: Connection, flow_key: str, code: str = "") -> dict[str, tuple[CaseClass, ...]]:
        query = select(case_classes).where(case_classes.c.flow == flow_key)
        if code:
            query = query.where(case_classes.c.code == code)
        found: dict[str, list[CaseClass]] = {}
        for line in conn.execute(query.order_by(case_classes.c.code, case_classes.c.version)).mappings():
            found.setdefault(line["code"], []).append(class_of_line(dict(line)))
        return {code: tuple(versions) for code, versions in found.items()}

    def _rows(self, conn: Connection, flow_key: str) -> dict[Key, tuple[Responsibility, ...]]:
        query = select(responsibilities).where(responsibilities.c.flow == flow_key)
        found: dict[Key, list[Responsibility]] = {}
        for line in conn.execute(query.order_by(responsibilities.c.seq)).mappings():
            row = responsibility_of_line(dict(line))
            found.setdefault((row.prefix, row.area), []).append(row)
        return {key: tuple(rows) for key, rows in found.items()}

    def _changed(self) -> None:
        """What is in memory is read again when the transaction is over, however it ended."""
        self._forget()
        if (thread := threading.get_ident()) not in self._writing:
            self._writing.add(thread)
            self.store.afterwards(self._over)

    def _over(self, conn: Connection) -> None:
        self._writing.discard(threading.get_ident())
        self._forget()

    def _forget(self) -> None:
        self._turn += 1
        self._known = {}


def same(there: tuple[CaseClass, ...], fresh: CaseClass) -> CaseClass | None:
    """The version in force on the start day of a fresh one, and for good, when it says the same."""
    if any(version.since > fresh.since for version in there):
        return None
    before = max(there, key=lambda version: (version.since, version.version), default=None)
    return before if before and before.same_as(fresh) else None


def past() -> Refused:
    message = "A start day in the past would change what cases were filed by; please choose today or a later day."
    return Refused("past", message, status=422)


# -- what comes with an application


def default_classes(flow: type[Flow]) -> list[CaseClass]:
    """The classes that come with a flow; SpecError with every row that cannot be taken."""
    file = Path(str(sys.modules[flow.__module__].__file__)).with_name(flow.classes)
    try:
        text = file.read_text("utf-8")
    except OSError:
        hint = "the file lies beside the module of the application"
        raise SpecError([Problem("H110", f"there are no classes in {file.name}", flow.place(), hint)]) from None
    reader = csv.DictReader(io.StringIO(text))
    found = list(classes_in((reader.line_num, row) for row in reader))
    problems = [
        Problem("H111", error.reason, f"{file.name}:{error.line}") for error in found if isinstance(error, InputError)
    ]
    if problems:
        raise SpecError(problems)
    return [
        each.version if each.day_told else replace(each.version, since=EVER)
        for each in found
        if not isinstance(each, InputError)
    ]
