"""Septic tanks and sewer shafts in the old quarters: gas gathers, some fill up."""

from collections.abc import Iterator

import numpy as np

from cheng.demo.cast import Cast, Rows, Times, Trouble, Values
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours, minutes

KINDS = ("化粪池", "化粪池", "污水井", "泵坑")


class Tanks(Cast):
    """Tanks in the communities, with gas and level sensors that report every ten minutes."""

    app = "septic_tanks"
    every = minutes(10)
    troubles = (
        Trouble("gas", 3.0, hours(14), (0.25, 1.0)),
        Trouble("hydrogen sulphide", 1.0, hours(10)),
        Trouble("full", 1.0, hours(30), wet=8),
        Trouble("dead", 0.4, hours(20), silent=True),
    )
    first = ("gas", "full")

    def things(self, count: int) -> Iterator[NewThing]:
        self.depth = self.rng.uniform(2.5, 6, count).round(1)
        self.base = self.rng.uniform(0.5, 4, count)
        self.fill = self.rng.uniform(0.2, 0.6, count)
        for n in range(count):
            area = self.town.communities[n % len(self.town.communities)]
            properties = {"district": area.district, "depth": float(self.depth[n])}
            owner, name = f"{area.district} sanitation crew", f"{area.name}{n + 1}号{KINDS[n % len(KINDS)]}"
            yield NewThing(f"tank-{n + 1:04d}", "Tank", name, owner, properties, self.place(area))

    def values(self, rows: Rows, at: Times) -> Values:
        swell = np.minimum(self.age(rows, at) / 6, 1)
        gas = np.where(self.has(rows, "gas", at), 62 * self.strength[rows] * swell, 0)
        foul = np.where(self.has(rows, "hydrogen sulphide", at), 16 * swell, 0)
        full = self.has(rows, "full", at)
        depth = self.depth[rows]
        warm = 0.6 + 0.02 * self.town.weather.temperature(at)
        return {
            "methane": np.clip(self.base[rows] * warm + gas + self.noise(rows, at, 0.6), 0, 100).round(1),
            "h2s": np.clip(1.5 + foul + self.noise(rows, at, 0.7, 1), 0, 1500).round(1),
            "level": np.where(full, depth * 0.95, depth * self.fill[rows]).round(2),
        }


CASTS = ((Tanks, 120),)
