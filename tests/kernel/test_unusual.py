"""What is unusual: the compiled steps against the same steps in plain Python, what they see, and rules that ask."""

import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from city import SECOND, Alerts, Town, judge_of, readings
from hypothesis import given, settings
from hypothesis import strategies as st

from cheng.kernel import compiled
from cheng.kernel import unusual as kernel
from cheng.kernel.checkpoints import as_bytes, digest, freeze, from_bytes, thaw
from cheng.kernel.columns import Floats, Times
from cheng.kernel.dry_runs import constants, with_constant
from cheng.kernel.entities import Choice, Entity, Event, Quantity, silence
from cheng.kernel.expressions import count, unusual
from cheng.kernel.judging import Judge
from cheng.kernel.rules import Rule
from cheng.kernel.stretches import Readings
from cheng.kernel.unusual import ROW, State, score
from cheng.standards.durations import hours, seconds

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
START = 1_750_000_000 * SECOND // DAY * DAY
TOLD = 0.5


def plain() -> ModuleType:
    """The module without a compiler."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("compiled", "called"):
            patch.setattr(compiled, name, lambda function: function)
        spec = importlib.util.spec_from_file_location("plain_unusual", kernel.__file__)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


PLAIN = plain()


def scored(time: Times, value: Floats, state: State | None = None) -> Floats:
    """The scores of one series."""
    state = np.zeros(1, ROW) if state is None else state
    return score(state, np.zeros(len(time), np.intp), time, np.asarray(value, np.float64))


# -- the steps

NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, 20.0, 20.5, -3.0, 1e-300, 1e308, -1e308, 5e-324]),
)
STRETCHES = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from([0, 1, 7 * SECOND, 5 * MINUTE, 59 * MINUTE, HOUR, DAY, 400 * DAY, -HOUR]),
        NUMBERS,
        st.sampled_from([0.0, 0.1, 5.0]),
    ),
    min_size=1,
    max_size=12,
)


@st.composite
def series(draw: st.DrawFn) -> tuple[Times, Floats]:
    """Any readings: stretches of one distance in time around one value."""
    noise = np.random.default_rng(draw(st.integers(0, 99)))
    time, value, now = [], [], draw(st.sampled_from([0, -DAY, START, 2**62]))
    for length, apart, middle, spread in draw(STRETCHES):
        with np.errstate(all="ignore"):
            value.append(middle + spread * noise.standard_normal(length))
        time.append(now + apart * np.arange(length, dtype=np.int64))
        now = int(time[-1][-1]) + apart
    return np.concatenate(time), np.concatenate(value)


@settings(max_examples=150, deadline=None)
@given(series())
def test_compiled_and_plain_steps_agree_and_nothing_breaks_them(some: tuple[Times, Floats]) -> None:
    time, value = some
    ours, theirs = np.zeros(1, ROW), np.zeros(1, ROW)
    scores = scored(time, value, ours)
    with np.errstate(over="ignore"):
        expected = PLAIN.score(theirs, np.zeros(len(time), np.intp), time, value)
    # The last bits of a state may differ, and with them a score by as little; what is counted may not.
    np.testing.assert_allclose(scores, expected, rtol=1e-2, atol=1e-5)
    for name in ("last", "count", "days", "visit", "since"):
        assert ours[name] == theirs[name]
    assert np.array_equal(np.isnan(scores), ~np.isfinite(value))
    assert ((scores >= 0) & (scores < 1))[np.isfinite(value)].all()
    assert all(np.isfinite(ours[name]).all() for name in ROW.names or ())


@settings(max_examples=50, deadline=None)
@given(series(), st.integers(0, 400))
def test_nobody_looks_ahead(some: tuple[Times, Floats], cut: int) -> None:
    time, value = some
    state, whole = np.zeros(1, ROW), scored(time, value)
    begun = scored(time[:cut], value[:cut], state)
    np.testing.assert_array_equal(whole, np.concatenate((begun, scored(time[cut:], value[cut:], state))))


def test_a_series_takes_200_bytes_and_rows_that_are_not_there_are_unknown() -> None:
    assert ROW.itemsize <= 200
    slot = np.array([0, 5, -1, 1], np.intp)
    scores = score(np.zeros(2, ROW), slot, np.full(4, START), np.ones(4))
    assert np.isnan(scores).tolist() == [False, True, True, False]


# -- what is seen


def invented(days: int, seed: int = 1, rest: int = 7) -> tuple[Times, Floats]:
    """Noise over a day of 288 readings: high from 8 to 18 h, but for the days of the week from `rest` on."""
    time = START + np.arange(0, days * DAY, 5 * MINUTE)
    hour, weekday = time // HOUR % 24, (time // DAY + 3) % 7
    busy = (hour >= 8) & (hour < 18) & (weekday < rest)
    return time, 20 + 30 * busy + np.random.default_rng(seed).normal(0, 1.5, len(time))


def shifted(value: Floats) -> Floats:
    return value + 12


def wilder(value: Floats) -> Floats:
    return value + np.random.default_rng(2).normal(0, 12, len(value))


def stuck(value: Floats) -> Floats:
    return np.full(len(value), value[0])


def gone(value: Floats) -> Floats:
    return np.zeros(len(value))


@pytest.mark.parametrize("change", [shifted, wilder, stuck, gone])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_sees_what_begins(change: Callable[[Floats], Floats], seed: int) -> None:
    time, value = invented(21, seed, rest=5)
    at = 17 * 288 + 160
    value[at : at + 144] = change(value[at : at + 144])
    told = np.flatnonzero(scored(time, value) >= TOLD)
    assert ((told >= at) & (told < at + 144)).any()
    assert (told < at).sum() <= 6


def test_it_misses_a_day_that_does_not_begin() -> None:
    time, value = invented(18)
    day = slice(17 * 288 + 8 * 12, 17 * 288 + 18 * 12)
    value[day] = value[17 * 288 - 30 : 17 * 288 + 90]
    assert scored(time, value)[day].max() >= TOLD


@pytest.mark.parametrize("apart", [SECOND, 10 * SECOND, 15 * MINUTE, HOUR, 6 * HOUR, DAY])
def test_any_distance_in_time(apart: int) -> None:
    noise = np.random.default_rng(3)
    time = START + np.cumsum(noise.integers(apart // 2, 3 * apart // 2 + 1, 3000))
    value = noise.normal(1000, 3, 3000)
    value[2500:] += 40
    told = np.flatnonzero(scored(time, value) >= TOLD)
    assert ((told >= 2500) & (told < 2520)).any()
    assert (told < 2500).sum() <= 12


@pytest.mark.parametrize("value", [0.0, 45.0, -1e12])
def test_nothing_is_unusual_about_what_never_changes(value: float) -> None:
    assert not scored(START + np.arange(5000) * MINUTE, np.full(5000, value)).any()


# -- rules


class Station(Entity):
    """A station."""

    dust = Quantity("ug/m3", "dust in the air", lateness=seconds(3000))
    wind = Quantity("m/s", "wind", lateness=seconds(3000))
    height = Quantity("m", fixed=True)
    lamp = Choice("on", "off")


class odd(Rule):
    """The air at {name} is unusual."""

    when = unusual(Station.dust) > TOLD
    basis = "House rules"


class odd_calm(Rule):
    """The air at {name} is unusual while there is little wind."""

    when = (unusual(Station.dust) > 0.4) & (Station.wind < 5) & ~Station.wind.rises(3, within=hours(1))
    release = (unusual(Station.dust) < 0.2) | silence(Station, hours(2))
    hold = seconds(0)
    basis = "House rules"


def weeks(seed: int) -> Readings:
    """Two stations with dust and wind every ten minutes, and one jump each."""
    noise = np.random.default_rng(seed)
    rows: list[tuple[float, ...]] = []
    for slot in range(2):
        for n in range(700):
            at = float(n * 600)
            rows.append((slot, 0, at, noise.normal(50, 2) + 60 * (500 <= n < 505 + slot)))
            rows.append((slot, 1, at + 300 * (n % 2), noise.normal(3, 1)))
    return readings(rows)


def judged(judge: Judge, rows: Readings, cuts: list[int]) -> Alerts:
    found, begin = Alerts(), 0
    for end in [*sorted(cuts), len(rows)]:
        found.take(judge.take(rows.take(np.arange(begin, end)))[1])
        begin = end
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.lists(st.integers(0, 2800), max_size=4), st.data())
def test_late_readings_and_restarts_come_to_the_same(seed: int, cuts: list[int], data: st.DataObject) -> None:
    rows = weeks(seed)
    order = np.argsort(rows.time, kind="stable")
    sorted_judge = judge_of(odd, odd_calm, things=2)
    expected = judged(sorted_judge, rows.take(order), [])
    assert {rule for rule, _, _ in expected.standing} == {odd.key(), odd_calm.key()}
    late = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 1400 * SECOND, len(rows))
    shuffled = rows.take(np.argsort(rows.time + late, kind="stable"))
    judge = judge_of(odd, odd_calm, things=2)
    found = judged(judge, shuffled.take(np.arange(1500)), [cut for cut in cuts if cut < 1500])
    if data.draw(st.booleans()):
        again = judge_of(odd, odd_calm, things=2)
        assert thaw(again, from_bytes(as_bytes(freeze(judge, np.arange(2)))), {0: 0, 1: 1})
        judge = again
    rest = shuffled.take(np.arange(1500, len(rows)))
    for part in np.array_split(np.arange(len(rest)), len(cuts) + 1):
        found.take(judge.take(rest.take(part))[1])
    assert found.standing == expected.standing
    assert digest(judge, np.arange(2)) == digest(sorted_judge, np.arange(2))


def test_between_reports_it_is_unknown_and_the_alert_stands() -> None:
    rows = [(0, 0, n * 600.0, 50.0 + n % 3) for n in range(500)]
    judge = judge_of(odd)
    jump = readings([*rows, (0, 0, 300000.0, 900.0), (0, 1, 300010.0, 3.0)])
    found = Alerts().take(judge.take(jump)[1])
    assert list(found.standing.values()) == [None]
    found.take(judge.take(readings([(0, 0, 300600.0, 905.0), (0, 0, 301200.0, 904.0)]))[1])
    assert list(found.standing.values()) == [301200 * SECOND]


def test_it_reads_as_a_sentence_and_its_number_can_be_moved() -> None:
    assert odd.when.words() == "how unusual dust is > 0.5"
    tried = with_constant(odd.when, constants(odd.when)[0], 0.7)
    assert tried.words() == "how unusual dust is > 0.7"


class Scan(Event):
    """A scan."""

    dose = Quantity("mSv")


def problems(**said: Any) -> list[tuple[str, str]]:
    wrong: Any = type("wrong", (Rule,), {"__doc__": "Wrong.", "__module__": __name__, "basis": "House rules", **said})
    return [(problem.code, problem.hint) for problem in wrong.problems]


@pytest.mark.parametrize("asked", [Station.height, Station.lamp])
def test_only_numbers_reported_over_time_have_habits(asked: Any) -> None:
    when = (unusual(asked) > TOLD) & (Station.dust > 1)
    assert ("H016", "ask it of a Quantity that is reported over time") in problems(when=when)


def test_what_was_unusual_then_is_not_kept_and_events_have_no_habits() -> None:
    hint = "compare unusual(…) with a number; it looks back by itself"
    assert problems(when=count(unusual(Station.dust) > TOLD, within=hours(1)) > 2) == [("H016", hint)]
    assert problems(when=unusual(Station.dust).rises(0.2, within=hours(1))) == [("H016", hint)]
    assert [code for code, _ in problems(when=unusual(Scan.dose) > TOLD)] == ["H014"]


def test_without_such_rules_nothing_is_kept() -> None:
    class dusty(Rule):
        """Dust at {name}."""

        when = Station.dust.rises(5, within=hours(1))
        basis = "House rules"

    judge = judge_of(dusty)
    assert list(judge.stretched.habits.parts()) == []
    assert isinstance(judge.register, Town)
