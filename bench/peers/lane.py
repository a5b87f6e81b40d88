"""Hub and peers side by side on the same input: what a side has to offer, how rounds are run and how they are told.

A ratio is told only where both sides gave the right answer in every round, and never of a volatile rate of ours to a
durable one of theirs.
"""

import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.measuring import ROOT, Durability, load, spread

HOMES = ROOT / "bench" / ".peers"
"""Every peer has an environment of its own in here, never in ours."""
INPUTS = ROOT / "bench" / ".inputs"
WORKLOADS = ROOT.parent / "shared" / "workloads"


@dataclass
class Outcome:
    """One round of one side."""

    readings: int
    seconds: float
    cpu_seconds: float
    """of the side's own processes; of a server without whoever feeds it"""
    alerts: int | None
    """None for a side that does not judge"""
    digest: str | None
    """of the answer, as `digest` makes it; None where there was none"""
    note: str = ""


class Peer(Protocol):
    """A side of a comparison; the hub is one, too."""

    @property
    def name(self) -> str: ...

    @property
    def durability(self) -> Durability: ...

    def prepare(self, home: Path) -> None:
        """Installs what is needed into `home`, from package registries alone; returns at once when it is there."""

    def version(self) -> str: ...

    def run(self, folder: Path) -> Outcome:
        """One round on obs.ndjson, obs.csv or obs.lp of a folder that holds W1 or W2 with expected.json."""


@dataclass(frozen=True)
class Expected:
    """The right answer: alerts of the sides that judge, and the digest of all."""

    alerts: int | None
    digest: str

    @classmethod
    def of(cls, folder: Path) -> "Expected":
        """What expected.json of a workload says of its alerts."""
        said = json.loads((folder / "expected.json").read_bytes())
        return cls(said["alerts"], said["alerts_sha256_by_entity_sorted"])

    def short(self) -> str:
        """A hash is told by its beginning, an agreement in words as it is."""
        return f"hash {self.digest[:12]}" if len(self.digest) == 64 else self.digest


def digest(things: Iterable[str]) -> str:
    """The agreement hash of alerts: their things, one for each alert, in order of their names."""
    return hashlib.sha256("\n".join(sorted(things)).encode()).hexdigest()


def workload(name: str) -> Path:
    """The folder of W1 ("w1") or W2 ("w2"), made once by ../shared/workloads and kept in `INPUTS`."""
    made = INPUTS / name
    if made.is_dir():
        return made
    script = WORKLOADS / f"{name}.py"
    if not script.is_file():
        raise SystemExit(
            f"The workload is missing: {script.name} is expected in ../shared/workloads beside the project."
        )
    words = [str(workload("w1"))] if name == "w2" else ["10000", "100"]
    unfinished = INPUTS / f".{name}-{os.getpid()}"
    subprocess.run([sys.executable, str(script), *words, str(unfinished)], check=True, stdout=subprocess.DEVNULL)
    try:
        unfinished.rename(made)
    except OSError:  # somebody else was faster
        shutil.rmtree(unfinished)
    return made


@dataclass
class Side:
    """What was measured of one side."""

    name: str
    durability: Durability
    version: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    failure: str = ""
    cold: float = 0.0
    """the rate of a round before all others, which does not count: what is compiled at first use was compiled in it"""

    @property
    def rates(self) -> list[float]:
        return [outcome.readings / outcome.seconds for outcome in self.outcomes]

    @property
    def cpu_per_million(self) -> float:
        return statistics.median(1e6 * outcome.cpu_seconds / outcome.readings for outcome in self.outcomes)

    def wrong(self, expected: Expected) -> str:
        """Why this side's rate does not count; empty when it does."""
        if self.failure or not self.outcomes:
            return self.failure or "not measured"
        for outcome in self.outcomes:
            if outcome.alerts not in (None, expected.alerts):
                return f"{outcome.alerts:,} alerts where {expected.alerts:,} are due"
            if outcome.digest != expected.digest:
                return "another answer" if outcome.digest else "no answer to compare"
        return ""


@dataclass
class Comparison:
    """Sides of one claim; the first is ours."""

    claim: str
    expected: Expected
    sides: list[Side]
    goals: dict[str, float] = field(default_factory=dict)
    """the ratio we want, by the peer's name"""
    unit: str = "readings/s"
    note: str = ""
    why: str = ""
    """what stands in the way, shown when a goal is missed"""
    load: str = ""

    def refusal(self, peer: Side) -> str:
        """Why there is no ratio to a peer; empty where there is one."""
        ours = self.sides[0]
        if wrong := ours.wrong(self.expected):
            return f"ours does not count: {wrong}"
        if wrong := peer.wrong(self.expected):
            return wrong
        if ours.durability == "volatile" and peer.durability != "volatile":
            return "ours is volatile, theirs is not"
        return ""

    def ratio(self, peer: Side) -> float | None:
        """Ours to theirs, of medians; None where it is refused."""
        if self.refusal(peer):
            return None
        return statistics.median(self.sides[0].rates) / statistics.median(peer.rates)

    @property
    def holds(self) -> bool:
        """Nothing of ours is wrong, and no ratio that was measured is below its goal."""
        ratios = {peer.name: self.ratio(peer) for peer in self.sides[1:]}
        missed = [name for name, ratio in ratios.items() if ratio is not None and ratio < self.goals.get(name, 0)]
        return not missed and not self.sides[0].wrong(self.expected)

    def line(self, side: Side) -> str:
        rates = cpu = "–"
        if side.outcomes:
            rates, cpu = spread(side.rates), f"{side.cpu_per_million:.2f}"
        told = "" if side is self.sides[0] else self.told(side)
        notes = dict.fromkeys(outcome.note for outcome in side.outcomes if outcome.note)
        cold = f"first of all {side.cold:,.0f}" if side.cold else ""
        remarks = "; ".join(filter(None, [side.version, *notes, cold]))
        return f"| {side.name} | {side.durability} | {rates} | {told} | {cpu} | {remarks} |"

    def told(self, peer: Side) -> str:
        ratio, goal = self.ratio(peer), self.goals.get(peer.name)
        if ratio is None:
            return f"none: {self.refusal(peer)}"
        if goal is None:
            return f"{times(ratio)}×"
        return f"**{times(ratio)}×** of {goal:g}×{'' if ratio >= goal else ' **missed**'}"

    def text(self) -> str:
        """The table in Markdown."""
        head = f"| side | durability | {self.unit} | ours to theirs | CPU s per million | version, remarks |"
        alerts = "" if self.expected.alerts is None else f"{self.expected.alerts:,} alerts, "
        wrong = self.sides[0].wrong(self.expected)
        foot = [
            f"{len(self.sides[0].outcomes)} interleaved rounds",
            f"agreed on: {alerts}{self.expected.short()}",
            self.note,
            f"**ours is wrong: {wrong}**" if wrong else "",
            "" if self.holds else self.why,
            self.load,
        ]
        rows = [self.claim, "", head, "|---|---|---|---|---|---|", *map(self.line, self.sides)]
        return "\n".join([*rows, "", "; ".join(filter(None, foot)) + "."])


def times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def interleaved(sides: Sequence[Peer], folder: Path, rounds: int) -> list[Side]:
    """Runs every side once a round, ours (the first) first; a peer that fails is told and left out from there on.

    Ours is run once before, which does not count but is told.
    """
    measured = [install(peer, ours=peer is sides[0]) for peer in sides]
    first = sides[0].run(folder)
    measured[0].cold = first.readings / first.seconds
    for _ in range(rounds):
        for peer, side in zip(sides, measured, strict=True):
            if side.failure:
                continue
            try:
                side.outcomes.append(peer.run(folder))
            except Exception as error:
                if peer is sides[0]:
                    raise
                side.failure = f"failed: {error}"
            print(f"… {side.name}: {side.failure or f'{side.rates[-1]:,.0f}/s'}", file=sys.stderr, flush=True)
    return measured


def install(peer: Peer, ours: bool = False) -> Side:
    side = Side(peer.name, peer.durability)
    try:
        home = HOMES / peer.name.lower().replace(" ", "-")
        home.mkdir(parents=True, exist_ok=True)
        peer.prepare(home)
        side.version = peer.version()
    except Exception as error:
        if ours:
            raise
        side.failure = f"cannot be installed here: {error}"
        print(f"… {side.name}: {side.failure}", file=sys.stderr, flush=True)
    return side


def tell(comparison: Comparison) -> None:
    """Prints a comparison for people, and as a line of JSON for `bench.run`."""
    comparison.load = load()
    print(f"\n{comparison.text()}\n")
    print("COMPARISON " + json.dumps(asdict(comparison)), flush=True)


def told(line: Mapping[str, Any]) -> Comparison:
    """A comparison as it was told."""
    sides = [Side(**{**side, "outcomes": [Outcome(**o) for o in side["outcomes"]]}) for side in line["sides"]]
    return Comparison(**{**line, "expected": Expected(**line["expected"]), "sides": sides})
