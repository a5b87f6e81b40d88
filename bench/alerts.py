"""What an alert costs from the judging to the disk: CPU of the thread that writes them, on SQLite with fsync."""

import resource
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import func, select

from bench.measuring import Durability, Figure, folder, report
from cheng.hub import Hub, open_hub
from cheng.infrastructure.alert_changes import Found
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.tables import alerts, cases
from cheng.kernel.entities import Entity, Quantity, Text
from cheng.kernel.flows import Flow, Step
from cheng.kernel.model import Model
from cheng.kernel.rules import Change, Rule
from cheng.kernel.specs import App
from cheng.kernel.standing import Person
from cheng.standards.durations import hours, minutes

CLAIM = "An alert costs ≤ 12 CPU µs from the judging to the disk, ≤ 20 when it ends later, ≤ 150 with its case"
NAME = "cheng.apps.ecology.bench"
THINGS, START, SECOND = 10_000, 1_700_000_000_000_000, 1_000_000
DURABLE: Durability = "fsync before ack"
Lots = Callable[[Hub, type[Rule], int, int], list[list[Found]]]
CREW = Person("li", "North crew", frozenset({"officer"}))


class bench(App):
    """Stations of the bench."""

    title = "Bench"
    owner = "Bench"
    system = "E1"


class Station(Entity):
    """A station."""

    ward = Text("the ward whose crew looks after it")
    pm10 = Quantity("ug/m3", "PM10", low=0, high=1000)


class high(Rule):
    """Station {id} in {ward} stands at {pm10}."""

    when = Station.pm10 > 80
    basis = "bench"


class worst(Rule):
    """Station {id} in {ward} stands at {pm10}, which somebody has to see to."""

    when = Station.pm10 > 200
    basis = "bench"


class see_to_it(Flow):
    """Go there, mend it, and look again."""

    starts = worst
    steps = (
        Step("dispatch", to="{ward} crew", within=minutes(10)),
        Step("handle", within=hours(1)),
        Step("check", within=hours(4)),
    )


def opened(data: Path) -> Hub:
    module = types.ModuleType(NAME)
    for spec in (bench, Station, high, worst, see_to_it):
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    hub = open_hub(Settings.load(data, {}), model=Model.of([module]))
    hub.things.put([NewThing(f"station-{n:06d}", "Station", properties={"ward": "North"}) for n in range(THINGS)], "b")
    return hub


def pairs(hub: Hub, rule: type[Rule], count: int) -> Iterator[tuple[Found, Found]]:
    """Raised and cleared, of things all over the city, as time goes on."""
    key, things = rule.key(), hub.things.of_type("Station")
    for n in range(count):
        thing = things[n * 7919 % THINGS]
        onset = START + n * 1000
        raised = Change("raised", key, thing.slot, onset, onset + 60 * SECOND, {"pm10": 88.5})
        yield Found(raised, thing), Found(Change("cleared", key, thing.slot, onset, onset + 90 * SECOND, {}), thing)


def same(hub: Hub, rule: type[Rule], count: int, lot: int) -> list[list[Found]]:
    """Every alert is raised and cleared in one lot of `lot` changes."""
    found = [one for pair in pairs(hub, rule, count) for one in pair]
    return [found[at : at + lot] for at in range(0, len(found), lot)]


def apart(hub: Hub, rule: type[Rule], count: int, lot: int) -> list[list[Found]]:
    """Every alert is cleared ten lots after it was raised."""
    found, half = list(pairs(hub, rule, count)), lot // 2
    raised, cleared = ([pair[end] for pair in found] for end in (0, 1))
    late = 10 * half
    ends = [cleared[max(at - late, 0) : max(at - late + half, 0)] for at in range(0, count + late, half)]
    return [raised[n * half : (n + 1) * half] + over for n, over in enumerate(ends)]


def cpu() -> float:
    """CPU seconds of this thread, those of the system for it included."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


def cost(rule: type[Rule], lots_of: Lots, count: int, lot: int) -> tuple[float, float]:
    """CPU microseconds of an alert, and alerts a second."""
    with folder() as data:
        hub = opened(data)
        try:
            lots = lots_of(hub, rule, count, lot)
            start, used = time.perf_counter(), cpu()
            for found in lots:
                hub.alerts.apply(found, hub.bus.heard)
            used, passed = cpu() - used, time.perf_counter() - start
            with hub.store.read() as conn:
                over = conn.execute(select(func.count()).where(alerts.c.cleared.is_not(None))).scalar_one()
                followed = conn.execute(select(func.count()).select_from(cases)).scalar_one()
            if over != count or followed != (count if rule is worst else 0):
                raise SystemExit(f"{over} alerts and {followed} cases where {count} are due: the cost does not count")
            return used / count * 1e6, count / passed
        finally:
            hub.close()


def alone() -> list[float]:
    """Milliseconds until a single alert is durable."""
    with folder() as data:
        hub = opened(data)
        try:
            waits = []
            for raised, _ in pairs(hub, high, 200):
                start = time.perf_counter()
                hub.alerts.apply([raised])
                waits.append((time.perf_counter() - start) * 1000)
            return waits[20:]
        finally:
            hub.close()


def lifecycles(count: int) -> float:
    """Cases a second: opened for alerts a lot at a time, three steps done by hand, each in a commit of its own."""
    with folder() as data:
        hub = opened(data)
        try:
            lots = same(hub, worst, count, 200)
            start = time.perf_counter()
            for found in lots:
                hub.alerts.apply(found, hub.bus.heard)
            with hub.store.read() as conn:
                ids = list(conn.execute(select(cases.c.id)).scalars())
            for id_ in ids:
                for _ in range(3):
                    hub.cases.act(id_, "complete", CREW)
            return count / (time.perf_counter() - start)
        finally:
            hub.close()


FEW = "each commit costs some 150 µs, however few share it"
CASE = "half of it is a case's 17 indexes and three rows, half the rules of cases, in Python"
STEPS = "a commit with fsync for each of four steps, and some 700 µs of Python and SQLAlchemy in each but the first"


def costs(rule: type[Rule], lots_of: Lots, lot: int, count: int, goal: float, claim: str) -> Figure:
    measured = [cost(rule, lots_of, count, lot) for _ in range(3)]
    used, rate = [each[0] for each in measured], max(each[1] for each in measured)
    note = f"{rate:,.0f} alerts/s on one thread"
    why = CASE if rule is worst else FEW if lot < 1_000 else ""
    goals = f"≤ {goal} µs"
    return Figure(f"{claim}, {lot:,} changes a lot", goals, "CPU µs", used, min(used) <= goal, note, DURABLE, why)


def main(count: int = 30_000) -> None:
    for lot in (100, 300, 3_000):
        report(costs(high, same, lot, count, 12, "an alert raised and cleared in one lot"))
    for lot in (100, 300, 3_000):
        report(costs(high, apart, lot, count, 20, "an alert cleared in a later lot"))
    report(costs(worst, same, 300, count // 10, 150, "an alert that opens a case and is over"))
    waits = alone()
    holds = sorted(waits)[len(waits) // 2] <= 1.5
    report(
        Figure("an alert alone, until it is durable", "≤ 1.5 ms", "ms", waits, holds, "", DURABLE, "the disk's fsync")
    )
    rates = [lifecycles(count // 50) for _ in range(3)]
    name = "cases opened for alerts, three steps done one by one"
    report(Figure(name, "≥ 2,800/s", "cases/s", rates, max(rates) >= 2_800, "", DURABLE, STEPS))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
