"""Classes of cases as rows of a table, one row a filing condition, and back again: what cities edit and exchange.

A row says all of its class or, below the first row of the class, leaves that out. Words for units may be Chinese.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cheng.kernel.classes import EVER, KINDS, CaseClass, FilingCondition, Responsibility, faults, responsibility_faults
from cheng.standards.durations import Duration
from cheng.standards.problems import InputError

CLASS_COLUMNS = (
    "code",
    "group",
    "group_zh",
    "name",
    "name_zh",
    "responsible",
    "supervising",
    "public",
    "source",
    "since",
    "retired",
)
CONDITION_COLUMNS = (
    "condition",
    "text",
    "text_zh",
    "limit",
    "unit",
    "closes",
    "closes_zh",
    "simple",
    "basis",
    "note",
    "limit_source",
)
COLUMNS = (*CLASS_COLUMNS, *CONDITION_COLUMNS)
"""The head of a table of classes."""
KIND_WORDS = {"component": "C", "event": "E", "service": "S", "部件": "C", "事件": "E", "服务": "S"}
OWN_FIRST, OWN_LAST = 80, 999
"""Numbers of small classes that a city makes itself; they are taken from the last one down."""
RESPONSIBILITY_COLUMNS = ("prefix", "area", "departments", "since")
UNIT_WORDS = {
    "minute": "minute",
    "minutes": "minute",
    "hour": "hour",
    "hours": "hour",
    "working hour": "working hour",
    "working hours": "working hour",
    "working day": "working day",
    "working days": "working day",
    "day": "day",
    "days": "day",
    "分钟": "minute",
    "紧急工作时": "hour",
    "小时": "hour",
    "工作时": "working hour",
    "工作日": "working day",
    "紧急工作日": "day",
    "自然日": "day",
    "天": "day",
}
YES, NO = ("yes", "true", "1", "是"), ("no", "false", "0", "否", "")
Rows = Iterable[tuple[int, Mapping[str, str]]]
"""Line of the file and cells by column."""


Told = tuple[int, dict[str, str]]
"""One of them."""
FORMULA = tuple("=+-@＝＋－＠")
LOST = "\N{REPLACEMENT CHARACTER}"
"""Stands where bytes were no text."""


@dataclass(frozen=True, slots=True)
class Found:
    """A class as a file tells it."""

    line: int
    """of its first row"""
    version: CaseClass
    day_told: bool
    """whether the file says from which day on"""


def rows_of_text(text: str) -> Iterator[Told | InputError]:
    """The rows of a table of commas that a form brought, its head in the first line."""
    yield from records(csv.reader(text.lstrip("\ufeff").splitlines(keepends=True)), None)


def records(reader: Any, head: list[str] | None) -> Iterator[Told | InputError]:
    """Line and cells of each row that is not blank; without `head` the first one is it."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield InputError("not-csv", f"it cannot be read: {problem}", reader.line_num)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if head is None:
            head = [name.strip() for name in cells]
        elif len(cells) != len(head):
            yield InputError("cells", f"it has {len(cells)} cells, the header has {len(head)}", reader.line_num)
        elif any(LOST in cell for cell in cells):
            reason = "it holds bytes that are no text in this encoding; try encoding gb18030 or utf-8"
            yield InputError("encoding", reason, reader.line_num)
        else:
            yield reader.line_num, dict(zip(head, map(bare, cells), strict=True))


def bare(text: str) -> str:
    """A cell without blanks around it, and without the mark that keeps a spreadsheet from running it."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text


def classes_in(rows: Rows) -> Iterator[Found | InputError]:
    """Each class of a table in the order of its first rows, or the InputError that says why it is refused.

    Rows of a class need not stand together. One bad row refuses its whole class: half of its conditions would be
    another class than the one that was meant.
    """
    groups: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for line, row in rows:
        code = cell(row, "code")
        if not code:
            yield InputError("no-code", "it has no class code", line)
        else:
            groups.setdefault(code, []).append((line, row))
    for code, members in groups.items():
        try:
            yield class_of(code, members)
        except InputError as error:
            yield error


def class_of(code: str, rows: list[tuple[int, Mapping[str, str]]]) -> Found:
    """The class that these rows tell; InputError with the line of the first one that cannot be taken."""
    told: dict[str, str] = {}
    for line, row in rows:
        for name in CLASS_COLUMNS:
            if (text := cell(row, name)) and told.setdefault(name, text) != text:
                reason = f"class {code} has two different values of '{name}': {told[name]!r} and {text!r}"
                raise InputError("contradiction", reason, line)
    first = rows[0][0]
    own = [(line, row) for line, row in rows if has_condition(row)]
    conditions = tuple(condition_of(row, line, n) for n, (line, row) in enumerate(own))
    name, group = told.get("name", ""), told.get("group", "")
    name_zh, group_zh = told.get("name_zh", ""), told.get("group_zh", "")
    version = CaseClass(
        code=code,
        kind=KINDS.get(code[0], ""),
        group=group or group_zh,
        group_zh=group_zh or group,
        name=name or name_zh,
        name_zh=name_zh or name,
        conditions=conditions,
        responsible=told.get("responsible", ""),
        supervising=told.get("supervising", ""),
        public=flag(told.get("public", "yes"), "public", first),
        source=told.get("source", ""),
        since=day_of(told["since"], first) if "since" in told else EVER,
        retired=flag(told.get("retired", ""), "retired", first),
    )
    for fault in faults(version):
        raise InputError("bad-class", str(fault), first)
    return Found(first, version, "since" in told)


def has_condition(row: Mapping[str, str]) -> bool:
    """A class may stand in a row of its own, above those of its conditions."""
    return any(cell(row, name) for name in ("condition", "text", "text_zh", "limit"))


def condition_of(row: Mapping[str, str], line: int, n: int) -> FilingCondition:
    """The filing condition of a row, the n-th of its class, from 0; InputError when its limit cannot be read."""
    text, text_zh = cell(row, "text"), cell(row, "text_zh")
    closes, closes_zh = cell(row, "closes"), cell(row, "closes_zh")
    return FilingCondition(
        id=cell(row, "condition") or str(n + 1),
        text=text or text_zh,
        text_zh=text_zh or text,
        limit=limit_of(cell(row, "limit"), cell(row, "unit"), line),
        closes=closes or closes_zh,
        closes_zh=closes_zh or closes,
        basis=cell(row, "basis"),
        note=cell(row, "note"),
        simple=flag(cell(row, "simple"), "simple", line),
        source=cell(row, "limit_source"),
    )


def limit_of(amount: str, unit: str, line: int | None = None) -> Duration:
    """A limit from its number and the word for its clock; InputError for anything else."""
    if (known := UNIT_WORDS.get(unit.strip().lower())) is None:
        words = "minute, hour, working hour, working day, day"
        raise InputError("unit", f"{unit!r} is no unit of a limit; write one of {words}", line)
    try:
        return Duration(float(amount), known)
    except ValueError:
        raise InputError("limit", f"{amount!r} is no number of {known}s", line) from None


def day_of(text: str, line: int | None = None) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("day", f"{text!r} is no day; write it like 2026-11-20", line) from None


def flag(text: str, name: str, line: int | None = None) -> bool:
    if (word := text.strip().lower()) not in (*YES, *NO):
        raise InputError("flag", f"'{name}' is {text!r}; write yes or no", line)
    return word in YES


def cell(row: Mapping[str, str], name: str) -> str:
    return str(row.get(name) or "").strip()


class Numbers:
    """Gives classes of a taxonomy that knows no codes their codes: the one that a class of the same kind, big class and
    name has already, else one of the city's own numbers.
    """

    def __init__(self, known: Iterable[CaseClass]) -> None:
        self.codes: dict[tuple[str, str, str], str] = {}
        self.groups: dict[tuple[str, str], str] = {}
        self.taken: set[str] = set()
        for version in known:
            self.codes.setdefault((version.code[0], version.group_zh, version.name_zh), version.code)
            self.groups.setdefault((version.code[0], version.group_zh), version.big)
            self.taken.add(version.code)

    def code(self, row: Mapping[str, str], line: int) -> str:
        """The code of a row's class; InputError when its kind is not said, or no number is left."""
        if told := cell(row, "code"):
            return told
        letter = KIND_WORDS.get(cell(row, "kind").lower())
        if letter is None:
            raise InputError(
                "no-code", "it has no class code, and no kind (component, event, service) to make one", line
            )
        group = cell(row, "group_zh") or cell(row, "group")
        name = cell(row, "name_zh") or cell(row, "name")
        if (known := self.codes.get((letter, group, name))) is not None:
            return known
        big = self.groups.get((letter, group)) or self._big(letter, line)
        numbers = (f"{big}{n:03d}" for n in range(OWN_LAST, OWN_FIRST - 1, -1))
        code = next((each for each in numbers if each not in self.taken), None)
        if code is None:
            raise InputError("no-number", f"the big class {group!r} has no number left for another class", line)
        self.groups[letter, group] = big
        self.codes[letter, group, name] = code
        self.taken.add(code)
        return code

    def _big(self, letter: str, line: int) -> str:
        used = {*self.groups.values(), *(code[:3] for code in self.taken)}
        big = next((f"{letter}{n:02d}" for n in range(1, 100) if f"{letter}{n:02d}" not in used), None)
        if big is None:
            raise InputError("no-number", "there are 99 big classes already", line)
        return big


def numbered(rows: Rows, known: Iterable[CaseClass]) -> Iterator[tuple[int, Mapping[str, str]] | InputError]:
    """The same rows, each with its code."""
    numbers = Numbers(known)
    for line, row in rows:
        try:
            yield line, {**row, "code": numbers.code(row, line)}
        except InputError as error:
            yield error


# -- and back again


def rows_of(version: CaseClass) -> Iterator[dict[str, str]]:
    """The rows of a class, all of them whole, so that a table can be sorted and cut as one likes."""
    of_class = {
        "code": version.code,
        "group": version.group,
        "group_zh": version.group_zh,
        "name": version.name,
        "name_zh": version.name_zh,
        "responsible": version.responsible,
        "supervising": version.supervising,
        "public": "yes" if version.public else "no",
        "source": version.source,
        "since": version.since.isoformat(),
        "retired": "yes" if version.retired else "no",
    }
    for condition in version.conditions:
        yield of_class | {
            "condition": condition.id,
            "text": condition.text,
            "text_zh": condition.text_zh,
            "limit": f"{condition.limit.amount:g}",
            "unit": condition.limit.unit,
            "closes": condition.closes,
            "closes_zh": condition.closes_zh,
            "simple": "yes" if condition.simple else "no",
            "basis": condition.basis,
            "note": condition.note,
            "limit_source": condition.source,
        }


# -- responsibilities


def responsibilities_in(rows: Rows) -> Iterator[tuple[int, Responsibility, bool] | InputError]:
    """Line, row and whether it says its start day, for each row of a table of responsibilities; or why not.

    Several departments are apart by semicolons.
    """
    for line, row in rows:
        departments = cell(row, "departments").replace("；", ";").split(";")
        names = tuple(dict.fromkeys(name.strip() for name in departments if name.strip()))
        told = cell(row, "since")
        try:
            found = Responsibility(cell(row, "prefix"), cell(row, "area"), names)
            if told:
                found = replace(found, since=day_of(told, line))
            for fault in responsibility_faults(found):
                raise InputError("bad-responsibility", str(fault), line)
        except InputError as error:
            yield error
        else:
            yield line, found, bool(told)


def responsibility_row(row: Responsibility) -> dict[str, str]:
    since = row.since.isoformat()
    return {"prefix": row.prefix, "area": row.area, "departments": "; ".join(row.departments), "since": since}
