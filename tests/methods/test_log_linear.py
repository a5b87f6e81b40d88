"""A log-linear model: chances are chances, the same cases give the same model, and without cases nothing is claimed."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cheng.methods.log_linear import UNKNOWN, Members, fit, gathered

LOTS = st.lists(st.tuples(st.integers(0, 4), st.integers(5, 7), st.integers(0, 3)), min_size=1, max_size=60)
FAMILIES = np.array([0, 1, 0, 2], np.int32)


def model(lot: list[tuple[int, int, int]]):  # type: ignore[no-untyped-def]
    table = np.array(lot, np.int32)
    return fit(table[:, :2], table[:, 2], FAMILIES, 8)


@settings(deadline=None, max_examples=30)
@given(LOTS)
def test_chances_sum_to_one_whatever_is_known(lot: list[tuple[int, int, int]]) -> None:
    asked = np.array([[0, 5], [4, UNKNOWN], [UNKNOWN, UNKNOWN]], np.int32)
    chances = model(lot).chances(asked)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert (chances > 0).all()


@settings(deadline=None, max_examples=20)
@given(LOTS)
def test_the_same_cases_give_the_same_model(lot: list[tuple[int, int, int]]) -> None:
    assert model(lot).weights.tobytes() == model(lot).weights.tobytes()


@settings(deadline=None, max_examples=20)
@given(LOTS)
def test_with_nothing_known_the_shares_of_all_cases_are_told(lot: list[tuple[int, int, int]]) -> None:
    seen = np.bincount([label for _, _, label in lot], minlength=4) + 0.5
    chances = model(lot).chances(np.array([[UNKNOWN, UNKNOWN]], np.int32))
    np.testing.assert_allclose(chances[0], seen / seen.sum(), atol=1e-5)


def test_a_word_seen_once_says_less_than_one_seen_often() -> None:
    often = model([(0, 5, 1)] * 40 + [(1, 5, 2)] * 40 + [(2, 5, 2)])
    chances = often.chances(np.array([[0, 5], [2, 5], [UNKNOWN, 5]], np.int32))
    assert chances[0, 1] > 0.9
    assert chances[2, 2] < chances[1, 2] < chances[0, 1]


def test_a_family_learns_from_its_members() -> None:
    """Label 2 never had word 3, but its sister 0 had, where word 5 was; word 6 says it is 2's place."""
    lot = [(3, 5, 0)] * 20 + [(4, 5, 1)] * 20 + [(4, 6, 1)] * 10 + [(1, 6, 2)] * 20
    sister, stranger = model(lot).chances(np.array([[3, 6]], np.int32))[0][[2, 3]]
    apart = fit(np.array(lot, np.int32)[:, :2], np.array(lot, np.int32)[:, 2], np.arange(4, dtype=np.int32), 8).chances(
        np.array([[3, 6]], np.int32)
    )[0]
    assert sister > apart[2]
    assert sister > stranger


@given(st.lists(st.lists(st.integers(-1, 5), min_size=3, max_size=3), min_size=1, max_size=20))
def test_gathering_is_the_product_with_one_hot_columns(rows: list[list[int]]) -> None:
    codes = np.array(rows, np.int32)
    wrong = np.arange(len(rows) * 2, dtype=np.float32).reshape(-1, 2)
    expected = np.zeros((6, 2), np.float32)
    for row, words in enumerate(rows):
        for word in words:
            if word != UNKNOWN:
                expected[word] += wrong[row]
    np.testing.assert_allclose(gathered(codes, wrong, 6), expected)


def test_members_spread_and_sum() -> None:
    members = Members(np.array([3, 1, 3, 0, 1], np.int32))
    slope = np.arange(10, dtype=np.float32).reshape(2, 5)
    assert members.families == 2
    np.testing.assert_allclose(members.sums(slope), [[1 + 4, 0 + 2], [6 + 9, 5 + 7]])
    np.testing.assert_allclose(members.spread(np.array([[1, 2]], np.float32)), [[2, 1, 2, 0, 1]])
