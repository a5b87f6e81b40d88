"""What cases are found by: their words in one text, and an index of the signs in it, alone, in pairs and in threes.

Chinese has no blanks between words, and people look for a single sign as well as for half a number, so the index knows
pieces instead of words: whatever has a text in it has all its pieces. It only says which cases are worth a look; the
text itself decides. Written once, when a case is opened: nothing of it changes afterwards.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from cheng.infrastructure.bulk import insert_rows

KNOWN = ("id", "name", "ward", "area", "address")
"""Values of a case that people look for it by, beside its number and what was written."""
BETWEEN = "\x1f"
"""Stands between two parts of the text; nobody can look for it."""
SIGNS = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}
"""Signs of ASCII that would part words in the index, as others that do not."""
DAY = 10**10
"""A case's place in the index is the day of its number and, in that day, its number."""
RARE = 3000
"""Of fewer cases each is looked at; of more, some are soon met on the way through a list."""
FIND = {
    "sqlite": text("SELECT rowid FROM case_words WHERE case_words MATCH :wanted LIMIT :most"),
    "postgresql": text("SELECT place FROM case_words WHERE grams @> :wanted OR grams && :whole LIMIT :most"),
}
PLACE = {"sqlite": "rowid", "postgresql": "place"}


def folded(words: str) -> str:
    """Words as they are compared: no capitals, no wide letters, no signs that cannot be seen."""
    plain = unicodedata.normalize("NFKC", words).casefold()
    return "".join(sign if sign.isprintable() else " " for sign in plain)


def sought(number: str, values: Mapping[str, Any], written: str) -> str:
    """All that a case is found by."""
    parts = [number, *(str(values[name]) for name in KNOWN if values.get(name)), written]
    return BETWEEN.join(folded(part) for part in parts if part)


def pieces(words: str) -> set[str]:
    """Of folded words every sign, pair and, of letters and digits, three; none with a blank in it."""
    found: set[str] = set()
    for run in words.replace(BETWEEN, " ").split():
        found.update(run)
        found.update(run[at : at + 2] for at in range(len(run) - 1))
        found.update(three for at in range(len(run) - 2) if (three := run[at : at + 3]).isascii())
    return found


def wanted(words: str) -> set[str]:
    """Pieces enough to tell where folded words may be; empty for no words."""
    found: set[str] = set()
    for run in words.split():
        if len(run) < 3:
            found.add(run)
            continue
        found.update(three for at in range(len(run) - 2) if (three := run[at : at + 3]).isascii())
        found.update(pair for at in range(len(run) - 1) if not (pair := run[at : at + 2]).isascii())
    return found


def write(conn: Connection, lines: Iterable[Mapping[str, Any]]) -> None:
    """Rows of `cases` that were just added, into the index."""
    add(conn, [(line["number"], line["sought"], line["data"].get("rule", "")) for line in lines])


def add(conn: Connection, told: Sequence[tuple[str, str, str]]) -> None:
    """(number, sought, rule) of cases, into the index."""
    lists = conn.dialect.name == "postgresql"
    rows = []
    for number, words, rule in told:
        tokens = [token(piece) for piece in pieces(words)] + ([whole(rule)] if rule else [])
        rows.append((place(number), tokens if lists else " ".join(tokens)))
    insert_rows(conn, "case_words", (PLACE[conn.dialect.name], "grams"), rows)


def few(conn: Connection, words: str, rules: Sequence[str]) -> list[str] | None:
    """Numbers of all cases that may have the folded words, or are about one of the rules; None when these are many."""
    tokens = [token(piece) for piece in sorted(wanted(words))]
    if not tokens:
        return None
    others = [whole(rule) for rule in rules]
    asked: dict[str, Any] = {"wanted": tokens, "whole": others, "most": RARE + 1}
    if conn.dialect.name == "sqlite":
        every = " AND ".join(f'"{each}"' for each in tokens)
        asked = {"wanted": " OR ".join([f"({every})", *(f'"{each}"' for each in others)]), "most": RARE + 1}
    found = conn.execute(FIND[conn.dialect.name], asked).scalars().all()
    return None if len(found) > RARE else [number_of(at) for at in found]


def token(piece: str) -> str:
    return piece.translate(SIGNS)


def whole(rule: str) -> str:
    """A rule's key, as no piece of words can be."""
    return "\ue0ff" + token(rule)


def place(number: str) -> int:
    day, _, count = number.partition("-")
    return int(day) * DAY + int(count)


def number_of(at: int) -> str:
    return f"{at // DAY}-{at % DAY:06d}"
