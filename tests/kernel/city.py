"""A register in memory, judges over it, and the set of alerts that their changes leave."""

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
    """A Register of `things` things of one entity, all registered at time 0 and in use unless told otherwise."""

    def __init__(self, entity: type[Entity], things: int, fixed: dict[str, Any] | None = None) -> None:
        self.entity, self.things = entity, things
        self.kept = fixed or {}
        self.since: dict[int, int] = {}
        """when a thing was registered, if not at 0"""
        self.retired: set[int] = set()

    def columns(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.entity.live())}

    def size(self) -> int:
        return self.things

    def fixed(self, name: str) -> Floats:
        return np.asarray(self.kept[name], np.float64)

    def target(self, ref: Blank, name: str) -> Floats:
        return np.asarray(self.kept[ref.name][name], np.float64)

    def places(self, place: Somewhere) -> Any:
        name = "every" if place.every else place.field.name if place.ref is None else place.ref.name
        places = self.kept[name]
        if isinstance(places, dict):
            places = places[place.field.name]
        found = np.empty(len(places), object)
        found[:] = places
        return found

    def code(self, field: Blank, label: str) -> float:
        return float(field.options.index(label)) if isinstance(field, Choice) else float("nan")

    def registered(self) -> Times:
        times = np.zeros(self.things, np.int64)
        times[list(self.since)] = list(self.since.values())
        return times

    def active(self) -> Bools:
        active = np.ones(self.things, np.bool_)
        active[list(self.retired)] = False
        return active


def readings(rows: Iterable[tuple[float, ...]]) -> Readings:
    """From (thing, field number, seconds, value) and, for positions, latitude."""
    table = [(*row, np.nan)[:5] for row in rows]
    slot, field, time, value, latitude = zip(*table, strict=True) if table else ((),) * 5
    times = np.array([round(t * SECOND) for t in time], np.int64)
    floats = np.array(value, np.float64), np.array(latitude, np.float64)
    return Readings(np.array(slot, np.intp), np.array(field, np.int32), times, *floats)


def judge_of(*rules: type[Rule], things: int = 1, fixed: dict[str, Any] | None = None) -> Judge:
    entity = rules[0].entity()
    assert entity is not None
    return Judge(entity, [Judged.of(rule) for rule in rules], Town(entity, things, fixed))


class Alerts:
    """The set of alerts after a run of changes, by rule, thing and onset, with the end of each or None.

    Refuses changes that make no sense: raised or withdrawn twice, cleared at the end it already has, and so on.
    """

    def __init__(self) -> None:
        self.standing: dict[tuple[str, int, int], int | None] = {}
        self.seen: list[str] = []
        """the kinds of all changes, in their order"""

    def take(self, changes: Iterable[Change]) -> "Alerts":
        for change in changes:
            self.seen.append(change.kind)
            key = (change.rule, change.slot, change.onset)
            assert (key in self.standing) == (change.kind != "raised"), f"{key} cannot be {change.kind}"
            if change.kind == "raised":
                assert change.time >= change.onset, f"{key} raised before its onset"
                self.standing[key] = None
            elif change.kind == "cleared":
                assert self.standing[key] != change.time, f"{key} cleared twice at {change.time}"
                assert change.time > change.onset, f"{key} cleared before its onset"
                self.standing[key] = change.time
            elif change.kind == "moved":
                there = (change.rule, change.slot, change.time)
                assert there not in self.standing, f"{key} moved onto another alert"
                self.standing[there] = self.standing.pop(key)
            elif change.kind == "reopened":
                assert self.standing[key] == change.time, f"{key} reopened though it did not end at {change.time}"
                self.standing[key] = None
            else:
                del self.standing[key]
        return self

    def of(self, slot: int = 0, rule: str = "") -> set[tuple[int, int | None]]:
        """Onset and end of each alert of one thing (and one rule)."""
        return {(k[2], end) for k, end in self.standing.items() if k[1] == slot and rule in ("", k[0])}
