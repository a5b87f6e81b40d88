"""The base map: what the city looks like where nothing is measured. Features by source, and tiles made of all of them.

In its folder lie one Parquet file for each source and `tiles.db`, the tiles made so far, which is dropped when a source
changes and may be deleted at any time.
"""

import gzip
import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy.typing as npt

from cheng.infrastructure.base_map_tiles import DETAILED, Box, Indexed
from cheng.infrastructure.tile_cutting import Address, Drawn
from cheng.methods.tiles import there
from cheng.standards.base_map import Features
from cheng.standards.problems import InputError

TILES = "tiles.db"
SUFFIX = ".parquet"
MADE = """
create table if not exists tiles (z integer, x integer, y integer, body blob, primary key (z, x, y)) without rowid;
create table if not exists made_of (revision text);
"""


class BaseMap:
    """Sources and their tiles. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._indexed: Indexed | None = None
        self._tiles: sqlite3.Connection | None = None
        self._digests = {unquote(file.stem): _digest(file.read_bytes()) for file in self.files()}

    # -- sources

    def files(self) -> list[Path]:
        """The files that hold the sources."""
        return sorted(self.folder.glob(f"*{SUFFIX}"))

    def sources(self) -> list[str]:
        """Names of the sources, in order."""
        return sorted(self._digests)

    @property
    def revision(self) -> str:
        """Another word whenever any source changes; "" without any."""
        both = "\n".join(f"{name} {digest}" for name, digest in sorted(self._digests.items()))
        return _digest(both.encode())[:16] if both else ""

    def put(self, source: str, features: Features) -> list[InputError]:
        """Keeps the features under the name of their source, in place of what was there before.

        Those that cannot be drawn are left out; each comes back with its number, from 1, and the reason.
        """
        faults = features.faults()
        content = features.take(faults == "").parquet()
        with self._lock:
            if self._digests.get(source) != _digest(content):
                self.folder.mkdir(parents=True, exist_ok=True)
                fresh = self.folder / f".{_file(source)}"
                fresh.write_bytes(content)
                fresh.replace(self.folder / _file(source))
                self._digests[source] = _digest(content)
                self._changed()
        return [InputError("bad-feature", str(fault), row + 1) for row, fault in enumerate(faults) if fault]

    def remove(self, source: str) -> None:
        """Forgets a source; does nothing when there is none of that name."""
        with self._lock:
            if self._digests.pop(source, None) is not None:
                (self.folder / _file(source)).unlink(missing_ok=True)
                self._changed()

    def bounds(self) -> Box | None:
        """West, south, east and north of everything, in degrees; None while the map is empty."""
        return self._index().bounds()

    def lines(self, layer: str, kinds: Sequence[str], box: Sequence[float]) -> npt.NDArray[Any]:
        """(n,) the features of some kinds of a layer that touch west, south, east and north, in degrees."""
        return self._index().within(layer, kinds, box)

    def drawn(self, frame: Box, zoom: float) -> dict[str, Drawn]:
        """By layer, what is seen at a zoom in a part of the square of `methods.tiles`: west, north, east, south."""
        return self._index().drawn(frame, zoom)

    # -- tiles

    def tile(self, z: int, x: int, y: int) -> bytes:
        """The tile compressed by gzip; b"" where there is nothing to draw. ValueError for one that cannot be."""
        if not there(z, x, y) or z > DETAILED:
            raise ValueError(f"there is no tile {z}/{x}/{y}; the deepest zoom is {DETAILED}")
        address, made_of = (z, x, y), self.revision
        with self._lock:
            kept = self._kept(address) if made_of else b""
        if kept is not None:
            return kept
        plain = self._index().tile(address)
        body = gzip.compress(plain, 6, mtime=0) if plain else b""
        with self._lock:
            if made_of == self.revision:
                self._keep(address, body)
        return body

    def close(self) -> None:
        """Lets go of the file of tiles."""
        with self._lock:
            if self._tiles is not None:
                self._tiles.close()
                self._tiles = None

    def _index(self) -> Indexed:
        """All sources together, read when somebody first asks."""
        with self._lock:
            if self._indexed is None:
                self._indexed = Indexed(Features.concat(self._features()))
            return self._indexed

    def _features(self) -> Iterator[Features]:
        for file in self.files():
            yield Features.of_parquet(file.read_bytes())

    def _changed(self) -> None:
        self._indexed = None
        self.close()

    def _kept(self, address: Address) -> bytes | None:
        row = self._opened().execute("select body from tiles where z = ? and x = ? and y = ?", address).fetchone()
        return None if row is None else bytes(row[0])

    def _keep(self, address: Address, body: bytes) -> None:
        with self._opened() as conn:
            conn.execute("insert or replace into tiles values (?, ?, ?, ?)", (*address, body))

    def _opened(self) -> sqlite3.Connection:
        """The tiles made of the present sources; a file of others, or a broken one, is made anew."""
        if self._tiles is None:
            file = self.folder / TILES
            if not _fits(file, self.revision):
                for each in (file, *self.folder.glob(f"{TILES}-*")):
                    each.unlink(missing_ok=True)
            self._tiles = sqlite3.connect(file, check_same_thread=False)
            self._tiles.execute("pragma journal_mode = wal")
            self._tiles.execute("pragma synchronous = off")  # what is lost can be made again
            self._tiles.executescript(MADE)
            with self._tiles as conn:
                conn.execute("delete from made_of")
                conn.execute("insert into made_of values (?)", (self.revision,))
        return self._tiles


def _fits(file: Path, revision: str) -> bool:
    """Whether the file holds tiles of these sources."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as conn:
        return [revision] == [row[0] for row in conn.execute("select revision from made_of")]
    return False


def _file(source: str) -> str:
    return quote(source, safe="") + SUFFIX


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
