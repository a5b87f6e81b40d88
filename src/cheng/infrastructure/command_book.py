"""What things were told to do: checked, written down, and handed to whoever carries it to the device."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from cheng.infrastructure.bus import Bus
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import commands
from cheng.infrastructure.things import Things
from cheng.kernel.entities import Choice, Command, Entity, Kept, Quantity
from cheng.kernel.specs import did_you_mean
from cheng.standards.problems import Refused

TOPIC = "commands/{thing}"
"""Of the bus; the body has id, thing, command and arguments."""
AT_A_TIME = 2_000
"""Commands written in one transaction."""
Order = tuple[str, str, Mapping[str, Any]]
"""Thing, command and arguments."""


@dataclass(frozen=True, slots=True)
class Told:
    """One command, as kept."""

    id: int
    thing: str
    command: str
    arguments: dict[str, Any]
    at: int
    by: str
    state: str


class CommandBook:
    """All commands of the house. It keeps nothing of its own in memory; make one wherever it is needed."""

    def __init__(self, store: Store, things: Things, bus: Bus, clock: Clock) -> None:
        self.store, self.things, self.bus, self.clock = store, things, bus, clock

    def send(self, thing_id: str, command: str, arguments: Mapping[str, Any], by: str) -> Told:
        """Checks a command, writes it down and tells the bus. Refused: no such thing or command, bad arguments."""
        return self._write([self._checked(thing_id, command, arguments, by)])[0]

    def send_all(self, orders: Iterable[Order], by: str) -> tuple[int, list[Refused]]:
        """Sends many, part by part, so that others get to write in between: half a million lamps go on at dusk.

        How many were sent, and what was refused; a bad one stops no other.
        """
        refused: list[Refused] = []
        part: list[dict[str, Any]] = []
        sent = 0
        for thing_id, command, arguments in orders:
            try:
                part.append(self._checked(thing_id, command, arguments, by))
            except Refused as error:
                refused.append(error)
            if len(part) == AT_A_TIME:
                sent += len(self._write(part))
                part = []
        return sent + len(self._write(part)), refused

    def _checked(self, thing_id: str, command: str, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
        thing, declared = self._find(thing_id, command)
        checked = check_arguments(declared, arguments)
        return {"thing": thing.id, "command": command, "arguments": checked, "at": self.clock.now(), "by": by}

    def _write(self, rows: Sequence[dict[str, Any]]) -> list[Told]:
        if not rows:
            return []
        with self.store.write() as conn:
            statement = insert(commands).returning(commands.c.id, sort_by_parameter_order=True)
            numbers = conn.execute(statement, rows).scalars().all()
        told = [Told(id=number, state="sent", **row) for number, row in zip(numbers, rows, strict=True)]
        for each in told:
            body = {"id": each.id, "thing": each.thing, "command": each.command, "arguments": each.arguments}
            self.bus.publish(TOPIC.format(thing=each.thing), body)
        return told

    def _find(self, thing_id: str, command: str) -> tuple[Thing, Command]:
        thing = self.things.find(thing_id)
        if thing is None or thing.type not in self.things.model.entities:
            raise Refused("not-there", "There is no thing {id}.", {"id": thing_id}, status=404)
        if thing.state == "retired":
            raise Refused("retired", "{id} is retired and takes no commands.", {"id": thing_id}, status=409)
        known = self.things.model.entities[thing.type].commands()
        if command not in known:
            raise no_command(self.things.model.entities[thing.type], command)
        return thing, known[command]

    def mark(self, numbers: Sequence[int], state: str) -> None:
        """Notes that commands were `delivered` or `failed`."""
        change = update(commands).where(commands.c.id == bindparam("number")).values(state=state)
        with self.store.write() as conn:
            conn.execute(change, [{"number": number} for number in numbers])

    def trim(self, before: int) -> int:
        """Drops commands that are older than `before`, µs UTC, part by part; how many."""
        oldest = select(commands.c.id, commands.c.at).order_by(commands.c.id).limit(AT_A_TIME)
        gone = 0
        while True:
            with self.store.write() as conn:
                old = [row.id for row in conn.execute(oldest) if row.at < before]
                if not old:
                    return gone
                gone += conn.execute(delete(commands).where(commands.c.id <= old[-1], commands.c.at < before)).rowcount

    def of_thing(self, thing_id: str, limit: int = 50) -> list[Told]:
        """The newest first."""
        query = select(commands).where(commands.c.thing == thing_id).order_by(commands.c.id.desc()).limit(limit)
        with self.store.read() as conn:
            return [Told(**row) for row in conn.execute(query).mappings()]


def no_command(entity: type[Entity], command: str) -> Refused:
    known = list(entity.commands())
    if not known:
        return Refused("no-command", "A {type} takes no commands.", {"type": entity.__name__}, status=404)
    values = {"type": entity.__name__, "command": command, "hint": did_you_mean(command, known)}
    return Refused("no-command", "A {type} knows no command '{command}'; {hint}.", values, status=404)


def check_arguments(command: Command, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as their fields want them; Refused (422) with what is wrong with the first bad one."""
    for name in arguments:
        if name not in command.arguments:
            values = {"command": command.name, "name": name, "known": ", ".join(command.arguments) or "–"}
            message = "'{command}' has no argument '{name}'; it takes: {known}."
            raise Refused("unknown-argument", message, values, status=422)
    checked: dict[str, Any] = {}
    for name, field in command.arguments.items():
        if arguments.get(name) is None:
            values = {"command": command.name, "name": name}
            raise Refused("missing-argument", "'{command}' needs '{name}'.", values, status=422)
        checked[name] = argument(name, field, arguments[name])
    return checked


def argument(name: str, field: Kept, value: Any) -> Any:
    """One argument as its field wants it; Refused (422) with what was expected."""
    values: dict[str, Any] = {"name": name, "value": str(value)[:80]}
    if isinstance(field, Quantity):
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            message = "'{name}' is '{value}'; a number in {unit} is wanted."
            raise Refused("not-a-number", message, {**values, "unit": field.unit}, status=422)
        low, high = field.low, field.high
        if not (low is None or number >= low) or not (high is None or number <= high):
            span = {"low": "–∞" if low is None else f"{low:g}", "high": "∞" if high is None else f"{high:g}"}
            message = "'{name}' is {value}; it has to lie between {low} and {high} {unit}."
            raise Refused("out-of-range", message, {**values, **span, "unit": field.unit}, status=422)
        return number
    if isinstance(field, Choice) and value not in field.options:
        options = ", ".join(field.options)
        message = "'{name}' is '{value}'; choose from {options}."
        raise Refused("unknown-label", message, {**values, "options": options}, status=422)
    return str(value)
