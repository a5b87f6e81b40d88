"""Text files as cities have them: which encoding, which separator, packed or not."""

import codecs
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import IO, BinaryIO, cast

from cheng.standards.problems import InputError

SAMPLE = 32 << 20
BLOCK = 1 << 20
SEPARATORS = ",\t;|"
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LOST = "\ufffd"
"""stands where bytes were no text; a row that holds it is refused"""


def opened(path: Path) -> BinaryIO:
    """The file's bytes, unpacked when it is packed by gzip. Raises InputError when there is no such file."""
    try:
        stream = path.open("rb")
    except OSError as problem:
        raise InputError("no-file", f"{path.name} cannot be opened: {problem.strerror}") from None
    packed = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    if not packed:
        return stream
    stream.close()
    return cast(BinaryIO, gzip.open(path, "rb"))


def encoding_of(sample: bytes) -> str:
    """UTF-8 (with or without its mark), UTF-16 by its mark, else GB18030; whichever loses the fewest characters."""
    for mark, name in MARKS:
        if sample.startswith(mark):
            return name
    losses = {}
    for name in ("utf-8", "gb18030"):
        text = codecs.getincrementaldecoder(name)("replace").decode(sample)  # a cut last character is no loss
        if not (lost := text.count(LOST) - sample.count(LOST.encode(name))):  # some had lost it before
            return name
        losses[name] = lost
    return min(losses, key=losses.__getitem__)


def text_of(path: Path, encoding: str | None = None) -> IO[str]:
    """The file as text, line ends as they are; what is no text in that encoding becomes `LOST`.

    `encoding` None looks for itself. Raises InputError for an unknown encoding or a missing file.
    """
    if encoding is None:
        with opened(path) as stream:
            encoding = encoding_of(stream.read(SAMPLE))
    known_encoding(encoding)
    return io.TextIOWrapper(opened(path), encoding, errors="replace", newline="")


def known_encoding(name: str) -> None:
    """Raises InputError when there is no such encoding."""
    try:
        codecs.lookup(name)
    except LookupError:
        raise InputError("encoding", f"{name!r} is no known encoding; use utf-8 or gb18030") from None


def separator_of(head: str) -> str:
    """The character between cells: the one that cuts the first lines into equally many; a blank if none does."""
    lines = [line for line in head.splitlines()[:20] if line.strip()]
    if len(lines) > 2 and not head.endswith("\n"):
        lines.pop()  # it may be cut
    best, score = "", 0.0
    for candidate in SEPARATORS:
        counts = [_outside_quotes(line, candidate) for line in lines]
        first = counts[0] if counts else 0
        if first and (agreeing := sum(count == first for count in counts) / len(counts) + first / 1e6) > score:
            best, score = candidate, agreeing
    if not best and lines and all(" " in line.strip() for line in lines):
        return " "
    return best or ","


def _outside_quotes(line: str, character: str) -> int:
    return sum(part.count(character) for part in line.split('"')[::2])


class Utf8Stream(io.RawIOBase):
    """Bytes of a text in any encoding as UTF-8, `LOST` for what is no text; for readers that know UTF-8 only."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._source = opened(path)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = b""
        self.lost = False
        """has anything read so far been no text?"""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; b"" at the end."""
        wanted = BLOCK if size < 0 else size
        while len(self._rest) < wanted and (block := self._source.read(BLOCK)):
            self._take(self._decoder.decode(block))
        if len(self._rest) < wanted:
            self._take(self._decoder.decode(b"", True))
        taken, self._rest = self._rest[:wanted], self._rest[wanted:]
        return taken

    def _take(self, text: str) -> None:
        self.lost = self.lost or LOST in text
        self._rest += text.encode()

    def close(self) -> None:
        self._source.close()
        super().close()


def need_columns(wanted: Sequence[str], there: Sequence[str], name: str) -> None:
    """Raises InputError that names the columns there are when a wanted one is not among them."""
    if missing := [column for column in wanted if column not in there]:
        shown = ", ".join(there[:30]) + (" …" if len(there) > 30 else "")
        raise InputError("no-column", f"{name} has no column {missing[0]!r}; it has {shown}")
