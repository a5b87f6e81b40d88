"""The three kinds of error, and no fourth: for the developer, for a person at work, for a device or partner.

A message is an English sentence (its msgid) with named blanks; pages translate it, logs print it.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is wrong, and how to mend it."""

    code: str
    """A stable short code: H002."""
    message: str
    """What is wrong, a complete sentence without its end point."""
    place: str = ""
    """Where: a file and line, a row, a field."""
    hint: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        place = f" ({self.place})" if self.place else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.code} {self.message}{place}{hint}"


class SpecError(Exception):
    """What a developer declared does not hold together. Carries every problem found, not the first one."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))


@dataclass
class Refused(Exception):
    """A person asked for something that may not be done now. `message` is a sentence for the screen."""

    code: str
    """A stable word, for example `own-work`; partners may match on it."""
    message: str
    """English msgid with blanks: "This case was changed by {actor} meanwhile."."""
    values: dict[str, Any] = field(default_factory=dict)
    """What fills the blanks."""
    status: int = 409
    """The HTTP status that fits: 403 not allowed, 404 not there, 409 not now, 422 not like this."""

    def __str__(self) -> str:
        return self.message.format_map(self.values)


@dataclass
class InputError(Exception):
    """A device or partner sent what cannot be taken. The payload is kept aside and counted."""

    code: str
    """A stable word, for example `not-json`."""
    reason: str
    """What is wrong and what was expected, a complete sentence."""
    line: int | None = None
    """Line or row in the payload, from 1."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line is not None else self.reason
