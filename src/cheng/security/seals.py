"""Seals on the audit: from time to time its last hash, signed, in a file outside the store.

A chain of hashes shows what was changed inside it, not that its end was cut off, nor that an old copy was put in its
place, nor that somebody made all of it again. The seals show it, as far as the last one; keep copies elsewhere.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import select

from cheng.infrastructure.blobs import sync_folder
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import audit
from cheng.security.audit import Verdict, verify


@dataclass(frozen=True, slots=True)
class Seal:
    """At `at`, row `seq` was the last and had this hash."""

    seq: int
    hash: str
    at: int
    signature: str


class Seals:
    """The file of seals and the key that signs them."""

    def __init__(self, file: Path, key: bytes) -> None:
        self.file = file
        self._key = key

    def seal(self, store: Store, now: int) -> Seal | None:
        """Seal the audit's present end; None when it has not moved since. On the disk when this returns."""
        with store.read() as conn:
            asked = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
            row = conn.execute(asked).one_or_none()
        known = self.read()[0]
        if row is None or (known and known[-1].seq >= row.seq):
            return None
        seal = Seal(row.seq, row.hash, now, self._signature(row.seq, row.hash, now))
        new = not self.file.exists()
        with self.file.open("ab") as file:
            file.truncate(0 if new else self.file.read_bytes().rfind(b"\n") + 1)  # a line that broke off goes
            file.write(msgspec.json.encode(seal) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self.file.parent)
        return seal

    def read(self) -> tuple[list[Seal], str]:
        """The seals that hold, in order, and what is wrong with the one after them ("" when nothing is).

        A last line that broke off half-way is no fault: it was never promised.
        """
        seals: list[Seal] = []
        lines = self.file.read_bytes().split(b"\n") if self.file.exists() else []
        for number, line in enumerate(lines, 1):
            if number == len(lines):
                break
            try:
                seal = msgspec.json.decode(line, type=Seal)
            except (msgspec.DecodeError, msgspec.ValidationError):
                return seals, "Seal {seal} cannot be read."
            if not hmac.compare_digest(seal.signature, self._signature(seal.seq, seal.hash, seal.at)):
                return seals, "Seal {seal} was not made with our key."
            if seals and seal.seq <= seals[-1].seq:
                return seals, "Seal {seal} does not follow the one before it."
            seals.append(seal)
        return seals, ""

    def check(self, store: Store) -> Verdict:
        """Walk the audit and compare it with every seal."""
        seals, problem = self.read()
        with store.read() as conn:
            verdict = verify(conn, {seal.seq: seal.hash for seal in seals})
        return (
            verdict
            if not verdict or not problem
            else Verdict(verdict.rows, verdict.head, problem, {"seal": len(seals) + 1})
        )

    def _signature(self, seq: int, head: str, at: int) -> str:
        return hmac.new(self._key, f"cheng audit {seq} {head} {at}".encode(), hashlib.sha256).hexdigest()


def key_in(file: Path) -> bytes:
    """The key kept in `file`; made at the first time, readable by its owner only."""
    if not file.exists():
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(32))
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):  # another process was first; its key is the key
            os.link(draft, file)
        draft.unlink()
        sync_folder(file.parent)
    return bytes.fromhex(file.read_text("ascii"))
