"""All judges together: one per type of thing, fed from batches of everything, with their checkpoints."""

import hashlib
import time
from collections import Counter

import msgspec
import numpy as np

from cheng.infrastructure.alert_changes import Found, broken
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.dealing import Dealt
from cheng.infrastructure.history import History
from cheng.infrastructure.judge_states import Checkpoint, JudgeStates
from cheng.infrastructure.store import Store
from cheng.infrastructure.things import Things
from cheng.kernel.checkpoints import digest
from cheng.kernel.columns import Floats, Ints, Marks, Times
from cheng.kernel.conditions import Condition
from cheng.kernel.event_judging import judge_events
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.marks import Limits
from cheng.kernel.model import Model
from cheng.kernel.observations import BAD, Batch, Events, Frame, Quality
from cheng.kernel.stretches import Readings, Stretch
from cheng.standards.durations import days

DAY = days(1).us
TIMELESS = int(Quality.LATE | Quality.DUPLICATE)
"""Marks that the judging itself sets. A replay sets them again."""
KNOWN = 1 << 15
"""Marks, in a replay only, what was part of a thing's state when that was written down."""


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
        self.judged: Counter[str] = Counter()
        """readings by type, since the start"""
        self.seconds: Counter[str] = Counter()
        """the time their judging took"""
        self.states = JudgeStates(store, things, clock)
        self._known: Times | None = None
        """while the log is replayed: up to which reading each thing is known"""
        self._limits = Limits([])
        self._tables = (np.zeros(0, np.int32), np.zeros(0, np.int32))
        """by attribute: the number of the type it belongs to, and its number among the fields of that"""
        self.by_type: dict[str, Judge] = {}
        self._load()
        things.values = self.current

    def _new_judges(self) -> dict[str, Judge]:
        return {
            name: Judge(entity, [Judged.of(r) for r in self.model.rules_about(entity)], self.things.register(name))
            for name, entity in self.model.entities.items()
            if entity.live()
        }

    def _load(self) -> None:
        """Judges as of the last checkpoint; empty ones where there is none or it fits no more."""
        self.by_type = self._new_judges()
        self._known = self.states.load(self.by_type)
        if self._known is None:
            self.by_type = self._new_judges()
        self.seq = self.saved = self.states.behind if self._known is not None else -1

    def freeze(self) -> Checkpoint:
        """The whole state as it is now. Call it from the thread that feeds."""
        self.states.start_again()
        checkpoint = Checkpoint()
        while checkpoint.names is None:
            more = self.freeze_some()
            checkpoint = Checkpoint(checkpoint.parts + more.parts, more.names)
        return checkpoint

    def freeze_some(self) -> Checkpoint:
        """The next part of the state; a round of them is the whole. Call it from the thread that feeds."""
        return self.states.freeze(self.by_type, self.seq)

    @property
    def freezing(self) -> bool:
        """Whether a round of parts is under way."""
        return self.states.under_way

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint; the log before `saved` is not needed any more."""
        self.saved = self.states.save(checkpoint)

    def restore_from(self, history: History) -> None:
        """Back to what is durable: the last checkpoint and the log after it."""
        self._load()
        for first, frame in history.replay(self.seq):
            self.replay(frame, first)
            self.seq = first + len(frame) - 1

    def digest(self) -> str:
        """One hash of the state of all judges: the same for the same readings, however they came in."""
        found = hashlib.sha256()
        for name in sorted(self.by_type):
            found.update(name.encode() + digest(self.by_type[name], self.states.members(name)))
        return found.hexdigest()

    # -- feeding

    def warm_up(self) -> None:
        """Has the kernels ready before the first reading comes; it takes some seconds the first time on a machine."""
        nothing = Batch.empty()
        self._look_up_fields()
        self._limits.mark(nothing, 0)
        self._judge(nothing, nothing.quality, 0, fresh=False)
        for judge in self.by_type.values():
            judge.warm_up()

    def take(self, batch: Batch, now: int) -> list[Found]:
        """Marks a batch in place and judges it."""
        self._known = None
        self._look_up_fields()
        self._limits.mark(batch, now)
        return self._judge(batch, batch.quality, int(BAD), fresh=True)

    def replay(self, frame: Frame, first: int) -> list[Found]:
        """Judges again what the log holds from number `first` on; its marks are already there."""
        if isinstance(frame, Events):
            return self.take_events(frame)
        self._look_up_fields()
        quality, skipped = frame.quality, int(BAD) & ~TIMELESS
        if self._known is not None and first <= self._known.max(initial=-1):
            thing = np.clip(frame.thing, 0, max(len(self._known) - 1, 0))
            known = (self._known[thing] >= first + np.arange(len(frame))) & (frame.thing < len(self._known))
            quality = quality | np.where(known, KNOWN, 0).astype(np.uint16)
        return self._judge(frame, quality, skipped | KNOWN, fresh=False)

    def _look_up_fields(self) -> None:
        """Brings what is known by attribute up to the register."""
        things = self.things
        if len(self._tables[0]) == len(things.fields):
            return
        self._limits = Limits(things.fields)
        owner, number = (np.full(len(things.fields), -1, np.int32) for _ in range(2))
        for name, judge in self.by_type.items():
            for field, column in judge.register.columns().items():
                attribute = things.attributes[name, field]
                owner[attribute], number[attribute] = things.types.index(name), column
        self._tables = owner, number

    def _judge(self, batch: Batch, quality: Marks, skipped: int, *, fresh: bool) -> list[Found]:
        """Deals a batch out to the judges; readings with a mark in `skipped` of `quality` (n,) are passed over."""
        found: list[Found] = []
        dealt = Dealt(batch, quality, skipped, self.things, *self._tables)
        for number in dealt.there:
            name = self.things.types[number]
            readings, marks, rows = dealt.of(number)
            judge = self.by_type[name]
            began = time.perf_counter()
            leaps = self._leaps(judge, readings, batch.attr[rows]) if fresh and self._limits.leaps else 0
            _, changes = judge.take(readings, marks)
            marks |= leaps
            self.judged[name] += len(marks)
            self.seconds[name] += time.perf_counter() - began  # type: ignore[assignment]  # a float
            members = self.things.of_type(name)
            found += [Found(change, members[change.slot]) for change in changes]
        dealt.mark(batch.quality)
        return found

    def _leaps(self, judge: Judge, readings: Readings, attr: Ints) -> Marks | int:
        """(n,) the mark of readings that are further from the last value before the batch than they can be."""
        judge.grow()
        far = self._limits.jumps(attr, readings.value, judge.now.value[readings.field, readings.slot])
        return far * np.uint16(Quality.JUMP) if np.count_nonzero(far) else 0

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
            changes = judge.tick(now)
            if changes:
                members = self.things.of_type(name)
                found += [Found(change, members[change.slot]) for change in changes]
            for judged in judge.rules:
                if judged.broken:
                    failing[judged.rule.key()] = judged.broken
        new = {key: reason for key, reason in failing.items() if key not in self.failing}
        self.failing = failing
        return [*found, *broken(((self.model.rules[key], reason) for key, reason in new.items()), now // DAY * DAY)]

    # -- asking

    def standing(self) -> dict[tuple[str, int], int]:
        """The onset of every alert that stands, by rule and thing."""
        found: dict[tuple[str, int], int] = {}
        for name, judge in self.by_type.items():
            members = self.states.members(name)
            for key, slots, onsets in judge.standing():
                things = members[slots].tolist()
                found |= {(key, thing): onset for thing, onset in zip(things, onsets.tolist(), strict=True)}
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
