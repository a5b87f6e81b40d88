"""Pumping units in the hills at the edge of the city: they nod, and sometimes they do not."""

from collections.abc import Iterator

import numpy as np

from cheng.demo.cast import Cast, Rows, Times, Trouble, Values
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours, minutes

CREWS = ("采油一班", "采油二班", "采油三班")


class Wells(Cast):
    """Wells on three hills, one crew each."""

    app = "oil_wells"
    every = minutes(5)
    troubles = (
        Trouble("stalled", 1.5, hours(20)),
        Trouble("rod parted", 1.0, hours(30)),
        Trouble("burst", 0.6, hours(8)),
        Trouble("overloaded", 1.2, hours(20)),
        Trouble("dead", 0.5, hours(6), silent=True),
    )
    first = ("burst", "overloaded")

    def things(self, count: int) -> Iterator[NewThing]:
        self.rated = self.rng.choice([37.0, 45.0, 55.0, 75.0], count)
        self.yields = self.rng.uniform(5, 22, count)
        hills = self.town.outskirts[:: len(self.town.outskirts) // 3][:3]
        for n in range(count):
            hill = hills[n % len(hills)]
            properties = {"crew": CREWS[n % len(CREWS)], "lift": "rod pump", "rated": float(self.rated[n])}
            name = f"{hill.name[:2]}{n // 3 + 1}井"
            yield NewThing(f"well-{n + 1:04d}", "Well", name, CREWS[n % len(CREWS)], properties, self.place(hill))

    def values(self, rows: Rows, at: Times) -> Values:
        stalled, parted = self.has(rows, "stalled", at), self.has(rows, "rod parted", at)
        burst, loaded = self.has(rows, "burst", at), self.has(rows, "overloaded", at)
        rated = self.rated[rows]
        motor = np.where(loaded, rated * 1.3, np.where(stalled, rated * 1.05, rated * 0.72))
        low = 22 + self.noise(rows, at, 1.5, 1)
        swing = np.where(parted, 4, np.where(stalled, 2, 36)) + self.noise(rows, at, 1.2, 2)
        stop = stalled | burst
        return {
            "top_load": (low + swing).round(1),
            "low_load": low.round(1),
            "strokes": np.where(stalled, 0, 4.2 + self.noise(rows, at, 0.15, 3)).round(2),
            "motor": (motor + self.noise(rows, at, 1)).round(1),
            "tubing": np.where(burst, 0.3, 2.1 + self.noise(rows, at, 0.08, 4)).round(2),
            "casing": (0.9 + self.noise(rows, at, 0.05, 5)).round(2),
            "flow": np.where(stop, 0, self.yields[rows] + self.noise(rows, at, 0.8, 6)).round(1),
        }


CASTS = ((Wells, 60),)
