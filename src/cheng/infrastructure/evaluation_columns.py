"""Cases and their runs as columns: what evaluation counts, for the cases that were opened in one month.

A year of a city is nine million runs; as columns they are counted in a second, as rows of the store in a minute. The
columns are only a copy: they say how far they go by the versions of their cases, and may be deleted at any time.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = npt.NDArray[Any]

NONE = np.int64(2**62)
"""No moment: later than all others, so that what is not done is never done in time."""
STEPS = ("", "accept", "verify", "file", "dispatch", "handle", "feedback", "check", "close")
"""Steps that evaluation knows, by their code; 0 is the case as a whole. Others are left aside."""
OUTCOMES = ("", "completed", "returned", "moved", "void", "open", "suspended", "closed", "merged", "passed", "refused")
LEFT_OUT = ("", "appeal", "void", "merged", "moved", "returned", "passed")
RUNS: dict[str, Any] = {
    "case": np.int32,
    "step": np.int8,
    "outcome": np.int8,
    "left_out": np.int8,
    "department": np.int32,
    "person": np.int32,
    "started": np.int64,
    "due": np.int64,
    "done": np.int64,
    "settled": np.int64,
    "extended": np.int64,
    "paused": np.int64,
}
CASES: dict[str, Any] = {
    "id": "S36",
    "number": "S24",
    "version": np.int32,
    "area": np.int32,
    "source": np.int32,
    "class": np.int32,
    "handler": np.int32,
    "collector": np.int32,
    "opened": np.int64,
    "closed": np.int64,
    "longitude": np.float64,
    "latitude": np.float64,
    "public": np.bool_,
    "simple": np.bool_,
    "part": np.bool_,
    "filed": np.bool_,
    "reworked": np.bool_,
    "rated": np.int64,
    "reached": np.bool_,
    "solved": np.bool_,
    "satisfied": np.int8,
}
"""Names and kinds of the columns. `handler`: the department that handled it last; `collector`: who found it, or else
verified it; `satisfied`: 2 yes, 1 in the main, 0 no."""
FORM = "1"
"""Of the files; another one is read anew from the store."""


@dataclass
class Lot:
    """The cases of one month, and their runs in the order of their steps: those of one step lie side by side."""

    cases: dict[str, Array] = field(default_factory=lambda: {name: np.zeros(0, kind) for name, kind in CASES.items()})
    runs: dict[str, Array] = field(default_factory=lambda: {name: np.zeros(0, kind) for name, kind in RUNS.items()})
    words: list[str] = field(default_factory=lambda: [""])
    """what the numbers of departments, persons, areas, sources and classes stand for; 0 is none"""

    @property
    def size(self) -> int:
        return len(self.cases["id"])

    @property
    def mark(self) -> tuple[int, int]:
        """How far it goes: how many cases, and how many acts in all."""
        return self.size, int(self.cases["version"].sum(dtype=np.int64))

    @cached_property
    def bounds(self) -> list[int]:
        """Where the runs of each step begin, and after them those that are left aside, and the end."""
        return [int(at) for at in np.searchsorted(self.runs["step"], np.arange(len(STEPS) + 1))]

    def of_step(self, step: int) -> slice:
        """The runs of a step."""
        return slice(self.bounds[step], self.bounds[step + 1])

    @cached_property
    def last(self) -> int:
        """Nothing is counted in a period that begins after this moment; NONE while something is under way."""
        if not self.size:
            return 0
        if (self.runs["done"] == NONE).any():
            return int(NONE)
        return int(max(self.runs["done"].max(), self.runs["settled"].max(initial=0)))

    def without(self, ids: Array) -> Self:
        """All but the cases with these ids."""
        stays = ~np.isin(self.cases["id"], ids)
        place = np.cumsum(stays, dtype=np.int32) - np.int32(1)
        mine = stays[self.runs["case"]]
        runs = {name: column[mine] for name, column in self.runs.items()}
        runs["case"] = place[runs["case"]]
        return type(self)({name: column[stays] for name, column in self.cases.items()}, runs, list(self.words))

    def joined(self, other: Self) -> Self:
        """This one and another, whose words become words of this one."""
        known = {word: code for code, word in enumerate(self.words)}
        codes = np.array([known.setdefault(word, len(known)) for word in other.words], np.int32)
        cases = {
            name: np.concatenate([column, codes[other.cases[name]] if name in WORDED else other.cases[name]])
            for name, column in self.cases.items()
        }
        runs = {
            name: np.concatenate([column, codes[other.runs[name]] if name in WORDED else other.runs[name]])
            for name, column in self.runs.items()
        }
        runs["case"][len(self.runs["case"]) :] += np.int32(self.size)
        return type(self)(cases, by_step(runs), list(known))

    # -- as a file

    def save(self, path: Path) -> None:
        """Two tables in one file each, replaced as a whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {b"form": FORM.encode(), b"words": json.dumps(self.words).encode()}
        for kind, columns in (("cases", self.cases), ("runs", self.runs)):
            table = pa.table({name: packed(column) for name, column in columns.items()}).replace_schema_metadata(told)
            new = path.with_suffix(f".{kind}.new")
            with pa.OSFile(str(new), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=max(1, table.num_rows))
            new.replace(path.with_suffix(f".{kind}"))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What was saved, mapped into memory; None where there is nothing that can be used."""
        try:
            cases, words = columns_of(path.with_suffix(".cases"), CASES)
            runs, same = columns_of(path.with_suffix(".runs"), RUNS)
        except (OSError, KeyError, ValueError, pa.ArrowInvalid):
            return None
        fits = words == same and len(words) > 0 and (not len(runs["case"]) or runs["case"].max() < len(cases["id"]))
        return cls(cases, runs, words) if fits else None


WORDED = frozenset({"department", "person", "area", "source", "class", "handler", "collector"})


def by_step(runs: dict[str, Array]) -> dict[str, Array]:
    """Runs in the order of their steps."""
    order = np.argsort(runs["step"], kind="stable")
    return {name: column[order] for name, column in runs.items()}


def packed(column: Array) -> pa.Array:
    """A column for a file; texts of one length as bytes."""
    if column.dtype.kind != "S":
        return pa.array(column)
    texts = np.ascontiguousarray(column)
    return pa.Array.from_buffers(pa.binary(texts.itemsize), len(texts), [None, pa.py_buffer(texts.tobytes())])


def columns_of(path: Path, kinds: dict[str, Any]) -> tuple[dict[str, Array], list[str]]:
    """The columns of a file without copying them, and the words. Raises ValueError for another form."""
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    told = table.schema.metadata or {}
    if told.get(b"form") != FORM.encode():
        raise ValueError(path)
    return {name: unpacked(table[name], kind) for name, kind in kinds.items()}, json.loads(told[b"words"])


def unpacked(column: pa.ChunkedArray, kind: Any) -> Array:
    if not len(column):
        return np.zeros(0, kind)
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if np.dtype(kind).kind == "S":
        return np.frombuffer(whole.buffers()[1], kind, len(whole))
    return np.asarray(whole.to_numpy(zero_copy_only=False)).astype(kind, copy=False)


# -- from rows


class Codes:
    """Words become numbers in the order in which they come."""

    def __init__(self) -> None:
        self.known: dict[str | None, int] = {"": 0, None: 0}
        self.words = [""]

    def of(self, texts: Sequence[str | None]) -> Array:
        known = self.known
        for text in dict.fromkeys(texts):
            if text not in known:
                known[text] = len(self.words)
                self.words.append(str(text))
        return np.fromiter(map(known.__getitem__, texts), np.int32, len(texts))


def moments(values: Sequence[int | None]) -> Array:
    """µs, NONE for none."""
    return np.array([NONE if value is None else value for value in values], np.int64)


def coded(words: tuple[str, ...], unknown: int) -> Callable[[Sequence[str | None]], Array]:
    """Texts as their place in a short list; `unknown` for others."""
    place: dict[str | None, int] = {word: code for code, word in enumerate(words)}
    return lambda texts: np.fromiter((place.get(text, unknown) for text in texts), np.int8, len(texts))
