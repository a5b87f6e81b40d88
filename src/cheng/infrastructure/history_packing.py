"""Pages: up to 1,024 sorted readings as 64-bit words, small because neighbours are alike, and quick to open.

A column of integers is kept as differences in as few bits each as most of them need; the few that need more follow
as exceptions. Times are counted in milliseconds where that fits all of a page. A column of floats is kept as decimal
integers where that gives every bit back, else as its bits. The index of a segment has a check word for each page:
whatever one word of a page is changed to, it no longer agrees. `history_unpacking` opens them.
"""

from typing import Any

import numpy as np

from cheng.kernel.compiled import called, compiled, part

Words = Any
"""(n,) uint64; typed loosely, as the kinds of integers that kernels mix have no common type but Any"""
Longs = Any
"""(n,) or (n, k) int64"""

PAGE = 1024
"""rows in a full page"""
LARGEST = 7 * (PAGE + 8) + 2
"""words in the largest page there can be"""
SAMPLE = 64
EXCEPTION = 80
"""bits an exception takes"""
RAW = 15
"""in place of a number of decimals: these are bits"""
UNITS = np.array([1, 1_000])
KEY = 1 << 32
SCALES = np.array([1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6])
EXACT = 9.0e15
"""integers up to here are exact in a float"""
MISFIT = np.uint64(1 << 63)
"""in place of an integer that does not give its float back: wider than any that does"""


@called
def bit_length(number: Any) -> Any:
    length, rest = 0, np.uint64(number)
    for step in (32, 16, 8, 4, 2, 1):
        if rest >> np.uint64(step) != np.uint64(0):
            length += step
            rest >>= np.uint64(step)
    return length + np.int64(rest)


@called
def check_of(words: Words, start: int, end: int) -> Any:
    """Every step is reversible, so that a change of one word always shows in the end."""
    state = np.uint64(0x9E3779B97F4A7C15)
    for at in range(start, end):
        state = (state ^ words[at]) * np.uint64(0xFF51AFD7ED558CCD)
        state ^= state >> np.uint64(32)
    return state


@called
def choose_width(residues: Words, n: int) -> Any:
    """The width with the shortest result, guessed from a sample; any width is right, exceptions take the rest."""
    union = np.uint64(0)
    for row in range(n):
        union |= residues[row]
    most = bit_length(union)
    step = max(1, n // SAMPLE)
    best, least = most, most * ((n + step - 1) // step)
    for width in range(most if most > 2 else 0):
        cost = 0
        for row in range(0, n, step):
            cost += width + EXCEPTION * (residues[row] >> np.uint64(width) != np.uint64(0))
        if cost < least:
            best, least = width, cost
    exceptions = 0
    for row in range(n if best < most else 0):
        exceptions += residues[row] >> np.uint64(best) != np.uint64(0)
    return most if exceptions * EXCEPTION + best * n > most * n else best


@called
def write_words(
    residues: Words, width: Any, final: Words, n: int, kind: int, base: Any, first: Any, out: Words, at: int
) -> Any:
    """Header, base, first, residues in `width` bits, exceptions (from `final`); where the next column begins."""
    most = ~np.uint64(0) if width == 64 else (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    spare = at + 3 + (n * width + 63) // 64
    exceptions = 0
    for row in range(n):
        exceptions += residues[row] > most
    if exceptions:
        places, turn = spare + exceptions, 0
        for word in range(places, places + (exceptions + 3) // 4):
            out[word] = np.uint64(0)
        for row in range(n):
            if residues[row] > most:
                out[spare + turn] = final[row]
                out[places + (turn >> 2)] |= np.uint64(row) << np.uint64(16 * (turn & 3))
                residues[row] = np.uint64(0)
                turn += 1
    word, bit, held = at + 3, 0, np.uint64(0)
    for row in range(n if width else 0):
        residue = residues[row]
        held |= residue << np.uint64(bit)
        bit += width
        if bit >= 64:
            out[word] = held
            word += 1
            bit -= 64
            held = residue >> np.uint64(width - bit) if bit else np.uint64(0)
    if bit:
        out[word] = held
    out[at] = np.uint64(width | kind << 8 | exceptions << 16)
    out[at + 1] = np.uint64(base)
    out[at + 2] = np.uint64(first)
    return spare + exceptions + (exceptions + 3) // 4


@called
def counted(times: Longs, n: int, scratch: Longs) -> int:
    """Counts times in milliseconds (1) if all are whole ones; else 0, and they stay microseconds."""
    whole = True
    for row in range(n):
        scratch[row] = times[row] // 1_000
        whole &= scratch[row] * 1_000 == times[row]
    for row in range(n if whole else 0):
        times[row] = scratch[row]
    return 1 if whole else 0


@called
def pack_steps(column: Longs, n: int, unit: int, residues: Words, out: Words, at: int) -> Any:
    """A column whose neighbours lie close: the differences, above the least one that is not negative.

    Where too many are negative to be exceptions, above the least one.
    """
    low, least, most, falls = np.int64(-1), np.int64(0), np.int64(0), 0
    for row in range(1, n):
        step = column[row] - column[row - 1]
        residues[row] = np.uint64(step)
        least, most = min(least, step), max(most, step)
        falls += step < 0
        if step >= 0 and (low < 0 or step < low):
            low = step
    base: Any = max(low, 0)
    if falls * EXCEPTION > n * bit_length(np.uint64(most) - np.uint64(least)):
        base = least
    residues[0] = np.uint64(base)
    for row in range(n):
        residues[row] -= np.uint64(base)
    return write_words(residues, choose_width(residues, n), residues, n, unit, base, column[0], out, at)


@called
def decimals_of(column: Any, n: int) -> Any:
    """The fewest decimals that give nine in ten of a sample back, or RAW."""
    for decimals in range(7):
        scale = SCALES[decimals]
        seen, fitting = 0, 0
        for row in range(0, n, max(1, n // SAMPLE)):
            seen += 1
            scaled = np.floor(column[row] * scale + 0.5)
            fitting += abs(scaled) < EXACT and scaled / scale == column[row]
        if fitting * 10 >= seen * 9:
            return decimals
    return RAW


@called
def pack_bits(bits: Any, n: int, residues: Words, final: Words, out: Words, at: int) -> Any:
    """A column of floats as its bits, above the least of them."""
    base = bits[0]
    for row in range(n):
        base = min(base, bits[row])
    for row in range(n):
        final[row] = np.uint64(bits[row])
        residues[row] = final[row] - np.uint64(base)
    return write_words(residues, choose_width(residues, n), final, n, RAW, base, 0, out, at)


@called
def pack_floats(column: Any, bits: Any, n: int, residues: Words, final: Words, out: Words, at: int) -> Any:
    """A column of floats, with its bits: exceptions are the bits themselves."""
    same = 1
    while same < n and bits[same] == bits[0]:
        same += 1
    decimals = RAW if same == n else decimals_of(column, n)
    if decimals == RAW:
        return pack_bits(bits, n, residues, final, out, at)
    scale, base, known = SCALES[decimals], np.int64(0), False
    for row in range(n):
        scaled = np.floor(column[row] * scale + 0.5)
        final[row] = np.uint64(bits[row])
        whole = np.int64(0)
        if abs(scaled) < EXACT:
            whole = np.int64(scaled)
            back = whole / scale
            if back == column[row] and (whole != 0 or bits[row] == 0):
                base = min(base, whole) if known else whole
                known = True
                residues[row] = np.uint64(whole)
                continue
        residues[row] = MISFIT
    for row in range(n):
        if residues[row] != MISFIT:
            residues[row] -= np.uint64(base)
    width = choose_width(residues, n)
    if width == 64:  # too many do not fit to be exceptions, and this wide a misfit would pass for a number
        return pack_bits(bits, n, residues, final, out, at)
    return write_words(residues, width, final, n, decimals, base, 0, out, at)


@part
def pick(column: Any, order: Any, row: int, into: Any, n: int) -> None:
    """The next n rows in order; a single value stands for all rows."""
    many = np.int64(len(column) > 1)
    for at in range(n):
        into[at] = column[order[row + at] * many]


@part
def edges_of(column: Any, times: Longs, n: int) -> tuple[float, float]:
    """The least and the greatest of n values, the first of each time; NaN for both where none is a number."""
    least, most = np.nan, np.nan
    for row in range(n):
        if not np.isnan(column[row]) and (row == 0 or times[row] != times[row - 1]):
            least = column[row] if np.isnan(least) or column[row] < least else least
            most = column[row] if np.isnan(most) or column[row] > most else most
    return least, most


@compiled
def pack(columns: Any, order: Any, row: int, out: Words, index: Longs, checks: Words) -> tuple[int, int, int]:
    """Packs rows `order[row:]` of the columns of `Rows` into pages, until all are packed or `out` or `index` is full.

    `index` gets (first word, rows, key of the first, key of the last, least time, greatest time, bits of the least
    value, bits of the greatest) of each page, where key = attr * 2**32 + thing, and of values those count that are
    numbers and the first of their time; `checks` gets its check word. Returns the next row, and the words and pages
    used.
    """
    seq, thing, attr, time, value, latitude, quality = columns
    total, at, page = len(order), 0, 0
    longs, floats = np.empty((5, PAGE), np.int64), np.empty((2, PAGE), np.float64)
    bits = floats.view(np.int64)
    edges = np.empty(2, np.float64)
    edge_bits = edges.view(np.int64)
    residues, final = np.empty(PAGE, np.uint64), np.empty(PAGE, np.uint64)
    while row < total and at + LARGEST <= len(out) and page < len(index):
        n, start = min(PAGE, total - row), at
        pick(attr, order, row, longs[0], n)
        pick(thing, order, row, longs[1], n)
        pick(time, order, row, longs[2], n)
        pick(quality, order, row, longs[3], n)
        pick(seq, order, row, longs[4], n)
        index[page, 0], index[page, 1] = start, n
        index[page, 2] = longs[0, 0] * KEY + longs[1, 0]
        index[page, 3] = longs[0, n - 1] * KEY + longs[1, n - 1]
        index[page, 4], index[page, 5] = longs[2, :n].min(), longs[2, :n].max()
        unit = counted(longs[2], n, bits[0])
        out[at] = np.uint64(n)
        at += 1
        for column in range(5):
            at = pack_steps(longs[column], n, unit if column == 2 else 0, residues, out, at)
        pick(value, order, row, floats[0], n)
        edges[0], edges[1] = edges_of(floats[0], longs[2], n)
        index[page, 6], index[page, 7] = edge_bits[0], edge_bits[1]
        pick(latitude, order, row, floats[1], n)
        for column in range(2):
            at = pack_floats(floats[column], bits[column], n, residues, final, out, at)
        checks[page] = check_of(out, start, at)
        row += n
        page += 1
    return row, at, page
