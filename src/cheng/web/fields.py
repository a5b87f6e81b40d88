"""Columns of a list, and who may see which: what a reader may not see is gone before a page, JSON or CSV is made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Level = Literal["public", "internal", "sensitive"]


@dataclass(frozen=True)
class Column:
    """One column of a list."""

    key: str
    text: str
    """msgid of its heading"""
    kind: str = ""
    """how a value is written: moment, date, duration, percent, number, size, money; "" for text"""
    level: Level = "public"
    mask: str = ""
    """what remains for who may not see it: "tail 3", "head 2", "all"; "" takes the column away altogether"""
    unit: str = ""


def shown(columns: Iterable[Column], levels: frozenset[str]) -> list[Column]:
    """The columns that remain, masked ones included."""
    return [column for column in columns if column.level in levels or column.mask]


def reduced(
    rows: Iterable[Any], columns: Sequence[Column], levels: frozenset[str], keep: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Rows with the columns a reader may see and the keys in `keep` (addresses, geometries), and nothing else."""
    left = shown(columns, levels)
    cut = []
    for row in rows:
        source = as_mapping(row)
        new = {column.key: source.get(column.key) for column in left}
        for column in left:
            if column.level not in levels and new[column.key] is not None:
                new[column.key] = masked(str(new[column.key]), column.mask)
        cut.append(new | {key: source[key] for key in keep if key in source})
    return cut


def as_mapping(row: Any) -> Mapping[str, Any]:
    """A row of any make as a mapping."""
    if isinstance(row, Mapping):
        return row
    if hasattr(row, "_mapping"):
        return dict(row._mapping)
    made: Mapping[str, Any] = msgspec.to_builtins(row)
    return made


def masked(text: str, mask: str) -> str:
    """`text` with stars for what may not be seen: tail 3 leaves the last three signs, head 2 the first two."""
    way, _, count = mask.partition(" ")
    keep = min(int(count or 0), len(text) // 2)
    stars = "*" * min(len(text) - keep, 6)
    if way == "tail":
        return stars + text[len(text) - keep :]
    if way == "head":
        return text[:keep] + stars
    return "*" * 6
