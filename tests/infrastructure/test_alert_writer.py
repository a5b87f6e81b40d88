"""The thread that writes alerts: lots that wait are written together, in order, and not more than there is room for."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cheng.hub import Hub
from cheng.infrastructure import alert_writer
from cheng.infrastructure.alert_changes import Episodes, Found
from cheng.infrastructure.alert_writer import AlertWriter
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.tables import alerts
from cheng.kernel.rules import Change
from laboratory import high, open_laboratory


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock) -> Iterator[Hub]:
    hub = open_laboratory(tmp_path, clock)
    yield hub
    hub.close()


@pytest.fixture
def writer(hub: Hub) -> Iterator[AlertWriter]:
    """A writer beside the hub's own, which has nothing to do."""
    writer = AlertWriter(hub.alerts, hub.judges, hub.bus)
    yield writer
    if writer._thread.ident is not None:
        writer.close()


def lot(hub: Hub, number: int) -> list[Found]:
    onset = hub.clock.now() + number
    return [Found(Change("raised", high.key(), 0, onset, onset, {}), hub.things.find("valve-1"))]


def test_lots_that_wait_are_written_together(hub: Hub, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    write = hub.alerts.write

    def count(episodes: Episodes, *more: object) -> object:
        sizes.append(len(episodes))
        return write(episodes)

    monkeypatch.setattr(hub.alerts, "write", count)
    monkeypatch.setattr(alert_writer, "TOGETHER", 2)
    for number in range(5):
        writer.put(lot(hub, number), hub.judges.freeze() if number == 3 else None)
    reached = threading.Event()
    writer.tell(reached)
    assert (writer.waiting, hub.judges.saved) == (5, -1)
    hub.judges.seq = 7
    writer.start()
    assert reached.wait(10)
    writer.close()
    assert (sizes, writer.waiting, writer.written) == ([2, 2, 1], 0, 5)
    with hub.store.read() as conn:
        onsets = conn.execute(select(alerts.c.onset).order_by(alerts.c.number)).scalars().all()
    assert onsets == sorted(onsets)


def test_in_a_storm_lots_gather_until_somebody_waits_for_them(
    hub: Hub, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(hub.alerts, "write", lambda episodes, *_: sizes.append(len(episodes)) or [])
    monkeypatch.setattr(alert_writer, "STORM", 2)
    monkeypatch.setattr(alert_writer, "PAUSE", 3600)
    for numbers in ((0, 1), (2, 3, 4), (5,)):
        reached = threading.Event()
        for number in numbers:
            writer.put(lot(hub, number))
        writer.tell(reached)
        if writer._thread.ident is None:
            writer.start()
        assert reached.wait(10)
    assert sizes == [2, 3, 1]


def test_a_state_that_cannot_be_written_is_tried_again(
    hub: Hub, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, tried = hub.judges.save, list[object]()

    def fail_once(checkpoint: object) -> None:
        tried.append(checkpoint)
        if len(tried) == 1:
            monkeypatch.setattr(writer._closing, "wait", lambda seconds: False)
            raise OSError("no disk")
        save(hub.judges.freeze())

    monkeypatch.setattr(hub.judges, "save", fail_once)
    reached = threading.Event()
    writer.put(lot(hub, 0), hub.judges.freeze())
    writer.tell(reached)
    writer.start()
    assert reached.wait(10)
    assert (len(tried), tried[0] is tried[1], writer.trouble) == (2, True, "")


def test_whoever_finds_more_than_there_is_room_for_waits(
    hub: Hub, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_writer, "ROOM", 1)
    writer.put(lot(hub, 0))
    second = threading.Thread(target=writer.put, args=(lot(hub, 1),))
    second.start()
    second.join(0.05)
    assert second.is_alive()
    writer.start()
    second.join(10)
    assert not second.is_alive()
    writer.close()
    assert writer.written == 2


def test_a_store_that_does_not_answer_is_waited_for(
    hub: Hub, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def fail(*anything: object) -> None:
        asked.set()
        raise OSError("no disk")

    monkeypatch.setattr(hub.alerts, "write", fail)
    writer.put(lot(hub, 0))
    writer.start()
    assert asked.wait(10)
    writer.close()
    assert writer.trouble == "OSError: no disk"
    assert writer.written == 0
