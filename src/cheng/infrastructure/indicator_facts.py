"""The rows that a number comes from: runs of cases, alerts, things, readings, each as facts of a period."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from sqlalchemy import Connection, RowMapping, and_, select

from cheng.infrastructure.tables import alerts, attributes, case_runs, cases, things
from cheng.kernel.indicators import Fact, Indicator, run_fact
from cheng.kernel.observations import BAD, Batch

MINUTE = 60_000_000
AT_A_TIME = 2_000
"""Things read in one go."""
NOT_IN_USE = ("retired", "unknown")


class Readings(Protocol):
    """Where readings are asked for; `history.History` is one."""

    def scan(self, attrs: Sequence[int] | None = None, start: int = ..., end: int = ...) -> Iterator[Batch]:
        """Every reading in [start, end) of these attributes."""


def collect(
    conn: Connection, indicator: type[Indicator], start: int, end: int, now: int, readings: Readings | None
) -> Iterator[Fact]:
    """The facts of [start, end), as far as they are known at `now`, µs; read from the connection as they are taken."""
    measure = indicator.name_of_measure()
    if indicator.subject() == "flow":
        return of_flow(conn, indicator, measure, start, min(end, now + 1), now)
    if indicator.subject() == "rule":
        return of_rule(conn, indicator.of.key(), measure, start, end)
    if indicator.subject() == "entity":
        return of_entity(conn, indicator.of.__name__, measure, start, min(end, now + 1), readings)
    return of_field(conn, indicator.of, measure, start, min(end, now + 1), readings)


def of_flow(
    conn: Connection, indicator: type[Indicator], measure: str, start: int, end: int, now: int
) -> Iterator[Fact]:
    """Passes through a step, or cases as a whole, by the moment that decided each."""
    moment = {"count": case_runs.c.started, "mean": case_runs.c.done, "max": case_runs.c.done}.get(
        measure, case_runs.c.settled
    )
    query = (
        select(case_runs, cases.c.number)
        .join(cases, cases.c.id == case_runs.c.case)
        .where(case_runs.c.flow == indicator.of.key(), case_runs.c.step == indicator.step)
        .where(moment >= start, moment < end)
        .order_by(moment, case_runs.c.case, case_runs.c.n)
    )
    for row in conn.execute(query).mappings():
        times = {name: row[name] for name in ("started", "due", "done", "settled")}
        about = {"area": row["area"] or "", "department": row["department"], "left_out": row["left_out"]}
        fact = run_fact(measure, now, id=row["case"], label=row["number"], **times, **about)
        if fact is not None:
            yield fact


def of_rule(conn: Connection, rule: str, measure: str, start: int, end: int) -> Iterator[Fact]:
    """Alerts by the moment they were raised; those withdrawn are left out."""
    owner = select(things.c.owner).where(things.c.idx == alerts.c.thing).scalar_subquery()
    query = select(alerts, owner.label("owner")).where(alerts.c.rule == rule)
    query = query.where(alerts.c.raised >= start, alerts.c.raised < end).order_by(alerts.c.raised, alerts.c.number)
    for row in conn.execute(query).mappings():
        if measure != "count" and row["cleared"] is None:
            continue
        part = 1.0 if measure == "count" else (row["cleared"] - row["raised"]) / MINUTE
        yield Fact(
            id=row["key"],
            label=str(row["number"]),
            at=row["raised"],
            part=part,
            area=row["area"] or "",
            department=row["owner"] or "",
            left_out="" if row["withdrawn_at"] is None else "withdrawn",
        )


def of_entity(
    conn: Connection, type_: str, measure: str, start: int, end: int, readings: Readings | None
) -> Iterator[Fact]:
    """Things in use, as the register has them now."""
    attrs = list(conn.execute(select(attributes.c.idx).where(attributes.c.type == type_)).scalars())
    seen: set[int] = set()
    if measure == "coverage":
        seen = set(by_thing(readings, attrs, start, end))
    for row in in_use(conn, type_):
        part = 1.0 if measure == "count" or row["idx"] in seen else 0.0
        yield of_thing(row, start, part)


def of_field(
    conn: Connection, field: Any, measure: str, start: int, end: int, readings: Readings | None
) -> Iterator[Fact]:
    """Good readings, one fact for each thing."""
    type_ = field.owner.__name__
    where = and_(attributes.c.type == type_, attributes.c.name == field.name)
    attrs = list(conn.execute(select(attributes.c.idx).where(where)).scalars())
    sums = by_thing(readings, attrs, start, end)
    for row in in_use(conn, type_):
        count, total, low, high = sums.get(row["idx"], (0, 0.0, 0.0, 0.0))
        if measure == "coverage":
            yield of_thing(row, start, float(count > 0))
        elif count:
            part = {"mean": total, "max": high, "min": low}[measure]
            yield of_thing(row, start, part, float(count))


def in_use(conn: Connection, type_: str) -> Iterator[RowMapping]:
    query = select(things.c.idx, things.c.id, things.c.name, things.c.owner, things.c.areas)
    query = query.where(things.c.type == type_, things.c.state.not_in(NOT_IN_USE))
    return iter(conn.execute(query.order_by(things.c.idx), execution_options={"yield_per": AT_A_TIME}).mappings())


def of_thing(row: RowMapping, at: int, part: float, whole: float = 1.0) -> Fact:
    """A thing counts for the smallest of its areas, which is the last one."""
    area = str(row["areas"][-1]) if row["areas"] else ""
    return Fact(row["id"], row["name"] or row["id"], at, part, whole, area, row["owner"])


def by_thing(
    readings: Readings | None, attrs: list[int], start: int, end: int
) -> dict[int, tuple[int, float, float, float]]:
    """For each thing how many good readings, their sum, the lowest and the highest."""
    count, total = np.zeros(0, np.int64), np.zeros(0)
    low, high = np.zeros(0), np.zeros(0)
    for batch in readings.scan(attrs, start, end) if readings is not None and attrs else ():
        good = ((batch.quality & int(BAD)) == 0) & ~np.isnan(batch.value)
        thing, value = batch.thing[good], batch.value[good]
        more = int(thing.max(initial=-1)) + 1 - len(count)
        if more > 0:
            count, total = np.append(count, np.zeros(more, np.int64)), np.append(total, np.zeros(more))
            low, high = np.append(low, np.full(more, np.inf)), np.append(high, np.full(more, -np.inf))
        count += np.bincount(thing, minlength=len(count))
        total += np.bincount(thing, value, minlength=len(count))
        np.minimum.at(low, thing, value)
        np.maximum.at(high, thing, value)
    seen = np.flatnonzero(count)
    columns = (column[seen].tolist() for column in (count, total, low, high))
    return dict(zip(seen.tolist(), zip(*columns, strict=True), strict=True))
