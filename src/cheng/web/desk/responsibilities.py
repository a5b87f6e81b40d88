"""Who puts right what where: the table by class and area, row by row or as a file."""

from datetime import date
from typing import Any

from cheng.infrastructure.class_loading import Outcome, area_of, take_responsibilities
from cheng.kernel.class_rows import RESPONSIBILITY_COLUMNS, responsibility_row, rows_of_text
from cheng.kernel.classes import Responsibility, responsibility_faults
from cheng.security import audit
from cheng.security.permissions import Target
from cheng.web.desk import class_words as words
from cheng.web.desk.class_edit import fresh, start_day
from cheng.web.desk.classes import area_name, as_file
from cheng.web.pages import Answer, Ask, Column, Form, InputError, Page, Refused, get, post, see_other

COLUMNS = tuple(Column(name, name) for name in RESPONSIBILITY_COLUMNS)
"""Of the file; the page has its own words for them."""
LONGEST = 5_000_000
"""Characters of a file."""
TOLD = 50
"""Refused rows that are told one by one."""


@get("/desk/responsibilities", needs=("see", "class"), entry="Who answers where", order=61)
def responsibilities(ask: Ask) -> Page:
    """The rows in force today; as CSV in the form in which they are taken back."""
    return table_page(ask, fresh(ask, begun(ask)))


def begun(ask: Ask) -> dict[str, Any]:
    return {"since": ask.hub.classes.today().isoformat()}


def table_page(ask: Ask, form: Form, outcome: Outcome | None = None, status: int = 200) -> Page:
    flow = words.flow_asked(ask)
    text = ask.query("q").casefold()
    rows = [row_of(ask, flow, row) for row in (ask.hub.classes.responsibilities(flow) if flow else ())]
    rows = [row for row in rows if text in " ".join(map(str, row.values())).casefold()]
    extra = {
        "form": form,
        "flow": words.flow_in_address(ask, flow),
        "flow_key": flow,
        "may_edit": bool(flow) and ask.may("edit", "class"),
        "outcome": outcome,
        "refused": outcome.refused[:TOLD] if outcome else [],
        "today": ask.hub.classes.today().isoformat(),
    }
    keep = ("about", "area_name", "shown")
    data = {"rows": rows}
    name = "desk/responsibilities.html"
    page = Page(name, data, rows="rows", columns=COLUMNS, keep=keep, extra=extra, fragment="list", status=status)
    return as_file(ask, page)


def row_of(ask: Ask, flow: str, row: Responsibility) -> dict[str, Any]:
    shown = [words.department(ask, department) for department in row.departments]
    about = {"about": subject(ask, flow, row.prefix), "area_name": area_name(ask, row.area), "shown": shown}
    return responsibility_row(row) | about


def subject(ask: Ask, flow: str, prefix: str) -> str:
    """What the codes with that beginning are called."""
    if not prefix:
        return ask._("all classes")
    if len(prefix) == 1:
        kinds = {"C": "all components", "E": "all events", "S": "all service requests"}
        return ask._(kinds[prefix])
    if (version := ask.hub.classes.get(flow, prefix)) is not None:
        return words.name(ask, version)
    of_group = (version for version in ask.hub.classes.all(flow) if version.code.startswith(prefix))
    return next((words.group(ask, version) for version in of_group), prefix)


@post("/desk/responsibilities", needs=("edit", "class"))
def put(ask: Ask) -> Answer:
    """A new row, or other departments for one that is there."""
    ask.require("edit", "class")
    flow, form = words.flow_asked(ask), Form(ask)
    names = (form.text("departments", required="Please name at least one department.", most=1000) or "").splitlines()
    departments = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    prefix = (form.text("prefix", most=6) or "").upper()
    row = Responsibility(prefix, area_told(ask, form), departments, start_day(ask, form))
    for fault in responsibility_faults(row):
        form.wrong(fault.where, fault.message, **fault.values)
    if not form.errors:
        try:
            write(ask, flow, row)
        except Refused as refused:
            form.wrong("since" if refused.code == "past" else "prefix", refused.message, **refused.values)
        else:
            told = "The row is written down."
            return see_other(ask, "/desk/responsibilities", told, flow=words.flow_in_address(ask, flow))
    return table_page(ask, form, status=422)


def area_told(ask: Ask, form: Form) -> str:
    """The id of the area that the form names."""
    told = form.text("area", most=200) or ""
    names: dict[str, list[str]] = {}
    for area in ask.hub.things.of_type("Area"):
        names.setdefault(area.name, []).append(area.id)
    try:
        return area_of(ask.hub.things, names, told, 0)
    except InputError:
        message = "There is no area “{area}”, or several have that name; please write its id."
        form.wrong("area", message, area=told)
        return ""


@post("/desk/responsibilities/end", needs=("edit", "class"))
def end(ask: Ask) -> Answer:
    """A row ends today; what fits less well applies again."""
    ask.require("edit", "class")
    flow, form = words.flow_asked(ask), Form(ask)
    prefix, area = form.text("prefix", most=6) or "", form.text("area", most=200) or ""
    if not write(ask, flow, Responsibility(prefix, area, (), ask.hub.classes.today())):
        raise Refused("no-row", "This has ended already.", status=404)
    return see_other(ask, "/desk/responsibilities", "The row has ended.", flow=words.flow_in_address(ask, flow))


def write(ask: Ask, flow: str, row: Responsibility) -> bool:
    """A row and its line of the audit in one transaction; False when that is what is in force."""
    with ask.hub.store.write() as conn:
        wrote = ask.hub.classes.put_responsibility(conn, flow, row, ask.actor.name)
        if wrote:
            detail = {"flow": flow, **responsibility_row(row)}
            target = Target("class", row.prefix)
            audit.record(conn, ask.hub.clock.now(), ask.actor, "edit", target, address=ask.address, detail=detail)
    return wrote


@post("/desk/responsibilities/file", needs=("edit", "class"))
def take(ask: Ask) -> Answer:
    """A table as a CSV file; rows that cannot be taken say their line and reason, the others are taken."""
    ask.require("edit", "class")
    flow, form = words.flow_asked(ask), Form(ask)
    files = form.files("file", required="Please choose a CSV file.", most=1)
    text = ""
    if files:
        try:
            text = files[0][1].decode("utf-8-sig")
        except UnicodeDecodeError:
            text = files[0][1].decode("gb18030", "replace")
        if len(text) > LONGEST or "departments" not in text[:1000]:
            form.wrong("file", "This is no table with the columns prefix, area, departments and since.")
    if form.errors:
        return table_page(ask, form, status=422)
    outcome = taken(ask, flow, text, ask.hub.classes.today())
    return table_page(ask, fresh(ask, begun(ask)), outcome)


def taken(ask: Ask, flow: str, text: str, since: date) -> Outcome:
    read = list(rows_of_text(text))
    rows = [row for row in read if not isinstance(row, InputError)]
    hub = ask.hub
    with hub.store.write() as conn:
        outcome = take_responsibilities(hub.classes, hub.things, conn, flow, rows, since, ask.actor.name)
        detail = {"flow": flow, "refused": len(outcome.refused), **outcome.counts}
        audit.record(conn, hub.clock.now(), ask.actor, "load", Target("class"), address=ask.address, detail=detail)
    outcome.refused += [row for row in read if isinstance(row, InputError)]
    outcome.refused.sort(key=lambda error: error.line or 0)
    return outcome


routes = [responsibilities, put, end, take]
