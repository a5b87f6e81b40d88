"""The pipeline as a whole: what is acknowledged is durable, judged once, and found again after a crash."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from cheng.hub import Hub
from cheng.infrastructure.alert_changes import Found
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.tables import alerts, cases
from cheng.kernel.observations import Batch, Quality
from cheng.kernel.rules import Change
from cheng.standards.problems import Refused
from laboratory import open_laboratory

SECOND = 1_000_000


def rows(hub: Hub, table: object) -> list[dict[str, object]]:
    with hub.store.read() as conn:
        return [dict(row) for row in conn.execute(select(table)).mappings()]  # type: ignore[call-overload]


def pressures(hub: Hub, clock: ManualClock, values: list[float], thing: str = "valve-1", step: int = 10) -> Batch:
    """Readings of one valve, `step` seconds apart, ending now."""
    found = hub.things.find(thing)
    assert found is not None
    attr = hub.things.attribute("Valve", "pressure")
    times = clock.now() - SECOND * step * np.arange(len(values))[::-1]
    return Batch.of([found.idx] * len(values), [attr] * len(values), times, values)


def test_a_reading_becomes_an_alert_and_a_case(tmp_path: Path, clock: ManualClock) -> None:
    hub = open_laboratory(tmp_path, clock)
    try:
        assert hub.pipeline.submit(pressures(hub, clock, [120] * 7)).result(10) == 0
        hub.pipeline.drain()
        (alert,) = rows(hub, alerts)
        assert (alert["rule"], alert["thing_id"], alert["level"]) == ("laboratory.high", "valve-1", "danger")
        assert alert["raised"] == clock.now()
        assert alert["onset"] == clock.now() - 60 * SECOND
        assert alert["message_values"] == {
            "id": "valve-1",
            "name": "valve-1",
            "bench": "A",
            "owner": "Laboratory office",
            "area": "",
            "pressure": 120.0,
        }
        (case,) = rows(hub, cases)
        assert (case["step"], case["department"], case["due"]) == ("handle", "A crew", clock.now() + 600 * SECOND)
    finally:
        hub.close()


@pytest.mark.backends
def test_the_same_alert_fires_once_however_often_it_is_found(
    tmp_path: Path, clock: ManualClock, store_url: str
) -> None:
    hub = open_laboratory(tmp_path, clock, store_url)
    batch = pressures(hub, clock, [120] * 7)
    for _ in range(3):
        hub.pipeline.submit(Batch.concat([batch])).result(10)
    hub.close()
    again = open_laboratory(tmp_path, clock, store_url)
    try:
        assert len(rows(again, alerts)) == len(rows(again, cases)) == 1
        kinds = [notice.kind for notice in again.alerts.notices("1")]
        assert kinds == ["raised"]
        stored = again.history.readings(dedupe=False)
        assert stored.num_rows == 21
        late = np.asarray(stored["quality"]) & int(Quality.DUPLICATE | Quality.LATE)
        assert np.count_nonzero(late) == 14
    finally:
        again.close()


def test_the_judging_goes_on_where_it_stood_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    hub = open_laboratory(tmp_path, clock)
    hub.pipeline.submit(pressures(hub, clock, [120] * 4)).result(10)
    hub.close()
    clock.advance(30 * SECOND)
    again = open_laboratory(tmp_path, clock)
    try:
        again.pipeline.submit(pressures(again, clock, [120])).result(10)
        again.pipeline.drain()
        assert len(rows(again, alerts)) == 1
    finally:
        again.close()


def test_an_alert_that_the_judging_knows_nothing_of_is_withdrawn_at_the_start(
    tmp_path: Path, clock: ManualClock
) -> None:
    hub = open_laboratory(tmp_path, clock)
    hub.pipeline.submit(pressures(hub, clock, [120] * 7)).result(10)
    hub.pipeline.drain()
    lost = Change("raised", "laboratory.high", 0, clock.now() - 1, clock.now(), {})
    hub.alerts.apply([Found(lost, hub.things.find("valve-2"))])
    hub.close()
    again = open_laboratory(tmp_path, clock)
    try:
        assert sorted(str(a["state"]) + str(a["thing_id"]) for a in rows(again, alerts)) == [
            "standingvalve-1",
            "withdrawnvalve-2",
        ]
    finally:
        again.close()


def test_a_late_reading_withdraws_the_alert_and_an_untouched_case(tmp_path: Path, clock: ManualClock) -> None:
    hub = open_laboratory(tmp_path, clock)
    try:
        hub.pipeline.submit(pressures(hub, clock, [120] * 7)).result(10)
        hub.pipeline.drain()  # both together would open no case
        batch = pressures(hub, clock, [20])
        batch.time -= 15 * SECOND
        hub.pipeline.submit(batch).result(10)
        hub.pipeline.drain()
        (alert,) = rows(hub, alerts)
        assert alert["state"] == "withdrawn"
        assert [case["state"] for case in rows(hub, cases)] == ["void"]
    finally:
        hub.close()


def test_more_than_can_be_taken_is_turned_away(tmp_path: Path, clock: ManualClock) -> None:
    hub = open_laboratory(tmp_path, clock)
    try:
        hub.pipeline.inbox.room = 0
        with pytest.raises(Exception, match="try again in a second"):
            hub.pipeline.submit(pressures(hub, clock, [1] * 6))
        assert hub.pipeline.counters.turned_away == 6
    finally:
        hub.close()


def test_who_stops_waiting_spoils_nothing_for_those_who_still_wait(tmp_path: Path, clock: ManualClock) -> None:
    hub = open_laboratory(tmp_path, clock)
    try:
        with hub.pipeline.inbox._changed:  # both come before either is taken
            gone = hub.pipeline.submit(pressures(hub, clock, [90]), "one")
            stays = hub.pipeline.submit(pressures(hub, clock, [90], "valve-2"), "two")
            assert gone.cancel()
        assert stays.result(10) == 0
        hub.pipeline.drain()
        assert hub.history.count() == 2
        assert (hub.pipeline.inbox.total, dict(hub.pipeline.inbox.held)) == (0, {})
        assert hub.pipeline.submit(pressures(hub, clock, [91]), "two").result(10) == 1  # twice
    finally:
        hub.close()


def test_what_the_log_refuses_is_not_acknowledged_and_leaves_no_trace(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = open_laboratory(tmp_path, clock)
    try:
        append, turns = hub.history.append, iter([True, False, True, True, False])

        def sometimes(frame: Batch) -> int:
            if not next(turns, True):
                raise OSError("the disk is gone")
            return append(frame)

        monkeypatch.setattr(hub.history, "append", sometimes)
        kept = 0
        for turn in range(12):
            batch = pressures(hub, clock, [120])
            try:
                hub.pipeline.submit(batch).result(10)
                kept += 1
            except (OSError, Refused):
                assert turn in (1, 4)
            clock.advance(10 * SECOND)
        hub.pipeline.drain()
        assert kept == 10
        assert hub.history.readings().num_rows == kept
        (alert,) = rows(hub, alerts)
        assert alert["raised"] - int(str(alert["onset"])) == 60 * SECOND
        assert hub.judges.seq == hub.history.next - 1
    finally:
        hub.close()


CHILD = """
import json, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import numpy as np
from laboratory import open_laboratory
from cheng.kernel.observations import Batch

hub = open_laboratory(Path({folder!r}), valves=50)
attr = hub.things.attribute("Valve", "pressure")
start, turn = int(sys.argv[1]), 0
while True:
    time = start + turn * 10_000_000
    high = 120.0 if turn % 12 < 8 else 20.0
    idx = [hub.things.find(f"valve-{{n}}").idx for n in range(1, 51)]
    hub.pipeline.submit(Batch.of(idx, [attr] * 50, [time] * 50, [high] * 50)).result()
    turn += 1
    print(json.dumps(turn), flush=True)
"""


@pytest.mark.parametrize("acknowledged", [3, 30, 90])
def test_kill_9_loses_nothing_acknowledged_and_doubles_no_alert(tmp_path: Path, acknowledged: int) -> None:
    start = 1_700_000_000_000_000
    code = CHILD.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", code, str(start)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    turns = 0
    for said in child.stdout:
        turns = json.loads(said)
        if turns >= acknowledged:
            os.kill(child.pid, signal.SIGKILL)
            break
    child.stdout.close()
    child.wait()
    hub = open_laboratory(tmp_path, valves=50)
    try:
        hub.pipeline.drain()
        stored = hub.history.readings().num_rows
        assert stored >= turns * 50
        assert stored % 50 == 0
        turns = stored // 50
        episodes = turns // 12 + (turns % 12 >= 7)
        with hub.store.read() as conn:
            keys = conn.execute(select(func.count(), func.count(alerts.c.key.distinct())).select_from(alerts)).one()
        assert tuple(keys) == (episodes * 50, episodes * 50)
    finally:
        hub.close()
