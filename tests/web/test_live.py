"""What open pages are told."""

import asyncio
import json
from typing import Any

import pytest
from house import DEPARTMENT, PASSWORD
from litestar.testing import RequestFactory

from cheng.hub import Hub
from cheng.standards.problems import Refused
from cheng.web.app import Web
from cheng.web.ask import Ask, plain_ask
from cheng.web.house import live
from cheng.web.people import CLOSED

ALERT = {"id": "a1", "number": 7, "rule": "none", "thing_id": "cover-1", "level": "danger", "values": {}}


def asked(app: Web, hub: Hub, name: str) -> tuple[Ask, str]:
    """The request of somebody who has signed in, and the token of the session."""
    token, _ = hub.door.sign_in(name, PASSWORD)
    request = RequestFactory(app).get("/live", headers={"cookie": f"cheng_session={token}"})
    request.scope["state"] = {}
    for key in ("user", "auth"):
        request.scope.pop(key, None)  # type: ignore[misc]
    return plain_ask(request), token


def test_alerts_reach_those_who_may_see_them(app: Web, hub: Hub) -> None:
    async def listen(name: str) -> list[dict[str, Any]]:
        ask, token = asked(app, hub, name)
        stream = live.told(ask)
        assert (await anext(stream)).comment == "open"
        hub.bus.publish("alerts/raised", ALERT | {"departments": [DEPARTMENT]})
        hub.bus.publish("alerts/raised", ALERT | {"id": "a2", "departments": ["Parks"]})
        hub.door.sign_out(token)
        hub.bus.publish(CLOSED, {"account": name})
        rest = await asyncio.wait_for(collect(stream), 1)
        return [json.loads(each.data) for each in rest if each.event == "alert"]

    assert [alert["id"] for alert in asyncio.run(listen("officer"))] == ["a1"]
    assert [alert["id"] for alert in asyncio.run(listen("leader"))] == ["a1", "a2"]
    assert asyncio.run(listen("citizen")) == []
    assert not live.OPEN["officer"], "the stream ended with the session"


async def collect(stream: Any) -> list[Any]:
    return [each async for each in stream]


def test_somebody_elses_sign_out_ends_nothing_and_changes_are_told_together(app: Web, hub: Hub) -> None:
    async def listen() -> list[Any]:
        ask, _ = asked(app, hub, "officer")
        stream = live.told(ask)
        await anext(stream)
        hub.bus.publish(CLOSED, {"account": "leader"})
        for _ in range(50):
            hub.bus.publish("readings", {"accepted": 1})
        hub.bus.publish("cases/acted", {"number": "1", "secret": "x"})
        found: list[Any] = []
        while len(found) < 2:
            message = await asyncio.wait_for(anext(stream), 5)
            found += [message] if message.event == "changed" else []
        await stream.aclose()
        return [json.loads(each.data) for each in found]

    assert asyncio.run(listen()) == [{"topic": "cases"}, {"topic": "readings"}]


def test_nobody_opens_pages_without_end(app: Web, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, _ = asked(app, hub, "officer")
    monkeypatch.setitem(live.OPEN, "officer", live.PAGES_A_PERSON)
    with pytest.raises(Refused) as refused:
        asyncio.run(live.live.fn(ask.request, ask))
    assert refused.value.status == 429
