"""Cases that another system kept: opened, due and closed as they were there, through the flow that handles them here.

Each row is a case of its own, with the acts it would have had: it begins where the work does and is closed when it was
closed. Its number in the other system makes it one case however often it comes. What is new is judged act by act like
everything else, and written some hundreds at a time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from cheng.infrastructure import case_rows as rows
from cheng.infrastructure.bulk import insert_all
from cheng.infrastructure.case_book import CaseBook, case_id
from cheng.infrastructure.case_rows import Opening
from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import acts, cases
from cheng.infrastructure.things import Things
from cheng.kernel import cases as kernel
from cheng.kernel.cases import HOUSE, Act, Case, Person
from cheng.kernel.classes import CaseClass, FilingCondition
from cheng.standards.durations import Duration, working_days
from cheng.standards.problems import InputError, Refused

A_GO = 250
"""Cases of one transaction: others who want to write wait for it."""
LIMIT = working_days(13)
CONDITION = "record"
NOBODY = "Not named in the record"
SECOND, DAY = 1_000_000, 86_400_000_000
LAST = date.max
"""Whatever has ever been put into force is, by then."""
KEYS = select(acts.c.key, cases.c.id, cases.c.opened, cases.c.state, cases.c.data).join(
    cases, cases.c.id == acts.c.case
)


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
    said: bool | None = None
    """what a file that says when it was closed says besides: whether that was in time; compared with what comes out"""
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
    """further words: street, community, channel …"""


@dataclass
class Written:
    """What became of some records."""

    counts: Counter[str] = field(default_factory=Counter)
    """added, changed, unchanged; agrees and disagrees: whether closed in time, as the file says and as it came out"""
    refused: list[InputError] = field(default_factory=list)


class Moment(Clock):
    """A clock that shows whatever moment it is set to, also an earlier one."""

    at = 0

    def now(self) -> int:
        return self.at


class Replayed(NamedTuple):
    """A case that is to be written."""

    case: Case
    about: Opening
    acts: list[Act]


class CaseRecords:
    """Takes records into the cases of one flow."""

    def __init__(
        self,
        store: Store,
        book: CaseBook,
        classes: ClassBook,
        things: Things,
        flow: str,
        limit: Duration = LIMIT,
        system: str = "",
    ) -> None:
        """`limit`: of classes that the flow does not know yet. `system`: whose numbers these are."""
        self.store, self.classes, self.things, self.limit, self.system = store, classes, things, limit, system
        self.clock, self.present = Moment(), book.clock
        self.book = CaseBook(store, book.flows.values(), book.calendar, self.clock, standards=book.standards)
        self.flow = classes.flow(flow)
        self.step = next((step.name for step in self.flow.steps if step.within == "by condition"), "")
        if not self.step:
            message = "Cases of this flow are filed by no condition, so records cannot become cases of it."
            raise Refused("no-records", message, {}, 422)
        there = classes.all(flow, LAST)
        self.known = {key: one for one in reversed(there) for key in keys_of(one)}
        self.standards: dict[str, Mapping[str, Any]] = {}
        self.codes = set(classes.codes(flow))
        self.used = {code[:3] for code in self.codes}
        self.bigs = {one.group: one.big for one in there if one.kind == "service"}

    def take(self, records: Sequence[CaseRecord], actor: str) -> Written:
        """Takes records, some hundreds in one transaction; what cannot be taken is told and stops nothing else."""
        written = Written()
        now = self.present.now()
        good = list(self._checked(records, now, written))
        for start in range(0, len(good), A_GO):
            lot = good[start : start + A_GO]
            self._know_classes(lot, actor)
            with self.store.write() as conn:
                self._take(conn, lot, now, written)
        return written

    def _checked(self, records: Sequence[CaseRecord], now: int, written: Written) -> Iterator[CaseRecord]:
        for record in records:
            try:
                check(record, now)
            except InputError as error:
                written.refused.append(error)
            else:
                yield record

    def _take(self, conn: Connection, lot: Sequence[CaseRecord], now: int, written: Written) -> None:
        """Writes down what is new, then brings up to date what was there, or comes twice in the file."""
        there = self._there(conn, lot)
        fresh = {self._key(record): record for record in reversed(lot) if self._key(record) not in there}
        self._add(conn, list(reversed(fresh.values())), now, written)
        rest = [record for record in lot if fresh.get(self._key(record)) is not record]
        if len(rest) > len(there):
            there = self._there(conn, rest)
        for record in rest:
            if row := there.get(self._key(record)):
                try:
                    written.counts["changed" if self._bring(conn, record, row) else "unchanged"] += 1
                except InputError as error:
                    written.refused.append(error)
                except Refused as refused:
                    written.refused.append(InputError(refused.code, str(refused), record.line))

    def _there(self, conn: Connection, lot: Sequence[CaseRecord]) -> dict[str, Any]:
        """By the key of a record: the case that it is, where it came before."""
        found = conn.execute(KEYS.where(acts.c.key.in_({self._key(record) for record in lot})))
        return {row.key: row for row in found}

    def _key(self, record: CaseRecord) -> str:
        system = f"{self.system}/" if self.system else ""
        return f"record/{self.flow.key()}/{system}{record.external}"

    # -- cases that are new

    def _add(self, conn: Connection, fresh: Sequence[CaseRecord], now: int, written: Written) -> None:
        lines, done, runs, had, told = [], [], [], [], []
        for record, number in zip(fresh, self._numbers(conn, fresh), strict=True):
            try:
                case, about, acts_done = self._replayed(record, case_id(None, number), now)
            except Refused as refused:
                written.refused.append(InputError(refused.code, str(refused), record.line))
                continue
            line = rows.line(case, self.flow, about, number)
            lines.append({**line, **rows.changed(case, acts_done[-1].at, line["data"])})
            done.append(rows.act_row(case.id, 1, acts_done[0], self._key(record), CONDITION))
            done += [rows.act_row(case.id, seq, act) for seq, act in enumerate(acts_done[1:], 2)]
            runs += rows.run_rows(case, about.get("area") or None)
            had += rows.had_rows(Case(), case, about.get("area") or None)
            told.append(report_of(record, case.id))
            written.counts["added"] += 1
            if record.said is not None and case.closed is not None and record.due is not None:
                late = any(run.late(run.done or 0) for run in case.runs)
                written.counts["agrees" if record.said is not late else "disagrees"] += 1
        rows.write_lines(conn, lines)
        for table, added in (("acts", done), ("case_runs", runs), ("case_had", had), ("reports", told)):
            insert_all(conn, table, added)

    def _numbers(self, conn: Connection, fresh: Sequence[CaseRecord]) -> list[str]:
        """A number for each, of the day on which it was opened."""
        days = [self.book.calendar.day(record.opened) for record in fresh]
        first = {day: record.opened for day, record in zip(days, fresh, strict=True)}
        counts = Counter(days)
        numbers = {day: iter(self.book.numbers(conn, first[day], count)) for day, count in counts.items()}
        return [next(numbers[day]) for day in days]

    def _replayed(self, record: CaseRecord, id_: str, now: int) -> Replayed:
        """The case with everything that happened to it; Refused when the flow does not let it happen."""
        about = self._about(record)
        case = Case(id=id_, flow=self.flow.key())
        done = [kernel.act(self.flow, case, "open", HOUSE, record.opened, rows.told(about), self.book.calendar)]
        case = kernel.add(case, done[0], self.book.calendar)
        moment = closing(record, case, now)
        while moment is not None and case.run is not None:
            who, data = self._finisher(record, case)
            done.append(kernel.act(self.flow, case, "complete", who, moment, data, self.book.calendar))
            case = kernel.add(case, done[-1], self.book.calendar)
        return Replayed(case, about, done)

    def _about(self, record: CaseRecord) -> Opening:
        standard = self._standard(record)
        begin: dict[str, Any] = {"step": self.step, "to": [record.department or NOBODY], "standard": dict(standard)}
        if record.due is not None or record.in_time is None:
            begin["due"] = record.due  # without one the file knows no limit: so the case has none
        values = {**record.values, "source": record.source, "class": standard["class"], "record": "yes"}
        values |= {"address": record.address} if record.address else {}
        areas = self._areas(record)
        return {
            "values": {**values, **{f"{level}_id": area for level, area in areas.items()}},
            "area": next(reversed(areas.values()), ""),
            "place": record.place,
            "text": record.text,
            "source": record.source,
            "begin": begin,
        }

    def _areas(self, record: CaseRecord) -> dict[str, str]:
        index = self.things.area_index() if record.place else None
        return index.ids_at(*record.place) if index is not None and record.place else {}

    def _finisher(self, record: CaseRecord, case: Case) -> tuple[Person, dict[str, Any]]:
        """Who reports the step of a record done, and what they say."""
        department = case.departments[0]
        last = self.flow.after(case.step, case.values) is None
        data = {"text": record.note} if last and record.note else {}
        return Person("records", department, frozenset({"officer"}), record.department or NOBODY), data

    # -- cases that are there

    def _bring(self, conn: Connection, record: CaseRecord, row: Any) -> bool:
        """Closes a case that was open when it came before; whether there was anything to do.

        One that somebody reopened here is left to them.
        """
        if row.opened != record.opened:
            reason = f"number {record.external} is there already, opened at another moment"
            hint = "name another system with --system, or mind --zone and --time-format"
            raise InputError("other-case", f"{reason}; {hint}", record.line)
        if row.state in ("closed", "void", "merged") or row.data.get("marks", {}).get("reopened"):
            return False
        filed = self.book.by_key(conn, self._key(record))
        moment = closing(record, filed.case, self.present.now()) if filed else None
        if filed is None or moment is None:
            return False
        self.clock.at = moment
        while filed.case.run is not None:
            who, data = self._finisher(record, filed.case)
            filed = self.book.act_in(conn, row.id, "complete", who, data)
        return True

    # -- classes

    def _class(self, record: CaseRecord) -> CaseClass | None:
        """The class that a record names: within its group where the file has groups, else by its name or code alone."""
        return self.known.get((record.group.casefold(), record.class_name.casefold()))

    def _standard(self, record: CaseRecord) -> Mapping[str, Any]:
        one = self.known[record.group.casefold(), record.class_name.casefold()]
        if (standard := self.standards.get(one.code)) is None:
            found = self.classes.standard(self.flow.key(), one.code, one.conditions[0].id, LAST)
            standard = self.standards[one.code] = found.facts()
        return standard

    def _know_classes(self, records: Sequence[CaseRecord], actor: str) -> None:
        """Classes that a file names and the flow does not know are made, each with one condition."""
        unknown = {(each.group, each.class_name): each for each in records if self._class(each) is None}
        if not unknown:
            return
        with self.store.write() as conn:
            for record in unknown.values():
                if self._class(record) is None:
                    fresh = self._new_class(record, min(each.opened for each in records))
                    made = self.classes.put(conn, self.flow.key(), fresh, actor, first_may_be_past=True)
                    keys = [(record.group.casefold(), record.class_name.casefold()), *keys_of(made)]
                    self.known = dict.fromkeys(keys, made) | self.known

    def _new_class(self, record: CaseRecord, first: int) -> CaseClass:
        name, group = record.class_name or "Unnamed", record.group or "Other"
        told, told_zh = "As the other system recorded it.", "以原系统记录为准。"
        condition = FilingCondition(CONDITION, told, told_zh, self.limit, told, told_zh)
        code = self._free_code(group)
        since = self.book.calendar.day(first)
        return CaseClass(code, "service", group, group, name, name, (condition,), since=since, public=False)

    def _free_code(self, group: str) -> str:
        """A code that no class has, in the big class of that name; where there are more groups than big classes, the
        last of them share one. InputError when all are taken.
        """
        free = next((f"S{n:02d}" for n in range(1, 100) if f"S{n:02d}" not in self.used), "S99")
        big = self.bigs.get(group, free)
        code = next((f"{big}{n:03d}" for n in range(80, 1000) if f"{big}{n:03d}" not in self.codes), "")
        if not code:
            raise InputError("too-many-classes", "the file names more kinds of cases than there are codes for")
        self.bigs[group] = big
        self.used.add(big)
        self.codes.add(code)
        return code


def keys_of(one: CaseClass) -> list[tuple[str, str]]:
    """What a record may call a class: its group and its name, or without a group its name or code."""
    names = [name.casefold() for name in (one.name, one.name_zh, one.code) if name]
    groups = {one.group.casefold(), one.group_zh.casefold(), ""}
    return [(group, name) for group in groups for name in names]


def closing(record: CaseRecord, case: Case, now: int) -> int | None:
    """When it was closed; None for one that is open. Of a file that says only whether it was in time: at its limit, or
    a second later."""
    if record.closed is not None:
        return record.closed
    run = case.run
    if record.in_time is None or run is None or run.due is None:
        return None
    return max(min(run.due, now), record.opened) if record.in_time else run.due + SECOND


def report_of(record: CaseRecord, case: str) -> dict[str, Any]:
    told = {"case": case, "at": record.opened, "source": record.source, "text": record.text}
    return told | {"address": record.address, "secret_hash": "", "external": record.external}


def check(record: CaseRecord, now: int) -> None:
    """InputError for what cannot be. `now` in µs."""
    if not record.external:
        raise InputError("no-id", "it has no number; name the column with --map id=COLUMN", record.line)
    if record.closed is not None and record.closed < record.opened:
        raise InputError("closed-before-opened", "it was closed before it was opened", record.line)
    if max(record.opened, record.closed or 0) > now + DAY:
        raise InputError("future", "it was opened or closed on a day that is still to come", record.line)
