"""Cases as Open311 tells them to everybody: what, where, with whom, until when. No word of who reported it.

Public is a case whose class people may report. Words and the address of a report are told only when it came by Open311
itself, whose senders expect that; telephone numbers, addresses of e-mail and links in them are left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select

from cheng.hub import Hub
from cheng.infrastructure.case_lists import seldom
from cheng.infrastructure.case_rows import Entry, entry
from cheng.infrastructure.cells import rows_of_box
from cheng.infrastructure.tables import acts, cases
from cheng.kernel.specs import title_of
from cheng.protocols.open311_services import Service, services
from cheng.standards.moments import iso, when

SOURCE = "open311"
STATES = {"open": ("open", "suspended"), "closed": ("closed", "void")}
"""The two statuses that Open311 knows → what they stand for."""
AREAS = ("grid", "community", "street", "district")
"""Areas from the smallest to the largest, as values of a case name them."""
MOST = 1000
MOST_ROWS = 64
"""Rows of small squares that a box is looked up by; larger ones are met on the way."""
FEW_DAYS = 7 * 86_400_000_000
PRIVATE = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|https?://\S+|www\.\S+|\+?\d(?:[\s()./-]?\d){6,}[xX]?")
"""E-mail addresses, links, and numbers as long as those of telephones and identity cards."""

main, last = cases.alias("main"), cases.alias("last")
EFFECTIVE = func.coalesce(last.c.id, main.c.id, cases.c.id)
STATE = func.coalesce(last.c.state, main.c.state, cases.c.state)
"""Where a case that was merged goes on; whoever asks for the one is told of the other."""
JOINED = cases.outerjoin(main, main.c.id == cases.c.merged_into).outerjoin(last, last.c.id == main.c.merged_into)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests; what is left empty does not matter. Moments in µs."""

    codes: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    statuses: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    box: tuple[float, float, float, float] | None = None
    """west, south, east, north in degrees"""
    updated_after: int | None = None
    page: int = 1
    per_page: int = MOST


@dataclass(frozen=True, slots=True)
class Words:
    """The language and the clock of an answer."""

    language: Any
    zone: tzinfo
    now: int
    _said: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """names that were looked up: a list says the same ones again and again"""

    @property
    def chinese(self) -> bool:
        return str(self.language.code).startswith("zh")

    def say(self, message: str, /, **values: Any) -> str:
        return str(self.language.gettext(message, **values))

    def name(self, name: str) -> str:
        """A department or a step as it is called in this language."""
        if name not in self._said:
            self._said[name] = self.say(name)
        return self._said[name]

    def day(self, us: int) -> str:
        return f"{when(us, self.zone):%Y-%m-%d}"


def requests(hub: Hub, wanted: Wanted, words: Words) -> tuple[list[dict[str, Any]], bool]:
    """The public requests that are wanted, the last opened first, and whether there are more."""
    known = services(hub, words.chinese, ever=True)
    codes = [code for code in wanted.codes or known if code in known]
    if not codes:
        return [], False
    with hub.store.read() as conn:
        few = rare(conn, codes, wanted)
        query = (
            select(cases, STATE.label("in_state"), EFFECTIVE.label("goes_on"))
            .select_from(JOINED)
            .where(*public(known, codes, looked_up=bool(few)), *matching(wanted, words.now), *few)
            .order_by(cases.c.opened.desc(), cases.c.number.desc())
            .limit(wanted.per_page + 1)
            .offset((wanted.page - 1) * wanted.per_page)
        )
        found = list(conn.execute(query).mappings())
        ids = {row["goes_on"] for row in found}
        newest = select(acts.c.case, acts.c.at).join(
            cases, and_(acts.c.case == cases.c.id, acts.c.seq == cases.c.version)
        )
        changed = {case: at for case, at in conn.execute(newest.where(acts.c.case.in_(ids)))}
        others = select(cases).where(cases.c.id.in_(ids - {row["id"] for row in found}))
        standing = {row["id"]: entry(row) for row in (*found, *conn.execute(others).mappings())}
    shown = found[: wanted.per_page]
    told = [
        request(entry(row), standing[row["goes_on"]], known[row["class_code"]], changed.get(row["goes_on"]), words)
        for row in shown
        if known[row["class_code"]].flow == row["flow"]
    ]
    return told, len(found) > wanted.per_page


def rare(conn: Connection, codes: Sequence[str], wanted: Wanted) -> list[ColumnElement[bool]]:
    """Those of the conditions that few cases meet: these are looked up, instead of met on the way."""
    if wanted.numbers:
        return [cases.c.number.in_(wanted.numbers)]
    asked: list[ColumnElement[bool]] = [cases.c.class_code.in_(codes)] if wanted.codes else []
    rows = rows_of_box(wanted.box) if wanted.box is not None else []
    if 0 < len(rows) <= MOST_ROWS:
        asked.append(or_(*(cases.c.cell.between(first, last) for first, last in rows)))
    few = [condition for condition in asked if seldom(conn, select(literal(1)).where(condition))]
    if few:
        return [cases.c.id.in_(conn.execute(select(cases.c.id).where(*few)).scalars().all())]
    return [cases.c.state.in_((*STATES["open"], "merged"))] if wanted.statuses == ("open",) else []


def public(known: Mapping[str, Service], codes: Sequence[str], *, looked_up: bool) -> list[ColumnElement[bool]]:
    """What everybody may know of. Parts of a case are told by the case itself; what was put aside is told to those who
    may have reported it here. A column whose index would be the long way round is asked as an expression."""
    flows = sorted({known[code].flow for code in codes})
    flow = cases.c.flow.concat("") if looked_up else cases.c.flow
    told = or_(cases.c.state.in_(("open", "suspended", "closed")), cases.c.source.concat("") == SOURCE)
    return [flow.in_(flows), cases.c.class_code.concat("").in_(codes), func.coalesce(cases.c.parent, "") == "", told]


def matching(wanted: Wanted, now: int) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.start is not None:
        found.append(cases.c.opened >= wanted.start)
    if wanted.end is not None:
        found.append(cases.c.opened <= wanted.end)
    if len(wanted.statuses) == 1:
        found.append(STATE.in_(STATES[wanted.statuses[0]]))
    if wanted.box is not None:
        west, south, east, north = wanted.box
        found += [cases.c.longitude.between(west, east), cases.c.latitude.between(south, north)]
    if wanted.updated_after is not None:
        found.append(changed_since(wanted.updated_after, now))
    return found


def changed_since(since: int, now: int) -> ColumnElement[bool]:
    """Cases about which something was done: by the acts of some days, or by the last act of each case in turn."""
    if since > now - FEW_DAYS:
        moved = select(acts.c.case).where(acts.c.at > since)
        return or_(cases.c.id.in_(moved), cases.c.merged_into.in_(moved))
    newest = select(acts.c.at).where(acts.c.case == cases.c.id, acts.c.seq == cases.c.version)
    return newest.scalar_subquery() > since


def request(own: Entry, main: Entry, service: Service, changed: int | None, words: Words) -> dict[str, Any]:
    """One request. `main`: the case in which it goes on; itself, unless it was merged."""
    status = "closed" if main.state in STATES["closed"] else "open"
    here = own.source == SOURCE
    updated = main.closed if status == "closed" and main.closed is not None else changed
    passed = main.marks.get("passed") or {}
    due = None if passed.get("away") else main.overall_due or main.due
    agencies = (str(passed["to"]),) if passed.get("away") else tuple(map(words.name, main.departments))
    return {
        "service_request_id": own.number,
        "status": status,
        "status_notes": notes(own, main, words),
        "service_name": service.name,
        "service_code": service.code,
        "description": masked(own.text) if here and own.text else None,
        "agency_responsible": ", ".join(agencies) or None,
        "service_notice": None,
        "requested_datetime": iso(own.opened, words.zone),
        "updated_datetime": iso(own.opened if updated is None else updated, words.zone),
        "expected_datetime": iso(due, words.zone) if due is not None and status == "open" else None,
        "address": address(own, here),
        "address_id": None,
        "zipcode": None,
        "lat": own.latitude,
        "long": own.longitude,
        "media_url": None,
    }


def passed_on(main: Entry, words: Words) -> str:
    """Which other city has it, and what it says."""
    told = main.marks.get("passed") or {}
    if not told:
        return ""
    message = "It was passed on to {city}." if not told["number"] else "It was passed on to {city}, number {number}."
    said = words.say(message, city=told["to"], number=told["number"])
    says = words.say("There it says: “{text}”", text=masked(told["says"])) if told["says"] else ""
    return " ".join(part for part in (said, says) if part)


def notes(own: Entry, main: Entry, words: Words) -> str:
    """Where it stands, in a sentence or two."""
    told = standing(main, words)
    if main.id == own.id:
        return told
    first = words.say("It is handled together with {number}, which is about the same.", number=main.number)
    return f"{first} {told}"


def standing(main: Entry, words: Words) -> str:
    who, elsewhere = ", ".join(words.name(name) for name in main.departments), passed_on(main, words)
    if main.state == "closed" and elsewhere:
        return f"{elsewhere} {words.say('It was closed on {day}.', day=words.day(main.closed or words.now))}"
    if elsewhere and main.state == "open":
        return elsewhere
    if main.state == "closed":
        return words.say("It was put right and closed on {day}.", day=words.day(main.closed or words.now))
    if main.state == "void":
        return words.say("It is not followed any further: there was nothing to do, or it is no matter for the city.")
    if main.state == "suspended" and main.resumes:
        return words.say("It has to wait; work goes on by {day}.", day=words.day(main.resumes))
    if not who or not main.step:
        return words.say("It has arrived and waits to be given to a department.")
    translated = words.name(main.step)
    step = translated if translated != main.step else title_of(main.step)
    return words.say("It is under way with {who}; present step: {step}.", who=who, step=step)


def address(own: Entry, here: bool) -> str | None:
    """As it was told by Open311; of other reports the area alone, for they may name somebody's door."""
    told = str(own.values.get("address") or "") if here else ""
    areas = (str(own.values.get(level) or "") for level in AREAS[1:])
    return masked(told) or ", ".join(name for name in areas if name) or None


def masked(text: str) -> str:
    """A text without what could lead to a person."""
    return PRIVATE.sub("…", text).strip()
