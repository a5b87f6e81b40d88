"""Devices: those that say nothing, longer than three times what their type promises or a day where it promises nothing;
and any one, when it was heard last and by which token it speaks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cheng.infrastructure.registration import Thing
from cheng.kernel.columns import NEVER, Times
from cheng.kernel.entities import Entity
from cheng.security.tokens import Token
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
    Column("tokens", "Token"),
)
TIMES = 3
TITLES = {"silent": "Silent ones", "all": "All devices"}
NAMED = 3
"""Tokens of a device that are named."""


def limit_of(entity: type[Entity]) -> int:
    """Microseconds without a word after which a thing of this type counts as silent."""
    return TIMES * entity.reports.us if entity.reports is not None else days(1).us


def heard_of(ask: Ask, entity: type[Entity], size: int) -> Times:
    """(size,) when each thing of the type was heard last; NEVER where it was not."""
    heard = np.full(size, NEVER, np.int64)
    seen = ask.hub.judges.by_type[entity.__name__].now.time[:, :size]
    heard[: seen.shape[1]] = seen.max(axis=0, initial=NEVER)
    return heard


def silent_slots(ask: Ask, entity: type[Entity]) -> list[tuple[Thing, int]]:
    """Things of the type in use that are silent, and since when: last heard, else registered."""
    judge = ask.hub.judges.by_type.get(entity.__name__)
    if judge is None:
        return []
    register, members = judge.register, ask.hub.things.of_type(entity.__name__)
    since = np.maximum(heard_of(ask, entity, len(members)), register.registered()[: len(members)])
    late = (ask.hub.clock.now() - since > limit_of(entity)) & register.active()[: len(since)]
    return [(members[slot], int(since[slot])) for slot in np.flatnonzero(late).tolist()]


def silent_count(ask: Ask) -> int:
    """How many devices are silent."""
    return sum(len(silent_slots(ask, entity)) for entity in ask.hub.model.entities.values() if entity.live())


class Speakers:
    """Which tokens speak for a thing."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.ids: dict[str, list[str]] = {}
        self.types: dict[str, list[str]] = {}
        self.prefixes: list[tuple[str, str]] = []
        for token in tokens:
            if token.revoked is None and token.role == "device":
                told = token.scope.told()
                for thing in told["ids"]:
                    self.ids.setdefault(thing, []).append(token.name)
                for kind in told["types"]:
                    self.types.setdefault(kind, []).append(token.name)
                self.prefixes += [(prefix, token.name) for prefix in told["prefixes"]]

    def of(self, thing: Thing) -> list[str]:
        """Their names, those made for this very thing first."""
        begins = [name for prefix, name in self.prefixes if thing.id.startswith(prefix)]
        return list(dict.fromkeys([*self.ids.get(thing.id, ()), *begins, *self.types.get(thing.type, ())]))


def rows_of(ask: Ask, show: str, text: str) -> Iterator[dict[str, Any]]:
    """One row for each silent thing, or whatever its state, whose id or name has the text in it. All without a text
    would be a million."""
    now = ask.hub.clock.now()
    speakers = Speakers(ask.hub.tokens.everything(ask.actor)) if ask.may("manage-tokens", "token") else None
    for entity in ask.hub.model.entities.values():
        if not entity.live() or (show == "all" and not text):
            continue
        members = ask.hub.things.of_type(entity.__name__)
        heard = heard_of(ask, entity, len(members))
        chosen = [thing for thing, _ in silent_slots(ask, entity)] if show == "silent" else members
        for thing in chosen:
            if text and text not in thing.id.casefold() and text not in thing.name.casefold():
                continue
            last = int(heard[thing.slot]) if thing.slot < len(heard) else NEVER
            names = speakers.of(thing) if speakers is not None else []
            yield {
                "id": thing.id,
                "name": thing.name,
                "type": entity.__name__,
                "type_text": title(ask, entity),
                "area": thing.areas[-1] if thing.areas else "",
                "area_name": area_name(ask, thing.areas[-1]) if thing.areas else "",
                "owner": department(ask, thing.owner),
                "last_heard": last if last > NEVER else None,
                "silent_for": max(now - (last if last > NEVER else thing.registered), 0),
                "expected": entity.reports.us if entity.reports is not None else None,
                "tokens": ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else ""),
                "url": ask.url(f"/things/{entity.__name__}/{thing.id}"),
            }


@get("/console/silent", needs=("enter", "console"), entry="Devices", order=30)
def silent(ask: Ask) -> Page:
    """Silent devices, or all, by type and area; `q` looks in ids and names."""
    show = ask.choice("show", tuple(TITLES), "silent")
    every = list(rows_of(ask, show, ask.query("q").casefold()))
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
        "shows": [(key, ask._(text)) for key, text in TITLES.items()],
        "show": show,
        "may_issue": ask.may("manage-tokens", "token"),
    }
    return Page("console/silent.html", data, rows="silent", columns=COLUMNS, extra=extra, fragment="list")


routes = [silent]
