"""Loading files: things into the register, readings into history; here, or into a hub that runs elsewhere.

Whatever cannot be taken says line and reason, is kept in the refused box, and stops nothing else. Loading the same
file again changes nothing.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet

from cheng.infrastructure.case_records import CaseRecord
from cheng.infrastructure.registration import NewThing
from cheng.kernel.columns import Ints
from cheng.kernel.entities import Entity, Quantity
from cheng.kernel.reports import Reports
from cheng.kernel.specs import did_you_mean
from cheng.protocols.files import Reading, Row, SeriesChunk, read_series, read_things
from cheng.protocols.files_cases import CaseReading, read_cases
from cheng.protocols.files_osm import read_osm
from cheng.protocols.files_tables import Block, csv_blocks
from cheng.protocols.files_text import text_of
from cheng.standards.base_map import Features
from cheng.standards.problems import InputError

READINGS, OSM, CLASSES, RESPONSIBILITIES, CASES = "readings", "osm", "classes", "responsibilities", "cases"
ARTICLES = "articles"
"""The kinds of files of readings, of base maps, of classes of cases, of who answers for them, of cases that another
system kept, and of what agents know; every other kind is a type of thing."""
THINGS_A_GO = 2_000
CASES_A_GO = 1_000
AHEAD = 4
"""Chunks that may be on their way into the hub while the next one is read."""
OWN_FIELDS = ("id", "name", "owner", "state")
PLACE = ("lon", "lat", "wkt")
TEXTS = (".csv", ".txt", ".tsv", ".tab", ".geojsonl", ".geojsons", ".ndjson")


@dataclass
class Taken:
    """What became of some rows."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[InputError] = field(default_factory=list)

    def add(self, other: "Taken") -> None:
        self.counts.update(other.counts)
        self.refused += other.refused


@dataclass(frozen=True)
class Loaded:
    """What became of a file."""

    counts: Counter[str]
    refused: list[InputError]
    left_out: list[str]
    """columns that the kind does not know, or tags that nobody can draw"""


class ClassTable(msgspec.Struct):
    """A table of classes or of responsibilities, as it goes to a hub."""

    kind: Literal["classes", "responsibilities"]
    flow: str
    """the way of work whose cases are filed by them; "" when the house has only one such"""
    since: str
    """the day from which changes are in force, as 2026-11-20; "" today"""
    rows: list[tuple[int, dict[str, str]]]
    """line of the file and cells by column"""


class CaseTable(msgspec.Struct):
    """Cases that another system kept, as they go to a hub."""

    flow: str
    """the way of work that handles such cases; "" when the house has only one"""
    limit: tuple[str, str]
    """number and unit, of classes that the flow does not know yet"""
    system: str
    """whose numbers the cases bear; "" where numbers of different systems cannot meet"""
    records: list[CaseRecord]


class ArticleTable(msgspec.Struct):
    """Articles of what agents know, as they go to a hub."""

    file: str
    rows: list[tuple[int, dict[str, str]]]
    """line of the file and cells by column"""


Told = Callable[[int, int, Taken], None]
"""Called with (rows of the file so far, its rows or 0 when unknown, what became of them so far)."""


class Target(Protocol):
    """Where things and readings go."""

    def things(self, rows: Sequence[NewThing], actor: str) -> Taken:
        """Registers them; counts `added`, `changed` and `unchanged`."""

    def readings(self, reports: Reports) -> Taken:
        """Takes them; counts `accepted`, `marked` and `known`, those which were there already. May be a little behind;
        what it could not say yet comes with the next call or with `finish`."""

    def features(self, source: str, features: Features) -> Taken:
        """Puts them on the base map in place of what the source brought before; counts `drawn`."""

    def classes(self, table: ClassTable, actor: str) -> Taken:
        """Takes classes of cases, or who answers for them; counts `added`, `changed` and `unchanged`."""

    def cases(self, table: CaseTable, actor: str) -> Taken:
        """Takes cases that another system kept; counts `added`, `changed` and `unchanged`, and `agrees` and
        `disagrees`: whether they were closed in time, as the file says and as it came out."""

    def articles(self, table: ArticleTable, actor: str) -> Taken:
        """Takes articles of what agents know; counts `added`, `changed` and `unchanged`."""

    def finish(self) -> Taken:
        """Waits until everything is durable."""

    def keep(self, file: str, errors: Sequence[tuple[InputError, bytes]]) -> None:
        """Puts refused rows aside."""


# -- a file


def load_things(
    target: Target,
    kind: type[Entity],
    file: Path,
    mapping: Mapping[str, str],
    told: Told,
    decimal: str = ".",
    **how: Any,
) -> Loaded:
    """Registers the things of a file.

    `mapping` is FIELD=COLUMN, `decimal` the mark in numbers; `how` goes to `read_things`. Raises InputError when the
    file cannot be read at all, or a mapped field is none of the kind.
    """
    taken, refused, leave_out = Taken(), list[InputError](), set[str]()
    known = [*OWN_FIELDS, *PLACE, *kind.fixed()]
    for name in mapping:
        if name not in known:
            reason = f"{kind.__name__} has no register field '{name}'; {did_you_mean(name, known)}"
            raise InputError("unknown-field", reason)
    total = count_rows(file)
    rows = read_things(file, mapping, **how)
    with _kept(target, file, refused, how.get("encoding")):
        while group := list(itertools.islice(rows, THINGS_A_GO)):
            fresh: list[NewThing] = []
            for row in group:
                try:
                    fresh.append(new_thing(row, kind, leave_out, decimal))
                except InputError as error:
                    refused.append(error)
            outcome = target.things(fresh, f"file:{file.name}")
            refused += outcome.refused
            taken.add(Taken(outcome.counts))
            last = group[-1]
            told(last.number if isinstance(last, Row) else last.line or 0, total, taken)
    return Loaded(taken.counts, refused, sorted(leave_out))


def new_thing(row: Row | InputError, kind: type[Entity], left_out: set[str], decimal: str = ".") -> NewThing:
    """A row of a file as a thing of the kind, without columns that the kind does not know; these are noted.

    InputError when it has no id, or could not be read.
    """
    if isinstance(row, InputError):
        raise row
    fields = dict(row.fields)
    own = {name: str(fields.pop(name)) for name in OWN_FIELDS if fields.get(name) not in (None, "")}
    if "id" not in own:
        raise InputError("no-id", "it has no id; name the column with --map id=COLUMN", row.number)
    given = {name: value for name, value in fields.items() if value not in (None, "") and name not in OWN_FIELDS}
    known = {name: value for name, value in given.items() if name in kind.fixed()}
    left_out |= given.keys() - known.keys()
    if decimal == ",":
        known |= {name: with_point(known[name]) for name in known if isinstance(kind.fixed()[name], Quantity)}
    return NewThing(type=kind.__name__, properties=known, geometry=row.geometry, line=row.number, **own)


def with_point(value: Any) -> Any:
    """A number written with a decimal comma, with a point; anything else as it is."""
    return value.replace(",", ".") if isinstance(value, str) and "." not in value else value


def load_readings(target: Target, file: Path, mapping: Mapping[str, str], told: Told, how: Reading) -> Loaded:
    """Takes the readings of a file in its order.

    Raises InputError when the file cannot be read at all.
    """
    taken, refused = Taken(), list[InputError]()
    total = count_rows(file)
    with _kept(target, file, refused, how.encoding):
        for chunk in read_series(file, {**usual(file, mapping, how), **mapping}, how):
            if isinstance(chunk, InputError):
                refused.append(chunk)
                continue
            outcome = target.readings(reports_of(chunk))
            refused += outcome.refused
            taken.add(Taken(outcome.counts))
            told(int(chunk.rows[-1]), total, taken)
        taken.add(Taken(target.finish().counts))
    return Loaded(taken.counts, refused, [])


def load_osm(target: Target, file: Path, told: Told) -> Loaded:
    """Puts an OpenStreetMap file on the base map; its name is that of the source.

    Raises InputError when the file cannot be read at all.
    """
    found = read_osm(file)
    outcome = target.features(file.name, found.features)
    refused = [*found.refused, *outcome.refused]
    told(len(found.features), len(found.features), outcome)
    if refused:
        target.keep(file.name, [(error, b"") for error in refused])
    return Loaded(outcome.counts, refused, [f"{tag} ({count})" for tag, count in found.unknown.most_common()])


def load_classes(target: Target, table: ClassTable, file: Path, rows: Iterator[Any], told: Told) -> Loaded:
    """Takes a file of classes or of responsibilities into `table` and gives it to the hub.

    Raises InputError when the file cannot be read at all.
    """
    return _load_table(target, table.rows, file, rows, told, lambda: target.classes(table, f"file:{file.name}"))


def load_articles(target: Target, file: Path, rows: Iterator[Any], told: Told) -> Loaded:
    """Takes a file of articles and gives it to the hub.

    Raises InputError when the file cannot be read at all.
    """
    table = ArticleTable(file.name, [])
    return _load_table(target, table.rows, file, rows, told, lambda: target.articles(table, f"file:{file.name}"))


def _load_table(
    target: Target, into: list[Any], file: Path, rows: Iterator[Any], told: Told, give: Callable[[], Taken]
) -> Loaded:
    """Puts the rows of a file that could be read into a table, and gives that to the hub."""
    refused: list[InputError] = []
    for row in rows:
        (refused if isinstance(row, InputError) else into).append(row)
    total = len(into) + len(refused)
    with _kept(target, file, refused, None):
        outcome = give()
        refused += outcome.refused
        told(total, total, outcome)
    return Loaded(outcome.counts, refused, [])


def load_cases(
    target: Target, table: CaseTable, file: Path, mapping: Mapping[str, str], told: Told, how: CaseReading
) -> Loaded:
    """Takes the cases of a file, in the place of `table.records`.

    Raises InputError when the file cannot be read at all, or a mapped field is none of a case.
    """
    taken, refused = Taken(), list[InputError]()
    total = count_rows(file)
    rows = read_cases(file, mapping, how)
    with _kept(target, file, refused, how.encoding):
        while group := list(itertools.islice(rows, CASES_A_GO)):
            refused += [row for row in group if isinstance(row, InputError)]
            table.records = [row for row in group if isinstance(row, CaseRecord)]
            outcome = target.cases(table, f"file:{file.name}")
            refused += outcome.refused
            taken.add(Taken(outcome.counts))
            told(group[-1].line or 0, total, taken)
    return Loaded(taken.counts, refused, [])


def usual(file: Path, mapping: Mapping[str, str], how: Reading) -> dict[str, str]:
    """Columns that bear the names of the hub's own door (id; attr and value) and need no mapping."""
    if any(column.startswith("#") for column in mapping.values()):
        return {}
    if file.suffix.lower() in (".parquet", ".pq"):
        names = parquet_names(file)
    else:
        blocks = csv_blocks(file, how.encoding, how.separator, list(how.na), False)
        names = next((block.data.schema.names for block in blocks if isinstance(block, Block)), [])
    found = {}
    if "id" in names and how.thing is None:
        found["id"] = "id"
    if {"attr", "value"} <= {*names} and how.attr is None:
        found |= {"attr": "attr", "value": "value"}
    return {name: column for name, column in found.items() if column not in mapping.values()}


def parquet_names(file: Path) -> list[str]:
    try:
        names: list[str] = pa.parquet.read_schema(file).names
    except (OSError, pa.ArrowInvalid):
        return []  # whoever reads the file says what is wrong with it
    return names


def reports_of(chunk: SeriesChunk) -> Reports:
    """A chunk of a file as a door would have sent it."""
    count = len(chunk)
    ids, id_codes = compact(chunk.ids)
    attrs, attr_codes = compact(chunk.attrs)
    texts, text = compact(chunk.value) if chunk.is_text else ([], np.full(count, -1, np.int32))
    value = np.full(count, np.nan) if chunk.is_text else chunk.value
    latitude = np.full(count, np.nan) if chunk.latitude is None else chunk.latitude
    rows = np.minimum(chunk.rows, np.iinfo(np.int32).max).astype(np.int32)
    return Reports(ids, id_codes, attrs, attr_codes, chunk.time, value, latitude, texts, text, rows)


def compact(encoded: Any) -> tuple[list[str], Ints]:
    """The words of an Arrow dictionary array that are really used, and for each row which one it is."""
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    used = np.flatnonzero(np.bincount(codes, minlength=len(encoded.dictionary)))
    place = np.zeros(len(encoded.dictionary), np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return encoded.dictionary.take(pa.array(used)).cast(pa.string()).to_pylist(), place[codes]


def count_rows(file: Path) -> int:
    """How many lines a text file has, or rows a Parquet file; 0 when that would take a reading of its own."""
    suffix = file.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            return int(pa.parquet.read_metadata(file).num_rows)
        if suffix not in TEXTS:
            return 0
        with file.open("rb") as stream:
            return sum(part.count(b"\n") for part in iter(lambda: stream.read(1 << 20), b""))
    except (OSError, pa.ArrowInvalid):
        return 0  # whoever reads the file says what is wrong with it


@contextmanager
def _kept(target: Target, file: Path, refused: list[InputError], encoding: str | None) -> Iterator[None]:
    """At the end, even one before its time, sorts the refused rows and puts them aside with what stood in the file."""
    try:
        yield
    finally:
        refused.sort(key=lambda error: error.line or 0)
        if refused:
            _keep(target, file, refused, encoding)


def _keep(target: Target, file: Path, refused: Sequence[InputError], encoding: str | None) -> None:
    wanted = {error.line for error in refused[:1000] if error.line is not None}
    lines: dict[int, str] = {}
    if wanted and file.with_suffix("" if file.suffix.lower() == ".gz" else file.suffix).suffix.lower() in TEXTS:
        with text_of(file, encoding) as text:
            last = max(wanted)
            lines = {n: line for n, line in enumerate(itertools.islice(text, last), 1) if n in wanted}
    target.keep(file.name, [(e, lines.get(e.line or 0, "").rstrip("\r\n").encode()) for e in refused])
