"""What it means: rules, and the state machine that turns truth over time into alerts.

The words are those of alarm management (ISA-18.2, IEC 62682): the condition is the setpoint, `hold` the on-delay,
`release` the deadband, `level` the priority.
"""

from dataclasses import dataclass
from string import Formatter
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from cheng.kernel.columns import NEVER, Bools, Rows, Times, ends, last_row, starts
from cheng.kernel.conditions import Condition, Inside, Silent, parts
from cheng.kernel.entities import Entity, Event, Quantity, Record
from cheng.kernel.expressions import Count, Hop, Jump, Rate, Swing, Unusual
from cheng.kernel.frames import Blank
from cheng.kernel.specs import Spec, did_you_mean
from cheng.standards.durations import Duration, seconds

REMEMBERING = (Count, Swing, Rate, Jump, Silent, Unusual)
"""What looks at earlier reports, which events do not have."""
LEVELS = ("notice", "warning", "danger", "emergency")


@dataclass(frozen=True)
class Grouping:
    """Alerts of one rule that share a cause: the first opens the case, the others join it."""

    within: Duration
    field: Blank | None = None
    """same value of this field; None: same neighbourhood"""


def by(field: Blank, *, within: Duration) -> Grouping:
    """Alerts with the same value of the field within the time are one."""
    return Grouping(within, field)


def near(*, within: Duration) -> Grouping:
    """Alerts in the same neighbourhood within the time are one."""
    return Grouping(within)


class Rule(Spec, kind="rule"):
    """What makes an alert. The docstring is its text; blanks in braces are filled from the thing."""

    when: Condition
    """What begins the alert. It is judged whenever the thing reports something, and when a silence that it or the
    release speaks of comes to pass; in between it stays as it was."""
    hold: Duration = seconds(0)
    """How long `when` must hold, and `release` not, without interruption, in event time. It has elapsed with a report
    that long after the first; by the clock, if the rule speaks of silence or only of fields reported on change."""
    release: Condition | None = None
    """What ends the alert; by default that `when` no longer holds. While it holds no alert begins."""
    level: Literal["notice", "warning", "danger", "emergency"] = "warning"
    basis: str
    """The law, standard or duty rule it rests on."""
    group: Grouping | None = None

    subject: ClassVar[type[Record]]
    """The entity or event it is about."""

    @classmethod
    def check(cls) -> None:
        super().check()
        if not isinstance(getattr(cls, "when", None), Condition):
            return
        if not (cls.release is None or isinstance(cls.release, Condition)):
            return
        cls.check_spans()
        subjects = {field.owner for field in cls.needs()}
        if len(subjects) != 1:
            names = ", ".join(sorted(s.__name__ for s in subjects if s)) or "none"
            cls.complain("H010", f"rule {cls.__name__} is about {names}", "a rule is about one entity or one event")
            return
        subject = subjects.pop()
        if not (isinstance(subject, type) and issubclass(subject, Record)):
            return
        cls.subject = subject
        cls.check_text(subject)
        if issubclass(subject, Event):
            cls.check_event(subject)
        else:
            cls.check_unusual()

    @classmethod
    def check_event(cls, event: type[Event]) -> None:
        """An event is judged by itself, once: it has no earlier reports, no register, and does not go on."""
        said = [part for over in (cls.when, cls.release) if over is not None for part in parts(over)]
        followed = {id(blank) for part in said if isinstance(part, (Hop, Inside)) for blank in vars(part).values()}
        hint = "compare fields of the event itself, or make the rule about the entity"
        for part in said:
            if id(part) in followed:
                continue
            if isinstance(part, REMEMBERING):
                problem = f"rule {cls.__name__} asks an event for its {part.words()}; events have no memory"
                cls.complain("H014", problem, hint)
            elif isinstance(part, (Hop, Inside)):
                problem = f"rule {cls.__name__} asks an event for {part.words()}; events follow no reference or place"
                cls.complain("H014", problem, hint)
            elif isinstance(part, Blank) and part.owner is not event:
                problem = f"rule {cls.__name__} asks event {event.__name__} for {part!r}, which is not its own"
                cls.complain("H014", problem, hint)
        for name, filled in (("hold", bool(cls.hold.amount)), ("release", cls.release is not None)):
            if filled:
                problem = f"rule {cls.__name__} is about an event and has '{name}'"
                cls.complain("H015", problem, "leave it out: an event does not last, its alert ends with its case")

    @classmethod
    def check_unusual(cls) -> None:
        """Only a number reported over time has habits, and what was unusual then is not kept."""
        said = [part for over in (cls.when, cls.release) if over is not None for part in parts(over)]
        for part in said:
            if isinstance(part, Unusual) and not (isinstance(part.of, Quantity) and part.of.live):
                problem = f"rule {cls.__name__} asks {part.words()}"
                cls.complain("H016", problem, "ask it of a Quantity that is reported over time")
            elif isinstance(part, (Count, Swing, Rate)) and any(isinstance(inner, Unusual) for inner in parts(part)):
                problem = f"rule {cls.__name__} asks for the {part.words()}"
                cls.complain("H016", problem, "compare unusual(…) with a number; it looks back by itself")

    @classmethod
    def hops(cls) -> list[Hop]:
        """The references it follows."""
        places = [part.place for over in (cls.when, cls.release) for part in parts(over) if isinstance(part, Inside)]
        by_field = cls.group.field if cls.group is not None else None
        said = (cls.when, cls.release, by_field, *places)
        return list({id(part): part for over in said for part in parts(over) if isinstance(part, Hop)}.values())

    @classmethod
    def check_spans(cls) -> None:
        """Readings know no office hours: every length of time in a rule is a fixed one."""
        try:
            _ = cls.look_back(), [silence.span.us for silence in cls.silences()]
            _ = cls.hold.us if isinstance(cls.hold, Duration) else 0
        except ValueError as error:
            cls.complain("H012", f"rule {cls.__name__} waits {error}", "use seconds, minutes, hours or days")

    @classmethod
    def check_text(cls, subject: type[Record]) -> None:
        known = [*subject.nameable(), "time"]
        try:
            blanks = cls.text_blanks()
        except ValueError as error:
            cls.complain("H011", f"the text of rule {cls.__name__} cannot be read", f"{error}")
            return
        for blank in blanks:
            if blank not in known:
                problem = f"the text of rule {cls.__name__} has a blank '{{{blank}}}'"
                cls.complain("H011", problem, did_you_mean(blank, known))

    @classmethod
    def text_blanks(cls) -> list[str]:
        """The names in braces in the docstring."""
        return [name for _, name, _, _ in Formatter().parse(cls.sentence()) if name]

    @classmethod
    def needs(cls) -> frozenset[Blank]:
        """The live fields that it is judged over."""
        over = cls.release.fields() if cls.release is not None else ()
        return frozenset([*cls.when.fields(), *over])

    @classmethod
    def look_back(cls) -> int:
        """Microseconds of earlier readings it needs."""
        return max(cls.when.look_back(), cls.release.look_back() if cls.release is not None else 0)

    @classmethod
    def silences(cls) -> frozenset[Silent]:
        """The silences it speaks of."""
        return cls.when.silences() | (cls.release.silences() if cls.release is not None else frozenset())

    @classmethod
    def is_timed(cls) -> bool:
        """Whether the passing of time alone can begin or end its alerts."""
        return bool(cls.silences()) or all(field.on_change for field in cls.needs())

    @classmethod
    def is_about_events(cls) -> bool:
        return issubclass(cls.subject, Event)

    @classmethod
    def entity(cls) -> type[Entity] | None:
        return cls.subject if issubclass(cls.subject, Entity) else None

    @classmethod
    def key(cls) -> str:
        """app.rule, unique over the house."""
        return f"{cls.__module__.rsplit('.', 1)[-1]}.{cls.__name__}"


class Change(NamedTuple):
    """An alert begins, ends, or turns out otherwise. Its identity is rule, thing and onset."""

    kind: Literal["raised", "cleared", "moved", "reopened", "withdrawn"]
    rule: str
    slot: int
    onset: int
    """when the condition began to hold, microseconds; of a moved alert the onset it was known by"""
    time: int
    """raised, cleared: when; moved: the right onset; reopened: the end the hub had believed; withdrawn: when it was
    raised. An alert may be cleared a second time: the end was another one."""
    values: dict[str, Any]
    """what the text needs, at the moment it was raised"""


@dataclass(slots=True)
class Spells:
    """Alerts of one rule over a stretch: the row each was raised at, or -1 when it stood before; likewise its end."""

    slot: Rows
    onset: Times
    raised: Rows
    cleared: Rows


class Latch:
    """State of one rule for the things of its type, kept for those where it holds or its alert stands."""

    def __init__(self) -> None:
        self.slots: Rows = np.zeros(0, np.intp)
        """(k,) the things there is something to say about, ascending"""
        self._since: Times = np.zeros(0, np.int64)
        self._onset: Times = np.zeros(0, np.int64)

    def of(self, slots: Rows) -> tuple[Times, Times]:
        """(n,) since when `when` holds, and the onset of the standing alert; NEVER where not."""
        place = np.searchsorted(self.slots, slots)
        known = np.append(self.slots, -1)[place] == slots
        since, onset = (np.append(kept, NEVER)[place] for kept in (self._since, self._onset))
        return np.where(known, since, NEVER), np.where(known, onset, NEVER)

    def put(self, slots: Rows, since: Times, onset: Times) -> None:
        """Enters the state of different things, all (n,)."""
        place = np.searchsorted(self.slots, slots)
        old = place[np.append(self.slots, -1)[place] == slots]
        some = (since != NEVER) | (onset != NEVER)
        if not len(old) and not some.any():
            return
        rest = np.ones(len(self.slots), np.bool_)
        rest[old] = False
        everything = np.concatenate((self.slots[rest], slots[some]))
        order = np.argsort(everything, kind="stable")
        self.slots = everything[order]
        self._since = np.concatenate((self._since[rest], since[some]))[order]
        self._onset = np.concatenate((self._onset[rest], onset[some]))[order]

    def copy(self, other: "Latch", slots: Rows) -> None:
        """Takes over the state of these things."""
        self.put(slots, *other.of(slots))

    def step(self, slot: Rows, time: Times, holds: Bools, ends_now: Bools, hold: int) -> Spells:
        """Takes rows sorted by thing and time and returns the alerts that began or ended in them.

        holds, ends_now (n,) where `when` and where the end of an alert holds, never both; hold in microseconds.
        """
        first = starts(slot)
        things = slot[first]
        carried, stood = self.of(things)
        if not holds.any() and (carried == NEVER).all() and (stood == NEVER).all():
            return Spells(*(np.zeros(0, np.int64) for _ in range(4)))
        thing = np.cumsum(first) - 1
        since = held_since(time, holds, first, carried[thing])
        ripe = holds & (time - since >= hold)
        standing = stood[thing]
        turn = ripe | ends_now
        nearest = last_row(turn | first)
        active = np.where(turn[nearest], ripe[nearest], standing[nearest] != NEVER)
        was = np.concatenate((active[:1], active[:-1]))
        was[first] = standing[first] != NEVER
        began_at = active & ~was
        source = last_row(began_at | first)
        onset = np.where(began_at[source], since[source], standing[source])
        last = ends(first)
        self.put(things, np.where(holds[last], since[last], NEVER), np.where(active[last], onset[last], NEVER))
        return self._spells(slot, onset, began_at, was & ~active)

    @staticmethod
    def _spells(slot: Rows, onset: Times, began_at: Bools, over: Bools) -> Spells:
        """Pairs beginnings with ends: within a thing they alternate, an end may come first."""
        marks = np.flatnonzero(began_at | over)
        begins = began_at[marks]
        thing = slot[marks]
        # An end belongs to the beginning right above it, if that is of the same thing.
        paired = np.zeros(len(marks), np.bool_)
        paired[1:] = ~begins[1:] & begins[:-1] & (thing[1:] == thing[:-1])
        closed_by = np.full(len(marks), -1)
        closed_by[np.flatnonzero(paired) - 1] = marks[paired]
        keep = begins | ~paired
        rows = marks[keep]
        raised = np.where(begins[keep], rows, -1)
        cleared = np.where(begins[keep], closed_by[keep], rows)
        return Spells(slot[rows], onset[rows], raised, cleared)


def held_since(time: Times, holds: Bools, first: Bools, carried: Times) -> Times:
    """(n,) since when a condition holds, `carried` (n,) from before each thing's first row; meaningless elsewhere."""
    above = np.concatenate((holds[:1], holds[:-1]))
    begin = holds & (first | ~above)
    start = np.where(first & (carried != NEVER), carried, time)
    return start[np.maximum(last_row(begin), 0)]
