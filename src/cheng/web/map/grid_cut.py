"""New grids for a community that has none: looked at first, then taken into the register."""

import hashlib
from typing import Any

import shapely

from cheng.infrastructure.area_lookup import AREA
from cheng.infrastructure.grid_book import GRID, Drawn
from cheng.infrastructure.registration import Thing
from cheng.kernel.house import UNIT
from cheng.methods.grids_cut import SIZE
from cheng.security.permissions import Target
from cheng.security.seen import target
from cheng.standards.problems import Refused
from cheng.web.city.noting import note
from cheng.web.map.page import ground_told
from cheng.web.pages import Answer, Ask, Column, Form, Page, get, post, see_other

COLUMNS = (Column("code", "Code"), Column("area", "Surface", "number", unit="m²"), Column("parent", "In"))
SHOWN = 12
TOGETHER = 8
"""Unit grids of a responsibility grid, unless somebody says otherwise."""
CHANGED = "Streets or areas have changed since you looked. Please look at the grids again before you take them."


@get("/areas/cut/{area:str}", needs=("register", "thing"), under="/areas/check")
def cut(ask: Ask, area: str) -> Page:
    """Unit grids as the streets part a community, to be looked at."""
    about, size = community(ask, area), asked(ask.query("size") or f"{SIZE:.0f}")
    found, told = looked_at(ask, lambda: ask.hub.grids.cut(area, size))
    return page(ask, about, UNIT, size, found, told)


@post("/areas/cut/{area:str}", needs=("register", "thing"), under="/areas/check")
def take_cut(ask: Ask, area: str) -> Answer:
    """Take them into the register."""
    return take(ask, area, UNIT, lambda size: ask.hub.grids.cut(area, size))


@get("/areas/gather/{area:str}", needs=("register", "thing"), under="/areas/check")
def gather(ask: Ask, area: str) -> Page:
    """Responsibility grids built of adjacent unit grids, to be looked at."""
    about, count = community(ask, area), asked(ask.query("size") or str(TOGETHER))
    found, told = looked_at(ask, lambda: ask.hub.grids.gather(area, count))
    return page(ask, about, GRID, count, found, told)


@post("/areas/gather/{area:str}", needs=("register", "thing"), under="/areas/check")
def take_gathered(ask: Ask, area: str) -> Answer:
    """Take them into the register, and the unit grids into them."""
    return take(ask, area, GRID, lambda count: ask.hub.grids.gather(area, count))


def asked(size: str) -> float:
    """How large grids shall be. Refused (422) for what is no number."""
    try:
        return float(round(float(size)))
    except (ValueError, OverflowError):
        raise Refused("bad-size", "Say in figures how large the grids shall be.", status=422) from None


def community(ask: Ask, area: str) -> Thing:
    """The area meant, which this reader may change. Refused otherwise."""
    found = ask.hub.things.find(area)
    if found is None or found.type != AREA:
        raise Refused("no-area", "There is no area {id}.", {"id": area[:80]}, status=404)
    ask.require("register", target(found, ask.hub.model.entities[AREA]))
    return found


def looked_at(ask: Ask, draw: Any) -> tuple[Drawn | None, str]:
    """The grids, or the sentence why there are none; what is not there at all is no page."""
    try:
        return draw(), ""
    except Refused as refused:
        if refused.status == 404:
            raise
        return None, ask._(refused.message).format(**refused.values)


def page(ask: Ask, area: Thing, level: str, size: float, found: Drawn | None, told: str) -> Page:
    rows = [] if found is None else list(map(row, found.codes, found.areas, found.parents, found.shapes))
    areas = sorted(found.areas) if found is not None else []
    data: dict[str, Any] = {
        "area": area.id,
        "class": level,
        "pieces": rows if ask.representation != "html" else rows[:SHOWN],
    }
    spread = {"least": areas[0], "middle": areas[len(areas) // 2], "most": areas[-1]} if areas else {}
    data |= {"count": len(rows), "square_metres": spread}
    for one in data["pieces"]:
        parent = ask.hub.things.find(one["parent"])
        one["parent"] = parent.name or parent.id if parent else one["parent"]
    extra = {"size": f"{size:.0f}", "refusal": told, "name": area.name or area.id, "map": ground_told(ask)}
    extra |= {"seen": digest(found) if found is not None else "", "UNIT": UNIT, "level": level}
    status = 422 if told else 200
    return Page("map/grid_cut.html", data, rows="pieces", columns=COLUMNS, extra=extra, status=status)


def row(code: str, area: float, parent: str, shape: Any) -> dict[str, Any]:
    return {"code": code, "area": round(area), "parent": parent, "geometry": shapely.geometry.mapping(shape)}


def digest(found: Drawn) -> str:
    """What was looked at, in a word."""
    said = "\n".join([*found.codes, *found.parents]).encode() + b"".join(shapely.to_wkb(found.shapes))
    return hashlib.sha256(said).hexdigest()[:20]


def take(ask: Ask, area: str, level: str, draw: Any) -> Answer:
    """Registers the grids that were looked at, all or none."""
    about, form = community(ask, area), Form(ask)
    found: Drawn = draw(asked(form.value("size")))
    if digest(found) != form.value("seen"):
        raise Refused("changed", CHANGED)
    rows = ask.hub.grids.rows(about.id, level, found, ask._)
    outcome = ask.hub.things.put(rows, ask.actor.name)
    if outcome.refused:
        reason = {"n": len(outcome.refused), "reason": outcome.refused[0].reason}
        raise Refused("refused", "{n} grids were refused, the first because {reason}.", reason, status=422)
    where = Target("thing", id=about.id, department=about.owner, type=AREA)
    note(ask, "register", where, deed="add", grids=len(found.codes), level=level)
    return see_other(ask, "/areas/check", "The grids are in the register.", **{"class": level})


routes = [cut, take_cut, gather, take_gathered]
