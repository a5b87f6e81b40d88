"""The MQTT listener: versions 3.1.1 and 5.0, QoS 0, 1 and 2, on asyncio.

A QoS 1 publish is acknowledged once the hub has made it durable, never before. Sessions, retained messages and what
waits for clients live in memory: after a restart clients see "no session present" and subscribe again.
"""

import asyncio
import ssl as tls
import time
from collections.abc import Callable

from cheng.protocols.mqtt_connection import Connection, Switchboard
from cheng.protocols.mqtt_hub import Counters, Hub, Limits, Owner, Principal, Publish
from cheng.protocols.mqtt_properties import Reason


class Broker:
    """Listens for MQTT clients and stands between them and the hub. All methods belong to the event loop's thread."""

    def __init__(
        self,
        hub: Hub,
        limits: Limits | None = None,
        now: Callable[[], float] = time.monotonic,
        owner: Owner = lambda principal: principal,
    ) -> None:
        """`now` is a clock in seconds that never goes back; keep-alive, delays and expiry go by it.

        `owner` tells which principals are the same client under new rights, so that it finds its session again:
        for an account, its kind and name.
        """
        self.limits = limits or Limits()
        self._counters = Counters()
        self._board = Switchboard(hub, self.limits, self._counters, now, owner)
        self._now = now
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int, ssl: tls.SSLContext | None = None) -> int:
        """Listens; may be called again for another address. Returns the port (the chosen one when `port` is 0)."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(self._board),
            host,
            port,
            ssl=ssl,
            backlog=1024,
            ssl_handshake_timeout=self.limits.connect_time if ssl else None,
        )
        self._servers.append(server)
        self._board.stopping = False
        if self._timer is None:
            self._timer = loop.call_later(self.limits.tick, self._tick)
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Lets the hub answer what it has, acknowledges that, says good-bye to everybody and stops listening."""
        board = self._board
        board.stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for server in self._servers:
            server.close()
        for connection in list(board.connections):
            connection.regulate()
        await board.intake.drain(self.limits.stop_time)
        for connection in list(board.connections):
            connection.close(Reason.SHUTTING_DOWN, "The hub is being stopped.")
        await self._wait_for_goodbyes(self.limits.stop_time)
        for connection in list(board.connections):
            connection.abort()
        await self._wait_for_goodbyes(self.limits.stop_time)
        await board.intake.drain(self.limits.stop_time)
        self._servers.clear()

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 0,
        retain: bool = False,
        expires: int | None = None,
        taken: Callable[[], None] | None = None,
    ) -> int:
        """Sends a message from the hub, for example a command to a device; returns for how many clients it is.

        For a client that is away it waits in its session (QoS 1 and 2, bounded). `expires` is seconds from now, after
        which it is no longer delivered; a command that must not come late should have it. `taken` is called when the
        first client has acknowledged it (QoS 1 and 2). ValueError when the topic is empty or holds a wildcard.
        """
        if not topic or "+" in topic or "#" in topic:
            raise ValueError(f"{topic!r} is not a topic to publish to")
        publish = Publish(None, "", topic, payload, qos, retain)
        return self._board.exchange.route(publish, None, expires, taken)

    def disconnect(self, principal: Principal, reason: int = Reason.NOT_AUTHORIZED) -> int:
        """Ends all connections and sessions of a principal whose rights were taken away; how many sessions."""
        return self._board.exchange.expel(principal, reason)

    def sweep(self) -> None:
        """Looks at keep-alive, half-open and stalled connections, will delays and session expiry."""
        now = self._now()
        for connection in list(self._board.connections):
            connection.check(now)
        self._board.exchange.sweep(now)

    @property
    def counters(self) -> Counters:
        """How things are and what has happened since the start; for /metrics."""
        board = self._board
        counters = self._counters
        counters.connections = len(board.connections)
        counters.sessions = len(board.exchange.sessions)
        counters.retained = len(board.exchange.retained)
        counters.pending = board.intake.bytes
        return counters

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.limits.tick, self._tick)
        self.sweep()

    async def _wait_for_goodbyes(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._board.connections and loop.time() < end:
            await asyncio.sleep(0.005)
