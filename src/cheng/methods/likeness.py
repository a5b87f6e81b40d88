"""Are two reports about the same matter? How far apart they are in place, time and class, and how alike in text and
photo, and one chance made of it.

Everything is an array or a number; NaN means that it is not known, and what is not known says nothing either way.
"""

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Grams = frozenset[str]

OTHER, GROUP, SAME = 0, 1, 2
"""How far two classes agree: not at all, in their large class, in full."""
BITS = 64
"""of the hash of a photo"""
ROWS, COLUMNS = 8, 9
"""Of the grey picture that a hash is taken from."""
FLAT = 2.0
"""A picture whose grey varies less than this (of 255) shows nothing."""
EARTH = 6_371_008.8
"""Mean radius in metres."""
CODE = re.compile(r"[A-Z]\d{4,}")
START, NEAR, SOON, SAME_CLASS, SAME_GROUP = -4.733, 1.302, 0.308, 3.638, 2.949
"""Fitted by `bench/duplicates.py fit` (logistic regression) to pairs within 200 m and 90 days of Boston's requests of
January and February 2015, of which closing notes name 96 as one matter; March is what it is measured on.
NEAR: for each e-fold of 10 m, SOON: for each e-fold of an hour, both from 1 on."""
UNRELATED_TEXT, TEXT = 0.2, 5.0
UNRELATED_PHOTO, SAME_PHOTO, PHOTO = 0.78, 0.94, 5.0
"""Not fitted, for want of data with texts and photos. Two reports of one class share about a fifth of their grams; from
there a text counts for or, by a tenth, against. Equal bits of unrelated photos lie around a half and hardly ever above
0.78; two people's photos of one thing may do so, too: so a photo never counts against."""
CJK = re.compile(r"[㐀-䶿一-鿿豈-﫿]+")
OTHER_WORDS = re.compile(r"[^\W_]+")


# -- text


def grams(text: str) -> Grams:
    """What a text is compared by: pairs of Chinese signs, and threes of letters of other words, whatever their width,
    case and punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found: set[str] = set()
    for run in CJK.findall(plain):
        found.update(run[at : at + 2] for at in range(max(len(run) - 1, 1)))
    for word in OTHER_WORDS.findall(CJK.sub(" ", plain)):
        edged = f" {word} "
        found.update(edged[at : at + 3] for at in range(len(edged) - 2))
    return frozenset(found)


def text_likeness(one: Grams, other: Grams) -> float:
    """0 nothing in common to 1 the same grams (Ochiai: shared, over the root of the product); NaN without a text."""
    if not one or not other:
        return float("nan")
    return min(len(one & other) / float(np.sqrt(len(one) * len(other))), 1.0)


# -- photos


def picture_hash(grey: npt.ArrayLike) -> int | None:
    """64 bits of a grey picture (8, 9), 0 to 255: is each dot lighter than the one to its left? (dHash.) None when it
    shows nothing. The same photo made smaller, lighter or saved anew keeps nearly all of them."""
    dots = np.asarray(grey, np.float64)
    if dots.shape != (ROWS, COLUMNS):
        raise ValueError(f"a hash is taken from {ROWS} rows of {COLUMNS}, not {dots.shape}")
    if float(dots.std()) < FLAT:
        return None
    lighter = (dots[:, 1:] > dots[:, :-1]).ravel()
    return int.from_bytes(np.packbits(lighter).tobytes(), "big")


def photo_likeness(some: Iterable[int], others: Iterable[int]) -> float:
    """The share of equal bits of the two photos that are most alike; NaN when one side has none."""
    rest = tuple(others)
    alike = [1 - (one ^ other).bit_count() / BITS for one in some for other in rest]
    return max(alike, default=float("nan"))


# -- place and class


def metres(place: tuple[float, float], longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Floats:
    """How far places lie from one, all in degrees, on a plane that touches there: good to a few kilometres."""
    east = np.radians((np.asarray(longitude, np.float64) - place[0] + 180) % 360 - 180)
    north = np.radians(np.asarray(latitude, np.float64) - place[1])
    middle = np.radians(np.asarray(latitude, np.float64) + place[1]) / 2
    away: Floats = np.hypot(east * np.cos(middle), north) * EARTH
    return away


def class_shared(one: str, other: str) -> int:
    """How far two classes agree; codes begin with their kind and large class: "E01" of "E0102"."""
    if not one or not other:
        return OTHER
    return SAME if one == other else GROUP if same_kind(one, other) else OTHER


def same_kind(one: str, other: str) -> bool:
    """Whether two codes are of the same large class."""
    return bool(CODE.fullmatch(one) and CODE.fullmatch(other) and one[:3] == other[:3])


# -- all of it


def chance(
    away: npt.ArrayLike,
    hours: npt.ArrayLike,
    shared: npt.ArrayLike,
    text: npt.ArrayLike = np.nan,
    photo: npt.ArrayLike = np.nan,
) -> Floats:
    """How likely it is, 0 to 1, that two reports are about the same matter, and that somebody would merge them.

    `away` in metres, `hours` between them, `shared` of `class_shared`; `text` and `photo` are likenesses or NaN.
    """
    agree = np.asarray(shared)
    evidence = (
        START
        - NEAR * np.log1p(np.abs(np.asarray(away, np.float64)) / 10)
        - SOON * np.log1p(np.abs(np.asarray(hours, np.float64)))
        + np.where(agree == SAME, SAME_CLASS, np.where(agree == GROUP, SAME_GROUP, 0.0))
        + said(text)
        + seen(photo)
    )
    return 1 / (1 + np.exp(-evidence))


def said(text: npt.ArrayLike) -> Floats:
    """What the likeness of two texts adds to the log odds."""
    likeness = np.asarray(text, np.float64)
    added = TEXT * np.maximum(likeness - UNRELATED_TEXT, -0.1)
    return np.where(np.isnan(likeness), 0.0, added)


def seen(photo: npt.ArrayLike) -> Floats:
    """What the likeness of two photos adds to the log odds: nothing until it is more than chance."""
    likeness = np.asarray(photo, np.float64)
    added = PHOTO * np.clip((likeness - UNRELATED_PHOTO) / (SAME_PHOTO - UNRELATED_PHOTO), 0.0, 1.0)
    return np.where(np.isnan(likeness), 0.0, added)
