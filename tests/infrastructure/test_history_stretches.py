"""Many things that lie in few stretches: only those are read, and nothing of them is left out."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.history import History
from cheng.infrastructure.history_rows import FEW, GAP, Ask
from cheng.kernel.observations import Batch

things = st.lists(st.integers(0, 40) | st.integers(0, 200_000), min_size=1, max_size=60)


@given(things)
def test_stretches_hold_every_thing_once_and_leave_out_the_widest_gaps(asked: list[int]) -> None:
    found = Ask(things=asked, attrs=[1]).stretches()
    assert 1 <= len(found) <= FEW
    assert all(first <= last for first, last in found)
    assert all(one[1] + GAP < other[0] for one, other in pairwise(found))
    held = [thing for thing in sorted(set(asked)) if sum(first <= thing <= last for first, last in found) == 1]
    assert held == sorted(set(asked))
    inside = [b - a for a, b in pairwise(held) if any(f <= a and b <= e for f, e in found)]
    between = [other[0] - one[1] for one, other in pairwise(found)]
    assert len(found) == FEW or not inside or max(inside) <= GAP
    assert not inside or not between or len(found) < FEW or min(between) >= max(inside)


def test_readings_of_things_far_apart_come_whole(tmp_path: Path) -> None:
    history = History(tmp_path, fsync=False, background=False)
    idx = np.concatenate([np.arange(400) + first for first in (0, 70_000, 150_000)])
    minutes = range(0, 240_000_000, 60_000_000)
    for at in minutes:
        history.append(Batch.of(idx, np.ones(len(idx)), np.full(len(idx), at), idx / 10))
    history.flush()
    wanted = [*range(100, 130), *range(70_050, 70_090), 150_399]
    rows = [row for batch in history.scan([1], things=wanted) for row in zip(batch.thing, batch.time, strict=True)]
    history.close()
    assert sorted(rows) == [(one, at) for one in wanted for at in minutes]
