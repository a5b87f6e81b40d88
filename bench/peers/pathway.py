"""Pathway: the file as one static commit, read by its JSON reader, sorted by event time, judged by a subscriber.

Reducers (tuples, arrays, accumulators, states) come to the same alerts and are slower. As the whole file is sorted
before the first alert, lateness costs nothing: this is a batch.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Durability
from bench.peers.lane import Outcome
from bench.peers.streams import JOBS, job, lateness, python, venv

PATHWAY = "0.33.0"


@dataclass
class Pathway:
    name: str = "Pathway"
    durability: Durability = "volatile"
    home: Path = Path()

    def prepare(self, home: Path) -> None:
        self.home = home
        venv(home, f"pathway=={PATHWAY}")

    def version(self) -> str:
        return PATHWAY

    def run(self, folder: Path) -> Outcome:
        words = [str(python(self.home)), str(JOBS / "pathway_job.py")]
        return job(words, folder, lateness(folder), note="batch: one commit")
