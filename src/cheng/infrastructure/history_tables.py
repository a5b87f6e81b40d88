"""What lies beside the readings in a segment: events, roll-ups, and the last readings of what has expired."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cheng.infrastructure.history_packing import KEY
from cheng.infrastructure.history_rows import Rows
from cheng.infrastructure.history_segments import EVENTS, LAST, ROLLED, TABLE_ROWS, Part
from cheng.kernel.observations import BAD, Events

EVENT_COLUMNS = pa.schema(
    [
        ("seq", pa.int64()),
        ("type", pa.int32()),
        ("time", pa.int64()),
        ("quality", pa.uint16()),
        ("payload", pa.string()),
    ]
)
ROLLED_COLUMNS = pa.schema(
    [("attr", pa.int32()), ("thing", pa.int32()), ("time", pa.int64()), ("width", pa.int64()), ("count", pa.int64())]
    + [(name, pa.float64()) for name in ("low", "high", "total", "last", "latitude")]
    + [("last_time", pa.int64()), ("last_seq", pa.int64())]
)


def _sorted(table: pa.Table, *names: str) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in names])


def _slices(kind: int, table: pa.Table, keys: npt.NDArray[np.int64], times: npt.NDArray[np.int64]) -> Iterator[Part]:
    for start in range(0, table.num_rows, TABLE_ROWS):
        key, time = keys[start : start + TABLE_ROWS], times[start : start + TABLE_ROWS]
        spans = (int(key.min()), int(key.max())), (int(time.min()), int(time.max()))
        yield Part(kind, table.slice(start, TABLE_ROWS), *spans)


# -- events


def table_of(events: Sequence[tuple[int, Events]]) -> pa.Table:
    """(number of the first, events) as a table of `EVENT_COLUMNS`."""
    parts = [
        pa.table(
            [
                pa.array(np.arange(first, first + len(some))),
                pa.array(np.ascontiguousarray(some.type)),
                pa.array(np.ascontiguousarray(some.time)),
                pa.array(np.ascontiguousarray(some.quality)),
                pa.array(some.payload, pa.binary()).cast(pa.string()),
            ],
            schema=EVENT_COLUMNS,
        )
        for first, some in events
    ]
    return pa.concat_tables(parts) if parts else EVENT_COLUMNS.empty_table()


def event_parts(table: pa.Table) -> list[Part]:
    """Events by time and number, for a segment."""
    table = _sorted(table, "time", "seq")
    return list(_slices(EVENTS, table, table["type"].to_numpy().astype(np.int64), table["time"].to_numpy()))


# -- what stays of readings that expired


def rolled_parts(table: pa.Table) -> list[Part]:
    """Roll-ups by attribute, thing and time; those of one bucket become one."""
    keys = ["attr", "thing", "time", "width"]
    table = _sorted(table, *keys, "last_time", "last_seq")
    sums = [("count", "sum"), ("low", "min"), ("high", "max"), ("total", "sum")]
    ends = [(name, "last") for name in ("last", "latitude", "last_time", "last_seq")]
    merged = table.group_by(keys, use_threads=False).aggregate(sums + ends)
    merged = merged.rename_columns({f"{name}_{how}": name for name, how in sums + ends}).select(ROLLED_COLUMNS.names)
    merged = _sorted(merged.cast(ROLLED_COLUMNS), *keys)
    return list(
        _slices(
            ROLLED,
            merged,
            merged["attr"].to_numpy().astype(np.int64) * KEY + merged["thing"].to_numpy(),
            merged["time"].to_numpy(),
        )
    )


def rolled_up(rows: Rows, width: npt.NDArray[np.int64]) -> pa.Table:
    """A table of `ROLLED_COLUMNS` of the good readings among sorted rows, each in buckets of its own width (µs > 0)."""
    good = (width > 0) & (rows.quality & int(BAD) == 0) & ~np.isnan(rows.value)
    rows, width = rows.take(good), width[good]
    start = rows.time // np.maximum(width, 1) * width
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = (start[1:] != start[:-1]) | (rows.key()[1:] != rows.key()[:-1])
    first = np.flatnonzero(fresh)
    if not len(first):
        return ROLLED_COLUMNS.empty_table()
    final = np.append(first[1:], len(rows)) - 1
    columns = [rows.attr[first], rows.thing[first], start[first], width[first], final - first + 1]
    columns += [of.reduceat(rows.value, first) for of in (np.minimum, np.maximum, np.add)]
    columns += [column[final] for column in (rows.value, rows.latitude, rows.time, rows.seq)]
    return pa.table([pa.array(column) for column in columns], schema=ROLLED_COLUMNS)


def last_of_each(rows: Rows) -> Rows:
    """Of rows by attribute, thing, time and number: the newest of each thing and attribute, and the newest good one."""
    good = np.flatnonzero(rows.quality & int(BAD) == 0)
    kept = np.union1d(_ends(rows.key()), good[_ends(rows.key()[good])])
    return rows.take(kept)


def newest(rows: Rows) -> Rows:
    """Of rows by attribute, thing, time and number: the newest of each thing and attribute."""
    return rows.take(_ends(rows.key()))


def _ends(key: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.append(key[1:] != key[:-1], [True] * bool(len(key))))


def last_parts(rows: Rows) -> list[Part]:
    """The last readings of what has expired, for a segment."""
    rows = last_of_each(rows.take(rows.order_by("seq", "time", "thing", "attr")))
    return list(_slices(LAST, rows.table(), rows.key(), rows.time))


def merged_parts(tables: dict[int, list[pa.Table]]) -> list[Part]:
    """The tables of several segments, by kind, as those of one."""
    parts: list[Part] = []
    if tables.get(EVENTS):
        parts += event_parts(pa.concat_tables(tables[EVENTS]))
    if tables.get(ROLLED):
        parts += rolled_parts(pa.concat_tables(tables[ROLLED]))
    if tables.get(LAST):
        parts += last_parts(Rows.of_table(pa.concat_tables(tables[LAST])))
    return parts
