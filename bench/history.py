"""History at size: what taking in costs, what questions cost while more comes in, what lies on the disk.

10,000 things report for a month through `History.append`, as fast as it takes them; then every question is asked
while a thread keeps appending, and every answer is compared with the arithmetic the readings were made by.
Arguments: --rows (100,000,000 for the claims; less for a short run), --rate readings/s beside the questions.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.measuring import Figure, folder, report
from cheng.infrastructure.history import History
from cheng.infrastructure.log import Disk
from cheng.kernel.observations import Batch

CLAIM = "History: ≤ 0.2 CPU µs a reading, and answers while it takes in more"
LONG = "--rows 100000000"
THINGS, STEP = 10_000, 259_200_000
"""a month is 10,000 readings of each thing"""
START = 1_700_000_000_000_000
BATCH = 200_000
HOUR, DAY = 3_600_000_000, 86_400_000_000
MONTH, WEEK, MINUTE = 30 * DAY, 7 * DAY, 60_000_000
ASKED = 60
"""questions of each kind; of the quick one, as many as go into `SECONDS`"""
SECONDS = 3.0

Floats = npt.NDArray[np.float64]


def times_of(thing: npt.ArrayLike, turn: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """A reading every 259.2 s, up to half a second late."""
    scattered = (np.asarray(thing, np.int64) * 7919 + np.asarray(turn, np.int64) * 104_729) % 500
    return START + np.asarray(turn, np.int64) * STEP + scattered * 1000


def values_of(thing: npt.ArrayLike, turn: npt.ArrayLike) -> Floats:
    """Two decimals between 10 and 110, without a pattern that would make them small."""
    mixed = (np.asarray(thing, np.uint64) << np.uint64(32)) + np.asarray(turn, np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Floats = (1_000 + (mixed >> np.uint64(40)) % np.uint64(10_000)) / 100
    return found


def batch(first: int, rows: int) -> Batch:
    number = np.arange(first, first + rows)
    thing, turn = number % THINGS, number // THINGS
    return Batch.of(thing, np.zeros(rows, np.int32), times_of(thing, turn), values_of(thing, turn))


@dataclass
class Syncs(Disk):
    """The disk, with a watch on every sync of the log."""

    taken: list[float] = field(default_factory=list)

    def sync(self, fd: int) -> None:
        start = time.perf_counter()
        super().sync(fd)
        self.taken.append(time.perf_counter() - start)


@dataclass
class Taken:
    """What it took to take in."""

    rows: int = 0
    seconds: float = 0
    cpu: float = 0
    appends: list[float] = field(default_factory=list)


def take_in(history: History, first: int, rows: int, size: int) -> Taken:
    """Appends `rows` in batches of `size` as fast as it goes; the making of the batches is not counted."""
    taken = Taken(rows)
    own = time.process_time()
    start = time.perf_counter()
    made = 0.0
    for at in range(first, first + rows, size):
        making = time.thread_time()
        readings = batch(at, min(size, first + rows - at))
        made += time.thread_time() - making
        before = time.perf_counter()
        history.append(readings)
        taken.appends.append(time.perf_counter() - before)
    history.flush()
    taken.seconds = time.perf_counter() - start
    taken.cpu = time.process_time() - own - made
    return taken


class Beside:
    """Goes on appending at a rate until it is stopped, with things that are not asked for."""

    def __init__(self, history: History, rate: int) -> None:
        self.history, self.rate, self.rows = history, rate, 0
        self.appends: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> "Beside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _go(self) -> None:
        start, size = time.perf_counter(), max(1, self.rate // 20)
        ready = batch(0, size)
        others = Batch.of(ready.thing + THINGS, ready.attr + 1, ready.time, ready.value)
        while not self._done.wait(max(0.0, start + self.rows / self.rate - time.perf_counter())):
            others.time = others.time + STEP
            before = time.perf_counter()
            self.history.append(others)
            self.appends.append(time.perf_counter() - before)
            self.rows += size


# -- questions; each gives the seconds an answer took, and stops where one is wrong


def asked(
    ask: Callable[[int], object], right: Callable[[int, object], bool], chance: np.random.Generator
) -> list[float]:
    taken = []
    for thing in chance.integers(0, THINGS, ASKED).tolist():
        before = time.perf_counter()
        answer = ask(thing)
        taken.append(time.perf_counter() - before)
        if not right(thing, answer):
            raise SystemExit(f"a wrong answer about thing {thing}")
    return taken


class Questions:
    """What is asked of a history of `turns` readings a thing."""

    def __init__(self, history: History, turns: int) -> None:
        self.history, self.turns = history, turns
        self.end = START + turns * STEP

    def month(self, thing: int) -> object:
        table = self.history.readings([thing], [0], self.end - MONTH, self.end)
        return table["value"].to_numpy()

    def is_month(self, thing: int, values: object) -> bool:
        return np.array_equal(np.asarray(values), self._values(thing, MONTH))

    def week(self, thing: int) -> object:
        return self.history.series(thing, 0, self.end - WEEK, self.end, points=2000)["value"].to_numpy()

    def is_week(self, thing: int, values: object) -> bool:
        found, due = np.asarray(values), self._values(thing, WEEK)
        return bool(len(found) <= 2000 and found.min() == due.min() and found.max() == due.max())

    def city(self, _: int) -> object:
        table = self.history.readings(None, [0], self.end - HOUR, self.end)
        return np.sort(table["value"].to_numpy())

    def is_city(self, _: int, values: object) -> bool:
        turns = self.turns - np.arange(1, HOUR // STEP + 2)
        thing, turn = np.repeat(np.arange(THINGS), len(turns)), np.tile(turns, THINGS)
        late = times_of(thing, turn) >= self.end - HOUR
        return np.array_equal(np.asarray(values), np.sort(values_of(thing[late], turn[late])))

    def buckets(self, thing: int) -> object:
        return self.history.buckets(thing, 0, self.end - MONTH, self.end, MINUTE)

    def is_buckets(self, thing: int, table: object) -> bool:
        due = self._values(thing, MONTH)
        return table.num_rows == len(due) and np.array_equal(table["mean"].to_numpy(), due)  # type: ignore[attr-defined]  # a table

    def _values(self, thing: int, span: int) -> Floats:
        turn = np.arange(max(0, self.turns - span // STEP - 1), self.turns)
        return values_of(thing, turn[times_of(thing, turn) >= self.end - span])


def a_second(questions: Questions, chance: np.random.Generator) -> list[float]:
    """Answers a second to the question for buckets, in each third of `SECONDS`."""
    rates = []
    for _ in range(3):
        asked(questions.buckets, questions.is_buckets, chance)
        count, start = 0, time.perf_counter()
        while (taken := time.perf_counter() - start) < SECONDS / 3:
            questions.buckets(int(chance.integers(0, THINGS)))
            count += 1
        rates.append(count / taken)
    return rates


# -- the claims


def figures(home: Path, rows: int, rate: int) -> Iterator[Figure]:
    disk = Syncs()
    history = History(home, disk=disk, checkpoint=lambda: 0)
    take_in(history, 0, THINGS, THINGS)  # the kernels are compiled
    small = take_in(history, THINGS, min(rows // 10, 5_000_000), 5_000)
    disk.taken.clear()
    large = take_in(history, THINGS + small.rows, rows - THINGS - small.rows, BATCH)
    for taken, size in ((small, "5,000"), (large, "200,000")):
        cost = taken.cpu / taken.rows * 1e6
        note = f"{taken.rows / taken.seconds / 1e6:.2f} M readings/s as fast as it goes, sorted, packed and merged"
        claim = f"taking in, batches of {size}: CPU of log, tail, sorting, files"
        yield Figure(claim, "≤ 0.2 µs a reading", "µs", [cost], cost <= 0.2, note, "fsync before ack")
    yield latency("an append of 200,000 is acknowledged", large.appends, 1.0)
    yield latency("fdatasync of the log or of a file", disk.taken, 1.0)
    yield from answers(history, rows // THINGS, rate)
    size = sum(one.size for one in history.segments()) / history.count()
    claim = f"on the disk, of {history.count():,} readings"
    yield Figure(claim, "≤ 8 bytes a reading", "bytes", [size], size <= 8, f"{len(history.segments())} segments")
    yield from afterwards(history, home)


def latency(claim: str, seconds: list[float], goal: float, unit: float = 1e3) -> Figure:
    """Least, median and greatest; the goal is for the 99th percentile."""
    worst = float(np.percentile(seconds, 99))
    spread = [min(seconds) * unit, float(np.median(seconds)) * unit, max(seconds) * unit]
    note = f"p99 {worst * unit:.1f} ms, {len(seconds)} times"
    return Figure(claim, f"p99 ≤ {goal * unit:g} ms", "ms", spread, worst <= goal, note)


def answers(history: History, turns: int, rate: int) -> Iterator[Figure]:
    questions, chance = Questions(history, turns), np.random.default_rng(2)
    with Beside(history, rate) as beside:
        kinds = [
            ("one thing's month", questions.month, questions.is_month, 0.030),
            ("a week of one thing as 2,000 points", questions.week, questions.is_week, 0.050),
            ("the last hour of an attribute over 10,000 things", questions.city, questions.is_city, 0.150),
        ]
        for claim, ask, right, goal in kinds:
            figure = latency(claim, asked(ask, right, chance), goal)
            figure.note += f", beside {rate:,} readings/s"
            yield figure
        rates = a_second(questions, chance)
        claim = f"1-minute buckets of one thing over {min(turns, MONTH // STEP):,} readings"
        yield Figure(claim, "≥ 1,700 answers/s", "answers/s", rates, min(rates) >= 1700, f"beside {rate:,} readings/s")
        merging = threading.Thread(target=history.compact)
        quiet = len(beside.appends)
        merging.start()
        during = asked(questions.month, questions.is_month, chance)
        while merging.is_alive():
            during += asked(questions.month, questions.is_month, chance)
        merging.join()
    yield latency("one thing's month during compaction", during, 0.030)
    yield latency(f"an append of {rate // 20:,} during compaction", beside.appends[quiet:], 0.5)


def afterwards(history: History, home: Path) -> Iterator[Figure]:
    before, start = history.count(), time.perf_counter()
    told = sum(len(frame) for _, frame in history.replay())
    speed = told / (time.perf_counter() - start)
    yield Figure("the log is replayed", "≥ 500,000 readings/s", "readings/s", [speed], speed >= 500_000, f"{told:,}")
    history.append(batch(0, 2_000_000))
    history._log.close()  # as a kill would leave it: nothing is flushed
    start = time.perf_counter()
    again = History(home)
    ready = time.perf_counter() - start
    right = again.count() == before + 2_000_000
    yield Figure("opened after a kill, 2,000,000 in the log alone", "≤ 2 s", "s", [ready], ready <= 2 and right)
    again.close()


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.history", description=__doc__)
    words.add_argument("--rows", type=int, default=10_000_000)
    words.add_argument("--rate", type=int, default=200_000)
    chosen = words.parse_args()
    with folder() as home:
        for figure in figures(home, chosen.rows, chosen.rate):
            report(figure)


if __name__ == "__main__":
    main()
