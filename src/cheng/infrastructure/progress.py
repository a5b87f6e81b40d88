"""How far something that takes a while has come: told while it goes on, asked for by whoever waits."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LINES = 200
"""Steps that are kept."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was begun, and when (µs); a sentence with blanks."""

    at: int
    text: str
    values: dict[str, Any] = field(default_factory=dict)


class Progress:
    """One run. Whoever works tells; anybody may look."""

    def __init__(self, now: Callable[[], int] = lambda: 0) -> None:
        self._now = now
        self.begun = now()
        self.share: float | None = None
        """how much of the present step is done, 0 to 1; None where nobody knows"""
        self._steps: deque[Step] = deque(maxlen=LINES)
        self._lock = threading.Lock()

    def tell(self, text: str, /, **values: Any) -> None:
        """Begins a step."""
        with self._lock:
            self.share = None
            self._steps.append(Step(self._now(), text, values))

    def done(self, part: float, whole: float) -> None:
        """So much of the present step is done."""
        self.share = min(part / whole, 1.0) if whole > 0 else None

    def steps(self) -> list[Step]:
        """What was begun so far, the first first."""
        with self._lock:
            return list(self._steps)
