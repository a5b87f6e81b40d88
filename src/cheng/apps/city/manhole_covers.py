"""Manhole covers: a displaced cover is a case in minutes and is made safe within the hour."""

from cheng import (
    App,
    Choice,
    Entity,
    Flow,
    Indicator,
    Quantity,
    Rule,
    Step,
    Text,
    days,
    hours,
    minutes,
    near,
    silence,
    working_days,
)


class manhole_covers(App):
    """Finds covers that are open, sunk or tipped and shafts that fill up, and has them put right."""

    title = "Manhole covers"
    owner = "Drainage Bureau"
    system = "G4"


class Cover(Entity):
    """One cover in the street, with a tilt and water-level sensor under its lid."""

    public = True
    reports = hours(1)
    ward = Text("the ward whose crew looks after it")
    network = Choice("rainwater", "sewage", "power", "telecom", "gas", doc="what runs below", fixed=True)
    depth = Quantity("m", "depth of the shaft", low=0.3, high=20, fixed=True)
    tilt = Quantity("deg", "angle from flat", low=0, high=180)
    water = Quantity("m", "water level above the bottom of the shaft", low=0, high=20)
    battery = Quantity("%", "charge of the sensor's battery", low=0, high=100)


class displaced(Rule):
    """Cover {id} in {ward} is tipped by {tilt} degrees."""

    when = Cover.tilt > 15
    hold = minutes(2)  # a passing wheel is not a displaced cover
    release = Cover.tilt < 5  # and it is not back until it lies flat
    level = "danger"
    basis = "Duty rules of the district for inspection covers, art. 7"


class brimming(Rule):
    """Water stands close below cover {id} in {ward}: {water} m in a shaft of {depth} m."""

    when = Cover.depth - Cover.water < 0.3
    hold = minutes(5)
    release = Cover.depth - Cover.water > 0.6
    level = "warning"
    group = near(within=minutes(30))  # one downpour in one street is one case
    basis = "Regulations on Urban Drainage and Sewage Treatment (State Council Decree 641)"


class rising(Rule):
    """Water under cover {id} in {ward} has risen fast and stands at {water} m."""

    when = Cover.water.rises(0.8, within=minutes(20))
    level = "notice"
    basis = "Duty rules of the district for inspection covers, art. 9"


class unheard(Rule):
    """Nothing has been heard from the sensor of cover {id} in {ward} for six hours."""

    when = silence(Cover, hours(6))
    level = "notice"
    basis = "Duty rules of the district for sensing devices, art. 4"


class flat_battery(Rule):
    """The battery of the sensor under cover {id} in {ward} is down to {battery}%."""

    when = Cover.battery < 15
    release = Cover.battery > 40
    level = "notice"
    basis = "Duty rules of the district for sensing devices, art. 6"


class make_safe(Flow):
    """Send the crew, fence or put back, and have someone else look."""

    starts = displaced
    steps = (
        Step("dispatch", to="{ward} drainage crew", within=minutes(10)),
        Step("handle", proof="photo", within=hours(1)),
        Step("check", by="another person", until=Cover.tilt < 5, within=days(1)),
    )


class draw_down(Flow):
    """Clear the inlets or pump until the water is down again."""

    starts = brimming
    steps = (
        Step("dispatch", to="{ward} drainage crew", within=minutes(20)),
        Step("handle", proof="photo", within=hours(4)),
        Step("check", by="another person", until=Cover.depth - Cover.water > 0.6, within=days(1)),
    )


class mend_sensor(Flow):
    """Look after a sensor that is silent or about to be."""

    starts = unheard, flat_battery
    steps = (Step("mend", to="{ward} drainage crew", within=working_days(3)),)


class safe_in_time(Indicator):
    """Displaced covers made safe within the hour."""

    of = make_safe
    step = "handle"
    target = 0.95


class covers_heard(Indicator):
    """Covers with a sensor that reports."""

    of = Cover
    measure = "coverage"
    target = 0.98
