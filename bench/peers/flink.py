"""Apache Flink from Java, a DataStream with keyed state or SQL's MATCH_RECOGNIZE: the third run in one JVM.

The first is told as cold. The jars come with the Python package. State is on the heap and no checkpoints are written.
Source and judging run on two threads; more parallel parts do not make it faster on two cores. On W2 the watermark
stays 30 s behind.
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
    sql: bool = False
    durability: Durability = "volatile"
    home: Path = Path()

    @property
    def name(self) -> str:
        return "Flink SQL" if self.sql else "Flink"

    def prepare(self, home: Path) -> None:
        self.home = home.with_name("flink")
        venv(self.home, f"apache-flink-libraries=={FLINK}", options=["--no-deps"])
        self.program().compile()

    def program(self) -> Program:
        return Program(self.home, "FlinkJob", "pyflink/lib")

    def version(self) -> str:
        return FLINK

    def run(self, folder: Path) -> Outcome:
        return job(self.program().command(OPENED), folder, lateness(folder), "sql" if self.sql else "stream")
