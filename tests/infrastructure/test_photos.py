"""Where and when a photo was taken: read when it makes sense, harmless when it does not, gone from what is shown."""

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cheng.infrastructure.photos import Taken, bare, taken
from photographs import photograph

CHINA = timezone(timedelta(hours=8))
HERE = (106.551234, 29.561234)
FORMATS = ["JPEG", "PNG", "WEBP"]


def shown(data: bytes) -> bytes:
    """The pixels as a browser shows them, turned upright."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB").tobytes()


@pytest.mark.parametrize("kind", FORMATS)
def test_place_and_time_are_read(kind: str) -> None:
    found = taken(photograph(HERE, "2026:11:20 07:48:00", kind=kind), CHINA)
    assert found.place == pytest.approx(HERE, abs=1e-6)
    assert found.at == datetime(2026, 11, 20, 7, 48, tzinfo=CHINA)


def test_south_and_west_are_negative() -> None:
    assert taken(photograph((-43.2, -22.9)), UTC).place == pytest.approx((-43.2, -22.9), abs=1e-6)


def test_the_zone_of_the_camera_goes_before_ours() -> None:
    found = taken(photograph(time="2026:11:20 07:48:00", offset="-03:30"), CHINA)
    assert found.at == datetime(2026, 11, 20, 11, 18, tzinfo=UTC)


def test_satellites_know_the_time_better_than_a_clock_without_a_zone() -> None:
    gps = {7: (23.0, 48.0, 5.0), 29: "2026:11:19"}
    found = taken(photograph(HERE, "2026:11:20 12:00:00", gps=gps), CHINA)
    assert found.at == datetime(2026, 11, 19, 23, 48, 5, tzinfo=UTC)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_photo_without_notes_says_nothing(kind: str) -> None:
    assert taken(photograph(kind=kind), CHINA) == Taken()


@pytest.mark.parametrize(
    "gps",
    [
        {2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)},
        {2: (999.0, 0.0, 0.0)},
        {1: "Q"},
        {4: (106.0,)},
        {3: ""},
    ],
)
def test_nonsense_is_no_place(gps: dict[int, Any]) -> None:
    assert taken(photograph(HERE, gps=gps), CHINA).place is None


@pytest.mark.parametrize("time", ["", "yesterday", "0000:00:00 00:00:00", "2026:13:45 25:61:61", "2026-11-20 07:48:00"])
def test_nonsense_is_no_time(time: str) -> None:
    assert taken(photograph(HERE, time), CHINA).at is None


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8), st.integers(0, 3000))
def test_a_damaged_file_hurts_nobody(at: int, junk: bytes, cut: int) -> None:
    whole = photograph(HERE, "2026:11:20 07:48:00")
    for data in (whole[:at] + junk + whole[at + len(junk) :], whole[:cut], junk * 9, b"\xff\xd8\xff\xe1" + junk):
        found = taken(data, CHINA)
        assert found.place is None or abs(found.place[0]) <= 180
        bare(data)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("turned", [1, 6])
def test_what_is_shown_is_the_same_picture_without_notes(kind: str, turned: int) -> None:
    data = photograph(HERE, "2026:11:20 07:48:00", kind=kind, turned=turned if kind == "JPEG" else 1)
    rest = bare(data)
    assert taken(rest, CHINA) == Taken()
    assert b"Anna's phone" in data
    assert b"Anna's phone" not in rest
    assert shown(rest) == shown(data)
    assert bare(rest) == rest


def test_other_files_stay_as_they_are() -> None:
    assert bare(b"%PDF-1.7 words") == b"%PDF-1.7 words"
