"""The clock of an invented city: it stands in the city's past until that has been lived through, then it runs."""

import json
from collections.abc import Callable
from pathlib import Path

from cheng.infrastructure.clock import Clock, wall
from cheng.standards.durations import days

LONGEST_GAP = days(5).us
"""A city that was shut longer has slept over what lies before."""
FILE = "demo.json"


class DemoClock(Clock):
    """Stands still at `start` and is moved by hand, until `go()`: from then on it runs, at `speed`."""

    def __init__(self, start: int, speed: float = 1.0) -> None:
        super().__init__(speed, start=start)
        self._standing = True

    @property
    def standing(self) -> bool:
        """Whether the city is still living through its past."""
        return self._standing

    def now(self) -> int:
        if self._standing:
            with self._lock:
                return self._last
        return super().now()

    def set(self, at: int) -> int:
        """Moves on to `at`, µs UTC; never back. The new time."""
        with self._lock:
            self._last = max(self._last, at)
            return self._last

    def go(self) -> None:
        """Runs from here on."""
        with self._lock:
            self._seen = self._steady()
            self._standing = False


def open_clock(data: Path, speed: float, past: int, *, wall: Callable[[], int] = wall) -> DemoClock:
    """The clock for the hub over this data folder: where its city was left, or `past` µs back when there is none."""
    now, left = wall(), left_at(data)
    return DemoClock(now - past if left is None else max(left, now - LONGEST_GAP), speed)


def left_at(data: Path) -> int | None:
    """What time it was in the city when it was left, µs UTC."""
    try:
        return int(json.loads((data / FILE).read_text("utf-8"))["now"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def leave(data: Path, now: int) -> None:
    """Notes what time it is in the city."""
    (data / FILE).write_text(json.dumps({"now": now}), "utf-8")
