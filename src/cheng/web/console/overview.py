"""The operator's room at a glance: what comes in, what is kept, what works by itself, and what does not."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import func, select

from cheng.infrastructure.tables import blobs
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.noting import note
from cheng.web.city.rules import rule_row
from cheng.web.console.flows import flows
from cheng.web.console.silent import silent_count
from cheng.web.console.works import works
from cheng.web.pages import Answer, Page, get, post, see_other

PARTS = ("cheng", "litestar", "uvicorn", "SQLAlchemy", "pyarrow", "numpy", "numba")


@get("/console", needs=("enter", "console"), entry="Overview", order=1)
def console(ask: Ask) -> Page:
    """Inputs, storage, jobs, rules that cannot be judged, versions."""
    data: dict[str, Any] = {"flows": flows(ask), "storage": storage(ask), "jobs": works(ask), "versions": versions()}
    data["failing"] = [
        rule_row(ask, ask.hub.model.rules[key], {}, {}) for key in ask.hub.judges.failing if key in ask.hub.model.rules
    ]
    data["refused"] = ask.hub.refused.counts()
    data["silent"] = silent_count(ask)
    data["trouble"] = str(ask.hub.history.trouble) if ask.hub.history.trouble else ""
    extra = {"may_run": ask.may("run", "job") and getattr(ask.hub, "worker", None) is not None}
    return Page("console/overview.html", data, extra=extra)


@get("/console/flows", needs=("enter", "console"))
def flows_now(ask: Ask) -> Page:
    """The numbers that move, for the tiles: `/console/flows.json`."""
    return Page("console/flows.html", flows(ask))


@post("/console/jobs/{key:str}", needs=("run", "job"))
def run_job(ask: Ask, key: str) -> Answer:
    """Have a job worked out now."""
    worker = getattr(ask.hub, "worker", None)
    if worker is None:
        raise Refused("no-worker", "Nothing is worked out in this process.", status=409)
    worker.run_now(key)
    note(ask, "run", f"job:{key}")
    return see_other(ask, "/console", "The job has begun.")


def storage(ask: Ask) -> dict[str, Any]:
    """What is kept, and for how long; sizes in bytes."""
    hub, settings = ask.hub, ask.hub.settings
    with hub.store.read() as conn:
        count, size = conn.execute(select(func.count(), func.coalesce(func.sum(blobs.c.size), 0))).one()
    segments = hub.history.segments()
    return {
        "store": hub.store.place,
        "store_bytes": store_bytes(ask),
        "history_bytes": hub.history.bytes(),
        "readings": hub.history.count(),
        "segments": len(segments),
        "segment_bytes": sum(segment.size for segment in segments),
        "damages": len(hub.history.damages),
        "blobs": count,
        "blob_bytes": int(size),
        "keep_readings": settings.keep_readings,
        "keep_summaries": settings.keep_summaries,
        "keep_refused": settings.keep_refused,
        "keep_logs": settings.keep_logs,
    }


def store_bytes(ask: Ask) -> int | None:
    """Size of the store's files; None where the store is a server."""
    if ask.hub.settings.store and not ask.hub.settings.store.startswith("sqlite"):
        return None
    files = ask.hub.settings.data.glob("cheng.db*")
    return sum(file.stat().st_size for file in files)


def versions() -> list[dict[str, str]]:
    """What runs here."""
    found = [{"name": "Python", "version": platform.python_version()}]
    for part in PARTS:
        try:
            found.append({"name": part, "version": version(part)})
        except PackageNotFoundError:
            found.append({"name": part, "version": "–"})
    return found


routes = [console, flows_now, run_job]
