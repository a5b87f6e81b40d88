"""How far a long piece of work is: one line that changes on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

SELDOM, OFTEN = 20.0, 0.2
"""Seconds between two lines of a log, and between two states of the line on a terminal."""
CLEARED = "\r\x1b[K"


class Progress:
    """Called with how far it is."""

    def __init__(self, out: TextIO | None = None, steady: Callable[[], float] = time.monotonic) -> None:
        self._out = out or sys.stdout
        self._live = self._out.isatty()
        self._steady = steady
        self._next = steady()

    def __call__(self, text: str) -> None:
        now = self._steady()
        if now < self._next:
            return
        self._next = now + (OFTEN if self._live else SELDOM)
        self._write(f"{CLEARED}  … {text}" if self._live else f"  … {text}\n")

    def end(self) -> None:
        """Nothing stands half written when something else is told."""
        if self._live:
            self._write(CLEARED)

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
