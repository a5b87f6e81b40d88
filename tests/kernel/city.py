"""A register in memory and a plain oracle: what the judging is held against."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cheng.kernel.columns import Bools, Floats, Times
from cheng.kernel.entities import Choice, Entity
from cheng.kernel.frames import Blank, Somewhere
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.rules import Change, Rule
from cheng.kernel.stretches import Readings

SECOND = 1_000_000


class Town:
    """A Register of `things` things of one entity, all registered at time 0 and in use."""

    def __init__(self, entity: type[Entity], things: int, fixed: dict[str, Any] | None = None) -> None:
        self.entity, self.things = entity, things
        self.kept = fixed or {}

    def columns(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.entity.live())}

    def size(self) -> int:
        return self.things

    def fixed(self, name: str) -> Floats:
        return np.asarray(self.kept[name], np.float64)

    def target(self, ref: Blank, name: str) -> Floats:
        return np.asarray(self.kept[ref.name][name], np.float64)

    def places(self, place: Somewhere) -> Any:
        name = place.field.name if place.ref is None else place.ref.name
        return np.asarray(self.kept[name], object)

    def code(self, field: Blank, label: str) -> float:
        return float(field.options.index(label)) if isinstance(field, Choice) else float("nan")

    def registered(self) -> Times:
        return np.zeros(self.things, np.int64)

    def active(self) -> Bools:
        return np.ones(self.things, np.bool_)


def readings(rows: Iterable[tuple[int, int, float, float]]) -> Readings:
    """From (thing, field number, seconds, value)."""
    table = np.array(list(rows), np.float64).reshape(-1, 4)
    time = np.round(table[:, 2] * SECOND).astype(np.int64)
    nan = np.full(len(table), np.nan)
    return Readings(table[:, 0].astype(np.intp), table[:, 1].astype(np.int32), time, table[:, 3], nan)


def judge_of(*rules: type[Rule], things: int = 1, fixed: dict[str, Any] | None = None) -> Judge:
    entity = rules[0].entity()
    assert entity is not None
    return Judge(entity, [Judged.of(rule) for rule in rules], Town(entity, things, fixed))


class Alerts:
    """The set of alerts after a run of changes, by rule, thing and onset, with the end of each or None."""

    def __init__(self) -> None:
        self.standing: dict[tuple[str, int, int], int | None] = {}

    def take(self, changes: Iterable[Change]) -> "Alerts":
        for change in changes:
            key = (change.rule, change.slot, change.onset)
            if change.kind == "raised":
                assert key not in self.standing, f"{key} raised twice"
                self.standing[key] = None
            elif change.kind == "cleared":
                self.standing[key] = change.time
            elif change.kind == "moved":
                self.standing[change.rule, change.slot, change.time] = self.standing.pop(key)
            elif change.kind == "reopened":
                self.standing[key] = None
            else:
                del self.standing[key]
        return self
