"""Apache Spark from Java, the third run in one JVM; the first is told as cold. Both cores.

The batch is window functions in SQL over the whole file. The stream keeps a state for each thing (it has to be code)
over ten micro-batches, sorted each; its checkpoints cannot be left out, so they go to memory.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Durability
from bench.peers.jvm import Program
from bench.peers.lane import Outcome
from bench.peers.streams import job, venv

SPARK = "4.3.0"
LANG = ("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio")
UTIL = ("java.util", "java.util.concurrent", "java.util.concurrent.atomic")
INNER = ("jdk.internal.ref", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar")


@dataclass
class Spark:
    streaming: bool = False
    durability: Durability = "volatile"
    home: Path = Path()

    @property
    def name(self) -> str:
        return "Spark streaming" if self.streaming else "Spark"

    def prepare(self, home: Path) -> None:
        self.home = home.with_name("spark")
        venv(self.home, f"pyspark=={SPARK}")
        self.program().compile()

    def program(self) -> Program:
        return Program(self.home, "SparkJob", "pyspark/jars")

    def version(self) -> str:
        return SPARK

    def run(self, folder: Path) -> Outcome:
        command = self.program().command((*LANG, *UTIL, *INNER), "--add-modules=jdk.incubator.vector")
        if self.streaming:
            return job(command, folder, 0, "stream")
        return job(command, folder, 0, "batch", note="batch")
