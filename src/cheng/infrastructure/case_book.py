"""The book of cases: opens them, takes acts one at a time, and answers where each stands.

Everything that changes a case happens in one write transaction: read its acts, check the version, judge, append the
act, bring the row of the desk up to date. An answer given is on the disk.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from cheng.infrastructure import case_rows as rows
from cheng.infrastructure.bulk import ask_all, update_all
from cheng.infrastructure.case_asks import People, Standards, Truth, from_accounts, no_standards, unknown
from cheng.infrastructure.case_lists import CaseLists
from cheng.infrastructure.case_rows import Entry, Opening, entry, told
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.recent_cases import RecentCases
from cheng.infrastructure.store import Store, next_numbers, serialise
from cheng.infrastructure.tables import acts, cases
from cheng.kernel import cases as kernel
from cheng.kernel.cases import Option
from cheng.kernel.changing import replace
from cheng.kernel.flows import Flow, Step
from cheng.kernel.needs import clean
from cheng.kernel.standing import HOUSE, Act, Case, Person
from cheng.standards.calendars import Calendar
from cheng.standards.problems import Refused

NAMESPACE = uuid.UUID("6f0f4d0e-4c1c-5f0a-9c59-3b8f6a1f2e7d")
LONGEST_KEY = 200
OVER = ("closed", "void", "merged")
PART = "part"
"""The value that says "yes" in a case which is a part of another one."""
FIRST = 1
"""The act that opened a case: a part shows the photos that came with it."""

# Statements are built once: building one takes longer than running it.
BY_ID, BY_NUMBER, BY_ALERT = (
    select(cases).where(column == bindparam("wanted")) for column in (cases.c.id, cases.c.number, cases.c.alert)
)
LOCKED, LOCKED_NUMBER = BY_ID.with_for_update(), BY_NUMBER.with_for_update()
BY_KEY = select(acts.c.case, acts.c.seq, acts.c.data).where(acts.c.key == bindparam("wanted"))

Row = Mapping[str, Any]
Also = Callable[[Connection], object]
"""What else belongs into the same transaction: the audit, a message."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A case: its line on the desk, and where it stands."""

    entry: Entry
    case: Case


def case_id(alert: str | None, number: str) -> str:
    """The id of a case: that of its alert comes to the same however often it is opened."""
    return str(uuid.uuid5(NAMESPACE, f"alert {alert}" if alert else f"case {number}"))


class CaseBook(CaseLists):
    """All cases of the house. Synchronous, safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        flows: Iterable[type[Flow]],
        calendar: Calendar,
        clock: Clock,
        *,
        truth: Truth = unknown,
        people: People = from_accounts,
        standards: Standards = no_standards,
    ) -> None:
        super().__init__(store, clock)
        self.flows = {flow.key(): flow for flow in flows}
        self.calendar = calendar
        self.truth = truth
        self.people = people
        self.standards = standards
        self._recent = RecentCases(store)

    # -- opening

    def open_case(
        self,
        flow: type[Flow] | str,
        *,
        actor: Person = HOUSE,
        key: str | None = None,
        also: Also | None = None,
        **about: Unpack[Opening],
    ) -> Filed:
        """Open a case, or return the one that this alert opened before. `key` makes a repeated request by hand open
        one case, as `alert_key` does for alerts."""
        with self.store.write() as conn:
            return self.open_in(conn, flow, actor=actor, key=key, also=also, **about)

    def open_in(
        self,
        conn: Connection,
        flow: type[Flow] | str,
        *,
        actor: Person = HOUSE,
        key: str | None = None,
        also: Also | None = None,
        **about: Unpack[Opening],
    ) -> Filed:
        """`open_case` inside a transaction of the caller."""
        line = self._installed(flow if isinstance(flow, str) else flow.key())
        data, alert = told(about), about.get("alert_key")
        key = checked(key)
        asked = fingerprint("", "open", actor, data) if key else ""
        if key or alert:
            serialise(conn, f"cases/{alert or key}")
        if alert and (row := self._opened_by(conn, alert)) is not None:
            return self._again(conn, row)
        if (before := self._repeated(conn, key, asked)) is not None:
            return before
        now = self.clock.now()
        act = kernel.act(line, Case(), "open", actor, now, data, self.calendar)
        (number,) = self.numbers(conn, now, 1)
        id_ = case_id(alert, number)
        case = kernel.fold(line, [act], self.calendar, id_)
        rows.write_lines(conn, [rows.line(case, line, about, number)])
        rows.append(conn, id_, 1, act, key, asked)
        rows.write_runs(conn, Case(), case, about.get("area") or None)
        rows.write_shared(conn, Case(), case)
        self._recent.write(conn, case)
        if also:
            also(conn)
        return Filed(entry(self._found(conn, id_)), case)

    def _again(self, conn: Connection, row: Row) -> Filed:
        """The alert had opened a case. Was it withdrawn meanwhile, then it stands again."""
        case = self._case(conn, row)
        if case.alert != "withdrawn":
            return Filed(entry(row), case)
        act = kernel.act(self.flow(row["flow"]), case, "alert_restored", HOUSE, self.clock.now(), {}, self.calendar)
        return self._append(conn, row, case, act)

    def numbers(self, conn: Connection, now: int, count: int) -> list[str]:
        """The numbers of new cases, for people: the day and their place in it."""
        day = f"{self.calendar.day(now):%Y%m%d}"
        first = next_numbers(conn, f"cases/{day}", count)
        return [f"{day}-{number:06d}" for number in range(first, first + count)]

    # -- acting

    def act(
        self,
        case_id: str,
        verb: str,
        actor: Person,
        data: Mapping[str, Any] | None = None,
        *,
        version: int | None = None,
        key: str | None = None,
        also: Also | None = None,
    ) -> Filed:
        """Somebody does something. `version`: how many acts they had seen; another number is refused. `key`: the same
        request sent again is answered as it was, and done once. Refused also when there is no such case."""
        with self.store.write() as conn:
            return self.act_in(conn, case_id, verb, actor, data, version=version, key=key, also=also)

    def act_in(
        self,
        conn: Connection,
        case_id: str,
        verb: str,
        actor: Person,
        data: Mapping[str, Any] | None = None,
        *,
        version: int | None = None,
        key: str | None = None,
        also: Also | None = None,
    ) -> Filed:
        """`act` inside a transaction of the caller: many acts can share one commit."""
        data, key = data or {}, checked(key)
        asked = fingerprint(case_id, verb, actor, data) if key else ""
        if verb in ("merge", "unmerge"):
            serialise(conn, "cases/merge")
        row = self._found(conn, case_id, lock=True)
        if (before := self._repeated(conn, key, asked)) is not None:
            return before
        case = self._case(conn, row)
        if version is not None and version != case.version:
            message = "{actor} has done something about this case meanwhile; look at it again before you go on."
            raise Refused("changed", message, {"actor": case.last_actor})
        flow = self._installed(row["flow"])
        target = self.people(conn, str(data["person"])) if isinstance(data, Mapping) and data.get("person") else None
        holds = self._holds(flow, case, verb, row["thing"])
        now = self.clock.now()
        standard = self._standard(conn, flow, case, data, now)
        act = kernel.act(
            flow, case, verb, actor, now, data, self.calendar, holds=holds, target=target, standard=standard
        )
        if verb in ("merge", "unmerge"):
            self._tell_other(conn, case, act)
        filed = self._append(conn, row, case, act, key, asked)
        for department in act.data.get("departments", ())[1:]:
            filed = self._share(conn, filed, department)
        if also:
            also(conn)
        return filed

    def _standard(
        self, conn: Connection, flow: type[Flow], case: Case, data: Mapping[str, Any], now: int
    ) -> Mapping[str, Any] | None:
        """The filing condition that an act names, of the class it names or the case has."""
        if not isinstance(data, Mapping) or not data.get("condition"):
            return None
        code = str(data.get("class") or case.values.get("class") or "")
        return self.standards(conn, flow, code, str(data["condition"]), now)

    # -- parts of a case, for departments that share its work

    def _share(self, conn: Connection, whole: Filed, department: str) -> Filed:
        """Another department gets its part: a case of its own, which the whole one waits for."""
        entry_, case, run = whole.entry, whole.case, whole.case.run
        if run is None:
            return whole
        about: Opening = {
            "values": {**case.values, PART: "yes"},
            "level": entry_.level,
            "area": entry_.area,
            "place": None
            if entry_.longitude is None or entry_.latitude is None
            else (entry_.longitude, entry_.latitude),
            "text": entry_.text,
            "source": entry_.source,
            "proof": [piece for act in rows.read_acts(conn, entry_.id, FIRST) for piece in act.data.get("proof") or ()],
            "parent": entry_.id,
            "begin": {"step": run.step, "to": [department], "standard": dict(case.standard)},
        }
        part = self.open_in(conn, entry_.flow, **about)
        return self.act_in(conn, entry_.id, "part_opened", HOUSE, {"case": part.entry.id})

    def _tell_whole(self, conn: Connection, parent: str | None, before: Case, after: Case) -> None:
        """The case that a part belongs to hears when it is over, or begins anew."""
        if parent is None or (before.state in OVER) == (after.state in OVER):
            return
        verb = "part_over" if after.state in OVER else "part_opened"
        whole = self._found(conn, parent, lock=True)
        if whole["state"] in ("open", "suspended", "closed"):
            self.act_in(conn, parent, verb, HOUSE, {"case": after.id})

    def _append(
        self, conn: Connection, row: Row, before: Case, act: Act, key: str | None = None, asked: str = ""
    ) -> Filed:
        after = kernel.add(before, act, self.calendar)
        try:
            rows.append(conn, after.id, after.version, act, key, asked)
        except IntegrityError:
            raise _key_used() from None
        values = rows.changed(after, act.at, row["data"])
        update_all(conn, rows.CHANGE, [{**values, "this": after.id}])
        rows.write_runs(conn, before, after, row["area"])
        rows.write_shared(conn, before, after)
        self._recent.write(conn, after)
        self._tell_whole(conn, row["parent"], before, after)
        return Filed(entry({**row, **values}), after)

    def _tell_other(self, conn: Connection, case: Case, act: Act) -> None:
        """The case that takes another one in, or lets it go, says so itself."""
        row = self._found(conn, case.merged_into or act.data["into"], lock=True)
        if act.verb == "merge" and row["state"] not in ("open", "suspended"):
            raise Refused(
                "other-over", "Case {number} is not open any more; choose another.", {"number": row["number"]}
            )
        other = self._case(conn, row)
        verb = "absorb" if act.verb == "merge" else "release"
        about = {"case": case.id, "weight": case.weight, "reporters": list(case.reporters)}
        told = kernel.act(self.flow(row["flow"]), other, verb, HOUSE, act.at, about, self.calendar)
        self._append(conn, row, other, told)

    def resume_due(self) -> Sequence[str]:
        """Let the clocks go on of all cases whose suspension is over; their ids. Safe to run as often as you like."""
        ids = self.due_to_resume(self.clock.now())
        for id_ in ids:
            with self.store.write() as conn:
                row = self._found(conn, id_, lock=True)
                if row["state"] == "suspended" and row["resumes"] <= self.clock.now():
                    self.act_in(conn, id_, "resume", HOUSE)
        return ids

    # -- reading

    def get(self, case_id: str) -> Filed:
        """The case with that id or number; Refused (404) when there is none."""
        with self.store.read() as conn:
            filed = self._filed(conn, self._found(conn, case_id))
        self._recent.keep(filed.case)
        return filed

    def by_alert(self, key: str) -> Filed | None:
        """The case that the alert opened."""
        with self.store.read() as conn:
            row = self._opened_by(conn, key)
            return None if row is None else self._filed(conn, row)

    def by_key(self, conn: Connection, key: str) -> Filed | None:
        """The case, as it stands now, about which something was done with this key."""
        found = conn.execute(BY_KEY, {"wanted": key}).first()
        return None if found is None else self._filed(conn, self._found(conn, found.case))

    def acts(self, case_id: str) -> list[Act]:
        """Everything that was done about it, in order."""
        with self.store.read() as conn:
            return rows.read_acts(conn, self._found(conn, case_id)["id"])

    def next_acts(self, case_id: str, actor: Person) -> list[Option]:
        """What this person may do now: the buttons of the page."""
        with self.store.read() as conn:
            row = self._found(conn, case_id)
            case, flow = self._case(conn, row), self.flow(row["flow"])
        holds = self._holds(flow, case, "complete", row["thing"])
        return kernel.next_acts(flow, case, actor, self.clock.now(), self.calendar, holds)

    def _holds(self, flow: type[Flow], case: Case, verb: str, thing: int | None) -> bool | None:
        until = flow.find(case.step).until if verb == "complete" and case.run else None
        return None if until is None else self.truth(until, thing)

    def _opened_by(self, conn: Connection, key: str) -> Row | None:
        return next(iter(ask_all(conn, BY_ALERT, {"wanted": key})), None)

    def _found(self, conn: Connection, case_id: str, *, lock: bool = False) -> Row:
        wanted = clean(str(case_id))[:LONGEST_KEY]
        queries = (LOCKED, LOCKED_NUMBER) if lock else (BY_ID, BY_NUMBER)
        row = next((row for query in queries for row in ask_all(conn, query, {"wanted": wanted})), None)
        if row is None:
            raise Refused("no-such-case", "There is no case {case}.", {"case": wanted}, 404)
        return row

    def flow(self, key: str) -> type[Flow]:
        """The flow of a case, or what stands for one whose application is gone."""
        return self.flows.get(key, Gone)

    def _installed(self, key: str) -> type[Flow]:
        if key not in self.flows:
            raise Refused("flow-gone", "The application of this case is not installed; it can be read, nothing else.")
        return self.flows[key]

    def _case(self, conn: Connection, row: Row) -> Case:
        if (recent := self._recent.get(conn, row["id"], row["version"])) is not None:
            return recent
        case = kernel.fold(self.flow(row["flow"]), rows.read_acts(conn, row["id"]), self.calendar, row["id"])
        return replace(case, flow=row["flow"])

    def _filed(self, conn: Connection, row: Row) -> Filed:
        return Filed(entry(row), self._case(conn, row))

    def _repeated(self, conn: Connection, key: str | None, asked: str) -> Filed | None:
        """The answer that was given when this key came first; Refused when it came with something else."""
        if key is None:
            return None
        found = conn.execute(BY_KEY, {"wanted": key}).first()
        if found is None:
            return None
        if found.data.get(rows.ADDED, {}).get("asked") != asked:
            raise _key_used()
        row = self._found(conn, found.case)
        done = rows.read_acts(conn, found.case, found.seq)
        return Filed(entry(row), kernel.fold(self.flow(row["flow"]), done, self.calendar, row["id"]))


class Gone(Flow):
    """The application of this case is not installed any more: it can be read, and nothing else."""

    steps = (Step("gone"),)


def fingerprint(case: str, verb: str, actor: Person, data: Any) -> str:
    """What was asked for, in a few letters: the same request has the same."""
    asked = json.dumps([case, verb, actor.name, clean(data)], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def checked(key: str | None) -> str | None:
    """An idempotency key, or Refused: 1 to 200 printable characters."""
    if key is None:
        return None
    if not key.isprintable() or not 0 < len(key) <= LONGEST_KEY:
        raise Refused("bad-key", "The key of a request has 1 to 200 printable characters.", {}, 422)
    return key


def _key_used() -> Refused:
    return Refused("key-used", "This key came with another request before; use a new one for each.", {}, 422)
