"""The book of indicators: works them out from the store, keeps one value a day, and opens each down to its rows."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from operator import attrgetter
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.indicator_facts import Readings, collect
from cheng.infrastructure.store import Store, serialise
from cheng.infrastructure.tables import indicator_values
from cheng.kernel.indicators import Fact, Indicator, Value, compute, condensed, grouped
from cheng.standards.calendars import EPOCH, MICROSECOND, Calendar

Dimension = Literal["area", "department"]
DAYS_BACK = 35
"""Days whose values are worked out again each time: an appeal, a reopening or a merge changes what was counted."""
SETTLED = 2
"""Days after which readings and alerts are as they stay."""


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one day."""

    day: date
    value: Value


class IndicatorBook:
    """All indicators of the house. Synchronous, safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        indicators: Iterable[type[Indicator]],
        calendar: Calendar,
        clock: Clock,
        readings: Readings | None = None,
    ) -> None:
        self.store = store
        self.indicators = {indicator.key(): indicator for indicator in indicators}
        self.calendar = calendar
        self.clock = clock
        self.readings = readings

    # -- now

    def value(self, indicator: type[Indicator], start: int, end: int) -> Value:
        """The number of a period [start, end), µs."""
        return compute(indicator.how().kind, self.lineage(indicator, start, end))

    def by(self, indicator: type[Indicator], dimension: Dimension, start: int, end: int) -> dict[str, Value]:
        """The number of a period for each area or department; "" are those without one."""
        facts = self.lineage(indicator, start, end)
        return grouped(indicator.how().kind, facts, attrgetter(dimension))

    def lineage(self, indicator: type[Indicator], start: int, end: int) -> list[Fact]:
        """Every row that the number of a period comes from, those left out included, each with the reason."""
        with self.store.read() as conn:
            return list(collect(conn, indicator, start, end, self.clock.now(), self.readings))

    # -- day by day

    def keep_days(self, indicator: type[Indicator], days_back: int = DAYS_BACK) -> int:
        """Work out today and the days before it and keep the values; how many days. Run it as often as you like.

        Readings and alerts do not change for long, so of them the last two days are enough once there are values;
        things are counted today only, because yesterday's register is not known any more.
        """
        today = self.calendar.day(self.clock.now())
        if indicator.subject() == "entity":
            days_back = 0
        elif indicator.subject() != "flow" and self._has_values(indicator):
            days_back = min(days_back, SETTLED)
        days = [today - timedelta(back) for back in range(days_back, -1, -1)]
        rows = [
            {"indicator": indicator.key(), "at": self.start_of(day), "scope": scope, **asdict(value)}
            for day, facts in self._facts_by_day(indicator, days).items()
            for scope, value in scoped(indicator, facts).items()
            if value.value is not None
        ]
        with self.store.write() as conn:
            serialise(conn, f"indicator/{indicator.key()}")
            table = indicator_values.c
            mine = (table.indicator == indicator.key()) & (table.at >= self.start_of(days[0]))
            conn.execute(delete(indicator_values).where(mine))
            if rows:
                conn.execute(insert(indicator_values), rows)
        return len(days)

    def _has_values(self, indicator: type[Indicator]) -> bool:
        query = select(indicator_values.c.at).where(indicator_values.c.indicator == indicator.key()).limit(1)
        with self.store.read() as conn:
            return conn.execute(query).first() is not None

    def _facts_by_day(self, indicator: type[Indicator], days: list[date]) -> dict[date, list[Fact]]:
        """Cases and alerts are asked for once and laid out by day; readings are added up day by day."""
        if indicator.subject() not in ("flow", "rule"):
            return {day: self._condensed(indicator, day) for day in days}
        laid_out: dict[date, list[Fact]] = {day: [] for day in days}
        for fact in self.lineage(indicator, self.start_of(days[0]), self.start_of(days[-1] + timedelta(1))):
            laid_out[self.calendar.day(fact.at)].append(fact)
        return laid_out

    def _condensed(self, indicator: type[Indicator], day: date) -> list[Fact]:
        start, end = self.start_of(day), self.start_of(day + timedelta(1))
        with self.store.read() as conn:
            facts = collect(conn, indicator, start, end, self.clock.now(), self.readings)
            return condensed(indicator.how().kind, facts)

    def keep_all(self, days_back: int = DAYS_BACK) -> int:
        """The daily job: every indicator; how many there are."""
        for indicator in self.indicators.values():
            self.keep_days(indicator, days_back)
        return len(self.indicators)

    def trend(self, indicator: type[Indicator], first: date, last: date, scope: str = "") -> list[Point]:
        """The kept values from the first to the last day, days without a value left out.

        `scope`: "" for the whole city, "area:ID" or "department:NAME".
        """
        table = indicator_values.c
        query = select(indicator_values).where(table.indicator == indicator.key(), table.scope == scope)
        query = query.where(table.at >= self.start_of(first), table.at < self.start_of(last + timedelta(1)))
        with self.store.read() as conn:
            rows = conn.execute(query.order_by(table.at)).all()
        return [Point(self.calendar.day(row.at), Value(row.numerator, row.denominator, row.value)) for row in rows]

    def over(self, scopes: Sequence[str], first: date, last: date) -> dict[str, list[Point]]:
        """Key of an indicator → its kept values day by day, those of several scopes taken together."""
        table = indicator_values.c
        of, under = table.numerator, func.sum(table.denominator)
        columns = (table.indicator, table.at, func.sum(of), func.max(of), func.min(of), under)
        query = select(*columns).where(table.scope.in_(scopes), table.at >= self.start_of(first))
        query = query.where(table.at < self.start_of(last + timedelta(1))).group_by(table.indicator, table.at)
        found: dict[str, list[Point]] = {}
        with self.store.read() as conn:
            for key, at, total, most, least, whole in conn.execute(query.order_by(table.at)):
                if (indicator := self.indicators.get(key)) is not None:
                    part = {"max": most, "min": least}.get(indicator.how().kind, total)
                    value = part if whole is None else part / whole if whole else None
                    found.setdefault(key, []).append(Point(self.calendar.day(at), Value(part, whole, value)))
        return found

    def start_of(self, day: date) -> int:
        """When a day of the city begins, µs."""
        return (datetime.combine(day, time(), ZoneInfo(self.calendar.timezone)) - EPOCH) // MICROSECOND


def scoped(indicator: type[Indicator], facts: Sequence[Fact]) -> dict[str, Value]:
    """The number of the whole city, and of each area and department that had a part in it."""
    kind = indicator.how().kind
    values = {"": compute(kind, facts)}
    for dimension in ("area", "department"):
        groups = grouped(kind, facts, attrgetter(dimension))
        values |= {f"{dimension}:{name}": value for name, value in groups.items() if name}
    return values
