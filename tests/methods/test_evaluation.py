"""Rates and scores of urban management against numbers that cities published, and worked out by hand at every edge."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.kernel.indicators import grade, percent
from cheng.methods.evaluation import (
    DISTRICT,
    POSTS,
    RATES,
    WORDS,
    CallBacks,
    Part,
    band,
    hotline_points,
    score,
    share,
)


def shown(key: str, above: int, below: int) -> str:
    """A rate as people read it."""
    rate = RATES[key]
    value = share(rate, {rate.above: above, rate.below: below})
    return percent(None if value is None else float(value))


def test_a_published_month_comes_out_as_published() -> None:
    """A city closed 911 of 972 cases in December 2016, 737 of them in time."""
    assert shown("closed", 911, 972) == "93.72 %"
    assert shown("closed_in_time", 737, 972) == "75.82 %"


@pytest.mark.parametrize("key", RATES)
def test_every_rate_says_what_it_counts_and_has_no_value_without_anything_to_count(key: str) -> None:
    rate = RATES[key]
    assert all(rate.formula)
    assert WORDS[rate.above]
    assert WORDS[rate.below]
    assert share(rate, {}) is None
    assert share(rate, {rate.above: 1, rate.below: 4}) == Fraction(1, 4)
    assert shown(key, 0, 0) == "–"


def test_percent_is_multiplied_by_a_hundred_once() -> None:
    assert shown("handled", 1, 1) == "100.00 %"
    assert shown("handled", 1, 3) == "33.33 %"


@pytest.mark.parametrize(
    ("points", "letter"),
    [(100, "A"), (90, "A"), ("89.99", "B"), (75, "B"), ("74.99", "C"), (60, "C"), ("59.99", "D"), (40, "D"),
     ("39.99", "E"), (0, "E")],
)  # fmt: skip
def test_grades_at_their_edges_and_just_below(points: int | str, letter: str) -> None:
    assert grade(float(Fraction(points) / 100)) == letter


def test_a_score_of_exactly_ninety_is_an_a_whatever_it_is_made_of() -> None:
    """In floats 0.4 · 0.9 + 0.2 · 0.9 + … would come out a hair below."""
    counts = {"report.valid": 9, "report.all": 10, "file.missed": 1, "file.all": 10}
    counts |= {"verify.in_time": 27, "verify.due": 30, "check.in_time": 63, "check.due": 70}
    total = score(POSTS["collector"], counts)
    assert total == 90
    assert grade(float(total / 100)) == "A"


def test_the_points_of_a_district_by_hand() -> None:
    """30·0.9 + 20·0.8 + 20·(1−0.05) + 20·(1−0.1) + 10·(1−0.2) = 27 + 16 + 19 + 18 + 8 = 88."""
    counts = {"handle.due": 100, "handle.done": 90, "handle.in_time": 80, "handle.overdue": 10, "handle.extended": 20}
    assert score(DISTRICT, counts | {"whole.reworked": 3, "whole.due": 60}) == 88


def test_the_points_of_an_acceptor_by_hand() -> None:
    """1,500 accepted bring 90 of 100: 25·0.9 + 40·0.95 of 65 points, since the house itself sends checks: 93.08."""
    counts = {"accept.done": 1500, "accept.in_time": 95, "accept.due": 100}
    assert score(POSTS["acceptor"], counts) == 100 * (25 * Fraction(9, 10) + 40 * Fraction(95, 100)) / 65


def test_the_points_of_a_shift_leader_and_a_dispatcher_by_hand() -> None:
    leader = {"file.in_time": 8, "file.done": 10, "file.kept": 9, "file.all": 10, "close.in_time": 7, "close.due": 10}
    assert score(POSTS["shift-leader"], leader) == 20 + 36 + Fraction(49, 2)
    sent = {"dispatch.done": 600, "dispatch.in_time": 9, "dispatch.due": 10, "dispatch.right": 8}
    assert score(POSTS["dispatcher"], sent) == 15 + 36 + 32


@pytest.mark.parametrize("post", POSTS)
def test_the_parts_of_each_score_make_a_hundred(post: str) -> None:
    assert sum(part.points for part in POSTS[post]) == 100
    assert all(part.of in RATES or part.of in WORDS for part in POSTS[post])
    assert score(POSTS[post], {}) is None


@pytest.mark.parametrize(
    ("count", "points"),
    [(2001, 100), (2000, 90), (1201, 90), (1200, 75), (501, 75), (500, 60), (301, 60), (300, 40), (1, 40)],
)
def test_bands_of_counts(count: int, points: int) -> None:
    assert band(count) == points


@given(st.dictionaries(st.sampled_from(sorted(WORDS)), st.integers(0, 50)), st.sampled_from(sorted(POSTS)))
def test_a_score_lies_between_nothing_and_everything(counts: dict[str, int], post: str) -> None:
    """However much is counted, as long as no more stands above a line than below."""
    for rate in RATES.values():
        counts[rate.below] = max(counts.get(rate.below, 0), counts.get(rate.above, 0))
    total = score(POSTS[post], counts)
    assert total is None or 0 <= total <= 100


def test_a_part_without_a_value_takes_no_points_away() -> None:
    parts = (Part(60, "handled"), Part(40, "checked_in_time"))
    assert score(parts, {"handle.done": 3, "handle.due": 4}) == 75


def test_the_three_rates_of_the_hotline_by_hand() -> None:
    """Of 200 call-backs 190 had been reached, 160 solved, 100 satisfied and 50 in the main: 95 %, 80 %, 72.5 %."""
    said = CallBacks(200, 190, 160, 100, 50)
    assert (said.response, said.solution) == (Fraction(95, 100), Fraction(80, 100))
    assert said.satisfaction == Fraction(725, 1000)
    assert said.composite == Fraction(95, 1000) + Fraction(40, 100) + Fraction(29, 100)
    assert percent(float(said.composite)) == "78.50 %"
    assert (CallBacks().response, CallBacks().satisfaction, CallBacks().composite) == (None, None, None)


@pytest.mark.parametrize(("days", "points"), [(0, 10), (1, 10), (Fraction(3, 2), 5), (2, 0), (9, 0), (None, None)])
def test_the_points_of_a_short_cycle(days: Fraction | int | None, points: int | None) -> None:
    told = hotline_points(Fraction(9, 10), None if days is None else Fraction(days), 3)
    assert told == {"satisfaction": 27, "cycle": points, "repeats": -3}


def test_places_reported_again_cost_twenty_points_at_the_most() -> None:
    assert hotline_points(None, None, 25)["repeats"] == -20
