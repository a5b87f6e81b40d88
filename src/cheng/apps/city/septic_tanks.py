"""Septic tanks and sewers: gas and level warnings reach the monitoring room before anybody opens a lid."""

from cheng import (
    App,
    Entity,
    Flow,
    Indicator,
    Quantity,
    Rule,
    Step,
    Text,
    hours,
    minutes,
    silence,
)


class septic_tanks(App):
    """Watches gas and level in tanks and sewer shafts, warns in stages, and lets nobody climb down untested."""

    title = "Septic tanks and sewers"
    owner = "Environmental Sanitation Office"
    system = "G5"


class Tank(Entity):
    """A septic tank or sewer shaft with gas and level sensors."""

    reports = minutes(10)
    district = Text("the district whose sanitation crew looks after it")
    depth = Quantity("m", "from the lid to the bottom", low=0.5, high=20, fixed=True)
    methane = Quantity("%LEL", "methane, share of the lower explosive limit", low=0, high=100)
    h2s = Quantity("mg/m3", "hydrogen sulphide", low=0, high=1500)
    level = Quantity("m", "filling above the bottom", low=0, high=20)


class gas_warning(Rule):
    """Methane in {name} has reached {methane}% of the explosive limit; ventilate and watch it."""

    when = Tank.methane >= 10
    hold = minutes(3)
    release = Tank.methane < 7
    basis = "Emergency Management Ministry Decree 13 (2023) on confined spaces; duty rules for septic tanks, art. 5"


class gas_danger(Rule):
    """Methane in {name} has reached {methane}% of the explosive limit; keep fire away and send the crew."""

    when = Tank.methane >= 25
    hold = minutes(1)
    release = Tank.methane < 20
    level = "danger"
    basis = "GB/T 50493-2019, first alarm at 25 % LEL at most"


class gas_emergency(Rule):
    """Methane in {name} has reached {methane}% of the explosive limit; clear the street."""

    when = Tank.methane >= 50
    release = Tank.methane < 40
    level = "emergency"
    basis = "GB/T 50493-2019, second alarm at 50 % LEL at most"


class gas_rising(Rule):
    """Methane in {name} has risen by ten points within ten minutes and stands at {methane}%."""

    when = Tank.methane.rises(10, within=minutes(10))
    basis = "Duty rules of the district for septic tanks, art. 6"


class toxic_warning(Rule):
    """Hydrogen sulphide in {name} is {h2s} mg/m³, above what anyone may breathe at work."""

    when = Tank.h2s > 10
    hold = minutes(3)
    release = Tank.h2s < 7
    basis = "GBZ 2.1-2019, maximum allowable concentration 10 mg/m³"


class toxic_danger(Rule):
    """Hydrogen sulphide in {name} is {h2s} mg/m³: nobody goes near the open lid."""

    when = Tank.h2s > 150
    release = Tank.h2s < 100
    level = "emergency"
    basis = "Immediately dangerous to life at 100 ppm (about 140 mg/m³); duty rules for septic tanks, art. 7"


class overfull(Rule):
    """{name} is nearly full: {level} m of {depth} m."""

    when = Tank.level > Tank.depth * 0.9
    hold = minutes(10)
    release = Tank.level < Tank.depth * 0.8
    basis = "Duty rules of the district for septic tanks, art. 4"


class unheard(Rule):
    """Nothing has been heard from {name} for an hour; its gas is not being watched."""

    when = silence(Tank, hours(1))
    basis = "Duty rules of the district for sensing devices, art. 4"


class ventilate(Flow):
    """Fence and ventilate; measure the gas before and after; a second person measures again before it is closed."""

    starts = gas_danger, toxic_warning
    steps = (
        Step("secure", to="{district} sanitation crew", proof="photo", within=minutes(30)),
        Step("ventilate", proof=("gas reading", "photo"), within=hours(3)),
        Step("check", by="another person", until=(Tank.methane < 10) & (Tank.h2s < 10), within=hours(12)),
    )


class evacuate(Flow):
    """Clear the surroundings at once, with the fire brigade, then make it harmless."""

    starts = gas_emergency, toxic_danger
    steps = (
        Step("clear the street", to=("{district} sanitation crew", "{district} fire station"), within=minutes(5)),
        Step("make harmless", proof=("gas reading", "photo"), within=hours(2)),
        Step("check", by="another person", until=(Tank.methane < 10) & (Tank.h2s < 10), within=hours(12)),
    )


class empty_out(Flow):
    """Have it emptied before it runs over; nobody enters without a gas reading."""

    starts = overfull
    steps = (
        Step("pump out", to="{district} sanitation crew", proof=("gas reading", "photo"), within=hours(24)),
        Step("check", by="another person", until=Tank.level < Tank.depth * 0.8, within=hours(48)),
    )


class mend_sensor(Flow):
    """Bring a silent sensor back; until then the gas is measured by hand."""

    starts = unheard
    steps = (Step("mend", to="{district} sanitation crew", within=hours(24)),)


class secured_in_time(Indicator):
    """Tanks with dangerous gas secured within half an hour."""

    of = ventilate
    step = "secure"
    target = 0.95
