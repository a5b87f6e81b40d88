"""Where a case stands: the sum of its acts, its clocks and its lights.

A case is never written. `cases.act` appends what people did; `cases.fold` adds it up to the `Case` here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from cheng.standards.durations import Clock, Duration

State = Literal["new", "open", "suspended", "closed", "void", "merged"]
Light = Literal["green", "yellow", "red"]

YELLOW = 0.25
"""Share of the limit below which the light is yellow."""
EXTENSIONS = 2
"""Extensions that may be allowed in one case; refused ones do not count."""


class Calendar(Protocol):
    """The four clocks; `cheng.standards.calendars.Calendar` is one."""

    def due(self, start_us: int, limit: Duration) -> int:
        """When the limit is over, µs."""

    def shift(self, due_us: int, paused_us: int, resumed_us: int, clock: Clock) -> int:
        """The due date after the clock stood still, µs."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: an account's name, the department it belongs to, and its roles."""

    name: str
    department: str = ""
    roles: frozenset[str] = frozenset()
    title: str = ""
    """how people call them; their name when empty"""

    def has(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)


HOUSE = Person("cheng", roles=frozenset({"house"}), title="Cheng")
"""The house itself: it opens cases for alerts, passes their notices on and ends suspensions."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done, never changed afterwards."""

    verb: str
    actor: str
    at: int
    """µs"""
    step: str = ""
    """the step it was done at"""
    data: Mapping[str, Any] = field(default_factory=dict)
    """what the person gave: reason, proof, target …"""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """what the house adds and nobody can send: the actor's department, who gets the next step with which limit"""
    actor_title: str = ""

    @property
    def by_house(self) -> bool:
        return self.facts.get("house") is True


@dataclass(frozen=True, slots=True)
class Run:
    """One pass through a step. A step that is done again after a return is another run, and both count."""

    step: str
    departments: tuple[str, ...]
    """who was asked to do it; the one that took it stands alone"""
    started: int
    limit: Duration | None = None
    due: int | None = None
    warn: int | None = None
    """when less than a quarter of the limit is left"""
    done: int | None = None
    outcome: str = ""
    """"completed", "returned", "moved", "passed", "refused" or "void"; empty while it goes on"""
    by: str = ""
    """who finished it"""
    excused: bool = False
    """an appeal was granted: late it was, but the statistics leave it out"""
    away: bool = False
    """another city had it: nobody here is late with it"""

    def late(self, now: int) -> bool:
        """Whether it took longer than its limit; nobody is late with what was void, or with another city."""
        moment = now if self.done is None else self.done
        return self.due is not None and moment > self.due and self.outcome != "void" and not self.away

    @property
    def department(self) -> str:
        """Who answers for it: the department that took it, or the first that was asked."""
        return self.departments[0] if self.departments else ""


@dataclass(frozen=True, slots=True)
class Appeal:
    """A department says that it is not to blame for being late; two reviewers decide in turn."""

    department: str
    by: str
    at: int
    reason: str
    reviewers: tuple[str, ...] = ()
    outcome: str = ""
    """"granted" or "dismissed"; empty while it is being decided"""


@dataclass(frozen=True, slots=True)
class Extension:
    """A handler asked for more time, and nobody has answered yet."""

    by: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A department says that the case is not theirs, and no dispatcher has decided yet."""

    by: str
    department: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Passed:
    """Another city has the case."""

    to: str
    """what that city is called"""
    service: str
    """what it was reported as there"""
    by: str
    at: int
    act: int
    """which act of the case that was, from 1"""
    step: str
    """where it goes on if it comes back"""
    number: str = ""
    """the number it has there; empty until they have given one"""
    says: str = ""
    """what was last heard of it, in their words"""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that follows from the acts so far."""

    id: str = ""
    flow: str = ""
    state: State = "new"
    values: Mapping[str, Any] = field(default_factory=dict)
    """what was known of the thing when the case was opened, and what was decided since (class, condition); fills its
    sentence and its departments"""
    standard: Mapping[str, Any] = field(default_factory=dict)
    """what it was filed by: class, condition, limit, closing condition, as they were in force that day"""
    reporter: str = ""
    """the account of the citizen who reported it"""
    opened: int = 0
    closed: int | None = None
    due: int | None = None
    """limit of the whole case, µs; the limit of a step is in its run"""
    limit: Duration | None = None
    runs: tuple[Run, ...] = ()
    assignee: str = ""
    extension: Extension | None = None
    extended: int = 0
    suspended: int | None = None
    """since when its clock stands still"""
    resumes: int | None = None
    """when the clock goes on by itself"""
    paused: bool = False
    """it has been suspended once"""
    appeals: tuple[Appeal, ...] = ()
    merged_into: str = ""
    absorbed: tuple[str, ...] = ()
    """cases that were merged into this one"""
    followers: tuple[str, ...] = ()
    """who else reported it, and those whose cases were merged into it"""
    weight: int = 1
    """how many reports it stands for"""
    parts: tuple[str, ...] = ()
    """cases of departments that share the work and are not done yet"""
    dispute: Dispute | None = None
    disputed: tuple[str, ...] = ()
    """departments that were told to keep it"""
    passed: Passed | None = None
    """the other city, while it has the case or when it has finished it"""
    rating: Mapping[str, Any] = field(default_factory=dict)
    """what whoever reported it said in the end: reached, solved, satisfied"""
    alert: str = ""
    """what is known of the alert that opened it: "standing", "cleared", "withdrawn"; empty without one"""
    alerts: int = 0
    urged: int = 0
    supervised: bool = False
    reopened: int = 0
    touched: bool = False
    """a person has done something about it"""
    last_actor: str = ""
    version: int = 0
    """how many acts it is the sum of"""

    @property
    def reporters(self) -> tuple[str, ...]:
        """Everybody who reported it."""
        return (self.reporter, *self.followers) if self.reporter else self.followers

    @property
    def run(self) -> Run | None:
        """The pass that is under way; None when nothing is to be done any more."""
        return self.runs[-1] if self.runs and self.state in ("open", "suspended", "merged") else None

    @property
    def step(self) -> str:
        return self.run.step if self.run else ""

    @property
    def next_due(self) -> int | None:
        """The next limit: that of the step, or that of the whole case where it comes first."""
        step = self.run.due if self.run else None
        return min((due for due in (step, self.due if self.run else None) if due is not None), default=None)

    @property
    def warn(self) -> int | None:
        """When the light turns yellow."""
        warn = self.run.warn if self.run else None
        return warn if warn is None or self.next_due is None else min(warn, self.next_due)

    @property
    def departments(self) -> tuple[str, ...]:
        """Whose turn it is."""
        return self.run.departments if self.run else ()

    @property
    def involved(self) -> frozenset[str]:
        """Every department that was ever asked."""
        return frozenset(name for run in self.runs for name in run.departments)

    @property
    def appeal(self) -> Appeal | None:
        """The appeal that is still to be decided."""
        return next((appeal for appeal in self.appeals if not appeal.outcome), None)

    def late(self, now: int) -> bool:
        """Whether any run of it, or the case as a whole, is or was late, excused or not."""
        moment = self._moment(now)
        whole = self.due is not None and (moment if self.closed is None else self.closed) > self.due
        return whole or any(run.late(moment) for run in self.runs)

    def _moment(self, now: int) -> int:
        """The time on a clock that stands still while the case is suspended."""
        return now if self.suspended is None else min(now, self.suspended)


def lights(case: Case, now: int) -> Light:
    """Green, yellow when less than a quarter of the limit is left, red when it is over; of a closed case whether it
    was late. A case without a limit is green."""
    if case.run is None:
        return "red" if case.state == "closed" and case.late(now) else "green"
    moment = case._moment(now)
    if case.next_due is not None and moment > case.next_due:
        return "red"
    return "yellow" if case.warn is not None and moment > case.warn else "green"


def remaining(case: Case, now: int) -> int | None:
    """µs of wall time until the step is due, negative when it is late; None without a limit or when it is over."""
    run = case.run
    return None if run is None or run.due is None else run.due - case._moment(now)
