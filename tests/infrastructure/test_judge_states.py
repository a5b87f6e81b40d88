"""The state of the judging, written down in parts: whole again after any break-off, and short for what feeds it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cheng.hub import Hub
from cheng.infrastructure import judge_states
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.judges import Judges
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.tables import checkpoints
from cheng.kernel.observations import Batch
from laboratory import open_laboratory

VALVES, LOTS = 7, 12
SECOND = 1_000_000


@pytest.fixture
def hub(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(judge_states, "TOGETHER", 3)
    hub = open_laboratory(tmp_path, clock, valves=VALVES)
    yield hub
    hub.close()


def lots(hub: Hub) -> list[Batch]:
    """Every valve reports every ten seconds; some report late, some twice."""
    attribute, start = hub.things.attributes["Valve", "pressure"], hub.clock.now() - 1000 * SECOND
    valves = [thing.idx for thing in hub.things.of_type("Valve")]
    chance, made = np.random.default_rng(1), []
    for turn in range(LOTS):
        thing = np.array(valves * 2, np.int32)
        late = np.where(chance.random(len(thing)) < 0.3, 15, 0)
        times = start + (turn * 20 + np.arange(len(thing)) // len(valves) * 10 - late) * SECOND
        made.append(Batch.of(thing, np.full(len(thing), attribute), times, chance.uniform(0, 130, len(thing))))
    return made


def restarted(hub: Hub, log: list[Batch]) -> Judges:
    """Judges that begin with what the store holds and replay what the log holds after it."""
    again = Judges(hub.store, hub.model, hub.things, hub.clock)
    first = 0
    for batch in log:
        if first + len(batch) - 1 > again.seq:
            again.replay(batch, first)
            again.seq = first + len(batch) - 1
        first += len(batch)
    return again


@pytest.mark.parametrize("saved", range(2, LOTS + 1, 3))
def test_parts_of_different_moments_come_to_one_state(hub: Hub, saved: int) -> None:
    """A part of the state is written after every lot, up to where it breaks off."""
    judges, log, names = hub.judges, list[Batch](), set[str]()
    for number, batch in enumerate(lots(hub)):
        judges.take(batch, hub.clock.now())
        judges.seq += len(batch)
        log.append(batch)
        if number < saved:
            checkpoint = judges.freeze_some()
            assert len(checkpoint.parts) <= 3
            names |= {part.name for part in checkpoint.parts}
            judges.save(checkpoint)
    again = restarted(hub, log)
    whole = {f"judge/Valve/{begin}" for begin in (0, 3, 6)} <= names
    assert (judges.saved >= 0) == whole
    assert again.digest() == judges.digest()
    assert again.standing() == judges.standing()


def test_things_that_were_registered_since_are_replayed(hub: Hub) -> None:
    judges, (first, second, *_) = hub.judges, lots(hub)
    judges.take(first, hub.clock.now())
    judges.seq += len(first)
    judges.save(judges.freeze())
    assert (judges.saved, judges.freezing) == (len(first) - 1, False)
    hub.things.put([NewThing("valve-new", "Valve")], "test")
    fresh = Batch.of(second.thing, second.attr, second.time, second.value)
    fresh.thing[:] = hub.things.find("valve-new").idx  # type: ignore[union-attr]  # it was just put there
    for batch in (second, fresh):
        judges.take(batch, hub.clock.now())
        judges.seq += len(batch)
    assert restarted(hub, [first, second, fresh]).digest() == judges.digest()


def test_a_state_of_other_types_is_not_used(hub: Hub) -> None:
    batch = lots(hub)[0]
    hub.judges.take(batch, hub.clock.now())
    hub.judges.seq += len(batch)
    hub.judges.save(hub.judges.freeze())
    with hub.store.write() as conn:
        name = checkpoints.c.name
        conn.execute(checkpoints.delete().where(name.startswith("judge/Van")))
    again = Judges(hub.store, hub.model, hub.things, hub.clock)
    assert (again.seq, again.saved) == (-1, -1)
    assert restarted(hub, [batch]).digest() == hub.judges.digest()
