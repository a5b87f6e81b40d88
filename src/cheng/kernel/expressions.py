"""What a rule can say about a thing: terms as objects.

`Cover.tilt > 15` is an object. It is judged over whole columns, printed on a page in words, and asked which
attributes it needs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cheng.kernel.columns import Bools, Floats, Rows, last_row, next_row, running_min
from cheng.kernel.conditions import Compare, Condition, Inside, Not, OneOf, Silent
from cheng.kernel.frames import Blank, Column, Frame, Somewhere
from cheng.standards.durations import Duration


class Term(Column):
    """A column with the signs of arithmetic and comparison."""

    def __gt__(self, other: "Number") -> "Compare":
        return Compare(self, ">", term(other))

    def __ge__(self, other: "Number") -> "Compare":
        return Compare(self, ">=", term(other))

    def __lt__(self, other: "Number") -> "Compare":
        return Compare(self, "<", term(other))

    def __le__(self, other: "Number") -> "Compare":
        return Compare(self, "<=", term(other))

    def __add__(self, other: "Number") -> "Arithmetic":
        return Arithmetic(self, "+", term(other))

    def __sub__(self, other: "Number") -> "Arithmetic":
        return Arithmetic(self, "-", term(other))

    def __mul__(self, other: "Number") -> "Arithmetic":
        return Arithmetic(self, "*", term(other))

    def __truediv__(self, other: "Number") -> "Arithmetic":
        return Arithmetic(self, "/", term(other))

    def rises(self, by: float, *, within: Duration) -> "Compare":
        """It climbed by at least `by` above its lowest within the time."""
        return Compare(Swing(self, within, +1), ">=", Constant(by))

    def falls(self, by: float, *, within: Duration) -> "Compare":
        """It dropped by at least `by` below its highest within the time."""
        return Compare(Swing(self, within, -1), ">=", Constant(by))

    def rate(self, *, per: Duration, within: Duration) -> "Rate":
        """Its change per unit of time, from the oldest reading within the time to this one."""
        return Rate(self, within, per)


Number = Column | float | int


def term(value: Number) -> Column:
    return value if isinstance(value, Column) else Constant(float(value))


@dataclass(frozen=True, eq=False)
class Constant(Term):
    """The same number for every row; what the slider of a dry run moves."""

    number: float

    def values(self, frame: Frame) -> Floats:
        return np.full(len(frame.time), self.number)

    def words(self) -> str:
        return f"{self.number:g}"


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


@dataclass(frozen=True, eq=False)
class Arithmetic(Term):
    left: Column
    sign: str
    right: Column

    def values(self, frame: Frame) -> Floats:
        with np.errstate(all="ignore"):
            result: Floats = _ARITHMETIC[self.sign](self.left.values(frame), self.right.values(frame))
        result[np.isinf(result)] = np.nan
        return result

    def fields(self) -> Iterator[Blank]:
        yield from self.left.fields()
        yield from self.right.fields()

    def look_back(self) -> int:
        return max(self.left.look_back(), self.right.look_back())

    def words(self) -> str:
        return f"({self.left.words()} {self.sign} {self.right.words()})"


@dataclass(frozen=True, eq=False)
class _Windowed(Term):
    """A term over the readings of a thing within the time: later than `span` before the row, up to the row."""

    of: Column
    span: Duration

    def _seen(self, frame: Frame) -> tuple[Floats, Bools, Rows, Rows]:
        """Its values, the rows at which it was reported, where each row's time begins, and its last report by then.

        What other fields report meanwhile does not count; without a report within the time the last lies before it.
        """
        values = self.of.values(frame)
        seen = frame.reported(frozenset(self.of.fields())) & ~np.isnan(values)
        return values, seen, frame.window(self.span.us), last_row(seen)

    def look_back(self) -> int:
        return self.span.us + self.of.look_back()

    def fields(self) -> Iterator[Blank]:
        yield from self.of.fields()


@dataclass(frozen=True, eq=False)
class Swing(_Windowed):
    """How far a value stands above its lowest (+1) or below its highest (-1) within the time.

    Unknown without a report within the time. What is reported on change holds until the next report: then the value
    that stood when the time began counts too.
    """

    sign: int

    def values(self, frame: Frame) -> Floats:
        values, seen, start, latest = self._seen(frame)
        signed = self.sign * values
        floor = running_min(np.where(seen, signed, np.nan), start)
        if isinstance(self.of, Blank) and self.of.live and self.of.on_change:
            before = np.where(frame.first[start], frame.carried(self.of), values[start - 1])
            floor = np.fmin(floor, self.sign * before)
        else:
            signed = np.where(latest >= start, signed[latest], np.nan)
        with np.errstate(all="ignore"):
            distance: Floats = signed - floor
        return distance

    def words(self) -> str:
        return f"{'rise' if self.sign > 0 else 'fall'} of {self.of.words()} within {self.span}"


@dataclass(frozen=True, eq=False)
class Jump(Term):
    """The distance to the reading before, however long ago that was; unknown while it is not reported."""

    of: Blank

    def values(self, frame: Frame) -> Floats:
        values = frame.column(self.of)
        before = np.concatenate(([np.nan], values))[:-1]
        before[frame.first] = frame.carried(self.of)[frame.first]
        with np.errstate(all="ignore"):
            distance = np.abs(values - before)
        return np.where(frame.reported(frozenset({self.of})), distance, np.nan)

    def fields(self) -> Iterator[Blank]:
        yield self.of

    def words(self) -> str:
        return f"jump of {self.of.words()}"


@dataclass(frozen=True, eq=False)
class Rate(_Windowed):
    """Change per unit of time, from its first to its last report within the time; unknown before the second."""

    per: Duration

    def values(self, frame: Frame) -> Floats:
        values, seen, start, latest = self._seen(frame)
        oldest = np.minimum(next_row(seen)[start], len(seen) - 1)
        known = latest > oldest
        passed = np.where(known, frame.time[latest] - frame.time[oldest], 1)
        with np.errstate(all="ignore"):
            change = (values[latest] - values[oldest]) * (self.per.us / passed)
        return np.where(known, change, np.nan)

    def words(self) -> str:
        return f"change of {self.of.words()} per {self.per}"


@dataclass(frozen=True, eq=False)
class Count(Term):
    """How many readings within the time met a condition."""

    condition: Condition
    span: Duration

    def values(self, frame: Frame) -> Floats:
        hit = self.condition.judge(frame).yes & frame.reported(frozenset(self.condition.fields()))
        total = np.concatenate(([0], np.cumsum(hit)))
        rows = np.arange(len(hit))
        return (total[rows + 1] - total[frame.window(self.span.us)]).astype(np.float64)

    def fields(self) -> Iterator[Blank]:
        yield from self.condition.fields()

    def look_back(self) -> int:
        return self.span.us + self.condition.look_back()

    def words(self) -> str:
        return f"number of times {self.condition.words()} within {self.span}"


@dataclass(frozen=True, eq=False)
class Unusual(Term):
    """How unusual a report is for its thing at this hour of this weekday, 0 to 1; unknown where it is not reported."""

    of: Blank

    def values(self, frame: Frame) -> Floats:
        return frame.unusual(self.of)

    def fields(self) -> Iterator[Blank]:
        yield self.of

    def words(self) -> str:
        return f"how unusual {self.of.words()} is"


class Field(Blank, Term):
    """A blank with the signs of arithmetic and comparison; its kinds are in `entities`."""

    ref: Blank | None = None
    every: bool = False

    @property
    def field(self) -> Blank:
        return self

    def is_(self, *options: str) -> OneOf:
        """The label is one of these."""
        return OneOf(self, self.field, options)

    def inside(self, place: Somewhere) -> Inside:
        """The position lies in the place."""
        return Inside(self, place)

    def outside(self, place: Somewhere) -> Not:
        """The position lies outside the place."""
        return Not(Inside(self, place))

    def silent(self, span: Duration) -> Silent:
        """The thing has not reported it for the time."""
        return Silent(frozenset({self}), span, self.words())

    def jumps(self, by: float) -> Compare:
        """It differs from the reading before by at least `by`."""
        return Compare(Jump(self), ">=", Constant(by))


@dataclass(frozen=True, eq=False)
class Hop(Term):
    """A field of the thing that one reference points to: `Truck.permit.route`."""

    ref: Blank
    field: Blank
    every: bool = False

    def values(self, frame: Frame) -> Floats:
        return frame.hop(self.ref, self.field)

    def words(self) -> str:
        return f"{self.ref.words()}.{self.field.words()}"

    def is_(self, *options: str) -> OneOf:
        """The label of the thing referred to is one of these."""
        if self.field.owner is None:
            raise TypeError(
                f"the labels of {self.words()} are not known here; let Ref name the class itself, not a word"
            )
        return OneOf(self, self.field, options)


@dataclass(frozen=True, eq=False)
class Every:
    """A place of all things of a type together: `every(Dump.boundary)`."""

    field: Blank
    ref: Blank | None = None
    every: bool = True

    def words(self) -> str:
        return f"any {self.field.words()}"


def every(field: Field) -> Every:
    """The places of all things of a type together: `Truck.position.outside(every(Dump.boundary))`."""
    return Every(field)


def unusual(field: Field) -> Unusual:
    """How unusual a report is for its thing at this hour, 0 to 1: `unusual(Station.pm10) > 0.5`."""
    return Unusual(field)


def count(condition: Condition, *, within: Duration) -> Count:
    """How many readings within the time met the condition: `count(Door.state.is_("open"), within=hours(1)) >= 5`."""
    return Count(condition, within)
