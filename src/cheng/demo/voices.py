"""People of the invented city who say what is wrong: citizens, callers, collectors on their round, cameras.

Beside a cast, which answers for things. What people say is drawn hour by hour from the seed, as what goes wrong is.
"""

import zlib
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from cheng.demo.town import Town
from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.report_book import NewReport

HOUR = 3_600_000_000


class Voices:
    """Everybody who reports to one application. Subclasses say `say`."""

    app: ClassVar[str] = ""
    hours: ClassVar[tuple[float, ...]] = (1.0,) * 24
    """how much is said in each hour of the day, in comparison"""
    again: ClassVar[float] = 0.0
    """share of reports about what has just been reported"""

    def __init__(self, town: Town, a_day: int, classes: ClassBook) -> None:
        """`a_day`: how many reports on an ordinary day."""
        self.town, self.a_day, self.classes = town, a_day, classes
        self.key = zlib.crc32(type(self).__qualname__.encode() + self.app.encode())
        self.share = np.array(self.hours) / sum(self.hours)

    def say(self, rng: np.random.Generator, at: int, number: str) -> NewReport:
        """One report; `number` is unlike that of any other."""
        raise NotImplementedError

    def say_again(self, rng: np.random.Generator, before: NewReport, number: str) -> NewReport:
        """Somebody else reports what was just reported."""
        raise NotImplementedError

    def told(self, start: int, end: int) -> list[tuple[int, NewReport]]:
        """What is reported in (start, end], and when, in order."""
        hours = range(start // HOUR, end // HOUR + 1)
        found = [(at, report) for hour in hours for at, report in self._hour(hour) if start < at <= end]
        return sorted(found, key=lambda each: each[0])

    def _hour(self, hour: int) -> Iterator[tuple[int, NewReport]]:
        rng = np.random.default_rng([self.town.seed, self.key, hour])
        rain = float(self.town.weather.rain(np.array([hour * HOUR + HOUR // 2]))[0])
        local, before = (hour + 8) % 24, None
        count = int(rng.poisson(self.a_day * self.share[local] * (1 + rain)))
        for n, at in enumerate(sorted(hour * HOUR + int(rng.integers(HOUR)) for _ in range(count))):
            number = f"{self.key:x}-{hour}-{n}"
            repeats = before is not None and rng.random() < self.again
            before = self.say_again(rng, before, number) if before and repeats else self.say(rng, at, number)
            yield at, before
