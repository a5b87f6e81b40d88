"""From what was said to indexes: at once where the register knows all of it, by name where it has to be asked.

What is plain is settled by one compiled pass (`kernel.meanings`). The rest is looked at by distinct names and over
whole columns: things and attributes nobody declared yet, units to be converted, and all that is to be refused.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.infrastructure.things import Things
from cheng.kernel.columns import Bools, Floats, Ints, Marks, Rows, distinct
from cheng.kernel.entities import Choice, Kept, Quantity, Track
from cheng.kernel.meanings import WORD, Meant, Said, settle, with_more
from cheng.kernel.names import Names
from cheng.kernel.observations import Batch, Quality
from cheng.kernel.reports import Reports
from cheng.kernel.specs import did_you_mean
from cheng.standards.problems import InputError
from cheng.standards.units import convert

STRANGERS = 10_000
"""Names that nobody registered are remembered up to here; beyond it their readings are refused."""
MOST = 1_000_000
"""Things remembered of one sender."""
NOTHING, NOBODY = np.zeros(0, np.int32), np.full(1, -1, np.int32)


class Scope:
    """For which things a sender may report: for all of some types, and for those found to be covered by their id.

    What it was found to cover is remembered by index: a thing keeps its id, and its type once it has one.
    """

    def __init__(self, things: Things, covers: Callable[[str, str], bool], types: frozenset[str]) -> None:
        self._things, self._covers = things, covers
        self.types = np.array([name in types for name in things.types])
        """(types,) by number; things of no type are covered by their id or not at all"""
        self.held: Ints = np.full(1, -1, np.int32)
        """single things, as `meanings.holds` wants them"""

    def __call__(self, name: str) -> bool:
        """Whether the sender may report for the thing with this id."""
        known = self._things.find(name)
        return self._covers(name, known.type if known else "")

    def hold(self, things: Ints) -> None:
        """Remembers things that are covered."""
        if len(self.held) <= MOST:
            self.held = with_more(self.held, things)


def resolve(reports: Reports, things: Things, may: Scope | None = None) -> tuple[Batch, list[InputError]]:
    """The batch that the reports mean, and what had to be refused; the good rows do not suffer for the bad.

    Things and attributes that nobody declared are kept and marked. `may` limits the sender to its own things.
    """
    count = len(reports)
    meant = Meant(
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        reports.value.copy(),
        np.empty(count, np.uint16),
        np.empty(count, np.bool_),
    )
    batch = Batch(meant.thing, meant.attr, plain(reports.time), meant.value, plain(reports.latitude), meant.quality)
    refused: list[InputError] = []
    if _settle(reports, things, may, meant):
        rows = np.flatnonzero(meant.open)
        good = np.ones(count, np.bool_)
        good[rows] = _look(reports.take(rows), rows, batch, things, may, refused)
        if refused:
            batch = batch.take(good)
            refused.sort(key=lambda error: error.line or 0)
    return batch, refused


def _settle(reports: Reports, things: Things, may: Scope | None, meant: Meant) -> int:
    """Enters what plain rows mean; how many are left open."""
    meanings, type_of = things.meanings, things.type_number
    said = Said(
        plain(reports.id),
        plain(reports.attr),
        plain(reports.text),
        NOTHING if reports.unit is None else plain(reports.unit),
        plain(reports.latitude),
    )
    units = np.array([meanings.units.get(unit, -1) for unit in reports.units], np.int32) if reports.units else NOTHING
    types, held = (things.every_type, NOBODY) if may is None else (may.types, may.held)
    return settle(said, type_of, types, held, meanings.tables, units, meant)


def _look(
    reports: Reports, rows: Rows, batch: Batch, things: Things, may: Scope | None, refused: list[InputError]
) -> Bools:
    """Enters what open rows of a batch mean; returns those of them that fit."""
    thing, attr = batch.thing[rows], batch.attr[rows]
    texts, text = spelled_out(reports.texts, reports.text, things.meanings.words, WORD)
    reports = replace(reports, texts=texts, text=text)
    unnamed = np.flatnonzero(thing < 0)
    if len(unnamed):
        thing[unnamed], attr[unnamed] = _by_name(reports.take(unnamed), things, may, refused)
    value, quality = batch.value[rows], batch.quality[rows]
    good = attr >= 0
    for number in distinct(attr[good], len(things.fields)):
        mine = np.flatnonzero(attr == number)
        field = things.fields[number]
        if field is None:
            quality[mine] |= int(Quality.UNKNOWN_ATTRIBUTE)
            good[mine] &= _plain(reports, mine, things, refused)
        else:
            good[mine] &= _values(reports, mine, field, things.codes(number), value, quality, refused)
    quality[things.type_number[thing] == 0] |= int(Quality.UNKNOWN_THING)
    batch.thing[rows], batch.attr[rows], batch.value[rows], batch.quality[rows] = thing, attr, value, quality
    return good


def plain(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The column as kernels are compiled for: in one piece, and to be written to."""
    return column if column.flags.writeable and column.flags.c_contiguous else column.copy()


def spelled_out(said: list[str], codes: Ints, names: Names, first: int) -> tuple[list[str], Ints]:
    """Names and, for each row, which one it is; behind those that were said stand those whose numbers were."""
    known = codes <= first
    if not known.any():
        return said, codes
    numbers, places = np.unique(first - codes[known], return_inverse=True)
    codes = codes.copy()
    codes[known] = len(said) + places
    return [*said, *map(names.told, numbers.tolist())], codes


def _by_name(reports: Reports, things: Things, may: Scope | None, refused: list[InputError]) -> tuple[Ints, Ints]:
    """(n,) thing and attribute of each row; -1 for those that are refused."""
    ids, thing = spelled_out(reports.ids, reports.id, things.meanings.things, -1)
    attrs, attr = spelled_out(reports.attrs, reports.attr, things.meanings.attrs, -1)
    reports = replace(reports, ids=ids, id=thing, attrs=attrs, attr=attr)
    thing = _things(reports, things, may, refused)
    rows = np.flatnonzero(thing >= 0)
    attr = np.full(len(reports), -1, np.int32)
    attr[rows] = _attributes(reports, things, thing[rows], rows)
    return thing, attr


def _things(reports: Reports, things: Things, may: Scope | None, refused: list[InputError]) -> Ints:
    """(n,) the thing of each row; -1 where it may not be reported for, or where there is no room for strangers."""
    found = things.indexes(reports.ids)
    allowed = np.ones(len(found), np.bool_) if may is None else np.array([may(n) for n in reports.ids], np.bool_)
    strange = np.flatnonzero((found < 0) & allowed).tolist()
    if strange:
        things.meet([reports.ids[n] for n in strange[: max(STRANGERS - things.strangers, 0)]])
        found = things.indexes(reports.ids)
    found[~allowed] = -1
    if may is not None:
        may.hold(found[found >= 0])
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


def _plain(reports: Reports, rows: Rows, things: Things, refused: list[InputError]) -> Bools:
    """Of what nobody declared only numbers can be kept."""
    good = reports.text[rows] < 0
    wrong = rows[~good]
    attrs, attr = spelled_out(reports.attrs, reports.attr[wrong], things.meanings.attrs, -1)
    for row, name in zip(wrong.tolist(), attr.tolist(), strict=True):
        reason = f"'{attrs[name]}' is no attribute of this thing, and its value is no number"
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
