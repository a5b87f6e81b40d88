"""What happens, told to open pages as it happens (server-sent events).

`alert` carries an alert the reader may see, as a sentence in their language; `changed` says that something of a topic
changed, at most once a second and without any of it, so that the page asks again and is shown what it may be shown.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Request
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy import select

from cheng.infrastructure.bus import CUT_OFF, Message, Subscription
from cheng.infrastructure.tables import sessions
from cheng.security.permissions import Target
from cheng.security.seen import cleared
from cheng.security.sessions import digest
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.words import alert_text
from cheng.web.desk.seeing import whose_alerts
from cheng.web.pages import SIGNED_IN, get
from cheng.web.people import CLOSED, session_cookie

TOPICS = ("alerts/*", "cases/*", "readings", "things/*", "jobs/*", CLOSED)
RAISED = "alerts/raised"
HEARTBEAT = 20.0
"""Seconds of silence after which a line goes out, so that proxies keep the connection, and the session is looked at."""
TOGETHER = 1.0
"""Seconds over which changes of one topic are told as one."""
PAGES_A_PERSON = 30
NOTHING = Message("", {}, 0)
OPEN: Counter[str] = Counter()
"""Open streams by account."""


@get("/live", needs=SIGNED_IN, api=True, opt={"uncompressed": True})
async def live(request: Request[Any, Any, Any], ask: Ask) -> ServerSentEvent:
    """The stream of one open page; it ends when its session does. A page that lost it says what it heard last, by
    `?after=` or Last-Event-ID (numbers of alerts), and is told what it missed."""
    if OPEN[ask.actor.name] >= PAGES_A_PERSON:
        message = "Too many pages of yours are open at once; please close some."
        raise Refused("too-many-pages", message, {"minutes": 1}, status=429)
    heard = ask.query("after") or request.headers.get("last-event-id", "")
    after = int(heard) if heard.isascii() and heard.isdigit() and len(heard) < 18 else None
    return ServerSentEvent(told(ask, after), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@dataclass
class Changes:
    """Topics that changed and are still to be told, together, TOGETHER after the first of them."""

    topics: set[str] = field(default_factory=set)
    first: float = 0.0

    def add(self, topic: str) -> None:
        if not self.topics:
            self.first = clock()
        self.topics.add(topic.split("/")[0])

    @property
    def patience(self) -> float:
        """Seconds until something has to be told at the latest."""
        return max(0.0, self.first + TOGETHER - clock()) if self.topics else HEARTBEAT

    def due(self) -> list[str]:
        """What is to be told now."""
        if not self.topics or self.patience > 0:
            return []
        told = sorted(self.topics)
        self.topics.clear()
        return told


async def told(ask: Ask, after: int | None = None) -> AsyncIterator[ServerSentEventMessage]:
    """Messages for one page until its session ends, the house closes, or it reads too slowly."""
    OPEN[ask.actor.name] += 1
    subscription = ask.hub.bus.subscribe(*TOPICS)
    coming: asyncio.Task[Message | None] = asyncio.ensure_future(following(subscription))
    changes, looked = Changes(), clock()
    try:
        yield ServerSentEventMessage(comment="open", retry=2000)
        for missed in await asyncio.to_thread(since, ask, after):
            yield missed
        while True:
            done, _ = await asyncio.wait({coming}, timeout=changes.patience)
            message = coming.result() if done else NOTHING
            if message is None or message.topic == CUT_OFF:
                return
            if done:
                coming = asyncio.ensure_future(following(subscription))
            if message.topic == CLOSED or clock() - looked >= HEARTBEAT:
                if not await asyncio.to_thread(still_open, ask):
                    return
                looked = clock()
                yield ServerSentEventMessage(comment="here")
            if done and message.topic != CLOSED:
                changes.add(message.topic)
            if message.topic == RAISED and may_see(ask, message.body):
                yield event("alert", as_toast(ask, message.body), str(message.body["number"]))
            for topic in changes.due():
                yield event("changed", {"topic": topic})
    finally:
        coming.cancel()
        subscription.close()
        OPEN[ask.actor.name] -= 1


def since(ask: Ask, after: int | None) -> list[ServerSentEventMessage]:
    """The alerts raised after the one with this number, as far as this reader sees them and they still stand."""
    if after is None:
        return []
    found = ask.hub.alerts.raised_after(after, whose_alerts(ask))
    bodies = [{"id": a.id, "number": a.number, "rule": a.rule, "level": a.level, "values": a.values} for a in found]
    return [event("alert", as_toast(ask, body), str(body["number"])) for body in bodies]


def clock() -> float:
    return asyncio.get_running_loop().time()


async def following(subscription: Subscription) -> Message | None:
    """The next message, or None when there will be no more."""
    return await anext(subscription, None)


def event(name: str, body: dict[str, Any], number: str | None = None) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(body).decode(), id=number)


def still_open(ask: Ask) -> bool:
    """Whether the session is still there; looking at it does not make it last longer."""
    key = digest(ask.request.cookies.get(session_cookie(ask.hub), ""))
    now = ask.hub.sessions.clock.now()
    asked = select(sessions.c.token_hash).where(sessions.c.token_hash == key, sessions.c.expires > now)
    with ask.hub.store.read() as conn:
        return conn.execute(asked).one_or_none() is not None


def may_see(ask: Ask, body: dict[str, Any]) -> bool:
    """Whether this reader may see the alert: it is the business of one of their departments, or they see them all."""
    return any(ask.may("see", Target("alert", body["id"], department=name)) for name in body["departments"])


def as_toast(ask: Ask, body: dict[str, Any]) -> dict[str, Any]:
    """What the page shows in its corner: the alert without what this reader may not know."""
    text = alert_text(ask, ask.hub.model.rules.get(body["rule"]), body.get("values") or {}, cleared(ask.actor))
    reads = ask.may("enter", "desk") or ask.may("enter", "console")
    url = ask.url(f"/desk/alerts/{body['number']}") if reads else ""
    return {"id": body["id"], "number": body["number"], "level": body["level"], "text": text, "url": url}


routes = [live]
