"""Vehicles of the bureaus on their rounds; some go where, or when, they should not."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from cheng.demo.cast import Cast, Rows, Times, Trouble, Values
from cheng.demo.routes import Streets, Way, placed
from cheng.demo.weather import hour_of_day, working_day
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours, minutes, seconds

BUREAUS = ("水务局", "住建局", "生态环境局", "城管局", "民政局", "教育局", "卫生健康局", "交通局")


OUTING = hours(1.7).us
"""So long is a vehicle on its way, and then for a while in its yard."""
TURN = hours(3).us
"""From the beginning of an outing to that of the next."""
SPEED = 500.0
"""Metres in a minute."""
STOPS, ROUNDS = 3, 5
"""Places that a round leads by, and rounds in a district."""


class Vehicles(Cast):
    """Vehicles that drive rounds through their district in office hours and stand in its yard otherwise."""

    app = "official_vehicles"
    every = seconds(10)
    troubles = (
        Trouble("away", 2.5, hours(2)),
        Trouble("night drive", 2.5, hours(1)),
        Trouble("too fast", 3.0, minutes(6)),
        Trouble("dead", 0.3, hours(40), silent=True),
    )
    first = ("away", "too fast")

    def things(self, count: int) -> Iterator[NewThing]:
        network, districts = self.town.network, self.town.districts
        streets = [Streets(network, area.shape) for area in districts]
        yards = [each.nearest(*middle(area.shape)) for each, area in zip(streets, districts, strict=True)]
        everywhere = Streets(network)
        self.rounds: list[Way] = []
        """of all districts, ROUNDS each"""
        for each, yard in zip(streets, yards, strict=True):
            for _ in range(ROUNDS):
                stops = self.rng.choice(each.nodes, STOPS, replace=False).tolist()
                self.rounds.append(each.way(yard, *stops, yard))
        self.trips = [everywhere.way(yard, other) for yard, other in zip(yards, yards[1:] + yards[:1], strict=True)]
        """from the yard of each district to that of the next"""
        self.district = np.arange(count) % len(districts)
        self.round = self.district * ROUNDS + self.rng.integers(0, ROUNDS, count)
        self.begins = self.rng.integers(0, TURN, count)
        lengths = np.array([way.length for way in self.rounds])
        self.laps = np.maximum(1, np.round(OUTING / 60e6 * SPEED / lengths)) * lengths
        """(rounds,) metres of an outing: some times around"""
        for n in range(count):
            area = districts[n % len(districts)]
            yard = yards[n % len(districts)]
            properties = {"plate": f"山A·{n * 37 % 90000 + 10000}", "bureau": BUREAUS[n % len(BUREAUS)]}
            properties |= {"approved": area.id, "hours_of_use": "around the clock" if always(n) else "office hours"}
            yield NewThing(
                f"vehicle-{n + 1:04d}",
                "Vehicle",
                f"{area.name}公务车{n + 1:03d}",
                BUREAUS[n % len(BUREAUS)],
                {**properties, "limit": 110.0},
                {"type": "Point", "coordinates": [float(network.lon[yard]), float(network.lat[yard])]},
            )

    def values(self, rows: Rows, at: Times) -> Values:
        since = (at + self.begins[rows]) % TURN
        hour = hour_of_day(at - since)
        office = (hour > 8.2) & (hour < 16.2) & working_day(at - since)
        out = (since < OUTING) & (office | always(rows))
        gone = self.age(rows, at) * SPEED
        which = self.round[rows]
        run = np.where(out, since / OUTING * self.laps[which], 0)
        night = self.has(rows, "night drive", at) & ~out
        run = np.where(night, gone, run)
        lengths = np.array([way.length for way in self.rounds])
        places = placed(self.rounds, which, run % lengths[which])
        away, trip = self.has(rows, "away", at), self.district[rows]
        places = np.where(away[:, None], placed(self.trips, trip, gone), places)
        arrived = gone >= np.array([way.length for way in self.trips])[trip]
        moving = np.where(away, ~arrived, out | night)
        speed = np.where(moving, 38 + self.noise(rows, at, 14), 0)
        fast = self.has(rows, "too fast", at)
        return {
            "position": (places[:, 0].round(6), places[:, 1].round(6)),
            "speed": np.where(fast, 128 + self.noise(rows, at, 3), speed).round(1),
        }


def always(row: Any) -> Any:
    """Which vehicles are out at night and on holidays as well."""
    return row % 10 == 9


def middle(shape: shapely.Geometry) -> tuple[float, float]:
    """The point of an area that is furthest from its edge."""
    lon, lat = shapely.get_coordinates(shapely.maximum_inscribed_circle(shape, 0.002))[0].tolist()
    return lon, lat


CASTS = ((Vehicles, 60),)
