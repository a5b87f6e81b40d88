"""Quality marks that a reading earns by itself, set in one pass over the batch."""

import numpy as np

from cheng.kernel.arrivals import mark
from cheng.kernel.columns import Bools, Floats, Ints
from cheng.kernel.entities import Kept, Quantity
from cheng.kernel.observations import Batch
from cheng.standards.durations import minutes

TOLERANCE = minutes(5).us
"""How far a device's clock may run ahead of the hub's."""


class Limits:
    """What the fields allow, as arrays by attribute index: low, high and the largest jump."""

    def __init__(self, fields: list[Kept | None]) -> None:
        def bound(name: str, default: float) -> Floats:
            found = (getattr(f, name) if isinstance(f, Quantity) else None for f in fields)
            return np.array([default if limit is None else limit for limit in found], np.float64)

        self.low, self.high, self.jump = bound("low", -np.inf), bound("high", np.inf), bound("jump", np.inf)
        self.leaps = bool(np.isfinite(self.jump).any())
        """whether any field says how far it can move"""

    def mark(self, batch: Batch, now: int) -> None:
        """Marks readings out of range and dated after `now` (microseconds)."""
        mark(batch.attr, batch.time, batch.value, batch.quality, self.low, self.high, now + TOLERANCE)

    def jumps(self, attr: Ints, value: Floats, before: Floats) -> Bools:
        """(n,) readings further from the last value `before` (n,) than the field can move."""
        far: Bools = np.abs(value - before) > self.jump[attr]
        return far
