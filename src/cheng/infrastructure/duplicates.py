"""Cases that are perhaps about the same matter: near in place and time, of one class, alike in text and photo.

Nothing is merged here: a person sees what speaks for it, and decides. `methods.likeness` reckons; here is what it
reckons with. What lies near is found by an index over small squares, so the work does not grow with the years.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from cheng.infrastructure.blobs import Blobs
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.case_search import entries_of
from cheng.infrastructure.cells import Place, box, rows_of_cells
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.photo_hashes import PhotoHashes
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import acts, cases
from cheng.kernel.flows import Flow
from cheng.methods import likeness
from cheng.methods.likeness import Grams
from cheng.standards.durations import days

REACH = 200.0
"""Metres: nine of ten duplicates lie nearer than 105 m."""
APART = days(90).us
"""Between two that are the same."""
RECENT = days(14).us
"""Closed no longer ago than that, it may have come back."""
LEAST = 0.03
"""Less likely ones are not worth anybody's look."""
LOOKED_INTO = 60
"""Of those near by, the likeliest by place, time and class, whose texts and photos are compared."""
MOST_NEAR = 2000
"""Of those near by, the last opened ones: there are places to which everything is written that has none."""
HOUR = 3_600_000_000
ALIVE = ("open", "suspended")
MOST_PHOTOS = 9
"""Of a case; more do not make it clearer."""
TELLING = ("open", "follow")
"""Acts whose photos show what is wrong; later ones show how it was mended."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What speaks for two reports being one."""

    away: float
    """metres"""
    earlier: int
    """µs by which the other one came earlier; less than 0 when it came later"""
    shared: int
    """how far their classes agree: `likeness.SAME`, GROUP or OTHER"""
    text: float | None = None
    """0 to 1; None when one has none"""
    photo: float | None = None


@dataclass(frozen=True, slots=True)
class Like:
    """A case that is perhaps about the same matter."""

    entry: Entry
    chance: float
    """0 to 1"""
    reasons: Alike
    photos: tuple[str, ...] = ()
    """of the matter, by their SHA-256"""


@dataclass(frozen=True, slots=True)
class Near:
    """What everybody may know of a case near by: "Is it one of these?"."""

    number: str
    class_code: str
    state: str
    opened: int
    place: Place
    street: str
    away: float
    """metres"""


@dataclass(frozen=True, slots=True)
class Report:
    """What is compared: a case, or what somebody is about to report."""

    place: Place
    class_code: str
    """what kind of matter it is: its class, or the flow of a case that has none"""
    at: int
    grams: Grams = frozenset()
    hashes: tuple[int, ...] = ()


class Duplicates:
    """Finds them. Safe to use from many threads."""

    def __init__(self, store: Store, blobs: Blobs, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.hashes = PhotoHashes(store, blobs)

    def like(
        self,
        place: Place,
        class_code: str,
        text: str,
        photos: Sequence[str],
        at: int,
        flow: type[Flow] | str,
        limit: int = 5,
        *,
        thing_id: str = "",
        but: Collection[str] = (),
    ) -> tuple[Like, ...]:
        """Open and recently closed cases that are perhaps the same as what came in `at`, the likeliest first.

        `photos` by their SHA-256. `thing_id`: the thing it is about; a case about another thing is another matter.
        `but`: ids of cases to leave out, such as the one that is compared itself.
        """
        key = flow if isinstance(flow, str) else flow.key()
        plain = Report(place, class_code or key, at)
        with self.store.read() as conn:
            near = nearby(conn, place, at, self.clock.now(), thing_id, but)
            told: dict[str, tuple[str, ...]] = {row[0]: () for row in likeliest(plain, near)}
            told |= photos_of(conn, list(told))
            entries = entries_of(conn, list(told))
        known = self.hashes.of([*photos, *(sha for some in told.values() for sha in some)])
        mine = replace(plain, grams=likeness.grams(text), hashes=seen(photos, known))
        found = [compared(mine, entry, told[entry.id], known) for entry in entries.values()]
        found = [each for each in found if each.chance >= LEAST]
        return tuple(sorted(found, key=lambda each: (-each.chance, each.entry.opened))[:limit])

    def like_case(self, entry: Entry, limit: int = 5) -> tuple[Like, ...]:
        """What is perhaps the same as a case that has been opened."""
        if entry.longitude is None or entry.latitude is None:
            return ()
        with self.store.read() as conn:
            photos = photos_of(conn, [entry.id]).get(entry.id, ())
        place, but = (entry.longitude, entry.latitude), {entry.id, entry.merged_into}
        told = (entry.text, photos, entry.opened, entry.flow, limit)
        return self.like(place, class_of(entry), *told, thing_id=entry.thing_id, but=but)

    def is_it_one_of_these(
        self, place: Place, class_code: str, flow: type[Flow] | str, limit: int = 5
    ) -> tuple[Near, ...]:
        """Cases of the same class under way near by, the nearest first, without a word or photo of who reported them.
        Ask for classes that the public may report, and no others."""
        key, now = flow if isinstance(flow, str) else flow.key(), self.clock.now()
        names = ("number", "class_code", "state", "opened", "longitude", "latitude", "title_values")
        query = select(*(cases.c[name] for name in names))
        same = (met("flow") == key, met("class_code") == class_code, met("state").in_(ALIVE), met("parent").is_(None))
        query = query.where(*around(place, now, APART), *same).limit(MOST_NEAR)
        with self.store.read() as conn:
            rows = conn.execute(query).all() if class_code else []
        found = [near_of(place, *row) for row in rows]
        found = [each for each in found if each.away <= REACH]
        return tuple(sorted(found, key=lambda each: (each.away, each.number))[:limit])


def near_of(
    place: Place,
    number: str,
    class_code: str,
    state: str,
    opened: int,
    longitude: float,
    latitude: float,
    values: Mapping[str, Any],
) -> Near:
    away = float(likeness.metres(place, longitude, latitude))
    street = str(values.get("street") or "")
    return Near(number, class_code, state, opened, (longitude, latitude), street, away)


def around(place: Place, at: int, apart: int) -> tuple[ColumnElement[bool], ...]:
    """Cases in the box around a place that were opened around a moment: what the index of small squares finds."""
    west, south, east, north = box(place, REACH)
    strips = [cases.c.cell.between(first, last) for first, last in rows_of_cells(place, REACH)]
    opened = cases.c.opened.between(at - apart, at + apart)
    return (
        or_(false(), *(and_(strip, opened) for strip in strips)),
        cases.c.longitude.between(west, east),
        cases.c.latitude.between(south, north),
    )


def nearby(
    conn: Connection, place: Place, at: int, now: int, thing_id: str = "", but: Collection[str] = ()
) -> list[Any]:
    """(id, longitude, latitude, opened, class) of the open and recently closed cases around a place; parts of others
    are not reports of their own."""
    query = select(cases.c.id, cases.c.longitude, cases.c.latitude, cases.c.opened, kind()).where(
        *around(place, at, APART),
        or_(met("state").in_(ALIVE), and_(met("state") == "closed", cases.c.closed + 0 >= now - RECENT)),
        met("parent").is_(None),
        *([or_(met("thing_id").is_(None), met("thing_id") == thing_id)] if thing_id else ()),
    )
    query = query.order_by(cases.c.opened.desc()).limit(MOST_NEAR)
    return [row for row in conn.execute(query).all() if row[0] not in but]


def met(name: str) -> ColumnElement[str]:
    """A column as it is met on the way: SQLite, which knows nothing of places, would rather walk the index of states
    and read a quarter of all cases."""
    return cases.c[name] + ""


def kind() -> ColumnElement[str]:
    """The class of a case, or its flow when it has none."""
    return func.coalesce(func.nullif(cases.c.class_code, ""), cases.c.flow)


def class_of(entry: Entry) -> str:
    return entry.class_code or entry.flow


def likeliest(mine: Report, near: Sequence[Any]) -> list[Any]:
    """Those of the rows that place, time and class speak for most."""
    if not near:
        return []
    _, longitude, latitude, opened, _ = zip(*near, strict=True)
    away = likeness.metres(mine.place, longitude, latitude)
    shared = [likeness.class_shared(mine.class_code, row[4]) for row in near]
    chances = likeness.chance(away, (np.array(opened) - mine.at) / HOUR, shared)
    order = np.argsort(-chances, kind="stable")
    return [near[n] for n in order[:LOOKED_INTO] if away[n] <= REACH]


def compared(mine: Report, entry: Entry, photos: tuple[str, ...], known: Mapping[str, int]) -> Like:
    """All that speaks for a case."""
    place = (entry.longitude or 0.0, entry.latitude or 0.0)
    away = float(likeness.metres(mine.place, *place))
    shared = likeness.class_shared(mine.class_code, class_of(entry))
    text = likeness.text_likeness(mine.grams, likeness.grams(entry.text))
    photo = likeness.photo_likeness(mine.hashes, seen(photos, known))
    chance = float(likeness.chance(away, (entry.opened - mine.at) / HOUR, shared, text, photo))
    reasons = Alike(away, mine.at - entry.opened, shared, known_or_none(text), known_or_none(photo))
    return Like(entry, chance, reasons, photos)


def known_or_none(number: float) -> float | None:
    return None if math.isnan(number) else number


def seen(photos: Sequence[str], known: Mapping[str, int]) -> tuple[int, ...]:
    """The hashes of these photos, of those that have one."""
    return tuple(known[sha] for sha in photos if sha in known)


def photos_of(conn: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The photos that came with the reports of these cases: id → SHA-256 of each."""
    found: dict[str, list[str]] = {}
    query = select(acts.c.case, acts.c.data).where(acts.c.case.in_(ids), acts.c.verb.in_(TELLING))
    for case, data in conn.execute(query.order_by(acts.c.case, acts.c.seq)):
        pieces = [piece["blob"] for piece in data.get("proof") or () if piece.get("kind") == "photo"]
        found.setdefault(case, []).extend(pieces)
    return {case: tuple(dict.fromkeys(some))[:MOST_PHOTOS] for case, some in found.items() if some}
