"""Acts about cases, each in a commit of its own, by one officer and by many at once."""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import func, select

from bench.case_city import CaseCity, case_city
from bench.measuring import Figure, folder, report
from bench.peers.postgresql import PostgreSQL
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.tables import acts

CLAIM = "≥ 500 acts a second, each durable before it is answered"
GOAL = 500
ACTS = 4_000
THREADS = (1, 4, 16)
A_DAY = 2_430
WHY = "each act is a commit, and the disk is asked to keep it before the next one may write"


def main(count: int = ACTS) -> None:
    for many in THREADS:
        with folder() as data, case_city(data, A_DAY) as city:
            measure(city, "SQLite", many, count)
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        print("not measured on PostgreSQL: its server is not installed here")
        return
    server = PostgreSQL()
    server.prepare(Path())
    for many in THREADS:
        with folder() as home, folder() as data, server.serving(home) as (_, port):
            on_postgresql(data, port, many, count)


def on_postgresql(data: Path, port: int, many: int, count: int) -> None:
    with case_city(data, A_DAY, store=f"postgresql://bench@127.0.0.1:{port}/postgres") as city:
        measure(city, "PostgreSQL", many, count)


def measure(city: CaseCity, store: str, many: int, count: int) -> None:
    """So many acts from so many threads, each thread with cases of its own."""
    with city.hub.store.write() as conn:
        filed = [city.hub.reports.file_in(conn, each).filed for _, each in city.told(count // 6)]
    before = written(city)
    start, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(many) as pool:
        done = sum(pool.map(lambda n: work_off(city, filed[n::many], count // many), range(many)))
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    if written(city) - before != done:
        raise SystemExit(f"{written(city) - before} acts were kept of {done}")
    rate = done / wall
    name = f"acts on {store}, {many} officers at once" if many > 1 else f"acts on {store}, one officer"
    note = f"{done:,} acts, {1000 * cpu / done:.2f} ms of CPU each"
    note += f"; the disk keeps {syncs(city.hub.settings.data):,.0f} small writes a second"
    report(Figure(name, f"≥ {GOAL}/s", "acts/s", [rate], rate >= GOAL, note, "fsync before ack", WHY))


def work_off(city: CaseCity, filed: Sequence[Filed], most: int) -> int:
    """Finishes step after step of case after case; how many."""
    done, crews = 0, city.crews
    for case in filed:
        while case.case.run is not None and done < most:
            step = city.hub.cases.flows[case.entry.flow].find(case.case.step)
            given = crews.carried(case, step)
            case = city.hub.cases.act(case.entry.id, "complete", crews.officer(case, step), given)
            done += 1
    return done


def written(city: CaseCity) -> int:
    with city.hub.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(acts)).scalar_one())


def syncs(place: Path, count: int = 200) -> float:
    """How many small writes a second the disk keeps, one after the other: no store can do better alone."""
    file = place / "syncs"
    with file.open("wb", buffering=0) as written_to:
        start = time.perf_counter()
        for _ in range(count):
            written_to.write(bytes(4096))
            os.fdatasync(written_to.fileno())
        took = time.perf_counter() - start
    file.unlink()
    return count / took


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
