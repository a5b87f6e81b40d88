"""A model for tests of the house itself: one small application in a module made on the spot, and a hub around it."""

import sys
import types
from collections.abc import Callable
from pathlib import Path

from cheng.hub import Hub, open_hub
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.kernel.entities import Choice, Entity, Event, Quantity, Ref, Text, Track, happened
from cheng.kernel.flows import Flow, Step
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App
from cheng.security.passwords import Hasher
from cheng.standards.durations import hours, minutes, seconds

NAME = "cheng.apps.city.laboratory"


class laboratory(App):
    """A laboratory with valves and vans."""

    title = "Laboratory"
    owner = "Laboratory office"
    system = "G4"


class Valve(Entity):
    """A valve on a bench."""

    bench = Text("the bench it stands on")
    pressure = Quantity("kPa", "pressure", low=0, high=1000, jump=500)
    state = Choice("open", "shut", doc="its state")


class Van(Entity):
    """A van of the laboratory."""

    position = Track("where it is")


class Bell(Event):
    """Somebody rang at {valve}."""

    valve = Ref(Valve)
    strength = Quantity("1", "how hard")


class high(Rule):
    """Valve {id} at {bench} stands at {pressure} kPa."""

    when = Valve.pressure > 100
    hold = seconds(60)
    release = Valve.pressure < 50
    level = "danger"
    basis = "Rules of the laboratory, art. 1"


class rang(Rule):
    """Somebody rang at {valve}."""

    when = happened(Bell)
    level = "notice"
    basis = "Rules of the laboratory, art. 2"


class relieve(Flow):
    """Open the valve a little, and have someone else look."""

    starts = high
    steps = (
        Step("handle", to="{bench} crew", within=minutes(10)),
        Step("check", by="another person", until=Valve.pressure < 50, within=hours(4)),
    )


def model() -> Model:
    """The laboratory as a model of its own."""
    module = types.ModuleType(NAME)
    for spec in (laboratory, Valve, Van, Bell, high, rang, relieve):
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    return Model.of([module])


def open_laboratory(folder: Path, clock: Clock | None = None, store: str = "", valves: int = 3) -> Hub:
    """A hub over a folder with `valves` valves on bench A and one van."""
    settings = Settings.load(folder, {}, **({"store": store} if store else {}))
    hub = open_hub(settings, clock, model(), Hasher(8, 1, weak_for_tests=True))
    things = [NewThing(f"valve-{n}", "Valve", properties={"bench": "A"}) for n in range(1, valves + 1)]
    things.append(NewThing("van-1", "Van"))
    hub.things.put(things, "test")
    return hub


Opener = Callable[..., Hub]
