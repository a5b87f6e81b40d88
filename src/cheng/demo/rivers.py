"""The two rivers: the Long River from west to east, and the Clear River that falls into it from the north."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from cheng.demo.plane import AROUND, HALF, Floats, inside_share, smooth

STEPS = 480
"""Points of a middle line."""
LEVEL = 165.0
"""Height of the water, metres above the sea."""


@dataclass(frozen=True)
class River:
    """A river: its middle line from its source downwards, and how wide it is."""

    name: str
    name_en: str
    middle: Floats
    """(STEPS, 2) metres"""
    width: Floats
    """(STEPS,) metres"""

    def side(self, beyond: float, left: bool) -> Floats:
        """(STEPS, 2) the line that runs so many metres beyond its left or right bank, seen downstream."""
        along = np.gradient(self.middle, axis=0)
        along /= np.hypot(along[:, 0], along[:, 1])[:, None]
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        away = (self.width / 2 + beyond)[:, None]
        return self.middle + across * (away if left else -away)

    def polygon(self) -> Any:
        return shapely.polygons(np.concatenate([self.side(0, True), self.side(0, False)[::-1]]))

    def at(self, line: Floats, share: Floats) -> Floats:
        """(…, 2) points of one of its lines: 0 at the source, 1 at the end, the same for all lines across the water."""
        where = np.linspace(0, 1, len(line))
        return np.stack([np.interp(share, where, line[:, 0]), np.interp(share, where, line[:, 1])], axis=-1)

    def share(self, line: Floats, point: Any) -> float:
        """The reverse of `at`, for a point on the line."""
        run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        passed = float(shapely.line_locate_point(shapely.linestrings(line), point))
        return float(np.interp(passed, run, np.linspace(0, 1, len(line))))

    def ends(self, line: Floats) -> tuple[float, float]:
        """The shares at which one of its lines enters and leaves the city; 0 or 1 where it does not."""
        out = inside_share(line) - 1
        turns = np.flatnonzero(np.diff(np.sign(out)))
        shares = [float((t + out[t] / (out[t] - out[t + 1])) / (len(line) - 1)) for t in turns]
        enters = [s for s, t in zip(shares, turns, strict=True) if out[t] > 0]
        leaves = [s for s, t in zip(shares, turns, strict=True) if out[t] < 0]
        return (enters[0] if enters else 0.0, leaves[-1] if leaves else 1.0)


@dataclass
class Waters:
    """Both rivers, with the islands in them."""

    rng: np.random.Generator
    long: River = field(init=False)
    clear: River = field(init=False)
    islands: list[Any] = field(init=False)
    """polygons, metres"""

    def __post_init__(self) -> None:
        self.long = self._long()
        self.clear = self._clear()
        self.islands = self._islands()
        self.shape: Any = shapely.union_all([self.long.polygon(), self.clear.polygon()])
        """all that is river, islands left in"""
        self.middles: Any = shapely.multilinestrings([self.long.middle, self.clear.middle])

    def meadows(self) -> list[Any]:
        """The green between the water and the roads along it, metres."""
        strips = []
        for river in (self.long, self.clear):
            for left in (True, False):
                near, far = river.side(7, left), river.side(34, left)
                first, last = river.ends(near)
                share = np.linspace(first, last, STEPS)
                strips.append(np.concatenate([river.at(near, share), river.at(far, share)[::-1]]))
        shapes = shapely.difference(shapely.polygons(strips), shapely.buffer(self.shape, 7))
        return list(shapely.get_parts(shapes))

    def _long(self) -> River:
        far = HALF[0] + AROUND + 800
        x = np.linspace(-far, far, STEPS)
        phase = self.rng.uniform(0, 2 * np.pi, 3)
        y = -1_500 + 950 * np.sin(2 * np.pi * x / 10_500 + phase[0]) + 260 * np.sin(2 * np.pi * x / 5_100 + phase[1])
        swell = np.sin(2 * np.pi * x / 6_800 + phase[2])
        return River("龙江", "Long River", np.stack([x, y], axis=1), 560 + 90 * swell)

    def _clear(self) -> River:
        mouth = self.rng.uniform(0.5, 0.56)
        end = self.long.at(self.long.middle, np.array(mouth))
        y = np.linspace(HALF[1] + AROUND + 800, float(end[1]), STEPS)
        up = y - end[1]
        phase = self.rng.uniform(0, 2 * np.pi, 2)
        bend = 900 * np.sin(2 * np.pi * up / 8_300 + phase[0]) + 230 * np.sin(2 * np.pi * up / 4_400 + phase[1])
        x = end[0] + bend * smooth(up / 4_000) - up * 0.06
        return River("清江", "Clear River", np.stack([x, y], axis=1), 300 + 35 * np.sin(up / 1_300))

    def _islands(self) -> list[Any]:
        """Long bars where the river is wide, a little off its middle."""
        found = []
        turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        for share in (self.rng.uniform(0.24, 0.32), self.rng.uniform(0.40, 0.46), self.rng.uniform(0.66, 0.76)):
            length, width = self.rng.uniform(380, 760), self.rng.uniform(60, 95)
            size = 1 / len(self.long.middle) * np.hypot(*(self.long.middle[-1] - self.long.middle[0]))
            along = share + np.cos(turn) * length / 2 / size / (STEPS - 1)
            ragged = 1 + 0.12 * np.sin(3 * turn + share * 40) + 0.06 * np.sin(7 * turn)
            across = np.sin(turn) * width * ragged + self.rng.uniform(-60, 60)
            left, middle = self.long.at(self.long.side(0, True), along), self.long.at(self.long.middle, along)
            unit = (left - middle) / np.hypot(*(left - middle).T)[:, None]
            found.append(shapely.polygons(middle + unit * across[:, None]))
        return found
