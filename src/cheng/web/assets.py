"""Style, scripts and pictures of our own: read once, sent under an address that changes with their content.

The style lies in `static/css/*.css`, one file a purpose, and goes out as one file, `cheng.css`, in the order of names.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

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
SQUEEZED = ("text/", "image/svg", "application/json", "application/manifest")


@dataclass
class Asset:
    """One file."""

    data: bytes
    media_type: str
    etag: str
    _gzipped: bytes | None = None

    @property
    def gzipped(self) -> bytes | None:
        """The file compressed, made when first asked for; None when that would not help."""
        if self._gzipped is None and self.media_type.startswith(SQUEEZED) and len(self.data) > 500:
            self._gzipped = gzip.compress(self.data, 9, mtime=0)
        return self._gzipped


@dataclass
class Assets:
    """All files of the static folder. `version` is a hash over all of them and stands in every address."""

    files: dict[str, Asset] = field(default_factory=dict)
    version: str = ""

    @classmethod
    def read(cls, folder: Path = FOLDER) -> Self:
        """Read every file below `folder`."""
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
