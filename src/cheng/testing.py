"""A small city to tell an application's story in: a real hub in a folder, a clock that stands still, and officers.

    with city(tmp_path, manhole_covers) as town:
        town.register(Cover, "cover-1", ward="North")
        town.reports("cover-1", tilt=20)
        town.passes(minutes(2))
        town.reports("cover-1", tilt=21)
        zhang = town.officer("Zhang", department="North drainage crew")
        zhang.completes(town.case())

Everything comes in by the real doors and is judged, written and answered before a line is over.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cheng.hub import Hub, open_hub
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.report_book import NewReport
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.tables import alerts, cases, commands, refused
from cheng.kernel.entities import Entity, Event
from cheng.kernel.flows import Flow
from cheng.kernel.indicators import Indicator
from cheng.kernel.jobs import Job
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.standing import Person
from cheng.protocols.decoding import NDJSON
from cheng.protocols.intake import Intake, Receipt
from cheng.security.actors import HOUSE
from cheng.security.passwords import Hasher
from cheng.standards.durations import Duration, days, minutes, seconds
from cheng.worker import Worker

START = 1_795_132_800_000_000
"""2026-11-20 08:00 in Shanghai, a Friday, µs UTC."""
PHOTO = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
"""The smallest thing that counts as a JPEG."""
PASSWORD = "lantern-under-the-bridge"  # noqa: S105  # of people who live for one test
SOON, DAY = minutes(1), days(1)


@dataclass(frozen=True)
class Told:
    """An alert as people hear of it."""

    rule: str
    """the rule's name, without its application"""
    thing: str
    level: str
    state: str
    text: str
    """the rule's sentence in English, its blanks filled"""
    onset: int
    raised: int
    cleared: int | None
    """µs; None while it stands"""


@dataclass
class Officer:
    """Somebody who works in a department and handles cases."""

    town: "Town"
    person: Person

    def takes(self, case: Filed) -> Filed:
        """Takes the case in hand."""
        return self.does("take", case)

    def completes(
        self, case: Filed, *, photo: bool = False, proof: Sequence[str] = (), reason: str = "", **more: Any
    ) -> Filed:
        """Finishes the step the case stands at, with a photo or other kinds of evidence, and what else it asks for."""
        kinds = (*(["photo"] if photo else []), *proof)
        blob = self.town.hub.blobs.keep(PHOTO, "proof.jpg") if kinds else None
        data: dict[str, Any] = {"proof": [{"kind": kind, "blob": blob.sha256} for kind in kinds]} if blob else {}
        return self.does("complete", case, **data, **({"reason": reason} if reason else {}), **more)

    def returns(self, case: Filed, step: str, reason: str) -> Filed:
        """Sends the case back to an earlier step."""
        return self.does("return", case, step=step, reason=reason)

    def does(self, verb: str, case: Filed, **data: Any) -> Filed:
        """Any act of the case book; raises Refused with the sentence that the screen would show."""
        return self.town.hub.cases.act(case.entry.id, verb, self.person, data)


@dataclass(frozen=True)
class Reported:
    """What somebody without an account has in hand: a number, and the word by which they find it again."""

    town: "Town"
    number: str
    secret: str

    @property
    def case(self) -> Filed:
        """Where it stands; the case that it was merged into, if it was."""
        return self.town.hub.reports.find(self.number, self.secret)

    def does(self, verb: str, **data: Any) -> Filed:
        """What its reporter does; raises Refused with the sentence that the screen would show."""
        return self.town.hub.cases.act(self.case.entry.id, verb, self.town.hub.reports.person(self.secret), data)


@dataclass
class Town:
    """A hub with one or a few applications, told what happens line by line."""

    hub: Hub
    clock: ManualClock
    _people: dict[str, Officer] = field(default_factory=dict)

    # -- what people report

    def hears(self, flow: type[Flow], text: str, *, source: str = "citizen", **more: Any) -> Reported:
        """Somebody reports something; see `NewReport` for what else can be told."""
        receipt = self.hub.reports.file(NewReport(flow.key(), source, text, **more))
        return Reported(self, receipt.filed.entry.number, receipt.secret)

    # -- what exists and what is sensed

    def register(
        self, kind: type[Entity], thing: str, /, *, at: Any = None, name: str = "", owner: str = "", **properties: Any
    ) -> None:
        """Registers a thing, or brings it up to date. `at`: longitude and latitude, or a GeoJSON geometry.

        Raises the InputError of a thing that cannot be.
        """
        place = {"type": "Point", "coordinates": list(at)} if isinstance(at, tuple) else at
        row = NewThing(thing, kind.__name__, name=name, owner=owner, properties=properties, geometry=place)
        for error in self.hub.things.put([row], "tester").refused:
            raise error

    def reports(self, thing: str, /, **readings: Any) -> Receipt:
        """The thing reports, at the clock's time, through the intake that every door uses."""
        now = self.clock.now()
        lines = [{"id": thing, "attr": attr, "time": now, "value": value} for attr, value in readings.items()]
        return self.sends("\n".join(json.dumps(line) for line in lines).encode())

    def sends(self, payload: bytes, media_type: str = NDJSON) -> Receipt:
        """A payload as it comes in by a door; waits until it is judged and alerts are written."""
        receipt = asyncio.run(Intake(self.hub).take(payload, media_type, HOUSE, "test"))
        self.hub.pipeline.drain()
        return receipt

    def happens(self, event: type[Event], /, **fields: Any) -> Receipt:
        """An event happens now."""
        line = {"event": event.__name__, "time": self.clock.now(), **fields}
        receipt = asyncio.run(Intake(self.hub).take_events(json.dumps(line).encode(), HOUSE, "test"))
        self.hub.pipeline.drain()
        return receipt

    def keeps_reporting(self, thing: str, span: Duration, /, every: Duration = SOON, **readings: Any) -> None:
        """The same readings again and again while the time passes, and once at its end."""
        passed = 0
        while passed < span.us:
            self.reports(thing, **readings)
            passed += every.us
            self.passes(every)
        self.reports(thing, **readings)

    # -- time

    def passes(self, span: Duration) -> None:
        """The clock moves on, and what the passing of time makes true is found."""
        self.clock.advance(span.us)
        self.hub.pipeline.drain()

    def is_at(self, hour: float, on: date | None = None) -> None:
        """Moves the clock to an hour of the city's day: the next such hour, or that of a given day."""
        day = on or self.hub.calendar.day(self.clock.now())
        zone = ZoneInfo(self.hub.settings.timezone)
        wanted = datetime.combine(day, time(int(hour), round(hour % 1 * 60)), zone)
        left = round(wanted.timestamp() * 1e6) - self.clock.now()
        self.passes(seconds((left % days(1).us if on is None else left) / 1e6))

    # -- what came of it

    def alerts(self, rule: type[Rule] | None = None, *, over: bool = False) -> list[Told]:
        """The alerts that stand, in the order in which they were raised; with `over` all that ever were."""
        query = select(alerts).order_by(alerts.c.number)
        if rule is not None:
            query = query.where(alerts.c.rule == rule.key())
        if not over:
            query = query.where(alerts.c.cleared.is_(None), alerts.c.withdrawn_at.is_(None))
        with self.hub.store.read() as conn:
            return [self._told(row) for row in conn.execute(query).mappings()]

    def _told(self, row: Any) -> Told:
        values = {k: f"{v:g}" if isinstance(v, float) else v for k, v in row["message_values"].items()}
        text = self.hub.model.rules[row["rule"]].sentence().format_map(Blanks(values))
        names = ("level", "state", "onset", "raised", "cleared")
        return Told(row["rule"].split(".")[-1], row["thing_id"] or "", text=text, **{name: row[name] for name in names})

    def cases(self, flow: type[Flow] | None = None, state: str = "open") -> list[Filed]:
        """All cases in a state, of one flow or of any, the oldest first."""
        query = select(cases.c.id).where(cases.c.state == state).order_by(cases.c.opened, cases.c.number)
        if flow is not None:
            query = query.where(cases.c.flow == flow.key())
        with self.hub.store.read() as conn:
            ids = conn.execute(query).scalars().all()
        return [self.hub.cases.get(id_) for id_ in ids]

    def case(self, flow: type[Flow] | None = None) -> Filed:
        """The one open case, of one flow or of any; AssertionError when there is none, or more than one."""
        found = self.cases(flow)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} cases are open: {[(c.entry.rule, c.entry.thing_id) for c in found]}")
        return found[0]

    def refused(self) -> list[str]:
        """The reasons for which payloads were kept aside."""
        with self.hub.store.read() as conn:
            return list(conn.execute(select(refused.c.reason).order_by(refused.c.id)).scalars())

    def current(self, thing: str, attr: str) -> float:
        """The last value of an attribute of a thing; NaN when it has not reported it."""
        known = self.hub.things.find(thing)
        if known is None:
            raise AssertionError(f"nothing is registered as '{thing}'")
        return float(self.hub.things.current(known.type, attr)[known.slot])

    def indicator(self, indicator: type[Indicator], past: Duration = DAY) -> float | None:
        """Its number over the time that has just passed; None when there was nothing to count."""
        now = self.clock.now()
        return self.hub.indicators.value(indicator, now - past.us, now + 1).value

    # -- who acts, and what works by itself

    def officer(self, name: str, department: str, *posts: str) -> Officer:
        """An officer with an account, who holds posts; the same one for the same name."""
        if name not in self._people:
            roles = ["officer", *posts]
            self.hub.accounts.create(HOUSE, name, name, roles, department, PASSWORD)
            person = Person(name.casefold(), department, frozenset(roles), name)
            self._people[name] = Officer(self, person)
        return self._people[name]

    @cached_property
    def worker(self) -> Worker:
        return Worker(self.hub)

    def works(self, job: type[Job]) -> None:
        """Runs a job now, and waits for what comes of it; raises what its function raises."""
        self.worker.work_out(job, self.clock.now())
        self.hub.pipeline.drain()

    def told(self, thing: str) -> list[tuple[str, dict[str, Any]]]:
        """The commands that were sent to a thing, in their order: name and arguments."""
        query = select(commands.c.command, commands.c.arguments).where(commands.c.thing == thing)
        with self.hub.store.read() as conn:
            return [(row.command, row.arguments) for row in conn.execute(query.order_by(commands.c.id))]

    # -- restarts

    def restarts(self) -> Self:
        """Closes the hub and opens it again from what is on the disk; the town as it is then."""
        settings, model = self.hub.settings, self.hub.model
        self.hub.close()
        self.__dict__.pop("worker", None)
        self.hub = open_hub(settings, self.clock, model, weak_hasher())
        return self


class Blanks(dict[str, Any]):
    """Blanks without a value stay as they are."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def weak_hasher() -> Hasher:
    """Quick, and good for nothing but tests."""
    return Hasher(memory=64, weak_for_tests=True)


@contextmanager
def city(folder: Path, *applications: ModuleType, start: int = START, **settings: Any) -> Iterator[Town]:
    """A town that runs these application modules in a folder of its own; closed at the end, whatever happens."""
    clock = ManualClock(start)
    town = Town(open_hub(Settings(data=folder, **settings), clock, Model.of(applications), weak_hasher()), clock)
    try:
        yield town
    finally:
        town.hub.close()
