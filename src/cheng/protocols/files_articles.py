"""Tables of articles: questions that callers ask, each with its answer, a row an article."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cheng.infrastructure.article_book import COLUMNS
from cheng.kernel.class_rows import Told
from cheng.protocols.files_classes import own_rows, table
from cheng.standards.problems import InputError


def read_articles(
    path: str | Path, mapping: Mapping[str, str] | None = None, encoding: str | None = None
) -> Iterator[Told | InputError]:
    """The rows of a file of articles; `mapping` is FIELD=COLUMN. Raises InputError when it cannot be read at all, or
    has no questions."""
    head, rows = table(Path(path), encoding)
    needed = "question" if "question" in {*head, *(mapping or {})} else "question_zh"
    yield from own_rows(rows, head, dict(mapping or {}), COLUMNS, needed, Path(path).name)
