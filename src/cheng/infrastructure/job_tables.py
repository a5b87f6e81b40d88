"""What jobs read and write: the register and history as Arrow tables, and tables back as readings or commands."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cheng.infrastructure.history import History
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.things import Things
from cheng.kernel.columns import Floats
from cheng.kernel.entities import Choice, Command, Entity, Kept, Place, Quantity, Track
from cheng.kernel.jobs import Last
from cheng.kernel.reports import Reports
from cheng.standards.problems import Problem, SpecError

Latitudes = Callable[[str, str], Floats]
"""Type and field to the latitudes of a position's last values, by slot."""


def table_of(source: Any, things: Things, history: History, latitudes: Latitudes, now: int) -> pa.Table:
    """The table a job asked for: an entity's things as they are, or the history of a field up to `now`, µs."""
    if isinstance(source, Last):
        return last_table(source, things, history, now)
    return entity_table(source, things, latitudes)


def entity_table(entity: type[Entity], things: Things, latitudes: Latitudes) -> pa.Table:
    """One row for each thing in use: id, name, owner, longitude, latitude, then its fields.

    Quantities are float64, labels, texts and references strings, places GeoJSON text; of a position `p` come
    `p_longitude` and `p_latitude`. What is not known is null.
    """
    members = things.of_type(entity.__name__)
    used = [n for n, thing in enumerate(members) if thing.state in ("registered", "active")]
    chosen = [members[n] for n in used]
    slots = np.array(used, np.intp)
    columns: dict[str, pa.Array] = {
        name: pa.array([getattr(t, name) for t in chosen]) for name in ("id", "name", "owner")
    }
    for number, name in enumerate(("longitude", "latitude")):
        columns[name] = pa.array([t.point[number] if t.point else None for t in chosen], pa.float64())
    for name, field in entity.fields().items():
        if not field.live:
            columns[name] = fixed_column(field, chosen)
            continue
        values = things.current(entity.__name__, name)[slots]
        if isinstance(field, Track):
            columns[f"{name}_longitude"] = known(values)
            columns[f"{name}_latitude"] = known(latitudes(entity.__name__, name)[slots])
        elif isinstance(field, Choice):
            columns[name] = pa.array([things.label(field, code) for code in values.tolist()], pa.string())
        else:
            columns[name] = known(values)
    return pa.table(
        {name: pa.array(column) if isinstance(column, list) else column for name, column in columns.items()}
    )


def known(values: Floats) -> pa.Array:
    """Numbers, null where they are NaN."""
    return pa.array(values, pa.float64(), from_pandas=True)


def fixed_column(field: Kept, things: list[Thing]) -> pa.Array:
    values = [thing.properties.get(field.name) for thing in things]
    if isinstance(field, Quantity):
        return pa.array([float(v) if isinstance(v, (int, float)) else None for v in values], pa.float64())
    if isinstance(field, Place):
        shapes = [value or thing.geometry for value, thing in zip(values, things, strict=True)]
        return pa.array([msgspec.json.encode(shape).decode() if shape else None for shape in shapes], pa.string())
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def last_table(source: Last, things: Things, history: History, now: int) -> pa.Table:
    """id, time (µs UTC) and value of the good readings of a field, by thing and time; labels as texts, a position as
    longitude with its latitude in a column of that name."""
    field = source.field
    table = history.readings(None, [things.attribute_of(field)], now - source.span.us, now + 1, good_only=True)
    ids = pa.array([thing.id for thing in things.by_idx], pa.string())
    columns = {"id": ids.take(table["thing"].combine_chunks()), "time": table["time"], "value": table["value"]}
    if isinstance(field, Choice):
        codes = things.codes(things.attribute_of(field))
        words: list[str | None] = [None] * (max(codes.values(), default=-1) + 1)
        for word, code in codes.items():
            words[code] = word
        columns["value"] = pa.array(words, pa.string()).take(table["value"].cast(pa.int64()))
    if isinstance(field, Track):
        columns["latitude"] = table["latitude"]
    return pa.table(columns)


# -- what comes back


def wrong(job: str, problem: str, hint: str) -> SpecError:
    return SpecError([Problem("H050", f"job {job} returned {problem}", job, hint)])


def column_of(table: pa.Table, name: str, job: str) -> pa.Array:
    """A column as one array; SpecError when it is missing."""
    if name not in table.column_names:
        raise wrong(job, f"a table with {', '.join(table.column_names) or 'no columns'}", f"it needs '{name}'")
    return table[name].combine_chunks()


def reports_of(table: pa.Table, field: Kept, now: int, job: str) -> Reports:
    """Readings that a job worked out: columns id, the field's name (with `<name>_latitude` for a position) and, if it
    likes, time. Rows without a value are left out. Raises SpecError for a table that is something else.
    """
    value = column_of(table, field.name, job)
    rows = np.flatnonzero(pc.is_valid(value).to_numpy(zero_copy_only=False))
    taken = pa.array(rows)
    ids = column_of(table, "id", job).take(taken).cast(pa.string()).dictionary_encode()
    count = len(rows)
    time = np.full(count, now, np.int64)
    if "time" in table.column_names:
        moments = column_of(table, "time", job).take(taken)
        moments = moments.cast(pa.timestamp("us")) if pa.types.is_timestamp(moments.type) else moments
        time = moments.cast(pa.int64()).to_numpy(zero_copy_only=False)
    number, latitude = np.full(count, np.nan), np.full(count, np.nan)
    texts, text = list[str](), np.full(count, -1, np.int32)
    if isinstance(field, Choice):
        words = value.take(taken).cast(pa.string()).dictionary_encode()
        texts, text = words.dictionary.to_pylist(), words.indices.to_numpy(zero_copy_only=False)
    else:
        number = value.take(taken).cast(pa.float64()).to_numpy(zero_copy_only=False)
    if isinstance(field, Track):
        latitude = column_of(table, f"{field.name}_latitude", job).take(taken).cast(pa.float64()).to_numpy()
    keep = np.isfinite(number) | (text >= 0)
    codes = ids.indices.to_numpy(zero_copy_only=False)
    line = (rows + 1).astype(np.int32)
    attr = np.zeros(count, np.int32)
    columns = (codes, attr, time, number, latitude, text, line)
    codes, attr, time, number, latitude, text, line = (column[keep] for column in columns)
    return Reports(ids.dictionary.to_pylist(), codes, [field.name], attr, time, number, latitude, texts, text, line)


def orders_of(table: pa.Table, command: Command, job: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Commands that a job decided on: columns id and the command's arguments. SpecError for another table."""
    names = list(command.arguments)
    columns: Iterable[list[Any]] = [column_of(table, name, job).to_pylist() for name in ("id", *names)]
    for thing, *values in zip(*columns, strict=True):
        yield str(thing), command.name, dict(zip(names, map(plain, values), strict=True))


def plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
