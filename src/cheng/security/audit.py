"""The audit: who did or tried what, when and why; each row carries the hash of the one before.

A row is written in the transaction of the act it describes, so there is no act without its row, and no row of an act
that did not happen. Changing, removing, adding or moving a row breaks the chain, and `verify` says where. Cutting
off the end leaves a whole chain: that is what the seals (`seals.py`) are for, kept outside the store.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Text, cast, insert, select

from cheng.infrastructure.store import serialise
from cheng.infrastructure.tables import audit
from cheng.security.actors import Actor

Outcome = Literal["allowed", "refused", "failed"]
NOTHING = "0" * 64
"""What the first row names as the hash before it."""
COLUMNS = ("seq", "at", "actor", "verb", "object", "purpose", "outcome", "reason", "address")
encode = msgspec.json.Encoder().encode


def row_hash(values: tuple[Any, ...], detail: str, previous: str) -> str:
    """SHA-256 over the JSON list of a row's COLUMNS, its detail as the JSON text stored, and the hash before."""
    return hashlib.sha256(encode((*values, detail, previous))).hexdigest()


def record(
    conn: Connection,
    at: int,
    actor: Actor | str,
    verb: str,
    thing: object,
    outcome: Outcome = "allowed",
    *,
    purpose: str = "",
    reason: str = "",
    address: str = "",
    detail: dict[str, Any] | None = None,
) -> int:
    """Add a row at the end of the chain; its number. Call it last in a transaction: the next writer waits for this one.

    `thing` is what it was about, a `Target` or text such as "case:20261120-000123".
    """
    serialise(conn, "audit")
    last = conn.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    seq, previous = (last.seq + 1, last.hash) if last else (1, NOTHING)
    name = actor if isinstance(actor, str) else actor.name
    texts = (name, verb, str(thing), purpose, outcome, reason, address)
    values = (seq, at, *(storable(text) for text in texts))
    plain = msgspec.json.decode(encode(detail or {}))
    row = dict(zip(COLUMNS, values, strict=True))
    sealed = row_hash(values, encode(plain).decode(), previous)
    conn.execute(insert(audit), row | {"detail": plain, "previous_hash": previous, "hash": sealed})
    return seq


def storable(text: str) -> str:
    """`text` without what a database or UTF-8 cannot hold; a caller's odd bytes must not stop the audit."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found."""

    rows: int
    """rows that hold, from the first"""
    head: str
    """the hash of the last of them"""
    problem: str = ""
    """What is wrong with the row after them, an English sentence with blanks; "" when nothing is."""
    values: dict[str, int] = field(default_factory=dict)
    """What fills the blanks."""

    def __bool__(self) -> bool:
        return self.problem == ""

    def __str__(self) -> str:
        return self.problem.format_map(self.values)


def verify(conn: Connection, marks: dict[int, str] | None = None) -> Verdict:
    """Walk the whole chain, and stop at the first row that does not hold.

    `marks`: number → hash that rows are known to have had, from seals; a row missing at the end is found by them.
    """
    columns = [audit.c[name] for name in COLUMNS]
    asked = select(*columns, cast(audit.c.detail, Text), audit.c.previous_hash, audit.c.hash).order_by(audit.c.seq)
    with conn.execute(asked.execution_options(yield_per=2000)) as rows:
        return walk(rows, marks or {})


def walk(rows: Iterable[Any], marks: dict[int, str]) -> Verdict:
    """The verdict on rows of COLUMNS, detail, hash before and hash, in the order of their numbers."""
    seq, head = 0, NOTHING
    for row in rows:
        *_, detail, previous, told = row
        if row[0] != seq + 1:
            return Verdict(seq, head, "Row {row} is missing.", {"row": seq + 1})
        if previous != head:
            return Verdict(seq, head, "Row {row} does not follow the row before it.", {"row": row[0]})
        if row_hash(tuple(row[: len(COLUMNS)]), detail, previous) != told:
            return Verdict(seq, head, "Row {row} was changed.", {"row": row[0]})
        if marks.get(row[0], told) != told:
            return Verdict(seq, head, "Row {row} is not the one that was sealed.", {"row": row[0]})
        seq, head = row[0], told
    if marks and max(marks) > seq:
        values = {"row": seq, "least": max(marks)}
        return Verdict(seq, head, "Rows after {row} are missing; there were {least} at least.", values)
    return Verdict(seq, head)
