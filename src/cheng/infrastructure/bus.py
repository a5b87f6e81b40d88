"""What just happened, told to whoever listens in this process: pages that are open, connected devices, jobs.

`publish` may be called from any thread and never waits. Who listens too slowly is cut off and told so, and has to
ask for the present state again: a full queue must not hold up the others, nor swallow one message in silence.
"""

import asyncio
import re
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import translate
from types import TracebackType
from typing import Any, NamedTuple, Self

from cheng.standards.problems import Problem, SpecError

CUT_OFF = "bus/cut-off"
"""Topic of the last message for a subscriber that was too slow; its body says how many were waiting."""


class Message(NamedTuple):
    """One thing that happened."""

    topic: str
    """Words with slashes: `alerts/raised`."""
    body: dict[str, Any]
    number: int
    """Counts from 1 over the whole bus."""


@dataclass
class Counters:
    """What the bus has done since it started."""

    published: int = 0
    delivered: int = 0
    cut_off: int = 0
    subscribers: int = 0


class Subscription:
    """Messages of the topics asked for, as an async iterator; `async with` or `close()` ends it."""

    def __init__(self, bus: "Bus", patterns: tuple[str, ...], limit: int) -> None:
        self._bus = bus
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Message] = deque()
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self._woken = False
        self.closed = False
        self._match = re.compile("|".join(translate(pattern) for pattern in patterns)).match

    def wants(self, topic: str) -> bool:
        return self._match(topic) is not None

    def _put(self, message: Message) -> bool:
        """Queue a message from any thread; False when that cut this subscriber off."""
        with self._lock:
            if self.closed:
                return True
            fits = len(self._queue) < self._limit
            if not fits:
                waiting = len(self._queue)
                self._queue.clear()
                message = Message(CUT_OFF, {"missed": waiting + 1}, message.number)
                self.closed = True
            self._queue.append(message)
            self._wake()
        return fits

    def _wake(self) -> None:
        """Tell the loop once that there is something to take; a loop that is gone needs no telling."""
        if self._woken:
            return
        self._woken = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ready.set)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        while True:
            with self._lock:
                if self._queue:
                    return self._queue.popleft()
                if self.closed:
                    break
                self._ready.clear()
                self._woken = False
            await self._ready.wait()
        self._bus._forget(self)
        raise StopAsyncIteration

    async def several(self, most: int = sys.maxsize) -> list[Message]:
        """What waits, `most` messages and at least one; none when there will be no more."""
        try:
            found = [await anext(self)]
        except StopAsyncIteration:
            return []
        with self._lock:
            found += [self._queue.popleft() for _ in range(min(len(self._queue), most - 1))]
        return found

    def close(self) -> None:
        """Stop listening; what waits is dropped and an iteration under way ends."""
        with self._lock:
            self.closed = True
            self._queue.clear()
            self._wake()
        self._bus._forget(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Bus:
    """A bus inside one process."""

    def __init__(self, limit: int = 1000) -> None:
        """`limit`: how many messages may wait for one subscriber before it is cut off."""
        self.limit = limit
        self.counters = Counters()
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []
        self._interested: dict[str, list[Subscription]] = {}

    def publish(self, topic: str, message: dict[str, Any]) -> int:
        """Tell everyone who asked for `topic`, from any thread, without waiting; the message's number."""
        with self._lock:
            self.counters.published += 1
            told = Message(topic, message, self.counters.published)
            interested = self._listeners(topic)
            slow = [each for each in interested if not each._put(told)]
            self.counters.delivered += len(interested) - len(slow)
            self.counters.cut_off += len(slow)
            for each in slow:
                self._remove(each)
        return told.number

    def heard(self, topic: str) -> bool:
        """Whether anybody listens to a topic just now: for who would have to find the words first."""
        with self._lock:
            return bool(self._listeners(topic))

    def _listeners(self, topic: str) -> list[Subscription]:
        interested = self._interested.get(topic)
        if interested is None:
            if len(self._interested) > 10_000:  # topics with ids in them would fill the memory
                self._interested.clear()
            interested = self._interested[topic] = [each for each in self._subscriptions if each.wants(topic)]
        return interested

    def subscribe(self, *patterns: str, limit: int | None = None) -> Subscription:
        """Listen to topics from now on; patterns as for file names (`alerts/*`, `*`). Needs a running loop."""
        if not patterns:
            raise ValueError("a subscriber has to say what it wants to hear")
        subscription = Subscription(self, patterns, self.limit if limit is None else limit)
        with self._lock:
            self._subscriptions.append(subscription)
            self._interested.clear()
            self.counters.subscribers = len(self._subscriptions)
        return subscription

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            self._remove(subscription)

    def _remove(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._interested.clear()
            self.counters.subscribers = len(self._subscriptions)

    def close(self) -> None:
        """End every subscription."""
        with self._lock:
            everyone = list(self._subscriptions)
        for each in everyone:
            each.close()


def open_bus(url: str = "") -> Bus:
    """The bus a URL names: "" or `memory://`. Raises SpecError for others."""
    if url not in ("", "memory://"):
        hint = "leave it empty: messages stay inside the process"
        raise SpecError([Problem("S110", "This bus is not there yet", url.partition("://")[0], hint)])
    return Bus()
