"""The array kernels against loops in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.kernel.columns import (
    NEVER,
    carry,
    ends,
    last_row,
    next_row,
    rank,
    running_min,
    starts,
    window_start,
)

SLOTS = st.lists(st.integers(0, 4), max_size=30).map(sorted)
BOOLS = st.lists(st.booleans(), max_size=30)


@given(SLOTS)
def test_starts_ends_and_rank(slots: list[int]) -> None:
    key = np.array(slots, np.intp)
    first = starts(key)
    assert first.tolist() == [n == 0 or slots[n - 1] != slot for n, slot in enumerate(slots)]
    assert ends(first).tolist() == [n + 1 == len(slots) or slots[n + 1] != slot for n, slot in enumerate(slots)]
    assert rank(first).tolist() == [slots[:n].count(slot) for n, slot in enumerate(slots)]


@given(BOOLS)
def test_nearest_marked_rows(marks: list[bool]) -> None:
    marked, n = np.array(marks, np.bool_), len(marks)
    assert last_row(marked).tolist() == [max((m for m in range(r + 1) if marks[m]), default=-1) for r in range(n)]
    assert next_row(marked).tolist() == [min((m for m in range(r, n) if marks[m]), default=n) for r in range(n)]


@given(SLOTS, st.data())
def test_carry_takes_the_last_value_of_the_same_thing(slots: list[int], data: st.DataObject) -> None:
    n = len(slots)
    present = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    before = np.array([100.0 + slot for slot in slots])
    found = carry(np.arange(n, dtype=np.float64), np.array(present, np.bool_), starts(np.array(slots, np.intp)), before)
    for row, slot in enumerate(slots):
        own = [r for r in range(row + 1) if slots[r] == slot and present[r]]
        assert found[row] == (own[-1] if own else 100 + slot)


def by_hand(slots: list[int], times: list[int], width: int) -> list[int]:
    rows = range(len(slots))
    return [min(r for r in rows if slots[r] == slots[n] and times[n] - width < times[r]) for n in rows]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=25).map(sorted),
    st.integers(1, 60),
    st.sampled_from([0, 10**15, -(10**15), NEVER]),
    st.sampled_from([1, 10**16]),
)
def test_windows_leave_out_their_beginning(rows: list[tuple[int, int]], width: int, base: int, scale: int) -> None:
    slots, times = [slot for slot, _ in rows], [base + scale * time for _, time in rows]
    found = window_start(np.array(slots, np.intp), np.array(times, np.int64), width * scale)
    assert found.tolist() == by_hand(slots, times, width * scale)


@pytest.mark.parametrize("width", [1, 2**40, 2**62, 2**70])
@pytest.mark.parametrize("far", [2**40, 2**61])
def test_windows_do_not_overflow(width: int, far: int) -> None:
    slots, times = [0, 0, 1, 1, 1], [-far, far, -far, 0, far]
    found = window_start(np.array(slots, np.intp), np.array(times, np.int64), width)
    assert found.tolist() == by_hand(slots, times, width)


def test_an_empty_window_table() -> None:
    none = np.zeros(0, np.int64)
    assert window_start(none, none, 5).tolist() == []
    assert running_min(np.zeros(0), none).tolist() == []


@given(
    st.lists(st.sampled_from([1.0, 2.0, -3.0, 0.5, float("nan"), float("inf"), -float("inf")]), max_size=40), st.data()
)
def test_running_min_passes_over_what_is_not_known(values: list[float], data: st.DataObject) -> None:
    start = [data.draw(st.integers(0, row)) for row in range(len(values))]
    found = running_min(np.array(values), np.array(start, np.intp))
    for row, begin in enumerate(start):
        known = [v for v in values[begin : row + 1] if not np.isnan(v) and v != float("inf")]
        assert found[row] == min(known) if known else np.isnan(found[row])
