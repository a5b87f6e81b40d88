"""Runs the jobs of applications and the chores of the house: on schedule, apart from each other, with a log.

One thread looks what is due on the hub's clock; a few carry it out. A job over many rows is worked out in a process
of its own, so that pages and devices do not wait for it. What fails says so in its log, waits longer each time it
fails again, and holds up nothing else.
"""

import logging
import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from cheng.chores import CHORES, Chore
from cheng.hub import Hub
from cheng.infrastructure.command_book import CommandBook
from cheng.infrastructure.job_log import JobLog, Said
from cheng.infrastructure.job_tables import orders_of, reports_of, table_of, wrong
from cheng.infrastructure.progress import Progress
from cheng.infrastructure.resolving import resolve
from cheng.kernel.columns import Floats
from cheng.kernel.jobs import Job
from cheng.security.actors import HOUSE
from cheng.standards.durations import days
from cheng.standards.problems import InputError, Refused

log = logging.getLogger(__name__)
HANDS = 4
"""Jobs at a time."""
HEAVY = 50_000
"""Rows in a job's tables from which it is worked out in a process of its own."""
LONGEST_NAP = 1.0
"""Seconds between two looks at the clock."""
MOST_PATIENT = 6
"""After so many failures in a row a job does not wait longer still: 2**6 times its interval."""
RARE = days(1).us
TOLD = 5
SENTENCES = {
    True: "Rows read: {rows}; readings written: {n}; refused: {refused}.",
    False: "Rows read: {rows}; commands sent: {n}; refused: {refused}.",
}
"""What a job did, by whether it writes readings."""
"""Refused rows that a job's log names."""

Work = type[Job] | Chore


@dataclass
class Turn:
    """When something is due, and how it went."""

    work: Work
    due: int
    progress: Progress | None = None
    """of the run that is under way"""
    failures: int = 0

    @property
    def busy(self) -> bool:
        return self.progress is not None

    @property
    def key(self) -> str:
        return self.work.key if isinstance(self.work, Chore) else self.work.key()

    def next_after(self, now: int) -> int:
        """The next time, on whole intervals; later after failures."""
        every = self.work.every.us
        waits: int = 2 ** min(self.failures, MOST_PATIENT)
        return (now // every + waits) * every


class Worker:
    """The house's own work. `start()` it once, `stop()` it in the end; or `run_due(now)` by hand."""

    def __init__(self, hub: Hub, chores: Sequence[Chore] = CHORES) -> None:
        self.hub = hub
        self.journal = JobLog(hub.store)
        self.commands = CommandBook(hub.store, hub.things, hub.bus, hub.clock)
        begun = self.journal.last_started()
        now = hub.clock.now()
        self.turns: dict[str, Turn] = {}
        works: list[Work] = [*hub.model.jobs.values(), *chores]
        for work in works:
            turn = Turn(work, now)
            last = begun.get(turn.key)
            turn.due = now if last is None else min(max(last + work.every.us, now), now + work.every.us)
            self.turns[turn.key] = turn
        self._asked: dict[str, Progress] = {}
        """what people have asked for and is under way"""
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="job")
        self._processes: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_time, name="worker", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self.journal.cut_off(self.hub.clock.now())
        self._thread.start()

    def stop(self) -> None:
        """Lets what is being worked out end, and works no more."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._hands.shutdown(wait=True, cancel_futures=True)
        if self._processes is not None:
            self._processes.shutdown(wait=True, cancel_futures=True)

    # -- time

    def _keep_time(self) -> None:
        while not self._stopping.is_set():
            now = self.hub.clock.now()
            self.begin_due(now)
            wait = (min((turn.due for turn in self.turns.values()), default=now) - now) / 1e6 / self.hub.clock.speed
            self._stopping.wait(min(max(wait, 0.01), LONGEST_NAP))

    def begin_due(self, now: int) -> list["Future[None]"]:
        """Hands out what is due; nothing is ever under way twice."""
        with self._lock:
            due = [turn for turn in self.turns.values() if turn.due <= now and not turn.busy]
            for turn in due:
                turn.progress, turn.due = Progress(self.hub.clock.now), turn.next_after(now)
        return [self._hands.submit(self._run, turn) for turn in due]

    def run_due(self, now: int) -> None:
        """Works out what is due, and waits for it."""
        for done in self.begin_due(now):
            done.result()

    def run_now(self, key: str) -> "Future[None]":
        """Works something out at once, asked by a person. Refused: no such job, or it is under way."""
        turn = self.turns.get(key)
        if turn is None:
            raise Refused("not-there", "There is no job {job}.", {"job": key}, status=404)
        with self._lock:
            if turn.busy:
                raise under_way()
            turn.progress = Progress(self.hub.clock.now)
        return self._hands.submit(self._run, turn)

    def begin(self, key: str, work: Callable[[Progress], Said]) -> "Future[None]":
        """Has something done in the background that a person asks for, with a log as a job's; `work` tells how far it
        is, and in the end what came of it. Refused while the last one of that key is under way.
        """
        with self._lock:
            if key in self._asked:
                raise under_way()
            progress = self._asked[key] = Progress(self.hub.clock.now)
        return self._hands.submit(self._do, key, work, progress)

    def progress(self, key: str) -> Progress | None:
        """How far something has come that is under way."""
        turn = self.turns.get(key)
        return self._asked.get(key) or (turn.progress if turn is not None else None)

    def _do(self, key: str, work: Callable[[Progress], Said], progress: Progress) -> None:
        try:
            self._logged(key, lambda: work(progress))
        finally:
            with self._lock:
                del self._asked[key]

    def _run(self, turn: Turn) -> None:
        try:
            well = self._chore(turn.work) if isinstance(turn.work, Chore) else self._job(turn.work, turn.progress)
        except Exception:
            log.exception("the log of %s could not be written", turn.key)
            well = False
        with self._lock:
            turn.progress, turn.failures = None, 0 if well else turn.failures + 1
            turn.due = max(turn.due, turn.next_after(self.hub.clock.now())) if not well else turn.due

    # -- chores

    def _chore(self, chore: Chore) -> bool:
        started = self.hub.clock.now()
        try:
            said = chore.run(self.hub)
        except Exception as error:  # whatever went wrong, the rest of the house goes on
            self.journal.write(chore.key, started, self.hub.clock.now(), "failed", failure(error))
            log.warning("%s failed: %s", chore.key, error)
            return False
        if said is not None or chore.every.us >= RARE:  # what is rare is noted, so that a restart does not do it again
            self.journal.write(chore.key, started, self.hub.clock.now(), "done", said or Said())
        return True

    # -- jobs

    def _job(self, job: type[Job], progress: Progress | None) -> bool:
        return self._logged(job.key(), lambda: self.work_out(job, self.hub.clock.now(), progress))

    def _logged(self, key: str, work: Callable[[], Said]) -> bool:
        run = self.journal.begin(key, self.hub.clock.now())
        try:
            said, outcome = work(), "done"
        except Exception as error:  # an application's mistake is its own; the rest of the house goes on
            said, outcome = failure(error), "failed"
            log.warning("%s failed: %s", key, error)
        self.journal.end(run, self.hub.clock.now(), outcome, said)
        self.hub.bus.publish("jobs/" + outcome, {"job": key, "run": run, "log": str(said)})
        return outcome == "done"

    def work_out(self, job: type[Job], now: int, progress: Progress | None = None) -> Said:
        """Runs a job over the tables it reads and does what it says; a few words on what came of it.

        Raises SpecError when it returns something else than it declared, and whatever its own function raises.
        """
        hub, progress = self.hub, progress or Progress()
        tables: list[pa.Table] = []
        for number, source in enumerate(job.reads, 1):
            progress.tell("Reading table {n} of {all}", n=number, all=len(job.reads))
            tables.append(table_of(source, hub.things, hub.history, self._latitudes, now))
        rows = sum(table.num_rows for table in tables)
        progress.tell("Working out {n} rows", n=rows)
        result = self._call(job.run, rows, now, *tables)
        if not isinstance(result, pa.Table):
            raise wrong(job.key(), f"a {type(result).__name__}", "return a pyarrow.Table")
        refused: list[InputError] | list[Refused]
        if job.writes is not None:
            batch, refused = resolve(reports_of(result, job.writes, now, job.key()), hub.things)
            progress.tell("Writing {n} readings", n=len(batch))
            if len(batch):
                hub.pipeline.submit(batch).result()
            done = len(batch)
        else:
            assert job.sends is not None
            progress.tell("Sending {n} commands", n=result.num_rows)
            done, refused = self.commands.send_all(orders_of(result, job.sends, job.key()), HOUSE.name)
        told = "".join(f"\n{error}" for error in refused[:TOLD])
        return Said(SENTENCES[job.writes is not None], {"rows": rows, "n": done, "refused": len(refused)}, told)

    def _latitudes(self, type_name: str, field: str) -> Floats:
        judge = self.hub.judges.by_type[type_name]
        latitudes: Floats = judge.now.latitude[judge.register.columns()[field]]
        return latitudes

    def _call(self, function: Callable[..., Any], rows: int, *arguments: Any) -> Any:
        """Calls a job's function: here, or in a process of its own when there is much to do."""
        if rows < HEAVY:
            return function(*arguments)
        try:
            return self._pool().submit(function, *arguments).result()
        except BrokenProcessPool:
            with self._lock:
                self._processes = None
            raise

    def _pool(self) -> Executor:
        with self._lock:
            if self._processes is None:
                context = multiprocessing.get_context("spawn")
                self._processes = ProcessPoolExecutor(1, mp_context=context, initializer=leave_signals_alone)
            return self._processes


def under_way() -> Refused:
    return Refused("under-way", "This is being worked out just now.")


def leave_signals_alone() -> None:
    """Ctrl-C reaches every process of a terminal; the hub itself says when its helpers end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def failure(error: Exception) -> Said:
    """Why something failed, for the console: the sentence, or where in the application it happened."""
    if isinstance(error, Refused):
        return Said(error.message, error.values)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return Said(more=f"{type(error).__name__}: {error}{place}")
