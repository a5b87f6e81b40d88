"""The pipeline: from readings that came in to alerts and cases. Start reading here.

    doors ──▶ resolve ──▶ mark ──▶ judge ──▶ log (durable) ──▶ acknowledge
                                     └──────────────▶ alerts ──▶ cases ──▶ everybody who listens

Three threads, each handing on to the next in order. The first judges whatever has come in since it last looked, so
that one fsync serves many senders. The second makes it durable and acknowledges, while the first judges the next
lot. The third writes alerts. After a crash the log is replayed from the last checkpoint; alerts have keys, so what
was found before is found again and not raised twice. What cannot be made durable is not acknowledged, nor is
anything judged after it: the judging goes back to what the log holds.
"""

import logging
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from cheng.infrastructure.alert_book import AlertBook
from cheng.infrastructure.alert_changes import Episodes, Found
from cheng.infrastructure.alert_writer import AlertWriter
from cheng.infrastructure.bus import Bus
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.history import History
from cheng.infrastructure.inbox import Inbox, Waiting
from cheng.infrastructure.judge_states import Checkpoint
from cheng.infrastructure.judges import Judges
from cheng.kernel.observations import Batch, Events, Frame
from cheng.standards.durations import minutes
from cheng.standards.problems import Refused

log = logging.getLogger(__name__)
ROOM = 2_000_000
"""Readings that may be under way; beyond it senders are asked to come again."""
GROUP = 100_000
"""Readings judged and committed in one go, about: what waits longest for its acknowledgement waits for two of them."""
AHEAD = 2
"""Lots that may be judged before the first of them is durable."""
FEW = 100
"""Readings for which handing over to another thread takes longer than it saves."""
EVERY = minutes(1).us
"""How often the state of the judging is written down."""


@dataclass
class Counters:
    """What went through, since the start."""

    accepted: int = 0
    marked: int = 0
    commits: int = 0
    turned_away: int = 0


@dataclass
class Lot:
    """What was judged in one go and has to be made durable before anybody hears of it."""

    waiting: list[Waiting]
    frames: list[Frame] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    marks: list[threading.Event] = field(default_factory=list)


class Pipeline:
    """Takes frames from any thread; `start()` it once, `close()` it in the end."""

    def __init__(self, judges: Judges, history: History, alerts: AlertBook, bus: Bus, clock: Clock) -> None:
        self.judges, self.history, self.alerts, self.bus, self.clock = judges, history, alerts, bus, clock
        self.counters = Counters()
        self.inbox = Inbox(ROOM)
        self.writer = AlertWriter(alerts, judges, bus)
        self._judged: queue.Queue[Lot | None] = queue.Queue(AHEAD)
        self._torn = threading.Event()
        """set when something could not be made durable: what was judged after it is not acknowledged either"""
        self._spoilt = False
        """whether the judging broke off and its state is not to be trusted"""
        self._saved = clock.now()
        self._judging = threading.Thread(target=self._judge_all, name="judging", daemon=True)
        self._committing = threading.Thread(target=self._commit_all, name="committing", daemon=True)

    def start(self) -> None:
        """Replays what the last run had judged only in memory, then opens for readings."""
        self.judges.warm_up()
        episodes = Episodes()
        for first, frame in self.history.replay(self.judges.seq):
            episodes.add(self.judges.replay(frame, first))
            self.judges.seq = first + len(frame) - 1
        self.alerts.write(episodes)
        self.judges.seq = self.history.next - 1
        self.alerts.reconcile(self.judges.standing())
        self.writer.start()
        self._committing.start()
        self._judging.start()

    def submit(self, frame: Frame, sender: str = "") -> "Future[int]":
        """Hands in readings or events; the future is done when they are durable, with the number of marked ones.

        Senders are served in turn. Refused 429 while too much of this one is waiting, 503 when the house closes.
        """
        try:
            return self.inbox.put(frame, sender)
        except Refused:
            self.counters.turned_away += len(frame)
            raise

    def ahead(self) -> int:
        """Lots that are judged and not durable yet."""
        return self._judged.unfinished_tasks

    def drain(self) -> None:
        """Returns when all that was submitted before is judged and its alerts are written."""
        self.inbox.mark().wait()

    def close(self) -> None:
        """Takes what is waiting, then writes down the state of the judging."""
        self.inbox.close()
        self._judging.join()
        self._committing.join()
        self.writer.close()
        if not self.writer.trouble:
            self.judges.save(self.judges.freeze())

    # -- the thread that judges

    def _judge_all(self) -> None:
        while not self.inbox.done():
            group = self.inbox.take(GROUP, 1 / max(self.clock.speed, 1))
            lot = Lot(group)
            try:
                if self._torn.is_set() or self._spoilt:
                    self._go_back()
                self._judge(lot)
            except Exception as error:
                log.exception("readings could not be judged; nothing of them is acknowledged")
                self._fail(lot, error)
                self._spoilt, lot = True, Lot([])
            lot.marks = self.inbox.reached()
            if lot.frames or lot.found or lot.checkpoint or lot.marks:
                self._hand_on(lot)
        self._judged.put(Lot([], marks=self.inbox.reached()))
        self._judged.put(None)

    def _hand_on(self, lot: Lot) -> None:
        """To the second thread; a few readings, with nothing before them, are made durable here and now."""
        if self._judged.unfinished_tasks == 0 and sum(map(len, lot.frames)) <= FEW:
            self._make_durable(lot)
        else:
            self._judged.put(lot)

    def _judge(self, lot: Lot) -> None:
        """Batches as one, then events; last what the passing of time has made true."""
        batches = [w.frame for w in lot.waiting if isinstance(w.frame, Batch)]
        if batches:
            batch = Batch.concat(batches)
            lot.found += self.judges.take(batch, self.clock.now())
            lot.frames.append(batch)
        for waiting in lot.waiting:
            if isinstance(waiting.frame, Events):
                lot.found += self.judges.take_events(waiting.frame)
                lot.frames.append(waiting.frame)
        self.judges.seq += sum(map(len, lot.frames))
        now = self.clock.now()
        lot.found += self.judges.tick(now)
        if self.judges.freezing or (now - self._saved >= EVERY and self.judges.seq != self.judges.saved):
            self._saved, lot.checkpoint = now, self.judges.freeze_some()

    def _go_back(self) -> None:
        """To what is durable, once the second thread has let go of everything judged before."""
        self._judged.join()
        self.judges.restore_from(self.history)
        self.judges.seq = self.history.next - 1
        self._spoilt = False
        self._torn.clear()

    # -- the thread that makes durable

    def _commit_all(self) -> None:
        while (lot := self._judged.get()) is not None:
            self._make_durable(lot)
            self._judged.task_done()

    def _make_durable(self, lot: Lot) -> None:
        try:
            if self._torn.is_set():
                raise Refused("not-durable", "The readings could not be written down; send them again.", status=503)
            self._commit(lot)
        except Exception as error:
            if not self._torn.is_set():
                log.exception("readings could not be made durable; nothing of them is acknowledged")
                self._torn.set()
            self._fail(lot, error)
        for mark in lot.marks:
            self.writer.tell(mark)

    def _commit(self, lot: Lot) -> None:
        """Durable first, then acknowledged, then told on."""
        for frame in lot.frames:
            self.history.append(frame)
        if lot.frames:
            self.counters.commits += 1
            self.counters.accepted += sum(map(len, lot.frames))
            self.bus.publish("readings", {"accepted": self.counters.accepted})
        self.inbox.release(lot.waiting)
        self._acknowledge(lot)
        if lot.found or lot.checkpoint:
            self.writer.put(lot.found, lot.checkpoint)

    def _acknowledge(self, lot: Lot) -> None:
        """Tells everybody who still waits how many of their readings are marked; events never are."""
        at = 0
        for waiting in lot.waiting:
            marked = 0
            if isinstance(waiting.frame, Batch):
                end = at + len(waiting.frame)
                waiting.frame.quality = lot.frames[0].quality[at:end]  # whoever handed it in may look
                at, marked = end, waiting.frame.marked()
                self.counters.marked += marked
            if waiting.done.set_running_or_notify_cancel():
                waiting.done.set_result(marked)

    def _fail(self, lot: Lot, error: Exception) -> None:
        for waiting in lot.waiting:
            if not waiting.done.done() and waiting.done.set_running_or_notify_cancel():
                waiting.done.set_exception(error)
        self.inbox.release(lot.waiting)
