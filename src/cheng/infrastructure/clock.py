"""One clock for the house, handed to whoever needs the time: microseconds since 1970-01-01 UTC.

It never goes back. When the machine's clock is set back, ours goes on nine tenths as fast until the two agree;
when the machine's clock is set forward, ours follows at once.
"""

import asyncio
import threading
import time
from collections.abc import Callable

LONGEST_NAP = 1.0
"""Seconds between two looks at the clock while waiting: the machine's clock may be set forward meanwhile."""
CATCHING_UP = 0.9


def wall() -> int:
    """What the machine believes, in microseconds UTC."""
    return time.time_ns() // 1000


class Clock:
    """The time of day, or with `speed` or `start` the time of an invented day.

    `speed`: seconds of our time in one real second. `start`: where to begin, in microseconds UTC; default now.
    """

    def __init__(
        self,
        speed: float = 1.0,
        start: int | None = None,
        *,
        wall: Callable[[], int] = wall,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"a clock cannot run at speed {speed}")
        self.speed = speed
        self._follows = speed == 1.0 and start is None
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._last = wall() if start is None else start
        self._seen = steady()

    def now(self) -> int:
        """Microseconds UTC; never less than an earlier answer."""
        with self._lock:
            seen = self._steady()
            passed = (seen - self._seen) // 1000
            pace = self.speed
            if self._follows:
                told = self._wall()
                if told >= self._last:
                    self._last, self._seen = told, seen
                    return told
                pace = CATCHING_UP
            step = int(passed * pace)
            if step:
                self._last += step
                self._seen = seen
            return self._last

    @property
    def ahead(self) -> int:
        """Microseconds by which we are ahead of the machine's clock because that was set back; 0 as a rule."""
        return max(0, self.now() - self._wall()) if self._follows else 0

    async def sleep_until(self, at: int) -> None:
        """Wait until `now()` is at least `at`."""
        while (left := at - self.now()) > 0:
            await asyncio.sleep(min(left / 1e6 / self.speed, LONGEST_NAP))

    async def sleep(self, us: int) -> None:
        """Wait for `us` microseconds of our time."""
        await self.sleep_until(self.now() + us)


class ManualClock(Clock):
    """A clock that stands still until it is told to move: for tests and for replays."""

    def __init__(self, start: int = 0) -> None:
        super().__init__(start=start)
        self._at = start
        self._waiting: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def now(self) -> int:
        """Where the clock stands, microseconds UTC."""
        with self._lock:
            return self._at

    def advance(self, us: int) -> int:
        """Move on by `us` microseconds, wake who waited for it; the new time. ValueError when `us` is negative."""
        if us < 0:
            raise ValueError("a clock does not go back")
        with self._lock:
            self._at += us
            due = [waiter for waiter in self._waiting if waiter[0] <= self._at]
            self._waiting = [waiter for waiter in self._waiting if waiter[0] > self._at]
        for _, loop, future in due:
            loop.call_soon_threadsafe(wake, future)
        return self._at

    def set(self, at: int) -> int:
        """Move on to `at`; the new time."""
        return self.advance(at - self.now())

    async def sleep_until(self, at: int) -> None:
        """Wait until somebody has moved the clock to `at`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if at <= self._at:
                return
            self._waiting.append((at, loop, future))
        await future


def wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
