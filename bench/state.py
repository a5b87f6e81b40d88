"""What the judging keeps in mind: memory by thing and by rule, how long it takes to be there, freeze, replay, one hash.

Each size is a process of its own, so that memory is what that size takes. Arguments: --large (things, 1,000,000).
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from bench.judging import START, Ground, entity, model, rule
from bench.measuring import ROOT, Figure, folder, report
from cheng.hub import open_hub
from cheng.infrastructure.judges import Judges
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.kernel.book import READING, USED
from cheng.kernel.observations import Batch

CLAIM = "State: 1,000,000 things × 5 attributes hot in ≤ 10 s and ≤ 2 GB; replay ≥ 500,000 readings/s, bit-identical"
FIELDS, LOT, SECOND = 5, 100_000, 1_000_000


def resident() -> float:
    """MB of this process now."""
    return float(psutil.Process().memory_info().rss) / 1e6


def batches(ground: Ground, things: int, turns: int) -> list[Batch]:
    """Every thing reports every field once a turn, all fields of a thing at one instant; one in fifty is above 80."""
    hub = ground.hub
    attr = np.array([hub.things.attributes["Meter", f"f{n}"] for n in range(FIELDS)], np.int32)
    chance, made = np.random.default_rng(1), []
    for turn in range(turns):
        for begin in range(0, things, LOT // FIELDS):
            thing = np.repeat(np.arange(begin, min(begin + LOT // FIELDS, things), dtype=np.int32), FIELDS)
            times = START + turn * 10 * SECOND + thing.astype(np.int64) % (10 * SECOND)
            values = np.where(chance.random(len(thing)) < 0.02, 90.0, chance.uniform(10, 79, len(thing)))
            made.append(Batch.of(thing + ground.first, np.tile(attr, len(thing) // FIELDS), times, values))
    return made


def one(things: int, rules: int, home: Path, *, fill: bool) -> dict[str, float]:
    """Registers things (fill), or opens a hub that has them, makes all of them hot, freezes and replays."""
    meter = entity("Meter", FIELDS)
    specs = [meter, *(rule(f"rule_{n}", getattr(meter, f"f{n % FIELDS}") > 80 + n) for n in range(rules))]
    if fill:
        Ground(home, specs, [NewThing(f"meter-{n:07d}", "Meter") for n in range(things)]).close()
        return {}
    bare, started = resident(), time.process_time()
    hub = open_hub(Settings.load(home, {}), model=model(specs))
    ready = time.process_time() - started
    ground = Ground.__new__(Ground)
    ground.hub, ground.first = hub, len(hub.things) - things
    there = batches(ground, things, 1)
    cpu = time.thread_time()
    for batch in there:
        hub.judges.take(batch, 2**62)
    hot = time.thread_time() - cpu
    after = resident()
    judge = hub.judges.by_type["Meter"]
    kept = judge.things.nbytes + judge.now.records.nbytes + judge.base.records.nbytes + judge.memory.notes.nbytes
    kept += int(judge.memory.book[USED]) * READING.itemsize
    longest, parts = 0.0, 0
    while not parts or hub.judges.freezing:
        cpu = time.thread_time()
        hub.judges.freeze_some()
        longest, parts = max(longest, time.thread_time() - cpu), parts + 1
    again = Judges(hub.store, hub.model, hub.things, hub.clock)
    cpu, first = time.thread_time(), 0
    for batch in there:
        again.replay(batch, first)
        first += len(batch)
    replayed = first / (time.thread_time() - cpu)
    same = again.digest() == hub.judges.digest()
    hub.close()
    return {
        "bare": bare,
        "ready": ready,
        "hot": hot,
        "kept": float(kept),
        "resident": after,
        "freeze": longest * 1000,
        "parts": parts,
        "replay": replayed,
        "same": float(same),
    }


def measured(things: int, rules: int) -> dict[str, float]:
    with folder() as home:
        words = [sys.executable, "-m", "bench.state", "--one", str(things), str(rules), str(home)]
        subprocess.run([*words, "--fill"], cwd=ROOT, check=True, capture_output=True)
        told = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found


def figures(large: int) -> list[Figure]:
    small, much, ruled = measured(10_000, 5), measured(large, 5), measured(large, 100)
    seconds, memory = much["ready"] + much["hot"], much["resident"]
    by_thing = (much["resident"] - small["resident"]) / (large - 10_000) * 1e6
    judges = much["kept"] / large
    by_rule = (ruled["resident"] - much["resident"]) / large / 95 * 1e6
    exact = "live and replay have one hash" if much["same"] and small["same"] else "**hashes differ**"
    same = bool(much["same"] and small["same"])
    name = f"{large:,} things × {FIELDS} attributes"
    slope = f"{by_thing:,.0f} bytes a thing, {judges:,.0f} of them for the judging; {by_rule:.1f} a thing and rule"
    above = small["resident"] - small["bare"]
    parts, hot = f"{much['parts']:.0f} parts", f"{much['hot']:.2f} s of it judging"
    return [
        Figure(f"{name}, register and judges hot", "≤ 10", "CPU s", [seconds], seconds <= 10, hot),
        Figure(f"{name}, resident", "≤ 2,000", "MB", [memory], memory <= 2000, slope),
        Figure(f"{name}, 100 rules", "≤ 2,500", "MB", [ruled["resident"]], ruled["resident"] <= 2500, exact),
        Figure("10,000 things, above the libraries", "≤ 110", "MB", [above], above <= 110),
        Figure(f"{name}, one part of a checkpoint", "≤ 50", "CPU ms", [much["freeze"]], much["freeze"] <= 50, parts),
        Figure("Replay", "≥ 500,000", "readings/s", [much["replay"]], same and much["replay"] >= 500_000, exact),
    ]


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.state", description=__doc__)
    words.add_argument("--large", type=int, default=1_000_000)
    words.add_argument("--one", nargs=3, metavar=("THINGS", "RULES", "HOME"), help="measure one size, tell it as JSON")
    words.add_argument("--fill", action="store_true", help="of one size: only register its things")
    asked = words.parse_args()
    if asked.one:
        print(json.dumps(one(int(asked.one[0]), int(asked.one[1]), Path(asked.one[2]), fill=asked.fill)))
    else:
        report(*figures(asked.large))


if __name__ == "__main__":
    main()
