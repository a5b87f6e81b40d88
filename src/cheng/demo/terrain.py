"""The ground: ridges from north to south, hills between them, valleys in which the rivers lie, and streams."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.plane import HALF, Floats, Noise, Raster, inside_share, smooth
from cheng.demo.rivers import LEVEL, Waters

CELL = 120.0
COARSE = 3
"""Streams are found, and rivers measured, on every third corner."""
HIGH = 335.0
"""Metres above the sea from which nobody builds."""
RIDGES = ((-12_200, 300, 800), (-6_300, 330, 640), (5_900, 300, 600), (11_600, 330, 800))
"""Metres east of the middle of the city, metres high, metres broad."""
KNOLLS = 12
"""Hills that stand alone."""
STEP = 25
"""Metres between contours."""
STREAM = 26
"""Coarse corners that have to send their water through one that is a stream."""


@dataclass
class Terrain:
    """Heights in metres above the sea, on a raster."""

    rng: np.random.Generator
    waters: Waters
    raster: Raster = field(default_factory=lambda: Raster(CELL))

    def __post_init__(self) -> None:
        points = self.raster.points()
        coarse = Raster(CELL * COARSE)
        middles = shapely.simplify(self.waters.middles, 8)
        self.to_river = coarse.at(shapely.distance(middles, shapely.points(coarse.points())), points)
        self.heights = self._heights(points)
        self.streams, self.reservoirs = self._streams(points)
        """lines along which water runs down to the rivers, and places where it could be dammed, metres"""

    def height(self, points: Floats) -> Floats:
        """(…) of points (…, 2) in metres from the middle."""
        return self.raster.at(self.heights, points)

    def river(self, points: Floats) -> Floats:
        """(…) metres to the middle of the nearest river."""
        return self.raster.at(self.to_river, points)

    def _heights(self, points: Floats) -> Floats:
        """Rolling ground, ridges on it, and all of it sinks towards the rivers, also where these cut a ridge."""
        rolling = Noise(self.rng, 3_600)(points) * 26 + Noise(self.rng, 1_400)(points) * 11
        ground = 252 + rolling + 14 * smooth(self.to_river / 5_000)
        uneven = Noise(self.rng, 2_600)(points)
        x, y = points[..., 0], points[..., 1]
        for middle, tall, broad in RIDGES:
            phase = self.rng.uniform(0, 2 * np.pi)
            axis = middle + self.rng.uniform(-500, 500) + 0.2 * y + 420 * np.sin(y / 2_900 + phase)
            ground = ground + tall * np.exp(-(((x - axis) / broad) ** 2)) * (0.75 + 0.45 * uneven)
        for knoll in self.rng.uniform(-0.6, 0.6, (KNOLLS, 2)) * HALF:
            height, reach = self.rng.uniform(70, 130), self.rng.uniform(260, 480)
            ground = ground + height * np.exp(-((points - knoll) ** 2).sum(axis=-1) / reach**2)
        bank = smooth((self.to_river - 260) / 1_250)
        found: Floats = LEVEL + 4 + (ground - LEVEL - 4) * bank
        return found

    # -- hills

    def summits(self, count: int) -> Floats:
        """(n, 2) the highest places in the city, none within 900 m of a higher one."""
        points = self.raster.points().reshape(-1, 2)
        order = np.argsort(-self.heights.ravel(), kind="stable")
        order = order[inside_share(points[order]) < 0.93]
        found: list[Floats] = []
        for point in points[order]:
            if len(found) == count:
                break
            if all(np.hypot(*(point - other)) > 900 for other in found):
                found.append(point)
        return np.array(found)

    # -- contours

    def contours(self) -> Iterator[tuple[float, Any]]:
        """Each height with its lines, metres."""
        points, heights = self.raster.points(), self.heights
        low = (int(heights.min()) // STEP + 1) * STEP
        for height in range(low, int(heights.max()), STEP):
            segments = crossings(points, heights, height + 0.01)
            if len(segments):
                yield float(height), shapely.line_merge(shapely.multilinestrings(shapely.linestrings(segments)))

    def where(self, values: Floats) -> npt.NDArray[Any]:
        """Polygons in metres of where values on the raster are above 0."""
        framed = values.copy()
        framed[[0, -1]] = framed[:, [0, -1]] = -1  # so that every line closes
        lines = shapely.linestrings(crossings(self.raster.points(), framed, 1e-6))
        rings = shapely.get_parts(shapely.polygonize(lines))
        middles = shapely.get_coordinates(shapely.point_on_surface(rings))
        found: npt.NDArray[Any] = rings[self.raster.at(framed, middles) > 0]
        return found

    # -- streams

    def _streams(self, points: Floats) -> tuple[list[Floats], list[Floats]]:
        grid, heights = points[::COARSE, ::COARSE], self.heights[::COARSE, ::COARSE]
        wet = self.to_river[::COARSE, ::COARSE] < 300
        down, order = flooded(heights, wet)
        flow = np.ones(heights.size)
        for place in reversed(order):
            if down[place] >= 0:
                flow[down[place]] += flow[place]
        flat = (grid + self.rng.uniform(-0.42, 0.42, grid.shape) * CELL * COARSE).reshape(-1, 2)
        stream = (flow > STREAM) & ~wet.ravel()
        fed = set(down[np.flatnonzero(stream)].tolist())
        lines = []
        for source in np.flatnonzero(stream).tolist():
            if source not in fed:
                lines.append(run_down(source, down, stream, flat))
        taken = np.flatnonzero(stream & (flow > 40) & (heights.ravel() > 235))
        return lines, [flat[place] for place in self.rng.permutation(taken)[:9]]


def flooded(heights: Floats, wet: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], list[int]]:
    """Where each place sends its water (-1: it is in the river), and all places in the order in which a flood that
    rises from the rivers reaches them: nothing is caught in a hollow."""
    rows, columns = heights.shape
    level = heights.ravel().tolist()
    down = np.full(heights.size, -2, np.int64)
    heap = [(level[place], place) for place in np.flatnonzero(wet.ravel()).tolist()]
    for _, place in heap:
        down[place] = -1
    heapq.heapify(heap)
    order: list[int] = []
    while heap:
        height, place = heapq.heappop(heap)
        order.append(place)
        row, column = divmod(place, columns)
        for j in range(max(row - 1, 0), min(row + 2, rows)):
            for i in range(max(column - 1, 0), min(column + 2, columns)):
                other = j * columns + i
                if down[other] == -2:
                    down[other] = place
                    heapq.heappush(heap, (max(level[other], height), other))
    return down, order


def run_down(source: int, down: npt.NDArray[np.int64], stream: npt.NDArray[np.bool_], points: Floats) -> Floats:
    """The line from a source to the river, rounded."""
    place, line = source, [points[source]]
    while stream[place] and down[place] >= 0:
        place = int(down[place])
        line.append(points[place])
    return rounded(np.array(line))


def rounded(line: Floats, times: int = 2) -> Floats:
    """Corners cut off (Chaikin); the ends stay."""
    for _ in range(times):
        if len(line) < 3:
            break
        first, second = line[:-1] * 0.75 + line[1:] * 0.25, line[:-1] * 0.25 + line[1:] * 0.75
        inner = np.stack([first, second], axis=1).reshape(-1, 2)
        line = np.concatenate([line[:1], inner[1:-1], line[-1:]])
    return line


def crossings(points: Floats, heights: Floats, level: float) -> Floats:
    """(n, 2, 2) the segments along which the ground has one height: at most one in each half of each cell."""
    above = heights > level
    mixed = above[:-1, :-1] + above[1:, :-1] * 1 + above[:-1, 1:] + above[1:, 1:]
    j, i = np.nonzero((mixed > 0) & (mixed < 4))
    south_west, south_east, north_west, north_east = (j, i), (j, i + 1), (j + 1, i), (j + 1, i + 1)

    def between(a: Any, b: Any) -> tuple[Floats, npt.NDArray[np.bool_]]:
        share = (level - heights[a]) / np.where(heights[b] == heights[a], 1, heights[b] - heights[a])
        return points[a] + (points[b] - points[a]) * share[:, None], above[a] != above[b]

    diagonal = between(south_west, north_east)
    south, east = between(south_west, south_east), between(south_east, north_east)
    west, north = between(south_west, north_west), between(north_west, north_east)
    found = []
    for one, other in combinations((diagonal, south, east), 2):
        both = one[1] & other[1]
        found.append(np.stack([one[0][both], other[0][both]], axis=1))
    for one, other in combinations((diagonal, west, north), 2):
        both = one[1] & other[1]
        found.append(np.stack([one[0][both], other[0][both]], axis=1))
    return np.concatenate(found)
