"""Grid workers on their rounds: each walks through a responsibility grid by day; some stay away too long."""

from collections.abc import Iterator

import numpy as np
import shapely

from cheng.demo.cast import Cast, Rows, Times, Trouble, Values
from cheng.demo.plane import DEGREE
from cheng.demo.weather import hour_of_day
from cheng.infrastructure.registration import NewThing
from cheng.standards.durations import hours, minutes

FAMILY_NAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
AWAY = np.array([2_600.0, -1_900.0]) / DEGREE
"""From a grid to where somebody stays who should not."""
ROUND = hours(1.5).us
"""So long a round takes."""


class Workers(Cast):
    """People with a phone who walk around in the middle of their grid from eight to six."""

    app = "grids"
    every = minutes(5)
    restless = minutes(1)
    troubles = (Trouble("away", 3.0, hours(3)),)

    def things(self, count: int) -> Iterator[NewThing]:
        chosen = np.arange(count) * 7 % len(self.town.grids)
        grids = [self.town.grids[n] for n in chosen.tolist()]
        few, which = np.unique(chosen, return_inverse=True)
        circles = shapely.maximum_inscribed_circle(np.array([self.town.grids[n].shape for n in few]), 1e-5)[which]
        self.middle = shapely.get_coordinates(circles)[::2]
        self.reach = shapely.length(circles) * self.rng.uniform(0.25, 0.8, count)
        """degrees, well inside of the grid"""
        self.begins = self.rng.integers(0, ROUND, count)
        streets = {street.id: street.name for street in self.town.streets}
        communities = {community.id: community for community in self.town.communities}
        for n, grid in enumerate(grids):
            street = streets[communities[grid.parent].parent]
            name = f"网格员{FAMILY_NAMES[n % len(FAMILY_NAMES)]}{n + 1:03d}"
            properties = {"street": street, "grid": grid.id}
            point = {"type": "Point", "coordinates": self.middle[n].round(6).tolist()}
            yield NewThing(f"grid-worker-{n + 1:04d}", "GridWorker", name, f"{street} grid station", properties, point)

    def values(self, rows: Rows, at: Times) -> Values:
        turn = (at + self.begins[rows]) % ROUND / ROUND * 2 * np.pi
        walk = np.stack([np.cos(turn), np.sin(turn)], axis=1) * self.reach[rows, None]
        places = self.middle[rows] + walk + np.where(self.has(rows, "away", at)[:, None], AWAY, 0)
        hour = hour_of_day(at)
        on = (hour >= 8) & (hour < 18)
        return {
            "position": (places[:, 0].round(6), places[:, 1].round(6)),
            "duty": np.where(on, "on duty", "off duty"),
        }


CASTS = ((Workers, 60),)
