"""A day of one thing in buckets of a minute, out of 10,000 readings: our history beside PostgreSQL and InfluxDB.

All three hold the same million readings of a hundred things and answer count, least, most and mean of every bucket.
Ours answers in its own process, as the hub asks it; theirs by their own protocol, and their answers are received, not
unpacked. Arguments: rounds, seconds.
"""

import hashlib
import http.client
import json
import statistics
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench.measuring import Durability, Figure, cpu_seconds, folder, report
from bench.peers.influxdb import InfluxDB, ask
from bench.peers.lane import Comparison, Expected, Outcome, interleaved, tell
from bench.peers.postgresql import PostgreSQL, patient
from cheng.infrastructure.history import History
from cheng.kernel.observations import Batch

CLAIM = "1-minute buckets of one thing over 10,000 readings: ≥ 1,700 answers/s"
PEERS = True
THINGS, READINGS, STEP_MS, MINUTE_MS = 100, 10_000, 10_000, 60_000
START = 1_700_006_400_000
END = START + READINGS * STEP_MS
BUCKETS = -(-READINGS * STEP_MS // MINUTE_MS)
GOAL = 1_700
VALUES = np.random.default_rng(1).integers(1_000, 12_000, (READINGS, THINGS)) / 100
Bucket = tuple[int, int, float, float, float]
"""its start in ms, count, least, most, mean"""


def agreed(things: Iterable[Iterable[Bucket]]) -> str:
    """The hash of all buckets of all things, means to six digits."""
    words = [f"{at} {n} {low:.2f} {high:.2f} {mean:.6f}" for buckets in things for at, n, low, high, mean in buckets]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def due() -> str:
    """The hash from the values themselves."""
    cuts = np.arange(0, READINGS, MINUTE_MS // STEP_MS)
    counts = np.diff(cuts, append=READINGS)
    starts = (START + cuts * STEP_MS).tolist()
    least, most, sums = (of.reduceat(VALUES, cuts) for of in (np.minimum, np.maximum, np.add))
    means = sums / counts[:, None]
    return agreed(zip(starts, counts, least[:, n], most[:, n], means[:, n], strict=True) for n in range(THINGS))


class Asked:
    """A side: filled and asked for everything once, then asked for one thing after the other."""

    name: str
    durability: Durability = "fsync before ack"
    whole: str | None = None
    """the hash of all it knows"""

    def __init__(self, stack: ExitStack, seconds: float) -> None:
        self.stack, self.seconds = stack, seconds

    def fill(self, data: Path) -> None:
        raise NotImplementedError

    def one(self, thing: int) -> object:
        """The answer as it comes."""
        raise NotImplementedError

    def buckets(self, thing: int) -> list[Bucket]:
        """The answer, unpacked."""
        raise NotImplementedError

    def cpu(self) -> float:
        raise NotImplementedError

    def run(self, work: Path) -> Outcome:
        if self.whole is None:
            self.fill(self.stack.enter_context(folder()))
            self.whole = agreed(self.buckets(thing) for thing in range(THINGS))
        before, start, asked = self.cpu(), time.perf_counter(), 0
        while time.perf_counter() < start + self.seconds:
            self.one(asked % THINGS)
            asked += 1
        return Outcome(asked, time.perf_counter() - start, self.cpu() - before, None, self.whole)


class Ours(Asked):
    name = "Cheng"

    def prepare(self, home: Path) -> None:
        """It is here."""

    def version(self) -> str:
        return "in its own process"

    def fill(self, data: Path) -> None:
        self.history = History(data)
        self.stack.callback(self.history.close)
        for at in range(0, READINGS, 100):
            turns = np.repeat(np.arange(at, at + 100), THINGS)
            things = np.tile(np.arange(THINGS), 100)
            self.history.append(
                Batch.of(things, np.zeros(len(things)), (START + turns * STEP_MS) * 1000, VALUES[turns, things])
            )
        self.history.flush()
        self.history.compact()

    def one(self, thing: int) -> object:
        return self.history.buckets(thing, 0, START * 1000, END * 1000, MINUTE_MS * 1000)

    def buckets(self, thing: int) -> list[Bucket]:
        table = self.history.buckets(thing, 0, START * 1000, END * 1000, MINUTE_MS * 1000)
        starts = (table["bucket"].to_numpy().astype(np.int64) // 1000).tolist()
        return list(zip(starts, *(table[name].to_pylist() for name in ("count", "min", "max", "mean")), strict=True))

    def cpu(self) -> float:
        return time.process_time()


class Rows(Asked):
    """PostgreSQL with an index that holds the values, and its visibility map made."""

    name = "PostgreSQL"
    query = (
        f"SELECT {START} + (time - {START}) / {MINUTE_MS} * {MINUTE_MS} AS bucket, count(*), min(value), max(value),"
        f" avg(value) FROM readings WHERE thing = %s AND time >= {START} AND time < {END} GROUP BY 1 ORDER BY 1"
    )

    def __init__(self, stack: ExitStack, seconds: float) -> None:
        super().__init__(stack, seconds)
        self.peer = PostgreSQL()
        self.prepare, self.version = self.peer.prepare, self.peer.version

    def fill(self, data: Path) -> None:
        self.pid, port = self.stack.enter_context(self.peer.serving(data))
        self.connection = self.stack.enter_context(patient(port))
        self.connection.autocommit = True
        copy = self.peer.connect(port)
        for at in range(0, READINGS, 100):
            copy(b"".join(b"%d\t%d\t%.2f\n" % row for row in rows(at, at + 100)))
        self.connection.execute("DROP INDEX readings_thing_time_idx")
        self.connection.execute("CREATE INDEX ON readings (thing, time) INCLUDE (value)")
        self.connection.execute("VACUUM ANALYZE readings")
        self.cursor = self.connection.cursor(binary=True)

    def one(self, thing: int) -> object:
        return self.cursor.execute(self.query, (str(thing),), prepare=True)

    def buckets(self, thing: int) -> list[Bucket]:
        return self.cursor.execute(self.query, (str(thing),), prepare=True).fetchall()

    def cpu(self) -> float:
        return cpu_seconds(self.pid)


class Points(Asked):
    """InfluxDB over one connection."""

    name = "InfluxDB"

    def __init__(self, stack: ExitStack, seconds: float) -> None:
        super().__init__(stack, seconds)
        self.peer = InfluxDB()
        self.prepare, self.version = self.peer.prepare, self.peer.version

    def fill(self, data: Path) -> None:
        self.pid, port = self.stack.enter_context(self.peer.serving(data))
        post: Callable[[bytes], None] = self.peer.connect(port)
        for at in range(0, READINGS, 100):
            post(b"".join(b"aq,id=%d value=%.2f %d\n" % (n, value, ms) for n, ms, value in rows(at, at + 100)))
        ask(port, "SHOW DATABASES")
        self.client = http.client.HTTPConnection("127.0.0.1", port)

    def one(self, thing: int) -> bytes:
        query = (
            f"SELECT count(value), min(value), max(value), mean(value) FROM aq WHERE id = '{thing}' AND "
            f"time >= {START}ms AND time < {END}ms GROUP BY time(1m) fill(none)"
        )
        self.client.request("GET", "/query?" + urllib.parse.urlencode({"q": query, "db": "city", "epoch": "ms"}))
        return self.client.getresponse().read()

    def buckets(self, thing: int) -> list[Bucket]:
        return [tuple(row) for row in json.loads(self.one(thing))["results"][0]["series"][0]["values"]]

    def cpu(self) -> float:
        return cpu_seconds(self.pid)


def rows(begin: int, end: int) -> Iterable[tuple[int, int, float]]:
    """thing, ms and value in the order of time."""
    for turn in range(begin, end):
        for thing, value in enumerate(VALUES[turn].tolist()):
            yield thing, START + turn * STEP_MS, value


def main(rounds: int = 5, seconds: int = 2) -> None:
    with ExitStack() as stack:
        measured = interleaved([kind(stack, seconds) for kind in (Ours, Rows, Points)], Path(), rounds)
    claim = f"{THINGS} things asked in turn by one client, {READINGS:,} readings in {BUCKETS:,} buckets each"
    goals = {"PostgreSQL": 10.0, "InfluxDB": 2.0}
    tell(Comparison(claim, Expected(None, due()), measured, goals, unit="answers/s", note="hash of all buckets"))
    rates = measured[0].rates
    holds = statistics.median(rates) >= GOAL
    report(Figure("1-minute buckets of one thing over 10,000 readings", f"≥ {GOAL:,}/s", "answers/s", rates, holds))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
