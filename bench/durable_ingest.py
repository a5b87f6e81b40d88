"""W1 over HTTP beside stores: the same readings in the same deliveries, acknowledged when they are kept.

What we do and they do not: names are checked against the register, readings are marked, the rule of W1 is judged and
its alerts are durable. What is compared are acknowledged readings a second, and the CPU seconds of the server until it
has come to rest. Arguments: rounds, passes of W1 in a round.
"""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.gateways import THINGS, Sent, alerts_in
from bench.ingest_http import agree
from bench.measuring import (
    Durability,
    Figure,
    child,
    cpu_at_rest,
    cpu_seconds,
    folder,
    free_port,
    report,
    wait_for,
)
from bench.peers.feeding import Post, Store, due, stored
from bench.peers.influxdb import InfluxDB
from bench.peers.lane import Comparison, Expected, Outcome, Side, interleaved, tell, workload
from bench.peers.postgresql import PostgreSQL
from bench.peers.victoriametrics import VictoriaMetrics
from cheng.infrastructure.history import History

CLAIM = "W1 over HTTP, durable before the answer, judged: faster than stores that only keep it, for half their CPU"
PEERS = True
RULES = 1
LANES = ((1_000, 16), (5_000, 4))
"""Readings in a delivery, and connections: more gateways for the small ones, which does every side good."""
GOALS = {"InfluxDB": 2, "PostgreSQL": 3.5, "VictoriaMetrics": 0.8}
CPU_GOAL = 0.5
WHY = (
    "by the profile a quarter of our time is the log's sync and the store's commit of the alerts, which nobody else "
    "raises, and both are paid for each group of deliveries, however small"
)


class Hub(Store):
    """The hub with the one rule of W1."""

    name = "Cheng"
    durability: Durability = "fsync before ack"
    file = "obs.ndjson"

    def prepare(self, home: Path) -> None:
        """It is here."""

    def version(self) -> str:
        return "judges the rule, alerts durable"

    @contextmanager
    def serving(self, data: Path) -> Iterator[tuple[int, int]]:
        port = free_port()
        with child("-m", "bench.server", str(data), str(port), str(RULES), str(THINGS)) as server:
            assert server.stdout is not None
            self.token = json.loads(server.stdout.readline())["token"]
            wait_for(port)
            yield server.pid, port

    def connect(self, port: int) -> Callable[[bytes], None]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-ndjson"}
        return Post(port, "/ingest/observations", headers)

    def run(self, work: Path) -> Outcome:
        """As of every store, but that the history is opened when the hub is down: it belongs to one process."""
        with folder() as data:
            with self.serving(data) as (pid, port):
                before = cpu_seconds(pid)
                seconds = self.feed(port, work)
                used = cpu_at_rest(pid) - before
            rows = kept(data)
            things = alerts_in(data)
        agree(Sent(passes=self.passes), Expected.of(work), things)
        return Outcome(sum(count for _, count, _ in rows), seconds, used, len(things), stored(rows))


def kept(data: Path) -> list[tuple[str, int, float]]:
    """Each thing with the number and the sum of its readings, from the history of a hub that is down."""
    with sqlite3.connect(data / "cheng.db") as conn:
        names = dict(conn.execute("SELECT idx, id FROM things").fetchall())
    history = History(data / "history", background=False)
    table = history.readings()
    history.close()
    things = table["thing"].to_numpy()
    counts, sums = np.bincount(things), np.bincount(things, table["value"].to_numpy())
    return [(names[thing], int(counts[thing]), float(sums[thing])) for thing in np.flatnonzero(counts).tolist()]


def compare(batch: int, connections: int, rounds: int, passes: int) -> list[Side]:
    work = workload("w1")
    kinds = (Hub, InfluxDB, PostgreSQL, VictoriaMetrics)
    sides = interleaved([kind(batch, connections, passes) for kind in kinds], work, rounds)
    expected = Expected((Expected.of(work).alerts or 0) * passes, due(work, passes))
    claim = f"W1 in deliveries of {batch:,} over {connections} connections, {passes} times over"
    note = "hash of every thing's count and sum as stored"
    tell(Comparison(claim, expected, sides, dict(GOALS), note=note, why=WHY))
    return sides


def thrift(batch: int, ours: Side, theirs: Side) -> Figure:
    """CPU seconds for a million readings, ours to InfluxDB's."""
    ratio = ours.cpu_per_million / theirs.cpu_per_million
    note = f"{ours.cpu_per_million:.2f} s to {theirs.cpu_per_million:.2f} s, of the server until it has come to rest"
    claim = f"CPU a reading, in deliveries of {batch:,}, to {theirs.name}"
    return Figure(claim, f"≤ {CPU_GOAL}×", "×", [ratio], ratio <= CPU_GOAL, note, ours.durability, WHY)


def main(rounds: int = 5, passes: int = 3) -> None:
    for batch, connections in LANES:
        ours, influx, *_ = compare(batch, connections, rounds, passes)
        if influx.outcomes:
            report(thrift(batch, ours, influx))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
