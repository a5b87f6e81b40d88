"""The desk: cases, most urgent first."""

import secrets
from dataclasses import replace
from typing import Any

from cheng.infrastructure import case_search
from cheng.infrastructure.case_lists import Filters
from cheng.infrastructure.case_lists import Page as Listed
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.case_search import Sought
from cheng.infrastructure.report_book import SOURCES
from cheng.kernel.flows import URGENT
from cheng.kernel.house import FINE_LEVELS
from cheng.kernel.rules import LEVELS
from cheng.kernel.standing import Light
from cheng.security.permissions import reach
from cheng.web.city.area_tree import Tree
from cheng.web.city.areas import sorted_by_name
from cheng.web.city.seeing import area_name
from cheng.web.city.words import name_of
from cheng.web.desk import words
from cheng.web.desk.offices import departments_known
from cheng.web.desk.posts import posts_of, steps_of
from cheng.web.desk.seeing import mine, scope, sees_all
from cheng.web.map.page import ground_told
from cheng.web.pages import Ask, Column, Page, get

BULK = ("take", "complete", "urge", "allow", "extend", "void")
"""Acts that can mean the same in several cases."""
ALIVE = ("open", "suspended")
OVER = ("closed", "void", "merged")
DECIDED = ("waiting", "closed")
FILTERS = ("flow", "app", "level", "area", "thing", "step", "class", "source", "q")
SMALL = ("community", "grid", *FINE_LEVELS)
LIGHTS: tuple[Light, ...] = ("red", "yellow", "green")
COLUMNS = (
    Column("title", "What"),
    Column("number", "Number"),
    Column("light_text", "Limit"),
    Column("level", "Level", "level"),
    Column("step_text", "Step"),
    Column("departments", "Department"),
    Column("assignee_name", "With"),
    Column("thing", "Thing"),
    Column("area_name", "Area"),
    Column("opened", "Opened", "moment"),
    Column("due", "Due", "moment"),
    Column("closed", "Closed", "moment"),
    Column("state", "State"),
    Column("light", "Light"),
    Column("flow", "Flow"),
    Column("step", "Step's name"),
    Column("area", "Area's id"),
    Column("class_code", "Class"),
    Column("source", "Channel"),
    Column("weight", "Reports"),
)
KEEP = ("url", "geometry", "marks", "resumes", "department_names")


@get(["/desk", "/desk/cases"], needs=("enter", "desk"), entry="Cases", order=10)
def cases(ask: Ask) -> Page:
    """My cases, those of my department, those that wait for a decision, and those that are over."""
    tabs = tabs_of(ask)
    tab = ask.choice("tab", tabs, tabs[0])
    light = next((each for each in LIGHTS if each == ask.choice("light", LIGHTS)), None)
    sought = wanted(ask, tab)
    page = Listed((), None)
    counts = dict.fromkeys((*LIGHTS, "suspended"), 0)
    numbers: dict[str, int | None] = dict.fromkeys(tabs)
    if sought is not None:
        sought = case_search.looked_up(ask.hub.store, sought)
        newest = tab == "closed"
        lit = replace(sought, filters=replace(sought.filters, light=light)) if light and not newest else sought
        page = case_search.find(ask.hub.store, ask.now, lit, newest, ask.limit(), ask.query("after"))
        counts = case_search.lights(ask.hub.store, ask.now, sought) if not newest else counts
        numbers = tab_counts(ask, tabs, tab, counts)
    rows = case_rows(ask, page.entries)
    data = {"tab": tab, "counts": counts, "next": page.cursor, "cases": rows}
    extra = {"tabs": tabs, "numbers": numbers, "light": light, "choices": choices(ask), "filtered": filtered(ask)}
    extra |= {"map": ground_told(ask), "bulk": bulk_told(ask, tab)}
    return Page("desk/cases.html", data, extra=extra, rows="cases", columns=COLUMNS, keep=KEEP, fragment="list")


def bulk_told(ask: Ask, tab: str) -> dict[str, Any] | None:
    """What can be done with several cases at once; None for those who do nothing about cases, and where they are
    over."""
    if tab == "closed" or not reach(ask.actor, "act", "case"):
        return None
    sends = ask.actor.has("dispatcher")
    return {
        "once": secrets.token_hex(16),
        "verbs": [(verb, words.verb(ask, verb)) for verb in BULK],
        "departments": departments_known(ask) if sends else [],
    }


def tabs_of(ask: Ask) -> list[str]:
    """What somebody opens first comes first: at a post what waits there (where no step names it, what their department
    has), else what is theirs, else everything."""
    post = ["post"] if ask.actor.department and steps_of(ask) else []
    own = ["department"] if ask.actor.department and ask.actor.has("officer") else []
    if not sees_all(ask):
        shared = bool(own and posts_of(ask) and not post)
        return [*post, *(("department", "mine") if shared else ("mine", "department")), *DECIDED]
    return [*post, *([] if post else ["all"]), "mine", *(own if post else []), *(["all"] if post else []), *DECIDED]


def wanted(ask: Ask, tab: str) -> Sought | None:
    """What the address asks for, cut down to what this reader may see; None when that is nothing."""
    base = scope(ask)
    if base is None:
        return None
    narrow: dict[str, Any] = {name: ask.query(name) for name in ("flow", "app", "level", "step", "source")}
    narrow |= {"thing_id": ask.query("thing"), "class_code": ask.query("class")}
    filters = replace(base, **narrow, states=ALIVE)
    areas = below(ask, ask.query("area"))
    text = ask.query("q")
    sought = Sought(filters, text, rules_with(ask, text), classes_with(ask, text), areas)
    if tab == "post":
        return replace(sought, filters=replace(filters, departments=mine(ask), person="", steps=steps_of(ask)))
    if tab == "mine":
        return replace(sought, filters=replace(filters, departments=(), person=ask.actor.name))
    if tab == "department":
        return replace(sought, filters=replace(filters, departments=mine(ask), person="")) if mine(ask) else None
    if tab == "waiting":
        return replace(sought, filters=replace(filters, states=("open", "suspended", "closed")), waiting=True)
    if tab == "closed":
        had = mine(ask) if not sees_all(ask) else ()
        return replace(sought, filters=replace(filters, departments=(), person="", states=OVER), involved=had)
    return sought


def tab_counts(ask: Ask, tabs: list[str], tab: str, counts: dict[str, int]) -> dict[str, int | None]:
    """How many open cases each of the first two tabs has, filters left aside; of the open tab as it is shown."""
    numbers: dict[str, int | None] = dict.fromkeys(tabs)
    for name in tabs[:2]:
        if name == tab and not filtered(ask):
            numbers[name] = sum(counts.values())
        elif name == "post":
            here = Filters(departments=mine(ask), steps=steps_of(ask))
            numbers[name] = sum(ask.hub.cases.counts(here).values())
        elif name == "mine":
            numbers[name] = sum(ask.hub.cases.counts(Filters(person=ask.actor.name)).values())
        elif name == "department" and mine(ask):
            numbers[name] = sum(ask.hub.cases.counts(Filters(departments=mine(ask))).values())
    if tab == "waiting":
        numbers[tab] = sum(counts.values())
    return numbers


def filtered(ask: Ask) -> bool:
    """Whether the address narrows the list."""
    return any(ask.query(name) for name in FILTERS)


def rules_with(ask: Ask, text: str) -> tuple[str, ...]:
    """Keys of the rules whose sentence, in the reader's language, has the text in it."""
    low = text.lower()
    rules = ask.hub.model.rules.items()
    return tuple(key for key, rule in rules if low in ask._(rule.sentence()).lower()) if text else ()


def classes_with(ask: Ask, text: str) -> tuple[str, ...]:
    """Codes of the classes whose name, in either language, has the text in it: it is what their cases are called."""
    low = text.lower()
    known = [one for key, flow in ask.hub.cases.flows.items() if flow.classes for one in ask.hub.classes.all(key)]
    return tuple(one.code for one in known if low in one.name.lower() or low in one.name_zh) if text else ()


def below(ask: Ask, area: str) -> tuple[str, ...]:
    """An area and all that lie in it, by their ids."""
    if not area:
        return ()
    return tuple(sorted(Tree.of(ask).within(area)))


def choices(ask: Ask) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer."""
    flows = sorted((ask._(name_of(flow)), key) for key, flow in ask.hub.cases.flows.items())
    levels = {"notice": ask._("Notice"), "warning": ask._("Warning"), "danger": ask._("Danger")}
    levels["emergency"] = ask._("Emergency")
    return {
        "flow": [("", ask._("All")), *((key, text) for text, key in flows)],
        "level": [("", ask._("All")), *((level, levels[level]) for level in reversed(LEVELS))],
        "area": area_choices(ask),
        "step": step_choices(ask),
        "source": [("", ask._("All")), *((source, words.say(ask, source)) for source in SOURCES)],
    }


def step_choices(ask: Ask) -> list[tuple[str, str]]:
    """The steps of the flow that the list is narrowed to; of any other flow there would be too many."""
    flow = ask.hub.cases.flows.get(ask.query("flow"))
    return [("", ask._("All")), *((name, words.step_name(ask, name)) for name in flow.step_names())] if flow else []


def area_choices(ask: Ask) -> list[tuple[str, str]]:
    """Districts with their streets; a smaller area only when the address has it: a city has thousands."""
    areas = {area.id: area for area in ask.hub.things.of_type("Area")}
    tree = Tree(area for area in areas.values() if area.properties.get("level") not in SMALL)
    found = {}
    for district in sorted_by_name(tree, ""):
        found[district] = areas[district].name or district
        found |= {street: f"{found[district]} · {areas[street].name}" for street in sorted_by_name(tree, district)}
    if (asked := ask.query("area")) in areas:
        found.setdefault(asked, area_name(ask, asked))
    return [("", ask._("All")), *found.items()] if found else []


def case_rows(ask: Ask, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    """Cases as rows of a list."""
    people = case_search.names(ask.hub.store, [entry.assignee for entry in entries])
    return [case_row(ask, entry, people) for entry in entries]


def case_row(ask: Ask, entry: Entry, people: dict[str, str]) -> dict[str, Any]:
    light = "grey" if entry.state == "suspended" else entry.light(ask.now)
    return {
        "number": entry.number,
        "title": words.title(ask, entry),
        "state": entry.state,
        "light": light,
        "light_text": light_text(ask, entry, light),
        "level": entry.level,
        "step": entry.step,
        "step_text": words.step_name(ask, entry.step) if entry.step else words.say(ask, entry.state),
        "departments": ", ".join(entry.departments),
        "department_names": ", ".join(ask._(name) for name in entry.departments),
        "assignee_name": people.get(entry.assignee, ""),
        "thing": entry.thing_id,
        "area": entry.area,
        "area_name": area_name(ask, entry.area),
        "flow": entry.flow,
        "class_code": entry.class_code,
        "source": entry.source,
        "weight": entry.weight,
        "opened": entry.opened,
        "due": entry.due,
        "closed": entry.closed,
        "resumes": entry.resumes,
        "marks": marks(ask, entry),
        "geometry": (entry.longitude, entry.latitude),
        "url": ask.url(f"/desk/cases/{entry.number}"),
    }


def light_text(ask: Ask, entry: Entry, light: str) -> str:
    """The light in words: how long until the next limit, or how it ended."""
    if entry.state == "suspended":
        return ask._("suspended until {day}", day=ask.local.date(entry.resumes))
    if entry.state == "open":
        return ask.local.left(entry.due) if entry.due is not None else ask._("no limit")
    if entry.state == "closed":
        return ask._("closed late") if light == "red" else ask._("closed in time")
    return words.say(ask, entry.state)


def marks(ask: Ask, entry: Entry) -> list[str]:
    """What else to know at a glance."""
    told = entry.marks
    found = [ask._("under supervision")] if told.get("supervised") else []
    found += [ask._("passed on to {city}", city=each["to"]) for each in (told.get("passed"),) if each]
    if entry.weight > 1:
        found.append(ask.local.language.ngettext("{n} report", "{n} reports", entry.weight))
    if entry.values.get(URGENT) == "yes":
        found.append(ask._("urgent"))
    if told.get("dispute"):
        found.append(ask._("says it is not theirs"))
    if told.get("urged"):
        found.append(ask.local.language.ngettext("urged once", "urged {n} times", told["urged"]))
    if told.get("extension"):
        found.append(ask._("more time asked for"))
    if told.get("appeal"):
        found.append(ask._("appeal to decide"))
    if told.get("reopened"):
        found.append(ask._("reopened"))
    if told.get("alerts", 0) > 1:
        found.append(ask.local.language.ngettext("{n} alert", "{n} alerts", told["alerts"]))
    if told.get("alert") == "cleared" and entry.state == "open":
        found.append(ask._("the alert is over"))
    return found


routes = [cases]
