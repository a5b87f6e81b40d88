"""Pages opened again: the rows of them that answer a question, and no more than those.

A kernel never trusts what it reads: a page that does not agree with its check word, or whose lengths cannot be, is not
opened at all.
"""

from typing import Any

import numpy as np

from cheng.infrastructure.history_packing import KEY, PAGE, SCALES, UNITS, Longs, Words, check_of
from cheng.kernel.compiled import called, compiled


@called
def length_of(words: Words, at: int, end: int, n: int) -> Any:
    """Words of the column at `at`; -1 if they cannot lie before `end`."""
    if at + 3 > end:
        return -1
    width, exceptions = np.int64(words[at] & np.uint64(0xFF)), np.int64(words[at] >> np.uint64(16))
    if width > 64 or exceptions < 0 or exceptions > n:
        return -1
    length = 3 + (n * width + 63) // 64 + exceptions + (exceptions + 3) // 4
    return length if at + length <= end else -1


@called
def open_words(words: Words, at: int, n: Any, begin: Any, end: Any, residues: Words) -> Any:
    """Unpacks residues of rows [begin, end) of a column that `length_of` has measured; where its exceptions begin."""
    width = np.int64(words[at] & np.uint64(0xFF))
    body = at + 3
    spare = body + (n * width + 63) // 64
    if width == 0:
        for row in range(begin, end):
            residues[row] = np.uint64(0)
        return spare
    mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - width)
    bit: Any = begin * width
    for row in range(begin, end):
        word, shift = body + (bit >> 6), np.uint64(bit & 63)
        further = words[min(word + 1, spare - 1)] << np.uint64(1) << (np.uint64(63) - shift)
        residues[row] = (words[word] >> shift | further) & mask
        bit += width
    return spare


@called
def open_steps(words: Words, at: int, n: Any, end: Any, residues: Words, column: Longs) -> None:
    """The first `end` of n rows."""
    exceptions = np.int64(words[at] >> np.uint64(16))
    unit: Any = min(np.int64(words[at] >> np.uint64(8) & np.uint64(0xFF)), 1)
    size = UNITS[unit]
    base, here = np.int64(words[at + 1]), np.int64(words[at + 2])
    if words[at] & np.uint64(0xFF) == np.uint64(0) and exceptions == 0:
        for row in range(end):
            column[row] = (here + base * row) * size
        return
    spare = open_words(words, at, n, 0, end, residues)
    for turn in range(exceptions):
        place = words[spare + exceptions + (turn >> 2)] >> np.uint64(16 * (turn & 3))
        at_row: Any = min(np.int64(place & np.uint64(0xFFFF)), n - 1)
        residues[at_row] = words[spare + turn]
    column[0] = here * size
    for row in range(1, end):
        here += base + np.int64(residues[row])
        column[row] = here * size


@called
def open_floats(words: Words, at: int, n: Any, begin: Any, end: Any, residues: Words, column: Any, bits: Longs) -> None:
    """Rows [begin, end) of n; what lies in the others is of no use."""
    spare = open_words(words, at, n, begin, end, residues)
    exceptions = np.int64(words[at] >> np.uint64(16))
    decimals = np.int64(words[at] >> np.uint64(8) & np.uint64(0xFF))
    base = np.int64(words[at + 1])
    if decimals > 6:
        for row in range(begin, end):
            bits[row] = base + np.int64(residues[row])
    else:
        scale = SCALES[decimals]
        for row in range(begin, end):
            column[row] = (base + np.int64(residues[row])) / scale
    for turn in range(exceptions):
        place = words[spare + exceptions + (turn >> 2)] >> np.uint64(16 * (turn & 3))
        at_row: Any = min(np.int64(place & np.uint64(0xFFFF)), n - 1)
        bits[at_row] = np.int64(words[spare + turn])


@called
def layout(words: Words, start: int, end: int, check: Any, rows: int, places: Longs) -> bool:
    """Finds the seven columns of the page between `start` and `end`; False if it is not as it was written."""
    if start < 0 or end > len(words) or start >= end or not 0 < rows <= PAGE:
        return False
    if check_of(words, start, end) != check or words[start] != np.uint64(rows):
        return False
    at = start + 1
    for column in range(7):
        places[column] = at
        length = length_of(words, at, end, rows)
        if length < 0:
            return False
        at += length
    return at == end


@called
def span_of(longs: Longs, n: Any, low: Any, high: Any) -> Any:
    """The first row and the row after the last of those with a key in the closed range."""
    begin, after = 0, 0
    for row in range(n):
        key = longs[0, row] * KEY + longs[1, row]
        begin += key < low
        after += key <= high
    return begin, after


@called
def pick_rows(longs: Longs, begin: Any, end: Any, times: Any, bad: int, picked: Longs) -> Any:
    """The rows with a time in the closed range and no mark of `bad`; how many."""
    here = 0
    for row in range(begin, end):
        picked[here] = row
        wanted = (times[0] <= longs[2, row]) & (longs[2, row] <= times[1]) & (longs[3, row] & bad == 0)
        here += wanted
    return here


@called
def open_picked(
    words: Words, at: int, n: Any, picked: Longs, here: Any, residues: Words, column: Any, bits: Longs
) -> None:
    """The rows picked of a column of floats, one stretch after the other."""
    turn: Any = 0
    while turn < here:
        begin = picked[turn]
        turn += 1
        while turn < here and picked[turn] - picked[turn - 1] < 8:
            turn += 1
        open_floats(words, at, n, begin, picked[turn - 1] + 1, residues, column, bits)


@compiled
def unpack(
    words: Words, pages: Longs, checks: Words, keys: Any, times: Any, bad: int, wide: bool, columns: Any, spoilt: Any
) -> Any:
    """The readings of `pages` (first word, word after the last, rows) with key and time in closed ranges and no mark
    of `bad`, into the columns; how many. `spoilt` says which pages are damaged: nothing of them is taken.
    The columns must have room for all rows of all pages. Without `wide`, seq and latitude are left as they are.
    """
    seq, thing, attr, time, value, latitude, quality = columns
    places, picked, taken = np.empty(7, np.int64), np.empty(PAGE, np.int64), 0
    longs, floats, residues = np.empty((5, PAGE), np.int64), np.empty((2, PAGE)), np.empty(PAGE, np.uint64)
    bits = floats.view(np.int64)
    for page in range(len(pages)):
        n = pages[page, 2]
        if not layout(words, pages[page, 0], pages[page, 1], checks[page], n, places) or taken + n > len(time):
            spoilt[page] = True
            continue
        for column in range(2):
            open_steps(words, places[column], n, n, residues, longs[column])
        begin, end = span_of(longs, n, keys[0], keys[1])
        for column in range(2, 4 if begin < end else 2):
            open_steps(words, places[column], n, end, residues, longs[column])
        here = pick_rows(longs, begin, end, times, bad, picked)
        for column in range((2 if wide else 1) if here else 0):
            open_picked(words, places[5 + column], n, picked, here, residues, floats[column], bits[column])
        if wide and here:
            open_steps(words, places[4], n, end, residues, longs[4])
        for turn in range(here):
            row, to = picked[turn], taken + turn
            attr[to], thing[to], time[to] = longs[0, row], longs[1, row], longs[2, row]
            value[to], quality[to] = floats[0, row], longs[3, row]
            if wide:
                seq[to], latitude[to] = longs[4, row], floats[1, row]
        taken += here
    return taken
