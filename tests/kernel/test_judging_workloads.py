"""W1 and W2: exactly the right alerts, however badly the readings are delivered."""

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from city import SECOND, Alerts, judge_of, readings
from judging_cases import (
    high,
)

from cheng.kernel.stretches import Readings
from needs import need

WORKLOADS = Path(__file__).parents[2] / ".." / "shared" / "workloads"


def workload(things: int, each: int, seed: int) -> tuple[list[tuple[int, int, float, float]], set[tuple[int, int]]]:
    """W1 at a smaller scale: readings every 10 s, and the thing and time of every alert. No run has 6 or 7 readings."""
    random_ = random.Random(seed)
    rows, right = [], set()
    for thing in range(things):
        phase, values = random_.randrange(10_000) / 1000, list[float]()
        while len(values) < each:
            values += [random_.uniform(10, 79.9) for _ in range(random_.randint(3, 30))]
            run_ = random_.choice([1, 2, 3, 4, 5, 8, 11, 20])
            values += [random_.uniform(80.1, 120) for _ in range(run_)]
            values.append(20.0)
        above = 0
        for number, value in enumerate(values):
            rows.append((thing, 0, phase + 10 * number, value))
            above = above + 1 if value > 80 else 0
            if above == 7:
                right.add((thing, round((phase + 10 * (number - 6)) * SECOND)))
    return sorted(rows, key=lambda row: row[2]), right


def badly(rows: list[tuple[int, int, float, float]], seed: int) -> list[tuple[int, int, float, float]]:
    """W2: 5 % of the readings up to 30 s late, 1 % twice, the copy up to 60 s later."""
    random_ = random.Random(seed)
    sent = []
    for row in rows:
        at = row[2] + (random_.uniform(0, 30) if random_.random() < 0.05 else 0)
        sent.append((at, row))
        if random_.random() < 0.01:
            sent.append((at + random_.uniform(0, 60), row))
    return [row for _, row in sorted(sent, key=lambda pair: pair[0])]


def found_in(rows: list[tuple[int, int, float, float]], things: int, batch: int) -> Alerts:
    judging, found = judge_of(high, things=things), Alerts()
    everything = readings(rows)
    for begin in range(0, len(rows), batch):
        found.take(judging.take(everything.take(np.arange(begin, min(begin + batch, len(rows)))))[1])
    return found


@pytest.mark.parametrize("batch", [1, 97, 1000, 100_000])
def test_w1_and_w2_at_a_small_scale(batch: int) -> None:
    rows, right = workload(things=40 if batch == 1 else 200, each=50, seed=1)
    for sent in (rows, badly(rows, 2), badly(rows, 3)):
        found = found_in(sent, 200, batch)
        assert {(slot, onset) for _, slot, onset in found.standing} == right


def shuffled_within_lateness(seeds: range) -> None:
    rows, right = workload(things=8, each=40, seed=4)
    straight = found_in(rows, 8, 1000).standing
    assert {(slot, onset) for _, slot, onset in straight} == right
    for seed in seeds:
        random_ = random.Random(seed)
        sent = [row for row in rows for _ in range(1 + (random_.random() < 0.05))]
        sent.sort(key=lambda row: row[2] + random_.uniform(0, 30))
        assert found_in(sent, 8, random_.choice([1, 10, 100, 1000])).standing == straight, f"seed {seed}"


def test_fifty_shuffles_within_the_lateness_give_one_set_of_alerts() -> None:
    shuffled_within_lateness(range(50))


@pytest.mark.slow
def test_a_thousand_shuffles_within_the_lateness_give_one_set_of_alerts() -> None:
    shuffled_within_lateness(range(1000))


def delivered(path: Path) -> Readings:
    """The readings of a workload's obs.csv, in their order."""
    cells = [line.split(",") for line in path.read_text().splitlines()]
    slot = np.array([int(cell[0].rsplit(":", 1)[1]) for cell in cells], np.intp)
    time = np.array([int(cell[1]) * 1000 for cell in cells], np.int64)
    value = np.array([float(cell[2]) for cell in cells])
    return Readings(slot, np.zeros(len(slot), np.int32), time, value, np.full(len(slot), np.nan))


@pytest.mark.slow
def test_the_real_workloads_give_exactly_14491_alerts(tmp_path: Path) -> None:
    need("workloads", WORKLOADS.exists(), "the scripts of W1 and W2 are not on this machine: ../shared/workloads")
    for script, args in (("w1.py", ["10000", "100", "w1"]), ("w2.py", ["w1", "w2"])):
        subprocess.run([sys.executable, str((WORKLOADS / script).resolve()), *args], cwd=tmp_path, check=True)
    for name in ("w1", "w2"):
        rows, found, judging = delivered(tmp_path / name / "obs.csv"), Alerts(), judge_of(high, things=10_000)
        for begin in range(0, len(rows), 1000):
            found.take(judging.take(rows.take(np.arange(begin, min(begin + 1000, len(rows)))))[1])
        ids = sorted(f"urn:ngsi-ld:AirQualityObserved:{slot:05d}" for _, slot, _ in found.standing)
        truth = json.loads((tmp_path / name / "expected.json").read_text())
        assert len(ids) == truth["alerts"] == 14_491
        assert hashlib.sha256("\n".join(ids).encode()).hexdigest() == truth["alerts_sha256_by_entity_sorted"]
