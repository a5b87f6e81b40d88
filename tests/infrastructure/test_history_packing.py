"""Machine code beside NumPy: pages give every bit back or nothing, orders are NumPy's, answers are plain arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cheng.infrastructure.history_packing import PAGE, pack
from cheng.infrastructure.history_queries import into_buckets
from cheng.infrastructure.history_rows import KEY, Rows, stable_order
from cheng.infrastructure.history_thinning import extremes
from cheng.infrastructure.history_unpacking import unpack

EVER = (-(1 << 63), (1 << 63) - 1)

steady = st.builds(
    lambda first, step, noise: first + step * np.arange(len(noise)) + noise,
    st.integers(-(2**50), 2**50),
    st.integers(0, 10**9),
    arrays.arrays(np.int64, st.integers(1, 60), elements=st.integers(-(10**6), 10**6)),
)
longs = st.one_of(steady, arrays.arrays(np.int64, st.integers(1, 60)))
floats = st.one_of(
    arrays.arrays(np.float64, st.integers(1, 60)),
    arrays.arrays(np.int32, st.integers(1, 60)).map(lambda whole: whole / 100),
    st.lists(st.sampled_from([0.0, -0.0, math.nan, math.inf, 0.1, 1e300, 21.5, 5e-324]), min_size=1).map(np.array),
)
ints = arrays.arrays(np.int32, st.integers(1, 60), elements=st.integers(1 - 2**31, 2**31 - 1))
"""the very least attribute and a negative thing make no key of 64 bits; neither is ever given"""
marks = arrays.arrays(np.uint16, st.integers(1, 60))


def repeated(column, n, times):
    return np.resize(np.repeat(column, times), n)


@st.composite
def many(draw):
    """Rows of any kind, as they come: short ones and such as take several pages."""
    n = draw(st.one_of(st.integers(1, 70), st.integers(PAGE - 2, 2 * PAGE + 2)))
    times = draw(st.sampled_from([1, 1, 30, 3000]))
    columns = [draw(kind) for kind in (longs, ints, ints, longs, floats, floats, marks)]
    return Rows(*(repeated(column, n, times) for column in columns))


def packed(rows, order):
    words, index = np.empty(1 << 18, np.uint64), np.empty((64, 8), np.int64)
    checks = np.empty(64, np.uint64)
    done, used, pages = pack(rows.columns(), order, 0, words, index, checks)
    assert done == len(order)
    ends = np.append(index[1:pages, 0], used)
    return words[:used], np.stack([index[:pages, 0], ends, index[:pages, 1]], 1), index[:pages], checks[:pages]


def opened(words, places, checks, keys=EVER, times=EVER, bad=0):
    rows, spoilt = Rows.sized(PAGE * len(places)), np.zeros(len(places), np.bool_)
    count = unpack(words, places, checks, keys, times, bad, True, rows.columns(), spoilt)
    return rows.take(slice(count)), spoilt


def edges_of_page(rows):
    first = np.append(True, rows.time[1:] != rows.time[:-1])
    value = rows.value[first]
    return np.fmin.reduce(value), np.fmax.reduce(value)


def same(one, other):
    return all(a.tobytes() == b.tobytes() for a, b in zip(one.columns(), other.columns(), strict=True))


@settings(max_examples=150, deadline=None)
@given(many(), st.data())
def test_a_page_gives_every_bit_back(rows, data):
    rows = rows.take(rows.settled_order())
    words, places, index, checks = packed(rows, rows.order_by())
    found, spoilt = opened(words, places, checks)
    assert not spoilt.any()
    assert same(found, rows)
    assert index[0, 2] == rows.key()[0]
    assert index[-1, 3] == rows.key()[-1]
    assert index[:, 4].min() == rows.time.min()
    assert index[:, 5].max() == rows.time.max()
    edges = [edges_of_page(rows.take(slice(at, at + PAGE))) for at in range(0, len(rows), PAGE)]
    assert np.array_equal(index[:, 6:].view(np.float64), edges, equal_nan=True)
    low, start, bad = (data.draw(st.sampled_from(column.tolist())) for column in (rows.key(), rows.time, rows.quality))
    high = min(low + KEY, EVER[1])
    found, _ = opened(words, places, checks, (low, high), (start, EVER[1]), bad)
    wanted = (rows.key() >= low) & (rows.key() <= high) & (rows.time >= start) & (rows.quality & bad == 0)
    assert same(found, rows.take(wanted))


@pytest.mark.parametrize(
    "value",
    [
        np.array([-0.0] * 60 + [0.0]),  # equal to a number that does not give their bits back
        np.where(
            np.arange(PAGE) % 16 == 0, 1.0, np.pi * np.arange(PAGE)
        ),  # a sample of every 16th fits, all others do not
    ],
)
def test_floats_that_are_no_decimals_after_all_keep_their_bits(value):
    n = len(value)
    rows = Rows.sized(n)
    for column in rows.columns():
        column[:] = 0
    rows.seq[:] = rows.time[:] = np.arange(n)
    rows.value[:] = rows.latitude[:] = value
    words, places, _, checks = packed(rows, rows.order_by())
    found, spoilt = opened(words, places, checks)
    assert not spoilt.any()
    assert same(found, rows)


@settings(max_examples=150, deadline=None)
@given(many(), st.data())
def test_whatever_a_page_is_changed_to_nothing_of_it_is_taken(rows, data):
    rows = rows.take(rows.settled_order())
    words, places, _, checks = packed(rows, rows.order_by())
    changed = words.copy()
    at = data.draw(st.integers(0, len(words) - 1))
    changed[at] ^= np.uint64(data.draw(st.integers(1, 2**64 - 1)))
    found, spoilt = opened(changed, places, checks)
    page = int(places[:, 1].searchsorted(at, "right"))
    assert spoilt.tolist() == [number == page for number in range(len(places))]
    assert same(found, rows.take(np.arange(len(rows)) // PAGE != page))


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint64, st.integers(0, 40)), arrays.arrays(np.int64, (3, 3)), st.booleans())
def test_words_that_were_never_a_page_are_not_opened(words, places, near):
    if near:
        places = np.abs(places) % 45
    found, spoilt = opened(words, places, np.zeros(3, np.uint64))
    assert spoilt.all()
    assert len(found) == 0


@settings(max_examples=100, deadline=None)
@given(many())
def test_the_order_is_that_of_numpy(rows):
    assert np.array_equal(rows.settled_order(), np.lexsort((rows.time, rows.thing, rows.attr)))
    order = stable_order(np.arange(len(rows), dtype=np.int32), rows.time, int(rows.time.min()), int(rows.time.max()))
    assert np.array_equal(order, np.argsort(rows.time, kind="stable"))


readings = st.lists(
    st.tuples(st.integers(0, 500), st.one_of(st.floats(-9, 9), st.just(math.nan))), min_size=1, unique_by=lambda r: r[0]
).map(sorted)


@settings(max_examples=100, deadline=None)
@given(readings, st.integers(1, 90), st.integers(0, 30))
def test_buckets_are_plain_arithmetic(points, width, start):
    time, value = (np.array(column) for column in zip(*points, strict=True))
    kept: dict[int, list[float]] = {}
    for at, number in points:
        if not math.isnan(number):
            kept.setdefault(start + (at - start) // width * width, []).append(number)
    wanted = [(at, len(said), min(said), max(said), sum(said) / len(said), said[-1]) for at, said in kept.items()]
    found = np.array(into_buckets(time, value.astype(float), start, width)).T
    assert found == pytest.approx(np.array(wanted).reshape(-1, 6))


@settings(max_examples=100, deadline=None)
@given(readings, st.integers(1, 40))
def test_fewer_points_keep_the_least_and_the_greatest_of_every_stretch(points, stretches):
    time, value = (np.array(column) for column in zip(*points, strict=True))
    kept = extremes(time, value.astype(float), int(time[0]), int(time[-1]) + 1, stretches)
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert len(kept) <= 2 * stretches + 2
    width = (time[-1] - time[0] + 1) / stretches
    stretch = ((time - time[0]) / width).astype(int)
    for number in set(stretch.tolist()):
        said = value[stretch == number]
        shown = value[[row for row in kept.tolist() if stretch[row] == number]]
        if not np.isnan(said).all():
            assert (shown.min(), shown.max()) == (np.nanmin(said), np.nanmax(said))
            assert 1 <= len(shown) <= 2
