"""Home Assistant core: its own numeric_state trigger (above 80 for 60 s) over all things, and its own timers.

They run on a clock that follows the readings' event time, and nothing is recorded. One process, one core; arrival is
its only time. The version is the last one for Python 3.11; one for 3.13 was measured elsewhere at 1.7 × of it.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Durability
from bench.peers.lane import Outcome
from bench.peers.streams import JOBS, job, python, venv

HOME_ASSISTANT = "2024.3.3"


@dataclass
class HomeAssistant:
    name: str = "Home Assistant"
    durability: Durability = "volatile"
    home: Path = Path()

    def prepare(self, home: Path) -> None:
        self.home = home
        venv(home, f"homeassistant=={HOME_ASSISTANT}")

    def version(self) -> str:
        return HOME_ASSISTANT

    def run(self, folder: Path) -> Outcome:
        return job([str(python(self.home)), str(JOBS / "home_assistant_job.py")], folder, 0)
