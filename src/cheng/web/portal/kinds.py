"""What people can report: the public classes of every flow that has some, in groups, and found by a few words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cheng.kernel.classes import CaseClass
from cheng.web.pages import PUBLIC, Ask, Column, Page, get

MOST = 8
"""Suggestions at once."""
WORDS = re.compile(r"[a-z]{3,}|[\u4e00-\u9fff]+")
COLUMNS = (Column("code", "Code"), Column("name", "What it is"), Column("group", "Group"))


@dataclass(frozen=True)
class Kind:
    """A class of things to report, as a citizen chooses it."""

    flow: str
    code: str
    name: str
    group: str
    words: str
    """what else it is found by: its name in the other language, its filing conditions"""


def kinds(ask: Ask) -> dict[str, Kind]:
    """Code → class, in their order; of a code that two flows use, the one of the first."""
    found: dict[str, Kind] = {}
    for flow in reporting(ask):
        for each in ask.hub.classes.all(flow, public=True):
            found.setdefault(each.code, kind(ask, flow, each))
    return found


def reporting(ask: Ask) -> list[str]:
    """Keys of the flows that take reports: those whose cases have classes."""
    return [key for key in ask.hub.cases.flows if ask.hub.classes.all(key, public=True)]


def kind(ask: Ask, flow: str, each: CaseClass) -> Kind:
    chinese = ask.local.language.code.startswith("zh")
    name, other = (each.name_zh, each.name) if chinese else (each.name, each.name_zh)
    conditions = (text for one in each.conditions for text in (one.text, one.text_zh))
    group = (each.group_zh if chinese else each.group) or each.group or each.group_zh
    return Kind(flow, each.code, name or other, group, " ".join([other, each.group, each.group_zh, *conditions]))


def grouped(found: Iterable[Kind]) -> list[tuple[str, list[Kind]]]:
    """The classes group by group, in the order in which groups begin."""
    groups: dict[str, list[Kind]] = {}
    for each in found:
        groups.setdefault(each.group, []).append(each)
    return list(groups.items())


def fitting(found: Mapping[str, Kind], told: str, most: int = MOST) -> list[Kind]:
    """The classes that a few words, or a whole description, may mean; best first."""
    said = told.strip().lower()
    if not said:
        return []
    scored = [(score(said, each), -at, each) for at, each in enumerate(found.values())]
    best = sorted((one for one in scored if one[0] > 0), key=lambda one: one[:2], reverse=True)
    return [each for _, _, each in best[:most]]


def score(said: str, each: Kind) -> float:
    """How well words fit: the name as it stands first, then parts of the name, then of what is said about it."""
    name = each.name.lower()
    if said == each.code.lower() or said == name:
        return 100.0
    within = 10.0 if name in said or (len(said) > 1 and said in name) else 0.0
    asked, own = pieces(said), pieces(name)
    shared = len(asked & own)
    return within + (shared + shared / len(own) if own else 0.0) + 0.3 * len(asked & pieces(each.words.lower()))


@lru_cache(4096)
def pieces(text: str) -> frozenset[str]:
    """Words of Latin letters without a plural's s, and pairs of Chinese signs."""
    found: set[str] = set()
    for word in WORDS.findall(text):
        if word.isascii():
            found.add(word.removesuffix("s"))
        else:
            found |= {word[at : at + 2] for at in range(len(word) - 1)}
    return frozenset(found)


@get("/report/classes", needs=PUBLIC)
def classes(ask: Ask) -> Page:
    """What can be reported, by groups or by a few words; each leads to the form with it chosen."""
    found, told = kinds(ask), ask.query("q")
    shown = fitting(found, told, ask.limit(MOST if ask.representation == "json" else 30)) if told else found.values()
    rows = [
        {"code": each.code, "name": each.name, "group": each.group, "url": ask.url("/report", **{"class": each.code})}
        for each in shown
    ]
    data = {"q": told, "classes": rows}
    extra = {"groups": grouped(shown) if not told else []}
    return Page("portal/classes.html", data, rows="classes", columns=COLUMNS, extra=extra, fragment="list")


routes = [classes]
