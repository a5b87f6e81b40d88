"""How well a class is named from Chinese words it has never seen: sub types held out, their main types asked for.

Texts here are names of a few signs: harder than a report of a sentence, easier in that each is to the point.
The data are not ours to give away: without ../shared/data nothing is measured, and that is said.
"""

import csv
import random
from collections import defaultdict
from pathlib import Path

from bench.measuring import ROOT, Figure, report
from cheng.methods.wording import judge, train

CLAIM = "Which class a text means, from its signs alone: names held out in ten parts"
FOLDER = ROOT / ".." / "shared" / "data" / "service_requests"
REQUESTS = FOLDER / "shenzhen_pingshan" / "pingshan_livelihood_requests_2018.csv"
TAXONOMY = FOLDER / "tipdm2020_c" / "category_taxonomy_3level.csv"
TASKS = (
    ("sub type → event type", REQUESTS, "SUB_TYPE_NAME", ("EVENT_TYPE_NAME",)),
    ("sub type → main type", REQUESTS, "SUB_TYPE_NAME", ("MAIN_TYPE_NAME",)),
    ("third level → first level", TAXONOMY, "三级分类", ("一级分类",)),
    ("third level → second level", TAXONOMY, "三级分类", ("一级分类", "二级分类")),
)
PARTS = 10


def pairs_of(path: Path, text: str, labels: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each text with each of its labels, once."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return sorted(
            {(row[text], "/".join(row[label] for label in labels)) for row in csv.DictReader(file) if row[text]}
        )


def held_out(pairs: list[tuple[str, str]]) -> tuple[int, int, int, int]:
    """(texts, right at first, among three, whose label had no other text) with each tenth of the texts held out once.

    A label is known by its own name beside its texts, as a class in the hub is.
    """
    right: defaultdict[str, set[str]] = defaultdict(set)
    for text, label in pairs:
        right[text].add(label)
    texts = sorted(right)
    random.Random(1).shuffle(texts)
    totals = [0, 0, 0, 0]
    for part in range(PARTS):
        asked = set(texts[part::PARTS])
        known = [(text, label) for text, label in pairs if text not in asked]
        labels = {label for _, label in known}
        wording = train([*known, *((label, label) for label in sorted(labels))])
        found = judge(wording, [(text, frozenset(right[text])) for text in sorted(asked)])
        unknown = sum(right[text].isdisjoint(labels) for text in asked)
        totals = [total + more for total, more in zip(totals, (*found, unknown), strict=True)]
    return totals[0], totals[1], totals[2], totals[3]


def most_frequent(pairs: list[tuple[str, str]]) -> float:
    """Right, in percent, for whoever always says the label with the most texts."""
    counts: defaultdict[str, int] = defaultdict(int)
    for _, label in pairs:
        counts[label] += 1
    return 100 * max(counts.values()) / len({text for text, _ in pairs})


def main() -> None:
    for name, path, text, labels in TASKS:
        if not path.exists():
            print(f"not measured: {name}: the data are not on this machine (../shared/data/{path.parent.name})")
            continue
        pairs = pairs_of(path, text, labels)
        cases, first, three, unknown = held_out(pairs)
        blind = most_frequent(pairs)
        note = f"first three {100 * three / cases:.1f} %; {cases} texts, {len({label for _, label in pairs})} classes, "
        note += f"{100 * unknown / cases:.1f} % of a class without another text; always the largest: {blind:.1f} %"
        share = 100 * first / cases
        report(Figure(f"{name}, never seen", f"> {blind:.1f} %", "% right", [share], share > blind, note))


if __name__ == "__main__":
    main()
