"""What cases are filed by: every class with its conditions and limits, its versions, and what was changed when."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from cheng.kernel.class_changes import changes
from cheng.kernel.class_rows import COLUMNS, rows_of
from cheng.kernel.classes import CaseClass
from cheng.standards.codes import class_digits
from cheng.web.desk import class_words as words
from cheng.web.pages import Ask, Column, Page, Refused, get
from cheng.web.tables import cell

LIST = (
    Column("code", "Code"),
    Column("name", "Class"),
    Column("group", "Big class"),
    Column("kind", "Kind"),
    Column("conditions", "Conditions", "number"),
    Column("limits", "Limits"),
    Column("responsible", "Responsible"),
)
TABLE = tuple(Column(name, name) for name in COLUMNS)
"""The form in which `cheng load classes` takes them back."""
STATES = ("", "coming", "retired")
CLOCKS = ("", "emergency", "working hours", "working days", "calendar")
CLOCK_NAMES = {
    "": "any clock",
    "emergency": "day and night",
    "working hours": "working hours",
    "working days": "working days",
    "calendar": "calendar days",
}


@get("/desk/classes", needs=("see", "class"), entry="Classes", order=60)
def classes(ask: Ask) -> Page:
    """The classes in force, by code; also those to come, and those that are retired."""
    flow = words.flow_asked(ask)
    kind = ask.choice("kind", ("", *words.KINDS))
    clock, state = ask.choice("clock", CLOCKS), ask.choice("state", STATES)
    big, text = ask.query("group"), ask.query("q").casefold()
    known = listed(ask, flow, state) if flow else []
    groups = {version.big: words.group(ask, version) for version in known}
    shown = [
        version
        for version in known
        if kind in ("", version.kind)
        and big in ("", version.big)
        and (not clock or any(condition.limit.clock == clock for condition in version.conditions))
        and text in searchable(version)
    ]
    data = {"classes": [row_of(ask, flow, version) for version in shown]}
    extra = {
        "flow": words.flow_in_address(ask, flow),
        "total": len(known),
        "kinds": options(ask, {"": "any kind"} | words.KINDS),
        "clocks": options(ask, CLOCK_NAMES),
        "groups": [("", ask._("any big class")), *((code, f"{code} {name}") for code, name in groups.items())],
        "states": options(ask, {"": "in force", "coming": "to come", "retired": "retired"}),
    }
    return Page("desk/classes.html", data, rows="classes", columns=LIST, extra=extra, fragment="list")


def options(ask: Ask, told: dict[str, str]) -> list[tuple[str, str]]:
    return [(key, ask._(text)) for key, text in told.items()]


def listed(ask: Ask, flow: str, state: str) -> list[CaseClass]:
    """The classes in force; or the last versions of those that are not yet, or no longer."""
    book, today = ask.hub.classes, ask.hub.classes.today()
    if not state:
        return list(book.all(flow))
    last = [latest(book.versions(flow, code)) for code in book.codes(flow)]
    if state == "coming":
        return [version for version in last if version.since > today]
    return [version for version in last if version.retired]


def latest(versions: tuple[CaseClass, ...]) -> CaseClass:
    """The version that will be in force when all have begun."""
    return max(versions, key=lambda version: (version.since, version.version))


def searchable(version: CaseClass) -> str:
    """All words of a class, in both languages."""
    texts = [version.code, version.name, version.name_zh, version.group, version.group_zh, version.responsible]
    texts += [text for each in version.conditions for text in (each.text, each.text_zh)]
    return " ".join(texts).casefold()


def row_of(ask: Ask, flow: str, version: CaseClass) -> dict[str, Any]:
    return {
        "code": version.code,
        "name": words.name(ask, version),
        "group": words.group(ask, version),
        "kind": ask._(words.KINDS[version.kind]),
        "conditions": len(version.conditions),
        "limits": words.limits(ask, version),
        "responsible": words.department(ask, version.responsible),
        "url": ask.url(f"/desk/classes/{version.code}", flow=words.flow_in_address(ask, flow)),
    }


@get("/desk/classes/table", needs=("see", "class"))
def table(ask: Ask) -> Page:
    """The whole table as `cheng load classes` takes it back: one row a filing condition."""
    flow = words.flow_asked(ask)
    rows = [row for version in (ask.hub.classes.all(flow) if flow else ()) for row in rows_of(version)]
    page = Page("desk/class_table.html", {"rows": rows}, rows="rows", columns=TABLE)
    return as_file(ask, page)


def as_file(ask: Ask, page: Page) -> Page:
    """The same page, whose CSV has a head that is not translated, so that it can be taken back."""
    if ask.representation == "csv":
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([column.key for column in page.columns])
        writer.writerows([[cell(row[c.key], "", ask.local) for c in page.columns] for row in page.data[page.rows]])
        page.body = (b"\xef\xbb\xbf" if ask.query("bom") == "1" else b"") + out.getvalue().encode()
    return page


@get("/desk/classes/{code:str}", needs=("see", "class"))
def one(ask: Ask, code: str) -> Page:
    """One class: its conditions, who answers for it, its versions and what each changed."""
    flow = words.flow_asked(ask)
    return class_page(ask, flow, code)


def versions_of(ask: Ask, flow: str, code: str) -> tuple[CaseClass, ...]:
    """Every version of a class; Refused (404) when there is none."""
    found = ask.hub.classes.versions(flow, code) if flow else ()
    if not found:
        raise Refused("no-class", "There is no class {code}.", {"code": code[:20]}, status=404)
    return found


def class_page(ask: Ask, flow: str, code: str) -> Page:
    versions = versions_of(ask, flow, code)
    today = ask.hub.classes.today()
    current = ask.hub.classes.get(flow, code)
    shown = current or latest(versions)
    data = {
        "code": code,
        "name": words.name(ask, shown),
        "group": words.group(ask, shown),
        "kind": ask._(words.KINDS[shown.kind]),
        "in_force": current is not None,
        "version": shown.version,
        "since": shown.since.isoformat(),
        "public": shown.public,
        "responsible": words.department(ask, shown.responsible),
        "supervising": words.department(ask, shown.supervising),
        "source": shown.source,
        "conditions": [words.condition(ask, condition) for condition in shown.conditions],
        "versions": history(ask, versions, current, today),
    }
    extra = {
        "flow": words.flow_in_address(ask, flow),
        "flow_key": flow,
        "since_text": words.day(ask, shown.since),
        "may_edit": ask.may("edit", "class"),
        "under_way": ask.hub.classes.under_way(flow, code),
        "numbers": numbers(code),
        "areas": areas(ask, flow, code),
        "retired": latest(versions).retired,
        "tomorrow": (today + timedelta(1)).isoformat(),
    }
    return Page("desk/class.html", data, extra=extra)


def history(ask: Ask, versions: tuple[CaseClass, ...], current: CaseClass | None, today: date) -> list[dict[str, Any]]:
    """The versions in the order in which they come into force, the last one first, each with what it changed."""
    ordered = sorted(versions, key=lambda version: (version.since, version.version))
    rows = []
    for before, version in zip([None, *ordered], ordered, strict=False):
        state = "in force" if version is current else "to come" if version.since > today else "past"
        if version.retired and version.since <= today:
            state = "retired" if version is ordered[-1] else "past"
        told = [words.change(ask, each) for each in changes(before, version)] if before else []
        since = words.day(ask, version.since)
        rows.append({"version": version.version, "since": since, "state": ask._(state), "changes": told})
    return rows[::-1]


def numbers(code: str) -> list[tuple[str, str]]:
    """How the numbers of single components or events of a class begin, behind the code of the county."""
    found = []
    for layout in ("component-A", "component-B") if code[0] == "C" else ("event",) if code[0] == "E" else ():
        digits = class_digits(code, layout)
        if digits:
            found.append((layout, digits))
    return found


def areas(ask: Ask, flow: str, code: str) -> list[dict[str, str]]:
    """The rows of the table of responsibilities that are about a class."""
    rows = [row for row in ask.hub.classes.responsibilities(flow) if code.startswith(row.prefix)]
    rows.sort(key=lambda row: (-len(row.prefix), row.area))
    return [
        {
            "area": area_name(ask, row.area),
            "departments": ", ".join(words.department(ask, department) for department in row.departments),
        }
        for row in rows
    ]


def area_name(ask: Ask, area: str) -> str:
    if not area:
        return ask._("the whole city")
    found = ask.hub.things.find(area)
    return (found.name or found.id) if found else area


routes = [classes, table, one]
