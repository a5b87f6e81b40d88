"""The hashes of photos: reckoned once, when somebody first compares a photo, and kept in the store."""

from collections.abc import Iterable

from sqlalchemy import select

from cheng.infrastructure import pictures
from cheng.infrastructure.blobs import Blobs
from cheng.infrastructure.report_tables import photo_hashes
from cheng.infrastructure.store import Store, upsert
from cheng.standards.problems import Refused

AT_ONCE = 6
"""Photos unpacked for one question: some 20 ms each. The rest is known the next time."""
CHUNK = 500
SIGN = 1 << 63
"""64 bits lie in the store as a whole number with a sign."""


class PhotoHashes:
    """What photos look like, by their SHA-256."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self.store = store
        self.blobs = blobs

    def of(self, photos: Iterable[str], at_once: int = AT_ONCE) -> dict[str, int]:
        """The hashes of those that have one, as far as they are known or can be reckoned now."""
        wanted = list(dict.fromkeys(photos))
        known = self.known(wanted)
        new = {sha256: self.reckoned(sha256) for sha256 in [sha for sha in wanted if sha not in known][:at_once]}
        if new:
            rows = [{"sha256": sha256, "hash": None if h is None else h - SIGN} for sha256, h in new.items()]
            self.store.afterwards(lambda conn: upsert(conn, photo_hashes, rows, ["sha256"], update=[]))
        return {sha256: found for sha256, found in (known | new).items() if found is not None}

    def known(self, photos: list[str]) -> dict[str, int | None]:
        """What is kept; None for a photo that cannot be unpacked or shows nothing."""
        found: dict[str, int | None] = {}
        if not photos:
            return found
        with self.store.read() as conn:
            for start in range(0, len(photos), CHUNK):
                query = select(photo_hashes).where(photo_hashes.c.sha256.in_(photos[start : start + CHUNK]))
                found.update({sha: None if kept is None else kept + SIGN for sha, kept in conn.execute(query)})
        return found

    def reckoned(self, sha256: str) -> int | None:
        """From the file; None also when it is not there or is damaged."""
        try:
            return pictures.looks(self.blobs.read(sha256))
        except Refused:
            return None
