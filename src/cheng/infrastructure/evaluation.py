"""The book of evaluation: how well each area, department, post and person did, and every case behind a number.

It counts columns that it keeps beside the store, month by month. Before each answer they are brought up to date: months
in which a case was added or acted upon are found by the number of their cases and acts, and only those cases are read
again.
"""

import threading
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, func, select

from cheng.infrastructure import evaluation_reading as reading
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.evaluation_columns import NONE, Lot
from cheng.infrastructure.evaluation_counting import Counted, Span
from cheng.infrastructure.evaluation_period import Period
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import cases
from cheng.kernel.flows import Flow
from cheng.standards.calendars import EPOCH, MICROSECOND, Calendar

MANY = 0.25
"""Share of a month's cases from which on the whole month is read again, and written down."""
HANDLE = "handle"


class EvaluationBook:
    """Evaluates flows that have a step "handle". Synchronous, safe to use from many threads."""

    def __init__(
        self, store: Store, flows: dict[str, type[Flow]], calendar: Calendar, clock: Clock, folder: Path
    ) -> None:
        self.flows = {key: flow for key, flow in flows.items() if HANDLE in flow.step_names()}
        self.store, self.calendar, self.clock, self.folder = store, calendar, clock, folder
        self._lots: dict[tuple[str, str], Lot] = {}
        self._lock = threading.Lock()

    def period(self, flow: str, start: int, end: int) -> Period:
        """[start, end), µs, as the store is now: ask it whatever one page tells, and all of it agrees."""
        span = Span(start, end, self.clock.now())
        lots = [Counted(lot, span) for lot in self.lots(flow, end) if lot.last >= start]
        return Period(lots, ZoneInfo(self.calendar.timezone))

    # -- the columns

    def lots(self, flow: str, end: int) -> list[Lot]:
        """The columns of every month in which cases were opened before `end`, as the store is now."""
        with self._lock, self.store.read() as conn:
            first, last = conn.execute(
                select(func.min(cases.c.opened), func.max(cases.c.opened)).where(cases.c.flow == flow)
            ).one()
            if first is None:
                return []
            return [self._lot(conn, flow, month) for month in self._months(int(first), min(int(last), end))]

    def keep(self) -> int:
        """Brings the columns of all flows up to date and writes down what changed; how many cases they are of."""
        total = sum(lot.size for flow in self.flows for lot in self.lots(flow, int(NONE)))
        with self._lock:
            for key, lot in self._lots.items():
                saved = Lot.load(self._path(*key))
                if saved is None or saved.mark != lot.mark:
                    lot.save(self._path(*key))
        return total

    def _lot(self, conn: Connection, flow: str, month: date) -> Lot:
        key = (flow, f"{month:%Y-%m}")
        start, end = self.start_of(month), self.start_of(following(month))
        if key not in self._lots:
            self._lots[key] = Lot.load(self._path(*key)) or Lot()
        lot, mark = self._lots[key], reading.mark(conn, flow, start, end)
        if lot.mark != mark:
            lot = self._lots[key] = self._brought_up(conn, lot, flow, start, end, key)
        return lot

    def _brought_up(self, conn: Connection, lot: Lot, flow: str, start: int, end: int, key: tuple[str, str]) -> Lot:
        """The month with its new and changed cases."""
        ids, version = reading.versions(conn, flow, start, end)
        known = dict(zip(lot.cases["id"].tolist(), lot.cases["version"].tolist(), strict=True))
        changed = [id_ for id_, n in zip(ids.tolist(), version.tolist(), strict=True) if known.get(id_) != n]
        gone = set(known).difference(ids.tolist())
        if len(changed) > MANY * len(ids):
            lot = reading.read_month(conn, flow, start, end)
            lot.save(self._path(*key))
            return lot
        rest = lot.without(np.array([*changed, *gone], "S36"))
        return rest.joined(reading.read_cases(conn, [id_.decode() for id_ in changed]))

    def _path(self, flow: str, month: str) -> Path:
        return self.folder / flow / month

    def _months(self, first: int, last: int) -> Iterator[date]:
        month = self.calendar.day(first).replace(day=1)
        while self.start_of(month) <= last:
            yield month
            month = following(month)

    def start_of(self, day: date) -> int:
        """When a day of the city begins, µs."""
        return (datetime.combine(day, time(), ZoneInfo(self.calendar.timezone)) - EPOCH) // MICROSECOND


def following(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(4)).replace(day=1)
