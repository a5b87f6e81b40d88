"""Covers along the roads: now and then one is tipped, a shaft fills up in the rain, a sensor falls silent."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from cheng.demo.cast import Cast, Floats, Rows, Times, Trouble, Values
from cheng.demo.kerbs import along
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours

NETWORKS = ("rainwater", "rainwater", "sewage", "sewage", "power", "telecom", "gas")


class Covers(Cast):
    """Covers every 60 m or so, with a sensor that reports once an hour."""

    app = "manhole_covers"
    every = hours(1)
    troubles = (
        Trouble("tipped", 0.8, hours(30), (0.2, 0.8), wet=6),
        Trouble("full", 0.5, hours(20), wet=12),
        Trouble("dead", 0.1, hours(40), silent=True),
        Trouble("empty battery", 0.1, hours(60)),
    )
    first = ("tipped", "tipped", "full")

    def things(self, count: int) -> Iterator[NewThing]:
        self.depth = self.rng.uniform(1.4, 4.5, count).round(1)
        self.charge = self.rng.uniform(45, 100, count)
        turns, chosen = np.divmod(np.arange(count), len(self.town.roads))
        roads = [self.town.roads[road] for road in chosen.tolist()]
        self.places = along(roads, 40 + turns * 63 % np.maximum([road.metres - 40 for road in roads], 50))
        for n, (road, place) in enumerate(zip(roads, self.places.tolist(), strict=True)):
            network = NETWORKS[int(self.rng.integers(len(NETWORKS)))]
            properties = {"ward": road.area.district, "network": network, "depth": float(self.depth[n])}
            owner = f"{road.area.district} drainage crew"
            point = {"type": "Point", "coordinates": place}
            yield NewThing(f"cover-{n + 1:05d}", "Cover", f"{road.name}{n + 1:05d}号井盖", owner, properties, point)

    @cached_property
    def low(self) -> Floats:
        """(n,) how low each lies, about 1: what falls on the hills runs down to the rivers."""
        height = self.town.height(*self.places.T)
        return np.clip(1.8 - (height - 170) / 80, 0.3, 1.6)

    def values(self, rows: Rows, at: Times) -> Values:
        tipped, full = self.has(rows, "tipped", at), self.has(rows, "full", at)
        depth = self.depth[rows]
        water = depth * (0.08 + 0.4 * self.low[rows] * self.town.weather.rain(at)) + self.noise(rows, at, 0.03, 1)
        rising = np.minimum(self.age(rows, at) / 15, 1)
        water = np.where(full, water + (depth - 0.15 - water) * rising, water)
        flat = 1 + self.noise(rows, at, 0.9)
        battery = self.charge[rows] - (at / 86_400e6 + rows) % 60 * 0.4
        return {
            "tilt": np.where(tipped, 18 + 80 * self.strength[rows] + flat, flat).round(1),
            "water": np.clip(water, 0, depth).round(2),
            "battery": np.where(self.has(rows, "empty battery", at), 11, np.maximum(battery, 20)).round(),
        }


CASTS = ((Covers, 450),)
