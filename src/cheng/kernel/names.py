"""Names that have numbers, found by their bytes inside a payload: what the register knows, for compiled kernels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cheng.kernel.columns import Ints
from cheng.kernel.compiled import compiled, part
from cheng.kernel.words import PAD, Text, word

Slots = npt.NDArray[np.int64]
LOW, EIGHT, SIXTY_FOUR = np.uint64(0xFFFFFFFF), np.uint64(8), np.uint64(64)
SPREAD, SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
HALF = np.uint64(32)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


class Table(NamedTuple):
    """An open-addressing hash table. Readers may go on with one while it grows: what they miss they ask again."""

    slots: Slots
    """(a power of two,) 0 where nothing is, else the upper half of the hash and, below it, the number + 1"""
    starts: Slots
    """(room + 1,) where each name begins in the arena, by number; it ends where the next one begins"""
    arena: Text
    """the names in UTF-8, one behind the other, and 8 bytes more"""
    seed: np.uint64


@part
def hash_of(text: Text, begin: int, end: int, seed: np.uint64) -> np.uint64:
    """A hash of the bytes from begin to end; 8 bytes behind them may be read."""
    found = seed ^ np.uint64(end - begin)
    at = begin
    while at + 8 <= end:
        found = (found ^ word(text, at)) * SPREAD
        found ^= found >> SHIFT
        at += 8
    if at < end:
        found = (found ^ (word(text, at) & (ALL >> np.uint64(64 - 8 * (end - at))))) * SPREAD
        found ^= found >> SHIFT
    found = found * SPREAD
    return found ^ (found >> HALF)


@part
def same(text: Text, begin: int, end: int, arena: Text, start: int) -> bool:
    """Whether the arena has the same bytes from `start` on."""
    at = begin
    while at + 8 <= end:
        if word(text, at) != word(arena, start):
            return False
        at += 8
        start += 8
    if at == end:
        return True
    difference = word(text, at) ^ word(arena, start)
    return bool(difference << np.uint64(64 - 8 * (end - at)) == np.uint64(0))


@part
def find(table: Table, text: Text, begin: int, end: int) -> int:
    """The number of the name that stands there; -1 for none."""
    code = hash_of(text, begin, end, table.seed)
    mask = len(table.slots) - 1
    at = np.int64(code & LOW) & mask
    while table.slots[at] != 0:
        entry = np.uint64(table.slots[at])
        if entry >> HALF == code >> HALF:
            number = np.int64(entry & LOW) - 1
            start = table.starts[number]
            if table.starts[number + 1] - start == end - begin and same(text, begin, end, table.arena, start):
                return int(number)
        at = (at + 1) & mask
    return -1


@compiled
def enter(table: Table, first: int, count: int) -> None:
    """Makes the names from `first` to before `count` findable; empty ones are not, of twins only the first is."""
    mask = len(table.slots) - 1
    for number in range(first, count):
        begin, end = table.starts[number], table.starts[number + 1]
        if begin == end or find(table, table.arena, begin, end) >= 0:
            continue
        code = hash_of(table.arena, begin, end, table.seed)
        at = np.int64(code & LOW) & mask
        while table.slots[at] != 0:
            at = (at + 1) & mask
        table.slots[at] = np.int64((code & (LOW << HALF)) | np.uint64(number + 1))


@compiled
def find_all(table: Table, text: Text, size: int, edges: Slots, found: Ints) -> bool:
    """The numbers of names that stand one behind the other in `size` bytes, `edges` (n + 1,) and found (n,); False as
    soon as one does not lie inside.
    """
    for row in range(len(found)):
        begin, end = edges[row], edges[row + 1]
        if not 0 <= begin <= end <= size:
            return False
        found[row] = find(table, text, begin, end)
    return True


class Names:
    """Names by number, in the order they were added. Anyone may look up while one at a time adds."""

    def __init__(self) -> None:
        self.table = _table(16, 256)
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def add(self, names: Sequence[str]) -> None:
        """Gives the next numbers to names; an empty one takes its number and is never found."""
        encoded = [name.encode() for name in names]
        edges = np.cumsum([self.table.starts[self.count], *map(len, encoded)])
        count = self.count + len(encoded)
        if count >= len(self.table.starts) or edges[-1] + len(PAD) > len(self.table.arena):
            self._grow(count, int(edges[-1]))
        table = self.table
        table.arena[edges[0] : edges[-1]] = np.frombuffer(b"".join(encoded), np.uint8)
        table.starts[self.count : count + 1] = edges
        enter(table, self.count, count)
        self.count = count

    def find(self, names: Sequence[str]) -> Ints:
        """(n,) the number of each name; -1 for none."""
        encoded = [name.encode() for name in names]
        found = np.empty(len(encoded), np.int32)
        text = np.frombuffer(b"".join(encoded) + PAD, np.uint8)
        edges = np.cumsum([0, *map(len, encoded)])
        find_all(self.table, text, int(edges[-1]), edges, found)
        return found

    def told(self, number: int) -> str:
        """The name with a number."""
        table = self.table
        return table.arena[table.starts[number] : table.starts[number + 1]].tobytes().decode()

    def _grow(self, count: int, size: int) -> None:
        """A table with room for so many names of so many bytes together takes the place of this one."""
        old, room = self.table, 1 << count.bit_length()
        table = _table(room, size + size // 4 + 256)
        table.starts[: self.count + 1] = old.starts[: self.count + 1]
        size = int(old.starts[self.count])
        table.arena[:size] = old.arena[:size]
        enter(table, 0, self.count)
        self.table = table


def _table(room: int, size: int) -> Table:
    """An empty table for up to `room` names, a power of two: at least half of its slots stay empty."""
    seed = np.uint64(hash("names") & 0xFFFFFFFFFFFFFFFF)  # another one in each process: nobody can plan collisions
    return Table(np.zeros(2 * room, np.int64), np.zeros(room + 1, np.int64), np.zeros(size, np.uint8), seed)
