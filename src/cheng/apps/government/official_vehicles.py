"""Official vehicles: driven for the office, where the office needs them, and within the law."""

from cheng import (
    App,
    Choice,
    Entity,
    Flow,
    Indicator,
    Job,
    Quantity,
    Ref,
    Rule,
    Step,
    Text,
    Track,
    hours,
    minutes,
    silence,
    working_days,
)
from cheng.methods import duty_hours


class official_vehicles(App):
    """Shows where official vehicles are and has every odd use explained."""

    title = "Official vehicles"
    owner = "Government Offices Administration"
    system = "V5"


class Vehicle(Entity):
    """An official vehicle with a satellite tracker."""

    reports = minutes(5)
    plate = Text("licence plate", level="internal")
    bureau = Text("the bureau that uses it")
    hours_of_use = Choice("office hours", "around the clock", doc="when it may be used without an order", fixed=True)
    approved = Ref("Area", "where it may be used; a trip order names another area for its days")
    limit = Quantity("km/h", "speed it may never exceed", low=5, high=120, fixed=True)
    position = Track("where it is", level="internal")
    speed = Quantity("km/h", "how fast it goes", low=0, high=250)
    use = Choice("in hours", "out of hours", doc="worked out: may it be used now?")


class office_hours(Job):
    """Works out, by the calendar with its holidays and make-up days, which vehicles may be used now."""

    every = minutes(5)
    reads = (Vehicle,)
    writes = Vehicle.use
    run = duty_hours.in_hours


class off_area(Rule):
    """{plate} of {bureau} has left the area it is approved for."""

    when = Vehicle.position.outside(Vehicle.approved.boundary)
    hold = minutes(5)
    level = "warning"
    basis = "Measures for official vehicles of Party and government organs (2017); trip order"


class out_of_hours(Rule):
    """{plate} of {bureau} is being driven outside its hours, at {speed} km/h."""

    when = Vehicle.use.is_("out of hours") & (Vehicle.speed > 10)
    hold = minutes(3)
    release = Vehicle.use.is_("in hours")  # one evening is one case, however often it stops
    level = "warning"
    basis = "Measures for official vehicles of Party and government organs (2017), ban on private use"


class speeding(Rule):
    """{plate} of {bureau} goes {speed} km/h where {limit} km/h is the most."""

    when = Vehicle.speed > Vehicle.limit * 1.1
    hold = minutes(1)
    release = Vehicle.speed <= Vehicle.limit
    level = "notice"
    basis = "Road Traffic Safety Law, art. 42; ten per cent tolerance by duty rules"


class unheard(Rule):
    """The tracker of {plate} of {bureau} has been silent for a day."""

    when = silence(Vehicle, hours(24))
    level = "notice"
    basis = "Duty rules of the district for official vehicles, art. 11"


class explain(Flow):
    """The bureau explains, the vehicle office judges, somebody else signs it off."""

    starts = off_area, out_of_hours
    steps = (
        Step("ask for reasons", to="Vehicle Management Office", within=hours(4)),
        Step("explain", to="{bureau}", within=working_days(2)),
        Step("judge", to="Vehicle Management Office", by="another person", within=working_days(5)),
    )


class remind(Flow):
    """The driver is spoken to."""

    starts = speeding, unheard
    steps = (Step("speak to the driver", to="{bureau}", within=working_days(3)),)


class explained_in_time(Indicator):
    """Odd uses explained within two working days."""

    of = explain
    step = "explain"
    target = 0.95


class odd_uses(Indicator):
    """Vehicles driven outside their hours."""

    of = out_of_hours
    measure = "count"
