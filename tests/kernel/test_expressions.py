"""Terms and conditions: what they say in words, what they need, and what is known when."""

from typing import Any

import numpy as np
import pytest
from city import SECOND, Town, readings
from judging_cases import Box, Yard
from judging_cases import town as boxes

from cheng.kernel.conditions import Condition
from cheng.kernel.entities import Choice, Entity, Event, Quantity, Ref, Track, happened, silence
from cheng.kernel.expressions import Constant, count, every
from cheng.kernel.frames import Column
from cheng.kernel.stretches import Stretch, Values
from cheng.standards.durations import days, hours, minutes, seconds


class Well(Entity):
    """A well."""

    water_level = Quantity("m")
    gas = Quantity("%")
    lid = Choice("open", "shut", on_change=True)
    count_of_days = Quantity("d", on_change=True)
    limit = Quantity("m", fixed=True)


class Alarm(Event):
    """An alarm."""

    well = Ref(Well)
    force = Quantity("1")


def stretch(*rows: tuple[float, ...], before: tuple[float, float] | None = None) -> Stretch:
    """Rows of well 0: field number, seconds, value; `before` are time and value of its water level before them."""
    values = Values(4, 1)
    if before:
        values.time[0, 0], values.value[0, 0] = round(before[0] * SECOND), before[1]
    town = Town(Well, 1, {"limit": [2.0]})
    return Stretch(readings([(0, *row) for row in rows]).sorted(), values, town)


def values(term: Column, *rows: tuple[float, ...], before: tuple[float, float] | None = None) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in term.values(stretch(*rows, before=before))]


def truth(condition: Condition, *rows: tuple[float, ...]) -> list[bool | None]:
    yes, no = condition.judge(stretch(*rows))
    assert not (yes & no).any()
    return [True if y else False if n else None for y, n in zip(yes.tolist(), no.tolist(), strict=True)]


level, gas = Well.water_level, Well.gas
WORDS: list[tuple[Any, str]] = [
    (level > 15, "water level > 15"),
    (level >= 0.5, "water level >= 0.5"),
    (level < Well.limit, "water level < limit"),
    (level <= gas, "water level <= gas"),
    (level + 1 > 2, "(water level + 1) > 2"),
    ((level - gas) * 2 / 3 > 1, "(((water level - gas) * 2) / 3) > 1"),
    (level.rises(5, within=minutes(10)), "rise of water level within 10 minutes >= 5"),
    (level.falls(5, within=days(1)), "fall of water level within 1 day >= 5"),
    (level.rate(per=hours(1), within=minutes(10)) > 3, "change of water level per 1 hour > 3"),
    (level.jumps(2), "jump of water level >= 2"),
    (Well.lid.is_("open"), "lid = open"),
    (Well.lid.is_("open", "shut"), "lid = open / shut"),
    (level.silent(hours(2)), "water level silent for 2 hours"),
    (silence(Well, hours(2)), "Well silent for 2 hours"),
    (count(level > 1, within=hours(1)) >= 5, "number of times water level > 1 within 1 hour >= 5"),
    ((level > 1) & (gas > 2), "water level > 1 and gas > 2"),
    ((level > 1) | (gas > 2), "(water level > 1 or gas > 2)"),
    (~(level > 1), "not (water level > 1)"),
    (Box.spot.inside(Box.zone), "spot in zone"),
    (Box.spot.outside(Box.yard.fence), "not (spot in yard.fence)"),
    (Box.spot.inside(every(Yard.fence)), "spot in any fence"),
    (Box.level > Box.yard.limit, "level > yard.limit"),
    (happened(Alarm), "any Alarm"),
    (Alarm.force > 3, "force > 3"),
    (Constant(1.5), "1.5"),
]


@pytest.mark.parametrize(("said", "words"), WORDS, ids=[words for _, words in WORDS])
def test_words(said: Any, words: str) -> None:
    assert said.words() == words


@pytest.mark.parametrize("said", [said for said, _ in WORDS if isinstance(said, Condition)])
def test_a_condition_is_neither_true_nor_false_when_it_is_declared(said: Condition) -> None:
    for spoil in (bool, lambda c: c and c, lambda c: c or c, lambda c: not c):
        with pytest.raises(TypeError, match=r"join conditions with & \| ~, not with and, or, not$"):
            spoil(said)


def test_two_comparisons_in_a_row_are_refused() -> None:
    with pytest.raises(TypeError, match="a condition is judged later"):
        assert 1 < level < 5


def test_what_cannot_be_judged_says_so() -> None:
    with pytest.raises(TypeError, match="Condition cannot be judged"):
        Condition().judge(stretch())
    with pytest.raises(TypeError, match="Column has no values"):
        Column().values(stretch())


def test_which_fields_a_condition_reads() -> None:
    assert set(((Well.limit < level) & Well.lid.is_("open")).fields()) == {level, Well.lid}
    assert set((Box.spot.inside(Box.yard.fence) | (Box.level > Box.yard.limit)).fields()) == {Box.spot, Box.level}
    assert set((Alarm.force > 1).fields()) == {Alarm.force}


def test_three_values() -> None:
    known, unknown = (0, 1, 5), (1, 0, 0)
    both = (unknown, known)
    assert truth(level > 1, *both) == [None, True]
    assert truth(~(level > 1), *both) == [None, False]
    high, low, dark = level > 1, level < 1, Well.lid.is_("open")
    row = known
    assert truth(high & dark, row) == [None]
    assert truth(low & dark, row) == [False]
    assert truth(high | dark, row) == [True]
    assert truth(low | dark, row) == [None]
    assert truth(~(low & dark), row) == [True]
    assert truth(dark, (2, 0, float("nan")), (2, 1, 0), (2, 2, 1)) == [None, True, False]


def test_arithmetic_with_what_is_not_known() -> None:
    rows = [(0, 0, 6), (1, 1, 2), (1, 2, 0)]
    assert values(level / gas, *rows) == [None, 3, None]
    assert values(level + gas * 2 - 1, *rows) == [None, 9, 5]
    assert values(level * 1e308 * 10, *rows) == [None, None, None]


def test_a_rise_is_measured_from_the_lowest_report_within_the_time() -> None:
    rise = level.rises(0, within=seconds(10)).left
    assert values(rise, (0, 0, 5), (0, 5, 1), (0, 9, 3), (0, 15, 4), (0, 30, 9)) == [0, 0, 2, 1, 0]
    assert values(rise, (0, 0, 1), (0, 9.999999, 3), (0, 10, 4)) == [0, 2, 1]


def test_a_fall_is_measured_from_the_highest() -> None:
    assert values(level.falls(0, within=seconds(10)).left, (0, 0, 5), (0, 5, 1), (0, 9, 3)) == [0, 4, 2]


def test_what_other_fields_report_does_not_count() -> None:
    rows = [(0, 0, 0), (1, 8, 9), (0, 12, 6), (1, 14, 9), (1, 40, 9)]
    assert values(level.rises(0, within=seconds(10)).left, *rows) == [0, 0, 0, 0, None]
    assert values(level.rate(per=seconds(1), within=seconds(20)), *rows) == [None, None, 0.5, 0.5, None]
    assert values(level.jumps(0).left, *rows) == [None, None, 6, None, None]
    assert values(count(level >= 0, within=seconds(13)), *rows) == [1, 1, 2, 1, 0]


def test_what_is_reported_on_change_holds_until_the_next_report() -> None:
    held = Well.count_of_days.falls(0, within=seconds(10)).left
    rows = [(3, 0, 20), (1, 300, 1), (3, 600, 5), (1, 605, 1), (1, 610, 1), (1, 611, 1)]
    assert values(held, *rows) == [0, 0, 15, 15, 0, 0]


def test_what_stood_before_the_first_row_still_held_when_the_time_began() -> None:
    before = Values(4, 2)
    before.time[3], before.value[3] = -1000 * SECOND, [20, 7]
    rows = readings([(0, 3, 5, 4), (0, 3, 20, 4), (1, 3, 5, 1), (1, 1, 14, 0), (1, 1, 15, 0)]).sorted()
    frame = Stretch(rows, before, Town(Well, 2))
    assert Well.count_of_days.falls(0, within=seconds(10)).left.values(frame).tolist() == [16, 0, 6, 6, 0]


def test_a_rate_goes_from_the_oldest_report_within_the_time_to_the_last() -> None:
    rate = level.rate(per=minutes(1), within=seconds(30))
    rows = [(0, 0, 0), (0, 10, 1), (0, 29, 4), (0, 30, 4), (0, 100, 9)]
    assert values(rate, *rows) == [None, 6, pytest.approx(4 / 29 * 60), pytest.approx(3 / 20 * 60), None]


def test_a_jump_reaches_back_to_the_report_before_however_long_ago() -> None:
    assert values(level.jumps(0).left, (0, 1000, 7), (0, 1001, 5), before=(0, 4)) == [3, 2]


def test_a_count_counts_reports_that_met_the_condition() -> None:
    rows = [(0, 0, 5), (0, 1, 0), (0, 2, 5), (1, 3, 0), (0, 10, 5), (0, 12, 5)]
    assert values(count(level > 1, within=seconds(10)), *rows) == [1, 1, 2, 2, 2, 2]


def test_silence_lasts_from_the_last_report_of_any_of_its_fields() -> None:
    rows = [(0, 0, 1), (1, 30, 1), (2, 59, 1), (2, 60, 1), (2, 90, 1)]
    assert truth(level.silent(minutes(1)), *rows) == [False, False, False, True, True]
    assert truth(silence(Well, seconds(30)), *rows) == [False] * 5


def test_places() -> None:
    nan = float("nan")
    spots = [(0, 3, 0, 0.5, 0.5), (0, 3, 1, 1.5, 1.5), (0, 0, 2, 1), (0, 3, 3, nan, nan), (1, 3, 0, 0.5, 0.5)]
    frame = Stretch(readings(spots).sorted(), Values(4, 3), boxes())
    for place, right in (
        (Box.zone, [True, False, False, None, None]),
        (Box.yard.fence, [True, True, True, None, False]),
        (every(Yard.fence), [False, False, False, None, False]),
    ):
        yes, no = Box.spot.inside(place).judge(frame)
        assert [True if y else False if n else None for y, n in zip(yes.tolist(), no.tolist(), strict=True)] == right
        out = Box.spot.outside(place).judge(frame)
        assert (out.yes.tolist(), out.no.tolist()) == (no.tolist(), yes.tolist())


def test_a_position_on_the_edge_is_inside() -> None:
    frame = Stretch(readings([(0, 3, 0, 1.0, 1.0)]), Values(4, 3), boxes())
    assert Box.spot.inside(Box.zone).judge(frame).yes.tolist() == [True]
    assert isinstance(Box.spot, Track)
