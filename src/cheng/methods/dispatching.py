"""Which department a case goes to, learnt from closed cases: with chances, and with the cases that speak for it.

The chances are those of a log-linear model over what is known of a case (its class, the class's group, the channel, the
street, the community). Departments that differ only by the area in their name ("Heping Street squad", "Longtian Street
squad") are a family and learn from each other. The reason that is told is simpler than the model: how many of the cases
that are most like this one, as far as there are enough of them, went to that department.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import msgspec
import numpy as np

from cheng.methods.log_linear import UNKNOWN, Codes, Floats, LogLinear, fit

Columns = Mapping[str, Sequence[str]]
"""Field → the word of each case; "" where nothing is known."""

AREAS = ("district", "street", "community")
LEVELS = ("class community", "class street", "class", "group street", "group", "street", "")
"""Which cases are like one, from the most alike to all of them: those with the same words in these fields."""
ENOUGH = 5
"""Cases from which a level is told."""
FAMILY = "family"
"""The level of a reason when only sisters of the department, elsewhere, got such cases."""
BRACKETS = re.compile(r"\(([^()]*)\)")
AREA_ENDINGS = (
    *("街道办事处", "办事处", "街道", "辖区", "社区", "镇", "乡", "办"),
    *(" street", " subdistrict", " community"),
)
OFFICE = ("街道", "办事处", "社区")


class Suggestion(msgspec.Struct, frozen=True):
    """A department with its chance (0 to 1), and why: `count` of the `of` cases of that `level` went there."""

    department: str
    chance: float
    count: int
    of: int
    level: str
    """one of LEVELS, or FAMILY"""


class Model(msgspec.Struct, frozen=True):
    """What was learnt. Small enough to be kept in one piece; made of plain values, so that it can be written down."""

    fields: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    """by field, in the order of the weights' rows"""
    departments: tuple[str, ...]
    families: tuple[int, ...]
    counts: dict[str, dict[str, dict[int, int]]]
    """level → the words of a case in it → number of a department → cases"""
    trained_on: int
    prior: bytes
    weights: bytes

    def known(self) -> LogLinear:
        """The numbers as arrays."""
        prior = np.frombuffer(self.prior, np.float32)
        return LogLinear(prior, np.frombuffer(self.weights, np.float32).reshape(-1, len(self.departments)))

    def chances(self, columns: Columns) -> Floats:
        """(cases, departments), each row summing to 1."""
        return self.known().chances(coded(columns, self.fields, self.words))

    def suggest(self, values: Mapping[str, str], most: int = 3) -> tuple[Suggestion, ...]:
        """The departments that a case with these values most likely goes to, the likeliest first."""
        chances = self.chances({field: [values.get(field) or ""] for field in self.fields})[0]
        best = np.argsort(-chances, kind="stable")[:most]
        return tuple(self.reason(int(number), float(chances[number]), values) for number in best)

    def reason(self, number: int, chance: float, values: Mapping[str, str]) -> Suggestion:
        """The nearest cases that are enough to tell of and of which some went there; else the nearest of any number."""
        found = [(level, self.counts[level].get(words_of(level, values), {})) for level in LEVELS]
        known = [(level, counts) for level, counts in found if number in counts]
        telling = [each for each in known if sum(each[1].values()) >= ENOUGH and each[0] not in ("street", "")]
        name = self.departments[number]
        if telling or (known and known[0][0] not in ("street", "")):
            level, counts = (telling or known)[0]
            return Suggestion(name, chance, counts[number], sum(counts.values()), level)
        sisters = self.counts["class"].get(words_of("class", values), {})
        like = sum(cases for other, cases in sisters.items() if self.families[other] == self.families[number])
        if like:
            return Suggestion(name, chance, like, sum(sisters.values()), FAMILY)
        counts = self.counts[""].get("", {})
        return Suggestion(name, chance, counts.get(number, 0), sum(counts.values()), "")


def train(columns: Columns, departments: Sequence[str]) -> Model:
    """The model of closed cases: what is known of each, and the department that had it. At least one case."""
    fields = tuple(columns)
    words = {field: tuple(sorted({word for word in columns[field] if word})) for field in fields}
    names = tuple(sorted(set(departments)))
    place = {name: number for number, name in enumerate(names)}
    labels = np.array([place[name] for name in departments], np.int32)
    families = families_of(names, chain.from_iterable(words.get(field, ()) for field in AREAS))
    learnt = fit(coded(columns, fields, words), labels, np.array(families, np.int32), sum(map(len, words.values())))
    counts = counted(columns, [int(label) for label in labels])
    kept = learnt.prior.tobytes(), learnt.weights.tobytes()
    return Model(fields, words, names, families, counts, len(labels), *kept)


def coded(columns: Columns, fields: Sequence[str], words: Mapping[str, Sequence[str]]) -> Codes:
    """(cases, fields): the number of each word, UNKNOWN for those that the model does not know."""
    places: list[list[int]] = []
    begin = 0
    for field in fields:
        place = {word: number for number, word in enumerate(words[field], begin)}
        places.append([place.get(word, UNKNOWN) for word in columns[field]])
        begin += len(place)
    cases = len(places[0]) if places else max((len(column) for column in columns.values()), default=0)
    return np.array(places, np.int32).reshape(len(fields), cases).T


def words_of(level: str, values: Mapping[str, str]) -> str:
    """What a case has to share with others of the level; nothing else is equal to a case that lacks one of them."""
    words = [values.get(field) or "" for field in level.split()]
    return "\x1f".join(words) if all(words) else "\x00"


def counted(columns: Columns, labels: Sequence[int]) -> dict[str, dict[str, dict[int, int]]]:
    """How many cases of each level went where."""
    found: dict[str, defaultdict[str, Counter[int]]] = {level: defaultdict(Counter) for level in LEVELS}
    fields = tuple(columns)
    for label, *words in zip(labels, *(columns[field] for field in fields), strict=True):
        values = dict(zip(fields, words, strict=True))
        for level in LEVELS:
            key = words_of(level, values)
            if key != "\x00":
                found[level][key][label] += 1
    return {level: {key: dict(counts) for key, counts in keys.items()} for level, keys in found.items()}


class Majority(msgspec.Struct, frozen=True):
    """The plain rule that a model has to beat: where most cases of the class in the street went, else of the class."""

    most: dict[str, dict[str, str]]

    @classmethod
    def of(cls, model: Model) -> "Majority":
        named = {
            level: {key: model.departments[max(counts, key=lambda n: (counts[n], -n))] for key, counts in keys.items()}
            for level, keys in model.counts.items()
        }
        return cls(named)

    def department(self, values: Mapping[str, str]) -> str:
        found = (self.most[level].get(words_of(level, values)) for level in ("class street", "class", "group", ""))
        return next((name for name in found if name), "")


class Score(msgspec.Struct, frozen=True):
    """How often it was right on cases that came after those it was trained on."""

    cases: int
    first: int
    """cases whose department was suggested first"""
    three: int
    """among the first three"""
    majority: int
    """right by the plain rule"""
    unseen: int
    """whose department had no case before"""
    certain: float
    """the sum of the chances of what was suggested first: near `first` where the chances can be believed"""

    def __add__(self, other: "Score") -> "Score":
        mine, others = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return Score(*(a + b for a, b in zip(mine, others, strict=True)))


NOTHING = Score(0, 0, 0, 0, 0, 0.0)


def judge(model: Model, columns: Columns, departments: Sequence[str], by: str = "class") -> dict[str, Score]:
    """The score of a model by the words of one field, over cases it has not seen."""
    chances = model.chances(columns)
    best = np.argsort(-chances, axis=1, kind="stable")[:, :3]
    plain, known = Majority.of(model), set(model.departments)
    found: dict[str, Score] = {}
    for row, department in enumerate(departments):
        values = {field: columns[field][row] for field in columns}
        named = [model.departments[number] for number in best[row]]
        right = plain.department(values) == department
        certain = float(chances[row, best[row, 0]])
        first, three = named[0] == department, department in named
        one = Score(1, int(first), int(three), int(right), int(department not in known), certain)
        found[values.get(by, "")] = found.get(values.get(by, ""), NOTHING) + one
    return found


# -- names


def plain(name: str) -> str:
    """A department's name as it is compared: full-width signs made plain, no blanks where none belong."""
    return re.sub(r"\s*([()])\s*", r"\1", re.sub(r"\s+", " ", unicodedata.normalize("NFKC", name))).strip()


def merged(names: Iterable[str]) -> dict[str, str]:
    """Each name → the one it is counted under.

    What stands in brackets is dropped where it only says again where the department is: the name has the area in it
    already, or the same name stands alone and with no other brackets. Otherwise it tells departments apart and stays.
    """
    raw = {name: plain(name) for name in names}
    bare = {name: BRACKETS.sub("", name).strip() for name in raw.values()}
    brackets: defaultdict[str, set[str]] = defaultdict(set)
    for name, short in bare.items():
        brackets[short] |= {stem(each) for each in BRACKETS.findall(name)}
    alone = set(raw.values())

    def said_again(name: str) -> bool:
        short = bare[name]
        again = all(stem(each) in short for each in BRACKETS.findall(name))
        return short != "" and (again or (short in alone and len(brackets[short]) == 1))

    return {was: bare[name] if said_again(name) else name for was, name in raw.items()}


def stem(area: str) -> str:
    """The name of an area without what kind of area it is."""
    lower = area.lower()
    ending = next((each for each in AREA_ENDINGS if lower.endswith(each) and len(area) > len(each)), "")
    return area[: len(area) - len(ending)]


def families_of(departments: Sequence[str], areas: Iterable[str]) -> tuple[int, ...]:
    """Departments that differ only by an area in their names have the same number."""
    known = {area for area in areas if area}
    parts = sorted(known | {stem(area) for area in known if len(stem(area)) > 1}, key=lambda part: (-len(part), part))
    pattern = re.compile("|".join(map(re.escape, (*parts, *OFFICE)))) if parts else None
    numbers: dict[str, int] = {}
    shared = [pattern.sub("", name).replace("办公室", "办") if pattern else name for name in departments]
    return tuple(numbers.setdefault(re.sub(r"[\s()]+", " ", name).strip(), len(numbers)) for name in shared)
