"""Photos and papers that people hand in: each kept once under the SHA-256 of its bytes, on the disk before we say so.

What a file is, its first bytes say; the name and the type that came with it are not believed. Only kinds in KINDS
are taken: nothing that a browser would run (SVG, HTML, scripts).
"""

import hashlib
import itertools
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from cheng.infrastructure.store import Store, upsert
from cheng.infrastructure.tables import blobs
from cheng.standards.problems import Refused

LIMIT = 10_000_000
AT_ONCE = 500
"""Files of one question to the store."""
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


PROGRAM = re.compile(rb"<script|<svg[\s>]|javascript:", re.IGNORECASE)
"""What no camera writes into a picture; by chance it comes once in many millions of photos."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken."""

    media_type: str
    photo: bool
    looks: Callable[[bytes], bool]
    """from the first bytes"""


KINDS = (
    Kind("image/jpeg", True, lambda head: head.startswith(b"\xff\xd8\xff")),
    Kind("image/png", True, lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    Kind("image/webp", True, lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP"),
    Kind("image/heic", True, lambda head: head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS),
    Kind("application/pdf", False, lambda head: head.startswith(b"%PDF-")),
)

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=31536000, immutable",
}


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that is kept."""

    sha256: str
    size: int
    """bytes"""
    media_type: str
    name: str = ""
    """what its owner called it; for people only, never a path"""

    @property
    def headers(self) -> dict[str, str]:
        """With these a browser shows a picture and runs nothing; anything else is saved, not opened."""
        kind = "inline" if self.media_type.startswith("image/") else "attachment"
        return {"Content-Type": self.media_type, "Content-Disposition": kind, **SAFE_HEADERS}


def media_type(data: bytes, photo: bool = False) -> str:
    """What `data` is by its first bytes. Refused when it is none of KINDS, or no photo where one is wanted."""
    for kind in KINDS:
        if kind.looks(data[:16]) and (kind.photo or not photo):
            return kind.media_type
    if photo:
        raise Refused("not-a-photo", "This file is not a photo we can keep; send JPEG, PNG, WebP or HEIC.", status=422)
    raise Refused(
        "not-taken", "This kind of file is not taken; send a photo (JPEG, PNG, WebP, HEIC) or a PDF.", status=422
    )


def check_no_program(data: bytes) -> None:
    """Refused when a picture carries a program in it."""
    if PROGRAM.search(data):
        message = "This picture carries a program in it; please send the photo as the camera made it."
        raise Refused("script-in-photo", message, {}, 422)


class Blobs:
    """A folder of files named by what is in them."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        """`limit`: the most bytes of one file."""
        self.folder = folder
        self.limit = limit
        self._sweeping = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, data: bytes, name: str = "", photo: bool = False) -> Blob:
        """Write `data` to the disk, unless it is there, and say what it is. Refused when it is too big or not taken."""
        if len(data) > self.limit:
            values = {"limit": f"{self.limit / 1e6:g}"}
            raise Refused("too-big", "This file is larger than {limit} MB; send a smaller one.", values, status=413)
        if not data:
            raise Refused("empty", "This file is empty; choose another one.", status=422)
        kind = media_type(data, photo)
        if kind.startswith("image/"):
            check_no_program(data)
        blob = Blob(hashlib.sha256(data).hexdigest(), len(data), kind, plain_name(name))
        with self._sweeping:
            if there := self._intact(blob.sha256) is not None:
                os.utime(self.path(blob.sha256))
        if not there:
            write_durably(self.path(blob.sha256), data)
        return blob

    def record(self, conn: Connection, blob: Blob, by: str, now: int) -> None:
        """Note in the store who brought a file that was kept, in the transaction of the act that needs it."""
        row = {"sha256": blob.sha256, "size": blob.size, "media_type": blob.media_type, "name": blob.name}
        upsert(conn, blobs, [row | {"created": now, "by": by}], ["sha256"], update=[])

    def describe(self, sha256: str) -> Blob:
        """What a file is that was kept, by its bytes. Refused (404) when there is none or the disk has damaged it."""
        data = self.read(sha256)
        return Blob(sha256, len(data), media_type(data))

    def find(self, conn: Connection, sha256: str) -> Blob:
        """What the store knows of a file. Refused (404) when it knows none."""
        row = conn.execute(select(blobs).where(blobs.c.sha256 == sha256)).mappings().one_or_none()
        if row is None:
            raise gone()
        return Blob(row["sha256"], row["size"], row["media_type"], row["name"])

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against their name. Refused (404) when there is none or the disk has damaged it."""
        data = self._intact(sha256)
        if data is None:
            raise gone()
        return data

    def sweep(self, store: Store, before: float) -> int:
        """Take away what was last handed in before that moment (seconds since 1970) and never became part of
        anything, as photos of forms that were not sent; how many files."""
        return sum(self._sweep(store, group, before) for group in groups(self._old(before)))

    def _old(self, before: float) -> Iterator[Path]:
        for path in self.folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if path.stat().st_mtime < before:
                yield path

    def _sweep(self, store: Store, files: list[Path], before: float) -> int:
        with self._sweeping:  # whoever hands one of them in again waits, and finds it gone
            with store.read() as conn:
                wanted = blobs.c.sha256.in_([file.name for file in files])
                known = set(conn.execute(select(blobs.c.sha256).where(wanted)).scalars())
            over = [file for file in files if file.name not in known and file.stat().st_mtime < before]
            for file in over:
                file.unlink()
        return len(over)

    def path(self, sha256: str) -> Path:
        """Where a file lies. Refused when `sha256` is no SHA-256, and so could name another place."""
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise gone()
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def _intact(self, sha256: str) -> bytes | None:
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None


def groups(files: Iterator[Path]) -> Iterator[list[Path]]:
    while group := list(itertools.islice(files, AT_ONCE)):
        yield group


def gone() -> Refused:
    return Refused("no-file", "This file is not there or is damaged.", status=404)


def plain_name(name: str) -> str:
    """A name without folders and control characters, at most 120 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[:120]


def write_durably(path: Path, data: bytes) -> None:
    """All of `data` under `path`, or nothing, whatever happens; on the disk when this returns."""
    made = make_folders(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    for folder in (path.parent, *made):
        sync_folder(folder)


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; the folders whose entries are new."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [each.parent for each in missing]


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
