"""Street lamps: lit when it is dark, dimmed when nobody walks, and mended before anyone complains."""

from cheng import (
    App,
    Choice,
    Command,
    Entity,
    Flow,
    Indicator,
    Job,
    Quantity,
    Ref,
    Rule,
    Step,
    Text,
    by,
    days,
    hours,
    minutes,
    silence,
)
from cheng.methods import lighting


class street_lamps(App):
    """Switches and dims lamps by the sun, by measured light and by group, and finds those that fail."""

    title = "Street lamps"
    owner = "Urban Lighting Office"
    system = "G4"


class Cabinet(Entity):
    """A feeding cabinet: the lamps behind it follow one plan."""

    reports = minutes(15)
    district = Text("the district whose crew looks after it")
    mode = Choice(
        "schedule", "daylight", "by hand", doc="who decides: the sun, the measured light, or people", fixed=True
    )
    on_below = Quantity("lx", "daylight below which the lamps go on", low=1, high=1000, fixed=True)
    dim_from = Quantity("h", "hour of the city's day from which they are dimmed", low=0, high=24, fixed=True)
    dim_to = Quantity("h", "hour until which they are dimmed", low=0, high=24, fixed=True)
    dim_level = Quantity("%", "brightness while dimmed", low=0, high=100, fixed=True)
    light = Quantity("lx", "daylight measured on its roof", low=0, high=200_000)


class Lamp(Entity):
    """One lamp on its pole, with a controller that measures what it draws."""

    public = True
    reports = minutes(15)
    district = Text("the district whose crew looks after it")
    road = Text("the road it lights")
    cabinet = Ref(Cabinet, "the cabinet that feeds it")
    rated = Quantity("W", "rated power", low=1, high=2000, fixed=True)
    level = Quantity("%", "brightness it is set to", low=0, high=100)
    current = Quantity("A", "current it draws", low=0, high=20)
    power = Quantity("W", "power it draws", low=0, high=4000)
    leakage = Quantity("mA", "current that leaks to earth", low=0, high=1000)
    on = Command("Switch on")
    off = Command("Switch off")
    dim = Command("Set the brightness", level=Quantity("%", "brightness", low=0, high=100))


class plan(Job):
    """Works out how bright every lamp has to be now, and tells only those that are not."""

    every = minutes(5)
    reads = (Cabinet, Lamp)
    sends = Lamp.dim
    run = lighting.plan


class dark(Rule):
    """Lamp {name} on {road} is set to {level}% and draws no current."""

    when = (Lamp.level > 0) & (Lamp.current < 0.05)
    hold = minutes(10)
    release = Lamp.current >= 0.05  # in the morning a broken lamp is still broken
    group = by(Lamp.cabinet, within=minutes(30))  # a dark street is one case
    basis = "CJJ 89-2012, acceptance of urban road lighting; duty rules of the district for lighting, art. 5"


class burning_by_day(Rule):
    """Lamp {name} on {road} is switched off and still draws {current} A."""

    when = (Lamp.level <= 0) & (Lamp.current > 0.1)
    hold = minutes(15)
    release = Lamp.current <= 0.05
    level = "notice"
    group = by(Lamp.cabinet, within=minutes(30))
    basis = "Duty rules of the district for lighting, art. 8 (energy saving)"


class leaking(Rule):
    """Pole {name} on {road} leaks {leakage} mA: do not touch it."""

    when = Lamp.leakage > 30
    hold = minutes(1)
    release = Lamp.leakage < 10
    level = "emergency"
    basis = "GB/T 13955-2017, residual current of 30 mA; duty rules of the district for lighting, art. 3"


class unheard(Rule):
    """Lamp {name} on {road} has not reported for two hours."""

    when = silence(Lamp, hours(2))
    level = "notice"
    group = by(Lamp.cabinet, within=hours(1))
    basis = "Duty rules of the district for sensing devices, art. 4"


class mend(Flow):
    """Find the fault, mend it, and let someone else see that the lamp does what it should."""

    starts = dark, burning_by_day, unheard
    steps = (
        Step("dispatch", to="{district} lighting crew", within=hours(2)),
        Step("mend", proof="photo", within=hours(24)),
        Step("check", by="another person", within=days(2)),
    )


class isolate(Flow):
    """Cut off and fence the pole at once, then find the leak."""

    starts = leaking
    steps = (
        Step("cut off", to="{district} lighting crew", proof="photo", within=minutes(30)),
        Step("mend", proof="photo", within=hours(24)),
        Step("check", by="another person", until=Lamp.leakage < 10, within=days(1)),
    )


class lamps_sensed(Indicator):
    """Lamps whose state is known to the city."""

    of = Lamp
    measure = "coverage"
    target = 0.9


class mended_in_time(Indicator):
    """Lamps mended within a day of the crew being sent."""

    of = mend
    step = "mend"
    target = 0.95
