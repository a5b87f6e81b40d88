"""Home safety: a break-in, a gas leak or a pressed panic button reaches the property office and the police at once."""

from cheng import (
    App,
    Choice,
    Entity,
    Event,
    Flow,
    Indicator,
    Quantity,
    Ref,
    Rule,
    Step,
    Text,
    count,
    days,
    happened,
    hours,
    minutes,
    silence,
    working_days,
)


class home_safety(App):
    """Guards homes that asked for it: doors, windows, gas, and a button for those who need help."""

    title = "Home safety"
    owner = "Public Security Bureau"
    system = "L2"


class Household(Entity):
    """A home whose residents asked to be looked after. What it reports is nobody else's business."""

    reports = minutes(30)
    flat = Text("building, entrance and door", level="sensitive")
    residents = Text("who lives there, and whom to call", level="sensitive")
    compound = Text("residential compound")
    station = Text("police station in charge")
    armed = Choice("armed", "disarmed", doc="set by the residents when they leave", on_change=True, level="sensitive")
    door = Choice("shut", "opened", doc="front door", on_change=True, level="sensitive")
    window = Choice("shut", "opened", doc="any window", on_change=True, level="sensitive")
    gas = Quantity("%LEL", "methane in the kitchen", low=0, high=100, level="internal")


class Button(Entity):
    """A panic button, on a wall or around the neck of somebody who may need help."""

    wearer = Text("who presses it", level="sensitive")
    flat = Text("where to go", level="sensitive")
    compound = Text("residential compound")
    station = Text("police station in charge")


class Panic(Event):
    """Somebody pressed the panic button {button}."""

    button = Ref(Button)
    way = Choice("pressed", "held down", "fall detected", doc="how it was set off")


class intrusion(Rule):
    """A door or window of {name} in {compound} was opened while the alarm was set."""

    when = Household.armed.is_("armed") & (Household.door.is_("opened") | Household.window.is_("opened"))
    release = Household.armed.is_("disarmed")
    level = "emergency"
    basis = "GB 50394-2007, intrusion alarm systems; agreement with the residents"


class gas_leak(Rule):
    """Gas in the kitchen of {name} in {compound}: {gas}% of the explosive limit."""

    when = Household.gas >= 10
    release = Household.gas < 5
    level = "emergency"
    basis = "GB 15322.2-2019, domestic gas detectors: alarm between 5 and 25 % LEL"


class panic(Rule):
    """{button} calls for help."""

    when = happened(Panic)
    level = "emergency"
    basis = "Duty rules of the district for calls for help, art. 1"


class restless(Rule):
    """The front door of {name} in {compound} has opened more than twenty times within an hour."""

    when = count(Household.door.is_("opened"), within=hours(1)) > 20
    level = "notice"
    basis = "Duty rules of the district for home safety, art. 6"


class unheard(Rule):
    """The alarm unit of {name} in {compound} has been silent for three hours."""

    when = silence(Household, hours(3))
    level = "notice"
    basis = "Duty rules of the district for sensing devices, art. 4"


class go_and_see(Flow):
    """Both offices are told at once; whoever takes it first goes, and somebody else calls the residents back."""

    starts = intrusion, gas_leak, panic
    steps = (
        Step("answer", to=("{compound} property office", "{station} police station"), within=minutes(3)),
        Step("go there", proof="photo", within=minutes(20)),
        Step("call back", by="another person", within=days(1)),
    )


class mend_unit(Flow):
    """Bring a silent alarm unit back, by appointment with the residents."""

    starts = unheard
    steps = (Step("mend", to="{compound} property office", within=working_days(2)),)


class answered_in_time(Indicator):
    """Calls from homes answered within three minutes."""

    of = go_and_see
    step = "answer"
    target = 0.98
