"""Devices that say nothing: longer than three times what their type promises, or a day where it promises nothing."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from cheng.infrastructure.registration import Thing
from cheng.kernel.columns import NEVER
from cheng.kernel.entities import Entity
from cheng.standards.durations import days
from cheng.web.ask import Ask
from cheng.web.city.seeing import area_name
from cheng.web.city.things import department
from cheng.web.city.words import title
from cheng.web.pages import Column, Page, get

COLUMNS = (
    Column("id", "Id"),
    Column("name", "Known as"),
    Column("type_text", "Type"),
    Column("area_name", "Area"),
    Column("owner", "Department"),
    Column("last_heard", "Last heard", "moment"),
    Column("silent_for", "Silent for", "duration"),
    Column("expected", "Expected every", "duration"),
)
TIMES = 3


def limit_of(entity: type[Entity]) -> int:
    """Microseconds without a word after which a thing of this type counts as silent."""
    return TIMES * entity.reports.us if entity.reports is not None else days(1).us


def silent_slots(ask: Ask, entity: type[Entity]) -> list[tuple[Thing, int]]:
    """Things of the type in use that are silent, and since when: last heard, else registered."""
    judge = ask.hub.judges.by_type.get(entity.__name__)
    if judge is None:
        return []
    register, members = judge.register, ask.hub.things.of_type(entity.__name__)
    size = min(len(members), judge.now.time.shape[1])
    heard = judge.now.time[:, :size].max(axis=0, initial=NEVER)
    since = np.maximum(heard, register.registered()[:size])
    since = np.concatenate((since, register.registered()[size : len(members)]))
    late = (ask.hub.clock.now() - since > limit_of(entity)) & register.active()[: len(since)]
    return [(members[slot], int(since[slot])) for slot in np.flatnonzero(late).tolist()]


def silent_count(ask: Ask) -> int:
    """How many devices are silent."""
    return sum(len(silent_slots(ask, entity)) for entity in ask.hub.model.entities.values() if entity.live())


def rows_of(ask: Ask) -> Iterator[dict[str, Any]]:
    """One row for each silent thing, the longest silence first."""
    now = ask.hub.clock.now()
    for entity in ask.hub.model.entities.values():
        if not entity.live():
            continue
        heard = ask.hub.judges.by_type[entity.__name__].now.time
        for thing, since in silent_slots(ask, entity):
            ever = thing.slot < heard.shape[1] and int(heard[:, thing.slot].max(initial=NEVER)) > NEVER
            yield {
                "id": thing.id,
                "name": thing.name,
                "type": entity.__name__,
                "type_text": title(ask, entity),
                "area": thing.areas[-1] if thing.areas else "",
                "area_name": area_name(ask, thing.areas[-1]) if thing.areas else "",
                "owner": department(ask, thing.owner),
                "last_heard": since if ever else None,
                "silent_for": now - since,
                "expected": entity.reports.us if entity.reports is not None else None,
                "url": ask.url(f"/things/{entity.__name__}/{thing.id}"),
            }


@get("/console/silent", needs=("enter", "console"), entry="Silent devices", order=30)
def silent(ask: Ask) -> Page:
    """Silent devices by type and area."""
    every = list(rows_of(ask))
    kind, area = ask.query("type"), ask.query("area")
    chosen = [row for row in every if kind in ("", row["type"]) and area in ("", row["area"])]
    chosen.sort(key=lambda row: -row["silent_for"])
    types = Counter((row["type"], row["type_text"]) for row in every)
    areas = Counter((row["area"], row["area_name"] or row["area"]) for row in every if row["area"])
    data = {
        "total": len(chosen),
        "by_type": {key: count for (key, _), count in types.most_common()},
        "by_area": {key: count for (key, _), count in areas.most_common(50)},
        "silent": chosen[: ask.limit(200, 1000)],
    }
    extra = {
        "types": [("", ask._("All types")), *((key, f"{text} ({n})") for (key, text), n in types.most_common())],
        "areas": [("", ask._("All areas")), *((key, f"{text} ({n})") for (key, text), n in areas.most_common(200))],
    }
    return Page("console/silent.html", data, rows="silent", columns=COLUMNS, extra=extra, fragment="list")


routes = [silent]
