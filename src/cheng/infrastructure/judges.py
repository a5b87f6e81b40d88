"""All judges together: one per type of thing, fed from batches of everything, with their checkpoints."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from sqlalchemy import insert, select

from cheng.infrastructure.alert_changes import Found, broken
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.history import History
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import checkpoints
from cheng.infrastructure.things import Things
from cheng.kernel.checkpoints import freeze, thaw
from cheng.kernel.columns import NEVER, Bools, Floats, Rows, distinct
from cheng.kernel.conditions import Condition
from cheng.kernel.event_judging import judge_events
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.marks import Limits
from cheng.kernel.model import Model
from cheng.kernel.observations import BAD, Batch, Events, Frame
from cheng.kernel.rules import Change
from cheng.kernel.stretches import Readings, Stretch
from cheng.standards.durations import days

DAY = days(1).us
TIMELESS = 8 | 32
"""Marks that the judging itself sets: late and duplicate. A replay sets them again."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of every judge up to a reading."""

    seq: int
    states: dict[str, bytes]


class Judges:
    """State of the judging over the whole city. One thread feeds it; `current` may be read from any."""

    def __init__(self, store: Store, model: Model, things: Things, clock: Clock) -> None:
        self.store, self.model, self.things, self.clock = store, model, things, clock
        self.seq = -1
        """number of the last reading that is part of the state"""
        self.saved = -1
        """the same, of the last checkpoint: what comes after it is still needed from the log"""
        self.failing: dict[str, str] = {}
        """rules that cannot be judged, with the reason"""
        self._unjudged: dict[str, str] = {}
        """why rules about events could not be judged the last time; empty where they could"""
        self.by_type: dict[str, Judge] = {}
        self._load()
        things.values = self.current

    def _load(self) -> None:
        """Judges as of the last checkpoint; empty ones where there is none or it fits no more."""
        self.by_type = {
            name: Judge(entity, [Judged.of(r) for r in self.model.rules_about(entity)], self.things.register(name))
            for name, entity in self.model.entities.items()
            if entity.live()
        }
        with self.store.read() as conn:
            rows = conn.execute(select(checkpoints).where(checkpoints.c.name.startswith("judge/"))).all()
        kept = {row.name.removeprefix("judge/"): row for row in rows}
        if kept.keys() != self.by_type.keys():
            self.seq = -1
            return
        slots = {thing.idx: thing.slot for thing in self.things.by_idx}
        whole = all(thaw(judge, kept[name].data, slots) for name, judge in self.by_type.items())
        self.seq = self.saved = min((row.seq for row in kept.values()), default=-1) if whole else -1

    def freeze(self) -> Checkpoint:
        """The state as it is now. Call it from the thread that feeds."""
        return Checkpoint(self.seq, {name: freeze(judge, self._members(name)) for name, judge in self.by_type.items()})

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint; the log before it is not needed any more."""
        now = self.clock.now()
        rows = [
            {"name": f"judge/{name}", "seq": checkpoint.seq, "at": now, "data": data}
            for name, data in checkpoint.states.items()
        ]
        with self.store.write() as conn:
            conn.execute(checkpoints.delete().where(checkpoints.c.name.startswith("judge/")))
            if rows:
                conn.execute(insert(checkpoints), rows)
        self.saved = checkpoint.seq

    def _members(self, name: str) -> Rows:
        return np.array([thing.idx for thing in self.things.of_type(name)], np.intp)

    def restore_from(self, history: History) -> None:
        """Back to what is durable: the last checkpoint and the log after it."""
        self._load()
        for first, frame in history.replay(self.seq):
            self.replay(frame)
            self.seq = first + len(frame) - 1

    # -- feeding

    def take(self, batch: Batch, now: int) -> list[Found]:
        """Marks a batch in place and judges it."""
        limits = Limits(self.things.fields)
        limits.mark(batch, now)
        if limits.jumps:
            limits.mark_jumps(batch, self._before(batch))
        return self._judge(batch, (batch.quality & int(BAD)) == 0)

    def replay(self, frame: Frame) -> list[Found]:
        """Judges again what the log holds; its marks are already there."""
        if isinstance(frame, Events):
            return self.take_events(frame)
        return self._judge(frame, (frame.quality & (int(BAD) & ~TIMELESS)) == 0)

    def _judge(self, batch: Batch, good: Bools) -> list[Found]:
        found: list[Found] = []
        kinds = np.where(good, self.things.type_number[batch.thing], 0)
        for number in distinct(kinds, len(self.things.types)):
            name = self.things.types[number]
            judge = self.by_type.get(name)
            if judge is None:
                continue
            rows = np.flatnonzero(kinds == number)
            marks, changes = judge.take(self._readings(batch, rows, name))
            batch.quality[rows] |= marks
            found += self._with_things(name, changes)
        return found

    def _readings(self, batch: Batch, rows: Rows, name: str) -> Readings:
        numbers = self.things.register(name).columns()
        table = np.full(len(self.things.fields), -1, np.int32)
        for column, number in numbers.items():
            table[self.things.attributes[name, column]] = number
        slot = self.things.slot[batch.thing[rows]].astype(np.intp)
        return Readings(slot, table[batch.attr[rows]], batch.time[rows], batch.value[rows], batch.latitude[rows])

    def _with_things(self, name: str, changes: list[Change]) -> Iterator[Found]:
        members = self.things.of_type(name)
        return (Found(change, members[change.slot]) for change in changes)

    def take_events(self, events: Events) -> list[Found]:
        """Judges events against the rules about their types."""
        found: list[Found] = []
        for number in np.unique(events.type).tolist():
            event = self.model.events.get(self.things.event_name(number))
            if event is None:
                continue
            rules = self.model.rules_about(event)
            rows = np.flatnonzero(events.type == number)
            records = [msgspec.json.decode(events.payload[row], type=dict) for row in rows.tolist()]
            subject = event.subject()
            things = [self.things.find(str(r.get(subject.name))) if subject else None for r in records]
            changes, unjudged = judge_events(event, rules, records, events.time[rows])
            self._unjudged |= {rule.key(): unjudged.get(rule.key(), "") for rule in rules}
            found += [Found(change, things[change.slot]) for change in changes]
        return found

    def tick(self, now: int) -> list[Found]:
        """What the passing of time has made true; and rules that cannot be judged say so."""
        found: list[Found] = []
        failing = {key: reason for key, reason in self._unjudged.items() if reason}
        for name, judge in self.by_type.items():
            found += self._with_things(name, judge.tick(now))
            failing |= {judged.rule.key(): judged.broken for judged in judge.rules if judged.broken}
        new = {key: reason for key, reason in failing.items() if key not in self.failing}
        self.failing = failing
        return [*found, *broken(((self.model.rules[key], reason) for key, reason in new.items()), now // DAY * DAY)]

    # -- asking

    def standing(self) -> dict[tuple[str, int], int]:
        """The onset of every alert that stands, by rule and thing."""
        found: dict[tuple[str, int], int] = {}
        for name, judge in self.by_type.items():
            members = self._members(name)
            for judged in judge.rules:
                slots = np.flatnonzero(judged.live.onset[: len(members)] != NEVER)
                onsets = judged.live.onset[slots].tolist()
                key = judged.rule.key()
                found |= {(key, int(members[s])): onset for s, onset in zip(slots, onsets, strict=True)}
        return found

    def current(self, type_name: str, field: str) -> Floats:
        """(things of the type,) the last value of a live field; NaN where it has not reported."""
        judge = self.by_type[type_name]
        judge.grow()
        number = judge.register.columns()[field]
        values: Floats = judge.now.value[number]
        return values

    def truth(self, condition: Condition, thing: int | None) -> bool | None:
        """Whether a condition holds for a thing now, by its last readings; None when that is not known."""
        known = self.things.by_idx[thing] if thing is not None else None
        judge = self.by_type.get(known.type) if known else None
        if known is None or judge is None:
            return None
        judge.grow()
        moment = Readings.moments(np.array([known.slot]), np.array([self.clock.now()]))
        yes, no = condition.judge(Stretch(moment, judge.now, judge.register))
        return True if yes[0] else False if no[0] else None

    def _before(self, batch: Batch) -> Floats:
        """(n,) the last value of each reading's field before the batch."""
        before = np.full(len(batch), np.nan)
        kinds = self.things.type_number[batch.thing]
        for number in distinct(kinds, len(self.things.types)):
            name = self.things.types[number]
            if name in self.by_type:
                self.by_type[name].grow()
                rows = np.flatnonzero(kinds == number)
                readings = self._readings(batch, rows, name)
                known = readings.field >= 0
                before[rows[known]] = self.by_type[name].now.value[readings.field[known], readings.slot[known]]
        return before
