"""What a rule is judged over: rows of one type of thing, and the columns an expression asks them for."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple, Protocol

from cheng.kernel.columns import Bools, Floats, Rows, Times


class Truth(NamedTuple):
    """Where a condition holds, and where it does not; rows in neither are unknown. Both (n,)."""

    yes: Bools
    no: Bools


class Frame(Protocol):
    """Rows of one type of thing, sorted by thing and time; a row is what a thing knew of itself at a moment."""

    slot: Rows
    """(n,) the thing's place among its type"""
    time: Times
    """(n,) microseconds"""

    def column(self, field: "Blank") -> Floats:
        """(n,) the field's value at each row, the last one reported; NaN before the first."""

    def latitude(self, field: "Blank") -> Floats:
        """(n,) the latitude that belongs to a position's column."""

    def reported(self, fields: frozenset["Blank"]) -> Bools:
        """(n,) rows at which one of the fields was reported, not carried over."""

    def code(self, field: "Blank", label: str) -> float:
        """The code of a label."""

    def carried(self, field: "Blank") -> Floats:
        """(n,) what the field was before the first row of the row's thing; NaN when it had not reported."""

    def unusual(self, field: "Blank") -> Floats:
        """(n,) how unusual the field was where it was reported, 0 to 1; NaN elsewhere."""

    def hop(self, ref: "Blank", field: "Blank") -> Floats:
        """(n,) a field of the thing that a reference points to."""

    def within(self, position: "Blank", place: "Somewhere") -> Truth:
        """Where the position lies in the place; unknown without a position or place."""

    def window(self, width: int) -> Rows:
        """(n,) for each row the first row of the same thing less than `width` microseconds before it."""

    def last_seen(self, fields: frozenset["Blank"]) -> Times:
        """(n,) when any of the fields was last reported up to the row; not before the registration."""

    @property
    def first(self) -> Bools:
        """(n,) rows that begin a thing."""


class Column:
    """A number, a label's code or a longitude for each row."""

    def values(self, frame: Frame) -> Floats:
        raise TypeError(f"{type(self).__name__} has no values")

    def fields(self) -> Iterator["Blank"]:
        """The fields of the thing itself, reported over time, that it reads; all fields of an event."""
        yield from ()

    def look_back(self) -> int:
        """Microseconds of earlier readings it needs."""
        return 0

    def words(self) -> str:
        """The term as people write it."""
        return str(self)


class Blank(Column):
    """A field of an entity or event: its name, and how it is reported."""

    live: bool = False
    """Whether it is reported over time; else it is written in the register."""
    on_change: bool = False
    """Whether it is reported only when it changes, so that the last value holds until the next."""
    scalar: ClassVar[bool] = True
    """Whether one number says it: a quantity, a label's code."""

    def __init__(self, doc: str = "") -> None:
        self.doc = doc
        self.name = ""
        self.owner: type | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        if self.owner is None:  # a job that writes it, or an indicator that is of it, does not make it its own
            self.owner, self.name = owner, name

    def values(self, frame: Frame) -> Floats:
        return frame.column(self)

    def fields(self) -> Iterator["Blank"]:
        if self.live or getattr(self.owner, "kind", "") == "event":
            yield self

    def words(self) -> str:
        return self.name.replace("_", " ")

    def __repr__(self) -> str:
        return f"{self.owner.__name__ if self.owner else '?'}.{self.name}"


class Somewhere(Protocol):
    """A place for each row: the thing's own, the one of a thing it refers to, or those of a whole type."""

    @property
    def field(self) -> Blank:
        """The field that holds the place."""

    @property
    def ref(self) -> Blank | None:
        """The reference to follow first."""

    @property
    def every(self) -> bool:
        """Whether the places of all things of the type count together."""

    def words(self) -> str:
        """The place as people write it."""
