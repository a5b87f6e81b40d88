"""Files with what agents know: our own table, or one article a file in Markdown with a head of `name: value` lines.

Reading only, and into the rows of our own table. What cannot be taken is an InputError with line and reason.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cheng.infrastructure.article_book import COLUMNS
from cheng.kernel.class_rows import Told
from cheng.protocols.files_classes import own_rows, table
from cheng.protocols.files_text import text_of
from cheng.standards.problems import InputError

MARKDOWN = (".md", ".markdown")
FENCE = "---"
HEADING = re.compile(r"#\s+(.+?)\s*#*")
PAIR = re.compile(r"(\w+)\s*:\s*(.*)")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
OTHERS = {"title": "question", "keywords": "words", "tags": "words", "class": "class_code"}
"""How heads of Markdown files call our columns."""


def read_articles(
    path: str | Path, mapping: Mapping[str, str] | None = None, encoding: str | None = None
) -> Iterator[Told | InputError]:
    """The rows of a file of articles: line, and cells by column. `mapping` is FIELD=COLUMN.

    Raises InputError when the file as a whole cannot be read.
    """
    file, renamed = Path(path), dict(mapping or {})
    if file.suffix.lower() in MARKDOWN:
        yield markdown(file, renamed, encoding)
        return
    head, rows = table(file, encoding)
    yield from own_rows(rows, head, renamed, COLUMNS, ("question", "question_zh", "number"), file.name)


def markdown(file: Path, mapping: dict[str, str], encoding: str | None) -> Told:
    """The article of a Markdown file: its head says what it is, or its first heading the question; the rest answers.

    A question with Chinese signs is the Chinese one, and so is its answer.
    """
    with text_of(file, encoding) as text:
        lines = text.read().splitlines()
    start = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    cells: dict[str, str] = {}
    if lines[start : start + 1] == [FENCE]:
        end = next((n for n in range(start + 1, len(lines)) if lines[n].strip() == FENCE), None)
        if end is None:
            raise InputError("bad-head", f"the head of {file.name} does not end; close it with a line {FENCE}")
        cells = head_of(
            file.name, lines[start + 1 : end], start + 2, {column: name for name, column in mapping.items()}
        )
        start = end + 1
    body = "\n".join(lines[start:]).strip()
    if not cells.get("question") and not cells.get("question_zh"):
        first, _, rest = body.partition("\n")
        if not (found := HEADING.fullmatch(first.strip())):
            reason = f"{file.name} asks nothing; write 'question: …' in its head, or a first line '# …'"
            raise InputError("no-question", reason)
        cells["question"], body = found[1], rest.strip()
    if CHINESE.search(cells.get("question", "")) and "question_zh" not in cells:
        cells["question_zh"] = cells.pop("question")
    if body:
        cells.setdefault("answer" if cells.get("question") else "answer_zh", body)
    return 1, cells


def head_of(name: str, lines: list[str], first: int, renamed: Mapping[str, str]) -> dict[str, str]:
    """The `name: value` lines of a head; several values stand in brackets, or one a line behind a dash."""
    cells: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines, first):
        told = line.strip()
        if not told or told.startswith("#"):
            continue
        if told.startswith("- ") and last:
            cells[last] = " ".join(filter(None, (cells[last], unquoted(told[2:]))))
            continue
        found = PAIR.fullmatch(told)
        if found is None:
            raise InputError("bad-head", f"{told[:60]!r} in the head of {name} is no 'name: value'", number)
        key = found[1]
        last = renamed.get(key) or OTHERS.get(key.lower(), key.lower())
        if last not in COLUMNS:
            known = ", ".join((*COLUMNS, *OTHERS))
            raise InputError("unknown-field", f"an article has no field '{key}'; known are {known}", number)
        value = found[2]
        if value.startswith("[") and value.endswith("]"):
            value = " ".join(map(unquoted, value[1:-1].split(",")))
        cells[last] = " ".join(filter(None, (cells.get(last), unquoted(value))))
    return cells


def unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
