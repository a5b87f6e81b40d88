"""Answers of other cities by Open311, in JSON or XML: believed little, and nothing of them is more than text.

XML with a document type is not read at all, so there are no entities to grow or to fetch.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import ParseError, XMLParser

import msgspec

from cheng.protocols.open311_formats import ITEMS

CUT = 1000
"""Signs of a text that are kept."""
DEEPEST = 12
DECLARES = re.compile(r"<!(?!\[CDATA\[|--)")
LISTS = {*ITEMS, "requests"}
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Signs that show nothing, or turn text round."""


def rows(content: bytes) -> list[dict[str, Any]]:
    """An answer that is a list. ValueError when it is none."""
    told = read(content)
    if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
        raise ValueError("no list")
    return told


def record(content: bytes) -> dict[str, Any]:
    """An answer that is one thing. ValueError when it is none."""
    told = read(content)
    if isinstance(told, list) and len(told) == 1:
        told = told[0]
    if not isinstance(told, dict):
        raise ValueError("no record")
    return told


def read(content: bytes) -> Any:
    """Whatever it is, by its first sign: some send XML where JSON was asked for. ValueError when it cannot be read."""
    try:
        if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            return from_xml(content.decode("utf-8-sig"))
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, ParseError, LookupError, RecursionError) as error:
        raise ValueError("not understood") from error


class Tree:
    """Builds plain lists, mappings and texts while XML is read; ValueError for what is nested too deep."""

    def __init__(self) -> None:
        self.open: list[tuple[str, list[tuple[str, Any]], list[str]]] = []
        self.told: Any = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self.open) >= DEEPEST:
            raise ValueError("too deep")
        self.open.append((tag.rpartition("}")[2], [], []))

    def data(self, text: str) -> None:
        self.open[-1][2].append(text)

    def end(self, tag: str) -> None:
        name, parts, texts = self.open.pop()
        value: Any = "".join(texts).strip()
        if name in LISTS:
            value = [part for _, part in parts]
        elif parts:
            value = dict(parts)
        if self.open:
            self.open[-1][1].append((name, value))
        self.told = value

    def close(self) -> Any:
        return self.told


def from_xml(text: str) -> Any:
    text = text.lstrip()
    if DECLARES.search(text):
        raise ValueError("no document types")
    parser = XMLParser(target=Tree())  # noqa: S314  # nothing can be declared in it, see above
    parser.feed(re.sub(r"^<\?xml[^>]*\?>", "", text))
    return parser.close()


def word(row: Mapping[str, Any], name: str, most: int = CUT) -> str:
    """A field as text: some endpoints write numbers, some nothing."""
    value = row.get(name)
    if value is None or isinstance(value, (dict, list)):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return UNSEEN.sub("", text).encode("utf-8", "ignore").decode().strip()[:most]


def flag(row: Mapping[str, Any], name: str) -> bool:
    return word(row, name).lower() == "true"


def sentence(content: bytes) -> str:
    """What they say went wrong; "" when they do not say it as Open311 does."""
    try:
        told = read(content)
    except ValueError:
        return ""
    found = [told] if isinstance(told, dict) else told if isinstance(told, list) else []
    texts = [word(row, "description") for row in found if isinstance(row, dict)]
    return " ".join(text for text in texts if text)[:CUT]
