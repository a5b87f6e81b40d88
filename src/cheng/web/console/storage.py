"""What is kept, how fast it grows, what retention will take away, and when the disk will be full."""

from typing import Any

from sqlalchemy import func, select

from cheng.infrastructure.storage import DAY, Forecast, Sizes, StorageBook, forecast, measure
from cheng.infrastructure.tables import blobs
from cheng.web.ask import Ask
from cheng.web.pages import Column, Page, get

PARTS = (
    Column("name", "Part"),
    Column("bytes", "Size", "size"),
    Column("growth", "A day", "size"),
    Column("kept", "How long it is kept"),
)
SCARCE = 0.05
"""Of the disk: with less room than this there is danger, whatever the forecast says."""
SOON = 7 * DAY


def outlook(ask: Ask) -> dict[str, Any]:
    """The forecast: growth, when readings begin to go, when the disk is full, and whether that is a worry."""
    hub = ask.hub
    now, samples = measure(ask.now, hub.store, hub.history, hub.settings.data), StorageBook(hub.store).samples()
    segments = [segment for segment in hub.history.segments() if segment.rows]
    oldest = min((segment.time_first for segment in segments), default=None)
    newest = max((segment.time_last for segment in segments), default=None)
    told = forecast(now, samples, oldest, newest, hub.settings.keep_readings)
    level = worry(now, told, hub.machine.now().disk, hub.settings.warn_full)
    return {"sizes": now, "samples": samples, "oldest": oldest, "told": told, "level": level}


def worry(now: Sizes, told: Forecast, disk: int, warn: int) -> str:
    """good, warning or danger."""
    if now.free < SCARCE * disk or (told.full is not None and told.full - now.at < SOON):
        return "danger"
    return "warning" if told.full is not None and told.full - now.at < warn else "good"


@get("/console/storage", needs=("enter", "console"), entry="Storage", order=15)
def storage(ask: Ask) -> Page:
    """Sizes by part with their growth, retention, and the day the disk is full."""
    seen = outlook(ask)
    now, told = seen["sizes"], seen["told"]
    data: dict[str, Any] = {"parts": part_rows(ask, now, told)}
    data |= {"free": now.free, "disk": ask.hub.machine.now().disk, "level": seen["level"], "oldest": seen["oldest"]}
    grown = sum(size or 0 for size in told.growth.values())
    data |= {"full": told.full, "retention": told.retention, "growth": grown}
    data |= kept(ask)
    courses = {name: course(seen["samples"], now, name) for name in ("store", "log", "segments", "blobs", "free")}
    extra = {"course": courses}
    return Page("console/storage.html", data, rows="parts", columns=PARTS, keep=("key",), extra=extra)


def part_rows(ask: Ask, now: Sizes, told: Forecast) -> list[dict[str, Any]]:
    settings, local = ask.hub.settings, ask.local
    always = ask._("for good")
    return [
        part("segments", ask._("Readings, sorted"), now.segments, told, local.duration(settings.keep_readings)),
        part("log", ask._("The log before it is sorted"), now.log, told, ask._("until it is in a segment")),
        part("store", ask._("Store: register, alerts, cases, audit"), now.store, told, always),
        part("blobs", ask._("Photos and papers"), now.blobs, told, always),
    ]


def part(key: str, name: str, size: int, told: Forecast, kept: str) -> dict[str, Any]:
    return {"key": key, "name": name, "bytes": size, "growth": told.growth.get(key), "kept": kept}


def course(samples: list[Sizes], now: Sizes, part: str) -> list[int]:
    """For a small line."""
    return [getattr(one, part) for one in [*samples, now]]


def kept(ask: Ask) -> dict[str, Any]:
    """What lies there, and for how long; sizes in bytes."""
    hub, settings = ask.hub, ask.hub.settings
    with hub.store.read() as conn:
        count = conn.execute(select(func.count()).select_from(blobs)).scalar_one()
    return {
        "store": hub.store.place,
        "folder": str(settings.data.absolute()),
        "readings": hub.history.count(),
        "segments": len(hub.history.segments()),
        "damages": len(hub.history.damages),
        "blobs": count,
        "keep_readings": settings.keep_readings,
        "keep_summaries": settings.keep_summaries,
        "keep_refused": settings.keep_refused,
        "keep_logs": settings.keep_logs,
    }


routes = [storage]
