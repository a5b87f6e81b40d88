"""Grid management: every responsibility grid has somebody who walks it, and is not left alone unnoticed."""

from cheng import (
    App,
    Choice,
    Entity,
    Flow,
    Indicator,
    Ref,
    Rule,
    Step,
    Text,
    Track,
    hours,
    minutes,
)


class grids(App):
    """Knows who looks after which grid, and sees to it that somebody is there."""

    title = "Grid management"
    owner = "Urban Management Supervision Centre"
    system = "G2"


class GridWorker(Entity):
    """Somebody who looks after a responsibility grid, with a phone that tells where they are while on duty."""

    reports = minutes(5)
    street = Text("the street whose grid station they belong to")
    grid = Ref("Area", "the responsibility grid they look after")
    phone = Text("telephone", level="sensitive")
    position = Track("where they are while on duty", level="internal")
    duty = Choice("on duty", "off duty", doc="as they signed in or out")


class left_grid(Rule):
    """{name} of {street} has been outside of the grid for half an hour while on duty."""

    when = GridWorker.position.outside(GridWorker.grid.boundary) & GridWorker.duty.is_("on duty")
    hold = minutes(30)
    release = GridWorker.duty.is_("off duty") | GridWorker.position.inside(GridWorker.grid.boundary)
    level = "notice"
    basis = "Duty rules of the street for grid workers, art. 8"


class cover_grid(Flow):
    """Ask the worker why, and have a neighbour look after the grid meanwhile."""

    starts = left_grid
    steps = (
        Step("call the worker", to="{street} grid station", within=minutes(30)),
        Step("have the grid covered", within=hours(2)),
    )


class covered_in_time(Indicator):
    """Grids left alone that somebody covered within two hours."""

    of = cover_grid
    step = "have the grid covered"
    target = 0.9
