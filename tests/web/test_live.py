"""What open pages are told: each what they may know, all of it soon, and nobody waits for who does not read."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from house import DEPARTMENT, PASSWORD
from litestar.testing import RequestFactory

from cheng.hub import Hub
from cheng.standards.problems import Refused
from cheng.web.app import Web
from cheng.web.ask import Ask, plain_ask
from cheng.web.house import crier, live
from cheng.web.people import CLOSED

ALERT = {"id": "a1", "number": 7, "rule": "none", "thing_id": "cover-1", "level": "danger", "values": {}}


class Page:
    """One open page, without a server."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.left = asyncio.Event()
        self.heard = asyncio.Event()

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message.get("body", b""))
        self.heard.set()

    def events(self, name: str) -> list[Any]:
        """The bodies of the events of that name."""
        lines = [each.split("\n") for each in b"".join(self.sent).decode().split("\n\n")]
        return [json.loads(each[-1].removeprefix("data: ")) for each in lines if f"event: {name}" in each]

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits until something has been heard."""
        async with asyncio.timeout(5):
            while not true():
                self.heard.clear()
                await self.heard.wait()


@asynccontextmanager
async def opened(app: Web, ask: Ask, scope: Any = None) -> AsyncIterator[tuple[Page, "asyncio.Task[None]"]]:
    page, before = Page(), app.state.crier.open[ask.actor.name]
    stream = live.Stream(app.state.crier, ask)
    task = asyncio.ensure_future(stream(scope or {"type": "http"}, page.receive, page.send))  # type: ignore[arg-type]
    while app.state.crier.open[ask.actor.name] == before:
        await asyncio.sleep(0)
    try:
        yield page, task
    finally:
        page.left.set()
        await asyncio.wait_for(task, 5)


def asked(app: Web, hub: Hub, name: str) -> tuple[Ask, str]:
    """The request of somebody who has signed in, and the token of the session."""
    token, _ = hub.door.sign_in(name, PASSWORD)
    request = RequestFactory(app).get("/live", headers={"cookie": f"cheng_session={token}"})
    request.scope["state"] = {}
    for key in ("user", "auth"):
        request.scope.pop(key, None)  # type: ignore[misc]
    return plain_ask(request), token


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 20))  # type: ignore[arg-type]


def test_alerts_reach_those_who_may_see_them(app: Web, hub: Hub) -> None:
    async def story() -> None:
        asks = {name: asked(app, hub, name)[0] for name in ("officer", "leader", "citizen")}
        async with (
            opened(app, asks["officer"]) as (officer, _),
            opened(app, asks["leader"]) as (leader, _),
            opened(app, asks["citizen"]) as (citizen, _),
        ):
            hub.bus.publish("alerts/raised", ALERT | {"departments": [DEPARTMENT]})
            hub.bus.publish("alerts/raised", ALERT | {"id": "a2", "departments": ["Parks"]})
            await leader.until(lambda: len(leader.events("alert")) == 2)
            await citizen.until(lambda: bool(citizen.events("changed")))
            assert [alert["id"] for alert in leader.events("alert")] == ["a1", "a2"]
            assert [alert["id"] for alert in officer.events("alert")] == ["a1"]
            assert citizen.events("alert") == []

    run(story)


def test_a_stream_ends_with_its_session_and_with_no_other(app: Web, hub: Hub) -> None:
    async def story() -> None:
        (officer, token), (leader, other) = asked(app, hub, "officer"), asked(app, hub, "leader")
        async with opened(app, officer) as (_, ended), opened(app, leader) as (_, going_on):
            hub.door.sign_out(token)
            hub.bus.publish(CLOSED, {"account": "officer"})
            await asyncio.wait_for(ended, 5)
            hub.bus.publish(CLOSED, {"account": "leader"})  # of another session of theirs
            await asyncio.sleep(0.2)
            assert not going_on.done()
            hub.door.sign_out(other)
            hub.bus.publish(CLOSED, {})
            await asyncio.wait_for(going_on, 5)
        assert not +app.state.crier.open

    run(story)


def test_changes_are_told_together_without_what_they_are(app: Web, hub: Hub) -> None:
    async def story() -> None:
        async with opened(app, asked(app, hub, "officer")[0]) as (page, _):
            for _ in range(50):
                hub.bus.publish("readings", {"accepted": 1})
            hub.bus.publish("cases/acted", {"number": "1", "secret": "x"})
            await page.until(lambda: len(page.events("changed")) == 2)
            assert page.events("changed") == [{"topic": "cases"}, {"topic": "readings"}]
            assert b"secret" not in b"".join(page.sent)

    run(story)


def test_an_alert_is_put_into_words_once_for_all_who_may_know_the_same(
    app: Web, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    worded: list[str] = []
    as_toast = crier.as_toast
    monkeypatch.setattr(crier, "as_toast", lambda ask, body: worded.append(body["id"]) or as_toast(ask, body))

    async def story() -> None:
        ask = asked(app, hub, "officer")[0]
        async with opened(app, ask) as (one, _), opened(app, ask) as (two, _), opened(app, ask) as (three, _):
            hub.bus.publish("alerts/raised", ALERT | {"departments": [DEPARTMENT]})
            for page in (one, two, three):
                await page.until(lambda page=page: len(page.events("alert")) == 1)  # type: ignore[misc]
        assert worded == ["a1"]

    run(story)


def test_of_a_storm_only_so_much_is_told_and_that_there_is_more(app: Web, hub: Hub) -> None:
    async def story() -> None:
        async with opened(app, asked(app, hub, "officer")[0]) as (page, _):
            for number in range(300):
                hub.bus.publish("alerts/raised", ALERT | {"number": number, "departments": [DEPARTMENT]})
            await page.until(lambda: {"topic": "alerts"} in page.events("changed"))
            assert len(page.events("alert")) == crier.TOLD_A_SECOND

    run(story)


def test_who_does_not_read_is_let_go_and_the_others_hear_all(app: Web, hub: Hub) -> None:
    async def story() -> None:
        ask = asked(app, hub, "officer")[0]
        taken: list[bytes] = []
        deaf = {"type": "http", "extensions": {live.DIRECT: lambda _: False}}
        good = {"type": "http", "extensions": {live.DIRECT: lambda chunk: taken.append(chunk) or True}}
        async with opened(app, ask, deaf) as (_, ended), opened(app, ask, good) as (_, going_on):
            hub.bus.publish("alerts/raised", ALERT | {"departments": [DEPARTMENT]})
            await asyncio.wait_for(ended, 5)
            assert not going_on.done()
            (chunk,) = taken
            size, _, rest = chunk.partition(b"\r\n")
            assert int(size, 16) == len(rest) - 2

    run(story)


def test_when_the_house_closes_every_stream_ends(app: Web, hub: Hub) -> None:
    async def story() -> None:
        async with opened(app, asked(app, hub, "officer")[0]) as (_, task):
            hub.bus.close()
            await asyncio.wait_for(task, 5)

    run(story)


def test_nobody_opens_pages_without_end(app: Web, hub: Hub) -> None:
    ask, _ = asked(app, hub, "officer")
    app.state.crier.open["officer"] = live.PAGES_A_PERSON
    with pytest.raises(Refused) as refused:
        asyncio.run(live.live.fn(ask.request, ask))
    app.state.crier.open.clear()
    assert refused.value.status == 429
