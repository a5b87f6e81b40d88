"""Bytewax: lines from the file in batches of 1,000, orjson, a step with a state for each thing. One process, one core.

On W2 its window operator with an event clock waits 30 s and hands readings on in order; `arrival` leaves that out.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Durability
from bench.peers.lane import Outcome
from bench.peers.streams import JOBS, job, lateness, python, venv

BYTEWAX = "0.21.1"


@dataclass
class Bytewax:
    arrival: bool = False
    """judge in order of arrival, whatever the workload"""
    durability: Durability = "volatile"
    home: Path = Path()

    @property
    def name(self) -> str:
        return "Bytewax by arrival" if self.arrival else "Bytewax"

    def prepare(self, home: Path) -> None:
        self.home = home.with_name("bytewax")
        venv(self.home, f"bytewax=={BYTEWAX}", "orjson==3.11.4")

    def version(self) -> str:
        return BYTEWAX

    def run(self, folder: Path) -> Outcome:
        words = [str(python(self.home)), str(JOBS / "bytewax_job.py")]
        return job(words, folder, 0 if self.arrival else lateness(folder))
