"""How Open311 speaks: JSON or XML as the address ends, and errors as a list of code and description.

XML is written here and never read, so nothing in this house can be led astray by a document type or an entity.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

from cheng.standards.problems import Refused

FORMATS = {"json": "application/json; charset=utf-8", "xml": "text/xml"}
"""With text the charset is added by the framework."""
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Signs that no XML document may hold, however they are written."""
ITEMS = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}
"""What the parts of a list are called in XML."""
PASSED_ON = (403, 404, 429, 500, 503, 507)
"""Statuses that are answered as they are; the specification wants 400 for everything else that could not be done."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer before it is written: the name of its root in XML, and what it says."""

    root: str
    data: Any
    links: Mapping[str, str]
    """relation → address, for the header Link"""
    status: int = 200


def written(root: str, data: Any, form: str) -> bytes:
    """The answer's bytes. In JSON the root of a list has no name."""
    if form == "json":
        return msgspec.json.encode(data)
    content: bytes = tostring(element(root, data), encoding="utf-8", xml_declaration=True)
    return content


def element(name: str, data: Any) -> Element:
    made = Element(name)
    fill(made, name, data)
    return made


def fill(made: Element, name: str, data: Any) -> None:
    """Put `data` below an element: parts by name, parts of a list by what ITEMS calls them."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            fill(SubElement(made, key), key, value)
    elif isinstance(data, Sequence) and not isinstance(data, str):
        for value in data:
            fill(SubElement(made, ITEMS[name]), ITEMS[name], value)
    else:
        made.text = plain(data)


def plain(value: Any) -> str:
    """A single value as text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else NOT_XML.sub("\ufffd", str(value))


def split(name: str) -> tuple[str, str]:
    """The last part of an address without its ending, and the ending when it is one of FORMATS."""
    stem, dot, ending = name.rpartition(".")
    return (stem, ending) if dot and ending in FORMATS else (name, "")


def accepted(header: str) -> str:
    """The format by the header Accept, for addresses without an ending: JSON unless XML is asked for first."""
    for part in header.split(","):
        kind = part.split(";")[0].strip().lower()
        if kind in ("application/json", "text/json"):
            return "json"
        if kind in ("text/xml", "application/xml"):
            return "xml"
    return "json"


def error(code: int, sentence: str) -> Told:
    """One error; the code tells more than the status, which Open311 limits to a few."""
    code = 403 if code == 401 else code
    status = code if code in PASSED_ON else 400
    return Told("errors", [{"code": code, "description": sentence}], {}, status)


def missing(name: str) -> Refused:
    return Refused("missing-parameter", "{name} is missing.", {"name": name}, 400)


def link_header(links: Mapping[str, str]) -> str:
    return ", ".join(f'<{url}>; rel="{relation}"' for relation, url in links.items())
