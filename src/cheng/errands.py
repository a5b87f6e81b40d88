"""What `cheng` asks of a hub that runs, or of one it opens itself: one function each, plain values in and out."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shapely

from cheng.backup_shelf import BACK_UP, said
from cheng.backups import back_up
from cheng.hub import Hub
from cheng.infrastructure.area_lookup import AREA, level_of
from cheng.infrastructure.dry_run import try_rule
from cheng.infrastructure.job_log import JobLog, Said
from cheng.infrastructure.registration import Thing
from cheng.kernel.dry_runs import Setting
from cheng.kernel.house import AREA_LEVELS, UNIT
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.specs import did_you_mean
from cheng.security import audit
from cheng.security.actors import HOUSE
from cheng.security.permissions import Target
from cheng.standards.problems import Refused
from cheng.telling import languages


def backup(hub: Hub, file: str) -> dict[str, Any]:
    """Writes everything the hub keeps, as of one moment, into an archive."""
    journal, started = JobLog(hub.store), hub.clock.now()
    try:
        told = back_up(hub, Path(file))
    except Refused as refused:
        journal.write(BACK_UP, started, hub.clock.now(), "failed", Said(refused.message, refused.values))
        raise
    journal.write(BACK_UP, started, hub.clock.now(), "done", said(told))
    return told


def rule_of(model: Model, key: str) -> type[Rule]:
    """The rule with that key, or that name when only one has it; Refused (404) with a hint."""
    named = [rule for name, rule in model.rules.items() if key in (name, rule.__name__)]
    if len(named) == 1:
        return named[0]
    hint = did_you_mean(key, list(model.rules))
    raise Refused("not-there", "There is no rule '{rule}' ({hint}).", {"rule": key, "hint": hint}, status=404)


def try_out(
    hub: Hub, rule: str, span: int, threshold: float | None = None, which: int = 0, hold: int | None = None
) -> dict[str, Any]:
    """What a rule would have done in the last `span` microseconds, as it is and with another threshold or hold."""
    found = rule_of(hub.model, rule)
    end = hub.clock.now() + 1
    settings = list(dict.fromkeys((Setting(), Setting(threshold, which, hold))))
    try:
        runs = try_rule(hub.things, hub.history, found, settings, end - span, end)
    except ValueError as error:
        raise Refused("bad-setting", "This cannot be tried: {reason}.", {"reason": str(error)}, status=422) from error
    return {"rule": found.key(), "runs": [run.told(hub.calendar) for run in runs]}


def token(hub: Hub, name: str, role: str, scope: dict[str, Any], department: str = "") -> str:
    """A new token."""
    return hub.tokens.issue(HOUSE, name, role, scope, department)


def area_named(hub: Hub, text: str) -> Thing:
    """The district, street or community with that id, code or name. Refused when none or several are."""
    areas = [a for a in hub.things.of_type(AREA) if level_of(a) in AREA_LEVELS[:-1] and a.state != "retired"]
    known = [area for area in areas if text in (area.id, str(area.properties.get("code") or ""))]
    found = known or [area for area in areas if area.name == text]
    if len(found) == 1:
        return found[0]
    if found:
        values = {"name": text, "ids": ", ".join(area.id for area in found)}
        raise Refused("several-areas", "Several areas are called {name}: say which, one of {ids}.", values, status=422)
    message = "There is no district, street or community '{name}'; write its id, its code or its name."
    raise Refused("not-there", message, {"name": text}, status=404)


def grids_checked(hub: Hub, level: str, area: str = "") -> dict[str, Any]:
    """How the grids of a class fit in an area, or in the whole city: each gap, overlap and part outside."""
    within, book = area_named(hub, area) if area else None, hub.grids
    checked = book.checked(level)
    faults = [one for one in checked.misfits if within is None or within.id in book.chain(one.parent)]
    without = [name for name in checked.without if within is None or within.id in book.chain(name)]
    return {
        "count": len(book.members(level, within.id if within else "")),
        "without": [name_of(hub, name) for name in without],
        "faults": [
            {
                "kind": one.kind,
                "square_metres": one.area,
                "parent": name_of(hub, one.parent),
                "codes": [code_of(hub, grid) for grid in one.grids],
                "at": shapely.get_coordinates(shapely.point_on_surface(one.shape))[0].tolist(),
            }
            for one in faults
        ],
    }


def name_of(hub: Hub, area: str) -> str:
    found = hub.things.find(area)
    return found.name or area if found else area


def code_of(hub: Hub, grid: str) -> str:
    found = hub.things.find(grid)
    return str(found.properties.get("code") or grid) if found else grid


def communities(hub: Hub, area: str = "") -> list[dict[str, Any]]:
    """The communities of an area, or of the whole city, by code, and how many unit grids each has."""
    within = area_named(hub, area).id if area else ""
    units = Counter(name for unit in hub.grids.members(UNIT) for name in hub.grids.above(unit))
    found = [one for one in hub.grids.members("community") if within in ("", one.id, *hub.grids.above(one))]
    found.sort(key=lambda one: str(one.properties.get("code") or ""))
    return [{"id": one.id, "name": one.name or one.id, "units": units[one.id]} for one in found]


def grids_cut(hub: Hub, area: str, size: float, write: bool = False) -> dict[str, Any]:
    """Unit grids of about `size` square metres between the streets of a community; registered only with `write`."""
    drawn = hub.grids.cut(area, size)
    if write:
        rows = hub.grids.rows(area, UNIT, drawn, languages()[hub.settings.language].gettext)
        outcome = hub.things.put(rows, HOUSE.name)
        if outcome.refused:
            values = {"n": len(outcome.refused), "reason": outcome.refused[0].reason}
            raise Refused("refused", "{n} grids were refused, the first because {reason}.", values, status=422)
        with hub.store.write() as conn:
            target, told = Target("thing", id=area, type=AREA), {"deed": "add", "count": len(rows), "level": UNIT}
            audit.record(conn, hub.clock.now(), HOUSE, "register", target, detail=told)
    return {"square_metres": sorted(drawn.areas), "lines": drawn.lines}


ERRANDS: dict[str, Callable[..., Any]] = {
    "backup": backup,
    "try": try_out,
    "token": token,
    "communities": communities,
    "check grids": grids_checked,
    "cut grids": grids_cut,
}
"""By the name `cheng` asks for them."""
