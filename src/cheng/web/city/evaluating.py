"""What pages about evaluation share: which flow, by what it is compared, who sees what, and a subject's numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import select

from cheng.infrastructure.evaluation_counting import By, Only
from cheng.infrastructure.evaluation_period import Period
from cheng.infrastructure.tables import accounts
from cheng.kernel.flows import Flow
from cheng.kernel.indicators import grade
from cheng.methods.evaluation import DISTRICT, POSTS, RATES, Counts, Part, Rate, score, share
from cheng.security.permissions import reach
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.area_tree import Tree
from cheng.web.city.seeing import area_name
from cheng.web.city.terms import Term, term

FIRST = "urban_management.handle_report"
"""The flow that is evaluated when none is named and it is there."""
AREAS = ("district", "street", "community", "grid")
POST_TEXTS = {
    "collector": "Collectors",
    "acceptor": "Acceptors",
    "shift-leader": "Shift leaders",
    "dispatcher": "Dispatchers",
    "handler": "Handlers",
    "checker": "Checkers",
}
TEXTS = {
    "department": "Departments",
    "district": "Districts",
    "street": "Streets",
    "community": "Communities",
    "grid": "Grids",
    **POST_TEXTS,
}
"""By what one may compare, with the heading people read."""
CITY = "city"


@dataclass(frozen=True)
class Asked:
    """What a page is about."""

    flow: str
    term: Term
    by: str
    only: Only
    tree: Tree

    @property
    def way(self) -> By:
        return way(self.tree, self.by)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the score of such a subject is made of."""
        return POSTS.get(self.by, DISTRICT)

    def query(self, **more: Any) -> dict[str, Any]:
        """As parameters of an address."""
        return {"flow": None if self.flow == FIRST else self.flow, **self.term.query, "by": self.by, **more}


def asked(ask: Ask, otherwise: str = "department") -> Asked:
    """From the address. Refused: 404 where nothing can be evaluated, 400 for what cannot be understood."""
    flows = ask.hub.evaluation.flows
    flow = ask.query("flow") or (FIRST if FIRST in flows else next(iter(flows), ""))
    if flow not in flows:
        message = "There are no cases here that could be evaluated."
        raise Refused("nothing-to-evaluate", message, status=404)
    by = ask.choice("by", (*TEXTS, CITY), otherwise)
    return Asked(flow, term(ask), by, seen(ask), Tree.of(ask))


def seen(ask: Ask) -> Only:
    """All cases, or those of the reader's own department."""
    return Only() if sees_all(ask) else Only(department=ask.actor.department)


def sees_all(ask: Ask) -> bool:
    return "any" in reach(ask.actor, "see", "evaluation")


def way(tree: Tree, by: str) -> By:
    """How subjects of that kind are told apart."""
    if by in AREAS:
        return By("area", above=above(tree, by))
    return By("post", by) if by in POSTS else By(by)


def above(tree: Tree, level: str) -> dict[str, str]:
    """Every area → the area of that level that it lies in, or is."""
    found = {}
    for area in tree.areas:
        fits = (one.id for one in tree.way(area) if one.properties.get("level") == level)
        if inside := next(fits, ""):
            found[area] = inside
    return found


def periods(ask: Ask, about: Asked) -> tuple[Period, Period]:
    """The one asked for, and the one before that it is compared with."""
    book, term = ask.hub.evaluation, about.term
    return book.period(about.flow, *term.bounds(ask)), book.period(about.flow, *term.before.bounds(ask))


def flow_title(ask: Ask, flow: str) -> str:
    """What people call the work that is evaluated: the title of its application."""
    found: type[Flow] = ask.hub.evaluation.flows[flow]
    return ask._(str(getattr(getattr(found, "app", None), "title", "") or found.__name__))


def names(ask: Ask, by: str, keys: Sequence[str]) -> dict[str, str]:
    """What people call the subjects."""
    if by in AREAS:
        return {key: area_name(ask, key) for key in keys}
    if by in POSTS:
        query = select(accounts.c.name, accounts.c.display_name)
        with ask.hub.store.read() as conn:
            known: dict[str, str] = {name: shown for name, shown in conn.execute(query).all()}
        return {key: known.get(key) or key for key in keys}
    if by == CITY:
        return {key: ask.hub.settings.city for key in keys}
    return {key: ask._(key) if ask.representation == "html" else key for key in keys}


# -- numbers


def percent(ask: Ask, value: Fraction | None) -> str:
    """A share as people read it: 93.72 %. Here, and nowhere else, it is multiplied by a hundred."""
    return ask.local.percent(None if value is None else float(value), 2)


def points(ask: Ask, value: Fraction | None) -> str:
    return "–" if value is None else ask.local.number(float(value), 2)


def judged(ask: Ask, about: Asked, counts: Counts, before: Counts | None = None) -> dict[str, Any]:
    """Score, grade and course of a subject, and all its rates as numbers."""
    now, then = score(about.parts, counts), score(about.parts, before or {})
    change = None if now is None or then is None else now - then
    return {
        "score": None if now is None else round(float(now), 4),
        "score_text": points(ask, now),
        "grade": grade(None if now is None else float(now / 100)),
        "change": None if change is None else round(float(change), 4),
        "change_text": "" if change is None else f"{'+' if change > 0 else ''}{points(ask, change)}",
        "rates": {key: None if (value := share(key, counts)) is None else float(value) for key in RATES},
    }


def rate_row(ask: Ask, about: Asked, key: str, rate: Rate, counts: Counts, before: Counts) -> dict[str, Any]:
    """A rate of a subject with what stands above and below the line, and the way to the cases."""
    value, then = share(rate, counts), share(rate, before)
    above_text, below_text = rate.formula
    return {
        "rate": rate.key,
        "name": ask._(rate.name),
        "value": None if value is None else float(value),
        "text": percent(ask, value),
        "before_text": percent(ask, then),
        "above": counts.get(rate.above, 0),
        "below": counts.get(rate.below, 0),
        "above_text": ask._(above_text),
        "below_text": ask._(below_text),
        "better": rate.better,
        "url": ask.url("/evaluation/cases", **about.query(key=key or None, rate=rate.key)),
    }


def ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The best first, those without a score last; who has the same score has the same rank."""
    rows.sort(key=lambda row: (row["score"] is None, -(row["score"] or 0), row["name"]))
    for at, row in enumerate(rows):
        same = at > 0 and rows[at - 1]["score"] == row["score"]
        row["rank"] = None if row["score"] is None else rows[at - 1]["rank"] if same else at + 1
    return rows


def merged(only: Only, by: By, key: str) -> Only:
    """What the reader may see, cut down to one subject; of the city all of it."""
    return only if by.kind == CITY or not key else Only(only.department, by, key)


def totals(found: Mapping[str, Counts]) -> Counts:
    """The counts of the city as a whole."""
    return found.get("", {})
