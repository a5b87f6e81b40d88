"""Apache Flink: a Java DataStream job with keyed state, the third run in one JVM; the first is told as cold.

The jars come with the Python package; javac compiles `jobs/FlinkJob.java` against them. State is on the heap and no
checkpoints are written. Source and judging run on two threads; more parallel parts do not make it faster here. On W2
the watermark stays 30 s behind.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Durability
from bench.peers.lane import Outcome
from bench.peers.streams import JOBS, is_there, job, lateness, now_there, run, venv

FLINK = "2.3.0"
LOGGING = "rootLogger.level = WARN\n"
OPEN = [f"--add-opens=java.base/java.{part}=ALL-UNNAMED" for part in ("lang", "util", "util.concurrent")]


@dataclass
class Flink:
    name: str = "Flink"
    durability: Durability = "volatile"
    home: Path = Path()

    def prepare(self, home: Path) -> None:
        self.home = home
        venv(home, f"apache-flink-libraries=={FLINK}", options=["--no-deps"])
        source = JOBS / "FlinkJob.java"
        classes = home / "classes"
        if is_there(classes, source.read_text()):
            return
        classes.mkdir(exist_ok=True)
        run(["javac", "-nowarn", "-proc:none", "-cp", self.jars(), "-d", str(classes), str(source)])
        (classes / "log4j2.properties").write_text(LOGGING)
        now_there(classes, source.read_text())

    def jars(self) -> str:
        found = next((self.home / "venv").glob("lib/python*/site-packages/pyflink/lib"))
        return f"{found}/*"

    def version(self) -> str:
        return FLINK

    def run(self, folder: Path) -> Outcome:
        words = ["java", "-Xmx4g", *OPEN, "-cp", f"{self.home / 'classes'}:{self.jars()}", "FlinkJob"]
        return job(words, folder, lateness(folder))
