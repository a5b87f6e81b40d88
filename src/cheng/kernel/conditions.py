"""Conditions: what holds, does not hold, or is not known for each row.

Nothing is known of a thing that has not reported yet: a condition over it is neither true nor false, so `~` never
turns ignorance into an alarm.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cheng.kernel.frames import Blank, Column, Frame, Somewhere, Truth
from cheng.standards.durations import Duration

_COMPARE: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    ">": (np.greater, np.less_equal),
    ">=": (np.greater_equal, np.less),
    "<": (np.less, np.greater_equal),
    "<=": (np.less_equal, np.greater),
}


class Condition:
    """What holds, does not hold, or is not known for each row."""

    def silences(self) -> frozenset["Silent"]:
        """The silences it speaks of: what the passing of time alone can make true."""
        return frozenset()

    def judge(self, frame: Frame) -> Truth:
        raise TypeError(f"{type(self).__name__} cannot be judged")

    def fields(self) -> Iterator[Blank]:
        yield from ()

    def look_back(self) -> int:
        return 0

    def words(self) -> str:
        return str(self)

    def __and__(self, other: "Condition") -> "Both":
        return Both(self, other)

    def __or__(self, other: "Condition") -> "Either":
        return Either(self, other)

    def __invert__(self) -> "Not":
        return Not(self)

    def __bool__(self) -> bool:
        raise TypeError("a condition is judged later, over readings; join conditions with & | ~, not with and, or, not")


def parts(of: Any) -> Iterator[Any]:
    """A condition or term, and all that it is made of; a field is not taken apart."""
    yield of
    if isinstance(of, (Column, Condition)) and not isinstance(of, Blank):
        for inner in vars(of).values():
            if isinstance(inner, (Column, Condition)):
                yield from parts(inner)


@dataclass(frozen=True, eq=False)
class Compare(Condition):
    left: Column
    sign: str
    right: Column

    def judge(self, frame: Frame) -> Truth:
        left, right = self.left.values(frame), self.right.values(frame)
        holds, fails = _COMPARE[self.sign]
        return Truth(holds(left, right), fails(left, right))

    def fields(self) -> Iterator[Blank]:
        yield from self.left.fields()
        yield from self.right.fields()

    def look_back(self) -> int:
        return max(self.left.look_back(), self.right.look_back())

    def words(self) -> str:
        return f"{self.left.words()} {self.sign} {self.right.words()}"


@dataclass(frozen=True, eq=False)
class OneOf(Condition):
    """A label is one of these."""

    label: Column
    field: Blank
    """the field that holds the label, whose codes count"""
    options: tuple[str, ...]

    def judge(self, frame: Frame) -> Truth:
        values = self.label.values(frame)
        codes = [frame.code(self.field, option) for option in self.options]
        yes = np.isin(values, codes)
        return Truth(yes, ~yes & ~np.isnan(values))

    def fields(self) -> Iterator[Blank]:
        yield from self.label.fields()

    def words(self) -> str:
        return f"{self.label.words()} = {' / '.join(self.options)}"


@dataclass(frozen=True, eq=False)
class Inside(Condition):
    """A position lies in a place."""

    position: Blank
    place: Somewhere

    def judge(self, frame: Frame) -> Truth:
        return frame.within(self.position, self.place)

    def fields(self) -> Iterator[Blank]:
        yield self.position

    def words(self) -> str:
        return f"{self.position.words()} in {self.place.words()}"


@dataclass(frozen=True, eq=False)
class Silent(Condition):
    """Nothing was reported for at least the time."""

    of: frozenset[Blank]
    span: Duration
    what: str

    def judge(self, frame: Frame) -> Truth:
        yes = frame.time - frame.last_seen(self.of) >= self.span.us
        return Truth(yes, ~yes)

    def silences(self) -> frozenset["Silent"]:
        return frozenset({self})

    def fields(self) -> Iterator[Blank]:
        yield from self.of

    def words(self) -> str:
        return f"{self.what} silent for {self.span}"


@dataclass(frozen=True, eq=False)
class _Joined(Condition):
    left: Condition
    right: Condition

    def silences(self) -> frozenset[Silent]:
        return self.left.silences() | self.right.silences()

    def fields(self) -> Iterator[Blank]:
        yield from self.left.fields()
        yield from self.right.fields()

    def look_back(self) -> int:
        return max(self.left.look_back(), self.right.look_back())


class Both(_Joined):
    def judge(self, frame: Frame) -> Truth:
        left, right = self.left.judge(frame), self.right.judge(frame)
        return Truth(left.yes & right.yes, left.no | right.no)

    def words(self) -> str:
        return f"{self.left.words()} and {self.right.words()}"


class Either(_Joined):
    def judge(self, frame: Frame) -> Truth:
        left, right = self.left.judge(frame), self.right.judge(frame)
        return Truth(left.yes | right.yes, left.no & right.no)

    def words(self) -> str:
        return f"({self.left.words()} or {self.right.words()})"


@dataclass(frozen=True, eq=False)
class Not(Condition):
    of: Condition

    def silences(self) -> frozenset[Silent]:
        return self.of.silences()

    def judge(self, frame: Frame) -> Truth:
        yes, no = self.of.judge(frame)
        return Truth(no, yes)

    def fields(self) -> Iterator[Blank]:
        yield from self.of.fields()

    def look_back(self) -> int:
        return self.of.look_back()

    def words(self) -> str:
        return f"not ({self.of.words()})"


@dataclass(frozen=True, eq=False)
class Happened(Condition):
    """Any event of the type."""

    event: type
    some: Blank

    def judge(self, frame: Frame) -> Truth:
        yes = np.ones(len(frame.time), np.bool_)
        return Truth(yes, ~yes)

    def fields(self) -> Iterator[Blank]:
        yield self.some

    def words(self) -> str:
        return f"any {self.event.__name__}"
