"""Vehicles of the bureaus on their rounds; some go where, or when, they should not."""

from collections.abc import Iterator

import numpy as np
import shapely

from cheng.demo.cast import Cast, Rows, Times, Trouble, Values
from cheng.demo.weather import hour_of_day, working_day
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours, minutes

BUREAUS = ("水务局", "住建局", "生态环境局", "城管局", "民政局", "教育局", "卫生健康局", "交通局")


class Vehicles(Cast):
    """Vehicles that circle about their district in office hours and stand in its yard otherwise."""

    app = "official_vehicles"
    every = minutes(2)
    troubles = (
        Trouble("away", 2.5, hours(2)),
        Trouble("night drive", 2.5, hours(1)),
        Trouble("too fast", 3.0, minutes(6)),
        Trouble("dead", 0.3, hours(40), silent=True),
    )
    first = ("away", "too fast")

    def things(self, count: int) -> Iterator[NewThing]:
        self.home = np.zeros((count, 2))
        self.target = np.zeros((count, 2))
        self.radius = np.zeros(count)
        for n in range(count):
            area = self.town.districts[n % len(self.town.districts)]
            other = self.town.districts[(n + 1) % len(self.town.districts)]
            self.home[n], self.radius[n] = self._yard(area.shape)
            self.target[n] = self._yard(other.shape)[0]
            properties = {"plate": f"山A·{n * 37 % 90000 + 10000}", "bureau": BUREAUS[n % len(BUREAUS)]}
            properties |= {"approved": area.id, "hours_of_use": "around the clock" if n % 10 == 9 else "office hours"}
            yield NewThing(
                f"vehicle-{n + 1:04d}",
                "Vehicle",
                f"{area.name}公务车{n + 1:03d}",
                BUREAUS[n % len(BUREAUS)],
                {**properties, "limit": 110.0},
                {"type": "Point", "coordinates": [float(x) for x in self.home[n]]},
            )

    def _yard(self, shape: object) -> tuple[tuple[float, float], float]:
        """The point of an area that is furthest from its edge, and half of how far that is."""
        line = shapely.maximum_inscribed_circle(shape, 0.002)
        return shapely.get_coordinates(line)[0], float(line.length) * 0.5

    def values(self, rows: Rows, at: Times) -> Values:
        hour = hour_of_day(at)
        working = (hour > 8.2) & (hour < 18) & working_day(at)
        out = working & (np.sin(at / 3600e6 * 2.1 + rows) > -0.2)
        out |= self.has(rows, "night drive", at)
        away = self.has(rows, "away", at)
        fast = self.has(rows, "too fast", at)
        turn = at / 3600e6 * 5 + rows
        radius = np.where(out, self.radius[rows], 0)
        x, y = self.home[rows, 0] + radius * np.cos(turn), self.home[rows, 1] + radius * np.sin(turn)
        share = np.where(away, np.minimum(self.age(rows, at) / 12, 1), 0)
        moving = out | (away & (share < 1))
        speed = np.where(moving, 38 + self.noise(rows, at, 14), 0)
        return {
            "position": (
                (x + (self.target[rows, 0] - x) * share).round(6),
                (y + (self.target[rows, 1] - y) * share).round(6),
            ),
            "speed": np.where(fast, 128 + self.noise(rows, at, 3), speed).round(1),
        }


CASTS = ((Vehicles, 60),)
