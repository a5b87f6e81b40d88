"""Crews that work off cases as people do: mostly in time, sometimes late, some left for whoever looks in."""

import heapq
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cheng.demo.people import CENTRE, SHOWN, Staff, photo
from cheng.hub import Hub
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.case_lists import Filters
from cheng.kernel.flows import BY_CONDITION, Flow, Step
from cheng.standards.durations import Duration, hours, minutes
from cheng.standards.problems import Refused

LATE = 0.09
"""Share of steps that come after their limit."""
LEFT = 0.45
"""Share of cases, of departments that somebody may have signed in for, that are left alone once the hub is open."""
AGAIN = minutes(9).us
"""When a step could not be finished yet, they come back after this."""
PATIENCE = 12
NOTHING, REWORK, UNREACHED = 0.03, 0.05, 0.1
"""Shares: of reports with nothing behind them, of work that is sent back, of callers whom nobody reaches."""
MANY = 9
"""Passes after which nobody sends anything back any more."""
CALL_BACK = "call back"
USUAL = "E0104"
"""What a report without a class is mostly about."""
PAGE = 500


@dataclass(order=True)
class Plan:
    """Somebody means to finish a step of a case."""

    at: int
    case: str = field(compare=False)
    step: str = field(compare=False)
    tries: int = field(default=0, compare=False)


class Crews:
    """All simulated crews. `mended(thing, at)` is told when they have put something right."""

    def __init__(self, hub: Hub, seed: int, mended: Callable[[str, int], None]) -> None:
        self.hub, self.seed, self.mended = hub, seed, mended
        self.staff = Staff(hub)
        self.shown = {department for _, _, _, department in SHOWN if department}
        self._plans: list[Plan] = []
        self._known: set[str] = set()
        self._photos = [hub.blobs.keep(photo(n), f"photo-{n}.png", photo=True) for n in range(6)]
        self._recorded = False

    def unsolved(self) -> set[str]:
        """The things that open cases are about."""
        return {case.entry.thing_id for case in self._fresh()}

    def look(self, *, open_house: bool) -> None:
        """Makes plans for cases that are new. `open_house`: people may want to handle some themselves."""
        for case in self._fresh():
            self._known.add(case.entry.id)
            if open_house and self._is_left(case):
                continue
            self._plan(case)

    def heard(self, case: Filed) -> None:
        """A case has just been opened by somebody's report."""
        self._known.add(case.entry.id)
        self._plan(case)

    def next_at(self) -> int | None:
        """When the next step is due to be finished by somebody."""
        return self._plans[0].at if self._plans else None

    def act(self, now: int) -> None:
        """Finishes what is planned up to `now`."""
        while self._plans and self._plans[0].at <= now:
            self._finish(heapq.heappop(self._plans), now)

    def _is_left(self, case: Filed) -> bool:
        """Whether people may want to handle it themselves; at a post they are but some of many."""
        flow = self.hub.cases.flows.get(case.entry.flow)
        if flow is None or flow.find(case.case.step).posts:
            return False
        return bool(self.shown & set(case.case.departments)) and self._luck(case.entry.id, "left") < LEFT

    def _fresh(self) -> Iterator[Filed]:
        """Open cases that are new, the newest first: page by page, until one holds nothing new."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.hub.cases.list(Filters(states=("open",)), order="newest", limit=PAGE, cursor=cursor or None)
            fresh = [entry.id for entry in page.entries if entry.id not in self._known]
            yield from map(self.hub.cases.get, fresh)
            cursor = page.cursor if fresh else None

    def _plan(self, case: Filed, again: int = 0) -> None:
        run = case.case.run
        if run is None or not run.departments:
            return
        wanted = self._share(case.entry.id, run.step) * self._length(run.limit)
        heapq.heappush(self._plans, Plan(run.started + round(wanted) + again, case.entry.id, run.step))

    def _share(self, case: str, step: str) -> float:
        """Which share of the limit a step takes."""
        if self._luck(case, step, "late") < LATE:
            return 1.1 + self._luck(case, step, "how late")
        return 0.15 + 0.7 * self._luck(case, step)

    @staticmethod
    def _length(limit: Duration | None) -> float:
        """µs that they take a limit for: nobody sits out two working days."""
        if limit is None:
            return hours(1).us
        hour = {"working hour": hours(1).us, "working day": hours(9).us}.get(limit.unit)
        return limit.amount * hour if hour else min(limit.us, hours(20).us)

    def _luck(self, *words: str) -> float:
        """0 to 1, the same for the same words."""
        return zlib.crc32("/".join((str(self.seed), *words)).encode()) / 2**32

    def _finish(self, plan: Plan, now: int) -> None:
        case = self.hub.cases.get(plan.case)
        if plan.step == CALL_BACK and case.case.state == "closed":
            self._call_back(case)
            return
        if case.case.run is None or case.case.step != plan.step or case.entry.assignee:
            return
        flow = self.hub.cases.flows[case.entry.flow]
        step = flow.find(plan.step)
        if step.away:  # another city has it
            return
        who = self.staff.officer(self._department(case), 1 if step.by else 0, next(iter(step.posts), ""))
        verb, given = self._otherwise(case, flow, step) or ("complete", self._given(case, step, plan))
        try:
            done = self.hub.cases.act(plan.case, verb, who, given)
        except Refused:
            if plan.tries < PATIENCE:
                heapq.heappush(self._plans, Plan(now + AGAIN, plan.case, plan.step, plan.tries + 1))
            return
        if mends(flow, step):
            self.mended(case.entry.thing_id, now)
        if done.case.state == "closed" and done.entry.source == "hotline":
            heapq.heappush(self._plans, Plan(now + hours(3).us, plan.case, CALL_BACK))
        self._plan(done)

    def _otherwise(self, case: Filed, flow: type[Flow], step: Step) -> tuple[str, dict[str, object]] | None:
        """What is done instead of going on, now and then: there was nothing, or it was not well done."""
        luck, first = self._luck(case.entry.id, step.name, "otherwise"), len(case.case.runs) < MANY
        if step.voids and case.case.reporter and luck < NOTHING:
            return "void", {"reason": "现场核实，未发现所反映的问题。"}
        worked = next((run.step for run in case.case.runs if flow.find(run.step).within == BY_CONDITION), "")
        if step.by and step.proofs and worked and luck < REWORK and first:
            return "return", {"step": worked, "reason": "现场仍有残留，请重新处置。"}
        return None

    def _call_back(self, case: Filed) -> None:
        """Whoever called is asked how it went."""
        luck = self._luck(case.entry.id, "call back")
        answer = {"reached": "no"}
        if luck > UNREACHED:
            happy = "yes" if luck > 0.35 else "mostly" if luck > 0.2 else "no"
            answer = {"reached": "yes", "solved": "no" if happy == "no" else "yes", "satisfied": happy}
        caller = self.staff.officer(CENTRE, 0, "agent")
        self.hub.cases.act(case.entry.id, "rate", caller, {"answer": answer})

    def _department(self, case: Filed) -> str:
        names = case.case.departments
        return names[int(self._luck(case.entry.id, "who") * len(names))]

    def _given(self, case: Filed, step: Step, plan: Plan) -> dict[str, object]:
        """What finishing the step carries: evidence, the condition it is filed by, who is in charge."""
        blob = self._photos[int(self._luck(plan.case, plan.step) * len(self._photos))]
        if not self._recorded:
            with self.hub.store.write() as conn:
                for one in self._photos:
                    self.hub.blobs.record(conn, one, "cheng", self.hub.clock.now())
            self._recorded = True
        given: dict[str, object] = {}
        if step.proofs:
            given["proof"] = [{"kind": kind, "blob": blob.sha256} for kind in step.proofs]
        if "condition" in step.asks:
            given |= self._filed_by(case)
        if "departments" in step.asks:
            given["departments"] = self._in_charge(case)
        return given

    def _filed_by(self, case: Filed) -> dict[str, object]:
        """A class, if the report had none, and one of its conditions."""
        classes = self.hub.classes
        code = str(case.case.values.get("class") or USUAL)
        one = classes.get(case.entry.flow, code)
        if one is None or not one.conditions:
            return {}
        chosen = one.conditions[int(self._luck(case.entry.id, "condition") * len(one.conditions))]
        simple = next((each for each in one.conditions if each.simple), chosen)
        return {"class": code, "condition": (simple if case.case.values.get("simple") == "yes" else chosen).id}

    def _in_charge(self, case: Filed) -> list[str]:
        code = str(case.case.values.get("class") or "")
        names = self.hub.classes.responsible(case.entry.flow, code, case.case.values)
        return list(names[:1]) or [f"{case.case.values.get('district', '')} urban management squad".strip()]


def mends(flow: type[Flow], step: Step) -> bool:
    """Whether things are in order once the step is done: the last one before somebody else looks."""
    at = flow.position(step.name)
    return at == len(flow.steps) - 1 if len(flow.steps) == 1 else at == len(flow.steps) - 2
