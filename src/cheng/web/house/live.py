"""What happens, told to open pages as it happens (server-sent events).

`alert` carries an alert the reader may see, as a sentence in their language; `changed` says that something of a topic
changed, at most once a second and without any of it, so that the page asks again and is shown what it may be shown.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy import select

from cheng.infrastructure.bus import CUT_OFF, Message, Subscription
from cheng.infrastructure.tables import sessions
from cheng.security.permissions import Target
from cheng.security.sessions import digest
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.pages import SIGNED_IN, get
from cheng.web.people import CLOSED, session_cookie

TOPICS = ("alerts/*", "cases/*", "readings", "things/*", "jobs/*", CLOSED)
RAISED = "alerts/raised"
HEARTBEAT = 20.0
"""Seconds of silence after which a line goes out, so that proxies keep the connection, and the session is looked at."""
TOGETHER = 1.0
"""Seconds over which changes of one topic are told as one."""
PAGES_A_PERSON = 30
OPEN: Counter[str] = Counter()
"""Open streams by account."""


@get("/live", needs=SIGNED_IN, api=True, opt={"uncompressed": True})
async def live(request: Request[Any, Any, Any], ask: Ask) -> ServerSentEvent:
    """The stream of one open page; it ends when its session does."""
    if OPEN[ask.actor.name] >= PAGES_A_PERSON:
        message = "Too many pages of yours are open at once; please close some."
        raise Refused("too-many-pages", message, {"minutes": 1}, status=429)
    return ServerSentEvent(told(ask), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def told(ask: Ask) -> AsyncIterator[ServerSentEventMessage]:
    """Messages for one page until its session ends, the house closes, or it reads too slowly."""
    OPEN[ask.actor.name] += 1
    subscription = ask.hub.bus.subscribe(*TOPICS)
    coming: asyncio.Task[Message | None] = asyncio.ensure_future(following(subscription))
    changed: set[str] = set()
    looked = clock()
    try:
        yield ServerSentEventMessage(comment="open", retry=2000)
        while True:
            done, _ = await asyncio.wait({coming}, timeout=TOGETHER if changed else HEARTBEAT)
            message = coming.result() if done else None
            if done:
                if message is None or message.topic == CUT_OFF:
                    return
                coming = asyncio.ensure_future(following(subscription))
            if message is None or message.topic == CLOSED or clock() - looked > HEARTBEAT:
                if not await asyncio.to_thread(still_open, ask):
                    return
                looked = clock()
                yield ServerSentEventMessage(comment="here")
            if message is not None and message.topic == RAISED and may_see(ask, message.body):
                yield event("alert", as_toast(ask, message.body))
            if message is not None and message.topic != CLOSED:
                changed.add(message.topic.split("/")[0])
            if message is None:
                for topic in sorted(changed):
                    yield event("changed", {"topic": topic})
                changed.clear()
    finally:
        coming.cancel()
        subscription.close()
        OPEN[ask.actor.name] -= 1


def clock() -> float:
    return asyncio.get_running_loop().time()


async def following(subscription: Subscription) -> Message | None:
    """The next message, or None when there will be no more."""
    return await anext(subscription, None)


def event(name: str, body: dict[str, Any]) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(body).decode())


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
    """What the page shows in its corner."""
    rule = ask.hub.model.rules.get(body["rule"])
    values = {"id": body.get("thing_id") or "", **(body.get("values") or {})}
    text = ask._(rule.sentence(), **values) if rule is not None else body["rule"]
    url = ask.url(f"/desk/alerts/{body['id']}") if ask.may("enter", "desk") else ""
    return {"id": body["id"], "level": body["level"], "text": text, "url": url}


routes = [live]
