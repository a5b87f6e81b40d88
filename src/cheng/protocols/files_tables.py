"""CSV and Parquet in blocks of Arrow columns, each row with its number."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from cheng.protocols.files_text import (
    LOST,
    SAMPLE,
    Utf8Stream,
    encoding_of,
    known_encoding,
    opened,
    separator_of,
)
from cheng.standards.problems import InputError

BLOCK_BYTES = 8 << 20
BLOCK_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table."""

    rows: npt.NDArray[np.int64]
    """(n,) row of the file from 1, the header counted; quoted line breaks do not count"""
    data: Any
    """Arrow record batch of n rows"""
    first: int = 1
    """the row number of the file's first row of data"""


def csv_blocks(
    path: Path, encoding: str | None, separator: str | None, na: list[str], headless: bool, keep_lost: bool = False
) -> Iterator[Block | InputError]:
    """All columns as texts, null where a cell is one of `na`; rows with the wrong number of cells as InputError, and
    those that hold bytes which are no text, unless `keep_lost`.

    Raises InputError when the file is no table at all.
    """
    with opened(path) as stream:
        sample = stream.read(SAMPLE)
    encoding = encoding or encoding_of(sample)
    known_encoding(encoding)
    head = sample[: 1 << 20].decode(encoding, "replace")
    if not head.strip():
        raise InputError("empty", f"{path.name} is empty")
    refused: list[Any] = []
    with Utf8Stream(path, encoding) as utf8:
        try:
            reader = _reader(
                utf8, separator or separator_of(head), na, headless, _names(head, separator, headless), refused
            )
            yield from _numbered(reader, refused, 1 if headless else 2, None if keep_lost else utf8)
        except pa.ArrowInvalid as problem:
            raise InputError("not-csv", f"{path.name} cannot be read: {problem}") from None


def _names(head: str, separator: str | None, headless: bool) -> list[str]:
    """The columns' names as they will be: those of the first line, or #1, #2 … ."""
    mark = separator or separator_of(head)
    line = head.lstrip("\ufeff").splitlines()[0]
    table = pyarrow.csv.read_csv(
        pa.BufferReader((line + "\n").encode()),
        read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(delimiter=mark),
        convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=False),
    )
    if headless:
        return [f"#{place}" for place in range(1, table.num_columns + 1)]
    names = [str(column[0].as_py()).strip() for column in table.columns]
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise InputError("columns", f"it has two columns named {twice[0]!r}")
    return names


def _reader(stream: Any, separator: str, na: list[str], headless: bool, names: list[str], refused: list[Any]) -> Any:
    def refuse(row: Any) -> str:
        refused.append(row)
        return "skip"

    return pyarrow.csv.open_csv(
        stream,
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=0 if headless else 1
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=separator, ignore_empty_lines=False, invalid_row_handler=refuse
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=na, strings_can_be_null=True
        ),
    )


def _numbered(reader: Any, refused: list[Any], first: int, source: Utf8Stream | None) -> Iterator[Block | InputError]:
    row = first
    told = 0
    for batch in reader:
        skipped = np.array([bad.number for bad in refused], np.int64)
        span = np.arange(row, row + len(batch) + len(skipped), dtype=np.int64)
        rows = span[~np.isin(span, skipped)][: len(batch)]
        for bad in refused[told:]:
            yield _wrong_cells(bad)
        told = len(refused)
        row = int(rows[-1]) + 1 if len(rows) else row
        yield from _without_lost(Block(rows, batch, first), source is not None and source.lost)
    for bad in refused[told:]:
        yield _wrong_cells(bad)


def _wrong_cells(bad: Any) -> InputError:
    reason = f"it has {bad.actual_columns} cells, the header has {bad.expected_columns}"
    return InputError("cells", reason, bad.number)


def _without_lost(block: Block, any_lost: bool) -> Iterator[Block | InputError]:
    """Without blank rows, and without rows whose bytes were no text."""
    blank = np.ones(len(block.rows), bool)
    lost = np.zeros(len(block.rows), bool)
    for column in block.data.columns:
        blank &= column.is_null().to_numpy(zero_copy_only=False)
        if any_lost:
            lost |= pc.match_substring(column, LOST).fill_null(False).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(lost):
        yield InputError("encoding", "it holds bytes that are no text in this encoding", int(block.rows[row]))
    keep = ~(blank | lost)
    if keep.all():
        yield block
    else:
        yield Block(block.rows[keep], block.data.filter(pa.array(keep)), block.first)


def parquet_blocks(path: Path) -> Iterator[Block | InputError]:
    """Columns in their own types. Raises InputError when the file is no Parquet."""
    with opened(path) as stream:
        try:
            file = pyarrow.parquet.ParquetFile(stream)
            row = 1
            for batch in file.iter_batches(BLOCK_ROWS):
                yield Block(np.arange(row, row + len(batch), dtype=np.int64), batch)
                row += len(batch)
        except pa.ArrowInvalid as problem:
            raise InputError("not-parquet", f"{path.name} cannot be read: {problem}") from None
