"""The questions history answers, each over the pieces of one moment."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cheng.infrastructure.history_base import Base
from cheng.infrastructure.history_packing import KEY
from cheng.infrastructure.history_reading import Piece, Report, gather, in_order, tables
from cheng.infrastructure.history_rows import FOREVER, READINGS, Ask, Rows
from cheng.infrastructure.history_segments import EVENTS, LAST, ROLLED, Segment
from cheng.infrastructure.history_tables import EVENT_COLUMNS, newest, table_of
from cheng.infrastructure.history_tail import Chunk
from cheng.infrastructure.history_thinning import by_time, extremes, thinned
from cheng.kernel.compiled import compiled
from cheng.kernel.observations import BAD, Batch, Quality

LATEST = pa.schema([*list(READINGS)[1:], READINGS.field("seq")])
SERIES = pa.schema(
    [("time", pa.int64()), ("value", pa.float64()), ("latitude", pa.float64()), ("quality", pa.uint16())]
)
BUCKETS = pa.schema(
    [("bucket", pa.int64()), ("count", pa.int64())] + [(name, pa.float64()) for name in ("min", "max", "mean", "last")]
)
WINDOW = 1_000_000
"""readings that a scan wants to hold at a time"""
OF_ARRIVAL = int(Quality.OUT_OF_ORDER | Quality.LATE | Quality.DUPLICATE | Quality.JUMP)
"""marks that tell when a reading came, not what it is"""
LINE = np.dtype(
    [("attr", "<i4"), ("thing", "<i4"), ("time", "<i8"), ("value", "<f8"), ("latitude", "<f8"), ("quality", "<u2")]
)

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def readings(base: Base, ask: Ask, limit: int | None, dedupe: bool) -> pa.Table:
    """Table of `READINGS`, by thing, time and number."""
    rows = gather(base.pieces(), ask, base.report)
    if dedupe:
        rows = rows.take(rows.settled_order())
        rows = rows.take(rows.first_of_each())
    if not (dedupe and ask.attrs is not None and len(ask.attrs) == 1):
        rows = rows.take(rows.order_by("seq", "time", "thing"))
    return rows.take(slice(limit)).table()


def _rolled(pieces: Sequence[Piece], ask: Ask, report: Report) -> pa.Table | None:
    """The roll-ups of one thing and attribute, if there are any."""
    assert ask.things is not None
    assert ask.attrs is not None
    thing, attr = ask.things[0], ask.attrs[0]
    segments = [piece for piece in pieces if isinstance(piece, Segment)]
    found = list(tables(segments, ROLLED, report, ask.start, ask.end, attr * KEY + thing))
    if not found:
        return None
    field = pc.field
    mine = (field("attr") == attr) & (field("thing") == thing)
    mine &= (field("time") >= ask.start) & (field("time") < ask.end)
    rolled = pa.concat_tables([table.filter(mine) for table in found])
    return rolled if rolled.num_rows else None


def series(base: Base, ask: Ask, points: int | None) -> pa.Table:
    """Table of `SERIES` by time; with `points`, about that many: the least and the greatest of each stretch."""
    pieces = base.pieces()
    rolled = _rolled(pieces, ask, base.report)
    times = np.zeros(0, np.int64) if rolled is None else rolled["time"].to_numpy()
    rows, left_out = thinned(pieces, ask, points, times, base.report)
    columns: Any = (rows.time, rows.value, rows.latitude, rows.quality)
    if rolled is not None:
        mean = rolled["total"].to_numpy() / rolled["count"].to_numpy()
        unmarked = np.zeros(len(mean), np.uint16)
        more = (times, mean, rolled["latitude"].to_numpy(), unmarked)
        columns = tuple(np.concatenate([b, a]) for a, b in zip(columns, more, strict=True))
        order = np.argsort(columns[0], kind="stable")
        columns = tuple(column[order] for column in columns)
    time, value = columns[:2]
    if points is not None and (left_out or len(time) > points):
        kept = extremes(time, value, int(time[0]), int(time[-1]) + 1, max(1, points // 2))
        columns = tuple(column[kept] for column in columns)
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=SERIES)


def buckets(base: Base, ask: Ask, width: int) -> pa.Table:
    """Table of `BUCKETS`; buckets are `width` long and counted from `ask.start`; empty ones are left out."""
    pieces = base.pieces()
    rows, rolled = by_time(gather(pieces, ask, base.report, wide=False)), _rolled(pieces, ask, base.report)
    if rolled is not None:
        return _with_rolled(rows.time, rows.value, rolled, ask.start, width)
    columns = into_buckets(rows.time, rows.value, ask.start, width)
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=BUCKETS)


@compiled
def into_buckets(
    time: Longs, value: Floats, start: int, width: int
) -> tuple[Longs, Longs, Floats, Floats, Floats, Floats]:
    """Start, count, least, most, mean and last of the buckets of rising times; NaN is in none."""
    n, at = len(time), -1
    bucket, count = np.empty(n, np.int64), np.empty(n, np.int64)
    least, most, mean, last = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    end = np.int64(start)
    for row in range(n):
        here = value[row]
        if np.isnan(here):
            continue
        if at < 0 or time[row] >= end:
            at += 1
            bucket[at] = start + (time[row] - start) // width * width
            end = bucket[at] + width
            count[at], least[at], most[at], mean[at] = 0, here, here, 0.0
        count[at] += 1
        least[at], most[at] = min(least[at], here), max(most[at], here)
        mean[at] += here
        last[at] = here
    at += 1
    return bucket[:at], count[:at], least[:at], most[:at], mean[:at] / count[:at], last[:at]


def _with_rolled(time: Longs, value: Floats, rolled: pa.Table, start: int, width: int) -> pa.Table:
    """Buckets of readings and of roll-ups; each roll-up counts where it begins, and lasts until its last reading."""
    time, value = time[~np.isnan(value)], value[~np.isnan(value)]
    raw = {"at": time, "count": np.ones(len(time), np.int64), "low": value, "high": value, "total": value}
    raw |= {"last": value, "last_time": time}
    other = {name: rolled[name].to_numpy() for name in ("count", "low", "high", "total", "last", "last_time")}
    other["at"] = rolled["time"].to_numpy()
    both = {name: np.concatenate([other[name], column]) for name, column in raw.items()}
    both["bucket"] = start + (both.pop("at") - start) // width * width
    table = pa.table(both).sort_by([("bucket", "ascending"), ("last_time", "ascending")])
    sums = [("count", "sum"), ("low", "min"), ("high", "max"), ("total", "sum"), ("last", "last")]
    found = table.group_by("bucket", use_threads=False).aggregate(sums)
    mean = pc.divide(found["total_sum"], found["count_sum"])
    columns = [found["bucket"], found["count_sum"], found["low_min"], found["high_max"], mean, found["last_last"]]
    return pa.Table.from_arrays(
        [one.combine_chunks() if hasattr(one, "combine_chunks") else one for one in columns], schema=BUCKETS
    )


def latest(base: Base, attr: int | None, good_only: bool) -> pa.Table:
    """Table of `LATEST`: the last reading of every thing and attribute, expired ones too."""
    bad = int(BAD) if good_only else 0
    segments = settled(base.pieces())
    slices = (rows.take(order) for rows, order in in_order(segments, base.report))
    expired = (Rows.of_table(table) for table in tables(segments, LAST, base.report))
    found = []
    for rows in itertools.chain(slices, expired):
        wanted = rows.quality & bad == 0
        found.append(newest(rows.take(wanted if attr is None else wanted & (rows.attr == attr))))
    kept = Rows.concat(found)
    kept = newest(kept.take(kept.order_by("seq", "time", "thing", "attr")))
    return kept.take(kept.order_by("attr", "thing")).table().select(LATEST.names)


def settled(pieces: Sequence[Piece]) -> list[Segment]:
    """The same with every chunk sorted."""
    return [piece.settled() if isinstance(piece, Chunk) else piece for piece in pieces]


def events(base: Base, types: Sequence[int] | None, start: int, end: int, limit: int | None) -> pa.Table:
    """Table of events by time and number."""
    pieces = base.pieces()
    found = [table_of(piece.events) for piece in pieces if isinstance(piece, Chunk)]
    segments = [piece for piece in pieces if isinstance(piece, Segment)]
    found += tables(segments, EVENTS, base.report, start, end)
    wanted = (pc.field("time") >= max(start, -FOREVER)) & (pc.field("time") < min(end, FOREVER))
    if types is not None:
        wanted &= pc.field("type").isin([int(one) for one in types])
    table = pa.concat_tables([EVENT_COLUMNS.empty_table(), *found]).filter(wanted)
    return table.sort_by([("time", "ascending"), ("seq", "ascending")]).slice(0, limit)


def scan(base: Base, ask: Ask, rows: int) -> Iterator[Batch]:
    """Readings by time and number in batches of at most `rows`, window after window, so that memory stays bounded."""
    pieces = base.pieces()
    for start, end in _windows(pieces, ask.start, ask.end) if not ask.nothing else ():
        found = gather(pieces, ask.between(start, end), base.report)
        found = found.take(found.order_by("seq", "time"))
        for at in range(0, len(found), rows):
            yield found.take(slice(at, at + rows)).batch()


def _windows(pieces: Sequence[Piece], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Stretches of [start, end) with some `WINDOW` readings each, as far as the pages tell; empty ones left out."""
    spans = [(piece.low, piece.high, piece.places[:, 2]) for piece in pieces if isinstance(piece, Segment)]
    spans += [
        (np.array([piece.time_first]), np.array([piece.time_last]), np.array([piece.rows]))
        for piece in pieces
        if isinstance(piece, Chunk) and piece.rows
    ]
    if spans:
        low, high, count = (np.concatenate(columns) for columns in zip(*spans, strict=True))
        yield from _halves(low, high, count.astype(np.float64), start, end)


def _halves(low: Longs, high: Longs, count: npt.NDArray[np.float64], start: int, end: int) -> Iterator[tuple[int, int]]:
    inside = (low < end) & (high >= start)
    low, high, count = low[inside], high[inside], count[inside]
    if not len(low):
        return
    start, end = max(start, int(low.min())), min(end, int(high.max()) + 1)
    spans = high.astype(np.float64) - low + 1
    shares = (np.minimum(high.astype(np.float64), end - 1) - np.maximum(low, start) + 1) / spans
    if (count * shares).sum() <= WINDOW or end - start <= 1:
        yield start, end
    else:
        middle = (start + end) // 2
        yield from _halves(low, high, count, start, middle)
        yield from _halves(low, high, count, middle, end)


def digest(base: Base) -> str:
    """SHA-256 over readings by attribute, thing and time, and events by time, type and text (see `History.digest`)."""
    segments, check = settled(base.pieces()), hashlib.sha256()
    for rows, order in in_order(segments, base.report):
        rows = rows.take(order)
        rows = rows.take(rows.first_of_each())
        lines = np.empty(len(rows), LINE)
        for name in LINE.names or ():
            lines[name] = getattr(rows, name)
        lines["quality"] &= ~np.uint16(OF_ARRIVAL)
        check.update(lines.tobytes())
    happened = pa.concat_tables([EVENT_COLUMNS.empty_table(), *tables(segments, EVENTS, base.report)])
    for event in happened.sort_by([(name, "ascending") for name in ("time", "type", "payload")]).to_pylist():
        check.update(f"{event['time']} {event['type']} {event['payload']}\n".encode())
    return check.hexdigest()
