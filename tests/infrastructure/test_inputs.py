"""Inputs: rates, waits and shares of the last minutes from lots that are counted once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.inputs import BOUNDS, SLOTS, STEP, Inputs, no_waits, quantile


class Steady:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def inputs(steady: Steady) -> Inputs:
    return Inputs(steady)


def test_nothing_is_told_of_what_was_never_heard(inputs: Inputs) -> None:
    assert inputs.now() == []
    assert list(inputs.counters()) == []


def test_the_rate_is_that_of_the_last_minute(inputs: Inputs, steady: Steady) -> None:
    for _ in range(int(120 / STEP)):
        inputs.took("http", 500, 0, 0.004)
        steady.at += STEP
    (http,) = inputs.now()
    assert http.rate == pytest.approx(100)
    assert http.rates[-1] == pytest.approx(100)
    assert http.readings == 500 * 24
    steady.at += 60
    assert inputs.now()[0].rate == 0
    assert inputs.now()[0].quiet == pytest.approx(65)


def test_a_hub_that_has_just_begun_has_a_rate_of_the_time_it_has_seen(inputs: Inputs, steady: Steady) -> None:
    inputs.took("mqtt", 100)
    assert inputs.now()[0].rate == pytest.approx(100 / STEP)
    steady.at += STEP
    assert inputs.now()[0].rate == pytest.approx(100 / STEP)


def test_what_is_older_than_the_slots_is_forgotten_but_in_the_totals(inputs: Inputs, steady: Steady) -> None:
    inputs.took("http", 10, 30, 5.0)
    steady.at += STEP * SLOTS
    (http,) = inputs.now()
    assert (http.half, http.most, http.refused_share) == (None, None, None)
    assert (http.readings, http.refused) == (10, 30)
    inputs.took("http", 10, 0, 0.001)
    assert inputs.now()[0].refused_share == 0


def test_half_and_most_wait_no_longer_than_this(inputs: Inputs) -> None:
    inputs.took("single", 980, 0, 0.002)
    inputs.took("single", 20, 0, 0.9)
    (single,) = inputs.now()
    assert single.half is not None
    assert single.most is not None
    assert 0.001 < single.half <= 0.0026
    assert 0.6 < single.most <= 1.0


@given(st.lists(st.floats(0.0002, 90), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_the_exact_one(waits: list[float], share: float) -> None:
    inputs = Inputs(lambda: 0.0)
    for seconds in waits:
        inputs.took("x", 1, 0, seconds)
    counts = no_waits()
    for slot in inputs._courses["x"].slots:
        counts = [a + b for a, b in zip(counts, slot.waits, strict=True)]
    told = quantile(counts, share)
    assert told is not None
    exact = sorted(waits)[max(-int(-share * len(waits) // 1) - 1, 0)]
    step = BOUNDS[1] / BOUNDS[0] * 1.0001
    assert exact / step <= told <= exact * step


def test_the_metrics_are_a_histogram(inputs: Inputs) -> None:
    inputs.took("http", 3, 1, 0.5)
    told = {(name, labels.get("le", "")): value for name, _, labels, value in inputs.counters()}
    assert told["cheng_input_readings_total", ""] == 3
    assert told["cheng_input_refused_total", ""] == 1
    assert told["cheng_input_wait_seconds_bucket", "+Inf"] == 3
    assert told["cheng_input_wait_seconds_count", ""] == 3
    assert told["cheng_input_wait_seconds_sum", ""] == pytest.approx(1.5)
