"""A flow to test cases with: people, a calendar, and a way to act without ceremony."""

from collections.abc import Callable
from typing import Any

from cheng.kernel.cases import HOUSE, Act, Case, Flow, Option, Person, Step, act, add, fold, next_acts
from cheng.kernel.entities import Entity, Quantity, Text
from cheng.kernel.rules import Rule
from cheng.standards.calendars import Calendar
from cheng.standards.durations import days, hours, minutes, working_days

START = 1_795_132_800_000_000
"""2026-11-20 08:00 in Shanghai, a Friday."""
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CALENDAR = Calendar()


class Cover(Entity):
    """One cover in the street."""

    ward = Text("the ward whose crew looks after it")
    tilt = Quantity("deg", "angle from flat", low=0, high=180)


class displaced(Rule):
    """Cover {id} in {ward} is tipped by {tilt} degrees."""

    when = Cover.tilt > 15
    basis = "Duty rules for inspection covers, art. 7"


class make_safe(Flow):
    """Send the crew, fence or put back, and have someone else look."""

    starts = displaced
    within = days(2)
    reopen = days(30)
    steps = (
        Step("dispatch", to="{ward} drainage crew", within=minutes(10)),
        Step("handle", proof="photo", within=hours(1)),
        Step("check", by="another person", until=Cover.tilt < 5, within=days(1)),
    )


class together(Flow):
    """Two departments are asked at once, and one of them acts within two working days."""

    steps = (Step("handle", to=("Roads", "Drainage"), within=working_days(2)), Step("write up"))


def officer(name: str, department: str = "East drainage crew", *roles: str) -> Person:
    return Person(name, department, frozenset({"officer", *roles}))


LI, WU, HE = officer("li"), officer("wu"), officer("he")
STRANGER = officer("stranger", "Parks")
DISPATCHER = Person("dora", "Command centre", frozenset({"dispatcher"}))
LEADER = Person("lena", "City hall", frozenset({"leader"}))
FIRST, SECOND = (Person(name, "Review office", frozenset({"reviewer"})) for name in ("rui", "rong"))
CITIZEN = Person("citizen", "", frozenset({"citizen"}))
PHOTO = {"proof": [{"kind": "photo", "blob": "ab12"}]}
VALUES = {"id": "c1", "ward": "East", "tilt": 31.0, "owner": "Drainage Bureau"}


class Desk:
    """One case, its acts, and a clock that moves a minute with each act."""

    def __init__(self, flow: type[Flow] = make_safe, opener: Person = HOUSE, **data: Any) -> None:
        self.flow, self.now, self.case = flow, START - MINUTE, Case(id="case-1", flow=flow.key())
        self.acts: list[Act] = []
        self.do("open", opener, values=VALUES, **({"alert": "displaced|c1|1"} | data if opener == HOUSE else data))

    def do(
        self, verb: str, actor: Person, *, holds: bool | None = None, target: Person | None = None, **data: Any
    ) -> Case:
        self.now += MINUTE
        if target is not None:
            data["person"] = target.name
        done = act(self.flow, self.case, verb, actor, self.now, data, CALENDAR, holds=holds, target=target)
        self.acts.append(done)
        self.case = add(self.case, done, CALENDAR)
        assert self.case == fold(self.flow, self.acts, CALENDAR, "case-1")
        return self.case

    def options(self, actor: Person, holds: bool | None = None) -> list[Option]:
        return next_acts(self.flow, self.case, actor, self.now, CALENDAR, holds)

    def verbs(self, actor: Person, holds: bool | None = None) -> set[str]:
        return {option.verb for option in self.options(actor, holds)}


def at_check() -> Desk:
    """Li has dispatched and handled; the check is next."""
    desk = Desk()
    desk.do("complete", LI)
    desk.do("complete", LI, **PHOTO)
    return desk


def closed(late: bool = False) -> Desk:
    """Closed by Wu; with `late`, Li took two hours for the handling."""
    desk = Desk()
    desk.do("complete", LI)
    desk.now += 2 * HOUR if late else 0
    desk.do("complete", LI, **PHOTO)
    desk.do("complete", WU, holds=True)
    return desk


Build = Callable[[], Desk]
