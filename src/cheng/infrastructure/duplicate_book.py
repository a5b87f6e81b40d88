"""Pairs of open cases over the whole city that are perhaps one matter and still separate.

All open cases are compared with those near by in one go, at most once a minute; whoever asks meanwhile gets the same
pairs, without those that were merged or closed since.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from cheng.infrastructure.blobs import Blobs
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.case_search import entries_of
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.duplicates import ALIVE, HOUR, Duplicates, Like, Report, class_of, compared, kind, photos_of
from cheng.infrastructure.duplicates import seen as hashes_of
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import cases
from cheng.methods import likeness
from cheng.standards.durations import days, minutes

Whole = npt.NDArray[np.int64]

NEAR = 80.0
"""Metres: what lies further apart is too unlikely without a look at text and photo."""
BACK = days(60).us
MOST_CASES = 50_000
"""Of those opened last."""
FIRST_LOOK, LEAST = 0.02, 0.10
"""The chance by place, time and class to be looked into, and the chance by everything to be shown."""
LOOKED_INTO = 500
PHOTOS_AT_ONCE = 12
FRESH = minutes(1).us
MOST_NEAR = 300
"""In one square: there are places to which everything is written that has none."""
HALF = ((0, 0), (1, 0), (-1, 1), (0, 1), (1, 1))
"""A square and four of its neighbours: every two squares that touch meet once."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two open cases."""

    older: Entry
    older_photos: tuple[str, ...]
    newer: Like
    """with what speaks for it being the older one"""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found at a moment."""

    at: int
    pairs: tuple[Pair, ...]


class DuplicateBook(Duplicates):
    """What is like a case, and what is twice in the city. Safe to use from many threads."""

    def __init__(self, store: Store, blobs: Blobs, clock: Clock) -> None:
        super().__init__(store, blobs, clock)
        self._found = Found(-(2**62), ())
        self._finding = threading.Lock()

    def pairs(self) -> Found:
        """The likeliest pairs first, each of two cases that are open at this moment."""
        with self._finding:
            if self.clock.now() - self._found.at >= FRESH:
                self._found = Found(self.clock.now(), self._find())
            found = self._found
        ids = list({entry.id for pair in found.pairs for entry in (pair.older, pair.newer.entry)})
        with self.store.read() as conn:
            alive = {id_ for id_, entry in entries_of(conn, ids).items() if entry.state in ALIVE}
        return Found(found.at, tuple(p for p in found.pairs if {p.older.id, p.newer.entry.id} <= alive))

    def _find(self) -> tuple[Pair, ...]:
        pairs = self._near()
        wanted = list(dict.fromkeys(id_ for pair in pairs for id_ in pair))
        photos: dict[str, tuple[str, ...]] = {}
        with self.store.read() as conn:
            entries = entries_of(conn, wanted)
            pairs = [(a, b) for a, b in pairs if a in entries and b in entries]
            for start in range(0, len(wanted), LOOKED_INTO):
                photos |= photos_of(conn, wanted[start : start + LOOKED_INTO])
        known = self.hashes.of((sha for some in photos.values() for sha in some), PHOTOS_AT_ONCE)
        reports = {id_: report(entry, hashes_of(photos.get(id_, ()), known)) for id_, entry in entries.items()}
        found = [
            Pair(older, photos.get(older.id, ()), compared(reports[older.id], newer, photos.get(newer.id, ()), known))
            for older, newer in (
                sorted((entries[a], entries[b]), key=lambda entry: (entry.opened, entry.number)) for a, b in pairs
            )
        ]
        likely = [pair for pair in found if pair.newer.chance >= LEAST]
        return tuple(sorted(likely, key=lambda pair: (-pair.newer.chance, -pair.newer.entry.opened)))

    def _near(self) -> list[tuple[str, str]]:
        """The ids of both of each pair that is worth a look."""
        query = select(cases.c.id, cases.c.longitude, cases.c.latitude, cases.c.opened, kind(), cases.c.thing_id).where(
            cases.c.state.in_(ALIVE),
            cases.c.opened >= self.clock.now() - BACK,
            cases.c.longitude.is_not(None),
            cases.c.latitude.is_not(None),
            cases.c.parent.is_(None),
        )
        with self.store.read() as conn:
            rows = conn.execute(query.order_by(cases.c.opened.desc()).limit(MOST_CASES)).all()
        if len(rows) < 2:
            return []
        ids, longitude, latitude, opened, classes, things = zip(*rows, strict=True)
        east, north = flat(np.array(longitude), np.array(latitude))
        one, other = touching(east, north)
        away = np.hypot(east[one] - east[other], north[one] - north[other])
        names, code = np.unique(np.array(classes), return_inverse=True)
        shared = shared_by(names.tolist())[code[one], code[other]]
        when = np.array(opened, np.int64)
        chances = likeness.chance(away, (when[one] - when[other]) / HOUR, shared)
        about = np.unique(np.array([each or "" for each in things]), return_inverse=True)[1]
        nothing_said = np.array([not each for each in things])
        one_thing = nothing_said[one] | nothing_said[other] | (about[one] == about[other])
        worth = np.flatnonzero((away <= NEAR) & (chances >= FIRST_LOOK) & one_thing)
        worth = worth[np.argsort(-chances[worth], kind="stable")[:LOOKED_INTO]]
        return [(ids[a], ids[b]) for a, b in zip(one[worth].tolist(), other[worth].tolist(), strict=True)]


def report(entry: Entry, hashes: tuple[int, ...]) -> Report:
    place = (entry.longitude or 0.0, entry.latitude or 0.0)
    return Report(place, class_of(entry), entry.opened, likeness.grams(entry.text), hashes)


def flat(longitude: likeness.Floats, latitude: likeness.Floats) -> tuple[likeness.Floats, likeness.Floats]:
    """Degrees as metres on a plane, east and north of the middle: good for distances within a city."""
    middle = float(np.median(latitude))
    metres = np.radians(1.0) * likeness.EARTH
    east = (longitude - np.median(longitude)) * metres * np.cos(np.radians(middle))
    return east, (latitude - middle) * metres


def touching(east: likeness.Floats, north: likeness.Floats) -> tuple[Whole, Whole]:
    """Every two places that lie in the same or in neighbouring squares of NEAR metres, once."""
    column = np.floor((east - east.min()) / NEAR).astype(np.int64) + 1
    row = np.floor((north - north.min()) / NEAR).astype(np.int64) + 1
    width = int(column.max()) + 2
    cell = row * width + column
    order = np.argsort(cell, kind="stable")
    pairs = list(meeting(cell[order], width))
    one, other = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    return order[one], order[other]


def meeting(cell: Whole, width: int) -> Iterator[tuple[Whole, Whole]]:
    """The same for sorted squares, one neighbour after the other, by their place in the order."""
    every = np.arange(len(cell))
    for right, up in HALF:
        wanted = cell + up * width + right
        first = np.searchsorted(cell, wanted, "left") if (right, up) != (0, 0) else every + 1
        count = np.clip(np.searchsorted(cell, wanted, "right") - first, 0, MOST_NEAR)
        one = np.repeat(every, count)
        ahead = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        yield one, np.repeat(first, count) + ahead


def shared_by(names: list[str]) -> npt.NDArray[np.int8]:
    """How far each two classes agree."""
    return np.array([[likeness.class_shared(a, b) for b in names] for a in names], np.int8)
