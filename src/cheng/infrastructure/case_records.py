"""Cases that another system kept: opened, due and closed as they were there, through the flow that handles them here.

Each row is a case of its own, with the acts it would have had: it begins where the work does and is closed when it was
closed. Its number in the other system makes it one case however often it comes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert

from cheng.infrastructure.case_book import CaseBook, Filed
from cheng.infrastructure.case_rows import Opening
from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.report_tables import reports
from cheng.infrastructure.store import Store
from cheng.infrastructure.things import Things
from cheng.kernel.classes import CaseClass, FilingCondition
from cheng.kernel.standing import Person
from cheng.standards.durations import Duration, working_days
from cheng.standards.problems import InputError, Refused

A_GO = 500
"""Cases of one transaction."""
LIMIT = working_days(13)
CONDITION = "record"
NOBODY = "Not named in the record"
SECOND = 1_000_000
LAST = date.max
"""Whatever has ever been put into force is, by then."""


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case as a file tells it."""

    line: int
    external: str
    """its number there"""
    opened: int
    """µs UTC"""
    closed: int | None = None
    due: int | None = None
    in_time: bool | None = None
    """of a file that says only whether it was closed in time, and not when"""
    class_name: str = ""
    group: str = ""
    department: str = ""
    text: str = ""
    note: str = ""
    """what was said when it was closed"""
    address: str = ""
    source: str = "hotline"
    place: tuple[float, float] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """further words: street, community, kind …"""


@dataclass
class Written:
    """What became of some records."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[InputError] = field(default_factory=list)


class Moment(Clock):
    """A clock that shows whatever moment it is set to, also an earlier one."""

    at = 0

    def now(self) -> int:
        return self.at


class CaseRecords:
    """Takes records into the cases of one flow."""

    def __init__(
        self, store: Store, book: CaseBook, classes: ClassBook, things: Things, flow: str, limit: Duration = LIMIT
    ) -> None:
        """`limit`: of classes that the flow does not know yet."""
        self.store, self.classes, self.things, self.limit = store, classes, things, limit
        self.clock = Moment()
        self.book = CaseBook(store, book.flows.values(), book.calendar, self.clock, standards=book.standards)
        self.flow = classes.flow(flow)
        self.step = next((step.name for step in self.flow.steps if step.within == "by condition"), "")
        if not self.step:
            message = "Cases of this flow are filed by no condition, so records cannot become cases of it."
            raise Refused("no-records", message, {}, 422)
        there = classes.all(flow, LAST)
        self.known = {name: one for one in there for name in names_of(one)}
        self.codes = set(classes.codes(flow))
        self.used = {code[:3] for code in self.codes}
        self.bigs = {one.group: one.big for one in there if one.kind == "service"}

    def take(self, records: Sequence[CaseRecord], actor: str) -> Written:
        """Takes records, some hundreds in one transaction; what cannot be taken is told and stops nothing else."""
        written = Written()
        for start in range(0, len(records), A_GO):
            lot = records[start : start + A_GO]
            self._know_classes(lot, actor)
            with self.store.write() as conn:
                for record in lot:
                    try:
                        written.counts[self._take(conn, record)] += 1
                    except InputError as error:
                        written.refused.append(error)
                    except Refused as refused:
                        written.refused.append(InputError(refused.code, str(refused), record.line))
        return written

    def _take(self, conn: Connection, record: CaseRecord) -> str:
        """Writes one down, or brings it up to date; "added", "changed" or "unchanged"."""
        check(record)
        standard = self._standard(record)
        there = self.book.by_key(conn, self._key(record))
        filed = there or self._open(conn, record, standard)
        closed = self._close(conn, record, filed)
        return "added" if there is None else "changed" if closed else "unchanged"

    def _key(self, record: CaseRecord) -> str:
        return f"record/{self.flow.key()}/{record.external}"

    def _open(self, conn: Connection, record: CaseRecord, standard: Mapping[str, Any]) -> Filed:
        self.clock.at = record.opened
        begin: dict[str, Any] = {"step": self.step, "to": [record.department or NOBODY], "standard": dict(standard)}
        if record.due is not None or record.in_time is None:
            begin["due"] = record.due  # without one the file knows no limit: so the case has none
        values = {**record.values, "source": record.source, "class": standard["class"], "record": "yes"}
        values |= {"address": record.address} if record.address else {}
        areas = self._areas(record)
        about: Opening = {
            "values": {**values, **{f"{level}_id": area for level, area in areas.items()}},
            "area": next(reversed(areas.values()), ""),
            "place": record.place,
            "text": record.text,
            "source": record.source,
            "begin": begin,
        }
        filed = self.book.open_in(conn, self.flow, key=self._key(record), **about)
        row = {"case": filed.entry.id, "at": record.opened, "source": record.source, "text": record.text}
        conn.execute(insert(reports), [row | {"secret_hash": "", "external": record.external}])
        return filed

    def _close(self, conn: Connection, record: CaseRecord, filed: Filed) -> bool:
        """Finishes what is left to do at the moment it was closed; whether there was anything."""
        moment, run = record.closed, filed.case.run
        if moment is None and record.in_time is not None and run is not None and run.due is not None:
            moment = run.due if record.in_time else run.due + SECOND
        if moment is None or run is None:
            return False
        self.clock.at = max(moment, record.opened)
        while filed.case.run is not None:
            who = Person("records", filed.case.departments[0], frozenset({"officer"}), record.department or NOBODY)
            last = self.flow.after(filed.case.step, filed.case.values) is None
            data = {"text": record.note} if last and record.note else {}
            filed = self.book.act_in(conn, filed.entry.id, "complete", who, data)
        return True

    def _areas(self, record: CaseRecord) -> dict[str, str]:
        index = self.things.area_index() if record.place else None
        return index.ids_at(*record.place) if index is not None and record.place else {}

    # -- classes

    def _standard(self, record: CaseRecord) -> Mapping[str, Any]:
        one = self.known[record.class_name.casefold()]
        return self.classes.standard(self.flow.key(), one.code, one.conditions[0].id, LAST).facts()

    def _know_classes(self, records: Sequence[CaseRecord], actor: str) -> None:
        """Classes that a file names and the flow does not know are made, each with one condition."""
        unknown = {record.class_name: record for record in records if record.class_name.casefold() not in self.known}
        if not unknown:
            return
        with self.store.write() as conn:
            for record in unknown.values():
                fresh = self._new_class(record, min(each.opened for each in records))
                made = self.classes.put(conn, self.flow.key(), fresh, actor, first_may_be_past=True)
                self.known[record.class_name.casefold()] = made

    def _new_class(self, record: CaseRecord, first: int) -> CaseClass:
        name, group = record.class_name or "Unnamed", record.group or "Other"
        told, told_zh = "As the other system recorded it.", "以原系统记录为准。"
        condition = FilingCondition(CONDITION, told, told_zh, self.limit, told, told_zh)
        code = self._free_code(group)
        since = self.book.calendar.day(first)
        return CaseClass(code, "service", group, group, name, name, (condition,), since=since, public=False)

    def _free_code(self, group: str) -> str:
        """A code that no class has, in the big class of that name. InputError when all are taken."""
        big = self.bigs.get(group) or next((f"S{n:02d}" for n in range(1, 100) if f"S{n:02d}" not in self.used), "")
        code = next((f"{big}{n:03d}" for n in range(1, 1000) if f"{big}{n:03d}" not in self.codes), "") if big else ""
        if not code:
            raise InputError("too-many-classes", "the file names more kinds of cases than there are codes for")
        self.bigs[group] = big
        self.used.add(big)
        self.codes.add(code)
        return code


def names_of(one: CaseClass) -> list[str]:
    return [name.casefold() for name in (one.name, one.name_zh, one.code) if name]


def check(record: CaseRecord) -> None:
    """InputError for what cannot be."""
    if not record.external:
        raise InputError("no-id", "it has no number; name the column with --map id=COLUMN", record.line)
    if record.closed is not None and record.closed < record.opened:
        raise InputError("closed-before-opened", "it was closed before it was opened", record.line)
