"""However changes of alerts are parted into lots, the book holds in the end what is true, after a replay as well."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cheng.hub import Hub
from cheng.infrastructure.alert_changes import Found
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.tables import alerts, cases
from cheng.kernel.rules import Change
from laboratory import high, open_laboratory

VALVES, STEPS = 60, 40
Ends = dict[int, int | None]
"""The alerts of a thing, by onset: when each was over, None while it stands."""


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock, store_url: str) -> Iterator[Hub]:
    hub = open_laboratory(tmp_path, clock, store_url, VALVES)
    yield hub
    hub.close()


def story(chance: random.Random) -> tuple[list[Change], Ends]:
    """What late readings may do to the alerts of a thing, and what is true in the end."""
    truth: Ends = {}
    gone: set[int] = set()
    told: list[Change] = []

    def tell(kind: str, onset: int, time: int) -> None:
        told.append(Change(kind, high.key(), 0, onset, time, {"pressure": 120.0}))  # type: ignore[arg-type]

    for step in range(1, STEPS):
        latest = max(truth, default=0)
        kind = chance.choice(("raised", "raised", "cleared", "cleared", "moved", "reopened", "withdrawn", "again"))
        if kind == "raised" and truth.get(latest, 0) is not None:
            truth[step * 1000] = None
            tell("raised", step * 1000, step * 1000 + 60)
        elif kind == "again" and gone:
            onset = chance.choice(sorted(gone))
            gone.discard(onset)
            truth[onset] = onset + 70
            tell("raised", onset, onset + 60)
            tell("cleared", onset, onset + 70)
        elif kind in ("cleared", "reopened", "moved", "withdrawn") and truth:
            onset = chance.choice(sorted(truth))
            if kind == "cleared":
                truth[onset] = onset + 100 + step
                tell("cleared", onset, onset + 100 + step)
            elif kind == "reopened" and (end := truth[onset]) is not None:
                truth[onset] = None
                tell("reopened", onset, end)
            elif kind == "withdrawn":
                del truth[onset]
                gone.add(onset)
                tell("withdrawn", onset, onset + 60)
            elif kind == "moved":
                target = chance.choice(sorted(gone)) if gone and chance.random() < 0.5 else onset - step
                gone.discard(target)
                truth[target] = truth.pop(onset)
                tell("moved", onset, target)
    return told, truth


def lots(chance: random.Random, told: list[Change]) -> Iterator[list[Change]]:
    while told:
        size = chance.randint(1, 8)
        yield told[:size]
        told = told[size:]


def in_the_book(hub: Hub, thing: str) -> Ends:
    query = select(alerts.c.onset, alerts.c.cleared).where(alerts.c.thing_id == thing, alerts.c.state == "standing")
    with hub.store.read() as conn:
        return {row.onset: row.cleared for row in conn.execute(query)}


def cases_open(hub: Hub) -> list[str]:
    with hub.store.read() as conn:
        return list(
            conn.execute(select(cases.c.alert).where(cases.c.state == "open").order_by(cases.c.alert)).scalars()
        )


@pytest.mark.backends
def test_any_lots_come_to_what_is_true(hub: Hub) -> None:
    everything: list[Found] = []
    truths: dict[str, Ends] = {}
    for number in range(1, VALVES + 1):
        chance = random.Random(number + 10_000)
        thing = hub.things.find(f"valve-{number}")
        told, truths[f"valve-{number}"] = story(chance)
        for lot in lots(chance, told):
            hub.alerts.apply([Found(change, thing) for change in lot])
        everything += [Found(change, thing) for change in told]
    assert {thing: in_the_book(hub, thing) for thing in truths} == truths
    before = cases_open(hub)
    assert len(before) == sum(map(len, truths.values()))
    hub.alerts.apply(everything)
    assert {thing: in_the_book(hub, thing) for thing in truths} == truths
    assert cases_open(hub) == before
