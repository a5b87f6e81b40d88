"""An invented city that lives on the hub: places, people, devices, and days on which things go wrong.

    clock = demo.open_clock(settings.data, speed)
    hub = open_hub(settings, clock)
    feed = demo.start(hub, "small")

Everything comes in through the hub's own doors. The same seed gives the same city.
"""

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import cheng.demo
from cheng.demo.cast import Cast
from cheng.demo.clock import PAST, DemoClock, left_at, open_clock
from cheng.demo.feed import Feed
from cheng.demo.knowledge import knowledge
from cheng.demo.people import accounts, departments
from cheng.demo.places import CITY
from cheng.demo.town import Town
from cheng.demo.voices import Voices
from cheng.hub import Hub
from cheng.infrastructure.clock import wall
from cheng.infrastructure.registration import NewThing
from cheng.standards.problems import Problem, SpecError

__all__ = ["NAME", "PAST", "SCALES", "Feed", "left_at", "open_clock", "start"]

SCALES = {"small": 1, "district": 25, "city": 520}
"""How many times the two thousand things of the small city: some fifty thousand, and a million."""
SEED = 7
NAME = CITY.zh
"""What the invented city is called."""


def start(hub: Hub, scale: str = "small", seed: int = SEED) -> Feed:
    """Fills the hub with the city, lives through what has passed since its clock stood still, and lets it live on.

    A hub that was filled before keeps what it has. Raises SpecError for a scale that nobody knows.
    """
    if scale not in SCALES:
        hint = f"choose one of {', '.join(SCALES)}"
        raise SpecError([Problem("S320", f"There is no invented city of the size '{scale}'", "--demo", hint)])
    town = Town(seed)
    casts = [make(town, count * SCALES[scale]) for make, count in troupes(hub)]
    made = accounts(hub, town)
    voices = [make(town, count * SCALES[scale], hub.classes) for make, count in choirs(hub)]
    rows = [row for cast in casts for row in cast.rows]
    register(hub, [*town.things(), *departments(hub, town, rows), *rows])
    for cast in casts:
        cast.rows.clear()  # the register has them now, and a million of them take a gigabyte
    del rows
    knowledge(hub)
    if "demo" not in hub.base_map.sources():
        hub.base_map.put("demo", town.features())
    feed = Feed(hub, casts, voices, seed, made)
    if isinstance(hub.clock, DemoClock):
        asyncio.run(feed.catch_up(hub.clock, wall))
    feed.start()
    return feed


def troupes(hub: Hub) -> Iterator[tuple[type[Cast], int]]:
    """The casts of the applications that the hub has, each with its number of things in the small city."""
    loaded = {app.__name__ for app in hub.model.apps.values()}
    for module in modules():
        for make, count in module.CASTS:
            if make.app in loaded:
                yield make, count


def choirs(hub: Hub) -> Iterator[tuple[type[Voices], int]]:
    """Those who report to the applications that the hub has, each with the reports of a day in the small city."""
    loaded = {app.__name__ for app in hub.model.apps.values()}
    for module in modules():
        for make, count in getattr(module, "VOICES", ()):
            if make.app in loaded:
                yield make, count


def modules() -> Iterator[ModuleType]:
    """One file an application, in the folders of the families."""
    for found in pkgutil.walk_packages(cheng.demo.__path__, "cheng.demo."):
        if found.name.count(".") == 3:
            yield importlib.import_module(found.name)


def register(hub: Hub, rows: list[NewThing]) -> None:
    """Registers everything; what the city itself got wrong is a mistake in this folder, and is said."""
    refused = hub.things.put(rows, "demo").refused
    if refused:
        raise SpecError([Problem("S321", str(error), "cheng.demo") for error in refused])
