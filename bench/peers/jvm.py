"""Jobs in Java for peers whose jars come in a Python package: compiled here, run with what Java keeps shut opened."""

from collections.abc import Sequence
from pathlib import Path

from bench.peers.streams import JOBS, is_there, now_there, run

LOGGING = "rootLogger.level = ERROR\n"


class Program:
    """One class of `jobs/` and the jars it needs."""

    def __init__(self, home: Path, name: str, jars: str) -> None:
        """`jars` is the folder of the jars within the environment's packages."""
        self.name, self.classes = name, home / "classes"
        packages = next((home / "venv").glob("lib/python*/site-packages"))
        self.path = f"{self.classes}:{packages / jars}/*"

    def compile(self) -> None:
        """Nothing is done when it is there and the source has not changed."""
        source = JOBS / f"{self.name}.java"
        if is_there(self.classes, source.read_text()):
            return
        self.classes.mkdir(exist_ok=True)
        (self.classes / "log4j2.properties").write_text(LOGGING)
        run(["javac", "-nowarn", "-proc:none", "-cp", self.path, "-d", str(self.classes), str(source)])
        now_there(self.classes, source.read_text())

    def command(self, opened: Sequence[str], *options: str) -> list[str]:
        """How it is started; `opened` are packages of java.base."""
        opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opened]
        return ["java", "-Xmx4g", *options, *opens, "-cp", self.path, self.name]
