"""Oil wells: every pumping unit watched in real time, and the crew on its way before the rod breaks."""

from cheng import App, Choice, Entity, Flow, Indicator, Quantity, Rule, Step, Text, days, hours, minutes, silence


class oil_wells(App):
    """Finds stalled pumps, parted rods, pressure jumps and overloaded motors from what wells report."""

    title = "Oil wells"
    owner = "Oilfield Production Office"
    system = "I6"


class Well(Entity):
    """A well with a rod pump: load of the polished rod, strokes, motor and pressures."""

    reports = minutes(5)
    crew = Text("the field crew that looks after it")
    lift = Choice("rod pump", "screw pump", "flowing", doc="how the oil comes up", fixed=True)
    rated = Quantity("A", "rated current of its motor", low=1, high=500, fixed=True)
    top_load = Quantity("kN", "highest load of the last stroke", low=0, high=250)
    low_load = Quantity("kN", "lowest load of the last stroke", low=-20, high=250)
    strokes = Quantity("/min", "strokes", low=0, high=20)
    motor = Quantity("A", "current of the motor", low=0, high=1000)
    tubing = Quantity("MPa", "pressure at the well head", low=0, high=40)
    casing = Quantity("MPa", "pressure in the casing", low=0, high=40)
    flow = Quantity("m3/d", "liquid produced, by the day", low=0, high=500)


class stalled(Rule):
    """The pump of {name} stands still while its motor draws {motor} A."""

    when = (Well.strokes < 0.3) & (Well.motor > 5)
    hold = minutes(5)
    release = Well.strokes > 1
    level = "danger"
    basis = "AQ 2012-2007, petroleum safety; duty rules of the field, art. 12"


class rod_parted(Rule):
    """The load of {name} hardly swings any more ({top_load} to {low_load} kN): a parted rod or a stuck valve."""

    when = (Well.top_load - Well.low_load < 8) & (Well.strokes > 1)
    hold = minutes(10)
    release = Well.top_load - Well.low_load > 15
    level = "warning"
    basis = "Dynamometer card practice; duty rules of the field, art. 14"


class pressure_jump(Rule):
    """The well-head pressure of {name} jumped to {tubing} MPa."""

    when = Well.tubing.jumps(1.5) & (Well.tubing > 3)
    release = Well.tubing < 3
    level = "danger"
    basis = "AQ 2012-2007, petroleum safety; duty rules of the field, art. 9"


class pressure_lost(Rule):
    """The well-head pressure of {name} fell within minutes to {tubing} MPa: the line may have burst."""

    when = Well.tubing.falls(1.2, within=minutes(15))
    release = Well.tubing > 1.2
    level = "danger"
    basis = "AQ 2012-2007, petroleum safety; duty rules of the field, art. 9"


class overloaded(Rule):
    """The motor of {name} draws {motor} A, rated are {rated} A."""

    when = Well.motor > Well.rated * 1.2
    hold = minutes(3)
    release = Well.motor < Well.rated * 1.05
    level = "warning"
    basis = "GB/T 755, rotating machines; duty rules of the field, art. 13"


class unheard(Rule):
    """Nothing has been heard from {name} for half an hour."""

    when = silence(Well, minutes(30))
    level = "notice"
    basis = "Duty rules of the field, art. 3"


class work_order(Flow):
    """Stop it if need be, go there, mend it, and have someone else see it pump."""

    starts = stalled, rod_parted, overloaded, unheard
    steps = (
        Step("accept the order", to="{crew}", within=minutes(30)),
        Step("mend", proof=("photo", "work sheet"), within=hours(24)),
        Step("check", by="another person", within=days(1)),
    )


class shut_in(Flow):
    """Shut the well in from afar, then look at the line."""

    starts = pressure_jump, pressure_lost
    steps = (
        Step("shut in", to=("{crew}", "Oilfield Control Room"), within=minutes(5)),
        Step("look at the line", to="{crew}", proof="photo", within=hours(2)),
        Step("check", by="another person", until=Well.tubing < 6, within=days(1)),
    )


class pumping_again(Indicator):
    """Wells back at work within a day."""

    of = work_order
    step = "mend"
    target = 0.9


class shut_in_time(Indicator):
    """Wells shut in within five minutes of a pressure alarm."""

    of = shut_in
    step = "shut in"
    target = 0.99


class liquid_produced(Indicator):
    """What a well brings up, on average."""

    of = Well.flow
    measure = "mean"
    target = 12
