"""A small application whose things are public and whose fields are not all: hydrants with a code and a telephone."""

import sys
import types
from pathlib import Path

import numpy as np
from house import PASSWORD

from cheng.hub import Hub, open_hub
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.kernel.entities import Choice, Command, Entity, Quantity, Text
from cheng.kernel.flows import Flow, Step
from cheng.kernel.indicators import Indicator
from cheng.kernel.model import Model
from cheng.kernel.observations import Batch
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App
from cheng.security.actors import HOUSE, ROLES
from cheng.security.passwords import Hasher
from cheng.standards.durations import hours, minutes

NAME = "cheng.apps.city.waterworks"
START = 1_795_132_800_000_000
"""2026-11-20 08:00 in Shanghai."""
MINUTE = 60_000_000
OWN, OTHER = "Water office", "Park office"


class waterworks(App):
    """Watches the hydrants of the city."""

    title = "Waterworks"
    owner = "Water office"
    system = "G6"


class Hydrant(Entity):
    """A hydrant in the street."""

    public = True
    reports = minutes(1)
    street = Text("the street it stands in")
    code = Text("the code of its lock", level="internal")
    phone = Text("whom to call", level="sensitive")
    pressure = Quantity("kPa", "pressure", low=0, high=1000)
    inside = Quantity("Cel", "temperature inside", level="internal")
    valve = Choice("open", "shut", doc="its valve")
    flush = Command("Flush it", seconds=Quantity("s", "how long", low=1, high=60))


class Ledger(Entity):
    """A ledger, which is nobody's business."""

    amount = Quantity("1", "what it says")


class high(Rule):
    """Hydrant {name} in {street} stands at {pressure} kPa, its code is {code}."""

    when = Hydrant.pressure > 100
    hold = minutes(2)
    release = Hydrant.pressure < 50
    level = "danger"
    basis = "Rules of the waterworks, art. 1"


class relieve(Flow):
    """Open it a little."""

    starts = high
    steps = (Step("handle", to="Water office", within=hours(1)),)


class relieved_in_time(Indicator):
    """Hydrants relieved within the hour."""

    of = relieve
    step = "handle"
    target = 0.9


class alarms(Indicator):
    """How often pressure was too high."""

    of = high


DECLARED = (waterworks, Hydrant, Ledger, high, relieve, relieved_in_time, alarms)


def model() -> Model:
    module = types.ModuleType(NAME)
    for spec in DECLARED:
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    return Model.of([module])


def open_waterworks(folder: Path) -> Hub:
    """A hub with three hydrants of one office, one of another, a ledger, and one account a role."""
    hub = open_hub(Settings(data=folder, city="荔川区"), ManualClock(START), model(), Hasher(64, weak_for_tests=True))
    for role in ROLES:
        hub.accounts.create(HOUSE, role, f"Li {role}", [role], OWN, PASSWORD)
    rows = [
        NewThing(
            f"hydrant-{n}",
            "Hydrant",
            name=f"H{n}",
            owner=OTHER if n == 4 else OWN,
            properties={"street": "=cmd|' /C calc'!A0", "code": f"SECRET-{n}", "phone": f"1390000{n}"},
            geometry={"type": "Point", "coordinates": [120.0 + n / 100, 30.0]},
        )
        for n in range(1, 5)
    ]
    outcome = hub.things.put([*rows, NewThing("ledger-1", "Ledger")], "test")
    assert not outcome.refused
    return hub


def report(hub: Hub, thing: str, values: list[float], field: str = "pressure", every: int = MINUTE) -> None:
    """Readings of one thing, the last one now; judged when this returns."""
    found = hub.things.find(thing)
    assert found is not None
    attr = hub.things.attribute(found.type, field)
    times = hub.clock.now() - every * np.arange(len(values))[::-1]
    hub.pipeline.submit(Batch.of([found.idx] * len(values), [attr] * len(values), times, values)).result(10)
    hub.pipeline.drain()
