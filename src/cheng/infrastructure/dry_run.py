"""Dry runs: a rule over history, judged by the same judge as the live stream, under one setting or several at once."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import msgspec
import numpy as np

from cheng.infrastructure.history import History
from cheng.infrastructure.things import Things
from cheng.kernel.dry_runs import DryRun, Setting
from cheng.kernel.entities import Choice, Entity, Event
from cheng.kernel.event_judging import judge_events
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.observations import BAD, Batch, Quality
from cheng.kernel.rules import Change, Rule
from cheng.kernel.stretches import Readings
from cheng.standards.durations import days

SKIPPED = int(BAD) & ~int(Quality.LATE)
"""Marks of readings that a dry run passes over. What came late to the live judging is in its place here."""
ROWS = 131_072
"""Readings judged in one go; memory does not grow with the length of the time."""
DAY = days(1).us
MANY, BLOCK = 20_000, 1_250
"""Things that a rule is tried on; of more, blocks are drawn evenly from the register, each of neighbours: they lie on
the same pages of history, and others need not be read."""


def try_rule(
    things: Things, history: History, rule: type[Rule], settings: Sequence[Setting], start: int, end: int
) -> list[DryRun]:
    """What the rule would have done in [start, end) µs under each setting, from one pass over history.

    Readings before `start` do not count: a hold or a window begins there. Raises ValueError for a setting that does
    not fit the rule.
    """
    runs = [DryRun(rule.key(), s.condition(rule).words(), s.hold_of(rule)) for s in settings]
    entity = rule.entity()
    if entity is None:
        _over_events(things, history, rule, settings, runs, start, end)
    else:
        _over_readings(things, history, rule, entity, settings, runs, start, end)
    for run in runs:
        _label(things, rule, run)
    return runs


def _over_readings(
    things: Things,
    history: History,
    rule: type[Rule],
    entity: type[Entity],
    settings: Sequence[Setting],
    runs: Sequence[DryRun],
    start: int,
    end: int,
) -> None:
    register = things.register(entity.__name__)
    judges = [Judge(entity, [Judged.of(rule, s.condition(rule), s.hold_of(rule))], register) for s in settings]
    members = things.of_type(entity.__name__)
    names = [thing.id for thing in members]
    drawn = sample(len(members))
    tried = np.zeros(len(members), np.bool_)
    tried[drawn] = True
    chosen = [members[slot].idx for slot in drawn.tolist()] if len(drawn) < len(members) else None

    def mine(changes: Iterable[Change]) -> Iterator[Change]:
        """Those of the things drawn: the others only seem silent."""
        return (change for change in changes if tried[change.slot])

    for run in runs:
        run.things, run.of = len(drawn), len(members)
    for rows in _readings(things, history, entity, chosen, start, end):
        for run, judge in zip(runs, judges, strict=True):
            if not run.stopped:
                run.readings += len(rows)
                run.take(mine(judge.take(rows)[1]), names)
        if all(run.stopped for run in runs):
            return
    for run, judge in zip(runs, judges, strict=True):
        run.take(mine(judge.tick(end)), names)
        run.broken = judge.rules[0].broken


def sample(count: int) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """The places, among so many things, of those that a rule is tried on, in their order."""
    if count <= MANY:
        return np.arange(count)
    begins = np.linspace(0, count - BLOCK, MANY // BLOCK).astype(np.intp)
    return np.unique(begins[:, None] + np.arange(BLOCK))


def _readings(
    things: Things, history: History, entity: type[Entity], chosen: Sequence[int] | None, start: int, end: int
) -> Iterator[Readings]:
    """The good readings of a type in batches, by time; of all fields, as each report is a moment to judge at.

    `chosen`: the indexes of the things whose readings count; None for all.
    """
    columns = things.register(entity.__name__).columns()
    numbers = {things.attributes[entity.__name__, name]: column for name, column in columns.items()}
    table = np.full(len(things.fields), -1, np.int32)
    table[list(numbers)] = list(numbers.values())
    for batch in history.scan(list(numbers), start, end, things=chosen, rows=ROWS):
        yield _as_readings(things, batch.take((batch.quality & SKIPPED) == 0), table)


def _as_readings(things: Things, batch: Batch, table: "np.ndarray[tuple[int], np.dtype[np.int32]]") -> Readings:
    slot = things.slot[batch.thing].astype(np.intp)
    return Readings(slot, table[batch.attr], batch.time, batch.value, batch.latitude)


def _over_events(
    things: Things,
    history: History,
    rule: type[Rule],
    settings: Sequence[Setting],
    runs: Sequence[DryRun],
    start: int,
    end: int,
) -> None:
    event = cast(type[Event], rule.subject)
    about = {"__doc__": rule.__doc__, "__module__": rule.__module__}
    rules = [type(rule.__name__, (rule,), {**about, "when": s.condition(rule)}) for s in settings]
    slot_of: dict[str, int] = {}
    for day in range(start, end, DAY):
        table = history.events([things.event_number(event.__name__)], day, min(day + DAY, end))
        records = [msgspec.json.decode(text, type=dict) for text in table["payload"].to_pylist()]
        subject = event.subject()
        names = [str(record.get(subject.name, "")) if subject else "" for record in records]
        times, slots = table["time"].to_numpy(), [slot_of.setdefault(name, len(slot_of)) for name in names]
        for run, tried in zip(runs, rules, strict=True):
            run.readings += len(records)
            changes, unjudged = judge_events(event, [tried], records, times)
            run.broken = next(iter(unjudged.values()), "")
            run.take((change._replace(slot=slots[change.slot]) for change in changes), list(slot_of))


def _label(things: Things, rule: type[Rule], run: DryRun) -> None:
    """Codes in the values become the labels that people know."""
    choices = {name: field for name, field in rule.subject.fields().items() if isinstance(field, Choice)}
    for trial in run.found.values() if choices else ():
        for name, field in choices.items():
            code = trial.values.get(name)
            if isinstance(code, float):
                trial.values[name] = None if math.isnan(code) else things.label(field, code)
