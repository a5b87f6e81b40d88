"""What an operator watches: inputs and queues, storage to come, the machine, and the health of rules."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from house import Visitor, json_of
from waterworks import MINUTE, open_waterworks, report

from cheng.chores import measure_storage
from cheng.hub import Hub
from cheng.infrastructure.storage import DAY, StorageBook, measure
from cheng.protocols.intake import Intake
from cheng.security.actors import HOUSE

Come = Callable[..., Visitor]
PAGES = ("/console/inputs", "/console/storage", "/console/machine", "/console/rules")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_waterworks(tmp_path)
    yield opened
    opened.close()


def send(hub: Hub, payload: bytes, door: str = "http") -> None:
    asyncio.run(Intake(hub).take(payload, "application/x-ndjson", HOUSE, door))


def line(value: float, second: int = 0) -> bytes:
    return b'{"id":"hydrant-1","attr":"pressure","time":"2026-11-20T07:59:%02d+08:00","value":%f}' % (second, value)


@pytest.mark.parametrize("path", PAGES)
def test_operators_come_in_and_nobody_else(visitor: Come, path: str) -> None:
    for ending in ("", ".json"):
        assert visitor("operator").get(path + ending).status_code == 200
        for role in ("citizen", "officer", "leader"):
            assert visitor(role).get(path + ending).status_code == 403


def test_inputs_are_told_apart(hub: Hub, visitor: Come) -> None:
    send(hub, line(3))
    send(hub, line(4, 1) + b"\n" + line(5, 2) + b"\n{}")
    send(hub, line(6, 3), "mqtt")
    told = json_of(visitor("operator"), "/console/inputs.json")
    rows = {row["key"]: row for row in told["inputs"]}
    assert (rows["single"]["readings"], rows["single"]["refused"]) == (1, 0)
    assert (rows["http"]["readings"], rows["http"]["refused"]) == (2, 1)
    assert rows["http"]["refused_share"] == pytest.approx(1 / 3)
    assert rows["http"]["half_ms"] > 0
    assert rows["mqtt"]["readings"] == 1
    assert rows["file"]["half_ms"] is None
    metrics = visitor().get("/metrics").text
    assert 'cheng_input_readings_total{input="http"} 2' in metrics
    assert "# TYPE cheng_input_wait_seconds histogram" in metrics
    assert "cheng_disk_free_bytes" in metrics


def test_queues_have_limits(hub: Hub, visitor: Come) -> None:
    told = json_of(visitor("operator"), "/console/inputs.json")
    queues = {row["key"]: row for row in told["queues"]}
    assert {"waiting", "lag", "under_way", "lots", "alerts", "held"} <= queues.keys()
    assert all(row["now"] == 0 and row["level"] == "good" and row["limit"] > 0 for row in queues.values())
    assert told["senders"] == []
    hub.pipeline.inbox.held["token:flood"] = hub.pipeline.inbox.total = hub.pipeline.inbox.room
    told = json_of(visitor("operator"), "/console/inputs.json")
    assert {row["key"]: row["level"] for row in told["queues"]}["under_way"] == "danger"
    assert told["senders"] == [{"sender": "token:flood", "readings": hub.pipeline.inbox.room}]
    assert [row["level"] for row in json_of(visitor("operator"), "/console.json")["warnings"]][-1] == "danger"
    hub.pipeline.inbox.total = 0
    hub.pipeline.inbox.held.clear()


def test_a_disk_that_fills_up_is_a_warning_on_the_overview(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    assert json_of(operator, "/console/storage.json")["full"] is None
    now = measure(hub.clock.now(), hub.store, hub.history, hub.settings.data)
    book = StorageBook(hub.store)
    book.note(replace(now, at=now.at - DAY // 2, store=now.store - now.free // 10))
    measure_storage(hub)
    assert len(book.samples()) == 2
    told = json_of(operator, "/console/storage.json")
    assert told["full"] is not None
    assert told["level"] in ("warning", "danger")
    assert any("/console/storage" in row["url"] for row in json_of(operator, "/console.json")["warnings"])
    assert "预计" in operator.get("/console").text


def test_retention_is_told(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0])
    hub.history.flush()
    told = json_of(visitor("operator"), "/console/storage.json")
    assert told["retention"] == hub.clock.now() + hub.settings.keep_readings
    assert {row["key"] for row in told["parts"]} == {"segments", "log", "store", "blobs"}


def test_the_machine_tells_what_can_run_short(visitor: Come) -> None:
    told = json_of(visitor("operator"), "/console/machine.json")
    gauges = {row["key"]: row for row in told["gauges"]}
    assert 0 < gauges["disk"]["share"] < 1
    assert told["cores"] >= 1
    assert {part["name"] for part in told["versions"]} >= {"Python", "cheng", "numba"}


def test_a_machine_without_proc_has_a_page_too(hub: Hub, visitor: Come, tmp_path: Path) -> None:
    hub.machine.proc = tmp_path / "nothing"
    page = visitor("operator").get("/console/machine")
    assert page.status_code == 200
    assert "此处无法获知" in page.text


def test_rules_are_told_by_their_health(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    (row,) = json_of(operator, "/console/rules.json")["rules"]
    assert (row["state"], row["cost"]) == ("never", None)
    report(hub, "hydrant-1", [200.0] * 5)
    (row,) = json_of(operator, "/console/rules.json")["rules"]
    assert (row["state"], row["day"], row["minutes"]) == ("works", 1, 1)
    assert row["cost"] is not None
    for number in range(1, 5):
        for _ in range(4):
            hub.clock.advance(MINUTE // 20)  # type: ignore[attr-defined]
            report(hub, f"hydrant-{number}", [10.0, 200.0, 200.0, 200.0, 200.0], every=MINUTE)
    hub.judges.failing["waterworks.high"] = "the sensor table is gone"
    (row,) = json_of(operator, "/console/rules.json")["rules"]
    assert row["state"] == "failing"
    assert "the sensor table is gone" in operator.get("/console/rules").text
    assert json_of(operator, "/console.json")["failing"][0]["reason"] == "the sensor table is gone"
    hub.judges.failing.clear()


def test_a_device_is_found_with_its_token(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    report(hub, "hydrant-1", [20.0])
    hub.tokens.issue(HOUSE, "gateway", "device", {"prefixes": ["hydrant-"]})
    hub.tokens.issue(HOUSE, "own", "device", {"ids": ["hydrant-1"]})
    (row,) = json_of(operator, "/console/silent.json?show=all&q=hydrant-1")["silent"]
    assert row["tokens"] == "own, gateway"
    assert row["last_heard"] is not None
    assert json_of(operator, "/console/silent.json?show=all")["silent"] == []
    assert json_of(operator, "/console/silent.json?show=all&q=ledger")["silent"][0]["tokens"] == ""
    assert "/console/tokens?ids=ledger-1" in operator.get("/console/silent?show=all&q=ledger").text
    fragment = operator.get("/console/silent?show=all&q=ledger", headers={"HX-Request": "true"})
    assert "ledger-1" in fragment.text
    assert "<html" not in fragment.text
    assert "ledger-1" in operator.get("/console/tokens?ids=ledger-1").text
