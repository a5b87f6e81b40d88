"""Air quality: six pollutants, the national index hour by hour, and somebody who goes out to find the source."""

from cheng import (
    App,
    Choice,
    Entity,
    Flow,
    Indicator,
    Job,
    Quantity,
    Rule,
    Step,
    Text,
    days,
    hours,
    last,
    minutes,
    silence,
    working_days,
)
from cheng.methods import air_hours


class air_quality(App):
    """Works out the air quality index of every station, warns when the air is bad, and follows it to its source."""

    title = "Air quality"
    owner = "Ecology and Environment Bureau"
    system = "E1"


class Station(Entity):
    """An air monitoring station with its hourly means."""

    public = True
    reports = hours(1)
    network = Choice("national", "municipal", "small sensor", doc="who runs it and how exact it is", fixed=True)
    district = Text("the district whose squad goes out")
    so2 = Quantity("ug/m3", "sulphur dioxide", low=0, high=5000)
    no2 = Quantity("ug/m3", "nitrogen dioxide", low=0, high=5000)
    pm10 = Quantity("ug/m3", "particles up to 10 µm", low=0, high=5000)
    pm25 = Quantity("ug/m3", "particles up to 2.5 µm", low=0, high=2000)
    o3 = Quantity("ug/m3", "ozone", low=0, high=2000)
    co = Quantity("mg/m3", "carbon monoxide", low=0, high=200)
    aqi = Quantity("1", "air quality index of the hour, worked out", low=0, high=500)
    clean = Quantity("%", "worked out once a day: 100 when the day's index is at most 100, else 0", low=0, high=100)


SIX = (Station.so2, Station.no2, Station.pm10, Station.pm25, Station.o3, Station.co)


class index(Job):
    """The index of the hour, by the edition of HJ 633 in force on the day."""

    every = hours(1)
    reads = tuple(last(pollutant, hours(24)) for pollutant in SIX)
    writes = Station.aqi
    run = air_hours.index


class good_days(Job):
    """Whether the day that is over was a good one."""

    every = days(1)
    reads = tuple(last(pollutant, hours(24)) for pollutant in SIX)
    writes = Station.clean
    run = air_hours.good_days


class polluted(Rule):
    """Air at {name} is lightly polluted: index {aqi}."""

    when = Station.aqi > 100
    release = Station.aqi <= 100
    level = "notice"
    basis = "HJ 633-2026 (HJ 633-2012 until 28 February 2026), level 3 from index 101"


class heavily_polluted(Rule):
    """Air at {name} is heavily polluted: index {aqi}."""

    when = Station.aqi > 200
    release = Station.aqi <= 150
    level = "danger"
    basis = "HJ 633-2026 (HJ 633-2012 until 28 February 2026), level 5 from index 201"


class severely_polluted(Rule):
    """Air at {name} is severely polluted: index {aqi}. Stay indoors."""

    when = Station.aqi > 300
    release = Station.aqi <= 200
    level = "emergency"
    basis = "HJ 633-2026 (HJ 633-2012 until 28 February 2026), level 6 from index 301"


class plume(Rule):
    """Fine particles at {name} have risen by 60 µg/m³ within two hours to {pm25} µg/m³: a source is near."""

    when = Station.pm25.rises(60, within=minutes(121))
    level = "warning"
    basis = "Duty rules of the district for air protection, art. 5"


class unheard(Rule):
    """Station {name} has sent nothing for three hours."""

    when = silence(Station, hours(3))
    level = "notice"
    basis = "GB 3095-2012, table 4: a day needs 20 valid hours"


class find_source(Flow):
    """Go out against the wind, find what smokes or dusts, have it stopped, and look again."""

    starts = heavily_polluted, plume
    steps = (
        Step("go out", to="{district} environment squad", within=hours(2)),
        Step("have it stopped", proof="photo", within=hours(24)),
        Step("check", by="another person", until=Station.aqi <= 150, within=days(3)),
    )


class mend_station(Flow):
    """Bring a silent station back before the day is lost for the statistics."""

    starts = unheard
    steps = (Step("mend", to="{district} environment squad", within=working_days(1)),)


class share_of_good_days(Indicator):
    """Days of good air, over all stations."""

    of = Station.clean
    measure = "mean"
    target = 90


class mean_index(Indicator):
    """The air quality index, on average over hours and stations."""

    of = Station.aqi
    measure = "mean"
    better = "less"
    target = 75
