"""The HTTP door: only whoever has a token comes in, answers come after the commit, and each refusal says why."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cheng.hub import Hub
from cheng.infrastructure.clock import ManualClock
from cheng.protocols.http import HttpDoor, openapi_paths
from cheng.security.actors import HOUSE
from laboratory import open_laboratory

NOW = 1_795_132_800_000


async def pages(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock) -> Iterator[Hub]:
    hub = open_laboratory(tmp_path, clock)
    yield hub
    hub.close()


def call(
    hub: Hub, path: str = "/ingest/observations", body: bytes = b"", method: str = "POST", **headers: str
) -> tuple[int, dict[str, str], Any]:
    """One request through the door."""
    sent: list[dict[str, Any]] = []

    async def run() -> None:
        parts = [body[: len(body) // 2], body[len(body) // 2 :]]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": raw}
        await HttpDoor(hub, pages)(scope, receive, send)

    asyncio.run(run())
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    content = sent[1]["body"]
    return sent[0]["status"], head, json.loads(content) if content else None


def token(hub: Hub, role: str = "device", **scope: Any) -> str:
    name = f"t-{len(hub.tokens.everything(HOUSE))}"
    return "Bearer " + hub.tokens.issue(HOUSE, name, role, scope)


def line(thing: str, value: object = 5.0, attr: str = "pressure") -> bytes:
    return json.dumps({"id": thing, "attr": attr, "time": NOW, "value": value}).encode() + b"\n"


def test_without_a_token_nothing_is_taken(hub: Hub) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}):
        status, head, problem = call(hub, body=line("valve-1"), **headers)
        assert (status, head["www-authenticate"], problem["title"]) == (401, "Bearer", "token")
    assert hub.history.count() == 0


def test_what_is_acknowledged_is_in_history(hub: Hub) -> None:
    status, _, answer = call(
        hub, body=line("valve-1") + line("valve-2", 1001), authorization=token(hub, prefixes=["valve"])
    )
    assert (status, answer) == (200, {"accepted": 2, "marked": 1, "refused": []})
    assert hub.history.readings().num_rows == 2


def test_a_device_reports_for_its_own_things_only(hub: Hub) -> None:
    status, _, answer = call(hub, body=line("valve-1") + line("valve-2"), authorization=token(hub, ids=["valve-1"]))
    assert status == 200
    assert answer["accepted"] == 1
    assert answer["refused"] == [
        {"line": 2, "code": "not-yours", "reason": "this sender may not report for 'valve-2'"},
    ]


def test_a_type_is_a_scope_too(hub: Hub) -> None:
    _, _, answer = call(hub, body=line("valve-1") + line("van-1"), authorization=token(hub, types=["Valve"]))
    assert [error["line"] for error in answer["refused"]] == [2]


def test_each_bad_line_is_refused_with_its_reason_kept_and_counted(hub: Hub) -> None:
    body = line("valve-1") + b"nonsense\n" + line("valve-1", "ajar", "state") + line("valve-1", "opne", "state")
    status, _, answer = call(hub, body=body + line("van-1", 5, "position"), authorization=token(hub, prefixes=["va"]))
    assert status == 200
    assert [error["line"] for error in answer["refused"]] == [2, 3, 4, 5]
    assert answer["refused"][2]["reason"] == "'state' is 'opne', it has to be one of open, shut; did you mean 'open'?"
    kept = hub.refused.list()
    assert [(k.line, k.door) for k in kept] == [(5, "http"), (4, "http"), (3, "http"), (2, "http")]
    assert kept[-1].payload == b"nonsense"


def test_what_nobody_registered_is_kept_and_marked(hub: Hub) -> None:
    _, _, answer = call(
        hub,
        body=line("strange-1") + line("valve-1", 3, "colour"),
        authorization=token(hub, prefixes=["strange", "valve"]),
    )
    assert answer == {"accepted": 2, "marked": 2, "refused": []}


def test_gzip_is_unpacked_and_a_bomb_is_not(hub: Hub) -> None:
    access = token(hub, prefixes=["valve"])
    status, _, answer = call(hub, body=gzip.compress(line("valve-1")), authorization=access, content_encoding="gzip")
    assert (status, answer["accepted"]) == (200, 1)
    bomb = gzip.compress(b" " * (65 * 1024 * 1024))
    status, _, problem = call(hub, body=bomb, authorization=access, content_encoding="gzip")
    assert (status, problem["title"]) == (413, "too-long")
    status, _, problem = call(hub, body=b"no gzip", authorization=access, content_encoding="gzip")
    assert (status, problem["title"]) == (400, "not-understood")


@pytest.mark.parametrize(
    ("path", "method", "media_type", "status", "title"),
    [
        ("/ingest/observations", "GET", "application/x-ndjson", 405, "method"),
        ("/ingest/elsewhere", "POST", "application/x-ndjson", 404, "not-there"),
        ("/ingest/observations", "POST", "text/html", 415, "media-type"),
        ("/ingest/observations", "POST", "application/senml+json", 400, "not-understood"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    hub: Hub, path: str, method: str, media_type: str, status: int, title: str
) -> None:
    got = call(hub, path, b"{", method, authorization=token(hub, prefixes=["v"]), content_type=media_type)
    assert (got[0], got[2]["title"], got[2]["code"]) == (status, title, title)
    assert got[2]["type"] == f"urn:cheng:problem:{title}"
    assert len(got[2]["detail"]) > 15


def test_events_ring_the_rule_about_them(hub: Hub) -> None:
    access = token(hub, ids=["valve-1", "valve-9"])
    lines = [
        {"event": "Bell", "time": NOW, "valve": "valve-1", "strength": 2},
        {"event": "Gong"},
        {"event": "Bell", "time": 1},
        {"event": "Bell", "time": NOW, "valve": "valve-9"},
        {"event": "Bell", "time": NOW, "valve": "van-1"},
    ]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    status, _, answer = call(hub, "/ingest/events", body, authorization=access)
    assert (status, answer["accepted"]) == (200, 1)
    assert [error["code"] for error in answer["refused"]] == [
        "unknown-event",
        "bad-event",
        "unknown-thing",
        "not-yours",
    ]
    hub.pipeline.drain()
    assert hub.history.events(None, 0, 2**62, 10).num_rows == 1


def test_too_much_at_once_is_asked_to_come_again(hub: Hub) -> None:
    hub.pipeline.inbox.room = 0
    status, head, problem = call(hub, body=line("valve-1"), authorization=token(hub, prefixes=["valve"]))
    assert (status, head["retry-after"], problem["title"]) == (429, "1", "busy")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [(OSError("gone"), 503, "not-durable"), (ZeroDivisionError("inside"), 500, "incident")],
)
def test_what_nobody_expected_is_told_without_its_inside(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int, code: str
) -> None:
    def broken(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(hub.pipeline, "submit", broken)
    got, _, problem = call(hub, body=line("valve-1"), authorization=token(hub, prefixes=["valve"]))
    assert (got, problem["code"], problem["type"]) == (status, code, f"urn:cheng:problem:{code}")
    assert str(fault) not in problem["detail"]


def test_a_wrong_unit_is_refused_by_its_name(hub: Hub) -> None:
    def said(unit: str) -> bytes:
        return json.dumps({"id": "valve-1", "attr": "pressure", "time": NOW, "value": 5, "unit": unit}).encode() + b"\n"

    _, _, answer = call(hub, body=said("kg") + said("furlong"), authorization=token(hub, prefixes=["valve"]))
    assert [(error["line"], error["code"]) for error in answer["refused"]] == [(1, "bad-unit"), (2, "bad-unit")]
    assert "'pressure' came in 'kg'" in answer["refused"][0]["reason"]
    assert "no known unit" in answer["refused"][1]["reason"]


def test_every_door_stands_in_the_description() -> None:
    assert {f"/ingest/{name}" for name in ("observations", "events", "things", "refused")} == {*openapi_paths}


def test_all_else_goes_to_the_pages(hub: Hub) -> None:
    assert call(hub, "/desk", method="GET")[0] == 299
