"""Air stations on roofs: traffic at rush hours, ozone at noon, and a dust cloud from a building site now and then."""

from collections.abc import Iterator

import numpy as np

from cheng.demo.cast import Cast, Rows, Times, Trouble, Values
from cheng.demo.weather import daylight, hour_of_day
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours


class Stations(Cast):
    """Stations that send the means of the hour at its end."""

    app = "air_quality"
    every = restless = hours(1)
    troubles = (Trouble("dust", 9.0, hours(5), (0.5, 1.0)), Trouble("dead", 1.0, hours(6), silent=True))
    first = ("dust",)

    def things(self, count: int) -> Iterator[NewThing]:
        for n in range(count):
            area = self.town.streets[n % len(self.town.streets)]
            network = "national" if n % 6 == 0 else "municipal" if n % 3 else "small sensor"
            properties = {"network": network, "district": area.district}
            owner, name = f"{area.district} environment squad", f"{area.name[:2]}空气监测站"
            yield NewThing(f"air-{n + 1:03d}", "Station", name, owner, properties, self.place(area))

    def values(self, rows: Rows, at: Times) -> Values:
        hour = hour_of_day(at)
        rush = np.exp(-(((hour - 8.5) / 1.8) ** 2)) + np.exp(-(((hour - 18.5) / 2.2) ** 2))
        spell = np.clip(1.68 - 0.38 * self.town.weather.wind(at), 0.4, 1.5)
        own = 1 + self.noise(rows, rows * 0, 0.2)
        dust = np.where(self.has(rows, "dust", at), self.strength[rows], 0)
        fine = (24 + 12 * rush) * spell * own + 150 * dust + self.noise(rows, at, 3)
        return {
            "so2": (7 * own + self.noise(rows, at, 1.5, 1)).round(1),
            "no2": ((22 + 34 * rush) * spell * own + self.noise(rows, at, 4, 2)).round(1),
            "pm10": (fine * 1.55 + 120 * dust).round(1),
            "pm25": np.maximum(fine, 3).round(1),
            "o3": (30 + 85 * daylight(at) * own + self.noise(rows, at, 6, 3)).round(1),
            "co": (0.5 + 0.4 * rush * own).round(2),
        }


CASTS = ((Stations, 12),)
