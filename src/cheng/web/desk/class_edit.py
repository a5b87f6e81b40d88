"""A new class, a new version of one, and the end of one. A start day in the past is refused; cases under way keep
what they were filed by.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from litestar.datastructures import FormMultiDict

from cheng.kernel.class_changes import changes
from cheng.kernel.classes import KINDS, CaseClass, FilingCondition, faults
from cheng.security import audit
from cheng.security.permissions import Target
from cheng.standards.durations import Duration
from cheng.web.desk import class_words as words
from cheng.web.desk.classes import latest, versions_of
from cheng.web.pages import Answer, Ask, Form, Page, Refused, get, post, see_other

OF_CLASS = ("group", "group_zh", "name", "name_zh", "responsible", "supervising", "source")
OF_CONDITION = ("id", "text", "text_zh", "closes", "closes_zh", "basis", "note", "source")
MOST_CONDITIONS = 20
NO_LIMIT = Duration(0, "hour")
WHERE = {"conditions": "c0-text"}
"""Fields of the form for faults that are about several of them."""


@get("/desk/classes/new", needs=("edit", "class"))
def new(ask: Ask) -> Page:
    """The form for a class that is not there yet."""
    begun = {
        "count": 1,
        "seen": 0,
        "public": True,
        "since": ask.hub.classes.today().isoformat(),
        "c0-unit": "working day",
    }
    return edit_page(ask, words.flow_asked(ask), "", fresh(ask, begun))


@get("/desk/classes/{code:str}/edit", needs=("edit", "class"))
def edit(ask: Ask, code: str) -> Page:
    """The form for a new version, filled with the last one."""
    flow = words.flow_asked(ask)
    versions = versions_of(ask, flow, code)
    since = ask.hub.classes.today() + timedelta(1)
    return edit_page(ask, flow, code, fresh(ask, told_by(latest(versions), versions[-1].version, since)))


def told_by(version: CaseClass, seen: int, since: date) -> dict[str, Any]:
    """What the fields show for a version."""
    begun: dict[str, Any] = {name: getattr(version, name) for name in OF_CLASS}
    begun |= {"public": version.public, "since": since.isoformat(), "seen": seen, "count": len(version.conditions)}
    for n, condition in enumerate(version.conditions):
        begun |= {f"c{n}-{name}": getattr(condition, name) for name in OF_CONDITION}
        begun |= {f"c{n}-amount": f"{condition.limit.amount:g}", f"c{n}-unit": condition.limit.unit}
        begun |= {f"c{n}-simple": condition.simple}
    return begun


def fresh(ask: Ask, begun: dict[str, Any]) -> Form:
    """A form that shows `begun`, not what was sent with this request."""
    return Form(replace(ask, form=FormMultiDict([])), begun)


def edit_page(ask: Ask, flow: str, code: str, form: Form, status: int = 200) -> Page:
    name = words.name(ask, latest(versions_of(ask, flow, code))) if code else ""
    count = int(form.value("count") or 1)
    extra = {
        "form": form,
        "flow": words.flow_in_address(ask, flow),
        "flow_key": flow,
        "count": count,
        "room": count < MOST_CONDITIONS,
        "seen": form.value("seen") or 0,
        "units": [(unit, ask._(text)) for unit, text in words.UNITS.items()],
        "under_way": ask.hub.classes.under_way(flow, code) if code else 0,
    }
    return Page("desk/class_edit.html", {"code": code, "name": name}, extra=extra, status=status)


@post("/desk/classes/new", needs=("edit", "class"))
def create(ask: Ask) -> Answer:
    """Takes a new class, or shows its form with a condition more or less."""
    return taken(ask, "")


@post("/desk/classes/{code:str}/edit", needs=("edit", "class"))
def change(ask: Ask, code: str) -> Answer:
    """Takes a new version, or shows its form with a condition more or less."""
    return taken(ask, code)


def taken(ask: Ask, code: str) -> Answer:
    ask.require("edit", Target("class", code))
    flow = words.flow_asked(ask)
    form = Form(ask)
    deed, _, which = str(ask.form.get("do") or "save").partition("-")
    count = form.whole("count", low=0, high=MOST_CONDITIONS) or 0
    if deed in ("add", "remove"):
        return edit_page(ask, flow, code, fresh(ask, rearranged(ask, count, deed, which)))
    version = read(ask, form, code, count)
    if not form.errors:
        for fault in faults(version):
            form.wrong(field_of(fault.where), fault.message, **fault.values)
    if not form.errors:
        try:
            seen = form.whole("seen") or 0
            written = put(ask, flow, version, seen)
        except Refused as refused:
            if refused.status != 422:
                raise
            form.wrong("since" if refused.code == "past" else "code", refused.message, **refused.values)
        else:
            address = f"/desk/classes/{written.code}"
            told = "The new version is written down." if written.version > seen else "Nothing is different."
            return see_other(ask, address, told, flow=words.flow_in_address(ask, flow))
    return edit_page(ask, flow, code, form, status=422)


def rearranged(ask: Ask, count: int, deed: str, which: str) -> dict[str, Any]:
    """What was typed, with an empty condition more, or without one of them."""
    typed = {name: str(ask.form.get(name) or "") for name in ask.form if not name.startswith("c")} | {
        "code": str(ask.form.get("code") or "")
    }
    kept = [n for n in range(count) if not (deed == "remove" and str(n) == which)]
    for place, n in enumerate(kept):
        for name in (*OF_CONDITION, "amount", "unit", "simple"):
            typed[f"c{place}-{name}"] = str(ask.form.get(f"c{n}-{name}") or "")
    more = 1 if deed == "add" and len(kept) < MOST_CONDITIONS else 0
    if more:
        typed[f"c{len(kept)}-unit"] = "working day"
    return typed | {"count": str(len(kept) + more)}


def read(ask: Ask, form: Form, code: str, count: int) -> CaseClass:
    """The class that the form tells; what cannot be read is noted in the form."""
    told = code or (form.text("code", required="Please write the code of the class, like E0120.", most=6) or "")
    texts = {name: form.text(name, most=300) or "" for name in OF_CLASS}
    return CaseClass(
        code=told.upper(),
        kind=KINDS.get(told[:1].upper(), ""),
        conditions=tuple(condition(form, n) for n in range(count)),
        public=form.flag("public"),
        since=start_day(ask, form),
        group=texts["group"],
        group_zh=texts["group_zh"],
        name=texts["name"],
        name_zh=texts["name_zh"],
        responsible=texts["responsible"],
        supervising=texts["supervising"],
        source=texts["source"],
    )


def condition(form: Form, n: int) -> FilingCondition:
    texts = {name: form.text(f"c{n}-{name}", most=500) or "" for name in OF_CONDITION}
    amount = form.number(f"c{n}-amount", required="Please write the limit as a number.", low=0)
    unit = form.choice(f"c{n}-unit", words.UNITS, required=True)
    limit = Duration(amount, unit) if amount is not None and unit else NO_LIMIT
    return FilingCondition(limit=limit, simple=form.flag(f"c{n}-simple"), **texts)


def start_day(ask: Ask, form: Form) -> date:
    """The day from which on the version is in force."""
    text = form.text("since", required="Please choose the day from which on this is in force.", most=10)
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        form.wrong("since", "Please write a day, for example 2026-12-01.")
        return ask.hub.classes.today()


def field_of(where: str) -> str:
    """The field of the form for a fault of the class."""
    if where in WHERE:
        return WHERE[where]
    if where.startswith("conditions."):
        _, n, name = where.split(".")
        return f"c{n}-{'amount' if name == 'limit' else name}"
    return "code" if where == "kind" else where


def put(ask: Ask, flow: str, version: CaseClass, seen: int | None) -> CaseClass:
    """Writes a version and its line of the audit in one transaction."""
    book = ask.hub.classes
    there = book.versions(flow, version.code)
    told = [each.told() for each in changes(latest(there), version)] if there else []
    with ask.hub.store.write() as conn:
        written = book.put(conn, flow, version, ask.actor.name, seen=seen)
        detail = {"flow": flow, "version": written.version, "since": written.since.isoformat(), "changes": told}
        target = Target("class", version.code)
        audit.record(conn, ask.hub.clock.now(), ask.actor, "edit", target, address=ask.address, detail=detail)
    return written


@post("/desk/classes/{code:str}/retire", needs=("edit", "class"))
def retire(ask: Ask, code: str) -> Answer:
    """From a day on nothing is filed under a class."""
    ask.require("edit", Target("class", code))
    flow = words.flow_asked(ask)
    version = latest(versions_of(ask, flow, code))
    form = Form(ask)
    since = start_day(ask, form)
    if form.errors:
        message = "Please write a day, for example 2026-12-01."
        raise Refused("no-day", message, status=422)
    put(ask, flow, replace(version, since=since, retired=True), None)
    told = "From that day on nothing is filed under this class."
    return see_other(ask, f"/desk/classes/{code}", told, flow=words.flow_in_address(ask, flow))


routes = [new, create, edit, change, retire]
