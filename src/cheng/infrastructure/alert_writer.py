"""The second thread of the pipeline: writes alerts in the order they were found, then tells everybody who listens."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cheng.infrastructure.alert_book import AlertBook
from cheng.infrastructure.alert_changes import Episodes, Found
from cheng.infrastructure.bus import Bus
from cheng.infrastructure.judge_states import Checkpoint
from cheng.infrastructure.judges import Judges

log = logging.getLogger(__name__)
ROOM = 200_000
"""Changes that may wait; beyond it the judging waits, and behind it the senders."""
TOGETHER = 10_000
"""Changes written in one transaction when many wait: fewer commits, and nobody else waits long for the store."""

STORM, PAUSE = 100, 0.2
"""After so many changes in one go the next waits so many seconds for more: a small one costs mostly its commit.

Five hundred changes a second are a storm, then. When nothing has come for so long, it is over."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A lot of changes, and what is to be done when it is written."""

    found: list[Found]
    checkpoint: Checkpoint | None = None
    reached: threading.Event | None = None


class AlertWriter:
    """Takes what the judging found, with a checkpoint now and then to be written after it."""

    def __init__(self, alerts: AlertBook, judges: Judges, bus: Bus) -> None:
        self.alerts, self.judges, self.bus = alerts, judges, bus
        self.trouble = ""
        """why alerts cannot be written at present; empty while they can"""
        self.waiting = 0
        """changes that are found and not written yet"""
        self._storm = False
        self._lots: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)

    @property
    def written(self) -> int:
        """What was said about alerts since the start."""
        return self.alerts.noticed

    def start(self) -> None:
        self._thread.start()

    def put(self, found: list[Found], checkpoint: Checkpoint | None = None) -> None:
        """Takes a lot; waits while there is no room for more."""
        self._put(Waiting(found, checkpoint))

    def tell(self, reached: threading.Event) -> None:
        """Sets the event when all that was put before is written."""
        self._put(Waiting([], reached=reached))

    def _put(self, lot: Waiting) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.waiting < ROOM or self._closing.is_set())
            self._lots.append(lot)
            self.waiting += len(lot.found)
            self._changed.notify_all()

    def close(self) -> None:
        """Writes what waits, unless the store does not answer."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while lots := self._take():
            episodes = Episodes(one for lot in lots for one in lot.found)
            saves = [partial(self.judges.save, lot.checkpoint) for lot in lots if lot.checkpoint is not None]
            if not all(map(self._insist, (partial(self._write, episodes), *saves))):
                return
            for lot in lots:
                if lot.reached is not None:
                    lot.reached.set()
            with self._changed:
                self.waiting -= sum(len(lot.found) for lot in lots)
                self._changed.notify_all()

    def _take(self) -> list[Waiting]:
        """The lots that wait, up to TOGETHER changes, as soon as there is one, or in a storm when more have come; none
        when the house closes."""
        taken: list[Waiting] = []
        size = 0
        with self._changed:
            if self._storm:
                self._changed.wait_for(self._pressing, PAUSE)
            self._changed.wait_for(lambda: self._lots or self._closing.is_set())
            while self._lots and (not taken or size + len(self._lots[0].found) <= TOGETHER):
                taken.append(self._lots.popleft())
                size += len(taken[-1].found)
        self._storm = size >= STORM
        return taken

    def _pressing(self) -> bool:
        """Whether there is enough to write, or somebody waits for it."""
        waits = any(lot.reached is not None for lot in self._lots)
        return self.waiting >= TOGETHER or waits or self._closing.is_set()

    def _insist(self, step: Callable[[], None]) -> bool:
        """Alerts wait for a store that does not answer, and readings behind them; nothing is dropped.

        False when the house closes first: then the log, replayed, finds them again.
        """
        while True:
            try:
                step()
            except Exception as error:
                log.exception("alerts could not be written; trying again")
                self.trouble = f"{type(error).__name__}: {error}"
                if self._closing.wait(1):
                    return False
                continue
            self.trouble = ""
            return True

    def _write(self, episodes: Episodes) -> None:
        for topic, body in self.alerts.write(episodes, self.bus.heard):
            self.bus.publish(topic, body)
