"""Counting over columns: what each run counts for in a period, added up by area, department or person, and back again.

Every count is a mask over the runs (`members`); numbers and the lists behind them are made of the same masks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cheng.infrastructure.evaluation_columns import LEFT_OUT, NONE, OUTCOMES, STEPS, Array, Lot
from cheng.methods.evaluation import CallBacks

HOW = ("", "in_time", "late", "overdue", "pending", "back")
"""What a run is in a period: finished within its limit, finished late, overdue and not finished, under way and not yet
due, or late when it was sent back or given away."""
IN_TIME, LATE, OVERDUE, PENDING, BACK = range(1, 6)
VARIANTS: dict[str, tuple[int, ...]] = {
    "due": (IN_TIME, LATE, OVERDUE, BACK),
    "done": (IN_TIME, LATE),
    "in_time": (IN_TIME,),
    "late": (LATE, BACK),
    "overdue": (OVERDUE,),
    "pending": (PENDING,),
}
NAMES = ("whole", *STEPS[1:])
POST_STEPS = {
    "collector": ("verify", "check"),
    "acceptor": ("accept",),
    "shift-leader": ("file", "close"),
    "dispatcher": ("dispatch",),
    "handler": ("handle",),
    "checker": ("check",),
}
"""The steps that the holders of a post answer for."""
WHOLE, FILE, DISPATCH, HANDLE = (NAMES.index(name) for name in ("whole", "file", "dispatch", "handle"))
MERGED, VOID = LEFT_OUT.index("merged"), LEFT_OUT.index("void")
COMPLETED, RETURNED = OUTCOMES.index("completed"), OUTCOMES.index("returned")
GIVEN_AWAY = (RETURNED, OUTCOMES.index("moved"))
DUE = VARIANTS["due"]
NOTHING = np.zeros(0, np.int64)
CHECKING = (NAMES.index("check"), NAMES.index("close"))


def rows_of(mask: Array, first: int = 0) -> Array:
    """The numbers of the runs for which a mask is true; `first`: of its first one."""
    found: Array = np.flatnonzero(mask) + first
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) as it stood at `now`, µs."""

    start: int
    end: int
    now: int

    def holds(self, moment: Array) -> Array:
        held: Array = (moment >= self.start) & (moment < self.end) & (moment <= self.now)
        return held


@dataclass
class Counted:
    """The columns of a month and a period."""

    lot: Lot
    span: Span
    _rows: dict[str, Array] = field(default_factory=dict)

    @cached_property
    def how(self) -> Array:
        """For each run its place in HOW, whether or not statistics leave it out."""
        runs, span = self.lot.runs, self.span
        done, due, begun = runs["done"], runs["due"], runs["started"]
        now, until = span.now, min(span.end, span.now + 1)
        settled = span.holds(runs["settled"])
        how = np.where(done > due, np.int8(LATE), np.int8(IN_TIME))
        how[done > now] = OVERDUE
        how[~settled] = 0
        given = np.flatnonzero((how == LATE) & np.isin(runs["outcome"], GIVEN_AWAY))
        how[given[~np.isin(runs["step"][given], CHECKING)]] = BACK
        how[settled & (done > now) & (due >= now)] = 0
        waits = (begun < until) & (done >= until) & (due >= until)
        paused = (runs["settled"] == NONE) & ((done != NONE) | (due != NONE))
        how[waits & ~paused & (how == 0)] = PENDING
        return how

    @cached_property
    def counted(self) -> Array:
        """`how`, with 0 for what statistics leave out."""
        counted: Array = self.how * (self.out == 0)
        return counted

    @property
    def out(self) -> Array:
        return self.lot.runs["left_out"]

    def rows(self, count: str) -> Array:
        """Which runs a count is made of; none for a count that there is not."""
        if count not in self._rows:
            what, _, how = count.partition(".")
            if count in SPECIAL:
                self._rows[count] = SPECIAL[count](self)
            else:
                self._rows[count] = self.of(NAMES.index(what), VARIANTS[how]) if what in NAMES else NOTHING
        return self._rows[count]

    def of(self, step: int, parts: tuple[int, ...] = DUE) -> Array:
        """The runs of a step that went so."""
        mine = self.lot.of_step(step)
        return rows_of(np.isin(self.counted[mine], parts), mine.start)

    def among(self, count: str, column: str, yes: bool = True) -> Array:
        """Those runs of a count whose case is so."""
        rows = self.rows(count)
        found: Array = rows[self.lot.cases[column][self.lot.runs["case"][rows]] == yes]
        return found

    def opened(self) -> Array:
        """The cases reported in the period, as a whole."""
        mine = self.lot.of_step(WHOLE)
        there = self.span.holds(self.lot.runs["started"][mine]) & (self.out[mine] != MERGED)
        return rows_of(there, mine.start)

    def filed(self) -> Array:
        """Filings decided in the period, those of cases declared void later included."""
        mine, runs = self.lot.of_step(FILE), self.lot.runs
        there = self.span.holds(runs["done"][mine]) & (runs["outcome"][mine] == COMPLETED) & (self.out[mine] != MERGED)
        return rows_of(there, mine.start)

    def sent_back(self, checking: bool) -> Array:
        back = self.span.holds(self.lot.runs["done"]) & (self.lot.runs["outcome"] == RETURNED)
        return rows_of(back & (np.isin(self.lot.runs["step"], CHECKING) == checking))

    def kept(self, rows: Array) -> Array:
        """Without those of cases that were declared void."""
        found: Array = rows[self.out[rows] != VOID]
        return found

    def appealed(self) -> Array:
        mine = self.lot.of_step(WHOLE)
        return rows_of((self.how[mine] != 0) & (self.out[mine] == LEFT_OUT.index("appeal")), mine.start)

    def at(self, column: str) -> Array:
        """The runs to which that happened in the period."""
        return rows_of(self.span.holds(self.lot.runs[column]))

    def extended(self) -> Array:
        rows = self.rows("handle.due")
        found: Array = rows[self.lot.runs["extended"][rows] != NONE]
        return found


SPECIAL: dict[str, Callable[[Counted], Array]] = {
    "report.all": Counted.opened,
    "report.valid": lambda it: it.kept(it.among("report.all", "filed")),
    "report.public": lambda it: it.among("report.all", "public"),
    "report.simple": lambda it: it.among("report.all", "simple"),
    "report.void": lambda it: it.rows("report.all")[it.out[it.rows("report.all")] == VOID],
    "file.all": Counted.filed,
    "file.kept": lambda it: it.kept(it.rows("file.all")),
    "file.missed": lambda it: it.among("file.all", "public"),
    "dispatch.right": lambda it: it.among("dispatch.due", "reworked", False),
    "handle.extended": Counted.extended,
    "whole.reworked": lambda it: it.among("whole.due", "reworked"),
    "whole.appealed": Counted.appealed,
    "sent_back.rework": lambda it: it.sent_back(True),
    "sent_back.return": lambda it: it.sent_back(False),
    "paused.all": lambda it: it.at("paused"),
    "extended.all": lambda it: it.at("extended"),
}
"""Counts that are more than a step and how it went."""
COUNTS = (*(f"{name}.{how}" for name in NAMES for how in VARIANTS), *SPECIAL)
PLACE = {name: at for at, name in enumerate(COUNTS)}


# -- by what


@dataclass(frozen=True)
class By:
    """What is compared: "city", "department", "class", "area" with the areas that stand for others, or the holders of a
    post."""

    kind: str = "city"
    post: str = ""
    above: Mapping[str, str] = field(default_factory=dict)
    """id of an area → id of the one of the level asked for that it lies in"""

    def keys(self, it: Counted) -> tuple[Array, list[str]]:
        """For each run a number, and what the numbers stand for; "" is what belongs to none."""
        runs, lines, words = it.lot.runs, it.lot.cases, it.lot.words
        if self.kind == "department":
            return runs["department"], words
        if self.kind == "area":
            mine = [self.above.get(word, "") for word in words]
            place = {name: at for at, name in enumerate(dict.fromkeys(["", *mine]))}
            codes = np.array([place[name] for name in mine], np.int32)
            return codes[lines["area"]][runs["case"]], list(place)
        if self.kind == "post":
            return self.persons(it), words
        if self.kind == "class":
            return lines["class"][runs["case"]], words
        return np.zeros(len(runs["case"]), np.int32), [""]

    def persons(self, it: Counted) -> Array:
        """Who of the post answers for a run; 0 for runs that are not theirs."""
        runs = it.lot.runs
        person = np.zeros(len(runs["case"]), np.int32)
        for name in POST_STEPS[self.post]:
            mine = it.lot.of_step(NAMES.index(name))
            person[mine] = runs["person"][mine]
        if self.post == "collector":
            for step in (WHOLE, FILE):
                mine = it.lot.of_step(step)
                person[mine] = it.lot.cases["collector"][runs["case"][mine]]
        return person


@dataclass(frozen=True)
class Only:
    """Which runs are looked at: all, those of one department, or those of one subject."""

    department: str | None = None
    by: By | None = None
    key: str = ""

    def mask(self, it: Counted) -> Array | None:
        """None: all of them."""
        masks = []
        if self.department is not None:
            masks.append(it.lot.runs["department"] == code_of(it.lot.words, self.department))
        if self.by is not None:
            keys, names = self.by.keys(it)
            masks.append(keys == code_of(names, self.key))
        return None if not masks else masks[0] if len(masks) == 1 else masks[0] & masks[1]

    def of(self, it: Counted, rows: Array) -> Array:
        """Those of the runs that are looked at."""
        mask = self.mask(it)
        return rows if mask is None else rows[mask[rows]]


def code_of(words: list[str], word: str) -> int:
    return words.index(word) if word in words else -1


# -- adding up

EVERYTHING = Only()


def tally(it: Counted, by: By, only: Only = EVERYTHING) -> Iterator[tuple[str, Array]]:
    """Each subject with its counts in the order of COUNTS."""
    keys, names = by.keys(it)
    mask = only.mask(it)
    size, wide = len(names), len(HOW)
    table = np.zeros((size, len(COUNTS)), np.int64)
    for at, name in enumerate(NAMES):
        mine = it.lot.of_step(at)
        how = it.counted[mine] if mask is None else it.counted[mine] * mask[mine]
        cube = np.bincount(keys[mine] * np.int32(wide) + how, minlength=size * wide).reshape(size, wide)
        for variant, parts in VARIANTS.items():
            table[:, PLACE[f"{name}.{variant}"]] = cube[:, list(parts)].sum(axis=1)
    for name in SPECIAL:
        rows = it.rows(name)
        there = rows if mask is None else rows[mask[rows]]
        table[:, PLACE[name]] = np.bincount(keys[there], minlength=size)
    for row in np.flatnonzero(table.any(axis=1)).tolist():
        yield names[row], table[row]


def call_backs(it: Counted, only: Only = EVERYTHING) -> CallBacks:
    """What was said about cases in the period."""
    mine, mask = it.lot.of_step(WHOLE), only.mask(it)
    case = it.lot.runs["case"][mine]
    asked = it.span.holds(it.lot.cases["rated"][case])
    rows = case[asked if mask is None else asked & mask[mine]]
    lines = it.lot.cases
    satisfied = lines["satisfied"][rows]
    return CallBacks(
        len(rows),
        int(lines["reached"][rows].sum()),
        int(lines["solved"][rows].sum()),
        int((satisfied == 2).sum()),
        int((satisfied == 1).sum()),
    )
