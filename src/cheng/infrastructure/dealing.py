"""A batch of everything dealt out to the types of its things."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.infrastructure.things import Things
from cheng.kernel.arrivals import deal, kinds_of
from cheng.kernel.columns import Ints, Marks, Rows
from cheng.kernel.observations import Batch
from cheng.kernel.stretches import Readings


class Dealt:
    """The readings of a batch that are to be judged, type by type, each in order of arrival."""

    def __init__(self, batch: Batch, quality: Marks, skipped: int, things: Things, owner: Ints, number: Ints) -> None:
        """Readings with a mark in `skipped` of `quality` (n,) are left out.

        owner and number are by attribute: the number of the type it belongs to, and its number among the live fields
        of that; -1 for neither.
        """
        count = len(batch)
        thing, attr = own(batch.thing), own(batch.attr)
        kinds, edges = np.empty(count, np.int32), np.zeros(len(things.types) + 1, np.intp)
        kinds_of(thing, attr, own(quality), skipped, things.type_number, owner, kinds, edges)
        self._rows, slot = np.empty((2, count), np.intp)
        value, latitude = np.empty((2, count))
        self._dealt = Readings(slot, np.empty(count, np.int32), np.empty(count, np.int64), value, latitude)
        time, value, latitude = own(batch.time), own(batch.value), own(batch.latitude)
        dealt = self._dealt.columns()
        deal(thing, attr, time, value, latitude, kinds, edges, things.slot, number, self._rows, *dealt)
        self._marks = np.zeros(count, np.uint16)
        self._edges: list[int] = edges.tolist()
        self.there = [kind for kind in range(1, len(edges) - 1) if self._edges[kind] < self._edges[kind + 1]]
        """numbers of the types that there is anything of"""

    def of(self, number: int) -> tuple[Readings, Marks, Rows]:
        """The readings of a type, room for their marks, and where in the batch they are."""
        some = slice(self._edges[number], self._edges[number + 1])
        slot, field, time, value, latitude = self._dealt.columns()
        readings = Readings(slot[some], field[some], time[some], value[some], latitude[some])
        return readings, self._marks[some], self._rows[some]

    def mark(self, quality: Marks) -> None:
        """Adds the marks of the readings to those of the batch."""
        some = slice(self._edges[1], self._edges[-1])
        quality[self._rows[some]] |= self._marks[some]


def own(column: npt.NDArray[Any]) -> Any:
    """A column that lies in one piece and may be written to: what kernels are compiled for."""
    return column if column.flags.c_contiguous and column.flags.writeable else column.copy()
