"""The log of what was worked out: one row a run, with its outcome and what it said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import job_runs

KEPT = 200
"""Runs of each job that are kept whatever their age."""
LONGEST = 10_000
"""Characters of what is kept beside the sentence."""


class Said(msgspec.Struct, frozen=True):
    """What a run says of itself: a sentence with blanks, which every reader has in their language, and what only who
    looks after the machine will read."""

    text: str = ""
    values: Mapping[str, Any] = {}
    more: str = ""

    def __str__(self) -> str:
        return self.text.format(**self.values) + self.more


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run; `outcome` is "" while it goes on, then "done", "failed" or "cut off" by the end of the hub."""

    id: int
    job: str
    started: int
    finished: int | None
    outcome: str
    said: Said


class JobLog:
    """All runs of the house's jobs."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def begin(self, job: str, now: int) -> int:
        """The number of a run that begins."""
        with self.store.write() as conn:
            row = insert(job_runs).values(job=job, started=now).returning(job_runs.c.id)
            return int(conn.execute(row).scalar_one())

    def end(self, run: int, now: int, outcome: str, said: Said) -> None:
        with self.store.write() as conn:
            done = update(job_runs).where(job_runs.c.id == run)
            conn.execute(done.values(finished=now, outcome=outcome, log=written(said)))

    def write(self, job: str, started: int, now: int, outcome: str, said: Said) -> None:
        """A run that is over already."""
        row = {"job": job, "started": started, "finished": now, "outcome": outcome, "log": written(said)}
        with self.store.write() as conn:
            conn.execute(insert(job_runs).values(**row))

    def last_started(self) -> dict[str, int]:
        """By job: when it was started for the last time, µs."""
        query = select(job_runs.c.job, func.max(job_runs.c.started)).group_by(job_runs.c.job)
        with self.store.read() as conn:
            return {job: at for job, at in conn.execute(query)}

    def recent(self, job: str | None = None, limit: int = 50) -> list[JobRun]:
        """The newest first."""
        query = select(job_runs).order_by(job_runs.c.id.desc()).limit(limit)
        if job is not None:
            query = query.where(job_runs.c.job == job)
        with self.store.read() as conn:
            return [run(**row) for row in conn.execute(query).mappings()]

    def cut_off(self, now: int) -> int:
        """Closes the runs that the end of the last hub interrupted; how many there were."""
        with self.store.write() as conn:
            over = update(job_runs).where(job_runs.c.finished.is_(None))
            return conn.execute(over.values(finished=now, outcome="cut off")).rowcount

    def trim(self, before: int) -> int:
        """Drops runs that are older than `before` and not among the last KEPT of their job; how many."""
        place = func.row_number().over(partition_by=job_runs.c.job, order_by=job_runs.c.id.desc())
        ranked = select(job_runs.c.id, place.label("place")).subquery()
        old = select(ranked.c.id).where(ranked.c.place > KEPT)
        with self.store.write() as conn:
            return conn.execute(delete(job_runs).where(job_runs.c.started < before, job_runs.c.id.in_(old))).rowcount


def written(said: Said) -> str:
    """As the log keeps it."""
    return msgspec.json.encode(msgspec.structs.replace(said, more=said.more[:LONGEST])).decode()


def run(log: str, **row: Any) -> JobRun:
    """A row of the log; those of before it kept sentences are told as they are."""
    return JobRun(**row, said=msgspec.json.decode(log, type=Said) if log.startswith("{") else Said(more=log))
