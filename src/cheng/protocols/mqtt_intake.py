"""Hands what clients publish to the hub in groups, and settles each publish once the hub has made it durable.

All that arrives in one turn of the event loop, from whichever client, is one call of the hub, and so is all that
arrives while two calls are under way. They are settled in the order they were made, so acknowledgements keep each
client's order.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from cheng.protocols.mqtt_hub import ACCEPTED, Counters, Hub, Publish
from cheng.protocols.mqtt_session import Session

_log = logging.getLogger(__name__)
_GROUP = 8192
_AT_ONCE = 2
"""Calls under way: one is decoded while the other is made durable."""
OVERHEAD = 256
"""Bytes that a waiting publish takes beside its payload, about."""


class Origin(Protocol):
    """The connection that a publish came from."""

    def settled(self, publish: Publish, packet_id: int, verdict: int) -> None:
        """The publish is durable, or refused for the reason given as verdict (0x80 and above)."""

    def unsettled(self, publish: Publish, packet_id: int) -> None:
        """Nobody knows whether the publish is durable; it must not be acknowledged."""


class Pending(msgspec.Struct, gc=False):
    """A publish that waits for the hub."""

    publish: Publish
    packet_id: int
    session: Session
    origin: Origin | None = None
    """None for a will."""
    verdict: int = ACCEPTED
    """Something else when it was refused before the hub is asked; it waits only for its turn."""


class _Group:
    __slots__ = ("pending", "task")

    def __init__(self, pending: list[Pending], task: "asyncio.Task[Sequence[int] | None] | None") -> None:
        self.pending = pending
        self.task = task


class Intake:
    """The way from the connections to the hub.

    `route` gets every publish that the hub accepted, in order; `release` is called whenever the hub has answered.
    """

    def __init__(
        self,
        hub: Hub,
        counters: Counters,
        route: Callable[[Publish, Session | None], int],
        release: Callable[[], None],
    ) -> None:
        self.bytes = 0
        """What publishes that wait for the hub take."""
        self._hub = hub
        self._counters = counters
        self._route = route
        self._release = release
        self._open: list[Pending] = []
        self._groups: deque[_Group] = deque()

    def add(self, pending: Pending) -> None:
        """Takes a publish into the group of this turn of the event loop."""
        if not self._open:
            asyncio.get_running_loop().call_soon(self._flush)
        self._open.append(pending)
        self.bytes += len(pending.publish.payload) + OVERHEAD

    def idle(self) -> bool:
        """Does nothing wait for the hub?"""
        return not (self._open or self._groups)

    async def drain(self, seconds: float) -> None:
        """Waits until the hub has answered everything, but no longer than that; then gives up on the rest."""
        self._close_group(len(self._open))
        self._settle_in_order()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while tasks := [group.task for group in self._groups if group.task is not None]:
            await asyncio.wait(tasks[:1], timeout=max(0.0, end - loop.time()))
            self._settle_in_order()
            if loop.time() >= end:
                break
        for task in [group.task for group in self._groups if group.task is not None]:
            task.cancel()
        self._groups.clear()
        self.bytes = 0

    def _flush(self) -> None:
        while self._open and sum(group.task is not None for group in self._groups) < _AT_ONCE:
            self._close_group()
            self._settle_in_order()

    def _close_group(self, size: int = _GROUP) -> None:
        if self._open:
            pending, self._open = self._open[:size], self._open[size:]
            self._groups.append(self._group(pending))

    def _group(self, pending: list[Pending]) -> _Group:
        publishes = [one.publish for one in pending if one.verdict == ACCEPTED]
        if not publishes:
            return _Group(pending, None)
        task = asyncio.get_running_loop().create_task(self._ask(publishes))
        task.add_done_callback(self._answered)
        return _Group(pending, task)

    async def _ask(self, publishes: list[Publish]) -> Sequence[int] | None:
        verdicts = await self._hub.receive(publishes)
        if verdicts is not None and len(verdicts) != len(publishes):
            raise ValueError(f"the hub gave {len(verdicts)} verdicts on {len(publishes)} publishes")
        return verdicts

    def _answered(self, _task: "asyncio.Task[Sequence[int] | None]") -> None:
        self._settle_in_order()

    def _settle_in_order(self) -> None:
        settled = False
        while self._groups and (self._groups[0].task is None or self._groups[0].task.done()):
            settled = True
            group = self._groups.popleft()
            error = _error(group.task)
            if error is None:
                self._settle(group)
            else:
                self._retry_or_fail(group, error)
        if settled:
            self._flush()
            self._release()

    def _settle(self, group: _Group) -> None:
        answer = group.task.result() if group.task is not None else None
        verdicts = iter(answer) if answer is not None else None
        counters = self._counters
        for pending in group.pending:
            publish = pending.publish
            self.bytes -= len(publish.payload) + OVERHEAD
            verdict = pending.verdict
            if verdict == ACCEPTED and verdicts is not None:
                verdict = next(verdicts)
            if verdict == ACCEPTED:
                counters.received += 1
                counters.received_bytes += len(publish.payload)
                self._route(publish, pending.session)
            else:
                counters.refused += 1
            if pending.origin is not None:
                pending.origin.settled(publish, pending.packet_id, verdict)

    def _retry_or_fail(self, group: _Group, error: BaseException) -> None:
        clients: dict[Session, list[Pending]] = {}
        for pending in group.pending:
            clients.setdefault(pending.session, []).append(pending)
        if len(clients) > 1:
            for part in reversed(clients.values()):
                self._groups.appendleft(self._group(part))
            return
        _log.error("the hub could not take %d publishes", len(group.pending), exc_info=error)
        self._counters.failed += len(group.pending)
        for pending in group.pending:
            self.bytes -= len(pending.publish.payload) + OVERHEAD
            if pending.origin is not None:
                pending.origin.unsettled(pending.publish, pending.packet_id)


def _error(task: "asyncio.Task[Sequence[int] | None] | None") -> BaseException | None:
    if task is None:
        return None
    return asyncio.CancelledError() if task.cancelled() else task.exception()
