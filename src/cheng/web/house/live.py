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

from cheng.infrastructure.bus import CUT_OFF, Message, Subscription
from cheng.security.permissions import Target
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.pages import SIGNED_IN, get
from cheng.web.people import session_cookie

TOPICS = ("alerts/*", "cases/*", "readings", "things/*", "jobs/*", "sessions/closed")
RAISED = "alerts/raised"
CLOSED = "sessions/closed"
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
    changed: dict[str, None] = {}
    try:
        async with ask.hub.bus.subscribe(*TOPICS) as subscription:
            yield ServerSentEventMessage(comment="open", retry=2000)
            async for message in gathered(subscription):
                if message is None or message.topic == CLOSED:
                    if not await asyncio.to_thread(still_open, ask):
                        return
                    yield ServerSentEventMessage(comment="here")
                elif message.topic == CUT_OFF:
                    return
                elif message.topic == RAISED and may_see(ask, message.body):
                    yield event("alert", as_toast(ask, message.body))
                if message is not None and message.topic != CLOSED:
                    changed[message.topic.split("/")[0]] = None
                if changed and subscription.quiet:
                    for topic in changed:
                        yield event("changed", {"topic": topic})
                    changed.clear()
    finally:
        OPEN[ask.actor.name] -= 1
