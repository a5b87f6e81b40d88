"""Tables of classes and of responsibilities, taken into the book of classes row by row."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import Connection

from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.things import Things
from cheng.kernel.class_rows import Found, classes_in, numbered, responsibilities_in
from cheng.kernel.classes import CaseClass, Responsibility
from cheng.standards.problems import InputError, Refused

Row = tuple[int, Mapping[str, str]]


@dataclass
class Outcome:
    """What became of the rows."""

    counts: Counter[str] = field(default_factory=Counter)
    """added, changed, unchanged"""
    refused: list[InputError] = field(default_factory=list)


def take_classes(
    book: ClassBook, conn: Connection, flow_key: str, rows: Sequence[Row], since: date, actor: str
) -> Outcome:
    """Takes the classes of a table. Those that say no start day, or the one they had, begin on `since` when they
    change something; a class that nobody knew begins on the day it says.

    Rows that name `departments` also say who is responsible for their class everywhere.
    """
    outcome = Outcome()
    there = {code: book.versions(flow_key, code) for code in book.codes(flow_key)}
    coded: list[Row] = []
    for row in numbered(rows, [version for versions in there.values() for version in versions]):
        if isinstance(row, InputError):
            outcome.refused.append(row)
        else:
            coded.append(row)
    departments = {row["code"]: row["departments"] for _, row in coded if row.get("departments")}
    for found in classes_in(coded):
        if isinstance(found, InputError):
            outcome.refused.append(found)
            continue
        try:
            before = there.get(found.version.code, ())
            outcome.counts[take_class(book, conn, flow_key, found, before, since, actor)] += 1
        except Refused as refused:
            outcome.refused.append(InputError(refused.code, str(refused), found.line))
            continue
        if told := departments.get(found.version.code):
            names = tuple(filter(None, (name.strip() for name in told.split(";"))))
            book.put_responsibility(conn, flow_key, Responsibility(found.version.code, "", names, since), actor)
    outcome.refused.sort(key=lambda error: error.line or 0)
    return outcome


def take_class(
    book: ClassBook,
    conn: Connection,
    flow_key: str,
    found: Found,
    there: Sequence[CaseClass],
    since: date,
    actor: str,
) -> str:
    """added, changed or unchanged, compared with the versions that are there; Refused when it may not be."""
    version = starting(found, there, since)
    written = book.put(conn, flow_key, version, actor, first_may_be_past=True)
    if any(written.version == each.version for each in there):
        return "unchanged"
    return "changed" if there else "added"


def starting(found: Found, there: Sequence[CaseClass], since: date) -> CaseClass:
    """The class with the day from which it is to be in force."""
    told_before = any(version.since == found.version.since for version in there)
    return found.version if found.day_told and not told_before else replace(found.version, since=since)


def take_responsibilities(
    book: ClassBook, things: Things, conn: Connection, flow_key: str, rows: Iterable[Row], since: date, actor: str
) -> Outcome:
    """Takes the rows of a table of responsibilities; an area is named by its id, or by a name that only one has."""
    outcome = Outcome()
    names: dict[str, list[str]] = {}
    for each in things.of_type("Area"):
        names.setdefault(each.name, []).append(each.id)
    known = {(each.prefix, each.area): each for each in book.responsibilities(flow_key)}
    for row in responsibilities_in(rows):
        if isinstance(row, InputError):
            outcome.refused.append(row)
            continue
        line, told, day_told = row
        try:
            area = area_of(things, names, told.area, line)
            before = known.get((told.prefix, area))
            kept = day_told and not (before and before.since == told.since)
            fresh = replace(told, area=area, since=told.since if kept else since)
            wrote = book.put_responsibility(conn, flow_key, fresh, actor, first_may_be_past=True)
        except InputError as error:
            outcome.refused.append(error)
        except Refused as refused:
            outcome.refused.append(InputError(refused.code, str(refused), line))
        else:
            outcome.counts["unchanged" if not wrote else "changed" if before else "added"] += 1
    return outcome


def area_of(things: Things, names: Mapping[str, Sequence[str]], told: str, line: int) -> str:
    """The id of an area; InputError for one that is not in the register."""
    found = things.find(told) if told else None
    if not told or (found is not None and found.type == "Area"):
        return told
    named = names.get(told, ())
    if len(named) == 1:
        return named[0]
    reason = f"{len(named)} areas are named {told!r}; write the id" if named else f"there is no area {told!r}"
    raise InputError("area", reason, line)
