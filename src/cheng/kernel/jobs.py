"""What is worked out, and when: tables in; readings, commands or documents out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from cheng.kernel.entities import Command, Entity, Kept
from cheng.kernel.specs import Spec
from cheng.standards.durations import Duration


@dataclass(frozen=True)
class Last:
    """The history of a field over the last span of time, as a job's input: columns id, time, value."""

    field: Kept
    span: Duration


def last(field: Kept, span: Duration) -> Last:
    """`reads = last(Station.pm25, hours(24))`."""
    return Last(field, span)


class Job(Spec, kind="job"):
    """Work done every so often. The docstring says what comes of it.

    `run(now, *tables)` gets the time (microseconds UTC) and one Arrow table for each of `reads`: of an entity one row
    a thing with id, name, owner, longitude, latitude and its fields; of `last(...)` the columns id, time, value.
    It returns a table with `id` and the written field, or `id` and the command's arguments.
    """

    every: Duration
    reads: tuple[Any, ...]
    writes: Kept | None = None
    sends: Command | None = None
    run: Callable[..., pa.Table]

    @classmethod
    def check(cls) -> None:
        super().check()
        for source in cls.filled().get("reads", ()):
            if not (isinstance(source, Last) or (isinstance(source, type) and issubclass(source, Entity))):
                cls.complain("H012", f"job {cls.__name__} reads {source!r}", "read an entity, or last(field, span)")
        if (cls.writes is None) == (cls.sends is None):
            cls.complain("H013", f"job {cls.__name__} writes nothing or two things", "fill in writes or sends")

    @classmethod
    def key(cls) -> str:
        """app.job, unique over the house."""
        return f"{cls.__module__.rsplit('.', 1)[-1]}.{cls.__name__}"
