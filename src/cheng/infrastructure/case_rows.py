"""A case as rows: its acts, the line that the desk lists, and the runs that indicators count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Required, TypedDict

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from cheng.infrastructure import case_words
from cheng.infrastructure.bulk import ask_all, insert_all, update_all
from cheng.infrastructure.cells import cell
from cheng.infrastructure.tables import acts, case_runs, case_shared, cases
from cheng.kernel.flows import PASSED, Flow
from cheng.kernel.needs import clean
from cheng.kernel.standing import Act, Case, Light, Passed, Run, lights

ADDED = "house"
"""The field of an act's data that holds what the house adds; nobody can send one of that name."""

MOST = 2**31 - 1
AS_THEY_ARE = (
    *("id", "number", "flow", "app", "thing", "longitude", "latitude", "level", "state", "step", "version"),
    *("opened", "due", "warn", "overall_due", "resumes", "closed", "class_code", "source", "weight"),
)
OR_EMPTY = ("thing_id", "alert", "area", "assignee", "reporter", "merged_into", "parent")
CHANGED = (
    *("state", "step", "department", "assignee", "due", "warn", "overall_due", "resumes", "closed", "version"),
    *("merged_into", "class_code", "weight", "waiting", "title_values", "data"),
)
"""Columns of `cases` that `standing` fills."""
CHANGING = ("step", "department", "person", "due", "done", "settled", "outcome", "left_out")
# Statements are built once: building one takes longer than running it.
CHANGE = update(cases).where(cases.c.id == bindparam("this")).values({name: bindparam(name) for name in CHANGED})
CHANGE_RUN = (
    update(case_runs)
    .where(case_runs.c.case == bindparam("of"), case_runs.c.n == bindparam("nth"))
    .values({name: bindparam(name) for name in CHANGING})
)
ACTS = select(acts).where(acts.c.case == bindparam("case"), acts.c.seq <= bindparam("up_to")).order_by(acts.c.seq)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the desk: what a list shows of a case without adding up its acts."""

    id: str
    number: str
    """for people: 20261120-000123"""
    flow: str
    app: str
    rule: str
    """key of the rule whose sentence is the title; empty for cases opened by hand"""
    values: Mapping[str, Any]
    """what fills the blanks of the title"""
    text: str
    """what was written when it was opened by hand"""
    thing: int | None
    thing_id: str
    alert: str
    area: str
    longitude: float | None
    latitude: float | None
    departments: tuple[str, ...]
    assignee: str
    reporter: str
    level: str
    state: str
    step: str
    opened: int
    due: int | None
    """the next limit, of the step or of the whole case"""
    warn: int | None
    overall_due: int | None
    resumes: int | None
    closed: int | None
    version: int
    merged_into: str
    parent: str
    """the case that this one is a part of"""
    class_code: str
    """the class it is filed by, or was reported under"""
    source: str
    """through which channel it came: "citizen", "hotline", "collector" …"""
    weight: int
    """how many reports it stands for"""
    marks: Mapping[str, Any]
    """"extension", "dispute", "supervised": bool; "urged", "reopened", "alerts": int; "alert": what became of it;
    "passed": the other city that has it or had it to the end, {"to", "number", "says", "away"}"""

    def light(self, now: int) -> Light:
        """Agrees with `kernel.cases.lights` for cases under way."""
        if self.state != "open":
            return "red" if self.marks.get("late") else "yellow" if self.marks.get("yellow") else "green"
        if self.due is not None and now > self.due:
            return "red"
        return "yellow" if self.warn is not None and now > self.warn else "green"


class Opening(TypedDict, total=False):
    """What a case is opened about."""

    values: Required[Mapping[str, Any]]
    """fields of the thing, with id, name, area and owner: they fill the title and name the departments"""
    alert_key: str | None
    rule: str
    """key of the rule whose sentence is the title"""
    thing: int | None
    """its index in the register"""
    level: str
    area: str
    """its id"""
    place: tuple[float, float] | None
    """longitude and latitude"""
    text: str
    """what is wrong, in the words of who reports it"""
    reporter: str
    """account of the citizen who reports it"""
    source: str
    """the channel it comes through"""
    proof: list[dict[str, str]]
    """photos of it: [{"kind": "photo", "blob": …}]"""
    parent: str | None
    """the id of the case that this one is a part of"""
    begin: Mapping[str, Any]
    """of a part, and of a record: {"step", "to", "standard"} it begins with, and "due" (µs) where that is known"""


def told(about: Opening) -> dict[str, Any]:
    """What the act of opening keeps."""
    place = about.get("place")
    names = ("values", "rule", "text", "area", "reporter", "source", "proof", "begin")
    kept = {name: about.get(name) for name in names}
    kept |= {"alert": about.get("alert_key"), "place": list(place) if place else None}
    return {name: value for name, value in kept.items() if value not in (None, "")}


def entry(row: RowMapping | Mapping[str, Any]) -> Entry:
    """A row of `cases` as a line of the desk."""
    data = row["data"]
    columns: dict[str, Any] = {name: row[name] for name in AS_THEY_ARE}
    columns |= {name: row[name] or "" for name in OR_EMPTY}
    columns["rule"] = rule = data.get("rule", "")
    columns["text"] = "" if rule else data.get("text", "")  # a rule's sentence with its blanks is nothing to read
    departments = tuple(data.get("departments", ()))
    return Entry(**columns, values=row["title_values"], departments=departments, marks=data.get("marks", {}))


def standing(case: Case, light: Light, rule: str, text: str) -> dict[str, Any]:
    """The columns of `cases` that change with every act."""
    return {
        "state": case.state,
        "step": case.step,
        "department": case.departments[0] if case.departments else "",
        "assignee": case.assignee or None,
        "due": case.next_due,
        "warn": case.warn,
        "overall_due": case.due,
        "resumes": case.resumes,
        "closed": case.closed,
        "version": case.version,
        "merged_into": case.merged_into or None,
        "class_code": str(case.values.get("class") or ""),
        "weight": case.weight,
        "waiting": min((each.at for each in (case.extension, case.appeal, case.dispute) if each), default=None),
        "title_values": dict(case.values),
        "data": {
            "rule": rule,
            "text": text,
            "departments": list(case.departments),
            "marks": {
                "late": light == "red",
                "yellow": light == "yellow",
                "extension": case.extension is not None,
                "appeal": case.appeal is not None,
                "dispute": case.dispute is not None,
                "parts": len(case.parts),
                "supervised": case.supervised,
                "urged": case.urged,
                "reopened": case.reopened,
                "alerts": case.alerts,
                "alert": case.alert,
                **({"passed": passed_mark(case, case.passed)} if case.passed else {}),
            },
        },
    }


def passed_mark(case: Case, passed: Passed) -> dict[str, Any]:
    away = case.run is not None and case.run.away
    return {"to": passed.to, "number": passed.number, "says": passed.says, "away": away}


def changed(case: Case, at: int, before: Mapping[str, Any]) -> dict[str, Any]:
    """`standing` of a case after an act at that time; `before`: what its row held as data."""
    return standing(case, lights(case, case.suspended or at), before.get("rule", ""), before.get("text", ""))


def line(case: Case, flow: type[Flow], about: Opening, number: str) -> dict[str, Any]:
    """The row of a case that has just been opened."""
    app, place = getattr(flow, "app", None), about.get("place")
    return {
        **standing(case, "green", about.get("rule", ""), clean(about.get("text", ""))),
        "id": case.id,
        "number": number,
        "flow": flow.key(),
        "app": app.key() if app else "",
        "source": about.get("source", ""),
        "thing": about.get("thing"),
        "thing_id": str(case.values["id"]) if case.values.get("id") else None,
        "alert": about.get("alert_key"),
        "area": about.get("area") or None,
        "longitude": place[0] if place else None,
        "latitude": place[1] if place else None,
        "cell": cell(place),
        "reporter": case.reporter or None,
        "level": about.get("level", ""),
        "opened": case.opened,
        "parent": about.get("parent"),
        "sought": case_words.sought(number, case.values, clean(about.get("text", ""))),
    }


def write_lines(conn: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    """Cases that have just been opened, with the words by which they are found."""
    insert_all(conn, "cases", lines)
    case_words.write(conn, lines)


# -- acts


def append(conn: Connection, case: str, seq: int, act: Act, key: str | None, asked: str) -> None:
    """One more act; `asked` is the fingerprint of the request, by which a repeated key is known."""
    insert_all(conn, "acts", [act_row(case, seq, act, key, asked)])


def act_row(case: str, seq: int, act: Act, key: str | None = None, asked: str = "") -> dict[str, Any]:
    facts = {**act.facts, "asked": asked} if key else act.facts
    return {
        "case": case,
        "seq": seq,
        "at": act.at,
        "actor": act.actor,
        "actor_name": act.actor_title,
        "verb": act.verb,
        "step": act.step,
        "data": {**act.data, ADDED: facts},
        "key": key,
    }


def read_acts(conn: Connection, case: str, up_to: int = MOST) -> list[Act]:
    """The acts of a case in their order, all or the first `up_to`."""
    return [to_act(row) for row in ask_all(conn, ACTS, {"case": case, "up_to": up_to})]


def to_act(row: RowMapping | Mapping[str, Any]) -> Act:
    data = dict(row["data"])
    facts = data.pop(ADDED, {})
    return Act(row["verb"], row["actor"], row["at"], row["step"], data, facts, row["actor_name"])


# -- what indicators count, who had it, and who else may take it


def write_runs(conn: Connection, before: Case, after: Case, area: str | None) -> None:
    """Bring the runs of a case up to date."""
    added, changed = run_changes(before, after, area)
    update_all(conn, CHANGE_RUN, changed)
    insert_all(conn, "case_runs", added)
    insert_all(conn, "case_had", had_rows(before, after, area))


def had_rows(before: Case, after: Case, area: str | None) -> list[dict[str, Any]]:
    """A row for each department that had no part in the case before."""
    old, new = ({run.department for run in case.runs} for case in (before, after))
    told = {"opened": after.opened, "case": after.id, "area": area}
    return [{"department": name, **told} for name in sorted(new - old - {""})]


def run_changes(before: Case, after: Case, area: str | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of runs to be added, and to be changed by CHANGE_RUN."""
    if all(getattr(before, name) == getattr(after, name) for name in ("runs", "state", "closed", "due")):
        return [], []
    old = {row["n"]: row for row in run_rows(before, area)}
    new = {row["n"]: row for row in run_rows(after, area)}
    added = [row for n, row in new.items() if n not in old]
    changed = [{**row, "of": row["case"], "nth": n} for n, row in new.items() if n in old and old[n] != row]
    return added, changed


def run_rows(case: Case, area: str | None) -> list[dict[str, Any]]:
    """A row for the case as a whole, and one for each run."""
    rows = [whole(case)] if case.runs else []
    rows += [_run_row(case, n, run) for n, run in enumerate(case.runs, 1)]
    return [{"case": case.id, "flow": case.flow, "area": area, **row} for row in rows]


def whole(case: Case) -> dict[str, Any]:
    """The case as one long step: due with its own limit, or else with the first step that is late or may become so."""
    ours = [run for run in case.runs if not run.away]
    late = [run.due for run in ours if run.due is not None and (run.done is None or run.late(run.done))]
    due = min((*late, *([case.due] if case.due is not None else [])), default=None)
    blamed = [run for run in case.runs if run.done is not None and run.late(run.done)]
    excused = bool(blamed) and all(run.excused for run in blamed)
    last = case.runs[-1]
    return {
        "n": 0,
        "step": "",
        "department": last.department,
        "person": last.by,
        "started": case.opened,
        "due": due,
        "done": case.closed,
        "settled": None if case.state == "suspended" else _first(case.closed, due),
        "outcome": case.state,
        "left_out": _left_out(case) or (PASSED if case.passed else "appeal" if excused else ""),
    }


def _run_row(case: Case, n: int, run: Run) -> dict[str, Any]:
    pauses = case.state == "suspended" and n == len(case.runs)
    uncounted = run.outcome == "void" or (run.outcome == "moved" and not run.late(run.done or 0))
    away = PASSED if run.away else ""
    return {
        "n": n,
        "step": run.step,
        "department": run.department,
        "person": run.by,
        "started": run.started,
        "due": run.due,
        "done": run.done,
        "settled": None if pauses else _first(run.done, run.due),
        "outcome": run.outcome,
        "left_out": _left_out(case) or away or ("appeal" if run.excused else run.outcome if uncounted else ""),
    }


def _left_out(case: Case) -> str:
    return case.state if case.state in ("void", "merged") else ""


def _first(done: int | None, due: int | None) -> int | None:
    return min((moment for moment in (done, due) if moment is not None), default=None)


def write_shared(conn: Connection, before: Case, after: Case) -> None:
    """Departments beside the first one that may take the case too."""
    old, new = before.departments[1:], after.departments[1:]
    if old == new:
        return
    conn.execute(delete(case_shared).where(case_shared.c.case == after.id))
    if new:
        conn.execute(insert(case_shared), [{"case": after.id, "department": name} for name in new])
