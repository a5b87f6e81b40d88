"""The machine the hub runs on: cores, load, memory, disk, files, addresses; the last day of it, once a minute.

Read from the standard library and /proc. What a system does not tell is None, "not known here" on the page.
"""

import os
import shutil
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if os.name == "posix":
    import resource

PROC = Path("/proc")
EVERY = 60.0
"""Seconds between two looks."""
DAY = 1440
LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp."""
WORD = 4
"""Bytes that /proc/net/tcp writes as one number, the last byte first."""

Sample = tuple[str, str, dict[str, str], float]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the machine. Shares are of one whole, sizes bytes; None is what this system does not tell."""

    busy: float | None
    """share of all cores that was at work since the last look"""
    own: float | None
    """the same, for the hub alone"""
    load: float | None
    """programs that wanted a core, mean of the last minute"""
    memory_used: int | None
    memory: int | None
    resident: int | None
    """memory of the hub"""
    disk_free: int
    disk: int
    """of the data folder's disk"""
    files: int | None
    """open files and connections of the hub"""


class Machine:
    """Looks once a minute between `start` and `stop`; `now` looks whenever it is asked."""

    def __init__(self, data: Path, proc: Path = PROC) -> None:
        self.data, self.proc = data, proc
        self.began = time.monotonic()
        self.looks: deque[Look] = deque(maxlen=DAY)
        self._lock = threading.Lock()
        self._ticks = self._ticks_now()
        self._own = (time.monotonic(), time.process_time())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="machine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(EVERY):
            with self._lock:
                self.looks.append(self._look(again=True))

    def now(self) -> Look:
        """The machine at present; shares are those since the last look."""
        with self._lock:
            return self._look(again=False)

    def day(self) -> list[Look]:
        """The looks of the last day, the oldest first."""
        with self._lock:
            return list(self.looks)

    def _look(self, again: bool) -> Look:
        """`again`: the next look begins here."""
        ticks, own = self._ticks_now(), (time.monotonic(), time.process_time())
        busy = share(self._ticks, ticks)
        passed = own[0] - self._own[0]
        mine = (own[1] - self._own[1]) / passed / cores() if passed > 0 else None
        if again:
            self._ticks, self._own = ticks, own
        memory, used = self._memory()
        usage = shutil.disk_usage(self.data)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        return Look(busy, mine, load, used, memory, self._resident(), usage.free, usage.total, self._files())

    # -- /proc

    def _read(self, *path: str) -> str:
        """What a file of /proc says; "" where there is none."""
        try:
            return self.proc.joinpath(*path).read_text("ascii", "replace")
        except OSError:
            return ""

    def _ticks_now(self) -> tuple[int, int] | None:
        """(ticks at work, all ticks) of all cores since the machine was started."""
        words = self._read("stat").split("\n", 1)[0].split()
        if len(words) < 6 or words[0] != "cpu":
            return None
        ticks = [int(word) for word in words[1:9]]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)

    def _memory(self) -> tuple[int | None, int | None]:
        """(all there is, used) of the machine's memory; what can be given back at once is not used."""
        told = dict(line.split(":", 1) for line in self._read("meminfo").splitlines() if ":" in line)
        if not {"MemTotal", "MemAvailable"} <= told.keys():
            return None, None
        total, available = (int(told[key].split()[0]) * 1024 for key in ("MemTotal", "MemAvailable"))
        return total, total - available

    def _resident(self) -> int | None:
        words = self._read("self", "statm").split()
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE") if len(words) > 1 else None

    def _files(self) -> int | None:
        try:
            return len(os.listdir(self.proc / "self" / "fd"))
        except OSError:
            return None

    @property
    def files_most(self) -> int | None:
        """Files and connections that the hub may have open."""
        if os.name != "posix":
            return None
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return most if most != resource.RLIM_INFINITY else None

    @property
    def up(self) -> float:
        """Seconds since the hub was started."""
        return time.monotonic() - self.began

    @property
    def machine_up(self) -> float | None:
        """Seconds since the machine was started."""
        words = self._read("uptime").split()
        return float(words[0]) if words else None

    def listening(self) -> list[tuple[str, int]] | None:
        """(address, port) on which this process takes connections, IPv4 and IPv6; None where it is not told."""
        try:
            links = [os.readlink(entry.path) for entry in os.scandir(self.proc / "self" / "fd") if entry.is_symlink()]
        except OSError:
            return None
        mine = {link[8:-1] for link in links if link.startswith("socket:[")}
        lines = [line.split() for name in ("tcp", "tcp6") for line in self._read("self", "net", name).splitlines()[1:]]
        found = {place(words[1]) for words in lines if len(words) > 9 and words[3] == LISTENING and words[9] in mine}
        return sorted(found, key=lambda one: (one[1], one[0]))

    def counters(self) -> Iterator[Sample]:
        """For /metrics."""
        look = self.now()
        for name, text, value in (
            ("cheng_machine_cores", "Cores that the hub may use.", cores()),
            ("cheng_machine_busy_share", "Share of all cores at work.", look.busy),
            ("cheng_machine_load", "Programs that wanted a core, mean of a minute.", look.load),
            ("cheng_machine_memory_bytes", "Memory of the machine.", look.memory),
            ("cheng_machine_memory_used_bytes", "Memory in use, of the machine.", look.memory_used),
            ("cheng_hub_memory_bytes", "Memory of the hub.", look.resident),
            ("cheng_hub_open_files", "Open files and connections of the hub.", look.files),
            ("cheng_hub_up_seconds", "Seconds since the hub was started.", self.up),
            ("cheng_disk_bytes", "Size of the data folder's disk.", look.disk),
            ("cheng_disk_free_bytes", "Room on the data folder's disk.", look.disk_free),
        ):
            if value is not None:
                yield name, text, {}, float(value)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    """Of the ticks between two looks, those at work."""
    if before is None or after is None or after[1] <= before[1]:
        return None
    return min(max((after[0] - before[0]) / (after[1] - before[1]), 0.0), 1.0)


def place(word: str) -> tuple[str, int]:
    """Address and port as /proc/net/tcp writes them: 0100007F:1F40 is 127.0.0.1, port 8000."""
    address, _, port = word.partition(":")
    raw = bytes.fromhex(address)
    turned = b"".join(raw[at : at + WORD][::-1] for at in range(0, len(raw), WORD))
    family = socket.AF_INET if len(turned) == WORD else socket.AF_INET6
    return socket.inet_ntop(family, turned), int(port, 16)
