"""The machine under the hub: how much of it is used, the last day of it, where the hub listens, and what runs here."""

import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cheng.infrastructure.machine import Look, cores
from cheng.web.ask import Ask
from cheng.web.pages import Page, get

PARTS = ("cheng", "litestar", "uvicorn", "SQLAlchemy", "pyarrow", "numpy", "numba")
SHOWN = 288
"""Points of a small line: one every five minutes of a day."""
WORTH_A_LOOK, NEARLY_ALL = 0.8, 0.95


@get("/console/machine", needs=("enter", "console"), entry="Machine", order=16)
def machine(ask: Ask) -> Page:
    """Capacity, addresses and versions; `/console/machine.json` is asked for while somebody looks."""
    now, here = ask.hub.machine.now(), ask.hub.machine
    data: dict[str, Any] = {"gauges": gauges(ask, now, here.day()), "cores": cores(), "versions": versions()}
    listening = here.listening()
    data["listening"] = None if listening is None else [listener(ask, *where) for where in listening]
    data |= {"up": round(here.up), "machine_up": None if here.machine_up is None else round(here.machine_up)}
    data |= {"system": platform.platform(), "processor": platform.machine(), "host": platform.node()}
    return Page("console/machine.html", data)


def gauges(ask: Ask, now: Look, day: list[Look]) -> list[dict[str, Any]]:
    """What can run short: the share in use, the same in words, and its course over the last day."""
    most, size, number = ask.hub.machine.files_most, ask.local.size, ask.local.number
    used = now.disk - now.disk_free
    rows: list[tuple[str, str, float | None, str, Callable[[Look], float | None]]] = [
        ("busy", ask._("Cores at work"), now.busy, ask._("of {n} cores", n=cores()), lambda look: look.busy),
        ("own", ask._("Cores at work for the hub"), now.own, ask._("of {n} cores", n=cores()), lambda look: look.own),
        (
            "load",
            ask._("Load"),
            part(now.load, cores()),
            ask._("of {n} cores", n=cores()),
            lambda look: part(look.load, cores()),
        ),
        (
            "memory",
            ask._("Memory of the machine"),
            part(now.memory_used, now.memory),
            ask._("{used} of {all}", used=size(now.memory_used), all=size(now.memory)),
            lambda look: part(look.memory_used, look.memory),
        ),
        (
            "resident",
            ask._("Memory of the hub"),
            part(now.resident, now.memory),
            size(now.resident),
            lambda look: part(look.resident, look.memory),
        ),
        (
            "disk",
            ask._("Disk of the data folder"),
            part(used, now.disk),
            ask._("{used} of {all}", used=size(used), all=size(now.disk)),
            lambda look: part(look.disk - look.disk_free, look.disk),
        ),
        (
            "files",
            ask._("Open files and connections"),
            part(now.files, most),
            ask._("{used} of {all}", used=number(now.files, 0), all=number(most, 0)),
            lambda look: part(look.files, most),
        ),
    ]
    found = [gauge(ask, key, name, share, text, every(day, course)) for key, name, share, text, course in rows]
    if now.load is not None:
        next(row for row in found if row["key"] == "load")["value"] = number(now.load, 1)
    return found


def gauge(ask: Ask, key: str, name: str, share: float | None, text: str, course: list[float | None]) -> dict[str, Any]:
    if share is None:
        unknown = {"key": key, "name": name, "share": None, "value": "–", "text": ask._("not known here")}
        return {**unknown, "level": "", "course": []}
    level = "danger" if share >= NEARLY_ALL else "warning" if share >= WORTH_A_LOOK else ""
    level = "" if key in ("busy", "own", "load") else level  # to be at work is no fault
    told = {"share": round(share, 4), "value": ask.local.percent(share), "text": text}
    return {"key": key, "name": name, **told, "level": level, "course": course}


def part(used: float | None, whole: float | None) -> float | None:
    return None if used is None or not whole else used / whole


def every(day: list[Look], course: Callable[[Look], float | None]) -> list[float | None]:
    """At most SHOWN points of a course, evenly, the last one always there."""
    step = -(-len(day) // SHOWN) or 1
    values = [course(look) for look in day[::-1][::step][::-1]]
    return [None if value is None else round(value, 4) for value in values]


def listener(ask: Ask, address: str, port: int) -> dict[str, Any]:
    """An address that takes connections."""
    anywhere = address in ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on
    family = "IPv6" if ":" in address else "IPv4"
    what = ask._("Pages and devices by HTTP") if port == web_port(ask) else ask._("MQTT, for devices")
    return {"address": address, "port": port, "family": family, "anywhere": anywhere, "what": what}


def web_port(ask: Ask) -> int | None:
    """The port this very request came in by."""
    server = ask.request.scope.get("server")
    return server[1] if server else None


def versions() -> list[dict[str, str]]:
    """What runs here."""
    found = [{"name": "Python", "version": platform.python_version()}]
    for name in PARTS:
        try:
            found.append({"name": name, "version": version(name)})
        except PackageNotFoundError:
            found.append({"name": name, "version": "–"})
    return found


routes = [machine]
