"""The weather of the invented city, hour by hour, the same for everything in it.

It lies in a basin on two rivers: winters are grey and foggy, summers hot; some rain falls about every other day, from
spring to autumn often as a storm.
"""

from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from cheng.demo.plane import Floats, smooth
from cheng.standards.calendars import Calendar

Times = npt.NDArray[np.int64]
HOUR = 3_600_000_000
DAY = 24 * HOUR
CITY = 8 * HOUR
"""The invented city lives by Beijing time."""
CALENDAR = Calendar()
SPELL = 40
"""It rains once in so many hours."""


class Weather:
    """Everything is asked for moments (n,), µs UTC, and answered with (n,)."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.spell = cache(self._spell)
        """(beginning, length, strength) of the rain in a spell: hours since the spell began, hours, 0 to 1"""

    def rain(self, at: Times) -> Floats:
        """How hard it rains, 0 to 1: the worst storm."""
        hour = at / HOUR
        number, which = np.unique(hour // SPELL, return_inverse=True)
        begins, lasts, strength = np.array([self.spell(int(n)) for n in number]).reshape(-1, 3)[which].T
        passed = (hour % SPELL - begins) / lasts
        return np.where((passed > 0) & (passed < 1), strength * np.sin(passed * np.pi), 0.0)

    def temperature(self, at: Times) -> Floats:
        """Degrees Celsius."""
        warm = 3.5 * np.sin((hour_of_day(at) - 9) / 12 * np.pi)
        return 8 + 20 * summer(at) + warm + 2.5 * self._slow(at, 6.5) - 4 * self.rain(at)

    def wind(self, at: Times) -> Floats:
        """Metres a second: still days and windy ones, gusts in storms."""
        return 1.8 - 1.2 * self._slow(at, 4) + 8 * self.rain(at)

    def fog(self, at: Times) -> Floats:
        """0 to 1: on still winter mornings."""
        morning = np.exp(-(((hour_of_day(at) - 7) / 2.2) ** 2))
        return morning * smooth(self._slow(at, 4) * 1.5) * (1 - summer(at)) * (1 - smooth(self.rain(at) * 4))

    def _spell(self, number: int) -> tuple[float, float, float]:
        rng = np.random.default_rng([self.seed, 2, number])
        warm = float(summer(np.array([number * SPELL * HOUR]))[0])
        if rng.random() < 0.3 + 0.6 * warm:
            lasts, strength = rng.uniform(1.5, 3), rng.uniform(0.45, 0.7) + 0.3 * warm
        else:
            lasts, strength = rng.uniform(3, 7), rng.uniform(0.08, 0.3)
        return rng.uniform(0, SPELL - lasts), lasts, strength

    def _slow(self, at: Times, days: float) -> Floats:
        """-1 to 1, to and fro in so many days."""
        found: Floats = np.sin(at / DAY / days * 2 * np.pi + self.seed)
        return found


def hour_of_day(at: Times) -> Floats:
    """(n,) hours since midnight in the city."""
    return ((at + CITY) % DAY) / HOUR


def working_day(at: Times) -> npt.NDArray[np.bool_]:
    """(n,) whether people work on that day: not at weekends and festivals, but on the days that make up for those."""
    day, which = np.unique((at + CITY) // DAY, return_inverse=True)
    found: npt.NDArray[np.bool_] = np.array([works(int(n)) for n in day], bool)[which]
    return found


@cache
def works(day: int) -> bool:
    return CALENDAR.is_workday(date(1970, 1, 1) + timedelta(day))


def daylight(at: Times) -> Floats:
    """(n,) how high the sun stands, 0 (down) to 1 (noon); good enough for an invented day."""
    return np.clip(np.sin((hour_of_day(at) - 6.8) / 11.2 * np.pi), 0, 1)


def summer(at: Times) -> Floats:
    """(n,) 0 in the middle of January, 1 in the middle of July."""
    return 0.5 - 0.5 * np.cos((at / DAY / 365.2425 * 2 * np.pi) - 0.26)
