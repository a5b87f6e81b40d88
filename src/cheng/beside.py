"""What runs beside a hub in the process that serves it, as pages know it.

`serve` hands each part to the hub; in a process that has it not it is None, and pages show no button for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cheng.infrastructure.job_log import JobRun
from cheng.infrastructure.progress import Progress
from cheng.infrastructure.refused_box import Kept
from cheng.security.actors import Actor


class Retry(Protocol):
    """Takes a kept payload, what it was mended to and who sends it, by the rules of the door it came by."""

    def __call__(self, kept: Kept, payload: bytes, actor: Actor, /) -> dict[str, Any]: ...


class Turn(Protocol):
    """When a job is due."""

    @property
    def work(self) -> Any: ...
    @property
    def due(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Offered:
    """Something that another city lets people report."""

    code: str
    name: str
    group: str = ""
    asks: bool = False
    """whether it asks for more: `attributes` of it"""


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that another city asks about a report."""

    code: str
    question: str
    kind: str
    """string, number, datetime, text, singlevaluelist or multivaluelist"""
    required: bool = False
    hint: str = ""
    values: tuple[tuple[str, str], ...] = ()
    """key and name of what can be answered"""


class OtherCities(Protocol):
    """Who speaks to other cities. What is asked of them is Refused (502) when they do not answer."""

    def services(self, city: str, /) -> Sequence[Offered]: ...
    def attributes(self, city: str, service: str, /) -> Sequence[Attribute]: ...
    def send(self) -> int: ...
    def follow(self) -> int: ...


class Works(Protocol):
    """Who carries out jobs."""

    @property
    def turns(self) -> Mapping[str, Turn]: ...
    def run_now(self, key: str) -> object: ...
    def progress(self, key: str) -> Progress | None: ...


class Traffic(Protocol):
    """What the broker counts."""

    @property
    def connections(self) -> int: ...
    @property
    def pending(self) -> int: ...


class Bounds(Protocol):
    """What the broker holds at most."""

    @property
    def pending(self) -> int: ...


class Devices(Protocol):
    """The door for devices that speak MQTT."""

    @property
    def counters(self) -> Traffic: ...
    @property
    def limits(self) -> Bounds: ...


@dataclass(frozen=True, slots=True)
class Archive:
    """One backup on the shelf."""

    name: str
    bytes: int
    at: int
    """when it was made, µs"""
    proved: JobRun | None
    """the last time it was read through"""


class Shelf(Protocol):
    """Where backups lie."""

    folder: Path

    def archives(self) -> Sequence[Archive]: ...
    def room(self) -> tuple[int, int]: ...
    def make(self) -> str: ...
    def prove(self, name: str) -> None: ...
    def path(self, name: str) -> Path: ...
    def remove(self, name: str) -> None: ...
    def progress(self) -> dict[str, Progress]: ...
