"""The second thread of the pipeline: writes alerts in the order they were found, then tells everybody who listens."""

import logging
import queue
import threading

from cheng.infrastructure.alert_book import AlertBook, Found
from cheng.infrastructure.bus import Bus
from cheng.infrastructure.judges import Checkpoint, Judges

log = logging.getLogger(__name__)
WAITING = 64
"""Lots of alerts that may wait; beyond it the judging waits, and behind it the senders."""


class AlertWriter:
    """Takes what the judging found, with a checkpoint now and then to be written after it."""

    def __init__(self, alerts: AlertBook, judges: Judges, bus: Bus) -> None:
        self.alerts, self.judges, self.bus = alerts, judges, bus
        self.written = 0
        self.trouble = ""
        """why alerts cannot be written at present; empty while they can"""
        self._closing = threading.Event()
        self._inbox: queue.Queue[tuple[list[Found], Checkpoint | None] | threading.Event | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, found: list[Found], checkpoint: Checkpoint | None = None) -> None:
        self._inbox.put((found, checkpoint))

    def tell(self, reached: threading.Event) -> None:
        """Sets the event when all that was put before is written."""
        self._inbox.put(reached)

    def close(self) -> None:
        self._closing.set()
        self._inbox.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (item := self._inbox.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            found, checkpoint = item
            if self._write(found) and checkpoint is not None:
                self.judges.save(checkpoint)

    def _write(self, found: list[Found]) -> bool:
        """Alerts wait for a store that does not answer, and readings behind them; nothing is dropped.

        False when the house closes first: then the log, replayed, finds them again.
        """
        while True:
            try:
                messages = self.alerts.apply(found)
            except Exception as error:
                log.exception("alerts could not be written; trying again")
                self.trouble = f"{type(error).__name__}: {error}"
                if self._closing.wait(1):
                    return False
                continue
            self.trouble = ""
            self.written += len(messages)
            for topic, body in messages:
                self.bus.publish(topic, body)
            return True
