"""Codes that cities number things with: divisions, grids, components, events, legal entities.

Layouts that differ from city to city are rows of `component_layouts.csv`: pick one by name.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

Level = Literal["province", "prefecture", "county", "street", "community"]

LEVELS: dict[Level, tuple[int, int]] = {
    "province": (0, 2),
    "prefecture": (2, 4),
    "county": (4, 6),
    "street": (6, 9),
    "community": (9, 12),
}
PROVINCES = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82)
)
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


@dataclass(frozen=True, slots=True)
class Division:
    """An administrative division after GB/T 2260 (to the county) and GB/T 10114 (street, community)."""

    code: str
    """the shortest usual form: 6 digits down to the county, 9 for a street, 12 for a community"""
    level: Level

    @classmethod
    def parse(cls, code: str | int) -> "Division":
        """From 2, 4, 6, 9 or 12 digits; zeros at the end mean the level above. Raises ValueError."""
        digits = str(code).strip()
        if not (digits.isascii() and digits.isdigit()) or len(digits) not in (2, 4, 6, 9, 12):
            raise ValueError(f"{digits!r} is no division code: 6, 9 or 12 digits")
        if int(digits[:2]) not in PROVINCES:
            raise ValueError(f"{digits!r} begins with {digits[:2]}, which is no province")
        named = [level for level, (first, end) in LEVELS.items() if digits[first:end].strip("0")]
        above = list(LEVELS)[: list(LEVELS).index(named[-1])]
        if any(level not in named for level in above if level != "county"):  # Dongguan and its like have none
            raise ValueError(f"{digits!r} names a {named[-1]} but a level above it is all zeros")
        return cls(digits[: LEVELS[named[-1]][1]].ljust(6, "0"), named[-1])

    @property
    def prefix(self) -> str:
        """The digits that all divisions inside begin with."""
        return self.code[: LEVELS[self.level][1]]

    @property
    def parent(self) -> "Division | None":
        """The division above; None above a province."""
        return None if self.level == "province" else Division.parse(self.code[: LEVELS[self.level][0]])

    def contains(self, other: "Division") -> bool:
        """Is `other` this division or inside it?"""
        return other.code.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Part:
    """Some digits of a code and what they mean."""

    name: str
    digits: int
    first: str
    last: str
    meaning: str


@lru_cache(maxsize=1)
def layouts() -> dict[str, tuple[Part, ...]]:
    """All layouts of `component_layouts.csv` by name."""
    text = files("cheng.standards").joinpath("component_layouts.csv").read_text("utf-8")
    found: dict[str, tuple[Part, ...]] = {}
    for row in csv.DictReader(text.splitlines()):
        part = Part(row["part"], int(row["digits"]), row["first"], row["last"], row["meaning"])
        found[row["layout"]] = (*found.get(row["layout"], ()), part)
    return found


def split(code: str, layout: str) -> dict[str, str]:
    """The parts of a code by name: `split("3205080101000001", "component-A")["big"]` is "01".

    Raises ValueError that says which part is wrong, KeyError for a layout that is not in the table.
    """
    parts = layouts()[layout]
    length = sum(part.digits for part in parts)
    if not (code.isascii() and code.isdigit()) or len(code) != length:
        raise ValueError(f"{code!r} is no {layout} code: {length} digits")
    found: dict[str, str] = {}
    place = 0
    for part in parts:
        found[part.name] = digits = code[place : place + part.digits]
        place += part.digits
        if (part.first and digits < part.first) or (part.last and digits > part.last):
            raise ValueError(f"{code!r}: {part.name} is {digits}, must be {part.first} to {part.last}")
    Division.parse(found["county"])
    return found


def join(layout: str, **parts: str | int) -> str:
    """The code of its parts, numbers filled up with zeros; raises ValueError like `split`, also on overflow."""
    code = "".join(str(parts[part.name]).zfill(part.digits) for part in layouts()[layout])
    split(code, layout)
    return code


OWN_FROM = 80
"""Small classes from this number on are a city's own."""


def class_of(code: str, layout: str) -> str:
    """The class of the component or event that a code numbers, as tables of classes name it: "C0101", "E01080".

    A layout with three digits for the small class writes the numbers of the standard with a zero more. Raises like
    `split`.
    """
    parts = split(code, layout)
    small = parts["small"]
    if len(small) == 3 and int(small) < OWN_FROM:
        small = small[1:]
    return ("E" if layout == "event" else "C") + parts["big"] + small


def class_digits(class_code: str, layout: str) -> str:
    """The digits of a class within the codes of a layout, "" when it has no room for that class."""
    width = next(part.digits for part in layouts()[layout] if part.name == "small")
    small = class_code[3:].zfill(width)
    return class_code[1:3] + small if len(small) == width else ""


def credit_code_problem(code: str) -> str:
    """What is wrong with a unified social credit code (GB 32100-2015); empty when nothing is."""
    code = code.strip().upper()
    if len(code) != 18:
        return f"it has {len(code)} characters, not 18"
    if strange := sorted(set(code) - set(CREDIT_ALPHABET)):
        return f"{strange[0]!r} does not occur in such codes"
    if code[17] != (right := credit_check_digit(code[:17])):
        return f"the check digit is {code[17]}, must be {right}"
    return ""


def credit_check_digit(body: str) -> str:
    """The 18th character of a unified social credit code from the 17 before it; ValueError for a strange one."""
    total = sum(CREDIT_ALPHABET.index(c) * weight for c, weight in zip(body, CREDIT_WEIGHTS, strict=True))
    return CREDIT_ALPHABET[-total % 31]
