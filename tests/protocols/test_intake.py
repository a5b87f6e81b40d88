"""What several payloads became, told apart again although they went in as one batch."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cheng.hub import Hub
from cheng.infrastructure.clock import ManualClock
from cheng.protocols.decoding import ARROW, NDJSON, SENML
from cheng.protocols.intake import Intake, Receipt
from cheng.security.actors import Actor, Scope
from cheng.standards.problems import InputError
from laboratory import open_laboratory

NOW = 1_795_132_800_000
GATEWAY = Actor("gateway", "Gateway", ("device",), kind="device", scope=Scope(prefixes=("valve",)))


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock) -> Iterator[Hub]:
    hub = open_laboratory(tmp_path, clock)
    yield hub
    hub.close()


def line(thing: str, value: object = 5.0, attr: str = "pressure") -> bytes:
    return json.dumps({"id": thing, "attr": attr, "time": NOW, "value": value}).encode()


def told(answers: list[Receipt | InputError]) -> list[object]:
    """Per payload: how many were taken and marked, and the lines refused with their codes."""
    return [
        answer.code
        if isinstance(answer, InputError)
        else (answer.accepted, answer.marked, [(error.line, error.code) for error in answer.refused])
        for answer in answers
    ]


def test_payloads_of_one_turn_get_a_receipt_each(hub: Hub) -> None:
    payloads = [
        line("valve-1"),
        b"",
        b"nonsense\n" + line("valve-1", 1001) + b"\n",
        line("van-1") + b"\n\n" + line("valve-2") + b"\n" + line("valve-2", "opne", "state"),
        line("valve-2", 3, "colour"),
    ]
    answers = asyncio.run(Intake(hub).take_many(payloads, NDJSON, GATEWAY, "test"))
    assert told(answers) == [
        (1, 0, []),
        (0, 0, []),
        (1, 1, [(1, "not-understood")]),
        (1, 0, [(1, "not-yours"), (4, "bad-value")]),
        (1, 1, []),
    ]
    assert hub.history.count() == 4
    assert sorted(kept.payload for kept in hub.refused.list()) == sorted(
        [b"nonsense", line("van-1"), line("valve-2", "opne", "state")]
    )


@pytest.mark.parametrize("media_type", [NDJSON, SENML, ARROW, "text/html"])
def test_a_payload_alone_is_answered_as_among_others(hub: Hub, media_type: str) -> None:
    lines = [line("van-1"), b"", b"nonsense", line("valve-1", 1001), line("valve-2", "opne", "state"), line("valve-2")]
    record = [{"n": "valve-1:pressure", "v": 1}, {"n": "valve-1:pressure", "t": NOW / 1000, "v": 7}]
    payloads = [b"\n".join(lines), b"", b"\n", b"nonsense", line("van-1"), line("valve-1"), json.dumps(record).encode()]
    intake = Intake(hub)
    scope = intake.scope(GATEWAY)
    for payload in payloads:
        batch, alone = intake._read([payload], media_type, scope)
        both, among = intake._read([payload, payload], media_type, scope)
        assert told(alone) == told(among[:1]) == told(among[1:])
        assert len(batch) * 2 == len(both)


@pytest.mark.parametrize("media_type", [SENML, ARROW, "text/html"])
def test_a_payload_that_cannot_be_read_stops_no_other(hub: Hub, media_type: str) -> None:
    record = [{"n": "valve-1:pressure", "v": 1}, {"n": "valve-1:pressure", "t": NOW / 1000, "v": 1001}]
    good = json.dumps(record).encode()
    answers = told(asyncio.run(Intake(hub).take_many([b"{", good, b"", good], media_type, GATEWAY, "test")))
    wrong, pack = ("media-type", "media-type") if media_type == "text/html" else ("not-understood", "not-understood")
    if media_type == SENML:
        assert answers == [wrong, (1, 1, [(1, "bad-time")]), wrong, (1, 1, [(1, "bad-time")])]
    else:
        assert answers == [wrong, pack, wrong, pack]


def test_warming_up_leaves_nothing_behind(hub: Hub) -> None:
    Intake(hub).warm_up()
    hub.pipeline.drain()
    assert hub.history.count() == 0
    assert hub.things.strangers == 0
    assert hub.refused.list() == []
