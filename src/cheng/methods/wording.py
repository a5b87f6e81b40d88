"""Which class a text means, from runs of one to three signs: naive Bayes, small enough to be counted anew every night.

It begins with how the classes themselves are worded (names, conditions) and learns from texts whose class is known. Of
Chinese every run of up to three signs counts, of other scripts every word and its beginning. Runs overlap, so that each
sign speaks about three times; the logarithms are divided by that before they are told as chances.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

LONGEST_RUN = 3
LEAST = 0.1
"""Of each run in each class before anything was counted (Lidstone's smoothing)."""
OVERLAP = 3
BEGINNING = 4
"""Letters of a word by which its forms are one."""
MOST_SIGNS = 2_000
"""Of a text; what it is about is said by then."""
PIECES = re.compile(r"[㐀-鿿豈-﫿]+|[a-z0-9]+")
LATIN = re.compile(r"[a-z0-9]")


class Wording(msgspec.Struct, frozen=True):
    """What was counted: in how many texts of a class each run stands."""

    classes: tuple[str, ...]
    texts: tuple[int, ...]
    """of each class"""
    runs: dict[str, dict[int, int]]
    totals: tuple[int, ...]
    """of each class: all its runs"""

    def suggest(self, text: str, most: int = 3) -> tuple[tuple[str, float], ...]:
        """The likeliest classes with their chances; nothing for a text of which no run is known."""
        known = [self.runs[run] for run in sorted(runs_of(text)) if run in self.runs]
        if not known:
            return ()
        rest = [total + LEAST * len(self.runs) for total in self.totals]
        scores = [math.log(n) + len(known) * math.log(LEAST / all_) for n, all_ in zip(self.texts, rest, strict=True)]
        for counts in known:
            for number, count in counts.items():
                scores[number] += math.log((count + LEAST) / LEAST)
        highest = max(scores)
        raised = [math.exp((score - highest) / OVERLAP) for score in scores]
        best = sorted(range(len(scores)), key=lambda number: (-scores[number], self.classes[number]))[:most]
        return tuple((self.classes[number], raised[number] / sum(raised)) for number in best)


def train(texts: Iterable[tuple[str, str]]) -> Wording:
    """Counts texts, each with its class: (text, class)."""
    lots: defaultdict[str, list[set[str]]] = defaultdict(list)
    for text, label in texts:
        if found := runs_of(text):
            lots[label].append(found)
    classes = tuple(sorted(lots))
    counts: defaultdict[str, dict[int, int]] = defaultdict(dict)
    totals = []
    for number, label in enumerate(classes):
        own = Counter(run for found in lots[label] for run in found)
        for run, count in own.items():
            counts[run][number] = count
        totals.append(own.total())
    return Wording(classes, tuple(len(lots[label]) for label in classes), dict(counts), tuple(totals))


def runs_of(text: str) -> set[str]:
    """The runs of signs and the words of a text."""
    found: set[str] = set()
    for piece in PIECES.findall(unicodedata.normalize("NFKC", text[:MOST_SIGNS]).lower()):
        if LATIN.match(piece):
            found |= {piece, piece[:BEGINNING]}
        else:
            found |= {piece[i : i + n] for n in range(1, LONGEST_RUN + 1) for i in range(len(piece) - n + 1)}
    return found


def judge(wording: Wording, texts: Iterable[tuple[str, frozenset[str]]]) -> tuple[int, int, int]:
    """(texts, right at first, right among three) of texts it has not seen, each with the classes that are right."""
    cases = first = three = 0
    for text, right in texts:
        named = [label for label, _ in wording.suggest(text)]
        cases += 1
        first += named[:1] != [] and named[0] in right
        three += not right.isdisjoint(named)
    return cases, first, three
