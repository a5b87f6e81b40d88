"""W1 and W2 from the file to alerts, storing nothing: decoded, resolved, marked and judged as the pipeline does it.

python -m bench.engine_lane [--rounds 5]
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from bench.gateways import PREFIX, THINGS
from bench.judging import model, rule
from bench.measuring import ROOT, Durability, Figure, folder, report
from bench.peers.lane import Expected, Outcome, workload
from bench.peers.streams import job
from cheng.hub import Hub, open_hub
from cheng.infrastructure.judges import Judges
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.resolving import resolve
from cheng.infrastructure.settings import Settings
from cheng.kernel.entities import Entity, Quantity
from cheng.kernel.model import Model
from cheng.kernel.observations import Batch
from cheng.protocols.decoding import NDJSON, decode

CLAIM = "W1 from the file to alerts, storing nothing: ≥ 2,100,000 readings/s, W2 ≥ 0.9 of it, both exact"
GOAL, SHARE = 2_100_000, 0.9
CHUNK = 4_000_000
"""Bytes decoded in one go."""
THREADS = 2
SWITCH = 0.0005
"""Seconds between turns of threads, as `cheng up` has it."""
WHY = "malformed lines are read one by one, and late and repeated readings are put among others out of their order"
SIGN = {"raised": 1, "withdrawn": -1}


@dataclass
class Engine:
    """Our side: a process of its own that has judged a chunk before, as a hub that runs has."""

    types: int = 1
    """of things, each with the same number of things"""
    rules: int = 1
    """about each type; the first is that of the workload, the others are above all its values"""
    durability: Durability = "volatile"
    name: str = "Cheng"

    def prepare(self, home: Path) -> None: ...

    def version(self) -> str:
        return "this commit"

    def run(self, folder: Path) -> Outcome:
        words = [sys.executable, "-m", "bench.engine_lane", "--job"]
        return job(words, folder, 0, str(self.types), str(self.rules), more={"PYTHONPATH": str(ROOT)})


def city(types: int, rules: int) -> Model:
    """Types of stations with their rules."""
    specs: list[type] = []
    for number in range(types):
        station: Any = type(f"Station{number}", (Entity,), {"__doc__": "A station.", "pm10": Quantity("ug/m3", "PM10")})
        over = [80, *range(120, 119 + rules)]
        made = [rule(f"above_{number}_{limit}", station.pm10 > limit) for limit in over]
        specs += [station, *made]
    return model(specs)


def spans(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where whole lines of about CHUNK bytes begin, and how many bytes they are."""
    begin, size = 0, file.seek(0, os.SEEK_END)
    while begin < size:
        file.seek(min(begin + CHUNK, size))
        file.readline()
        yield begin, file.tell() - begin
        begin = file.tell()


def batches(path: Path, hub: Hub, most: int | None = None) -> Iterator[Batch]:
    """What the lines of a file mean, in their order, decoded ahead by THREADS; malformed lines are left out."""
    with path.open("rb") as file, ThreadPoolExecutor(THREADS) as pool:

        def read(span: tuple[int, int]) -> Batch:
            payload = os.pread(file.fileno(), span[1], span[0])
            return resolve(decode(payload, NDJSON, hub.things.meanings)[0], hub.things)[0]

        rest = islice(spans(file), most)
        ahead = deque(pool.submit(read, span) for span in islice(rest, THREADS + 1))
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(read, span) for span in islice(rest, 1))


def alerting(path: Path, hub: Hub, most: int | None = None) -> Counter[str]:
    """How many alerts each thing has, withdrawn ones taken off, by judges that know nothing yet; of `most` spans."""
    judges = Judges(hub.store, hub.model, hub.things, hub.clock)
    counts: Counter[str] = Counter()
    for batch in batches(path, hub, most):
        for found in judges.take(batch, hub.clock.now()):
            if found.thing and found.change.kind in SIGN:
                counts[found.thing.id] += SIGN[found.change.kind]
    return counts


def measured(source: Path, target: Path, types: int, rules: int) -> None:
    """The job: like those of the peers, see `streams.job`."""
    sys.setswitchinterval(SWITCH)
    with folder() as data:
        hub = open_hub(Settings.load(data, {}), model=city(types, rules))
        hub.things.put([NewThing(f"{PREFIX}{n:05d}", f"Station{n % types}") for n in range(THINGS)], "bench")
        alerting(source, hub, most=2)
        used, start = time.process_time(), time.perf_counter()
        found = alerting(source, hub)
        told = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
        hub.close()
    target.write_text("\n".join(found.elements()))
    print(json.dumps(told))


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.engine_lane", description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--job", nargs=5, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.job:
        source, target, _, types, rules = asked.job
        measured(Path(source), Path(target), int(types), int(rules))
        return
    outcomes = {name: [Engine().run(workload(name)) for _ in range(asked.rounds)] for name in ("w1", "w2")}
    for name, told in outcomes.items():
        expected = Expected.of(workload(name))
        if any((one.alerts, one.digest) != (expected.alerts, expected.digest) for one in told):
            raise SystemExit(f"{name}: not the {expected.alerts:,} alerts that are due: the rate does not count")
    rates = {name: [one.readings / one.seconds for one in told] for name, told in outcomes.items()}
    usual = statistics.median(rates["w1"])
    for name, goal in (("w1", GOAL), ("w2", SHARE * usual)):
        cpu = statistics.median(1e6 * one.cpu_seconds / one.readings for one in outcomes[name])
        note = f"{cpu:.2f} CPU s per million, {expected.alerts:,} alerts, exact"
        holds = statistics.median(rates[name]) >= goal
        claim = f"{name.upper()} from the file to alerts"
        report(
            Figure(
                claim,
                f"≥ {goal:,.0f}/s",
                "readings/s",
                rates[name],
                holds,
                note,
                "volatile",
                WHY if name == "w2" else "",
            )
        )


if __name__ == "__main__":
    main()
