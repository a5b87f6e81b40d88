"""From the file to alerts beside stream engines: every side decodes the same NDJSON and judges the same rule.

Peers that take seconds run in five rounds, slow ones in two; ours runs first in every round of both.
python -m bench.stream_engines [--workload w1 --workload w2 --workload rules] [--peers flink,bytewax] [--rounds 5]
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.engine_lane import Engine
from bench.peers.bytewax import Bytewax
from bench.peers.flink import Flink
from bench.peers.home_assistant import HomeAssistant
from bench.peers.lane import Comparison, Expected, Peer, interleaved, tell, workload
from bench.peers.node_red import NodeRed
from bench.peers.pathway import Pathway
from bench.peers.spark import Spark
from bench.peers.victoriametrics import VMAlert

CLAIM = "From the file to alerts, exact on W1 and W2: four times Flink and more, beside every stream engine"
PEERS = True
SLOW_ROUNDS = 2
WHY = "judging is the longest of the steps that overlap on the two cores"


@dataclass(frozen=True)
class Lane:
    """A peer, and the ratio that we want to it by workload; without one it is told and nothing more."""

    make: Callable[[], Peer]
    goals: dict[str, float] = field(default_factory=dict)
    slow: bool = False
    only: Sequence[str] = ("w1", "w2")


LANES = {
    "flink": Lane(Flink, {"w1": 4}),
    "pathway": Lane(Pathway, {"w1": 5}),
    "bytewax": Lane(Bytewax, {"w1": 6.5}),
    "bytewax-by-arrival": Lane(lambda: Bytewax(arrival=True), only=["w2"]),
    "spark": Lane(Spark),
    "vmalert": Lane(VMAlert, {"w1": 13}),
    "spark-streaming": Lane(lambda: Spark(streaming=True), slow=True),
    "node-red": Lane(NodeRed, {"w1": 27}, slow=True),
    "node-red-functions": Lane(lambda: NodeRed(rules=10), {"rules": 50}, slow=True, only=["rules"]),
    "flink-sql": Lane(lambda: Flink(sql=True), {"w1": 50, "w2": 40}, slow=True),
    "home-assistant": Lane(HomeAssistant, {"w1": 88}, slow=True),
}
WORKLOADS: dict[str, tuple[str, Callable[[], Engine]]] = {
    "w1": ("W1 from the file to alerts", Engine),
    "w2": ("W2 (late, twice and malformed lines) from the file to alerts", Engine),
    "rules": (
        "W1, ours with 1,000 rules of which 10 judge each reading, theirs 10",
        lambda: Engine(types=100, rules=10),
    ),
}


def compare(name: str, chosen: Sequence[str], rounds: int) -> None:
    """One table of these peers on a workload; nothing where there is none."""
    lanes = [LANES[peer] for peer in chosen if name in LANES[peer].only]
    if not lanes:
        return
    claim, ours = WORKLOADS[name]
    inputs = workload("w1" if name == "rules" else name)
    peers = [lane.make() for lane in lanes]
    sides = interleaved([ours(), *peers], inputs, rounds)
    goals = {peer.name: lane.goals[name] for peer, lane in zip(peers, lanes, strict=True) if name in lane.goals}
    tell(Comparison(claim, Expected.of(inputs), sides, goals, why=WHY))


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.stream_engines", description=__doc__.splitlines()[0])
    words.add_argument("--workload", choices=WORKLOADS, action="append")
    words.add_argument("--peers", default=",".join(LANES), help=f"of {', '.join(LANES)}")
    words.add_argument("--rounds", type=int, default=5)
    asked = words.parse_args()
    chosen = asked.peers.split(",")
    if unknown := set(chosen) - LANES.keys():
        raise SystemExit(f"no peer is called {', '.join(sorted(unknown))}")
    for name in asked.workload or WORKLOADS:
        compare(name, [peer for peer in chosen if not LANES[peer].slow], asked.rounds)
        compare(name, [peer for peer in chosen if LANES[peer].slow], min(asked.rounds, SLOW_ROUNDS))


if __name__ == "__main__":
    main()
