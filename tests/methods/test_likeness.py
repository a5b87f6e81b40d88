"""What makes two reports alike: the same in both directions, within bounds, and less the further apart they are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.methods import likeness
from cheng.methods.likeness import GROUP, OTHER, SAME, chance, grams, text_likeness

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.text("路灯不亮垃圾井盖丢失ab 12，。", max_size=40)
HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=4)
METRES, HOURS = st.floats(0, 5000), st.floats(0, 5000)
SHARES = st.floats(0, 1) | st.just(math.nan)
CLASSES = st.sampled_from([OTHER, GROUP, SAME])


# -- text


@given(TEXTS, TEXTS)
def test_texts_are_alike_both_ways_and_from_0_to_1(one: str, other: str) -> None:
    forth, back = text_likeness(grams(one), grams(other)), text_likeness(grams(other), grams(one))
    assert forth == back or (math.isnan(forth) and math.isnan(back))
    assert math.isnan(forth) or 0 <= forth <= 1


@given(TEXTS)
def test_a_text_is_as_alike_to_itself_as_can_be(text: str) -> None:
    assert not grams(text) or text_likeness(grams(text), grams(text)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("one", "same", "another"),
    [
        ("东街18号门口路灯不亮", "路灯不亮，在东街18号门口", "东街18号门口有人占道经营"),
        ("人行道井盖丢失，很危险", "井盖丢失 人行道上 危险!", "人行道上堆放建筑垃圾"),
        ("Street lamp out on East Street", "STREET LAMP is out, East Street", "Rubbish on East Street"),
        ("ＡＢＣ小区停水", "abc小区停水了", "abc小区噪音扰民"),
    ],
)
def test_other_words_for_one_matter_are_more_alike_than_another_matter(one: str, same: str, another: str) -> None:
    assert text_likeness(grams(one), grams(same)) > 0.5
    assert text_likeness(grams(one), grams(same)) > text_likeness(grams(one), grams(another)) + 0.2


def test_width_case_and_punctuation_do_not_matter() -> None:
    assert grams("Ｌａｍｐ　Ｏｕｔ！") == grams("lamp, out")
    assert grams("路灯，不亮。") >= grams("路灯")
    assert grams("…!? 　") == frozenset()


# -- photos


@given(HASHES, HASHES)
def test_photos_are_alike_both_ways_and_from_0_to_1(some: list[int], others: list[int]) -> None:
    forth, back = likeness.photo_likeness(some, others), likeness.photo_likeness(others, some)
    assert forth == back or (math.isnan(forth) and math.isnan(back))
    assert math.isnan(forth) == (not some or not others)
    assert math.isnan(forth) or 0 <= forth <= 1


@given(st.integers(0, 2**64 - 1), HASHES)
def test_one_photo_in_common_is_enough(photo: int, others: list[int]) -> None:
    assert likeness.photo_likeness([photo], [*others, photo]) == 1


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 2), st.floats(-20, 20))
def test_a_hash_is_64_bits_and_does_not_mind_light(seed: int, contrast: float, lighter: float) -> None:
    grey = np.random.default_rng(seed).uniform(60, 180, (likeness.ROWS, likeness.COLUMNS))
    found = likeness.picture_hash(grey)
    assert found is not None
    assert 0 <= found < 2**64
    assert likeness.picture_hash(grey * contrast + lighter) == found


def test_what_shows_nothing_has_no_hash() -> None:
    assert likeness.picture_hash(np.full((8, 9), 120.0)) is None
    with pytest.raises(ValueError, match="8 rows of 9"):
        likeness.picture_hash(np.zeros((9, 8)))


# -- place and class


@given(st.floats(-179, 179), st.floats(-70, 70), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_metres_are_the_same_both_ways(longitude: float, latitude: float, east: float, north: float) -> None:
    there = (longitude + east, latitude + north)
    forth = likeness.metres((longitude, latitude), *there)
    assert forth == pytest.approx(likeness.metres(there, longitude, latitude), abs=1e-6)
    assert 0 <= forth < 3000


def test_metres_across_the_date_line() -> None:
    assert likeness.metres((179.9999, 0), -179.9999, 0) == pytest.approx(22.2, abs=0.1)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("E0102", "E0102", SAME),
        ("E0102", "E0107", GROUP),
        ("E0102", "C0102", OTHER),
        ("E0102", "E0202", OTHER),
        ("city.flow", "city.flow", SAME),
        ("city.flow", "city.other", OTHER),
        ("", "", OTHER),
    ],
)
def test_how_far_classes_agree(one: str, other: str, shared: int) -> None:
    assert likeness.class_shared(one, other) == shared == likeness.class_shared(other, one)


# -- all of it


@given(METRES, HOURS, CLASSES, SHARES, SHARES)
def test_a_chance_is_one(away: float, hours: float, shared: int, text: float, photo: float) -> None:
    found = chance(away, hours, shared, text, photo)
    assert 0 < found < 1
    assert found == chance(-away, -hours, shared, text, photo)


@given(METRES, METRES, HOURS, HOURS, CLASSES, SHARES, SHARES)
def test_further_and_later_is_never_likelier(
    away: float, more: float, hours: float, later: float, shared: int, text: float, photo: float
) -> None:
    here = chance(away, hours, shared, text, photo)
    assert chance(away + more, hours, shared, text, photo) <= here
    assert chance(away, hours + later, shared, text, photo) <= here


@given(METRES, HOURS, st.floats(0, 1), st.floats(0, 1))
def test_more_alike_is_never_less_likely(away: float, hours: float, some: float, more: float) -> None:
    low, high = sorted((some, more))
    assert chance(away, hours, OTHER) < chance(away, hours, GROUP) < chance(away, hours, SAME)
    assert chance(away, hours, SAME, text=low) <= chance(away, hours, SAME, text=high)
    assert chance(away, hours, SAME, photo=low) <= chance(away, hours, SAME, photo=high)
    assert chance(away, hours, SAME) <= chance(away, hours, SAME, photo=some)


def test_columns_are_reckoned_like_numbers() -> None:
    away, hours, shared = np.array([0.0, 40.0]), np.array([1.0, 90.0]), np.array([SAME, GROUP])
    text, photo = np.array([0.7, np.nan]), np.array([np.nan, 0.9])
    alone = [float(chance(*row)) for row in zip(away, hours, shared, text, photo, strict=True)]
    assert chance(away, hours, shared, text, photo).tolist() == pytest.approx(alone)
