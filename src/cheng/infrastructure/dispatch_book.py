"""The book of suggestions: learns from closed cases where cases go and what texts mean, and says how good that is.

What was learnt is kept in the store with its day, the number of its cases and its score on months that it had not seen.
A model that is right less often than the plain rule is not taken; the one before it stays, and the report says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import insert, select

from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.dispatch_rows import (
    Closed,
    closed_cases,
    columns_of,
    departments_of,
    facts_of,
    handled_at,
)
from cheng.infrastructure.job_log import Said
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import checkpoints
from cheng.kernel.flows import Flow
from cheng.methods import dispatching, wording
from cheng.methods.dispatching import NOTHING, Model, Score, Suggestion
from cheng.methods.wording import Wording
from cheng.standards.calendars import Calendar

PREFIX = "dispatching/"
FEWEST = 60
"""Closed cases without which nothing is learnt, and before a month without which it is not judged."""
FEWEST_JUDGED = 20
"""Cases without which a month says nothing."""
SURE = 200
"""Cases from which a month alone decides whether a model is taken; below, the month before it counts as well."""
MONTHS = 6
TOO_FEW = "There are too few closed cases to learn from: {cases}; {needed} are needed."
NOT_TAKEN = "What was learnt is not taken: it was right in {first} %, the plain rule in {plain} % of {judged} cases."
TAKEN = (
    "Learnt from {cases} closed cases: right at first in {first} %, among three in {three} %, "
    "the plain rule in {plain} % of {judged} cases."
)


class Month(msgspec.Struct, frozen=True):
    """How good suggestions were for the cases of one month, by what was known before it began."""

    month: str
    """2026-11"""
    score: Score
    classes: dict[str, Score]
    texts: tuple[int, int, int] = (0, 0, 0)
    """texts with a class, those whose class was named first, among the first three"""


class Report(msgspec.Struct, frozen=True):
    """What came of the last training."""

    at: int = 0
    """µs; 0: there was none"""
    cases: int = 0
    taken: bool = False
    months: tuple[Month, ...] = ()
    """the oldest first"""
    judged: Score = NOTHING
    """on which it was decided whether the model is taken"""
    in_use_since: int = 0
    """µs; when the model was trained that suggests now; 0 without one"""

    def said(self) -> Said:
        """For the log and for pages."""
        judged = self.judged
        values: dict[str, Any] = {"cases": self.cases, "needed": FEWEST, "judged": judged.cases}
        shares = {"first": judged.first, "three": judged.three, "plain": judged.majority}
        values |= {name: f"{100 * n / max(judged.cases, 1):.1f}" for name, n in shares.items()}
        return Said(TAKEN if self.taken else NOT_TAKEN if judged.cases else TOO_FEW, values)


class Kept(msgspec.Struct, frozen=True):
    """All that the store keeps of one flow."""

    report: Report = Report()
    model: Model | None = None
    wording: Wording | None = None


class DispatchBook:
    """Suggestions for every flow in which somebody chooses departments. Safe to use from many threads."""

    def __init__(
        self, store: Store, flows: Iterable[type[Flow]], classes: ClassBook, calendar: Calendar, clock: Clock
    ) -> None:
        self.store, self.classes, self.calendar, self.clock = store, classes, calendar, clock
        self.flows = {flow.key(): flow for flow in flows if handled_at(flow)}
        self._kept: dict[str, Kept] = {}
        self._worded: dict[str, tuple[Any, Wording]] = {}

    # -- asking

    def suggest(self, flow: str, values: Mapping[str, Any], most: int = 3) -> tuple[Suggestion, ...]:
        """Departments for a case with these values, the likeliest first; nothing while nothing was learnt."""
        model = self.kept(flow).model
        return model.suggest(facts_of(values, ""), most) if model is not None else ()

    def suggest_class(self, flow: str, text: str, most: int = 3) -> tuple[tuple[str, float], ...]:
        """Codes of classes in force that a text may mean, each with its chance."""
        in_force = {one.code for one in self.classes.all(flow)}
        known = self.kept(flow).wording or self._by_names(flow)
        found = [(code, chance) for code, chance in known.suggest(text, len(known.classes)) if code in in_force]
        return tuple(found[:most])

    def report(self, flow: str) -> Report:
        return self.kept(flow).report

    def kept(self, flow: str) -> Kept:
        """What was learnt last."""
        found = self._kept.get(flow)
        if found is None:
            with self.store.read() as conn:
                query = select(checkpoints.c.data).where(checkpoints.c.name == PREFIX + flow)
                data = conn.execute(query).scalar_one_or_none()
            found = self._kept[flow] = read(data) if data is not None else Kept()
        return found

    def _by_names(self, flow: str) -> Wording:
        """Before anything was learnt: by the words of the classes themselves."""
        classes = self.classes.all(flow)
        stamp = tuple((one.code, one.version) for one in classes)
        before = self._worded.get(flow)
        if before is None or before[0] != stamp:
            before = self._worded[flow] = stamp, wording.train(self._named(flow))
        return before[1]

    def _named(self, flow: str) -> list[tuple[str, str]]:
        """How the classes are worded: (text, code)."""
        found: list[tuple[str, str]] = []
        for one in self.classes.all(flow):
            texts = [one.name, one.name_zh, *(f"{each.text} {each.text_zh}" for each in one.conditions)]
            found += [(text, one.code) for text in texts if text.strip()]
        return found

    # -- learning

    def train_all(self) -> dict[str, Report]:
        """Learns anew for every flow; by key, what came of it."""
        return {key: self.train(key) for key in self.flows}

    def train(self, flow: str) -> Report:
        """Learns anew from the closed cases of a flow."""
        before = self.kept(flow)
        with self.store.read() as conn:
            rows = closed_cases(conn, self.flows[flow])
        months = self.months(flow, rows, before.report.months)
        judged = decisive(months)
        taken = judged.cases > 0 and judged.first >= judged.majority
        now = self.clock.now()
        since = now if taken else before.report.in_use_since
        model = dispatching.train(columns_of(rows), departments_of(rows)) if taken else before.model
        words = wording.train([*self._named(flow), *told(rows)])
        report = Report(now, len(rows), taken, months, judged, since)
        self._keep(flow, Kept(report, model, words))
        return report

    def months(self, flow: str, rows: Sequence[Closed], known: Sequence[Month]) -> tuple[Month, ...]:
        """The score of each of the last months, by what had been closed before it began; of those long over, as it was
        found then."""
        if len(rows) < FEWEST:
            return ()
        dated = [(self.month(row.opened), self.month(row.closed), row) for row in rows]
        names = sorted({opened for opened, _, _ in dated})[-MONTHS:]
        earlier = {each.month: each for each in known}
        found: list[Month] = []
        for name in names:
            there = [row for opened, _, row in dated if opened == name]
            before = [row for _, closed, row in dated if closed < name]
            if name in earlier and name not in names[-2:]:
                found.append(earlier[name])
            elif len(there) >= FEWEST_JUDGED and len(before) >= FEWEST:
                found.append(self._scored(flow, name, before, there))
        return tuple(found) or (self._newest_fifth(flow, rows),)

    def _newest_fifth(self, flow: str, rows: Sequence[Closed]) -> Month:
        """For a city whose first months are not over."""
        cut = len(rows) * 4 // 5
        return self._scored(flow, self.month(rows[-1].opened), rows[:cut], rows[cut:])

    def _scored(self, flow: str, month: str, before: Sequence[Closed], there: Sequence[Closed]) -> Month:
        model = dispatching.train(columns_of(before), departments_of(before))
        classes = dispatching.judge(model, columns_of(there), departments_of(there))
        words = wording.train([*self._named(flow), *told(before)])
        texts = wording.judge(words, [(text, frozenset([code])) for text, code in told(there)])
        return Month(month, sum(classes.values(), NOTHING), classes, texts)

    def month(self, moment: int) -> str:
        """2026-11, as the city's calendar has it."""
        return self.calendar.day(moment).isoformat()[:7]

    def _keep(self, flow: str, kept: Kept) -> None:
        row = {"name": PREFIX + flow, "seq": kept.report.cases, "at": kept.report.at}
        with self.store.write() as conn:
            conn.execute(checkpoints.delete().where(checkpoints.c.name == PREFIX + flow))
            conn.execute(insert(checkpoints), [row | {"data": msgspec.msgpack.encode(kept)}])
        self._kept[flow] = kept


def read(data: bytes) -> Kept:
    """What the store keeps; nothing, when another release wrote it otherwise: it is learnt anew the next night."""
    try:
        return msgspec.msgpack.decode(data, type=Kept)
    except msgspec.DecodeError:
        return Kept()


def told(rows: Iterable[Closed]) -> list[tuple[str, str]]:
    """(text, class) of the cases that have both."""
    return [(row.text, row.class_code) for row in rows if row.text and row.class_code]


def decisive(months: Sequence[Month]) -> Score:
    """The newest month, with the one before it where it has few cases."""
    if not months:
        return NOTHING
    newest = months[-1].score
    return newest + months[-2].score if newest.cases < SURE and len(months) > 1 else newest
