"""Words in the reader's language. Texts are English in code and templates; Chinese lies in `cheng/locale/zh_CN/*.po`.

Blanks are named in braces, `_("{count} cases are late", count=3)`, and a blank nobody filled stays as it is. All
catalogues of a language are read once, at the start, and merged: one file a module, no list of them anywhere.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Any, Self

from babel import Locale
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from jinja2.ext import babel_extract

HERE = Path(__file__).parent
SOURCE = HERE.parent
LOCALES = SOURCE / "locale"
LANGUAGES = {"zh_CN": "中文", "en": "English"}
"""What a reader can choose, each in its own words; the first is what the house speaks by itself."""
CALLS = {"_": 0, "say": 0, "gettext": 0, "ngettext": 0, "Refused": 1, "Condition": 2, "Decision": 1, "Column": 1}
CALLS |= {"Entry": 0, "wrong": 1, "see_other": 2, "said": 1, "tell": 0, "Said": 0}
"""Calls with a text, and which argument it is, counted from 0."""
NAMED = {"why_not", "entry", "about", "required"}
"""Names of arguments that hold texts."""
TABLES = {"TITLES", "SENTENCES", "SECTIONS", "ROLES", "message"}
"""Names of tables (and of single variables) that hold texts: the values of a dictionary, the first text of each row."""

BLANK, NAME = re.compile(r"\{\w+\}"), re.compile(r"\{\w+\}( [a-z]+(?: [a-z]+)+)$")

Texts = Mapping[str, str | tuple[str, ...]]
"""msgid → text; for msgids with a plural the forms."""


@dataclass(frozen=True)
class Language:
    """One language, ready to speak."""

    code: str
    texts: Texts = field(default_factory=dict, repr=False)

    @property
    def tag(self) -> str:
        """As HTML writes it: zh-CN."""
        return self.code.replace("_", "-")

    @cached_property
    def locale(self) -> Locale:
        return Locale.parse(self.code)

    def gettext(self, message: str, /, **values: Any) -> str:
        """`message` in this language, its blanks filled."""
        found = self.texts.get(message) or self.named(message) or message
        return self.fill(found if isinstance(found, str) else found[0], values)

    def named(self, name: str) -> str:
        """A name whose blank was filled before, such as "North drainage crew" by "{ward} drainage crew"; or ""."""
        for end, text in self.endings:
            if name.endswith(end) and len(name) > len(end):
                return BLANK.sub(name.removesuffix(end).replace("\\", r"\\"), text)
        return ""

    @cached_property
    def endings(self) -> list[tuple[str, str]]:
        """What follows the blank in texts that begin with their only one, the longest first, and the whole text."""
        found = [
            (m[1], text) for msgid, text in self.texts.items() if isinstance(text, str) and (m := NAME.match(msgid))
        ]
        return sorted(found, key=lambda pair: -len(pair[0]))

    def ngettext(self, one: str, many: str, n: float, /, context: str = "", **values: Any) -> str:
        """The form that goes with `n`, which also fills the blank {n}. `context`: msgctxt, for a text that reads
        otherwise in one place than elsewhere.
        """
        values.setdefault("n", n)
        found = self.texts.get(f"{context}\4{one}" if context else one)
        if not found:
            return self.fill(one if n == 1 else many, values)
        forms = (found,) if isinstance(found, str) else found
        return self.fill(forms[min(self.plural(n), len(forms) - 1)], values)

    def plural(self, n: float) -> int:
        """Which form goes with `n`: Chinese has one, English two."""
        return 0 if self.code.startswith("zh") or n == 1 else 1

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        """`text` with its blanks filled; a blank without a value, or with a broken format, does no harm."""
        if "{" not in text:
            return text
        try:
            return Blanks(self.locale).vformat(text, (), values)
        except (ValueError, AttributeError, TypeError, IndexError):
            return text


class Blanks(Formatter):
    """Fills blanks for people: numbers as they are written here, unknown blanks left alone."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs[key] if isinstance(key, str) and key in kwargs else f"{{{key}}}"

    def format_field(self, value: Any, format_spec: str) -> str:
        if not format_spec and isinstance(value, (int, float)) and not isinstance(value, bool):
            return format_decimal(value, locale=self.locale, group_separator=abs(value) >= 10_000)
        try:
            return str(format(value, format_spec))
        except (ValueError, TypeError):
            return str(value)


@dataclass(frozen=True)
class Catalogues:
    """Every language the house speaks."""

    languages: Mapping[str, Language]
    conflicts: tuple[str, ...] = ()
    """msgids to which two files give different texts; the first file wins"""

    @classmethod
    def load(cls, folder: Path = LOCALES) -> Self:
        """Read and merge all `folder`/<language>/*.po; English needs none."""
        languages, conflicts = {}, []
        for code in LANGUAGES:
            merged: dict[str, str | tuple[str, ...]] = {}
            for file in sorted((folder / code).glob("*.po")):
                for msgid, text in entries(file, code):
                    if merged.setdefault(msgid, text) != text:
                        conflicts.append(f"{file.name}: {msgid}")
            languages[code] = Language(code, merged)
        return cls(languages, tuple(conflicts))

    def best(self, chosen: str | None, accepted: str | None, default: str) -> Language:
        """The reader's own choice, else the first language of Accept-Language that we speak, else the house's."""
        if chosen is not None and chosen in self.languages:
            return self.languages[chosen]
        for tag in preferences(accepted or ""):
            for code, language in self.languages.items():
                if tag.split("-")[0] == code.split("_")[0]:
                    return language
        return self.languages[default]


def entries(file: Path, code: str) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """(msgid, text) of each translated message of a .po file."""
    with file.open("rb") as source:
        catalogue = read_po(source, locale=code)
    for message in catalogue:
        if message.id and message.string and not message.fuzzy:
            msgid = message.id if isinstance(message.id, str) else message.id[0]
            text = message.string if isinstance(message.string, str) else tuple(message.string)
            if all(text):
                yield f"{message.context}\4{msgid}" if message.context else msgid, text


def preferences(header: str) -> list[str]:
    """The language tags of an Accept-Language header in lower case, most wanted first."""
    wanted: list[tuple[float, str]] = []
    for part in header[:200].split(","):
        tag, _, weight = part.strip().lower().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            quality = 0.0
        if tag and quality > 0:
            wanted.append((-quality, tag))
    return [tag for _, tag in sorted(wanted, key=lambda pair: pair[0])]


def missing_texts(extra: Iterable[str] = (), code: str = "zh_CN", source: Path = SOURCE) -> dict[str, list[str]]:
    """msgid → where it is used, for every text of templates and code that `code` has no words for.

    `extra`: further texts to look for, such as the sentences of an application's declarations.
    """
    known = Catalogues.load(source / "locale").languages[code].texts
    missing: dict[str, list[str]] = {}
    for place, msgid in (*texts_of_templates(source), *texts_of_code(source), *(("spec", text) for text in extra)):
        if msgid and msgid not in known:
            missing.setdefault(msgid, []).append(place)
    return missing


def texts_of_templates(source: Path = SOURCE) -> Iterator[tuple[str, str]]:
    """(place, msgid) of each text in a template."""
    for file in sorted((source / "web" / "templates").rglob("*.html")):
        with file.open("rb") as template:
            options = {"encoding": "utf-8", "silent": "false", "extensions": "jinja2.ext.do"}
            for line, _, message, _ in babel_extract(template, ("_", "gettext", "ngettext"), (), options):
                msgid = message if isinstance(message, str) or message is None else message[0]
                yield f"{file.relative_to(source)}:{line}", msgid or ""


def texts_of_code(source: Path = SOURCE) -> Iterator[tuple[str, str]]:
    """(place, msgid) of each text in Python: arguments of CALLS and NAMED, and what TABLES hold."""
    for file in sorted(source.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            for value in text_nodes(node):
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                    yield f"{file.relative_to(source)}:{value.lineno}", value.value


def text_nodes(node: ast.AST) -> Iterator[ast.expr]:
    """What a person may read, in this piece of code."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in CALLS and CALLS[name] < len(node.args):
            yield node.args[CALLS[name]]
        yield from (word.value for word in node.keywords if word.arg in NAMED)
    elif isinstance(node, ast.Assign) and any(getattr(target, "id", "") in TABLES for target in node.targets):
        yield from table_nodes(node.value)


def table_nodes(value: ast.expr) -> Iterator[ast.expr]:
    """The texts of a table: of a dictionary its values, of rows the first text of each; a text alone is itself."""
    if isinstance(value, ast.Dict):
        for each in value.values:
            yield from table_nodes(each)
    elif isinstance(value, ast.Tuple) and any(isinstance(row, ast.Tuple) for row in value.elts):
        for row in value.elts:
            yield from table_nodes(row)
    elif isinstance(value, ast.Tuple):
        yield from [e for e in value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)][:1]
    else:
        yield value
