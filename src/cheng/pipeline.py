"""The pipeline: from readings that came in to alerts and cases. Start reading here.

    doors ──▶ resolve ──▶ mark ──▶ judge ──▶ log (durable) ──▶ acknowledge
                                     └──▶ alerts ──▶ cases ──▶ everybody who listens

One thread takes whatever has come in since it last looked (group commit), so that one fsync serves many senders.
A second one writes alerts, in order, while the first goes on. After a crash the log is replayed from the last
checkpoint; alerts have keys, so what was found before is found again and not raised twice.
"""

import logging
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from cheng.infrastructure.alert_book import AlertBook, Found
from cheng.infrastructure.alert_writer import AlertWriter
from cheng.infrastructure.bus import Bus
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.history import History
from cheng.infrastructure.judges import Judges
from cheng.kernel.observations import Batch, Events, Frame
from cheng.standards.durations import minutes
from cheng.standards.problems import Refused

log = logging.getLogger(__name__)
ROOM = 2_000_000
"""Readings that may wait; beyond it senders are asked to come again."""
GROUP = 200_000
"""Readings judged and committed in one go."""
EVERY = minutes(1).us
"""How often the state of the judging is written down."""

BUSY = "More is coming in than can be taken just now; try again in a second."
ENDING = object()


@dataclass
class Counters:
    """What went through, since the start."""

    accepted: int = 0
    marked: int = 0
    commits: int = 0
    turned_away: int = 0


@dataclass
class Waiting:
    """Something a sender waits for: its future gives how many readings were marked."""

    frame: Frame
    done: "Future[int]" = field(default_factory=Future)


class Pipeline:
    """Takes frames from any thread; `start()` it once, `close()` it in the end."""

    def __init__(self, judges: Judges, history: History, alerts: AlertBook, bus: Bus, clock: Clock) -> None:
        self.judges, self.history, self.alerts, self.bus, self.clock = judges, history, alerts, bus, clock
        self.counters = Counters()
        self._inbox: queue.Queue[Waiting | threading.Event | None] = queue.Queue()
        self.writer = AlertWriter(alerts, judges, bus)
        self._saved = clock.now()
        self._room = ROOM
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._take, name="judging", daemon=True)

    def start(self) -> None:
        """Replays what the last run had judged only in memory, then opens for readings."""
        for first, frame in self.history.replay(self.judges.seq):
            found = self.judges.replay(frame)
            self.judges.seq = first + len(frame) - 1
            self.alerts.apply(found)
        self.alerts.reconcile(self.judges.standing())
        self.writer.start()
        self._thread.start()

    def submit(self, frame: Frame) -> "Future[int]":
        """Hands in readings or events; the future is done when they are durable, with the number of marked ones.

        Refused 429 while too much is waiting.
        """
        waiting = Waiting(frame)
        with self._lock:
            if self._room < len(frame) and self._room < ROOM:
                self.counters.turned_away += len(frame)
                raise Refused("busy", BUSY, status=429)
            self._room -= len(frame)
        self._inbox.put(waiting)
        return waiting.done

    def drain(self) -> None:
        """Returns when all that was submitted before is judged and its alerts are written."""
        reached = threading.Event()
        self._inbox.put(reached)
        reached.wait()

    def close(self) -> None:
        """Takes what is waiting, then writes down the state of the judging."""
        self._inbox.put(None)
        self._thread.join()
        self.writer.close()
        if not self.writer.trouble:
            self.judges.save(self.judges.freeze())

    # -- the thread that judges and makes durable

    def _take(self) -> None:
        while True:
            group, other = self._next_group()
            try:
                if group:
                    self._commit(group)
                self._hand_on(self.judges.tick(self.clock.now()))
            except Exception as error:
                log.exception("readings could not be made durable; nothing of them is acknowledged")
                for waiting in group:
                    if not waiting.done.done():
                        waiting.done.set_exception(error)
                self.judges.restore_from(self.history)
            with self._lock:
                self._room += sum(len(w.frame) for w in group)
            if isinstance(other, threading.Event):
                self.writer.tell(other)
            elif other is ENDING:
                return

    def _next_group(self) -> tuple[list[Waiting], object]:
        """Everything that waits, up to GROUP readings, and what else came; waits a second of hub time for the first."""
        group: list[Waiting] = []
        size = 0
        try:
            item = self._inbox.get(timeout=1 / max(self.clock.speed, 1))
            while isinstance(item, Waiting):
                group.append(item)
                size += len(item.frame)
                if size >= GROUP:
                    return group, None
                item = self._inbox.get_nowait()
        except queue.Empty:
            return group, None
        return group, ENDING if item is None else item

    def _commit(self, group: list[Waiting]) -> None:
        batches = [w for w in group if isinstance(w.frame, Batch)]
        found: list[Found] = []
        if batches:
            batch = Batch.concat([w.frame for w in batches if isinstance(w.frame, Batch)])
            found += self.judges.take(batch, self.clock.now())
            self.judges.seq = self.history.append(batch) + len(batch) - 1
            edges = np.cumsum([len(w.frame) for w in batches])[:-1]
            for waiting, quality in zip(batches, np.split(batch.quality, edges), strict=True):
                waiting.done.set_result(int(np.count_nonzero(quality)))
            self.counters.marked += int(np.count_nonzero(batch.quality))
        for waiting in group:
            if isinstance(waiting.frame, Events):
                self.judges.seq = self.history.append(waiting.frame) + len(waiting.frame) - 1
                found += self.judges.take_events(waiting.frame)
                waiting.done.set_result(0)
        self.counters.commits += 1
        self.counters.accepted += sum(len(w.frame) for w in group)
        self.bus.publish("readings", {"accepted": self.counters.accepted})
        self._hand_on(found)

    def _hand_on(self, found: list[Found]) -> None:
        """To the second thread; every so often with the state as it is now, to be written after these alerts."""
        now, checkpoint = self.clock.now(), None
        if now - self._saved >= EVERY and self.judges.seq != self.judges.saved:
            self._saved, checkpoint = now, self.judges.freeze()
        if found or checkpoint:
            self.writer.put(found, checkpoint)
