"""The life of the invented city: its past in bulk, then every second what is due, all through the hub's own doors."""

import asyncio
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from cheng.demo.cast import Cast, reports_of
from cheng.demo.clock import DemoClock, leave
from cheng.demo.crews import Crews
from cheng.demo.voices import Voices
from cheng.hub import Hub
from cheng.infrastructure.bus import CUT_OFF, Subscription
from cheng.infrastructure.report_book import NewReport
from cheng.protocols.intake import Intake
from cheng.security.actors import HOUSE
from cheng.standards.durations import hours, minutes
from cheng.worker import Worker

log = logging.getLogger(__name__)
STEP = minutes(20).us
"""The past is lived through in steps of so long."""
NEARLY = minutes(1).us
"""When so little is left the present has been reached."""
SLEPT = hours(48).us
"""What went wrong so long before the city was left may still be wrong."""
LEAVE = minutes(1).us
"""How often the city's time is noted, so that it goes on from there after a restart."""
LOOK = 5
"""Crews look for new cases every so many batches."""
BREATH = 1.0
"""Seconds of the hub's time between two batches."""
SHORTEST = 0.25
"""Seconds of real time between two batches, however fast the city lives."""


class Feed:
    """Readings, events, obedient devices and busy crews, until it is told to stop."""

    def __init__(
        self,
        hub: Hub,
        casts: Sequence[Cast],
        voices: Sequence[Voices],
        seed: int,
        accounts: list[tuple[str, str]],
    ) -> None:
        self.hub, self.casts, self.voices, self.accounts = hub, casts, voices, accounts
        """accounts: (name, password) of those that were made at this start"""
        self.intake = Intake(hub)
        self.crews = Crews(hub, seed, self.mended)
        self.last = hub.clock.now()
        """up to where the city has lived"""
        self.sent = 0
        self._left = 0
        self._by_thing = {thing: cast for cast in casts for thing in cast.ids}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)

    def mended(self, thing: str, at: int) -> None:
        """Somebody has put a thing right."""
        if (cast := self._by_thing.get(thing)) is not None:
            cast.mend(thing, at)

    # -- the past

    async def catch_up(
        self,
        clock: DemoClock,
        wall: Callable[[], int],
        so_far: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Lives from where the clock stands to what `wall` says, µs UTC, and lets the clock run.

        Ends early when `stopped`; `so_far` hears how far it is.
        """
        self._wake()
        begun = self.last
        worker = Worker(self.hub, chores=())
        with_orders = self.hub.bus.subscribe("commands/*", limit=1_000_000)
        try:
            while (until := wall()) - self.last > NEARLY and not stopped():
                so_far(f"living through its past: {(until - self.last) / hours(1).us:.1f} hours to go")
                start, end = self.last, min(self.last + STEP, until)
                self.live_through(clock, start, end)
                clock.set(end)
                await self.send(start, end)
                self.hub.pipeline.drain()
                if end // STEP % 2 or end == until:
                    worker.run_due(end)
                    self.take_orders(await waiting(with_orders), end)
                self.crews.look(open_house=False)
                self.last = end
                leave(self.hub.settings.data, end)
        finally:
            worker.stop()
            with_orders.close()
        if self.last - begun >= hours(1).us and not stopped():  # what is shorter the hub's own chore takes up at once
            so_far("working out the indicators of its past")
            self.hub.indicators.keep_all(3)
        clock.go()
        self.last = self.hub.clock.now()

    def live_through(self, clock: DemoClock, start: int, end: int) -> None:
        """What people report and crews do in (start, end], each at its moment."""
        told = deque(self.told(start, end))
        while True:
            at, heard = self.crews.next_at(), told[0][0] if told else None
            moment = min((each for each in (at, heard) if each is not None), default=None)
            if moment is None or moment > end:
                return
            clock.set(max(moment, start))
            if heard == moment:
                self.hear([told.popleft()[1]])
            else:
                self.crews.act(moment)

    def told(self, start: int, end: int) -> list[tuple[int, NewReport]]:
        """What people report in (start, end], in its order."""
        return sorted((each for voices in self.voices for each in voices.told(start, end)), key=lambda each: each[0])

    def hear(self, reports: Sequence[NewReport]) -> None:
        """People report, by the door that all channels use."""
        for report in reports:
            self.crews.heard(self.hub.reports.file(report).filed)

    def _wake(self) -> None:
        """What was wrong when the city was left, and nobody has mended, is still wrong."""
        unsolved = self.crews.unsolved()
        for cast in self.casts:
            cast.wake(self.hub.things)
            cast.relive(self.last - SLEPT, self.last, unsolved)

    # -- from now on

    def start(self) -> None:
        """Goes on living, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stops, and notes what time it is in the city."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        leave(self.hub.settings.data, self.last)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except Exception:
            log.exception("the invented city stands still")

    async def _live(self) -> None:
        for cast in self.casts:
            cast.open_show(self.hub.clock.now())
        orders, beats = self.hub.bus.subscribe("commands/*", limit=1_000_000), 0
        try:
            while not self._stopping.is_set():
                now = self.hub.clock.now()
                self.take_orders(await waiting(orders), now)
                await self.send(self.last, now)
                self.hear([report for _, report in self.told(self.last, now)])
                if beats % LOOK == 0:
                    self.crews.look(open_house=True)
                beats += 1
                self.crews.act(now)
                self.last = now
                if now - self._left >= LEAVE:
                    self._left = now
                    leave(self.hub.settings.data, now)
                await asyncio.to_thread(self._stopping.wait, max(BREATH / self.hub.clock.speed, SHORTEST))
        finally:
            orders.close()

    # -- both

    async def send(self, start: int, end: int) -> None:
        """Everything that is reported and happens in (start, end], by the doors that devices use."""
        chunks = [chunk for cast in self.casts if (chunk := cast.report(start, end)) is not None]
        if chunks:
            self.sent += self.intake.take_now(reports_of(chunks), HOUSE, "demo").accepted
        events = [event for cast in self.casts for event in cast.events(start, end)]
        if events:
            payload = "\n".join(json.dumps(event) for event in events).encode()
            self.sent += (await self.intake.take_events(payload, HOUSE, "demo")).accepted

    def take_orders(self, orders: list[dict[str, object]], at: int) -> None:
        """Devices do what they are told."""
        for order in orders:
            thing, arguments = str(order["thing"]), order["arguments"]
            if (cast := self._by_thing.get(thing)) is not None and isinstance(arguments, dict):
                cast.obey(thing, str(order["command"]), arguments, at)


async def waiting(subscription: Subscription) -> list[dict[str, object]]:
    """What has come by the bus and was not taken yet."""
    try:
        came = await asyncio.wait_for(subscription.several(), 0.001)
    except TimeoutError:
        return []
    return [message.body for message in came if message.topic != CUT_OFF]
