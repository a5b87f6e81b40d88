"""Judging by itself: CPU µs a reading, a lot, a rule, a kind of rule, through `Judges.take` as the pipeline calls it.

Decoded readings are at hand; marking, ordering, judging, remembering for late corrections and telling the changes is
what is measured. Arguments: --rounds.
"""

import argparse
import hashlib
import statistics
import sys
import time
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.measuring import Figure, folder, report
from bench.peers.lane import Expected, workload
from cheng.hub import Hub, open_hub
from cheng.infrastructure.judges import Judges
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.kernel.entities import Entity, Place, Quantity, Ref, Track
from cheng.kernel.expressions import Number, count
from cheng.kernel.model import Model
from cheng.kernel.observations import Batch
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App
from cheng.standards.durations import minutes, seconds

CLAIM = "Judging: 20 simple rules ≤ 0.15 CPU µs a reading, W2 ≥ 0.9 of W1, 1,000 rules ≥ 50 % of one, exact"
THINGS, ROUNDS = 10_000, 5
NAME = "cheng.apps.ecology.judging"
START, SECOND = 1_700_000_000_000_000, 1_000_000
LOT = 20_000


def model(specs: Sequence[type]) -> Model:
    """An application of these entities and rules."""
    about = {"__doc__": "Things of the bench.", "title": "Bench", "owner": "Bench", "system": "E1"}
    module = types.ModuleType(NAME)
    for spec in (type("judging", (App,), {**about, "__module__": NAME}), *specs):
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    return Model.of([module])


def entity(name: str, fields: int) -> type[Entity]:
    blanks: dict[str, Any] = {f"f{n}": Quantity("ug/m3", "measured") for n in range(fields)}
    return type(name, (Entity,), {"__doc__": f"A {name}.", **blanks})


def rule(name: str, when: Any, hold: int = 60) -> type[Rule]:
    return type(name, (Rule,), {"__doc__": "{id} is odd.", "when": when, "hold": seconds(hold), "basis": "bench"})


def above(kind: type[Entity], field: int, number: int) -> type[Rule]:
    """One rule at 80 for each field, the others above what is reported mostly."""
    over: Number = 80 if number == 0 else 119.9 + number
    return rule(f"above_{kind.__name__}_{field}_{number}", getattr(kind, f"f{field}") > over)


@dataclass
class Stream:
    """Readings in order of arrival: things by number, fields by number, both of the model's own."""

    thing: Any
    field: Any
    time: Any
    value: Any
    latitude: Any = None

    def batch(self, hub: Hub, rows: slice) -> Batch:
        latitude = None if self.latitude is None else self.latitude[rows].copy()
        return Batch.of(self.thing[rows], self.field[rows], self.time[rows], self.value[rows].copy(), latitude)


def delivered(name: str) -> tuple[Stream, Expected]:
    """W1 or W2 as decoded columns."""
    path = workload(name)
    cells = [line.split(",") for line in (path / "obs.csv").read_text().splitlines()]
    thing = np.array([cell[0].rsplit(":", 1)[1] for cell in cells], np.int32)
    times = np.array([cell[1] for cell in cells], np.int64) * 1000
    values = np.array([cell[2] for cell in cells], np.float64)
    return Stream(thing, np.zeros(len(cells), np.int32), times, values), Expected.of(path)


def mixed(things: int, fields: int, readings: int, step: int = 10) -> Stream:
    """Every thing reports one field after the other, a reading every `step` seconds, one in fifty above 80."""
    chance = np.random.default_rng(1)
    number = np.arange(readings)
    thing, turn = number % things, number // things
    times = START + turn * step * SECOND + thing * (step * SECOND // things)
    values = np.where(chance.random(readings) < 0.02, 90.0, chance.uniform(10, 79, readings))
    return Stream(thing.astype(np.int32), ((turn + thing) % fields).astype(np.int32), times, values)


class Ground:
    """A hub with an application and its things; every run begins with judges that know nothing."""

    def __init__(self, home: Path, specs: Sequence[type], things: Sequence[NewThing]) -> None:
        self.hub = open_hub(Settings.load(home, {}), model=model(specs))
        self.hub.things.put(things, "bench")
        self.first = len(self.hub.things) - len(things)

    def close(self) -> None:
        self.hub.close()

    def run(self, stream: Stream, attr: Any, lot: int, ticks: bool = False) -> tuple[float, int, str]:
        """CPU seconds, alerts that were raised and not withdrawn, and the hash of their things."""
        hub = self.hub
        judges = Judges(hub.store, hub.model, hub.things, hub.clock)
        now, spent, standing = 2**62, 0.0, dict[tuple[str, str, int], int]()
        fields = attr[stream.field] if attr.ndim == 1 else attr[stream.thing, stream.field]
        stream = Stream(stream.thing + self.first, fields, stream.time, stream.value, stream.latitude)
        for begin in range(0, len(stream.time), lot):
            batch = stream.batch(hub, slice(begin, begin + lot))
            started = time.thread_time()
            found = judges.take(batch, now)
            if ticks:
                found += judges.tick(int(batch.time[-1]))
            spent += time.thread_time() - started
            for change, thing in found:
                key = (change.rule, thing.id if thing else "", change.onset)
                if change.kind in ("raised", "withdrawn"):
                    standing[key] = standing.get(key, 0) + (1 if change.kind == "raised" else -1)
                elif change.kind == "moved":
                    standing[change.rule, key[1], change.time] = standing.pop(key)
        assert not any(judged.broken for judge in judges.by_type.values() for judged in judge.rules)
        alerts = sorted(key[1] for key, times in standing.items() for _ in range(times))
        return spent, len(alerts), hashlib.sha256("\n".join(alerts).encode()).hexdigest()


# -- the claims


def stations(kind: str, things: int) -> list[NewThing]:
    return [NewThing(f"urn:ngsi-ld:AirQualityObserved:{n:05d}", kind) for n in range(things)]


def workloads(home: Path, rounds: int) -> Iterator[Figure]:
    station = entity("Station", 1)
    ground = Ground(home, [station, *(above(station, 0, n) for n in range(20))], stations("Station", THINGS))
    attr = np.array([ground.hub.things.attributes["Station", "f0"]], np.int32)
    w1, right = delivered("w1")
    w2, _ = delivered("w2")
    first = ground.run(w1, attr, LOT)
    agreed = first[1:] == (right.alerts, right.digest) == ground.run(w2, attr, LOT)[1:]
    note = f"{first[1]:,} alerts of {right.alerts:,}, {right.short()}" if agreed else "**alerts disagree**"
    for lot in (5_000, LOT, 200_000):
        spent = [ground.run(w1, attr, lot)[0] / len(w1.time) * 1e6 for _ in range(rounds)]
        claim = f"W1, 20 rules, lots of {lot:,}"
        yield Figure(claim, "≤ 0.15", "CPU µs a reading", spent, agreed and statistics.median(spent) <= 0.15, note)
    ratios = []
    for _ in range(rounds):
        plain, badly = ground.run(w1, attr, 100_000)[0], ground.run(w2, attr, 100_000)[0]
        ratios.append(plain / len(w1.time) / (badly / len(w2.time)))
    yield Figure("W2's rate beside W1's", "≥ 0.9", "×", ratios, agreed and statistics.median(ratios) >= 0.9, note)
    for lot in (1, 50):
        some = Stream(*(column[: 2000 * lot] for column in (w1.thing, w1.field, w1.time, w1.value)))
        spent = [ground.run(some, attr, lot)[0] / 2000 * 1e6 for _ in range(rounds)]
        goal = 60 + 0.15 * lot
        yield Figure(
            f"Lots of {lot}, 20 rules", f"≤ {goal:.0f}", "CPU µs a lot", spent, statistics.median(spent) <= goal
        )
    ground.close()


def thousand_rules(home: Path, rounds: int) -> Iterator[Figure]:
    """100 types with 10 rules each beside one with one; 100 fields with 10 rules each beside the same with one rule."""
    one, wide, wide_one = entity("One", 1), entity("Wide", 100), entity("WideOne", 100)
    many = [entity(f"Kind{n}", 1) for n in range(100)]
    specs = [one, wide, wide_one, *many, above(one, 0, 0), above(wide_one, 0, 0)]
    specs += [above(kind, 0, n) for kind in many for n in range(10)]
    specs += [above(wide, field, n) for field in range(100) for n in range(10)]
    things = [NewThing(f"one-{n}", "One") for n in range(THINGS)]
    things += [NewThing(f"many-{n}", f"Kind{n % 100}") for n in range(THINGS)]
    things += [NewThing(f"wide-{n}", "Wide") for n in range(THINGS)]
    things += [NewThing(f"wide-one-{n}", "WideOne") for n in range(THINGS)]
    ground = Ground(home, specs, things)
    known = ground.hub.things.attributes
    alone = np.array([known["One", "f0"]], np.int32)
    kinds = np.array([[known[f"Kind{n % 100}", "f0"]] for n in range(4 * THINGS)], np.int32)
    fields = np.array([known["Wide", f"f{n}"] for n in range(100)], np.int32)
    fields_one = np.array([known["WideOne", f"f{n}"] for n in range(100)], np.int32)
    single, hundred = mixed(THINGS, 1, 400_000), mixed(THINGS, 100, 400_000)
    beside = (((single, 0, alone), (single, 1, kinds)), ((hundred, 3, fields_one), (hundred, 2, fields)))
    for lot in (LOT, 100_000):
        shares: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for number, sides in enumerate(beside):
                one_rule, rules = (
                    ground.run(Stream(s.thing + by * THINGS, s.field, s.time, s.value), attr, lot)[0]
                    for s, by, attr in sides
                )
                shares[number].append(one_rule / rules)
        names = ("100 types × 10 rules", "100 fields × 10 rules")
        for name, share in zip(names, shares, strict=True):
            claim = f"1,000 rules over 10,000 things ({name}), lots of {lot:,}"
            yield Figure(claim, "≥ 0.5", "× the rate of one rule", share, statistics.median(share) >= 0.5)
    ground.close()


def kinds_of_rules(home: Path, rounds: int) -> Iterator[Figure]:
    class Zone(Entity):
        """A zone."""

        limit = Quantity("ug/m3", "what may be", fixed=True)
        level = Quantity("ug/m3", "what is")
        fence = Place("its bounds")

    class Truck(Entity):
        """A truck."""

        speed = Quantity("ug/m3", "how fast")
        load = Quantity("ug/m3", "how heavy")
        most = Quantity("ug/m3", "what it may carry", fixed=True)
        spot = Track("where it is")
        zone = Ref(Zone, "where it belongs")

    kinds = {
        "compare": Truck.speed > 80,
        "arithmetic": (Truck.speed - Truck.load) / 2 > 30,
        "register": Truck.load > Truck.most,
        "silence": Truck.speed.silent(minutes(1)),
        "silence and value": (Truck.speed > 80) & Truck.load.silent(seconds(45)),
        "window": Truck.speed.rises(60, within=minutes(1)),
        "count": count(Truck.speed > 80, within=minutes(2)) >= 3,
        "jump": Truck.speed.jumps(60),
        "hop": Truck.load > Truck.zone.limit,
        "area": Truck.spot.outside(Truck.zone.fence),
    }
    box = [[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]]
    shape = {"type": "Polygon", "coordinates": box}
    things = [NewThing(f"zone-{n}", "Zone", properties={"limit": 85.0, "fence": shape}) for n in range(100)]
    about = {"most": 85.0}
    things += [NewThing(f"truck-{n}", "Truck", properties={**about, "zone": f"zone-{n % 100}"}) for n in range(THINGS)]
    base = mixed(THINGS, 3, 300_000)
    spot = base.field == 2
    chance = np.random.default_rng(2)
    values = np.where(spot, chance.uniform(-0.01, 1, len(spot)), base.value)
    latitudes = np.where(spot, chance.uniform(0, 1, len(spot)), np.nan)
    stream = Stream(base.thing + 100, base.field, base.time, values, latitudes)
    for name, when in kinds.items():
        ground = Ground(home / name, [Zone, Truck, rule("odd", when, 0)], things)
        known = ground.hub.things.attributes
        attr = np.array([known["Truck", field] for field in ("speed", "load", "spot")], np.int32)
        rates = [len(base.time) / ground.run(stream, attr, LOT, ticks=True)[0] for _ in range(rounds)]
        ground.close()
        yield Figure(f"Rule kind: {name}", "≥ 500,000", "readings/s", rates, statistics.median(rates) >= 500_000)


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.judging", description=__doc__)
    words.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = words.parse_args().rounds
    with folder() as home:
        for claim in (workloads, thousand_rules, kinds_of_rules):
            report(*claim(home / claim.__name__, rounds))


if __name__ == "__main__":
    main()
