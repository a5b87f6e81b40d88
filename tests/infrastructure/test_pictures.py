"""Photos are known again however they were saved, and no file of a stranger does harm."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cheng.infrastructure import pictures
from photographs import photograph


def scene(seed: int, width: int = 640, height: int = 480) -> Image.Image:
    """Large and small patches of grey, as a street has."""
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(0, 256, (9, 12), np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    fine = Image.fromarray(draw.integers(0, 256, (60, 80), np.uint8)).resize((width, height))
    return Image.blend(coarse, fine, 0.25).convert("RGB")


def saved(picture: Image.Image, kind: str = "JPEG", **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def apart(one: bytes, other: bytes) -> int:
    first, second = pictures.looks(one), pictures.looks(other)
    assert first is not None
    assert second is not None
    return (first ^ second).bit_count()


@pytest.mark.parametrize("seed", range(5))
def test_the_same_photo_saved_otherwise(seed: int) -> None:
    first = scene(seed)
    whole = saved(first, quality=92)
    for other in (
        saved(first, quality=30),
        saved(first, "PNG"),
        saved(first, "WEBP", quality=60),
        saved(first.resize((320, 240))),
        saved(first.resize((1600, 1200)), progressive=True),
        saved(first.point(lambda dot: min(255, dot * 0.8 + 20))),
        saved(first.filter(ImageFilter.GaussianBlur(3))),
    ):
        assert apart(whole, other) <= 6


def test_other_photos_are_far_apart() -> None:
    hashes = [pictures.looks(saved(scene(seed))) for seed in range(20)]
    far = [(a ^ b).bit_count() for n, a in enumerate(hashes) for b in hashes[n + 1 :] if a and b]
    assert min(far) > 14


def test_a_photo_taken_sideways_is_held_upright() -> None:
    first = scene(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert apart(saved(first), saved(first.transpose(Image.Transpose.ROTATE_90), exif=exif)) <= 4


def test_see_through_dots_are_white() -> None:
    sheet = scene(4).convert("RGBA")
    sheet.putalpha(0)
    assert pictures.looks(saved(sheet, "PNG")) is None
    assert pictures.looks(saved(Image.new("RGB", (50, 50), "navy"))) is None


def png(width: int, height: int) -> bytes:
    """A file of some bytes that says it is so large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xe0 photo",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(50),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"RIFF\x10\0\0\0WEBPVP8 " + bytes(20),
        png(60_000, 60_000),
        png(14_000, 14_000),
        png(10_000, 9_000),
        png(200_000, 10),
        png(300, 200),
        saved(scene(1), "TIFF"),
        saved(scene(1), "GIF"),
    ],
)
def test_what_is_none_has_no_hash(data: bytes) -> None:
    assert pictures.looks(data) is None


def test_a_file_that_is_cut_off_or_damaged_does_no_harm() -> None:
    whole = saved(scene(2))
    for end in range(2, len(whole), len(whole) // 40):
        pictures.looks(whole[:end])
    noise = np.random.default_rng(1)
    for kind in ("JPEG", "PNG", "WEBP"):
        data = bytearray(saved(scene(2, 64, 48), kind))
        for _ in range(60):
            data[int(noise.integers(12, len(data)))] = int(noise.integers(256))
            pictures.looks(bytes(data))


def test_a_jpeg_of_a_thousand_scans_is_not_unpacked() -> None:
    whole = saved(scene(2), progressive=True)
    assert pictures.looks(whole) is not None
    assert pictures.looks(whole + b"\xff\xda" * 1000) is None


def test_a_camera_with_notes_is_a_camera() -> None:
    assert apart(photograph((120.6, 31.3), "2026:11:20 08:00:00"), photograph()) == 0
