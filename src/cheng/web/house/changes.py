"""Who still has to be told that something has changed: so many pages a second, for each of them asks again at once."""

from collections.abc import Iterable
from typing import Generic, TypeVar

STEP = 0.05
"""Seconds between two lots of pages."""
Reader = TypeVar("Reader")


class Changes(Generic[Reader]):
    """Readers in the order in which they have waited, each with all the topics that changed meanwhile."""

    def __init__(self, pace: float) -> None:
        """`pace`: readers told a second."""
        self._lot = max(1, round(pace * STEP))
        self._waiting: dict[Reader, frozenset[str]] = {}
        self._next = 0.0

    def add(self, readers: Iterable[Reader], topics: frozenset[str]) -> None:
        for reader in readers:
            self._waiting[reader] = self._waiting.get(reader, frozenset()) | topics

    def forget(self, reader: Reader) -> None:
        self._waiting.pop(reader, None)

    def due(self) -> float:
        """When somebody is to be told; never while nobody waits."""
        return self._next if self._waiting else float("inf")

    def take(self, now: float) -> dict[frozenset[str], list[Reader]]:
        """Topics → who is told of them now."""
        found: dict[frozenset[str], list[Reader]] = {}
        if now < self.due():
            return found
        for reader in list(self._waiting)[: self._lot]:
            found.setdefault(self._waiting.pop(reader), []).append(reader)
        self._next = now + STEP
        return found
