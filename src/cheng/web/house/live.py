"""What happens, told to open pages as it happens (server-sent events).

`alert` carries an alert the reader may see, as a sentence in their language; `changed` says that something of a topic
changed, at most once a second and without any of it, so that the page asks again and is shown what it may be shown.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from litestar import Request
from litestar.types import ASGIApp, Receive, Scope, Send

from cheng.security.sessions import digest
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.desk.seeing import whose_alerts
from cheng.web.house.crier import Chunk, Crier, as_toast, event
from cheng.web.pages import SIGNED_IN, get
from cheng.web.people import session_cookie

PAGES_A_PERSON = 30
WAITING = 256
"""Chunks that may wait for one reader where the server has no quick way to write."""
DIRECT = "cheng.stream"
"""Extension of the server (`protocols.http_lean`): writes a chunk of the body at once; False when nobody reads."""
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


@get("/live", needs=SIGNED_IN, api=True, opt={"uncompressed": True})
async def live(request: Request[Any, Any, Any], ask: Ask) -> ASGIApp:
    """The stream of one open page; it ends when its session does. A page that lost it says what it heard last, by
    `?after=` or Last-Event-ID (numbers of alerts), and is told what it missed."""
    crier: Crier = request.app.state.crier
    if crier.open[ask.actor.name] >= PAGES_A_PERSON:
        message = "Too many pages of yours are open at once; please close some."
        raise Refused("too-many-pages", message, {"minutes": 1}, status=429)
    heard = ask.query("after") or request.headers.get("last-event-id", "")
    after = int(heard) if heard.isascii() and heard.isdigit() and len(heard) < 18 else None
    return Stream(crier, ask, after)


class Stream:
    """The answer: an application of its own, for it lasts."""

    def __init__(self, crier: Crier, ask: Ask, after: int | None = None) -> None:
        self.crier, self.ask, self.after = crier, ask, after
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begins the answer, joins the crier, and stays until the reader goes or is let go."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b": open\nretry: 2000\n\n", "more_body": True})
        direct = cast(Callable[[bytes], bool] | None, (scope.get("extensions") or {}).get(DIRECT))
        put = self._put if direct is None else lambda chunk: direct(chunk.framed)
        key = digest(self.ask.request.cookies.get(session_cookie(self.ask.hub), ""))
        reader = self.crier.join(self.ask, key, put)
        ends = [asyncio.ensure_future(end) for end in (reader.over.wait(), gone(receive), self._carry(send))]
        try:
            for missed in await asyncio.to_thread(since, self.ask, self.after):
                put(Chunk.of(missed))
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.crier.leave(self.ask, reader)
            for end in ends:
                end.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _put(self, chunk: Chunk) -> bool:
        if self._waiting.full():
            return False
        self._waiting.put_nowait(chunk.plain)
        return True

    async def _carry(self, send: Send) -> None:
        """What the server cannot write at once."""
        while True:
            await send({"type": "http.response.body", "body": await self._waiting.get(), "more_body": True})


async def gone(receive: Receive) -> None:
    """Waits until the reader has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def since(ask: Ask, after: int | None) -> list[bytes]:
    """The alerts raised after the one with this number, as far as this reader sees them and they still stand."""
    if after is None:
        return []
    found = ask.hub.alerts.raised_after(after, whose_alerts(ask))
    bodies = [{"id": a.id, "number": a.number, "rule": a.rule, "level": a.level, "values": a.values} for a in found]
    return [event("alert", as_toast(ask, body), str(body["number"])) for body in bodies]


routes = [live]
