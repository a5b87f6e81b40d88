"""The last readings of each thing: what a late reading is judged again with, and what windows look back on.

Arrays of shape (things, room), sorted by time within each thing.
"""

import numpy as np

from cheng.kernel.columns import NEVER, Rows, Times, rank, starts
from cheng.kernel.stretches import Readings

MOST = 4096
"""Readings kept per thing at the most; beyond it the oldest go, and lateness and windows shrink with them."""
BUDGET = 8_000_000
"""Readings kept per type of thing at the most (28 bytes each)."""


class Recents:
    def __init__(self, room: int = 16) -> None:
        self.room = room
        self.time: Times = np.full((0, room), NEVER, np.int64)
        self.field = np.zeros((0, room), np.int32)
        self.value = np.zeros((0, room))
        self.latitude = np.zeros((0, room))
        self.count: Rows = np.zeros(0, np.intp)

    def grow(self, things: int) -> None:
        self._pad(things - len(self.count), 0)
        self.count = np.pad(self.count, (0, things - len(self.count)))

    def _pad(self, things: int, room: int) -> None:
        more = ((0, things), (0, room))
        self.time = np.pad(self.time, more, constant_values=NEVER)
        self.field, self.value = np.pad(self.field, more), np.pad(self.value, more)
        self.latitude = np.pad(self.latitude, more)
        self.room += room

    def make_room(self, needed: int, most: int) -> None:
        """Room for that many readings a thing, doubling, up to `most`."""
        while self.room < min(needed, most):
            self._pad(0, min(self.room, most - self.room))

    def of(self, slots: Rows) -> Readings:
        """The readings of these (ascending) things."""
        held = np.arange(self.room) < self.count[slots, None]
        at = np.nonzero(held)
        thing = slots[at[0]]
        where = (thing, at[1])
        return Readings(thing, self.field[where], self.time[where], self.value[where], self.latitude[where])

    def append(self, rows: Readings) -> None:
        """Adds sorted rows, all newer than what their things have; there has to be room."""
        first = starts(rows.slot)
        self._write(rows, self.count[rows.slot] + rank(first))
        np.add.at(self.count, rows.slot, 1)

    def replace(self, slots: Rows, rows: Readings) -> None:
        """Puts sorted rows in the place of all that these things have; there has to be room."""
        self.count[slots] = 0
        self._write(rows, rank(starts(rows.slot)))
        np.add.at(self.count, rows.slot, 1)

    def _write(self, rows: Readings, position: Rows) -> None:
        at = (rows.slot, position)
        self.time[at], self.field[at] = rows.time, rows.field
        self.value[at], self.latitude[at] = rows.value, rows.latitude
