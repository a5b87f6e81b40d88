"""W1 and W2: a million readings, well and badly delivered through the front door, and exactly the alerts due."""

import asyncio
import hashlib
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest
from sqlalchemy import select

from cheng.hub import Hub, open_hub
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.tables import alerts
from cheng.kernel.entities import Entity, Quantity
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App
from cheng.protocols.decoding import NDJSON
from cheng.protocols.intake import Intake
from cheng.security.actors import HOUSE
from cheng.security.passwords import Hasher
from cheng.standards.durations import seconds
from shared_data import SHARED

NAME = "cheng.apps.ecology.workloads"
WORKLOADS = SHARED.parent / "workloads"
BATCH = 5_000


class workloads(App):
    """Stations of the workloads."""

    title = "Workloads"
    owner = "Laboratory"
    system = "E1"


class AirQualityObserved(Entity):
    """A station."""

    pm10 = Quantity("ug/m3", "PM10", low=0, high=1000)


class above(Rule):
    """Station {id} stands at {pm10}."""

    when = AirQualityObserved.pm10 > 80
    hold = seconds(60)
    basis = "the workload's own definition"


@pytest.fixture
def hub(tmp_path: Path) -> "Hub":
    module = types.ModuleType(NAME)
    for spec in (workloads, AirQualityObserved, above):
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    hub = open_hub(Settings.load(tmp_path / "data", {}), None, Model.of([module]), Hasher(8, 1, weak_for_tests=True))
    names = [f"urn:ngsi-ld:AirQualityObserved:{n:05d}" for n in range(10_000)]
    hub.things.put([NewThing(name, "AirQualityObserved") for name in names], "test")
    return hub


def deliver(hub: Hub, file: Path) -> tuple[int, int]:
    """Sends the file in batches, one after the other; how many were accepted and refused."""
    intake = Intake(hub)
    lines = file.read_bytes().split(b"\n")[:-1]

    async def send() -> tuple[int, int]:
        accepted = refused = 0
        for start in range(0, len(lines), BATCH):
            receipt = await intake.take(b"\n".join(lines[start : start + BATCH]), NDJSON, HOUSE, "http")
            accepted, refused = accepted + receipt.accepted, refused + len(receipt.refused)
        return accepted, refused

    return asyncio.run(send())


@pytest.mark.slow
def test_exactly_the_alerts_that_are_due(hub: Hub, tmp_path: Path) -> None:
    if not WORKLOADS.is_dir():
        pytest.skip("the workloads are not beside the project")
    for name, words in (("w1", ["10000", "100", "w1"]), ("w2", ["w1", "w2"])):
        subprocess.run([sys.executable, str(WORKLOADS / f"{name}.py"), *words], cwd=tmp_path, check=True)
    expected = json.loads((tmp_path / "w2" / "expected.json").read_text())
    try:
        assert deliver(hub, tmp_path / "w2" / "obs.ndjson") == (
            expected["observations"] - expected["malformed"],
            expected["malformed"],
        )
        assert found(hub) == (14_491, expected["alerts_sha256_by_entity_sorted"])
        deliver(hub, tmp_path / "w1" / "obs.ndjson")
        assert found(hub) == (14_491, expected["alerts_sha256_by_entity_sorted"])
    finally:
        hub.close()


def found(hub: Hub) -> tuple[int, str]:
    """How many alerts stand or stood, and the hash of their things."""
    hub.pipeline.drain()
    with hub.store.read() as conn:
        names = conn.execute(select(alerts.c.thing_id).where(alerts.c.state != "withdrawn")).scalars().all()
    return len(names), hashlib.sha256("\n".join(sorted(map(str, names))).encode()).hexdigest()
