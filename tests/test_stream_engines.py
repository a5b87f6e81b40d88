"""Our lane from the file to alerts is exact wherever its chunks end, and what the peers are given hangs together."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import engine_lane, stream_engines
from bench.gateways import PREFIX
from bench.peers import node_red, streams
from bench.peers.lane import digest
from cheng.hub import Hub, open_hub
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings

START = 1_700_000_000_000
HIGH = {"00000": range(3, 11), "00001": range(3, 8), "00002": [*range(1, 9), *range(10, 20)]}
"""Which readings of a thing are above 80, ten seconds apart: eight make an alert, five do not."""
DUE = [f"{PREFIX}00000", f"{PREFIX}00002", f"{PREFIX}00002"]


def delivered_badly() -> bytes:
    """Readings of three things in order of time, but for one that is late, one that comes twice and some rubbish."""
    lines = [
        json.dumps(
            {"id": PREFIX + name, "attr": "pm10", "time": START + 10_000 * turn, "value": 90 if turn in high else 20}
        )
        for turn in range(25)
        for name, high in HIGH.items()
    ]
    lines.insert(27, lines.pop(21))
    lines.insert(40, lines[30])
    lines[10:10] = ["no JSON", "[]", "", lines[3].replace("90", '"NaN"')]
    return "\n".join(lines).encode()


@pytest.fixture(params=[1, 10])
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Hub]:
    types = int(request.param)
    hub = open_hub(Settings.load(tmp_path / "data", {}), model=engine_lane.city(types, types))
    hub.things.put([NewThing(PREFIX + name, f"Station{int(name) % types}") for name in HIGH], "test")
    yield hub
    hub.close()


@pytest.mark.parametrize("chunk", [1, 700, 1_000_000])
def test_our_lane_is_exact_wherever_chunks_end(
    hub: Hub, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_lane, "CHUNK", chunk)
    path = tmp_path / "obs.ndjson"
    path.write_bytes(delivered_badly())
    assert sorted(engine_lane.alerting(path, hub).elements()) == DUE


def test_an_outcome_says_what_was_missed_and_what_was_false(tmp_path: Path) -> None:
    (tmp_path / "expected.json").write_text(json.dumps({"observations": 5}))
    (tmp_path / "alerts.txt").write_text("\n".join(DUE))
    told = {"seconds": 1.0, "cpu_seconds": 0.5}
    outcome = streams.outcome(tmp_path, told, [DUE[0], DUE[0], DUE[1]], "as it comes")
    assert (outcome.readings, outcome.alerts, outcome.note) == (5, 3, "as it comes, 1 missed, 1 false")
    assert streams.outcome(tmp_path, told, DUE).digest == digest(DUE)


def test_jobs_of_peers_can_be_read() -> None:
    for path in streams.JOBS.glob("*.py"):
        ast.parse(path.read_text("utf-8"), path.name)


@pytest.mark.parametrize("rules", [1, 10])
def test_every_wire_of_the_flow_leads_somewhere(rules: int) -> None:
    nodes = node_red.flow(rules)
    known = {node["id"] for node in nodes}
    assert len(known) == len(nodes)
    assert {to for node in nodes for wires in node.get("wires", []) for to in wires} <= known


def test_every_peer_has_a_name_of_its_own_and_a_workload() -> None:
    peers = [lane.make() for lane in stream_engines.LANES.values()]
    assert len({peer.name for peer in peers}) == len(peers)
    assert all(set(lane.only) <= stream_engines.WORKLOADS.keys() for lane in stream_engines.LANES.values())
    assert all(lane.goals.keys() <= set(lane.only) for lane in stream_engines.LANES.values())
