"""Classes of cases and the conditions on which they are filed: what counts, how soon it is put right, when it is done.

A limit belongs to a filing condition, never to a class. Classes have versions, each with the day from which it is in
force; a case is filed by one condition of the version of that day and keeps it as its `Standard`, whatever is decided
later. What a department has to do with a class is said by its text, or by area in a table of responsibilities.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from string import Formatter
from typing import Any

from cheng.kernel.specs import did_you_mean
from cheng.standards.durations import Duration
from cheng.standards.problems import Refused

KINDS = {"C": "component", "E": "event", "S": "service"}
"""The letter that a code begins with, and the kind of class it says."""
CODE = re.compile(r"[CES](?!00)\d{2}(?:(?!00)\d{2}|0[89]\d|[1-9]\d\d)")
CONDITION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
UNITS = ("minute", "hour", "working hour", "working day", "day")
"""What a limit is counted in; minutes and hours run through the night."""
LONGEST = 1000
"""The largest number in a limit; more is a slip of the pen."""
LEVELS = ("grid", "community", "street", "district")
"""Kinds of areas from the smallest to the largest; a case names those it lies in as "grid_id" and so on."""
BLANKS = ("district", "street", "community", "grid", "owner")
"""What a department may be named by: "{district} urban management squad"."""
EVER = date(1970, 1, 1)
"""The start day of a class that has always been in force."""


@dataclass(frozen=True, slots=True)
class FilingCondition:
    """What has to be found for a case to be filed, its limit, and what has to be true for it to be closed."""

    id: str
    """short and lasting: cases name their condition by it"""
    text: str
    text_zh: str
    limit: Duration
    closes: str
    closes_zh: str
    basis: str = ""
    """law or rule that asks for it"""
    note: str = ""
    """what a collector should look at or photograph"""
    simple: bool = False
    """whoever finds it may put it right on the spot"""
    source: str = ""
    """where text and limit come from"""


@dataclass(frozen=True, slots=True)
class CaseClass:
    """One version of a class of cases."""

    code: str
    """letter of the kind, two digits of the big class, two of the small one: "E0102"; three, 080 to 999, where it is
    of the city's own making"""
    kind: str
    group: str
    group_zh: str
    name: str
    name_zh: str
    conditions: tuple[FilingCondition, ...] = ()
    responsible: str = ""
    """who puts it right; blanks in braces are filled from the case: "{district} urban management squad" """
    supervising: str = ""
    """who answers for the field"""
    public: bool = True
    """whether people may report it by this name"""
    source: str = ""
    """where code and name come from"""
    since: date = EVER
    version: int = 1
    retired: bool = False
    """from `since` on nothing is filed under it"""

    def condition(self, condition: str) -> FilingCondition | None:
        """The filing condition of that id."""
        return next((each for each in self.conditions if each.id == condition), None)

    @property
    def urgent(self) -> bool:
        """Whether nobody waits for office hours with it: an event whose first condition runs day and night."""
        return self.kind == "event" and bool(self.conditions) and self.conditions[0].limit.clock == "emergency"

    @property
    def big(self) -> str:
        """Letter and digits of the big class: "E01"."""
        return self.code[:3]

    @property
    def small(self) -> str:
        """Digits of the small class."""
        return self.code[3:]

    def same_as(self, other: "CaseClass") -> bool:
        """Whether both say the same, whatever their numbers and start days."""
        return content(self) == content(other)


@dataclass(frozen=True, slots=True)
class Standard:
    """What a case was filed by. It is kept inside the case, so that later versions do not touch it."""

    class_code: str
    class_name: str
    class_name_zh: str
    condition: str
    text: str
    text_zh: str
    limit: Duration
    closes: str
    closes_zh: str
    version: int
    simple: bool = False

    def facts(self) -> dict[str, Any]:
        """As an act of a case keeps it."""
        return {
            "class": self.class_code,
            "name": self.class_name,
            "name_zh": self.class_name_zh,
            "condition": self.condition,
            "text": self.text,
            "text_zh": self.text_zh,
            "limit": [self.limit.amount, self.limit.unit],
            "closes": self.closes,
            "closes_zh": self.closes_zh,
            "version": self.version,
            "simple": self.simple,
        }


@dataclass(frozen=True, slots=True)
class Responsibility:
    """Who puts right what in an area."""

    prefix: str
    """beginning of the codes it is about: "" all, "E" events, "E01" a big class, "E0102" one class"""
    area: str
    """id of an area of any level; "" the whole city"""
    departments: tuple[str, ...]
    """blanks as in `CaseClass.responsible`; none ends an earlier row"""
    since: date = EVER


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a class: the field, and a sentence with blanks."""

    where: str
    message: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message.format_map(self.values)


def content(version: CaseClass) -> tuple[Any, ...]:
    """All that a version says but its number and start day."""
    left_out = ("version", "since")
    return tuple(getattr(version, name) for name in version.__dataclass_fields__ if name not in left_out)


# -- what is in force


def in_force(versions: Iterable[CaseClass], day: date) -> CaseClass | None:
    """The version of a class that is in force on a day: the last with since <= day, of two that start on the same
    day the later one; None before the first and where that one retires the class.
    """
    begun = [version for version in versions if version.since <= day]
    last = max(begun, key=lambda version: (version.since, version.version), default=None)
    return None if last is None or last.retired else last


def standard_of(version: CaseClass, condition: str) -> Standard:
    """What a case is filed by; Refused (422) when the class has no such condition."""
    chosen = version.condition(condition)
    if chosen is None:
        values = {"code": version.code, "condition": condition}
        message = "Class {code} has no filing condition {condition} that is in force; please choose one of its own."
        raise Refused("no-such-condition", message, values, status=422)
    return Standard(
        version.code,
        version.name,
        version.name_zh,
        chosen.id,
        chosen.text,
        chosen.text_zh,
        chosen.limit,
        chosen.closes,
        chosen.closes_zh,
        version.version,
        chosen.simple,
    )


def responsible(
    rows: Iterable[Responsibility], version: CaseClass | None, code: str, values: Mapping[str, Any]
) -> tuple[str, ...]:
    """Who puts a case right: by the row that fits its class best, of several such rows the one for the smallest
    area; by the text of the class where no row fits. A department whose blanks cannot be filled is left out.
    """
    places = {str(values.get(f"{level}_id") or ""): n for n, level in enumerate(LEVELS)} | {"": len(LEVELS)}
    fitting = [row for row in rows if row.departments and code.startswith(row.prefix) and row.area in places]
    fitting.sort(key=lambda row: (-len(row.prefix), places[row.area]))
    texts: Iterator[tuple[str, ...]] = (row.departments for row in fitting)
    for departments in (*texts, (version.responsible,) if version else ()):
        filled = tuple(dict.fromkeys(name for text in departments if (name := fill(text, values))))
        if filled:
            return filled
    return ()


def fill(text: str, values: Mapping[str, Any]) -> str:
    """A department's name with its blanks filled, or "" when one of them is not known."""
    known = {name: str(values.get(name) or "").strip() for name in blanks(text)}
    return text.format_map(known).strip() if all(known.values()) else ""


def blanks(text: str) -> list[str]:
    """The names in braces; ValueError for a text that cannot be read."""
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


# -- what is wrong


def check(version: CaseClass) -> None:
    """Raises Refused (422) with the first fault."""
    for fault in faults(version):
        raise Refused("bad-class", fault.message, fault.values, status=422)


def faults(version: CaseClass) -> Iterator[Fault]:
    """Everything wrong with a version of a class."""
    if not CODE.fullmatch(version.code):
        message = "“{code}” is no class code: C, E or S, two digits of the big class, two of the small (or 080 to 999)."
        yield Fault("code", message, {"code": version.code})
    elif KINDS[version.code[0]] != version.kind:
        values = {"code": version.code, "kind": version.kind}
        yield Fault("kind", "Code {code} does not begin as codes of the kind “{kind}” do.", values)
    for name, message in (
        ("group", "Class {code} needs the name of its big class, in English and in Chinese."),
        ("name", "Class {code} needs a name, in English and in Chinese."),
    ):
        if not getattr(version, name).strip() or not getattr(version, f"{name}_zh").strip():
            yield Fault(name, message, {"code": version.code})
    yield from department_faults("responsible", version.responsible)
    yield from department_faults("supervising", version.supervising)
    if not version.conditions:
        message = "Class {code} needs at least one filing condition: without one nothing can be filed under it."
        yield Fault("conditions", message, {"code": version.code})
    yield from condition_faults(version.conditions)


def condition_faults(conditions: Sequence[FilingCondition]) -> Iterator[Fault]:
    ids = [condition.id for condition in conditions]
    for n, condition in enumerate(conditions):
        values: dict[str, Any] = {"condition": condition.id or n + 1}
        at = f"conditions.{n}"
        if not CONDITION_ID.fullmatch(condition.id):
            message = "“{condition}” is no name for a condition: small letters, digits and hyphens, at most 24."
            yield Fault(f"{at}.id", message, values)
        elif condition.id in ids[:n]:
            yield Fault(f"{at}.id", "There are two conditions named “{condition}”.", values)
        if not condition.text.strip() or not condition.text_zh.strip():
            message = "Condition “{condition}” needs a sentence about what is found, in English and in Chinese."
            yield Fault(f"{at}.text", message, values)
        if not condition.closes.strip() or not condition.closes_zh.strip():
            message = "Condition “{condition}” needs a sentence about when it is done, in English and in Chinese."
            yield Fault(f"{at}.closes", message, values)
        if condition.limit.unit not in UNITS:
            message = "The limit of condition “{condition}” is in {unit}s; a limit is in minutes, hours or days."
            yield Fault(f"{at}.limit", message, values | {"unit": condition.limit.unit})
        elif not 0 < condition.limit.amount <= LONGEST:
            message = "The limit of condition “{condition}” has to be more than 0 and at most {most}."
            yield Fault(f"{at}.limit", message, values | {"most": LONGEST})


def department_faults(where: str, text: str) -> Iterator[Fault]:
    """What is wrong with the name of a department that may have blanks."""
    try:
        unknown = [name for name in blanks(text) if name not in BLANKS]
    except ValueError:
        yield Fault(
            where, "“{text}” cannot be read; blanks are written like {blank}.", {"text": text, "blank": "{street}"}
        )
        return
    for name in unknown:
        values = {"text": text, "name": name, "hint": did_you_mean(name, list(BLANKS))}
        yield Fault(where, "“{text}” has a blank that no case can fill: {name} ({hint}).", values)


def responsibility_faults(row: Responsibility) -> Iterator[Fault]:
    """What is wrong with a row of the table of responsibilities; whether its area exists is for the store to say."""
    if not re.fullmatch(r"([CES](\d{2}(\d{2,3})?)?)?", row.prefix):
        message = "“{code}” is no beginning of a class code: nothing, a letter, a big class like E01, or a class."
        yield Fault("prefix", message, {"code": row.prefix})
    for department in row.departments:
        yield from department_faults("departments", department)
