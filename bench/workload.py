"""The workload of the ingest claims: things that report every ten seconds, and episodes above 80 of known length.

An alert is due once for every stretch above 80 that lasts 60 s or longer. Episodes have 1–5 or 8–20 readings, never
6 or 7, so that rules driven by readings and rules driven by timers have to agree.
"""

import random
from dataclasses import dataclass

START = 1_700_000_000_000
"""Milliseconds."""
STEP = 10_000
THRESHOLD = 80.0


@dataclass(frozen=True)
class Workload:
    lines: list[bytes]
    """NDJSON, in order of time"""
    things: list[str]
    alerts: int


def values(chance: random.Random, readings: int) -> tuple[list[float], int]:
    """One thing's readings and how many alerts they make."""
    said: list[float] = []
    alerts = 0
    while len(said) < readings:
        said += [round(chance.uniform(10, 79.9), 2) for _ in range(chance.randint(3, 30))]
        length = chance.randint(1, 5) if chance.random() < 0.6 else chance.randint(8, 20)
        length = min(length, readings - len(said))
        length = 5 if length in (6, 7) else length
        if length <= 0:
            break
        said += [round(chance.uniform(80.1, 119.9), 2) for _ in range(length)]
        said.append(round(chance.uniform(10, 79.9), 2))
        alerts += length >= 8
    return said[:readings], alerts


def workload(things: int, readings: int, seed: int = 1) -> Workload:
    """`things` things with `readings` readings each."""
    chance = random.Random(seed)
    names = [f"station-{number:06d}" for number in range(things)]
    rows: list[tuple[int, str, float]] = []
    alerts = 0
    for name in names:
        phase = chance.randrange(STEP)
        said, due = values(chance, readings)
        alerts += due
        rows += [(START + phase + STEP * turn, name, value) for turn, value in enumerate(said)]
    rows.sort()
    lines = [b'{"id":"%s","attr":"pm10","time":%d,"value":%s}' % (n.encode(), t, str(v).encode()) for t, n, v in rows]
    return Workload(lines, names, alerts)
