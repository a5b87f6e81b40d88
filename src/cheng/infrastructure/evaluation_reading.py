"""From the store to columns: the cases of a month, or some of them, with what evaluation derives from their runs."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Select, and_, bindparam, func, select

from cheng.infrastructure.evaluation_columns import (
    CASES,
    LEFT_OUT,
    NONE,
    OUTCOMES,
    STEPS,
    Array,
    Codes,
    Lot,
    by_step,
    coded,
    moments,
)
from cheng.infrastructure.tables import acts, case_runs, cases
from cheng.kernel.standing import HOUSE

INSPECTED = ("collector", "sensor", "video")
"""Sources that are the city's own eyes; what comes from others was seen by citizens first."""
TOLD = ("open", "allow", "suspend", "rate")
"""Acts that runs do not tell of."""
AT_ONCE = 400
"""Cases of one question by their ids."""
ASIDE = len(STEPS)
STEP, OUTCOME, WITHOUT = coded(STEPS, ASIDE), coded(OUTCOMES, 0), coded(LEFT_OUT, 0)
CHECKING = (STEPS.index("check"), STEPS.index("close"))

OF_MONTH = and_(
    cases.c.flow == bindparam("flow"), cases.c.opened >= bindparam("start"), cases.c.opened < bindparam("end")
)
OF_IDS = cases.c.id.in_(bindparam("ids", expanding=True))
MARK = select(func.count(), func.sum(cases.c.version)).where(OF_MONTH)
VERSIONS = select(cases.c.id, cases.c.version).where(OF_MONTH)
LINES = select(
    cases.c.id,
    cases.c.number,
    cases.c.version,
    cases.c.area,
    cases.c.opened,
    cases.c.closed,
    cases.c.longitude,
    cases.c.latitude,
    cases.c.source,
    cases.c.class_code,
    cases.c.title_values["simple"].as_string(),
    cases.c.parent,
)
PASSES = select(
    case_runs.c.case, case_runs.c.n, case_runs.c.step, case_runs.c.outcome, case_runs.c.left_out,
    case_runs.c.department, case_runs.c.person, case_runs.c.started, case_runs.c.due, case_runs.c.done,
    case_runs.c.settled,
).join(cases, cases.c.id == case_runs.c.case)  # fmt: skip
DONE = select(acts.c.case, acts.c.seq, acts.c.at, acts.c.verb, acts.c.actor, acts.c.data).join(
    cases, cases.c.id == acts.c.case
)
DONE = DONE.where(acts.c.verb.in_(TOLD))


def mark(conn: Connection, flow: str, start: int, end: int) -> tuple[int, int]:
    """How many cases were opened in [start, end), and how many acts they are the sum of."""
    count, total = conn.execute(MARK, {"flow": flow, "start": start, "end": end}).one()
    return int(count), int(total or 0)


def versions(conn: Connection, flow: str, start: int, end: int) -> tuple[Array, Array]:
    """Ids and versions of the cases that were opened in [start, end)."""
    rows = conn.execute(VERSIONS, {"flow": flow, "start": start, "end": end}).all()
    return np.array([row[0] for row in rows], "S36"), np.array([row[1] for row in rows], np.int32)


def read_month(conn: Connection, flow: str, start: int, end: int) -> Lot:
    """All cases that were opened in [start, end)."""
    return read(conn, OF_MONTH, {"flow": flow, "start": start, "end": end})


def read_cases(conn: Connection, ids: Sequence[str]) -> Lot:
    """The cases with these ids."""
    lot = Lot()
    for first in range(0, len(ids), AT_ONCE):
        lot = lot.joined(read(conn, OF_IDS, {"ids": ids[first : first + AT_ONCE]}))
    return lot


def read(conn: Connection, which: Any, parameters: dict[str, Any]) -> Lot:
    words = Codes()
    lines = columns(conn, LINES.where(which), parameters, 12)
    place = {id_: at for at, id_ in enumerate(lines[0])}
    passes = columns(conn, PASSES.where(which), parameters, 11)
    told = columns(conn, DONE.where(which), parameters, 6)
    lot = Lot(case_columns(lines, words), run_columns(passes, place, words), words.words)
    finish_handling(lot.runs)
    note_acts(lot, told, place, words)
    derive(lot)
    lot.runs = by_step(lot.runs)
    return lot


def columns(conn: Connection, query: Select[Any], parameters: dict[str, Any], wide: int) -> list[tuple[Any, ...]]:
    """An answer column by column, from the driver's own rows: SQLAlchemy's would cost as much again."""
    answer = conn.execute(query, parameters)
    rows = answer.cursor.fetchall()
    answer.close()
    return list(zip(*rows, strict=True)) or [()] * wide


def case_columns(lines: list[tuple[Any, ...]], words: Codes) -> dict[str, Array]:
    ids, numbers, version, area, opened, closed, longitude, latitude, source, class_, simple, parent = lines
    found = {name: np.zeros(len(ids), kind) for name, kind in CASES.items()}
    found |= {"id": np.array(ids, "S36"), "number": np.array(numbers, "S24"), "version": np.array(version, np.int32)}
    found |= {"area": words.of(area), "source": words.of(source), "class": words.of(class_)}
    found |= {"opened": moments(opened), "closed": moments(closed)}
    found |= {"longitude": np.array(longitude, np.float64), "latitude": np.array(latitude, np.float64)}
    found["public"] = np.array([bool(text) and text not in INSPECTED for text in source], np.bool_)
    found["simple"] = np.array([text == "yes" for text in simple], np.bool_)
    found["part"] = np.array([bool(text) for text in parent], np.bool_)
    found["rated"] = np.full(len(ids), NONE)
    return found


def run_columns(passes: list[tuple[Any, ...]], place: dict[str, int], words: Codes) -> dict[str, Array]:
    """The runs by case and number."""
    case, n, step, outcome, left_out, department, person, started, due, done, settled = passes
    of = np.fromiter(map(place.__getitem__, case), np.int32, len(case))
    order = np.lexsort((np.array(n, np.int16), of))
    found = {
        "case": of,
        "step": STEP(step),
        "outcome": OUTCOME(outcome),
        "left_out": WITHOUT(left_out),
        "department": words.of(department),
        "person": words.of(person),
        "started": moments(started),
        "due": moments(due),
        "done": moments(done),
        "settled": moments(settled),
    }
    found = {name: column[order] for name, column in found.items()}
    empty = np.full(len(of), NONE)
    return {**found, "extended": empty, "paused": empty.copy()}


def finish_handling(runs: dict[str, Array]) -> None:
    """A department has handled a case when it has said so: its confirmation belongs to its time."""
    handle, feedback = STEPS.index("handle"), STEPS.index("feedback")
    follows = np.flatnonzero((runs["step"][:-1] == handle) & (runs["step"][1:] == feedback))
    follows = follows[(runs["case"][follows] == runs["case"][follows + 1])]
    follows = follows[runs["outcome"][follows] == OUTCOMES.index("completed")]
    after = follows + 1
    paused = (runs["settled"][after] == NONE) & ((runs["due"][after] != NONE) | (runs["done"][after] != NONE))
    runs["done"][follows] = runs["done"][after]
    runs["outcome"][follows] = runs["outcome"][after]
    runs["left_out"][follows] = np.maximum(runs["left_out"][follows], runs["left_out"][after])
    settled = np.minimum(runs["done"][follows], runs["due"][follows])
    runs["settled"][follows] = np.where(paused, NONE, settled)


def note_acts(lot: Lot, told: list[tuple[Any, ...]], place: dict[str, int], words: Codes) -> None:
    """Who opened a case, when a run got more time or was paused, and what was said in the end."""
    case, seq, at, verb, actor, data = told
    if not case:
        return
    of = np.fromiter(map(place.__getitem__, case), np.int64, len(case))
    moment, verbs = np.array(at, np.int64), np.array(verb)
    actors = words.of(actor)
    opened = (verbs == "open") & ~lot.cases["public"][of] & (np.array(actor) != HOUSE.name)
    lot.cases["collector"][of[opened]] = actors[opened]
    passes = np.flatnonzero(lot.runs["step"] != 0)
    begun = lot.runs["case"][passes].astype(np.int64), lot.runs["started"][passes]
    base = int(min(moment.min(), begun[1].min(initial=moment.min())))
    wide = int(max(moment.max(), begun[1].max(initial=moment.max()))) - base + 1
    rank = np.searchsorted(begun[0] * wide + (begun[1] - base), of * wide + (moment - base), "right") - 1
    for name, column in (("allow", "extended"), ("suspend", "paused")):
        mine = (verbs == name) & (rank >= 0)
        lot.runs[column][passes[rank[mine]]] = moment[mine]
    for row in sorted(np.flatnonzero(verbs == "rate").tolist(), key=lambda row: seq[row]):
        answer = (data[row] if isinstance(data[row], dict) else msgspec.json.decode(data[row])).get("answer") or {}
        rate(lot.cases, int(of[row]), int(moment[row]), answer)


def rate(lines: dict[str, Array], case: int, at: int, answer: dict[str, str]) -> None:
    """What was answered later stands in place of what was answered before."""
    lines["rated"][case] = at
    for name in ("reached", "solved"):
        if name in answer:
            lines[name][case] = answer[name] == "yes"
    if "satisfied" in answer:
        lines["satisfied"][case] = {"yes": 2, "mostly": 1}.get(answer["satisfied"], 0)


def derive(lot: Lot) -> None:
    """What a case is known by as a whole: filed, reworked, handled and found by whom; runs that were sent back.

    Where departments share the work, what each did counts, and the case itself once.
    """
    runs, lines = lot.runs, lot.cases
    case, step, outcome = runs["case"], runs["step"], runs["outcome"]
    completed, returned = outcome == OUTCOMES.index("completed"), outcome == OUTCOMES.index("returned")
    checking = np.isin(step, CHECKING)
    lines["filed"][case[completed & (step == STEPS.index("file"))]] = True
    lines["reworked"][case[returned & checking]] = True
    handled = step == STEPS.index("handle")
    lines["handler"][case[handled]] = runs["department"][handled]
    verified = completed & (step == STEPS.index("verify")) & (lines["collector"][case] == 0)
    lines["collector"][case[verified]] = runs["person"][verified]
    whole = (step == 0) & (lines["handler"][case] != 0)
    runs["department"][whole] = lines["handler"][case[whole]]
    runs["step"][(step == 0) & lines["part"][case]] = ASIDE
    ended = outcome == OUTCOMES.index("void")
    over = np.full(len(lines["id"]), NONE)
    over[case[ended & (step != 0)]] = runs["done"][ended & (step != 0)]
    void = ended & (step == 0)
    runs["done"][void] = runs["settled"][void] = over[case[void]]  # that is when it was over
    back = returned & ~checking & (runs["done"] <= runs["due"]) & (runs["left_out"] == 0)
    runs["left_out"][back] = LEFT_OUT.index("returned")
