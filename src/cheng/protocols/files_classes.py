"""Files with classes of cases: our own table, a taxonomy of three levels, the categories of Signalen.

Reading only, and into the rows of our own table: what a class is and which code it gets is for the hub to say. What
cannot be taken comes out of the same stream as an InputError that says line and reason.
"""

import csv
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from cheng.kernel.class_rows import COLUMNS, RESPONSIBILITY_COLUMNS, UNIT_WORDS, Told, records
from cheng.protocols.files_text import separator_of, text_of
from cheng.standards.problems import InputError

TAXONOMIES = (("一级分类", "二级分类", "三级分类"), ("level 1", "level 2", "level 3"))
USUAL_LIMIT = ("13", "working days")
"""What a class gets whose file names no limit."""
USUAL_SOURCE = "limit of the load, to be adapted by the city"
DONE = ("What was reported is put right.", "反映的问题已解决。")
DONE_AND_TOLD = ("What was reported is put right, and whoever reported it knows.", "反映的问题已解决，并已告知反映人。")
CATEGORY, DEPARTMENT = "signals.category", "signals.department"


def read_classes(
    path: str | Path,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    limit: tuple[str, str] = USUAL_LIMIT,
) -> Iterator[Told | InputError]:
    """The rows of a file of classes, whatever its kind, in its order.

    `mapping` is FIELD=COLUMN for our own table; `limit`, number and unit, is for classes whose file names none. Raises
    InputError when the file as a whole cannot be read.
    """
    file = Path(path)
    if file.suffix.lower() == ".json":
        yield from signalen(file, limit)
        return
    head, rows = table(file, encoding)
    for levels in TAXONOMIES:
        if set(levels) <= {name.lower() for name in head}:
            yield from taxonomy(rows, levels, limit)
            return
    yield from own_rows(rows, head, dict(mapping or {}), (*COLUMNS, "kind"), ("code", "kind"), file.name)


def read_responsibilities(
    path: str | Path, mapping: Mapping[str, str] | None = None, encoding: str | None = None
) -> Iterator[Told | InputError]:
    """The rows of a table of responsibilities."""
    head, rows = table(Path(path), encoding)
    known = (*RESPONSIBILITY_COLUMNS, "kind")
    yield from own_rows(rows, head, dict(mapping or {}), known, ("departments", "kind"), Path(path).name)


def table(file: Path, encoding: str | None) -> tuple[list[str], Iterator[Told | InputError]]:
    """The head of a CSV file, and its rows."""
    with text_of(file, encoding) as text:
        whole = text.read()
    reader = csv.reader(whole.splitlines(keepends=True), delimiter=separator_of(whole[: 1 << 16]))
    head = [name.strip().strip("\ufeff") for name in next(reader, [])]
    if not any(head):
        raise InputError("empty", f"{file.name} is empty")
    return head, records(reader, head)


def own_rows(
    rows: Iterator[Told | InputError],
    head: list[str],
    mapping: dict[str, str],
    known: tuple[str, ...],
    needed: tuple[str, ...],
    name: str,
) -> Iterator[Told | InputError]:
    """Rows of our own table, their columns renamed by `mapping`; one of those needed has to be there."""
    for field, column in mapping.items():
        if field not in known:
            raise InputError("unknown-field", f"a row has no field '{field}'; known are {', '.join(known)}")
        if column not in head:
            raise InputError("no-column", f"{name} has no column {column!r}")
    if not {*needed} & {*head, *mapping}:
        raise InputError("no-column", f"{name} has no column '{needed[0]}'; name it with --map {needed[0]}=COLUMN")
    for row in rows:
        if isinstance(row, InputError):
            yield row
            continue
        line, cells = row
        yield line, {**cells, **{field: cells[column] for field, column in mapping.items()}}


# -- a taxonomy of three levels


def taxonomy(
    rows: Iterator[Told | InputError], levels: tuple[str, ...], limit: tuple[str, str]
) -> Iterator[Told | InputError]:
    """What people may ask a city for: the first level is the big class, the others together are the name."""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        if isinstance(row, InputError):
            yield row
            continue
        line, cells = row
        by_name = {name.lower(): cell for name, cell in cells.items()}
        words = tuple(by_name[level] for level in levels)
        if not all(words):
            yield InputError("no-name", "one of its three levels is empty", line)
        elif words in seen:
            yield InputError("twice", f"it is the same as line {seen[words]}", line)
        else:
            seen[words] = line
            yield line, taxonomy_row(words, limit)


def taxonomy_row(words: tuple[str, ...], limit: tuple[str, str]) -> dict[str, str]:
    return {
        "kind": "service",
        "group_zh": words[0],
        "name_zh": " / ".join(words[1:]),
        "source": "taxonomy of three levels",
        "condition": "reported",
        "text": "It is as reported.",
        "text_zh": "情况与反映一致。",
        "limit": limit[0],
        "unit": limit[1],
        "closes": DONE_AND_TOLD[0],
        "closes_zh": DONE_AND_TOLD[1],
        "limit_source": USUAL_SOURCE,
    }


# -- Signalen, the reports of Amsterdam and other cities


@lru_cache(maxsize=1)
def terms() -> dict[str, list[dict[str, str]]]:
    """The filing conditions that stand for each way of handling, from `signalen_terms.csv`."""
    text = files("cheng.protocols").joinpath("signalen_terms.csv").read_text("utf-8")
    found: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["handling"], []).append(row)
    return found


def signalen(file: Path, limit: tuple[str, str]) -> Iterator[Told | InputError]:
    """Categories as Signalen writes them out (fixtures of Django); the line is the number of the record."""
    try:
        records = msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InputError("not-json", f"{file.name} cannot be read: {problem}") from None
    if not any(record.get("model") == CATEGORY for record in records):
        raise InputError("not-signalen", f"{file.name} holds no record of the model {CATEGORY}")
    departments = {str(each.get("pk")): name_of(each) for each in records if each.get("model") == DEPARTMENT}
    parents = {str(each.get("pk")): name_of(each) for each in records if is_main(each)}
    for number, record in enumerate(records, 1):
        if record.get("model") == CATEGORY and not is_main(record):
            try:
                yield from ((number, row) for row in category_rows(record, parents, departments, limit, number))
            except InputError as error:
                yield error


def is_main(record: Mapping[str, Any]) -> bool:
    fields = record.get("fields")
    return record.get("model") == CATEGORY and isinstance(fields, dict) and fields.get("parent") is None


def name_of(record: Mapping[str, Any]) -> str:
    fields = record.get("fields")
    return str(fields.get("name") or "").strip() if isinstance(fields, dict) else ""


def category_rows(
    record: Mapping[str, Any],
    parents: Mapping[str, str],
    departments: Mapping[str, str],
    limit: tuple[str, str],
    number: int,
) -> list[dict[str, str]]:
    """A row for each condition of a category; InputError for one that cannot be understood."""
    fields = record.get("fields")
    if not isinstance(fields, dict) or not name_of(record):
        raise InputError("no-name", "the category has no name", number)
    group = parents.get(str(fields.get("parent")), "")
    if not group:
        raise InputError("no-parent", f"its main category {fields.get('parent')!r} is not in the file", number)
    handling = str(fields.get("handling") or "")
    if handling not in terms():
        reason = f"nobody knows how soon a category with the handling {handling!r} is put right"
        raise InputError("handling", reason, number)
    given = fields.get("departments") or []
    if not isinstance(given, list):
        raise InputError("departments", "its departments are no list", number)
    names = [departments.get(str(each)) or f"Signalen department {each}" for each in given]
    of_class = {
        "kind": "event",
        "group": group,
        "name": name_of(record),
        "source": f"Signalen: {fields.get('slug') or record.get('pk')}",
        "departments": "; ".join(names),
        "retired": "no" if fields.get("is_active", True) else "yes",
    }
    return [of_class | condition_row(term, limit) for term in terms()[handling]]


def condition_row(term: Mapping[str, str], limit: tuple[str, str]) -> dict[str, str]:
    amount, unit = (term["limit"], term["unit"]) if term["limit"] else limit
    done = DONE_AND_TOLD if term["told"] == "yes" else DONE
    return {
        "condition": term["condition"],
        "text": term["text"],
        "text_zh": term["text_zh"],
        "limit": amount,
        "unit": unit,
        "closes": done[0],
        "closes_zh": done[1],
        "limit_source": term["source"],
    }


def limit_told(text: str) -> tuple[str, str]:
    """A limit as one writes it on the command line: "13 working days". InputError for anything else."""
    amount, _, unit = text.strip().partition(" ")
    if unit.strip().lower() not in UNIT_WORDS:
        raise InputError("unit", f"{text!r} is no limit; write for example '13 working days'")
    return amount, unit.strip()
