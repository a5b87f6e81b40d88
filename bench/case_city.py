"""The demo city without its devices: areas, offices and classes, people who report, and crews who work cases off."""

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from cheng.demo.city.urban_management import FLOW, Streets
from cheng.demo.clock import DemoClock
from cheng.demo.crews import AGAIN, Crews, Plan
from cheng.demo.people import COMMAND, departments
from cheng.demo.town import Town
from cheng.hub import Hub, open_hub
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.report_book import NewReport
from cheng.infrastructure.settings import Settings
from cheng.kernel.flows import Step
from cheng.kernel.standing import Person
from cheng.standards.problems import Refused

__all__ = ["COMMAND", "FLOW", "CaseCity", "case_city"]

SEED = 7
START = 1_772_294_400_000_000
"""1 March 2026, midnight in the city, µs."""


class Officers:
    """Officers of every department at every post, as the demo has them, without accounts."""

    def officer(self, department: str, which: int, post: str = "") -> Person:
        roles = frozenset({"officer", post} - {""})
        return Person(f"{department}/{post}/{which}", department, roles, f"{department} {which + 1}")


class Quick(Crews):
    """The demo's crews, who remember the cases they have seen, and finish steps inside a transaction of others."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub, SEED, lambda thing, at: None)
        self.officers = Officers()
        self.cases: dict[str, Filed] = {}
        self.done = 0
        with hub.store.write() as conn:
            for one in self._photos:
                hub.blobs.record(conn, one, "cheng", hub.clock.now())
        self._recorded = True

    def heard(self, case: Filed) -> None:
        self.cases[case.entry.id] = case
        super().heard(case)

    def carried(self, case: Filed, step: Step) -> dict[str, object]:
        """What finishing the step carries."""
        return self._given(case, step, Plan(0, case.entry.id, step.name))

    def officer(self, case: Filed, step: Step) -> Person:
        """Who finishes the step."""
        return self.officers.officer(self._department(case), 1 if step.by else 0, next(iter(step.posts), ""))

    def finish_in(self, conn: Connection, now: int) -> None:
        """The next step that is due to be finished."""
        plan = heapq.heappop(self._plans)
        case = self.cases[plan.case]
        step = self.hub.cases.flows[case.entry.flow].find(plan.step)
        who, given = self.officer(case, step), self.carried(case, step)
        try:
            done = self.hub.cases.act_in(conn, plan.case, "complete", who, given)
        except Refused:
            heapq.heappush(self._plans, Plan(now + AGAIN, plan.case, plan.step, plan.tries + 1))
            return
        self.done += 1
        if done.case.run is None:
            del self.cases[plan.case]
        else:
            self.cases[plan.case] = done
            self._plan(done)


class CaseCity:
    """A hub with the city's areas, and everybody who has to do with cases of urban management."""

    def __init__(self, hub: Hub, clock: DemoClock, a_day: int) -> None:
        self.hub, self.clock, self.start = hub, clock, clock.now()
        self.town = Town(SEED)
        outcome = hub.things.put([*self.town.things(), *departments(hub, self.town)], "bench")
        if outcome.refused:
            raise SystemExit(str(outcome.refused[0]))
        self.streets = Streets(self.town, a_day, hub.classes)
        self.crews = Quick(hub)
        self.reported = 0

    def told(self, count: int) -> Iterator[tuple[int, NewReport]]:
        """What is reported from the start on: `count` reports with their moments."""
        end, hour = self.start, 3_600_000_000
        while count > 0:
            found = self.streets.told(end, end + hour)[:count]
            end, count = end + hour, count - len(found)
            yield from found

    def live_through(self, told: Iterator[tuple[int, NewReport]], share: int, until: int | None = None) -> None:
        """Reports come in and crews finish steps, each at its moment, until all is done; `share` acts a commit."""
        waiting = next(told, None)
        while True:
            with self.hub.store.write() as conn:
                for _ in range(share):
                    at = self.crews.next_at()
                    moment = min((each for each in (at, waiting and waiting[0]) if each is not None), default=None)
                    if moment is None or (until is not None and moment > until):
                        return
                    now = self.clock.set(moment)
                    if waiting is not None and waiting[0] == moment:
                        self.crews.heard(self.hub.reports.file_in(conn, waiting[1]).filed)
                        self.reported += 1
                        waiting = next(told, None)
                    else:
                        self.crews.finish_in(conn, now)


@contextmanager
def case_city(folder: Path, a_day: int, start: int = START, store: str = "") -> Iterator[CaseCity]:
    """A new one, its clock at `start`."""
    clock = DemoClock(start)
    hub = open_hub(Settings.load(folder, {"CHENG_STORE": store} if store else {}), clock)
    try:
        yield CaseCity(hub, clock, a_day)
    finally:
        hub.close()
