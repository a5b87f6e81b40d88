"""Texts found by a few words: pairs of Chinese signs and threes of letters, rare ones counting more.

A word that stands in a text as it was typed counts as well, so that a single sign finds, too.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from cheng.methods.likeness import grams

LEAST = 0.2
"""Share of what was typed that a text has to know."""
WHOLE = 0.5
"""What is added where all that was typed stands in a text word for word."""


@dataclass(frozen=True, slots=True)
class Found:
    """A text that was found."""

    at: int
    """its place among the texts"""
    share: float
    """more is better; above 1 where it stands there word for word"""


class Finder:
    """Some texts, each of parts of which the first ones count more; made once, asked often."""

    def __init__(self, texts: Iterable[Sequence[str]], weights: Sequence[float]) -> None:
        """`texts`: the parts of each; `weights`: what each part counts, the highest 1."""
        self.weights = tuple(weights)
        self.plain = [tuple(map(plain, parts)) for parts in texts]
        self.grams = [tuple(grams(part) for part in parts) for parts in self.plain]
        often = Counter(gram for parts in self.grams for gram in frozenset().union(*parts))
        size = len(self.grams) + 1
        self.rare = {gram: log(size / n) for gram, n in often.items()}
        self.rarest = log(size)

    def find(self, words: str, most: int = 10) -> list[Found]:
        """The texts that know most of these words, best first; none for words without a letter."""
        typed = plain(words)
        if not typed:
            return []
        asked = grams(typed)
        worth = {gram: self.rare.get(gram, self.rarest) for gram in asked}
        total = sum(worth.values()) or 1.0
        found = []
        for at, (parts, texts) in enumerate(zip(self.grams, self.plain, strict=True)):
            known = sum(worth[gram] * self._best(gram, parts) for gram in asked) / total
            word_for_word = max((w for w, text in zip(self.weights, texts, strict=True) if typed in text), default=0.0)
            share = known + WHOLE * word_for_word
            if share >= LEAST:
                found.append(Found(at, share))
        return sorted(found, key=lambda each: (-each.share, each.at))[:most]

    def _best(self, gram: str, parts: Sequence[frozenset[str]]) -> float:
        """The weight of the best part of a text that has this gram."""
        return max((w for w, part in zip(self.weights, parts, strict=True) if gram in part), default=0.0)


def plain(text: str) -> str:
    """A text whatever its width and case."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
