"""Refused payloads sent again: readings, events and rows for the register, one or many, and what is said of it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import Visitor
from waterworks import open_waterworks

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing
from cheng.intake_retry import is_thing, retry_of
from cheng.protocols.intake import Intake
from cheng.security.actors import HOUSE
from cheng.standards.problems import InputError

Come = Callable[..., Visitor]
GOOD = '{"id":"hydrant-1","attr":"pressure","time":"2026-11-20T07:59:00+08:00","value":3}'
BAD = '{"id":"hydrant-1","attr":"pressure","time":"yesterday","value":3}'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_waterworks(tmp_path)
    opened.retry = retry_of(opened)  # as `serve` does
    yield opened
    opened.close()


def send(hub: Hub, payload: bytes) -> None:
    asyncio.run(Intake(hub).take(payload, "application/x-ndjson", HOUSE, "http"))


def kept(hub: Hub) -> list[Any]:
    return hub.refused.list()


def told(operator: Visitor) -> str:
    return str(operator.get("/console/refused").text)


def test_what_is_refused_again_is_not_kept_twice(hub: Hub, visitor: Come) -> None:
    send(hub, BAD.encode())
    operator = visitor("operator")
    answer = operator.send("/console/refused/1/retry", "/console/refused/1", payload=BAD)
    assert answer.status_code == 422
    assert "再次被拒收" in answer.text
    assert [one.id for one in kept(hub)] == [1]


def test_what_is_taken_in_part_says_so_and_keeps_the_rest(hub: Hub, visitor: Come) -> None:
    send(hub, BAD.encode())
    operator = visitor("operator")
    assert operator.send("/console/refused/1/retry", "/console/refused/1", payload=f"{GOOD}\n{BAD}").status_code == 303
    page = told(operator)
    assert "已接收 1 个读数。" in page
    assert "另有 1 行再次被拒收" in page
    assert [(one.door, one.payload.decode()) for one in kept(hub)] == [("http, again", BAD)]
    assert hub.refused.get(1).state == "retried"


def test_a_row_for_the_register_is_mended_and_registered(hub: Hub, visitor: Come) -> None:
    row = '{"id":"hydrant-9","type":"Hydrunt","name":"H9"}'
    hub.refused.keep("things", "somebody", [(InputError("unknown-type", "there is no Hydrunt", 1), row.encode())])
    operator = visitor("operator")
    path = "/console/refused/1"
    assert operator.send(f"{path}/retry", path, payload=row).status_code == 422
    mended = row.replace("Hydrunt", "Hydrant") + "\n{"
    assert operator.send(f"{path}/retry", path, payload=mended).status_code == 303
    assert "新增 1 个" in told(operator)
    thing = hub.things.find("hydrant-9")
    assert thing is not None
    assert thing.type == "Hydrant"
    assert [one.code for one in kept(hub)] == ["not-understood"]


def test_a_row_of_a_file_is_best_mended_there(hub: Hub, visitor: Come) -> None:
    hub.refused.keep("file", "covers.csv", [(InputError("bad-number", "no number", 3), b"c1;x;y")])
    assert "来自文件" in visitor("operator").get("/console/refused/1").text


def test_all_of_one_reason_are_sent_again_when_the_cause_is_gone(hub: Hub, visitor: Come) -> None:
    event = InputError("unknown-thing", "'hydrant-9' is not registered", 1)
    lines = [GOOD.replace("hydrant-1", "hydrant-9").replace("07:59", f"07:{minute}") for minute in (10, 11, 12)]
    hub.refused.keep("http", "gateway", [(event, text.encode()) for text in lines])
    hub.refused.keep("http", "gateway", [(event, b'{"id":')])
    send(hub, BAD.encode())
    hub.things.put([NewThing("hydrant-9", "Hydrant")], "test")
    operator = visitor("operator")
    listed = "/console/refused?code=unknown-thing"
    assert len(operator.get("/console/refused.json?code=unknown-thing").json()["refused"]) == 4
    assert operator.send("/console/refused/retry", listed, code="unknown-thing").status_code == 303
    assert "已接收 3 条，再次被拒收 1 条。" in told(operator)
    assert sorted(one.code for one in kept(hub)) == ["bad-time", "unknown-thing"]
    assert operator.send("/console/refused/drop", listed, code="unknown-thing").status_code == 303
    assert [one.code for one in kept(hub)] == ["bad-time"]
    assert operator.send("/console/refused/drop", "/console/refused?code=bad-time").status_code == 303
    assert [one.code for one in kept(hub)] == ["bad-time"], "without a reason nothing is dropped"


def test_officers_send_nothing_again(hub: Hub, visitor: Come) -> None:
    send(hub, BAD.encode())
    officer = visitor("officer")
    for path in ("/console/refused/retry", "/console/refused/drop", "/console/refused/1/retry"):
        assert officer.send(path, "/account/password", code="bad-time").status_code == 403


@pytest.mark.parametrize(
    ("payload", "thing"),
    [
        (b'{"id":"a","type":"Cover"}', True),
        (b'{"id":"a","attr":"tilt","type":"x"}', False),
        (b'{"event":"Panic","id":"a","type":"x"}', False),
        (b"[]", False),
        (b"\xff\xfe", False),
        (b"", False),
    ],
)
def test_what_is_a_row_for_the_register(payload: bytes, thing: bool) -> None:
    assert is_thing(payload) is thing
