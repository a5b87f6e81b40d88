"""Homes that are left in the morning and come back to, and buttons around the necks of the old."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cheng.demo.cast import HOUR, Cast, Rows, Times, Trouble, Values
from cheng.demo.town import Area
from cheng.demo.weather import hour_of_day, working_day
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours, minutes

COMPOUNDS = ("荷塘苑", "江景台", "松林里", "和平新村", "凤鸣家园", "望江小区")
SURNAMES = "王李张刘陈杨黄赵吴周"
WAYS = ("pressed", "pressed", "held down", "fall detected")


def compound_of(area: Area, n: int) -> str:
    """The compound of a home: one or two in a community."""
    return f"{area.name[:-2]}{COMPOUNDS[n % len(COMPOUNDS)]}"


class Homes(Cast):
    """Homes with an alarm unit: armed while nobody is there."""

    app = "home_safety"
    every = minutes(30)
    troubles = (
        Trouble("break-in", 0.35, hours(3)),
        Trouble("gas", 0.25, hours(4), (0.4, 1.0)),
        Trouble("dead", 0.15, hours(20), silent=True),
    )
    first = ("break-in", "gas")

    def things(self, count: int) -> Iterator[NewThing]:
        self.leaves = self.rng.uniform(7, 9.5, count)
        self.returns = self.rng.uniform(16.5, 21, count)
        self.at_home = self.rng.random(count) < 0.45
        for n in range(count):
            area = self.town.communities[n * 5 % len(self.town.communities)]
            flat = f"{n % 9 + 1}栋{n % 3 + 1}单元{n % 18 + 1}0{n % 4 + 1}"
            owner = f"{area.district} police station"
            properties = {"compound": compound_of(area, n), "station": area.district, "flat": flat}
            properties["residents"] = f"{SURNAMES[n % len(SURNAMES)]}先生一家，电话登记在物业"
            yield NewThing(f"home-{n + 1:04d}", "Household", f"{n + 1:04d}号住户", owner, properties, self.place(area))

    def values(self, rows: Rows, at: Times) -> Values:
        hour = hour_of_day(at)
        away = (hour > self.leaves[rows]) & (hour < self.returns[rows]) & ~self.at_home[rows]
        away &= working_day(at) | (rows % 4 == 0)
        burgled = self.has(rows, "break-in", at)
        gas = np.where(self.has(rows, "gas", at), 12 + 18 * self.strength[rows], 0.4)
        aired = ~away & (hour > 9) & (hour < 17) & (rows % 3 == 0)
        return {
            "armed": np.where(away | burgled, "armed", "disarmed"),
            "door": np.where(burgled, "opened", "shut"),
            "window": np.where(aired & ~burgled, "opened", "shut"),
            "gas": np.maximum(gas + self.noise(rows, at, 0.3), 0).round(1),
        }


class Buttons(Cast):
    """Panic buttons: silent until somebody needs help."""

    app = "home_safety"
    every = hours(24)

    def things(self, count: int) -> Iterator[NewThing]:
        for n in range(count):
            area = self.town.communities[n * 5 % len(self.town.communities)]
            flat = f"{n % 7 + 1}栋{n % 2 + 1}单元{n % 6 + 1}02"
            owner = f"{area.district} police station"
            properties = {"compound": compound_of(area, n), "station": area.district, "flat": flat}
            properties["wearer"] = f"{SURNAMES[(n + 3) % len(SURNAMES)]}奶奶"
            yield NewThing(f"button-{n + 1:03d}", "Button", f"{n + 1:03d}号呼叫器", owner, properties, self.place(area))

    def values(self, rows: Rows, at: Times) -> Values:
        return {}

    def events(self, start: int, end: int) -> list[dict[str, Any]]:
        called = []
        for hour in range(start // HOUR, end // HOUR + 1):
            rng = np.random.default_rng([self.town.seed, self.key, hour, 1])
            for _ in range(int(rng.poisson(0.03 * len(self.ids) / 24))):
                at, row, way = hour * HOUR + int(rng.integers(HOUR)), int(rng.integers(len(self.ids))), WAYS[hour % 4]
                if start < at <= end:
                    called.append({"event": "Panic", "time": at, "button": self.ids[row], "way": way})
        return called


CASTS = ((Homes, 220), (Buttons, 40))
