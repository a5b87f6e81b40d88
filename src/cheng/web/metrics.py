"""Counters of the house in Prometheus' text form. Whoever has something to count offers `counters()`."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Sample = tuple[str, str, Mapping[str, str], float]
"""name, help, labels, value; names that end in `_total` are counters, those in PARTS parts of a histogram, the others
gauges."""
PARTS = ("_bucket", "_sum", "_count")


class Counts:
    """Counts kept by us; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._helps: dict[str, str] = {}

    def add(self, name: str, help_text: str, amount: float = 1, **labels: str) -> None:
        """Count `amount` more under `name` and `labels`; few different labels, never an id."""
        with self._lock:
            self._helps.setdefault(name, help_text)
            self._values[name, tuple(sorted(labels.items()))] += amount  # type: ignore[assignment]  # a float

    def counters(self) -> Iterator[Sample]:
        with self._lock:
            values = list(self._values.items())
        for (name, labels), value in values:
            yield name, self._helps[name], dict(labels), value


def samples(hub: Any, *more: Any) -> Iterator[Sample]:
    """Whatever the parts of the hub have counted: each part with a method `counters()`."""
    parts = [getattr(hub, name) for name in dir(hub) if not name.startswith("_")]
    for part in (hub, *parts, *more):
        counters = getattr(type(part), "counters", None)
        if callable(counters):
            yield from part.counters()


def exposition(found: Iterable[Sample]) -> str:
    """The text Prometheus reads (format 0.0.4)."""
    families: dict[str, tuple[str, list[str]]] = {}
    for name, help_text, labels, value in found:
        told = ",".join(f'{key}="{escape(str(label))}"' for key, label in sorted(labels.items()))
        line = f"{name}{{{told}}} {value:.17g}" if told else f"{name} {value:.17g}"
        families.setdefault(family(name), (help_text, []))[1].append(line)
    lines = []
    for name, (help_text, rows) in sorted(families.items()):
        histogram = rows[0].startswith(f"{name}_")
        kind = "histogram" if histogram else "counter" if name.endswith("_total") else "gauge"
        lines += [f"# HELP {name} {escape(help_text)}", f"# TYPE {name} {kind}", *rows]
    return "\n".join(lines) + "\n"


def family(name: str) -> str:
    """The name that help and type go with: a histogram's without its part."""
    return next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)


def escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
