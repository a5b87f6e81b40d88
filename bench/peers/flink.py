"""Apache Flink: a Java DataStream job with keyed state, the third run in one JVM; the first is told as cold.

The jars come with the Python package. State is on the heap and no checkpoints are written. Source and judging run on
two threads; more parallel parts do not make it faster on two cores. On W2 the watermark stays 30 s behind.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Durability
from bench.peers.jvm import Program
from bench.peers.lane import Outcome
from bench.peers.streams import job, lateness, venv

FLINK = "2.3.0"
OPENED = ("java.lang", "java.util", "java.util.concurrent")


@dataclass
class Flink:
    name: str = "Flink"
    durability: Durability = "volatile"
    home: Path = Path()

    def prepare(self, home: Path) -> None:
        self.home = home
        venv(home, f"apache-flink-libraries=={FLINK}", options=["--no-deps"])
        self.program().compile()

    def program(self) -> Program:
        return Program(self.home, "FlinkJob", "pyflink/lib")

    def version(self) -> str:
        return FLINK

    def run(self, folder: Path) -> Outcome:
        return job(self.program().command(OPENED), folder, lateness(folder))
