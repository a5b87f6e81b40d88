"""One reading a POST at 16 connections: ours beside InfluxDB, PostgreSQL and Node-RED.

Ours looks at a token, checks and marks the reading, has it durable before it answers, and judges it. Node-RED keeps
nothing. Argument: rounds.
"""

import sys
from pathlib import Path

from bench import single_post
from bench.measuring import Durability
from bench.peers.lane import Comparison, Expected, Outcome, interleaved, tell
from bench.peers.singles import CONNECTIONS, KEPT, InfluxSingles, NodeRedSingles, PostgresSingles

CLAIM = "One authenticated, durable, judged reading a POST: faster than what keeps nothing or judges nothing"
PEERS = True
GOALS = {"Node-RED": 2.5, "InfluxDB": 1.3, "PostgreSQL insert + update": 2.0}


class Hub:
    name = "Cheng"
    durability: Durability = "fsync before ack"

    def prepare(self, home: Path) -> None:
        """It is here."""

    def version(self) -> str:
        return "token, checked, marked, judged"

    def run(self, work: Path) -> Outcome:
        rate, micros, p99 = single_post.one_round(CONNECTIONS)
        taken = round(rate * single_post.SECONDS)
        cpu = micros * taken / 1e6
        return Outcome(taken, single_post.SECONDS, cpu, None, KEPT, f"p99 {p99:.0f} ms")


def main(rounds: int = 5) -> None:
    sides = interleaved([Hub(), NodeRedSingles(), InfluxSingles(), PostgresSingles()], Path(), rounds)
    claim = f"one reading a request, {CONNECTIONS} connections"
    tell(Comparison(claim, Expected(None, KEPT), sides, dict(GOALS), unit="requests/s"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
