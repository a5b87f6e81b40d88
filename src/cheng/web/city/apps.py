"""What the applications do: each told in its own sentences, and the drawing they all stand in."""

import re
from typing import Any

from cheng.kernel.entities import Choice, Entity, Kept, Quantity, Record, Ref
from cheng.kernel.flows import Flow, Step
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App, Spec, title_of
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.indicators import target as indicator_target
from cheng.web.city.rules import health, short
from cheng.web.city.seeing import levels_of, types_seen
from cheng.web.city.words import condition, label, named_blanks, span, symbol, title
from cheng.web.pages import PUBLIC, Column, Page, get

APPS = (
    Column("title", "Application"),
    Column("does", "What it does"),
    Column("owner", "Department"),
    Column("system", "Place"),
    Column("things", "Things", "number"),
)
FAMILIES = {
    "livelihood": "Livelihood",
    "city": "City governance",
    "government": "Government",
    "industry": "Industry",
    "ecology": "Ecology",
}
SUPPORTS = {
    "infrastructure": "Infrastructure: store, history and bus",
    "standards": "Standards and evaluation: units, codes, calendars, indicators",
    "security": "Security: who may do what, masks, audit",
}


def apps_of(ask: Ask) -> list[type[App]]:
    """All applications but the house's own, by their place in the drawing."""
    found = [app for app in ask.hub.model.apps.values() if app.__name__ != "house"]
    return sorted(
        found, key=lambda app: (list(FAMILIES).index(app.family) if app.family in FAMILIES else 9, order(app))
    )


def order(app: type[App]) -> tuple[str, int]:
    """G4 before G12."""
    letters, digits = re.match(r"(\D*)(\d*)", app.system).groups()  # type: ignore[union-attr]  # it matches anything
    return letters, int(digits or 0)


def app_row(ask: Ask, app: type[App]) -> dict[str, Any]:
    """One line of the list."""
    types = [spec for spec in ask.hub.model.of_app(app) if issubclass(spec, Entity)]
    return {
        "key": app.key(),
        "title": ask._(app.title),
        "does": ask._(app.sentence()),
        "owner": ask._(app.owner),
        "system": app.system,
        "family": app.family,
        "things": sum(len(ask.hub.things.of_type(spec.__name__)) for spec in types),
        "url": ask.url(f"/apps/{app.key()}"),
    }


def by_family(ask: Ask) -> dict[str, list[dict[str, Any]]]:
    """Family → its applications."""
    groups: dict[str, list[dict[str, Any]]] = {family: [] for family in FAMILIES}
    for app in apps_of(ask):
        groups.setdefault(app.family, []).append(app_row(ask, app))
    return groups


@get("/apps", needs=PUBLIC, entry="Applications", order=40)
def apps(ask: Ask) -> Page:
    """Every application in one line."""
    groups = by_family(ask)
    rows = [row for group in groups.values() for row in group]
    extra = {"groups": {FAMILIES.get(name, name): group for name, group in groups.items() if group}}
    return Page("city/apps.html", {"apps": rows}, rows="apps", columns=APPS, keep=("url", "key", "family"), extra=extra)


@get("/135", needs=PUBLIC, entry="The 135 drawing", order=50)
def drawing(ask: Ask) -> Page:
    """One hub, three supports, five families, with what stands in each."""
    groups = by_family(ask)
    families = [{"key": key, "title": ask._(text), "apps": groups[key]} for key, text in FAMILIES.items()]
    supports = [{"key": key, "title": ask._(text)} for key, text in SUPPORTS.items()]
    return Page("city/drawing.html", {"hub": ask.hub.settings.city, "supports": supports, "families": families})


@get("/apps/{family:str}/{name:str}", needs=PUBLIC)
def app(ask: Ask, family: str, name: str) -> Page:
    """What an application does, sentence by sentence, as `cheng tell` prints it."""
    found: type[App] | None = ask.hub.model.apps.get(f"{family}/{name}")
    if found is None:
        values = {"name": f"{family}/{name}"[:120]}
        raise Refused("no-app", "There is no application {name}.", values, status=404)
    specs = ask.hub.model.of_app(found)
    data = {key: value for key, value in app_row(ask, found).items() if key != "url"}
    data["entities"] = [entity_told(ask, spec) for spec in specs if issubclass(spec, Entity)]
    data["events"] = [told(ask, spec) for spec in specs if spec.kind == "event"]
    data["rules"] = [rule_told(ask, spec) for spec in specs if issubclass(spec, Rule)]
    data["flows"] = [flow_told(ask, spec) for spec in specs if issubclass(spec, Flow)]
    data["jobs"] = [told(ask, spec) for spec in specs if spec.kind == "job"]
    data["indicators"] = [indicator_told(ask, spec) for spec in specs if spec.kind == "indicator"]
    return Page("city/app.html", data, extra={"app": found, "family_text": FAMILIES.get(family, family)})


def told(ask: Ask, spec: type[Spec]) -> dict[str, Any]:
    """Name and sentence of a declaration."""
    return {"name": spec.__name__, "title": title(ask, spec), "does": ask._(spec.sentence()), "url": ""}


def entity_told(ask: Ask, entity: type[Entity]) -> dict[str, Any]:
    """A type with its fields as far as this reader may know them."""
    levels = levels_of(ask)
    fields = [field_told(ask, field) for field in entity.fields().values() if field.level in levels]
    commands = [ask._(command.doc or title_of(command.name)) for command in entity.commands().values()]
    url = ask.url(f"/things/{entity.__name__}") if entity in types_seen(ask) else ""
    every = span(ask, entity.reports) if entity.reports is not None else ""
    return {**told(ask, entity), "url": url, "fields": fields, "commands": commands, "reports": every}


def field_told(ask: Ask, field: Kept) -> dict[str, Any]:
    """A field: what it is called, what it means, and what it holds."""
    if isinstance(field, Quantity):
        low, high = ("" if edge is None else f"{edge:g}" for edge in (field.low, field.high))
        holds = f"{low}–{high} {symbol(field)}".strip() if low or high else symbol(field)
    elif isinstance(field, Choice):
        holds = " / ".join(ask._(option) for option in field.options)
    elif isinstance(field, Ref):
        holds = ask._(title_of(field.target))
    else:
        holds = ""
    text = label(ask.local, field)
    doc = ask._(field.doc) if field.doc and field.doc != text else ""
    return {"name": field.name, "title": ask._(text), "doc": doc, "holds": holds, "live": field.live}


def rule_told(ask: Ask, rule: type[Rule]) -> dict[str, Any]:
    app, name = short(rule)
    url = ask.url(f"/rules/{app}/{name}") if ask.may("see", "rule") else ""
    when = condition(ask, rule.when) if ask.may("see", "rule") else ""
    broken = bool(health(ask, rule)) if ask.may("see", "rule") else False
    does = ask._(rule.sentence(), **named_blanks(ask, rule.text_blanks(), rule.subject.fields()))
    return {**told(ask, rule), "does": does, "url": url, "level": rule.level, "condition": when, "broken": broken}


def flow_told(ask: Ask, flow: type[Flow]) -> dict[str, Any]:
    starts = [title(ask, rule) for rule in flow.starters()]
    return {**told(ask, flow), "starts": starts, "steps": [step_told(ask, flow, step) for step in flow.steps]}


def step_told(ask: Ask, flow: type[Flow], step: Step) -> dict[str, Any]:
    """A step: who, within which limit, with what proof, until what holds."""
    subjects: list[type[Record]] = [rule.subject for rule in flow.starters() if issubclass(rule, Rule)]
    fields = subjects[0].fields() if subjects else {}
    blanks = named_blanks(ask, step.blanks(), fields)
    return {
        "name": ask._(step.name),
        "to": [ask._(text, **blanks) for text in step.texts],
        "within": span(ask, step.limit) if step.limit is not None else "",
        "another": step.by is not None,
        "proof": [ask._(proof) for proof in step.proofs],
        "until": condition(ask, step.until) if step.until is not None else "",
    }


def indicator_told(ask: Ask, indicator: Any) -> dict[str, Any]:
    app, _, name = indicator.key().partition(".")
    url = ask.url(f"/indicators/{app}/{name}") if ask.may("see", indicator_target(indicator)) else ""
    measure = indicator.how()
    parts = [ask._(part) for part in (measure.numerator, measure.denominator) if part]
    return {**told(ask, indicator), "url": url, "formula": " ÷ ".join(parts), "target": indicator.target}


routes = [apps, drawing, app]
