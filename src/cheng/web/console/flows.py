"""What goes through the house: how much came in and how fast; for tiles that are asked for every two seconds."""

import itertools
import threading
import time
from collections import deque
from typing import Any

from cheng.hub import Hub
from cheng.web.ask import Ask

KEEP = 150
"""Samples kept: five minutes of them, one every two seconds."""
LEAST = 1.0
"""Seconds between two samples."""
STARTED = time.monotonic()


class Samples:
    """How much had been accepted, and when: from these comes the rate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[tuple[float, int]] = deque(maxlen=KEEP)

    def add(self, accepted: int) -> None:
        """Notes the present count, once a second at the most."""
        now = time.monotonic()
        with self._lock:
            if not self._kept or now - self._kept[-1][0] >= LEAST:
                self._kept.append((now, accepted))

    def rates(self) -> list[float]:
        """Readings per second between the samples, the oldest first."""
        with self._lock:
            kept = list(self._kept)
        return [round((b[1] - a[1]) / (b[0] - a[0]), 1) for a, b in itertools.pairwise(kept)]

    def rate(self) -> float:
        """Readings per second over the last ten seconds or so."""
        with self._lock:
            kept = list(self._kept)[-6:]
        if len(kept) < 2 or kept[-1][0] == kept[0][0]:
            return 0.0
        return round((kept[-1][1] - kept[0][1]) / (kept[-1][0] - kept[0][0]), 1)


def samples(ask: Ask) -> Samples:
    """Those of the application that answers."""
    kept: Samples = ask.request.app.state.setdefault("samples", Samples())
    return kept


def flows(ask: Ask) -> dict[str, Any]:
    """The numbers of now; reads nothing but memory."""
    hub, kept = ask.hub, samples(ask)
    counters: Any = hub.pipeline.counters
    kept.add(counters.accepted)
    return {
        "accepted": counters.accepted,
        "marked": counters.marked,
        "refused": hub.refused.total,
        "turned_away": counters.turned_away,
        "commits": counters.commits,
        "alerts": hub.pipeline.writer.written,
        "alerts_waiting": hub.pipeline.writer.waiting,
        "strangers": hub.things.strangers,
        "rate": kept.rate(),
        "rates": kept.rates(),
        "devices": devices(hub),
        "listeners": hub.bus.counters.subscribers if hasattr(hub.bus, "counters") else None,
        "uptime": round(time.monotonic() - STARTED),
    }


def devices(hub: Hub) -> int | None:
    """Devices connected by MQTT; None where that door is not open."""
    return None if hub.broker is None else hub.broker.counters.connections
