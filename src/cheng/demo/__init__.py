"""An invented city that lives on the hub: places, people, devices, and days on which things go wrong.

    clock = demo.open_clock(settings.data, speed, days(2).us)
    hub = open_hub(settings, clock)
    feed = demo.start(hub, scale="small")

Everything comes in through the hub's own doors. The same seed gives the same city.
"""

import asyncio
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

import cheng.demo
from cheng.demo.cast import Cast
from cheng.demo.clock import DemoClock, left_at, open_clock
from cheng.demo.feed import Feed
from cheng.demo.knowledge import knowledge
from cheng.demo.people import CREW, accounts, departments
from cheng.demo.places import CITY
from cheng.demo.town import Town
from cheng.demo.voices import Voices
from cheng.hub import Hub
from cheng.infrastructure.clock import wall
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import Duration, days, hours
from cheng.standards.problems import Problem, SpecError

__all__ = ["CREW", "NAME", "SCALES", "Feed", "left_at", "open_clock", "start"]


@dataclass(frozen=True)
class Scale:
    """How large an invented city is."""

    times: int
    """how many times the two thousand things of the small one it has"""
    past: Duration
    """how much of its past it lives through before its hub opens, unless told otherwise"""


SCALES = {"small": Scale(1, days(2)), "district": Scale(25, days(2)), "city": Scale(520, hours(6))}
"""Some two thousand things, fifty thousand, and a million."""
SAID = 0.7
"""Reports grow with people and not with devices: so often the size as a power. The middle city then reports some 2,300
times a day, as a district of half a million people does, and the large one 19,000 times."""
AT_A_TIME = 10_000
"""Things registered between two looks at whether the hub is to be stopped."""
SEED = 7
NAME = CITY.zh
"""What the invented city is called."""


def never() -> bool:
    return False


def unheard(text: str) -> None:
    pass


def start(
    hub: Hub,
    stopped: Callable[[], bool] = never,
    *,
    scale: str = "small",
    seed: int = SEED,
    so_far: Callable[[str], None] = unheard,
) -> Feed:
    """Fills the hub with the city, lives through what has passed since its clock stood still, and lets it live on.

    A hub that was filled before keeps what it has. `so_far` hears how far it is. A city that is `stopped` before it
    was full is filled on by the next start. Raises SpecError for a scale that nobody knows.
    """
    if scale not in SCALES:
        hint = f"choose one of {', '.join(SCALES)}"
        raise SpecError([Problem("S320", f"There is no invented city of the size '{scale}'", "--demo", hint)])
    size = SCALES[scale].times
    so_far("thinking up its places and things")
    town = Town(seed)
    casts = [make(town, count * size) for make, count in troupes(hub)]
    made = accounts(hub, town)
    voices = [make(town, round(count * size**SAID), hub.classes) for make, count in choirs(hub)]
    register(hub, town, casts, so_far, stopped)
    knowledge(hub)
    if "demo" not in hub.base_map.sources():
        hub.base_map.put("demo", town.features())
    feed = Feed(hub, casts, voices, seed, made)
    if isinstance(hub.clock, DemoClock):
        asyncio.run(feed.catch_up(hub.clock, wall, so_far, stopped))
    if not stopped():
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


def register(
    hub: Hub, town: Town, casts: Sequence[Cast], so_far: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """Registers everything, places and departments first; the casts let go of it."""
    rows = [row for cast in casts for row in cast.rows]
    for cast in casts:
        cast.rows.clear()  # the register has them soon, and a million of them take a gigabyte
    admit(hub, [*town.things(), *departments(hub, town, rows)])
    for done in range(0, len(rows), AT_A_TIME):
        if stopped():
            return
        so_far(f"registering its things: {done:,} of {len(rows):,}")
        admit(hub, rows[done : done + AT_A_TIME])


def admit(hub: Hub, rows: list[NewThing]) -> None:
    """Registers things; what the city itself got wrong is a mistake in this folder, and is said."""
    refused = hub.things.put(rows, "demo").refused
    if refused:
        raise SpecError([Problem("S321", str(error), "cheng.demo") for error in refused])
