"""What every script needs: free ports, child processes, load, and one way to print a figure."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass
class Figure:
    """One claim with what was measured."""

    claim: str
    goal: str
    unit: str
    values: list[float]
    holds: bool
    note: str = ""

    def line(self) -> str:
        least, middle, most = min(self.values), statistics.median(self.values), max(self.values)
        numbers = f"{least:,.4g} / **{middle:,.4g}** / {most:,.4g} {self.unit}"
        return f"| {self.claim} | {self.goal} | {numbers} | {'yes' if self.holds else '**no**'} | {self.note} |"


def report(*figures: Figure) -> None:
    """Prints figures for people, and as a line of JSON for `bench.run`."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    for figure in figures:
        figure.note = f"{figure.note}; {load}" if figure.note else load
        print(figure.line())
        print("FIGURE " + json.dumps(asdict(figure)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cheng-bench-") as name:
        yield Path(name)


@contextmanager
def child(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that is ended, first politely, when the block is left."""
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def wait_for(port: int, patience: float = 60) -> float:
    """Seconds until something listens on the port."""
    start = time.perf_counter()
    while time.perf_counter() - start < patience:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return time.perf_counter() - start
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on {port} after {patience} s")


def resident_mb(pid: int) -> float:
    """Memory of a process and its children, in MB."""
    process = psutil.Process(pid)
    return sum(p.memory_info().rss for p in (process, *process.children(recursive=True))) / 1e6
