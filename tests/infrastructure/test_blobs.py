"""Files: kept once, whole or not at all, checked when read; what a browser would run is not taken."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.blobs import Blob, Blobs, media_type, plain_name
from cheng.infrastructure.store import Store
from cheng.standards.problems import Refused

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
WEBP = b"RIFF\x10\0\0\0WEBPVP8 " + b"x" * 100
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"x" * 100
PDF = b"%PDF-1.7\n" + b"x" * 100


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs", limit=1000)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp"), (HEIC, "image/heic"), (PDF, "application/pdf")],
)
def test_keeps_and_gives_back(blobs: Blobs, data: bytes, kind: str) -> None:
    blob = blobs.keep(data, "井盖.jpg")
    assert blob == Blob(hashlib.sha256(data).hexdigest(), len(data), kind, "井盖.jpg")
    assert blobs.read(blob.sha256) == data
    assert blob.headers["Content-Type"] == kind
    assert blob.headers["X-Content-Type-Options"] == "nosniff"
    assert (blob.headers["Content-Disposition"] == "inline") == kind.startswith("image/")


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a<script>",
        b"#!/bin/sh\n",
        b"MZ\x90\0",
        b"PK\x03\x04",
        b"\xef\xbb\xbf<svg/>",
        b" \xff\xd8\xff",
    ],
)
def test_refuses_what_is_no_photo(blobs: Blobs, data: bytes) -> None:
    for photo in (True, False):
        with pytest.raises(Refused) as refusal:
            blobs.keep(data, "photo.jpg", photo=photo)
        assert refusal.value.status == 422
        assert "photo" in str(refusal.value)
    assert not list(blobs.folder.rglob("*"))


def test_a_paper_is_no_photo() -> None:
    assert media_type(PDF) == "application/pdf"
    with pytest.raises(Refused, match="not a photo"):
        media_type(PDF, photo=True)


@given(st.binary(max_size=64))
def test_never_calls_anything_what_it_could_run(data: bytes) -> None:
    try:
        kind = media_type(data)
    except Refused:
        return
    assert kind.startswith("image/") or kind == "application/pdf"
    assert "svg" not in kind


def test_too_big_and_empty(blobs: Blobs) -> None:
    assert blobs.keep(JPEG + b"x" * (1000 - len(JPEG))).size == 1000
    with pytest.raises(Refused, match=r"larger than 0.001 MB") as refusal:
        blobs.keep(JPEG + b"x" * 1000)
    assert refusal.value.status == 413
    with pytest.raises(Refused, match="empty"):
        blobs.keep(b"")


def test_the_same_bytes_are_kept_once(blobs: Blobs) -> None:
    first, second = blobs.keep(JPEG, "a.jpg"), blobs.keep(JPEG, "b.jpg")
    assert first.sha256 == second.sha256
    assert [file for file in blobs.folder.rglob("*") if file.is_file()] == [blobs.path(first.sha256)]


def test_damage_is_found_and_mended_by_sending_again(blobs: Blobs) -> None:
    blob = blobs.keep(JPEG)
    damaged = bytearray(JPEG)
    damaged[50] ^= 1
    blobs.path(blob.sha256).write_bytes(damaged)
    with pytest.raises(Refused) as refusal:
        blobs.read(blob.sha256)
    assert refusal.value.status == 404
    blobs.keep(JPEG)
    assert blobs.read(blob.sha256) == JPEG


def test_a_write_that_breaks_off_leaves_nothing(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="space"):
        blobs.keep(JPEG)
    assert [file for file in blobs.folder.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "/" + "0" * 63, "0" * 62 + "\n0"]
)
def test_names_that_could_lead_elsewhere(blobs: Blobs, name: str) -> None:
    with pytest.raises(Refused):
        blobs.read(name)


def test_names_for_people_have_no_folders() -> None:
    assert plain_name("C:\\temp\\a\0b\n.jpg") == "ab.jpg"
    assert plain_name("../../x.png") == "x.png"
    assert len(plain_name("长" * 500)) == 120


@pytest.mark.backends
def test_the_store_knows_who_brought_it(blobs: Blobs, store: Store) -> None:
    blob = blobs.keep(JPEG, "a.jpg")
    with pytest.raises(Refused), store.read() as conn:
        blobs.find(conn, blob.sha256)
    with store.write() as conn:
        blobs.record(conn, blob, "li", 7)
        blobs.record(conn, blobs.keep(JPEG, "other.jpg"), "wang", 8)
    with store.read() as conn:
        assert blobs.find(conn, blob.sha256) == blob


def test_what_became_part_of_nothing_is_swept_when_it_is_old(blobs: Blobs, store: Store) -> None:
    old, young, used, again = (blobs.keep(PNG + bytes([n])) for n in range(4))
    for blob in (old, used, again):
        os.utime(blobs.path(blob.sha256), (1000, 1000))
    with store.write() as conn:
        blobs.record(conn, used, "li", 0)
    assert blobs.keep(PNG + bytes([3])) == again, "handed in once more, it begins anew"
    half = blobs.path(old.sha256).with_name(".half-written")
    half.write_bytes(b"x")
    os.utime(half, (1000, 1000))
    assert blobs.sweep(store, 2000) == 2
    assert not half.exists()
    with pytest.raises(Refused, match="not there"):
        blobs.read(old.sha256)
    for blob in (young, used, again):
        assert blobs.read(blob.sha256)
    assert blobs.sweep(store, 2000) == 0
