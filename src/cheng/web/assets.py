"""Style, scripts and pictures of our own: read once, sent under an address that changes with their content.

The style lies in `static/css/*.css`, one file a purpose, and goes out as one file, `cheng.css`, in the order of names.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pyarrow as pa

FOLDER = Path(__file__).parent / "static"
STYLE = "cheng.css"
BASE = "vendor/modern-normalize.css"
"""What the style begins with: the differences between browsers taken away."""
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".pbf": "application/x-protobuf",
}
FOR_EVER = "public, max-age=31536000, immutable"
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda data: pa.Codec("brotli", compression_level=9).compress(data, asbytes=True),
    "gzip": lambda data: gzip.compress(data, 9, mtime=0),
}
"""The better first; browsers take it by https, and from this machine. Its two highest levels would need seconds."""
SQUEEZED = ("text/", "image/svg", "application/json", "application/manifest")


@dataclass
class Asset:
    """One file."""

    data: bytes
    media_type: str
    etag: str
    _made: dict[str, bytes] = field(default_factory=dict)

    @property
    def squeezable(self) -> bool:
        """Whether compressing helps."""
        return self.media_type.startswith(SQUEEZED) and len(self.data) > 500

    def squeezed(self, accepted: str) -> tuple[str, bytes]:
        """The best encoding that the browser accepts ("" for none) and the file in it, made when first asked for."""
        encoding = next((each for each in ENCODERS if each in accepted), "") if self.squeezable else ""
        if encoding and encoding not in self._made:
            self._made[encoding] = ENCODERS[encoding](self.data)
        return encoding, self._made.get(encoding, self.data)


@dataclass
class Assets:
    """All files of the static folder. `version` is a hash over all of them and stands in every address."""

    files: dict[str, Asset] = field(default_factory=dict)
    version: str = ""

    @classmethod
    def read(cls, folder: Path = FOLDER) -> Self:
        """Read every file below `folder`. Folders behind a link are passed over: what they hold is not this folder's,
        and everything here is for everybody. (`cheng.web.vendor` copies; it makes no links.)"""
        found = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
        contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
        styles = [contents.get(BASE, b""), *(data for name, data in contents.items() if name.startswith("css/"))]
        contents[STYLE] = b"\n".join(styles)
        files = {}
        whole = hashlib.sha256()
        for name, data in contents.items():
            digest = hashlib.sha256(data).hexdigest()
            whole.update(f"{name} {digest}\n".encode())
            guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
            files[name] = Asset(data, TYPES.get(Path(name).suffix, guessed), f'"{digest[:20]}"')
        return cls(files, whole.hexdigest()[:12])

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def path(self, name: str) -> str:
        """The address of a file, below the house's own prefix."""
        return f"/static/{self.version}/{name}"
