"""A small waterworks for tests of what stands around the kernel: pumps, their heat, and jobs that set their speed."""

import pyarrow as pa
import pyarrow.compute as pc

from cheng import (
    App,
    Choice,
    Command,
    Entity,
    Event,
    Job,
    Quantity,
    Ref,
    Rule,
    Text,
    Track,
    happened,
    hours,
    last,
    minutes,
)


class small_works(App):
    """Looks after a few pumps."""

    title = "Small works"
    owner = "Waterworks"
    system = "E2"


class Pump(Entity):
    """A pump with a hot bearing."""

    site = Text("where it stands")
    rated = Quantity("kW", "rated power", fixed=True)
    state = Choice("on", "off", doc="whether it runs", on_change=True)
    heat = Quantity("Cel", "its bearing", low=-50, high=200)
    mean = Quantity("Cel", "mean of its bearing over the hour", low=-50, high=200)
    position = Track("where it is carried to")
    run = Command("Run at a speed", speed=Quantity("%", low=0, high=100), mode=Choice("soft", "hard"))


class Knock(Event):
    """A knock in {pump}."""

    pump = Ref(Pump)
    force = Quantity("N", "how hard")


class hot(Rule):
    """{id} is hot: {heat}."""

    when = Pump.heat > 80
    hold = minutes(2)
    release = Pump.heat < 70
    basis = "Duty rules"


class knocking(Rule):
    """{pump} knocks."""

    when = (Knock.force > 5) & happened(Knock)
    basis = "Duty rules"


def hourly_mean(now: int, heat: pa.Table) -> pa.Table:
    """Mean by pump."""
    found = heat.group_by("id").aggregate([("value", "mean")])
    return pa.table({"id": found["id"], "mean": found["value_mean"]})


def slow_down(now: int, pumps: pa.Table) -> pa.Table:
    """Half speed for the hot ones."""
    hot_ones = pumps.filter(pc.greater(pumps["heat"], 80))
    count = hot_ones.num_rows
    return pa.table({"id": hot_ones["id"], "speed": pa.array([50.0] * count), "mode": pa.array(["soft"] * count)})


def broken(now: int, pumps: pa.Table) -> pa.Table:
    """Never works."""
    raise ValueError("there is no such valve")


class means(Job):
    """The hour's mean."""

    every = minutes(5)
    reads = (last(Pump.heat, hours(1)),)
    writes = Pump.mean
    run = hourly_mean


class cool(Job):
    """Hot pumps run slower."""

    every = minutes(1)
    reads = (Pump,)
    sends = Pump.run
    run = slow_down


class never(Job):
    """A job that fails."""

    every = minutes(1)
    reads = (Pump,)
    writes = Pump.mean
    run = broken
