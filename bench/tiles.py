"""A tile of 100,000 live points beside geojson-vt with vt-pbf, and tiles of a dense base map. Argument: rounds.

Live means that anything may have moved since the last tile: both sides go from positions to bytes each time. Theirs has
its GeoJSON objects ready in memory, ours its columns; both tiles are read again and have to hold the same points.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mapbox_vector_tile
import numpy as np
import shapely

from bench.measuring import Figure, folder, report
from bench.peers.lane import HOMES
from bench.peers.streams import JOBS, is_there, now_there, run
from cheng.infrastructure.base_map_tiles import Indexed
from cheng.infrastructure.live_map import Spots
from cheng.kernel.columns import Floats
from cheng.methods.tiles import degrees, frame, mercator
from cheng.standards.base_map import Features

CLAIM = "Map tiles: 100,000 live points ≤ 60 ms and eight times geojson-vt with vt-pbf; a base map's densest ≤ 60 ms"
PEERS = True
PINS = ("geojson-vt@5.0.3", "vt-pbf@3.1.3")
ADDRESS = (16, 52160, 27168)
TYPES = ("", "Cover")
POINTS, BUILDINGS = 100_000, 100_000
MOST, GOAL = 60, 8
"""Milliseconds, and how many times as fast as theirs."""
WARM = 3
TURNS = 5
"""Tiles of each side in a round."""


def crowd() -> Spots:
    """Things all over one tile, every tenth with an alert."""
    west, north, east, south = frame(*ADDRESS)
    random = np.random.default_rng(7)
    x, y = random.uniform(west, east, POINTS), random.uniform(north, south, POINTS)
    level = np.where(np.arange(POINTS) % 10, 0, 3)
    return Spots(np.arange(POINTS), x, y, level, np.full(POINTS, "", object), np.ones(POINTS, np.intp))


def live(longitude: Floats, latitude: Floats, spots: Spots) -> bytes:
    """What the hub does for a tile of things that may have moved: from degrees to bytes."""
    x, y = mercator(longitude, latitude)
    return Spots(spots.idx, x, y, spots.level, spots.owner, spots.type).tile(ADDRESS, TYPES)


def town() -> Features:
    """Houses as dense as a city's middle, in the square of 8 × 8 deepest tiles, with streets between them."""
    random = np.random.default_rng(7)
    west, north, east, south = frame(11, 1630, 849)
    corners = random.uniform(0, 1, (BUILDINGS, 2))
    (left, right), (top, bottom) = degrees([west, east], [north, south])
    x, y = left + corners[:, 0] * (right - left), bottom + corners[:, 1] * (top - bottom)
    size = random.uniform(1e-4, 3e-4, (2, BUILDINGS))
    houses = shapely.box(x, y, x + size[0], y + size[1])
    lines = np.linspace(0, 1, 200)
    rows = shapely.linestrings([[(left, b), (right, b)] for b in bottom + lines * (top - bottom)])
    columns = shapely.linestrings([[(a, bottom), (a, top)] for a in left + lines * (right - left)])
    streets = Features.of("street", "minor", np.concatenate([rows, columns]), name="中山路", rank=12)
    return Features.concat([Features.of("building", "yes", houses, height=20, rank=13), streets])


def milliseconds(make: Callable[[], object], times: int) -> list[float]:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        make()
        spent.append((time.perf_counter() - began) * 1e3)
    return spent


def theirs(home: Path, room: Path) -> tuple[list[float], bytes]:
    """Milliseconds of some tiles by the peer, and the last one."""
    words = ["node", str(JOBS / "geojson_vt_job.mjs"), str(home), str(room / "points"), str(room / "tile")]
    told = json.loads(run([*words, *map(str, ADDRESS), str(TURNS)]))
    return [1e3 * each["seconds"] for each in told], (room / "tile").read_bytes()


def points_in(tile: bytes) -> tuple[Floats, Floats]:
    """Coordinates and levels in a tile, by the number of the thing."""
    found = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})["things"]["features"]
    found.sort(key=lambda feature: feature.get("id", 0))
    places = np.array([feature["geometry"]["coordinates"] for feature in found], np.float64)
    return places, np.array([feature["properties"].get("level", 0) for feature in found], np.float64)


def agree(mine: bytes, other: bytes) -> None:
    """Rates do not count unless both tiles hold the same points, to the rounding of half a unit."""
    (places, levels), (places_there, levels_there) = points_in(mine), points_in(other)
    if not (
        len(places) == len(places_there) == POINTS
        and np.abs(places - places_there).max() <= 1
        and np.array_equal(levels, levels_there)
    ):
        raise SystemExit("the tiles differ: no figure counts")


def prepared() -> Path:
    """The peer's folder, with what it needs."""
    home = HOMES / "geojson-vt"
    home.mkdir(parents=True, exist_ok=True)
    if not is_there(home, *PINS):
        run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(home), *PINS])
        now_there(home, *PINS)
    return home


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    home, spots, base = prepared(), crowd(), Indexed(town())
    longitude, latitude = degrees(spots.x, spots.y)
    deepest = (14, 1630 * 8 + 4, 849 * 8 + 4)
    milliseconds(lambda: live(longitude, latitude, spots), WARM)
    base.tile(deepest)
    mine: list[float] = []
    other: list[float] = []
    dense: list[float] = []
    wide: list[float] = []
    with folder() as room:
        np.stack([longitude, latitude, spots.level.astype(np.float64)], axis=1).tofile(room / "points")
        for _ in range(rounds):
            mine += milliseconds(lambda: live(longitude, latitude, spots), TURNS)
            spent, tile = theirs(home, room)
            other += spent
            dense += milliseconds(lambda: base.tile(deepest), TURNS)
            wide += milliseconds(lambda: base.tile((12, 1630 * 2, 849 * 2)), TURNS)
        agree(live(longitude, latitude, spots), tile)
    ratio = [float(np.median(other) / np.median(mine))]
    note = f"{rounds} interleaved rounds of {TURNS}; not compressed; both tiles hold the same points"
    report(
        Figure("tile of 100,000 live points", f"≤ {MOST} ms", "ms", mine, float(np.median(mine)) <= MOST, note),
        Figure(f"the same by {' and '.join(PINS)}", "", "ms", other, True, "indexed, cut and encoded"),
        Figure("ratio of medians", f"≥ {GOAL}×", "×", ratio, ratio[0] >= GOAL),
        Figure(
            "deepest tile of a base map of 100,000 houses", f"≤ {MOST} ms", "ms", dense, float(np.median(dense)) <= MOST
        ),
        Figure("its tile at zoom 12", f"≤ {MOST} ms", "ms", wide, float(np.median(wide)) <= MOST),
    )


if __name__ == "__main__":
    main()
