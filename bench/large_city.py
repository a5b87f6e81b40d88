"""The demo city of a million things: how soon it is there, what it takes, and how quick its pages are meanwhile.

Arguments: the scale, its past, and how often each page is asked for. Readings come in and rules judge all the time.
"""

import statistics
import sys
import time
import urllib.request
from dataclasses import replace

from bench.demo_city import City, living
from bench.measuring import Figure, folder, report, resident_mb

CLAIM = "A city of a million things: filled in ≤ 15 min, back in ≤ 3 min, in ≤ 8 GB; every page and tile in ≤ 500 ms"
PEERS = True
"""It takes a quarter of an hour."""
LONG = "city 6h 9"
TYPES = "GridWorker,Cover,Tank,Cabinet,Lamp,Station,Vehicle,Well,Household,Button"
PAGES = (
    "/dashboard",
    "/map",
    "/things",
    "/things/Lamp",
    "/things/Lamp/lamp-00001",
    "/areas",
    "/indicators",
    "/desk/alerts",
)
TILES = ("11/1629/847", "13/6519/3391", "16/52157/27129")
"""Of the middle of the city: all of a quarter of it, a quarter of a district, some streets."""
MOST = 500
"""Milliseconds."""
SETTLING = 60
"""Seconds after which a city has done what it does at its start."""
PAUSE = 1.1
"""Seconds between two tiles: readers share one for a second."""


def milliseconds(city: City, cookie: tuple[str, str], path: str, times: int, pause: float) -> list[float]:
    """How long an address takes, again and again."""
    request = urllib.request.Request(city.url + path, headers={"Cookie": "=".join(cookie)})  # our own server
    spent = []
    for _ in range(times):
        time.sleep(pause)
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:  # our own server
            answer.read()
        spent.append((time.perf_counter() - began) * 1e3)
    return spent


def main(scale: str = "district", past: str = "1h", times: int = 3) -> None:
    with folder() as data:
        began = time.perf_counter()
        with living(data, scale, past) as (new, _):
            filled = time.perf_counter() - began
        began = time.perf_counter()
        with living(data, scale, past) as (city, process):
            back = time.perf_counter() - began
            cookie = replace(city, password=new.password).cookie("leader")
            time.sleep(SETTLING)
            pages = {path: milliseconds(city, cookie, path, times, 0) for path in PAGES}
            paths = {place: f"/map/tiles/things/{place}.mvt?types={TYPES}" for place in TILES}
            tiles = {place: milliseconds(city, cookie, path, times, PAUSE) for place, path in paths.items()}
            memory = resident_mb(process.pid)
    note = f"the {scale} with {past} of its past"
    report(
        Figure("a new city, until it says that it is ready", "≤ 900 s", "s", [filled], filled <= 900, note),
        Figure("the same, started again", "≤ 180 s", "s", [back], back <= 180, "seconds after it was stopped"),
        Figure("resident memory", "≤ 8,000 MB", "MB", [memory], memory <= 8_000),
        *(quick(f"page {path}", spent) for path, spent in pages.items()),
        *(quick(f"tile {place} of all things", spent) for place, spent in tiles.items()),
    )


def quick(claim: str, spent: list[float]) -> Figure:
    return Figure(claim, f"≤ {MOST} ms", "ms", spent, statistics.median(spent) <= MOST, "as a leader, while it lives")


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
