"""The expressways: a ring about the city and roads that lead out of it, over the rivers and through the ridges."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.names import Name
from cheng.demo.plane import HALF, Floats, outline
from cheng.demo.terrain import HIGH, Terrain

Index = npt.NDArray[np.intp]
APART = 110.0
"""Metres between two points."""
OUT = (0.46, 0.98, 2.10, 2.72, 3.68, 4.36, 5.05, 5.72)
"""Where the roads leave the ring, radians from the east: never along a river."""
NAMES = (
    Name("内环快速路", "Inner Ring Expressway"),
    Name("东北高速", "Northeast Expressway"),
    Name("云岭高速", "Yunling Expressway"),
    Name("北屏高速", "Beiping Expressway"),
    Name("金鳌高速", "Jin'ao Expressway"),
    Name("沙湾高速", "Shawan Expressway"),
    Name("成南高速", "Chengnan Expressway"),
    Name("南屏高速", "Nanping Expressway"),
    Name("沿江高速", "Yanjiang Expressway"),
)


@dataclass
class Expressways:
    """Points, and the edges between them."""

    rng: np.random.Generator
    terrain: Terrain
    points: Floats = field(init=False)
    start: Index = field(init=False)
    end: Index = field(init=False)
    level: npt.NDArray[np.int8] = field(init=False)
    street: Index = field(init=False)
    """position in `names`"""
    names: Sequence[Name] = NAMES

    def __post_init__(self) -> None:
        ring, turn = self._ring()
        lines, starts = [ring], [np.arange(len(ring))]
        ends, streets = [np.roll(np.arange(len(ring)), -1)], [np.zeros(len(ring), np.intp)]
        count = len(ring)
        for number, direction in enumerate(OUT, 1):
            root = int(np.argmin(np.abs((turn - direction + np.pi) % (2 * np.pi) - np.pi)))
            line = self._way_out(ring[root], direction)[1:]
            new = count + np.arange(len(line))
            lines.append(line)
            starts.append(np.concatenate([[root], new[:-1]]))
            ends.append(new)
            streets.append(np.full(len(line), number))
            count += len(line)
        self.points, self.start, self.end = np.concatenate(lines), np.concatenate(starts), np.concatenate(ends)
        self.street = np.concatenate(streets)
        self.level = levels(self.terrain, self.points[self.start], self.points[self.end])

    def _ring(self) -> tuple[Floats, Floats]:
        """Points of the ring, and their directions from the middle of the city."""
        phase = self.rng.uniform(0, 2 * np.pi, 2)
        fine = np.linspace(0, 2 * np.pi, 721)
        share = 0.66 + 0.045 * np.sin(3 * fine + phase[0]) + 0.025 * np.sin(5 * fine + phase[1])
        line = np.stack([np.cos(fine), np.sin(fine)], axis=1) * HALF * share[:, None]
        run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        turn = np.interp(np.arange(round(run[-1] / APART)) / round(run[-1] / APART) * run[-1], run, fine)
        return np.stack([np.interp(turn, fine, line[:, 0]), np.interp(turn, fine, line[:, 1])], axis=1), turn

    def _way_out(self, root: Floats, direction: float) -> Floats:
        """From the ring to the edge of the city, with a bend."""
        goal = outline(direction + self.rng.uniform(-0.06, 0.06)) * 0.985
        span = goal - root
        share = np.linspace(0, 1, round(np.hypot(*span) / APART) + 1)[:, None]
        aside = np.array([-span[1], span[0]]) * self.rng.uniform(-0.09, 0.09)
        return root + span * share + aside * np.sin(np.pi * share) * (1 + 0.5 * share)


def levels(terrain: Terrain, start: Floats, end: Floats) -> npt.NDArray[np.int8]:
    """(n,) of straight pieces: 1 where they are over a river, -1 where the ground is too high, else 0."""
    pieces = shapely.linestrings(np.stack([start, end], axis=1))
    shapely.prepare(terrain.waters.shape)
    bridge = shapely.intersects(terrain.waters.shape, pieces)
    high = np.maximum(terrain.height(start), terrain.height(end)) > HIGH - 30
    return np.where(bridge, 1, np.where(high, -1, 0)).astype(np.int8)
