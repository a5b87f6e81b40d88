"""The lean way in: readings and questions for a thing's state, without the server that pages need.

A connection is uvicorn's, but for requests that this door knows at sight (`http_heads`); they are taken and answered
here, one after the other. Everything else is handed to uvicorn byte for byte, and when its exchange is over the
connection is ours again. Either way the same intake is behind it, with the same answers.

It also keeps time: a request whose head or body trickles in, an answer that nobody reads and a connection that
nothing is said on are ended, so that a thousand slow clients cost a thousand sockets and nothing more.
"""

import asyncio
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from cheng.protocols.http import JSON, LONGEST, PROBLEM, TOO_LONG, HttpDoor, headers_of, problem_of
from cheng.protocols.http_heads import Head, Heads
from cheng.protocols.intake import SMALL
from cheng.protocols.singles import Singles
from cheng.standards.problems import Refused

LONGEST_HEAD = 32_768
"""Bytes of a request line and its headers."""
HEAD_TIME = 10.0
"""Seconds for a head, from the first byte; also for the first byte of a new connection."""
BODY_TIME = 30.0
SLOWEST = 10_000
"""A body may take BODY_TIME seconds, and one more for every so many bytes that came."""
READ_TIME = 30.0
"""Seconds that a client may leave an answer unread."""
IDLE_TIME = 75
"""Seconds that a connection is kept without a request: longer than the minute at which many devices report."""
AHEAD = 65_536
"""Bytes of further requests that are taken in while one is answered."""
TICK = 1.0
STREAM = "cheng.stream"
"""The extension of ASGI by which an answer without end is written: at once, without a task for each reader."""
HEAD_TOO_LONG = "The headers of a request may have up to 32 kB."
TAKEN = tuple(b'{"accepted":1,"marked":%d,"refused":[]}' % marked for marked in (0, 1))
"""What most answers say, by the number of marked readings."""


class Doorway:
    """What the connections of one server share."""

    def __init__(self, door: HttpDoor) -> None:
        self.door = door
        self.heads = Heads(door.hub, door.intake)
        self.singles = Singles(door.hub, "http")
        self.now = 0.0
        self.connections: set[LeanProtocol] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticking = False
        self._everybody: list[tuple[bytes, bytes]] = []
        self._lines = b""
        self._taken: tuple[bytes, ...] = ()

    def protocol(self, config: Config, server_state: ServerState, app_state: dict[str, Any], **more: Any) -> Any:
        """As uvicorn makes the protocol of a new connection."""
        return LeanProtocol(self, config, server_state, app_state, **more)

    def joined(self, connection: "LeanProtocol") -> None:
        self.connections.add(connection)
        if not self._ticking:
            self._ticking = True
            self._tick()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        self.heads.second += 1
        for connection in list(self.connections):
            connection.check(self.now)
        self._ticking = bool(self.connections)
        if self._ticking:
            loop.call_later(TICK, self._tick)

    def take(self, head: Head, parts: list[bytes], connection: "LeanProtocol") -> None:
        """Hands a delivery in; the connection is told later."""
        single = head.single and head.length <= SMALL
        if single and self.singles.add(b"".join(parts), head.may, connection.taken):
            return
        task = asyncio.get_running_loop().create_task(self._take(head, parts, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, head: Head, parts: list[bytes], connection: "LeanProtocol") -> None:
        try:
            connection.answer(await self.door.take(head.path, parts, head.headers, head.actor))
        except Exception as error:
            connection.answer(error)

    # --- answers, made once a second ------------------------------------------------------------------------------

    def lines(self, state: ServerState) -> bytes:
        """What every answer says: the date."""
        if state.default_headers is not self._everybody:
            self._everybody = state.default_headers
            self._lines = written(self._everybody)
            self._taken = tuple(
                STATUS_LINE[200] + self._lines + written(headers_of(200, JSON, len(body))) + b"\r\n" + body
                for body in TAKEN
            )
        return self._lines

    def taken(self, state: ServerState, marked: int) -> bytes:
        """The whole answer to a single reading."""
        self.lines(state)
        return self._taken[marked]


def written(headers: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%s: %s\r\n" % header for header in headers)


class LeanProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self, doorway: Doorway, config: Config, server_state: ServerState, app_state: Any, **more: Any
    ) -> None:
        super().__init__(config, server_state, app_state, **more)
        self.doorway = doorway
        self._theirs = False
        """whether what comes belongs to uvicorn's exchange"""
        self._open, self._heading = False, 0
        """whether uvicorn waits for the rest of a request; bytes of its head so far"""
        self._busy = False
        """whether a request of ours is being answered"""
        self._rest = bytearray()
        """the beginning of a head, or requests behind the one that is being answered"""
        self._begun = False
        """whether a head has begun"""
        self._head: Head | None = None
        """of the request whose body is coming in"""
        self._parts: list[bytes] = []
        self._missing = 0
        self._ends = False
        self._due = self._unread = 0.0
        """when the client's time to speak, and to listen, is over; 0 for never"""

    # --- what the event loop calls ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.doorway.joined(self)
        self._due = self.loop.time() + HEAD_TIME

    def connection_lost(self, exc: Exception | None) -> None:
        self.doorway.connections.discard(self)
        self._head, self._parts = None, []
        self._rest.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._theirs:
            if not self._over():
                self._pass_on(data)
                return
            self._theirs = False
            self._unset_keepalive_if_required()
        if self._head is not None:
            self._fill(self._head, data)
        elif self._busy or self._rest:
            self._rest += data
            self._go_on()
        else:
            self._advance(data)

    def pause_writing(self) -> None:
        self._unread = self.loop.time() + READ_TIME
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread = 0.0
        super().resume_writing()
        if self._rest and not self._theirs:
            self._go_on()

    def shutdown(self) -> None:
        if self._busy or self._head is not None:
            self._ends = True
        else:
            super().shutdown()

    def check(self, now: float) -> None:
        """Ends the connection when its time is over."""
        if (self._due and now > self._due) or (self._unread and now > self._unread):
            self.transport.abort()

    # --- requests of ours ---------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """With what came meanwhile, when the last request is answered and its answer has gone out."""
        if self._busy or self.flow.write_paused:
            if len(self._rest) > AHEAD:
                self.flow.pause_reading()
            return
        data = bytes(self._rest)
        self._rest.clear()
        self.flow.resume_reading()
        self._advance(data)

    def _advance(self, data: bytes) -> None:
        """Takes requests as long as they are whole and answered at once; keeps the rest."""
        while data and not self.transport.is_closing():
            if self._busy or self.flow.write_paused:
                self._rest += data
                return
            end = data.find(b"\r\n\r\n") + 4
            if end < 4 or end > LONGEST_HEAD:
                self._wait_for_head(data)
                return
            self._begun = False
            head = self.doorway.heads.find(data[:end])
            if head is None or (head.thing and not self._told_state(head)):
                self._hand_over(data)
                return
            if head.thing:
                data = data[end:]
                continue
            if len(data) - end < head.length:
                self._begin(head, data[end:])
                return
            body = data[end : end + head.length]
            data = data[end + head.length :]
            self._take(head, [body])

    def _wait_for_head(self, data: bytes) -> None:
        """Keeps the beginning of a head; what can be none gets uvicorn's refusal at once."""
        if len(data) > LONGEST_HEAD:
            self._refuse(Refused("head-too-long", HEAD_TOO_LONG, status=431))
        elif b"\n\n" in data or not data[:1].isalpha():
            self._hand_over(data)
        else:
            if not self._begun:
                self._begun, self._due = True, self.loop.time() + HEAD_TIME
            self._rest += data

    def _begin(self, head: Head, data: bytes) -> None:
        if head.length > LONGEST:
            self._refuse(Refused("too-long", TOO_LONG, status=413))
            return
        self._head, self._parts, self._missing = head, [], head.length
        self._due = self.loop.time() + BODY_TIME
        self._fill(head, data)

    def _fill(self, head: Head, data: bytes) -> None:
        """Takes in a body."""
        if len(data) < self._missing:
            self._parts.append(data)
            self._missing -= len(data)
            self._due += len(data) / SLOWEST
            return
        self._parts.append(data[: self._missing])
        self._rest += data[self._missing :]
        parts, self._head, self._parts = self._parts, None, []
        self._take(head, parts)

    def _take(self, head: Head, parts: list[bytes]) -> None:
        self._busy, self._due = True, 0.0
        self._ends |= head.ends
        self.doorway.take(head, parts, self)

    # --- answers ------------------------------------------------------------------------------------------------

    def taken(self, marked: int | Exception) -> None:
        """The single reading is durable, and marked (1) or not (0); or why it is not."""
        if isinstance(marked, Exception) or self._ends:
            self.answer(marked if isinstance(marked, Exception) else TAKEN[marked])
        elif not self.transport.is_closing():
            self.transport.write(self.doorway.taken(self.server_state, marked))
            self._answered()
            if self._rest:
                self._go_on()

    def answer(self, content: bytes | Exception) -> None:
        """What has become of the delivery."""
        if self.transport.is_closing():
            return
        if isinstance(content, Exception):
            status, problem = problem_of(content)
            self._write(status, headers_of(status, PROBLEM, len(problem)), problem)
        else:
            self._write(200, headers_of(200, JSON, len(content)), content)
        if self._rest:
            self._go_on()

    def _told_state(self, head: Head) -> bool:
        """Whether there was a state to tell; if not, HttpDoor says why, for that takes longer."""
        known = head.headers.get(b"if-none-match", b"").decode("latin-1")
        found = self.doorway.door.states.answer(head.actor, head.thing, known)
        if found is not None:
            self._ends |= head.ends
            self._write(*found)
        return found is not None

    def _refuse(self, error: Refused) -> None:
        """Answers a request that is not read to its end; nothing can come after it."""
        self._ends = True
        _, content = problem_of(error)
        self._write(error.status, headers_of(error.status, PROBLEM, len(content)), content)

    def _write(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        close = b"connection: close\r\n" if self._ends else b""
        head = STATUS_LINE[status] + self.doorway.lines(self.server_state) + written(headers)
        self.transport.write(head + close + b"\r\n" + content)
        self._answered()

    def _answered(self) -> None:
        self.server_state.total_requests += 1
        self._busy, self._due = False, self.doorway.now + IDLE_TIME
        if self._ends:
            self.transport.close()

    # --- uvicorn's requests -------------------------------------------------------------------------------------

    def _over(self) -> bool:
        """Whether uvicorn has answered everything it was given."""
        return not self._open and not self.pipeline and (self.cycle is None or self.cycle.response_complete)

    def _hand_over(self, data: bytes) -> None:
        self._theirs, self._begun, self._due = True, False, 0.0
        self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        super().data_received(data)
        if not self._open:
            self._due = self.doorway.now + IDLE_TIME if self._over() else 0.0
        elif self._heading:
            self._heading += len(data)
            if self._heading > 2 * LONGEST_HEAD:
                self.transport.abort()
        else:
            self._due += len(data) / SLOWEST

    def stream(self, chunk: bytes) -> bool:
        """Writes a chunk of the answer that uvicorn has begun, framed already; False when the client does not read."""
        if self.transport.is_closing() or self.flow.write_paused:
            return False
        self.transport.write(chunk)
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = cast(Any, {STREAM: self.stream})
        self._open, self._heading, self._due = True, 1, self.loop.time() + HEAD_TIME

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._heading, self._due = 0, self.loop.time() + BODY_TIME

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._open = False
