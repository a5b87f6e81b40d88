"""The state of the judging in the store: taken and written in parts, so that what feeds it never waits for long.

Each part holds some things of a type as they were at one reading; parts of one round differ in theirs. After a start
the log is replayed from the oldest part on, and each thing passes over what its part knows already.
"""

import json
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from sqlalchemy import insert, select

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import checkpoints
from cheng.infrastructure.things import Things
from cheng.kernel.checkpoints import Frozen, as_bytes, freeze, from_bytes, thaw
from cheng.kernel.columns import Rows, Times
from cheng.kernel.judging import Judge

TOGETHER = 32_768
"""Things of a part."""
PREFIX = "judge/"
WHOLE = "judge-parts"
"""Where the names of all parts stand, once all of them have been written."""


class Part(NamedTuple):
    """Some things of a type, up to a reading."""

    name: str
    seq: int
    state: Frozen


@dataclass
class Checkpoint:
    """Parts of the state; with the last of a round the state is whole."""

    parts: list[Part] = field(default_factory=list)
    names: list[str] | None = None
    """of all parts there are, with the last one"""


class JudgeStates:
    """Takes states apart for the store, and puts them together again."""

    def __init__(self, store: Store, things: Things, clock: Clock) -> None:
        self.store, self.things, self.clock = store, things, clock
        self.saved: dict[str, int] = {}
        """by part that is in the store: the reading it goes up to"""
        self._left: list[tuple[str, int]] = []
        """type and first thing of the parts still to be taken in this round"""
        self._names: list[str] = []
        self._members: dict[str, Rows] = {}
        self._whole = False
        """whether the store holds all parts"""

    def members(self, name: str) -> Rows:
        """(things of the type,) the register's index of each slot."""
        known, members = self._members.get(name, np.zeros(0, np.intp)), self.things.of_type(name)
        if len(known) < len(members):
            fresh = np.array([thing.idx for thing in members[len(known) :]], np.intp)
            known = self._members[name] = np.concatenate((known, fresh))
        return known

    @property
    def under_way(self) -> bool:
        """Whether a round has begun and is not at its end."""
        return bool(self._left)

    def start_again(self) -> None:
        """Forgets the round that is under way."""
        self._left = []

    def freeze(self, judges: dict[str, Judge], seq: int) -> Checkpoint:
        """The next part of the state, from a new round on if none is under way."""
        if not self._left:
            sizes = {name: len(self.things.of_type(name)) for name in judges}
            self._left = [(name, begin) for name, size in sizes.items() for begin in range(0, max(size, 1), TOGETHER)]
            self._names = [f"{PREFIX}{name}/{begin}" for name, begin in self._left]
        checkpoint = Checkpoint()
        room = TOGETHER
        while self._left and room > 0:
            name, begin = self._left.pop()
            members = self.members(name)
            room -= min(len(members) - begin, TOGETHER) + 1
            state = freeze(judges[name], members, begin, begin + TOGETHER)
            checkpoint.parts.append(Part(f"{PREFIX}{name}/{begin}", seq, state))
        if not self._left:
            checkpoint.names = self._names
        return checkpoint

    def save(self, checkpoint: Checkpoint) -> int:
        """Writes parts in the place of what they were; returns the reading up to which the log is not needed."""
        for part in checkpoint.parts:
            self._write(part.name, part.seq, as_bytes(part.state))
            self.saved[part.name] = part.seq
        if checkpoint.names is not None:
            self._write(WHOLE, 0, json.dumps(checkpoint.names).encode())
            self._whole = True
            for name in self.saved.keys() - set(checkpoint.names):
                with self.store.write() as conn:
                    conn.execute(checkpoints.delete().where(checkpoints.c.name == name))
                del self.saved[name]
        return self.behind

    @property
    def behind(self) -> int:
        """The reading up to which the log is not needed; -1 while the state has never been written as a whole."""
        return min(self.saved.values(), default=-1) if self._whole else -1

    def _write(self, name: str, seq: int, data: bytes) -> None:
        with self.store.write() as conn:
            conn.execute(checkpoints.delete().where(checkpoints.c.name == name))
            conn.execute(insert(checkpoints), [{"name": name, "seq": seq, "at": self.clock.now(), "data": data}])

    def load(self, judges: dict[str, Judge]) -> Times | None:
        """Brings fresh judges to what the store holds.

        Returns up to which reading each thing of the register is known; None, and then the judges are not to be used,
        when there is nothing, or the types or their fields are others than they were.
        """
        with self.store.read() as conn:
            rows = conn.execute(select(checkpoints).where(checkpoints.c.name.startswith("judge"))).all()
        kept = {row.name: row for row in rows if row.name.startswith(PREFIX)}
        whole = next((json.loads(row.data) for row in rows if row.name == WHOLE), None)
        self.saved = {name: row.seq for name, row in kept.items()}
        self.start_again()
        self._whole = whole is not None and kept.keys() >= set(whole)
        self._whole &= {name.split("/")[1] for name in kept} == judges.keys()
        slots = {thing.idx: thing.slot for thing in self.things.by_idx}
        known = np.full(len(self.things), self.behind, np.int64)
        for name, row in kept.items() if self._whole else ():
            state = from_bytes(row.data)
            if not thaw(judges[name.split("/")[1]], state, slots):
                self._whole = False
                return None
            things = state["things"]
            known[things[things < len(known)]] = row.seq
        return known if self._whole else None
