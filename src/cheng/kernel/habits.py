"""What is usual for each thing: the state behind `unusual(field)`, live, and settled as far as nothing late reaches."""

from collections.abc import Iterable, Iterator

import numpy as np

from cheng.kernel.columns import Bools, ByThing, Floats, Rows, Times
from cheng.kernel.stretches import Readings
from cheng.kernel.unusual import ROW, State, score
from cheng.standards.durations import hours

AHEAD = hours(8).us
"""Weekdays begin at midnight in China. Elsewhere they begin some hours off; what is learned by hour stays the same."""


class Habits:
    """By field: a row of state for each thing, once live and once settled."""

    def __init__(self, fields: Iterable[int]) -> None:
        """fields: their numbers; without any nothing is kept and nothing costs."""
        self.live: dict[int, State] = {field: np.zeros(0, ROW) for field in sorted(fields)}
        self.settled: dict[int, State] = {field: np.zeros(0, ROW) for field in self.live}

    def grow(self, things: int) -> None:
        """Makes room for things that nothing is known of."""
        for states in (self.live, self.settled):
            for field, state in states.items():
                more = np.zeros(max(things - len(state), 0), ROW)
                states[field] = np.concatenate((state, more))

    def advance(self, rows: Readings) -> Floats | None:
        """(n,) scores of sorted rows that are new; NaN for other fields. None when nothing is kept."""
        return self._step(self.live, rows, np.ones(len(rows), np.bool_))

    def again(self, slots: Rows, rows: Readings, closed: Times, until: ByThing) -> Floats | None:
        """The same over all that is remembered of these things, from the settled state on; rows outside are NaN."""
        for field, state in self.live.items():
            state[slots] = self.settled[field][slots]
        return self._step(self.live, rows, (rows.time >= closed[rows.slot]) & (rows.time <= until[rows.slot]))

    def settle(self, rows: Readings, due: Bools) -> Floats | None:
        """Takes rows (n,) that are due into the settled state."""
        return self._step(self.settled, rows, due)

    def parts(self) -> Iterator[tuple[str, State]]:
        """Every array of the state by name; its first axis counts things."""
        for name, states in (("live", self.live), ("settled", self.settled)):
            for field, state in states.items():
                yield f"usual.{name}.{field}", state

    @staticmethod
    def _step(states: dict[int, State], rows: Readings, due: Bools) -> Floats | None:
        if not states:
            return None
        scores = np.full(len(rows), np.nan)
        for field, state in states.items():
            some = np.flatnonzero(due & (rows.field == field))
            scores[some] = score(state, rows.slot[some], rows.time[some] + AHEAD, rows.value[some])
        return scores
