"""Arrow IPC streams into columns: names are looked up where they lie, a dictionary's once each."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cheng.kernel.columns import Floats, Ints, Times
from cheng.kernel.meanings import LONGEST_NAME, Meanings
from cheng.kernel.names import Names, find_all
from cheng.kernel.reports import Reports
from cheng.kernel.words import PAD
from cheng.protocols.decoding_numbers import all_whole_us
from cheng.protocols.decoding_rows import BAD_NAME, Decoded
from cheng.standards.problems import InputError

NEEDED = ["id", "attr", "time", "value"]


def arrow(payload: bytes, meanings: Meanings) -> Decoded:
    """Readings of an Arrow IPC stream with columns id, attr, time and value; rows with nulls are refused."""
    try:
        table = pa.ipc.open_stream(payload).read_all().select(NEEDED)
        table.validate()
    except (pa.ArrowException, KeyError, OSError) as error:
        raise InputError("not-understood", f"this is no Arrow stream with id, attr, time, value: {error}") from error
    line, errors = np.arange(1, len(table) + 1, dtype=np.int32), list[InputError]()
    if any(column.null_count for column in table.columns):
        whole = pc.and_(
            pc.and_(pc.is_valid(table["id"]), pc.is_valid(table["attr"])),
            pc.and_(pc.is_valid(table["time"]), pc.is_valid(table["value"])),
        )
        there = whole.to_numpy()
        reason = "id, attr, time and value are all needed"
        errors = [InputError("missing", reason, int(number)) for number in line[~there]]
        table, line = table.filter(whole), line[there]
    try:
        reports, more = from_table(table, line, meanings)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError("not-understood", f"a column is of the wrong type: {error}") from error
    return reports, [*errors, *more]


def from_table(table: pa.Table, line: Ints, meanings: Meanings) -> Decoded:
    """Readings of an Arrow table with columns id, attr, time (epoch or timestamp) and value, none of them null."""
    ids, id_codes = named(table["id"], meanings.things)
    attrs, attr_codes = named(table["attr"], meanings.attrs)
    values: Floats = writable(table["value"].combine_chunks().cast(pa.float64()))
    nothing, nowhere = np.full(len(line), -1, np.int32), np.full(len(line), np.nan)
    times = times_of(table["time"].combine_chunks())
    return without_bad_names(Reports(ids, id_codes, attrs, attr_codes, times, values, nowhere, [], nothing, line))


def writable(array: pa.Array) -> Any:
    """The numbers of an array without nulls, in memory of their own."""
    column = array.to_numpy(zero_copy_only=False)
    return column if column.flags.writeable else column.copy()


def times_of(array: pa.Array) -> Times:
    """(n,) microseconds UTC of timestamps or epoch numbers."""
    if pa.types.is_timestamp(array.type):
        times: Times = writable(array.cast(pa.timestamp("us")).cast(pa.int64()))
        return times
    times = writable(array.cast(pa.int64()))
    all_whole_us(times)
    return times


def named(column: pa.ChunkedArray, names: Names) -> tuple[list[str], Ints]:
    """Which name each row has: -1 - its number where it is known by `names`, else its place in the list."""
    array = column.combine_chunks()
    if not pa.types.is_dictionary(array.type):
        return known(array, names)
    said, codes = known(array.dictionary, names)
    rows = array.indices.cast(pa.int64()).to_numpy(zero_copy_only=False)
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(codes):
        raise pa.ArrowInvalid("a dictionary has no entry of this number")
    return said, codes[rows]


def known(array: pa.Array, names: Names) -> tuple[list[str], Ints]:
    """As `named`, of an array of strings."""
    array = array.cast(pa.large_string())
    _, offsets, data = array.buffers()
    count = len(array)
    found = np.full(count, -1, np.int32)
    if count and data is not None:
        edges = np.frombuffer(offsets, np.int64, count + 1, 8 * array.offset).copy()
        text = np.frombuffer(b"".join((data, PAD)), np.uint8)
        if not find_all(names.table, text, data.size, edges, found):
            raise pa.ArrowInvalid("a string lies outside its column")
    strange = np.flatnonzero(found < 0)
    codes = -1 - found
    if not len(strange):
        return [], codes
    array.validate(full=True)
    rest = array.take(pa.array(strange)).dictionary_encode()
    codes[strange] = rest.indices.to_numpy(zero_copy_only=False)
    return rest.dictionary.to_pylist(), codes


def without_bad_names(reports: Reports) -> Decoded:
    """The reports but for those whose id or attribute can be no name."""
    bad = np.zeros(len(reports), np.bool_)
    for names, codes in ((reports.ids, reports.id), (reports.attrs, reports.attr)):
        wrong = [n for n, name in enumerate(names) if not 0 < len(name) <= LONGEST_NAME]
        bad |= np.isin(codes, wrong) if wrong else False
    errors = [InputError("bad-name", BAD_NAME, line) for line in reports.line[bad].tolist()]
    return (reports.take(~bad) if errors else reports), errors
