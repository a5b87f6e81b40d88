"""From names to indexes: one look-up per distinct name, the rest over whole columns."""

from collections.abc import Callable

import numpy as np

from cheng.infrastructure.things import Things
from cheng.kernel.columns import Bools, Floats, Ints, Marks, Rows, distinct
from cheng.kernel.entities import Choice, Kept, Quantity, Track
from cheng.kernel.observations import Batch, Quality
from cheng.kernel.reports import Reports
from cheng.kernel.specs import did_you_mean
from cheng.standards.problems import InputError
from cheng.standards.units import convert

STRANGERS = 10_000
"""Names that nobody registered are remembered up to here; beyond it their readings are refused."""

Scope = Callable[[str], bool]
"""Whether the sender may report for the thing with this id."""


def resolve(reports: Reports, things: Things, may: Scope | None = None) -> tuple[Batch, list[InputError]]:
    """The batch that the reports mean, and what had to be refused; the good rows do not suffer for the bad.

    Things and attributes that nobody declared are kept and marked. `may` limits the sender to its own things.
    """
    refused: list[InputError] = []
    thing = _things(reports, things, may, refused)
    rows = np.flatnonzero(thing >= 0)
    attr = np.full(len(reports), -1, np.int32)
    attr[rows] = _attributes(reports, things, thing[rows], rows)
    value, quality = reports.value.copy(), np.zeros(len(reports), np.uint16)
    good = attr >= 0
    for number in distinct(attr[good], len(things.fields)):
        mine = np.flatnonzero(attr == number)
        field = things.fields[number]
        if field is None:
            quality[mine] |= int(Quality.UNKNOWN_ATTRIBUTE)
            good[mine] &= _plain(reports, mine, refused)
        else:
            good[mine] &= _values(reports, mine, field, things.codes(number), value, quality, refused)
    rows = np.flatnonzero(good)
    batch = Batch(thing[rows], attr[rows], reports.time[rows], value[rows], reports.latitude[rows], quality[rows])
    strange = things.type_number[batch.thing] == 0
    batch.quality[strange] |= int(Quality.UNKNOWN_THING)
    refused.sort(key=lambda error: error.line or 0)
    return batch, refused


def _things(reports: Reports, things: Things, may: Scope | None, refused: list[InputError]) -> Ints:
    """(n,) the thing of each row; -1 where it may not be reported for, or where there is no room for strangers."""
    found = things.indexes(reports.ids)
    allowed = np.ones(len(found), np.bool_) if may is None else np.array([may(n) for n in reports.ids], np.bool_)
    strange = np.flatnonzero((found < 0) & allowed).tolist()
    if strange:
        things.meet([reports.ids[n] for n in strange[: max(STRANGERS - things.strangers, 0)]])
        found = things.indexes(reports.ids)
    found[~allowed] = -1
    result = found[reports.id]
    for row in np.flatnonzero(result < 0).tolist():
        name = reports.ids[reports.id[row]]
        if allowed[reports.id[row]]:
            error = InputError("too-many-unknown", f"'{name}' is not registered, and too many others are not either")
        else:
            error = InputError("not-yours", f"this sender may not report for '{name}'")
        error.line = int(reports.line[row])
        refused.append(error)
    return result


def _attributes(reports: Reports, things: Things, thing: Ints, rows: Rows) -> Ints:
    width = len(reports.attrs)
    pairs = things.type_number[thing] * width + reports.attr[rows]
    table = np.full(len(things.types) * width, -1, np.int32)
    for pair in distinct(pairs, len(table)):
        table[pair] = things.attribute(things.types[pair // width], reports.attrs[pair % width])
    numbers: Ints = table[pairs]
    return numbers


def _plain(reports: Reports, rows: Rows, refused: list[InputError]) -> Bools:
    """Of what nobody declared only numbers can be kept."""
    good = reports.text[rows] < 0
    for row in rows[~good].tolist():
        name = reports.attrs[reports.attr[row]]
        reason = f"'{name}' is no attribute of this thing, and its value is no number"
        refused.append(InputError("unknown-attribute", reason, int(reports.line[row])))
    return good


def _values(
    reports: Reports,
    rows: Rows,
    field: Kept,
    codes: dict[str, int],
    value: Floats,
    quality: Marks,
    refused: list[InputError],
) -> Bools:
    """Turns the values of one attribute into numbers; returns the rows that fit."""
    good: Bools
    text, place = reports.text[rows] >= 0, ~np.isnan(reports.latitude[rows])
    if isinstance(field, Choice):
        table = np.array([codes.get(word, np.nan) for word in reports.texts], np.float64)
        value[rows[text]] = table[reports.text[rows[text]]]
        good = text & ~np.isnan(value[rows])
        wanted = f"one of {', '.join(field.options)}"
    elif isinstance(field, Track):
        good = place & (np.abs(reports.latitude[rows]) <= 90) & (np.abs(reports.value[rows]) <= 180)
        wanted = "a position [longitude, latitude] in degrees"
    else:
        good = ~text & ~place & np.isfinite(reports.value[rows])
        wanted = f"a number in {field.unit}" if isinstance(field, Quantity) else "a number"
    wrong = rows[~good]
    if isinstance(field, Quantity) and reports.unit is not None:
        good[good] = _convert(reports, rows[good], field, value, quality, refused)
    for row in wrong.tolist():
        said = reports.texts[reports.text[row]] if reports.text[row] >= 0 else reports.value[row]
        hint = f"; {did_you_mean(str(said), list(field.options))}" if isinstance(field, Choice) else ""
        reason = f"'{field.name}' is {str(said)[:80]!r}, it has to be {wanted}{hint}"
        refused.append(InputError("bad-value", reason, int(reports.line[row])))
    return good


def _convert(
    reports: Reports, rows: Rows, field: Quantity, value: Floats, quality: Marks, refused: list[InputError]
) -> Bools:
    """Brings values into the unit of their field; returns the rows whose unit can become it."""
    assert reports.unit is not None
    good = np.ones(len(rows), np.bool_)
    for number in np.unique(reports.unit[rows]).tolist():
        said = reports.units[number] if number >= 0 else field.unit
        if said == field.unit:
            continue
        mine = reports.unit[rows] == number
        try:
            value[rows[mine]] = convert(value[rows[mine]], said, field.unit)
            quality[rows[mine]] |= int(Quality.CONVERTED)
        except ValueError as error:
            good &= ~mine
            reason = f"'{field.name}' came in {said[:40]!r}, it has to be in {field.unit}: {error}"
            refused += [InputError("bad-unit", reason, int(line)) for line in reports.line[rows[mine]].tolist()]
    return good
