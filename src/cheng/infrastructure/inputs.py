"""What comes in by each input, and how long it waits for its acknowledgement: for the console and /metrics.

Counted a lot at a time, never a reading: a lot is what one commit acknowledges together. Everything is of fixed
size: totals, a histogram of waits, and the last five minutes in slots that are used again.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

BOUNDS = tuple(round(10 ** (power / 5), 9) for power in range(-20, 11))
"""Seconds: upper ends of the histogram's buckets, five a decade from a tenth of a millisecond to 100 s."""
STEP, SLOTS = 5.0, 60
"""Seconds of a slot, and slots: five minutes."""
RATE = 12
"""Slots that make the present rate: a minute."""

Sample = tuple[str, str, dict[str, str], float]


def no_waits() -> list[int]:
    return [0] * (len(BOUNDS) + 1)


@dataclass(slots=True)
class Slot:
    """What came in five seconds."""

    number: int = -1
    readings: int = 0
    refused: int = 0
    waits: list[int] = field(default_factory=no_waits)

    def begin(self, number: int) -> None:
        self.number, self.readings, self.refused = number, 0, 0
        self.waits = no_waits()


@dataclass(slots=True)
class Course:
    """One input since the start."""

    lots: int = 0
    readings: int = 0
    refused: int = 0
    seconds: float = 0.0
    heard: float = 0.0
    waits: list[int] = field(default_factory=no_waits)
    slots: list[Slot] = field(default_factory=lambda: [Slot() for _ in range(SLOTS)])


@dataclass(frozen=True, slots=True)
class Input:
    """One input as people look at it: waits and share over the last five minutes, in seconds; None where nothing came.

    `rates`: readings per second of each slot that is over, the oldest first. `quiet`: seconds since it was heard.
    """

    name: str
    readings: int
    refused: int
    rate: float
    rates: list[float]
    half: float | None
    most: float | None
    refused_share: float | None
    quiet: float


class Inputs:
    """All inputs of a hub, by name; from any thread."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._began = steady()
        self._lock = threading.Lock()
        self._courses: dict[str, Course] = {}

    def took(self, name: str, readings: int, refused: int = 0, seconds: float = 0.0) -> None:
        """Counts a lot: acknowledged readings, what was refused with them, and how long the sender waited."""
        now = self._steady()
        number = int(now / STEP)
        place = bisect_left(BOUNDS, seconds)
        with self._lock:
            course = self._courses.get(name)
            if course is None:
                course = self._courses[name] = Course()
            slot = course.slots[number % SLOTS]
            if slot.number != number:
                slot.begin(number)
            course.heard = now
            course.lots += 1
            course.readings += readings
            course.refused += refused
            course.seconds += seconds * readings
            course.waits[place] += readings
            slot.readings += readings
            slot.refused += refused
            slot.waits[place] += readings

    def now(self) -> list[Input]:
        """Every input that was ever heard, by name."""
        at = self._steady()
        with self._lock:
            return [self._told(name, course, at) for name, course in sorted(self._courses.items())]

    def _told(self, name: str, course: Course, at: float) -> Input:
        number, seen = int(at / STEP), at - self._began
        recent = {slot.number: slot for slot in course.slots if number - SLOTS < slot.number <= number}
        over = [recent[n].readings if n in recent else 0 for n in range(number - SLOTS + 1, number)]
        begun = min(len(over), max(int(at / STEP) - int(self._began / STEP), 1))
        lately = sum(over[-RATE:]) if seen >= STEP else sum(slot.readings for slot in recent.values())
        waits = [sum(column) for column in zip(*(slot.waits for slot in recent.values()), strict=True)]
        readings = sum(slot.readings for slot in recent.values())
        refused = sum(slot.refused for slot in recent.values())
        return Input(
            name,
            course.readings,
            course.refused,
            rate=lately / (STEP * min(RATE, begun)),
            rates=[count / STEP for count in over[-begun:]],
            half=quantile(waits, 0.5),
            most=quantile(waits, 0.99),
            refused_share=refused / (readings + refused) if readings + refused else None,
            quiet=at - course.heard,
        )

    def counters(self) -> Iterator[Sample]:
        """For /metrics: totals, and a histogram of the waits."""
        with self._lock:
            told = [(n, c.lots, c.readings, c.refused, c.seconds, c.waits[:]) for n, c in self._courses.items()]
        wait = "cheng_input_wait_seconds"
        help_text = "Seconds from arrival to acknowledgement, of readings."
        for name, lots, readings, refused, seconds, waits in told:
            label = {"input": name}
            yield "cheng_input_lots_total", "Lots taken in, by input.", label, lots
            yield "cheng_input_readings_total", "Readings and events acknowledged, by input.", label, readings
            yield "cheng_input_refused_total", "Lines and payloads refused, by input.", label, refused
            total = 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), waits, strict=True):
                total += count
                yield f"{wait}_bucket", help_text, {**label, "le": bound}, total
            yield f"{wait}_sum", help_text, label, seconds
            yield f"{wait}_count", help_text, label, total


def quantile(waits: list[int], share: float) -> float | None:
    """The wait that this share of all does not exceed, read off the histogram; None of nothing."""
    wanted, total = share * sum(waits), 0
    for place, count in enumerate(waits):
        if count and total + count >= wanted:
            low = BOUNDS[place - 1] if place else 0.0
            high = BOUNDS[min(place, len(BOUNDS) - 1)]
            return low + (high - low) * (wanted - total) / count
        total += count
    return None
