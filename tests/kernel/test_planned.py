"""The compiled steps beside the general form over stretches; and the state as one number, however it came about."""

from collections.abc import Sequence

import numpy as np
import pytest
from city import SECOND, Alerts, Town, judge_of, readings
from hypothesis import given, settings
from hypothesis import strategies as st
from judging_cases import THINGS, Box, Report, columns, high, judge, lateness, named, reports, rule_of, rules, town

from cheng.kernel.checkpoints import as_bytes, digest, freeze, from_bytes, thaw
from cheng.kernel.conditions import Condition
from cheng.kernel.entities import Entity, Quantity
from cheng.kernel.judging import Judge
from cheng.kernel.plans import Plan, UnplannedError
from cheng.kernel.rules import Rule
from cheng.standards.durations import seconds

EVERY = np.arange(THINGS)


def over_stretches(some: Sequence[type[Rule]], here: Town) -> Judge:
    """A judge that judges every rule in the general form."""

    def refuse(plan: Plan, of: Condition) -> list[tuple[int, float]]:
        raise UnplannedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "_code", refuse)
        judging = judge(*some, here=here)
    assert len(judging.stretched.rules) == len(some)
    return judging


RULES = st.lists(rules(), min_size=1, max_size=4).map(named)
LIMITS = st.builds(
    lambda field, number, hold, less: rule_of(field > number, seconds(hold), None if less is None else field < less),
    st.sampled_from([Box.level, Box.load]),
    st.sampled_from([0.0, 1.0, 2.0]),
    st.sampled_from([0, 1, 3, 7]),
    st.sampled_from([None, 1.0]),
)
"""Rules that a late reading often changes nothing for."""
ONE_FIELD_EACH = st.lists(LIMITS, min_size=1, max_size=4).map(named)


@settings(max_examples=300)
@given(st.one_of(RULES, ONE_FIELD_EACH), reports(), st.data())
def test_the_compiled_steps_come_to_what_the_general_form_comes_to(
    some: list[type[Rule]], rows: list[Report], data: st.DataObject
) -> None:
    arriving = sorted(rows, key=lambda r: r.time + r.delay)
    here = town()
    compiled, general = judge(*some, here=here), over_stretches(some, here)
    at = 0
    while at < len(arriving):
        size = data.draw(st.integers(0, 8), "batch")
        if size == 0:
            now = data.draw(st.integers(-6, 45), "tick") * SECOND
            both = compiled.tick(now), general.tick(now)
        else:
            batch = columns(arriving[at : at + size])
            (marks, one), (others, two) = compiled.take(batch), general.take(batch)
            assert marks.tolist() == others.tolist()
            both, at = (one, two), at + size
        assert sorted(map(repr, both[0])) == sorted(map(repr, both[1]))


@settings(max_examples=200)
@given(st.one_of(RULES, ONE_FIELD_EACH), reports(), st.data())
def test_the_state_has_one_hash_whatever_lots_orders_and_restarts_it_came_in(
    some: list[type[Rule]], rows: list[Report], data: st.DataObject
) -> None:
    here, hashes = town(), set()
    for way in ("straight", "late", "restarted"):
        judging, at = judge(*some, here=here), 0
        late = sorted(rows, key=lambda r: r.time + (min(r.delay, lateness(r)) if way == "late" else 0))
        while at < len(rows):
            size = data.draw(st.integers(1, 20), way)
            judging.take(columns(late[at : at + size]))
            at += size
            if way == "restarted":
                again = judge(*some, here=here)
                assert thaw(again, from_bytes(as_bytes(freeze(judging, EVERY))), {n: n for n in range(THINGS)})
                judging = again
        judging.tick(45 * SECOND)
        hashes.add(digest(judging, EVERY))
    assert len(hashes) == 1


def test_a_rule_that_is_new_after_a_restart_begins_with_the_next_report() -> None:
    first, other = named([rule_of(high.when), rule_of(high.when, seconds(5))])
    before, after = judge_of(first), judge_of(first, other)
    found = Alerts().take(before.take(readings([(0, 0, 0, 90)]))[1])
    assert thaw(after, freeze(before, np.arange(1)), {0: 0})
    found.take(after.take(readings([(0, 1, 10, 0), (0, 1, 16, 0)]))[1])
    assert found.of(0, first.key()) == {(0, None)}
    assert found.of(0, other.key()) == {(10 * SECOND, None)}


class Meter(Entity):
    """One number with many limits."""

    level = Quantity("m", "how high")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-1, 151).map(float), min_size=1, max_size=30), st.integers(1, 30))
def test_more_limits_than_fit_into_a_word(values: list[float], batch: int) -> None:
    limits = named([rule_of(Meter.level >= n, seconds(n % 3)) for n in range(150)])
    judging, found = judge_of(*limits), Alerts()
    for begin in range(0, len(values), batch):
        rows = [(0, 0, begin + n, value) for n, value in enumerate(values[begin : begin + batch])]
        found.take(judging.take(readings(rows))[1])
    for n in (0, 1, 63, 64, 65, 127, 128, 149):
        onset, right = None, set[tuple[int, int | None]]()
        since = None
        for at, value in enumerate(values):
            if value < n:
                right |= set() if onset is None else {(onset * SECOND, at * SECOND)}
                onset = since = None
                continue
            since = at if since is None else since
            onset = since if onset is None and at - since >= n % 3 else onset
        right |= set() if onset is None else {(onset * SECOND, None)}
        assert found.of(0, limits[n].key()) == right
