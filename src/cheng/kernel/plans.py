"""What rules say, laid out as arrays for the compiled steps: tables for rules of one field, programs for the rest.

A rule has a plan when it looks at one moment at a time: comparisons of what was reported last and of numbers in the
register, arithmetic, `&`, `|`, `~`, and silences. Rules that look back, at places, or at other things have none.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.kernel.book import (
    ABLE,
    ALWAYS,
    ASK_ALWAYS,
    ASKED,
    CLOCKED,
    CODE,
    EDGE_AT,
    EDGES,
    ELAPSES,
    FIRST,
    HOLD,
    HOLDS,
    LIVE,
    LOOK,
    LOOK_AT,
    NUMBER,
    OVER,
    PROGRAM_AT,
    PROGRAMS,
    RULES,
    SETTLED,
    SILENCE,
    SILENCE_AT,
    SPAN,
    SPOKEN,
    SPOKEN_AT,
    TABLES,
    WIDEST,
    WORD_AT,
)
from cheng.kernel.columns import Bools, Floats, Times
from cheng.kernel.conditions import Both, Compare, Condition, Either, Not, OneOf, Silent, parts
from cheng.kernel.expressions import Arithmetic, Constant
from cheng.kernel.frames import Blank
from cheng.kernel.memory import DEEPEST, Memory
from cheng.kernel.stepping import (
    ADD,
    AT_REPORTS,
    BOTH,
    BY_CLOCK,
    CONSTANT,
    DIVIDE,
    EITHER,
    EQUAL,
    FROM_REGISTER,
    GREATER,
    GREATER_EQUAL,
    LESS,
    LESS_EQUAL,
    MULTIPLY,
    NOT,
    SILENCES,
    SILENT,
    SUBTRACT,
    VALUE,
)
from cheng.kernel.stretches import Register
from cheng.kernel.verdicts import Judged

Code = list[tuple[int, float]]
Arrays = dict[int, npt.NDArray[Any]]
"""By their place in the book."""
SIGNS = {
    "+": ADD,
    "-": SUBTRACT,
    "*": MULTIPLY,
    "/": DIVIDE,
    ">": GREATER,
    ">=": GREATER_EQUAL,
    "<": LESS,
    "<=": LESS_EQUAL,
}


class UnplannedError(Exception):
    """A condition that cannot be judged by one moment alone."""


class Cells:
    """A Frame whose rows are the cells of one field: all that a condition over this field alone can tell apart."""

    def __init__(self, edges: Floats, register: Register) -> None:
        self.values = np.full(2 * len(edges) + 2, np.nan)
        """(cells,) a value from each, NaN last"""
        self.values[1:-1:2] = edges
        self.values[2:-1:2] = np.nextafter(edges, np.inf)
        self.values[0] = np.nextafter(edges[0], -np.inf) if len(edges) else 0.0
        self.time: Times = np.zeros(len(self.values), np.int64)
        self._register = register

    def column(self, field: Blank) -> Floats:
        return self.values

    def code(self, field: Blank, label: str) -> float:
        return self._register.code(field, label)


class Plan:
    """The rules of one type of thing that have a plan, entered into the book of its judge."""

    def __init__(self, rules: Sequence[Judged], register: Register, fields: Sequence[Blank], memory: Memory) -> None:
        self._register, self._fields = register, {field.name: field for field in fields}
        self._numbers = register.columns()
        self.fixed: list[str] = []
        """what the programs ask of the register"""
        self.needs: list[set[int]] = []
        """for each program: which of it"""
        self._silences: list[tuple[int, list[int]]] = []
        self._always: list[int] = []
        """programs that are asked at every moment"""
        self._hasty = False
        """whether a rule with a table holds even of what is not known"""
        tables: list[list[Judged]] = [[] for _ in fields]
        programs: list[tuple[Judged, Code, Code]] = []
        for judged in rules:
            try:
                when, release = self._code(judged.when), self._code(judged.rule.release)
            except UnplannedError:
                continue
            field = self._only_field(judged)
            if field is None:
                programs.append((judged, when, release))
            else:
                tables[field].append(judged)
        self.rules = [judged for some in tables for judged in some] + [judged for judged, _, _ in programs]
        """by number"""
        self.clocked = any(judged.timed for judged in self.rules)
        self.first_program = len(self.rules) - len(programs)
        sizes = {
            RULES: len(self.rules),
            TABLES: self.first_program,
            PROGRAMS: len(programs),
            WIDEST: max(map(len, tables), default=0),
            ASKED: sum(len(self._silent(judged)) + 1 for judged, _, _ in programs),
            CLOCKED: self.clocked,
        }
        for place, size in sizes.items():
            memory.book[place] = size
        for place, array in (self._tables(tables) | self._clocks() | self._programs(programs)).items():
            memory.enter(place, array)
        memory.book[ALWAYS] = len(self._always)
        memory.fresh = LIVE | SETTLED if programs or self._hasty else 0
        self.able = memory.enter(ABLE, np.ones(len(self.rules), np.uint8))

    # -- programs

    def _code(self, of: Any) -> Code:
        """A condition or term in the order of a stack; raises UnplannedError."""
        code = list(self._parts(of)) if of is not None else []
        if len(code) > DEEPEST:
            raise UnplannedError
        return code

    def _parts(self, of: Any) -> Iterator[tuple[int, float]]:
        if isinstance(of, Blank):
            yield self._field(of)
        elif type(of) is Constant:
            yield CONSTANT, of.number
        elif type(of) in (Arithmetic, Compare):
            yield from self._parts(of.left)
            yield from self._parts(of.right)
            yield SIGNS[of.sign], 0
        elif type(of) in (Both, Either):
            yield from self._parts(of.left)
            yield from self._parts(of.right)
            yield BOTH if type(of) is Both else EITHER, 0
        elif type(of) is Not:
            yield from self._parts(of.of)
            yield NOT, 0
        elif type(of) is Silent:
            yield SILENT, self._silence(of)
        elif type(of) is OneOf:
            yield from self._labels(of)
        else:
            raise UnplannedError

    def _field(self, field: Blank) -> tuple[int, float]:
        if field.live:
            if self._fields.get(field.name) is not field:
                raise UnplannedError
            return VALUE, self._numbers[field.name]
        if not field.scalar:
            raise UnplannedError
        if field.name not in self.fixed:
            self.fixed.append(field.name)
        return FROM_REGISTER, self.fixed.index(field.name)

    def _silence(self, silent: Silent) -> int:
        said = silent.span.us, sorted(self._numbers[field.name] for field in silent.of)
        if said not in self._silences:
            self._silences.append(said)
        return self._silences.index(said)

    def _labels(self, of: OneOf) -> Iterator[tuple[int, float]]:
        codes = [self._register.code(of.field, option) for option in of.options]
        if not codes or np.isnan(codes).any():
            raise UnplannedError
        for number, code in enumerate(codes):
            yield from self._parts(of.label)
            yield from ((CONSTANT, code), (EQUAL, 0))
            if number:
                yield EITHER, 0

    def _silent(self, judged: Judged) -> list[int]:
        return sorted({self._silence(silent) for silent in judged.silences})

    def _programs(self, programs: list[tuple[Judged, Code, Code]]) -> Arrays:
        code: Code = []
        edges, silences = [0], []
        looks: list[list[int]] = [[] for _ in self._fields]
        for number, (judged, when, release) in enumerate(programs):
            for part in (when, release):
                code += part
                edges.append(len(code))
            said = [*when, *release]
            self.needs.append({int(which) for op, which in said if op == FROM_REGISTER})
            silences.append(self._silent(judged))
            if silences[-1] or self.needs[-1]:
                self._always.append(number)
            else:
                for field in {int(which) for op, which in said if op == VALUE}:
                    looks[field].append(number)
        silence_at, silence = listed(silences)
        spoken_at, spoken = listed([fields for _, fields in self._silences])
        look_at, look = listed(looks)
        return {
            CODE: np.array([op for op, _ in code], np.int64),
            NUMBER: np.array([number for _, number in code], np.float64),
            PROGRAM_AT: np.array(edges, np.int64),
            SILENCE_AT: silence_at,
            SILENCE: silence,
            SPAN: np.array([span for span, _ in self._silences], np.int64),
            SPOKEN_AT: spoken_at,
            SPOKEN: spoken,
            LOOK_AT: look_at,
            LOOK: look,
            ASK_ALWAYS: np.array(self._always, np.int64),
        }

    # -- tables

    def _only_field(self, judged: Judged) -> int | None:
        """The field whose cells say all about a rule; None for a rule that needs a program."""
        said = [part for over in (judged.when, judged.rule.release) if over is not None for part in parts(over)]
        fields = {part.name for part in said if isinstance(part, Blank)}
        live = fields & self._numbers.keys()
        plain = not any(isinstance(part, (Arithmetic, Silent)) for part in said)
        return self._numbers[live.pop()] if plain and len(fields) == len(live) == 1 else None

    def _edges(self, some: Sequence[Judged]) -> Floats:
        """The numbers at which any of the rules may change its mind, ascending."""
        found: list[float] = []
        for judged in some:
            for over in (judged.when, judged.rule.release):
                for part in parts(over) if over is not None else ():
                    if isinstance(part, Constant):
                        found.append(part.number)
                    elif isinstance(part, OneOf):
                        found += [self._register.code(part.field, option) for option in part.options]
        numbers = np.unique(np.array(found, np.float64))
        return numbers[~np.isnan(numbers)]

    def _tables(self, tables: list[list[Judged]]) -> Arrays:
        edges = [self._edges(some) for some in tables]
        holds, over = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        for some, numbers in zip(tables, edges, strict=True):
            cells: Any = Cells(numbers, self._register)
            truth = [truth_of(judged.when, judged.rule.release, cells) for judged in some]
            self._hasty |= any(yes[-1] for yes, _ in truth)
            holds.append(as_words([yes for yes, _ in truth], len(cells.values)))
            over.append(as_words([no for _, no in truth], len(cells.values)))
        return {
            EDGES: np.concatenate([np.zeros(0), *edges]),
            EDGE_AT: np.cumsum([0, *map(len, edges)]),
            FIRST: np.cumsum([0, *map(len, tables)]),
            WORD_AT: np.cumsum([0, *map(len, holds[1:])]),
            HOLDS: np.concatenate(holds),
            OVER: np.concatenate(over),
        }

    def _clocks(self) -> Arrays:
        hold = np.array([judged.hold for judged in self.rules], np.int64)
        elapses = [SILENCES if j.silences else BY_CLOCK if j.timed else AT_REPORTS for j in self.rules]
        return {HOLD: hold, ELAPSES: np.array(elapses, np.int64)}


def truth_of(when: Condition, release: Condition | None, cells: Any) -> tuple[Bools, Bools]:
    """(cells,) where a rule holds, and where its alert is over."""
    holds, fails = when.judge(cells)
    over = fails if release is None else release.judge(cells).yes
    return (holds if release is None else holds & ~over), over


def as_words(truth: list[Bools], cells: int) -> Any:
    """The answers of rules (cells,) each, as 64 to a word, cell after cell."""
    if not truth:
        return np.zeros(0, np.uint64)
    words = -(-len(truth) // 64)
    bits = np.zeros((cells, 64 * words), np.bool_)
    for number, column in enumerate(truth):
        bits[:, number] = column
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64).ravel()


def listed(some: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Lists laid end to end: where each begins, with the end, and what they hold."""
    edges = np.cumsum([0, *map(len, some)])
    return edges.astype(np.int64), np.array([number for one in some for number in one], np.int64)
