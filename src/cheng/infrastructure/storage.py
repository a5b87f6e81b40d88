"""How much is kept, how fast it grows, and when the disk will be full."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from pathlib import Path

from sqlalchemy import func, insert, select, update

from cheng.infrastructure.history import History
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import blobs, settings_kv
from cheng.standards.durations import days, hours

KEY = "storage"
DAY, HOUR = days(1).us, hours(1).us
FINE, MOST = 3 * DAY, 400
"""Samples younger than this are all kept, of older ones one a day, so many in all."""
LOOK_BACK = 7 * DAY
"""Growth is that of the last week."""
LEAST = HOUR
"""Growth over a shorter time says nothing."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is kept at one moment (µs), in bytes; `free` is the room on the data folder's disk."""

    at: int
    store: int
    log: int
    segments: int
    blobs: int
    free: int


GROWING = ("store", "segments", "blobs")
"""Parts that grow; the log is cut behind what has been settled."""


def measure(now: int, store: Store, history: History, data: Path) -> Sizes:
    """The sizes of now."""
    with store.read() as conn:
        size = int(conn.execute(select(func.coalesce(func.sum(blobs.c.size), 0))).scalar_one())
    segments = sum(segment.size for segment in history.segments())
    free = shutil.disk_usage(data).free
    return Sizes(now, store.bytes(), max(history.bytes() - segments, 0), segments, size, free)


class StorageBook:
    """The course of the sizes, kept in the store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def samples(self) -> list[Sizes]:
        """The oldest first."""
        with self.store.read() as conn:
            kept = conn.execute(select(settings_kv.c.value).where(settings_kv.c.key == KEY)).scalar_one_or_none()
        return [Sizes(**row) for row in kept or () if row.keys() == {field.name for field in fields(Sizes)}]

    def note(self, sizes: Sizes) -> None:
        """Keeps one more."""
        rows = [asdict(one) for one in thinned([*self.samples(), sizes], sizes.at)]
        with self.store.write() as conn:
            change = update(settings_kv).where(settings_kv.c.key == KEY).values(value=rows)
            if conn.execute(change).rowcount == 0:
                conn.execute(insert(settings_kv).values(key=KEY, value=rows))


def thinned(samples: Sequence[Sizes], now: int) -> list[Sizes]:
    """All of the last days, and of each day before them the last."""
    old = [one for one in samples if one.at < now - FINE]
    daily = [list(group)[-1] for _, group in groupby(old, key=lambda one: one.at // DAY)]
    return [*daily, *(one for one in samples if one.at >= now - FINE)][-MOST:]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected. Growth is bytes a day by part, None where it is not known yet; times are µs."""

    growth: dict[str, int | None]
    retention: int | None
    """when readings begin to go, and history grows no more; None without readings"""
    full: int | None
    """when the disk will be full; None when it will not, as far as is known"""


def forecast(now: Sizes, samples: Sequence[Sizes], oldest: int | None, newest: int | None, keep: int) -> Forecast:
    """What the last week says about the time to come.

    `oldest`, `newest`: of the readings in history, `keep` how long they are kept, all µs. History grows until the
    oldest reading is as old as that; store and files go on. Of a hub that is too young to have grown measurably,
    history's growth is what a day of readings takes.
    """
    growth: dict[str, int | None] = {part: slope(now, samples, part) for part in GROWING}
    if growth["segments"] is None and oldest is not None and newest is not None and now.segments:
        growth["segments"] = round(now.segments / max((newest - oldest) / DAY, 1.0))
    retention = None if oldest is None else oldest + keep
    history = max(growth["segments"] or 0, 0)
    others = max((growth["store"] or 0) + (growth["blobs"] or 0), 0)
    until = max(retention - now.at, 0) / DAY if retention is not None else float("inf")
    return Forecast(growth, retention, full_on(now, history, others, until))


def full_on(now: Sizes, history: int, others: int, until: float) -> int | None:
    """When `free` is used up: by both for `until` days, then by the others alone."""
    if history + others <= 0:
        return None
    after = now.free / (history + others)
    if after > until:
        left = now.free - until * (history + others)
        if others <= 0:
            return None
        after = until + left / others
    return now.at + int(after * DAY) if after < 36_500 else None


def slope(now: Sizes, samples: Sequence[Sizes], part: str) -> int | None:
    """Bytes a day by which a part has grown in the last week; None when there is too little to say so."""
    first = next((one for one in samples if now.at - LOOK_BACK <= one.at <= now.at - LEAST), None)
    if first is None:
        return None
    grown: int = getattr(now, part) - getattr(first, part)
    return grown * DAY // (now.at - first.at)
