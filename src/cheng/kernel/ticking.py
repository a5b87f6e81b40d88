"""How far the clock has been followed, and which things it has to be asked about."""

import numpy as np

from cheng.kernel.book import CLOCK, FOLLOWED, QUEUED, RUNNING, STOPPED
from cheng.kernel.columns import NEVER, Bools, Rows, Times
from cheng.kernel.memory import Memory
from cheng.kernel.stretches import Register
from cheng.kernel.walking import due_by


class Clock:
    """Time is followed for things in use; for the others it stands still until they are in use again."""

    def __init__(self) -> None:
        self.now = NEVER
        """up to where it was followed"""
        self.running: Bools = np.zeros(0, np.bool_)
        """(things,) those in use when it was last looked at"""
        self.stopped: Times = np.zeros(0, np.int64)
        """(things,) where it was when a thing went out of use"""
        self._active: Bools | None = None
        self._registered: Times | None = None

    def of(self, slots: Rows) -> Times:
        """(n,) up to where the clock was followed for each thing."""
        if not len(self.running):
            return np.full(len(slots), NEVER, np.int64)
        place = np.minimum(slots, len(self.running) - 1)
        followed = np.where(self.running[place], self.now, self.stopped[place])
        return np.where(slots < len(self.running), followed, NEVER)

    def take_over(self, memory: Memory, slots: Rows, followed: Times) -> None:
        """Goes on with things from where the clock was followed before a restart, (n,) each."""
        missing = int(slots.max(initial=-1)) + 1 - len(self.running)
        if missing > 0:
            self.stopped = np.append(self.stopped, np.full(missing, NEVER))
            self.running = np.append(self.running, np.zeros(missing, np.bool_))
        self.stopped[slots] = followed
        self.now = max(self.now, int(followed.max(initial=NEVER)))  # a clock that fell back meanwhile goes on from here
        self._enter(memory)

    def _enter(self, memory: Memory) -> None:
        memory.book[CLOCK], memory.book[FOLLOWED] = self.now, len(self.running)
        memory.enter(RUNNING, self.running)
        memory.enter(STOPPED, self.stopped)

    def passes(self, register: Register, memory: Memory, now: int) -> bool:
        """Goes on to `now` where nobody has to be looked at by then, as mostly; False, and nothing done, otherwise."""
        known = self._active is self.running and register.active() is self._active
        if not known or register.registered() is not self._registered or memory.soonest() <= now:
            return False
        if now > self.now:
            self.now = memory.book[CLOCK] = now
        return True

    def due(self, register: Register, memory: Memory, now: int) -> Rows:
        """The things in use that have to be looked at by now, ascending; also those that the register changed."""
        out = np.empty(int(memory.book[QUEUED]), np.intp)
        found = out[: due_by(memory.book, now, out)]
        active, registered = register.active(), register.registered()
        if active is not self._active or registered is not self._registered:
            found = np.union1d(found, self._changed(active, registered))
            self._active, self._registered = active, registered
        return np.sort(found[active[found]])

    def _changed(self, active: Bools, registered: Times) -> Rows:
        """The things of which the register says something else than before."""
        changed = np.ones(len(active), np.bool_)
        if self._active is not None and self._registered is not None:
            known = min(len(active), len(self._active))
            changed[:known] = active[:known] != self._active[:known]
            changed[:known] |= registered[:known] != self._registered[:known]
        return np.flatnonzero(changed)

    def follow(self, memory: Memory, now: int) -> None:
        """Goes on to `now`, for what is in use now."""
        assert self._active is not None
        if self._active is not self.running:
            self.stopped = self.of(np.arange(len(self._active)))
            self.running = self._active
        self.now = max(self.now, now)
        self._enter(memory)
