"""Grids: a million points into their unit grid, community and street, one point, the check of 5,500, and a cut.

The city is that of the demo. Every answer is compared with asking shapely's tree for a sample, before a figure counts.
"""

import time
from collections.abc import Callable

import numpy as np
import shapely

from bench.measuring import Figure, report
from cheng.demo.town import Town
from cheng.kernel.columns import Floats
from cheng.methods.grids import check, square_metres
from cheng.methods.grids_cut import cut
from cheng.standards.areas import AreaIndex

CLAIM = "Grids: 1,000,000 points to unit grid, community and street ≤ 1 s, one point ≤ 1 ms; 5,500 checked ≤ 5 s"
POINTS, ROUNDS, SAMPLE = 1_000_000, 5, 20_000
LEVELS = ("unit grid", "community", "street")


def timed(do: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Seconds of each round."""
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        spent.append(time.perf_counter() - began)
    return spent


def agree(index: AreaIndex, x: Floats, y: Floats) -> None:
    """Figures do not count unless a sample of the answers is that of asking every polygon."""
    rows, areas = shapely.STRtree(index.polygons).query(shapely.points(x, y), predicate="intersects")
    for level, found in zip(index.levels, index.locate(x, y), strict=True):
        mine = np.full(len(x), len(index.ids))
        of = np.array([index.ids[area].split(" ")[0] == level.replace(" ", "-") for area in areas.tolist()])
        np.minimum.at(mine, rows[of], areas[of])
        if not np.array_equal(np.where(mine == len(index.ids), -1, mine), found):
            raise SystemExit(f"the answers for {level} differ: no figure counts")


def main() -> None:
    town = Town()
    areas = [*town.streets, *town.communities, *town.units]
    ids = [f"{area.level.replace(' ', '-')} {area.id}" for area in areas]
    index = AreaIndex(ids, [area.level for area in areas], [area.shape for area in areas])
    west, south, east, north = shapely.total_bounds(index.polygons)
    random = np.random.default_rng(7)
    x, y = random.uniform(west, east, POINTS), random.uniform(south, north, POINTS)
    agree(index, x[:SAMPLE], y[:SAMPLE])
    many = timed(lambda: [index.of_level(level, x, y) for level in LEVELS])
    spent = timed(lambda: index.ids_at(float(x[0]), float(y[0])), 2_000)
    one = (1e3 * np.quantile(spent, (0, 0.5, 0.95))).tolist()
    place = {community.id: n for n, community in enumerate(town.communities)}
    grid = {each.id: each for each in town.grids}
    communities = np.array([community.shape for community in town.communities], object)
    units = np.array([unit.shape for unit in town.units], object)
    of = [place[grid[unit.parent].parent] for unit in town.units]
    found = check(communities, units, of)
    checked = timed(lambda: check(communities, units, of))
    features = town.features()
    streets = features.geometry[features.layer == "street"]
    last = communities[-1]
    size = float(square_metres(communities[-1:])[0]) / 500
    pieces = len(cut(last, streets, size))
    cutting = timed(lambda: cut(last, streets, size))
    report(
        Figure("1,000,000 points to three levels", "≤ 1 s", "s", many, float(np.median(many)) <= 1, "5,572 + 18 areas"),
        Figure("one point to three levels", "≤ 1 ms", "ms", one, one[-1] <= 1, "of 2,000: least, median, 95 %"),
        Figure(
            "check of 5,500 unit grids", "≤ 5 s", "s", checked, float(np.median(checked)) <= 5, f"{len(found)} found"
        ),
        Figure("a community cut from its streets", "≤ 5 s", "s", cutting, max(cutting) <= 5, f"{pieces} grids"),
    )


if __name__ == "__main__":
    main()
