"""What every script needs: free ports, child processes, CPU seconds, load, and one way to tell a figure."""

import json
import os
import resource
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
from typing import Literal

import psutil

ROOT = Path(__file__).parents[1]
Durability = Literal["volatile", "process-crash-safe", "fsync before ack"]
"""What an acknowledged reading survives: nothing, the death of the process, a power cut."""
LOAD_AT_START = os.getloadavg()[0]


@dataclass
class Figure:
    """One claim with what was measured."""

    claim: str
    goal: str
    unit: str
    values: list[float]
    holds: bool
    note: str = ""
    durability: Durability | Literal[""] = ""
    """of what was acknowledged, where something was"""
    why: str = ""
    """what stands in the way, shown when the goal is missed"""
    load: str = ""
    """filled in by `report`"""

    def line(self) -> str:
        remarks = [self.durability, self.note, "" if self.holds else self.why, self.load]
        numbers = f"{spread(self.values)} {self.unit}"
        holds = "yes" if self.holds else "**missed**"
        return f"| {self.claim} | {self.goal} | {numbers} | {holds} | {'; '.join(filter(None, remarks))} |"


def spread(values: list[float]) -> str:
    """Least, **median** and most."""
    least, middle, most = (f"{v:,.0f}" if v >= 1000 else f"{v:.3g}" for v in quantiles(values))
    return f"{least} / **{middle}** / {most}"


def quantiles(values: list[float]) -> tuple[float, float, float]:
    return min(values), statistics.median(values), max(values)


def report(*figures: Figure) -> None:
    """Prints figures for people, and as lines of JSON for `bench.run`."""
    for figure in figures:
        figure.load = load()
        print(figure.line())
        print("FIGURE " + json.dumps(asdict(figure)), flush=True)


def load() -> str:
    """The machine's load when the script began and now: ours is in the second, what disturbed us in the first."""
    return f"load {LOAD_AT_START:.1f} → {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


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
        end(process)
        if process.stdout:
            process.stdout.close()


@contextmanager
def program(words: list[str], **how: object) -> Iterator[subprocess.Popen[bytes]]:
    """A quiet program that is ended, first politely, when the block is left; `how` goes to Popen."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, **{**quiet, **how})  # type: ignore[call-overload]  # whatever Popen takes
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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


def tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def resident_mb(pid: int) -> float:
    """Memory of a process and its children, in MB."""
    return sum(process.memory_info().rss for process in tree(pid)) / 1e6


def cpu_seconds(pid: int) -> float:
    """CPU seconds so far of a running process and its children, those that have ended and been waited for included."""
    while True:
        try:
            times = [process.cpu_times() for process in tree(pid)]
        except psutil.NoSuchProcess as gone:
            if gone.pid == pid:
                raise
            continue  # a child ended meanwhile: its seconds are its parent's now
        return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def cpu_of_children() -> float:
    """CPU seconds of all children of this process that have been waited for: take it before and after a run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_at_rest(pid: int, patience: float = 30) -> float:
    """CPU seconds of a running process tree when it has come to rest: what it put off for later is its work, too."""
    end = time.perf_counter() + patience
    used = cpu_seconds(pid)
    while time.perf_counter() < end:
        time.sleep(0.5)
        before, used = used, cpu_seconds(pid)
        if used - before < 0.03:
            break
    return used
