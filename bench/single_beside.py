"""One reading a POST at 16 connections: ours beside Node-RED, Home Assistant, InfluxDB and PostgreSQL.

Ours looks at a token, checks and marks the reading, has it durable before it answers, and judges it. Node-RED and Home
Assistant judge and keep nothing; InfluxDB and PostgreSQL keep it and do not judge. Argument: rounds.
"""

import sys
from pathlib import Path

from bench import single_post
from bench.measuring import Durability
from bench.peers.home_assistant_rest import HomeAssistantRest
from bench.peers.lane import Comparison, Expected, Outcome, interleaved, tell
from bench.peers.singles import CONNECTIONS, KEPT, InfluxSingles, NodeRedSingles, PostgresSingles

CLAIM = "One authenticated, durable, judged reading a POST: faster than what keeps nothing or judges nothing"
PEERS = True
GOALS = {"Node-RED": 2.5, "Home Assistant REST": 2.8, "InfluxDB": 1.3, "PostgreSQL insert + update": 2.0}


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


SIDES = (Hub, NodeRedSingles, HomeAssistantRest, InfluxSingles, PostgresSingles)


def main(rounds: int = 5) -> None:
    sides = interleaved([kind() for kind in SIDES], Path(), rounds)
    claim = f"one reading a request, {CONNECTIONS} connections"
    tell(Comparison(claim, Expected(None, KEPT), sides, dict(GOALS), unit="requests/s"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
