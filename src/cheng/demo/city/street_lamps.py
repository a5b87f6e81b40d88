"""Cabinets and the lamps behind them: they do what they are told, and some fail."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cheng.demo.cast import Cast, Rows, Times, Trouble, Values
from cheng.demo.kerbs import along
from cheng.demo.weather import daylight
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.things import Things
from cheng.standards.durations import hours, minutes

EACH = 20
"""Lamps behind a cabinet."""
APART = 34
"""Metres between two lamps."""
VOLT = 220.0


class Cabinets(Cast):
    """One cabinet at the head of a row of lamps."""

    app = "street_lamps"
    every = minutes(15)

    def things(self, count: int) -> Iterator[NewThing]:
        turns, chosen = np.divmod(np.arange(count), len(self.town.roads))
        roads = [self.town.roads[road] for road in chosen.tolist()]
        places = along(roads, 10 + turns * 9).tolist()
        for n, (road, place) in enumerate(zip(roads, places, strict=True)):
            owner = f"{road.area.district} lighting crew"
            mode = "daylight" if n % 4 == 0 else "by hand" if n % 23 == 22 else "schedule"
            properties = {"district": road.area.district, "mode": mode, "on_below": 20.0 + 10 * (n % 2)}
            properties |= {"dim_from": 23.0, "dim_to": 5.5, "dim_level": 50.0 if n % 3 else 40.0}
            point = {"type": "Point", "coordinates": place}
            yield NewThing(f"cabinet-{n + 1:04d}", "Cabinet", f"{road.name}照明控制箱", owner, properties, point)

    def values(self, rows: Rows, at: Times) -> Values:
        clouds = 1 - 0.6 * self.town.weather.rain(at) - 0.35 * self.town.weather.fog(at)
        light = 42_000 * daylight(at) ** 1.3 * clouds * (1 + self.noise(rows, at, 0.1)) + 1.5
        return {"light": np.maximum(light, 0).round(1)}


class Lamps(Cast):
    """Lamps on their poles; each knows how bright it was told to be."""

    app = "street_lamps"
    every = minutes(30)
    troubles = (
        Trouble("broken", 0.45, hours(40)),
        Trouble("stuck on", 0.2, hours(30)),
        Trouble("leaking", 0.06, hours(10), wet=15),
        Trouble("dead", 0.12, hours(30), silent=True),
    )
    first = ("leaking", "broken")

    def things(self, count: int) -> Iterator[NewThing]:
        self.rated = np.zeros(count)
        self.level = np.zeros(count)
        cabinets, turns = np.divmod(np.arange(count), EACH)
        roads = [self.town.roads[road] for road in (cabinets % len(self.town.roads)).tolist()]
        metres = 20 + turns * APART + cabinets // len(self.town.roads) * 5
        places = along(roads, metres % [road.metres for road in roads]).tolist()
        for n, (road, place) in enumerate(zip(roads, places, strict=True)):
            cabinet, turn = divmod(n, EACH)
            owner = f"{road.area.district} lighting crew"
            self.rated[n] = 150.0 if cabinet % 3 == 0 else 90.0
            properties: dict[str, Any] = {"district": road.area.district, "road": road.name}
            properties |= {"cabinet": f"cabinet-{cabinet + 1:04d}", "rated": float(self.rated[n])}
            point = {"type": "Point", "coordinates": place}
            yield NewThing(f"lamp-{n + 1:05d}", "Lamp", f"{turn + 1}号灯杆", owner, properties, point)

    def wake(self, things: Things) -> None:
        known = things.current("Lamp", "level")
        rows = np.array([things.by_idx[found.idx].slot for name in self.ids if (found := things.find(name))], np.intp)
        self.level = np.nan_to_num(known[rows])

    def obey(self, thing: str, command: str, arguments: Mapping[str, Any], at: int) -> None:
        row = self.row[thing]
        told = {"on": 100.0, "off": 0.0}.get(command)
        self.level[row] = float(arguments.get("level", 100.0)) if told is None else told
        self.touched[row] = at + 1_000_000 + int(self.phase[row] % 4_000_000)

    def values(self, rows: Rows, at: Times) -> Values:
        level = self.level[rows]
        share = np.where(self.has(rows, "stuck on", at), 1.0, level / 100)
        share = np.where(self.has(rows, "broken", at), 0.0, share)
        power = self.rated[rows] * share * (1 + self.noise(rows, at, 0.03))
        leakage = np.where(self.has(rows, "leaking", at), 45 + 60 * self.strength[rows], 1.2)
        return {
            "level": level,
            "current": (power / VOLT).round(3),
            "power": power.round(1),
            "leakage": (leakage + self.noise(rows, at, 0.8, 1)).round(1),
        }


CASTS = ((Cabinets, 45), (Lamps, 900))
