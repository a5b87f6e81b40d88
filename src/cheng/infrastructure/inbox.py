"""What waits to be judged: a queue for each sender, taken in turn, so that the flood of one does not starve the rest.

The room is shared by dynamic thresholds (Choudhury and Hahne, 1998): a sender may have as much waiting as is still
free. One alone gets half of it, two a third each, and there is always some left for whoever comes next.
"""

import threading
import time
from collections import Counter, deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from cheng.kernel.observations import Frame
from cheng.standards.problems import Refused

BUSY = "More is coming in than can be taken just now; try again in a second."


@dataclass(slots=True)
class Waiting:
    """Something a sender waits for: its future gives how many readings were marked."""

    frame: Frame
    sender: str
    ticket: int
    since: float = field(default_factory=time.monotonic)
    done: "Future[int]" = field(default_factory=Future)


class Inbox:
    """Frames by sender; `put` from any thread, `take` and `release` from the pipeline's own."""

    def __init__(self, room: int) -> None:
        self.room = room
        """readings that may be under way, from `put` to `release`"""
        self.held: Counter[str] = Counter()
        """readings under way, by sender"""
        self.total = 0
        self.closed = False
        self._tickets = 0
        self._queues: dict[str, deque[Waiting]] = {}
        self._marks: deque[tuple[int, threading.Event]] = deque()
        self._changed = threading.Condition()

    def check(self, sender: str, readings: int = 1) -> None:
        """Refused 429 when there is no room for so many readings of this sender, 503 when the house closes."""
        if self.closed:
            raise Refused("closing", "The hub is being stopped; send it again when it is back.", status=503)
        free, own = self.room - self.total, self.held.get(sender, 0)
        if own + readings > free and (own or free <= 0):
            raise Refused("busy", BUSY, status=429)

    def put(self, frame: Frame, sender: str) -> "Future[int]":
        """The future is done when the frame is durable. Refused as by `check`."""
        with self._changed:
            self.check(sender, len(frame))
            self._tickets += 1
            waiting = Waiting(frame, sender, self._tickets)
            self._queues.setdefault(sender, deque()).append(waiting)
            self.held[sender] += len(frame)
            self.total += len(frame)
            self._changed.notify()
        return waiting.done

    def mark(self) -> threading.Event:
        """An event that `reached` gives back once all that was put before has been taken."""
        mark = threading.Event()
        with self._changed:
            self._marks.append((self._tickets, mark))
            self._changed.notify()
        return mark

    def close(self) -> None:
        """Takes nothing more in; what waits can still be taken."""
        with self._changed:
            self.closed = True
            self._changed.notify()

    def take(self, most: int, patience: float) -> list[Waiting]:
        """About `most` readings of everything that waits, each sender in turn; waits for the first so many seconds."""
        group: list[Waiting] = []
        with self._changed:
            if not self._queues and not self._marks and not self.closed:
                self._changed.wait(patience)
            while self._queues and most > 0:
                share = most // len(self._queues) + 1
                for sender in list(self._queues):
                    part = self._turn(sender, share)
                    group += part
                    most -= sum(len(waiting.frame) for waiting in part)
        return group

    def _turn(self, sender: str, share: int) -> list[Waiting]:
        """The next frames of one sender: at least one, and no more once its share is reached."""
        queue, part = self._queues[sender], list[Waiting]()
        while queue and share > 0:
            part.append(queue.popleft())
            share -= len(part[-1].frame)
        if not queue:
            del self._queues[sender]
        return part

    def reached(self) -> list[threading.Event]:
        """The marks before which nothing waits any more, each once."""
        with self._changed:
            oldest = min((queue[0].ticket for queue in self._queues.values()), default=self._tickets + 1)
            passed = []
            while self._marks and self._marks[0][0] < oldest:
                passed.append(self._marks.popleft()[1])
        return passed

    def release(self, group: list[Waiting]) -> None:
        """What became of these is decided: their room is free again."""
        with self._changed:
            for waiting in group:
                self.held[waiting.sender] -= len(waiting.frame)
                self.total -= len(waiting.frame)
                if not self.held[waiting.sender]:
                    del self.held[waiting.sender]

    def under_way(self) -> dict[str, int]:
        """Readings by sender, from `put` to `release`."""
        with self._changed:
            return dict(self.held)

    def waiting(self) -> tuple[int, float]:
        """Readings that nobody has begun to judge, and the seconds that the oldest of them has waited."""
        with self._changed:
            readings = sum(len(one.frame) for queue in self._queues.values() for one in queue)
            oldest = min((queue[0].since for queue in self._queues.values()), default=None)
        return readings, 0.0 if oldest is None else time.monotonic() - oldest

    def done(self) -> bool:
        """Closed, and nothing waits."""
        return self.closed and not self._queues
