"""Quality marks that a reading earns by itself, set in one pass over the batch."""

import numpy as np

from cheng.kernel.columns import Floats
from cheng.kernel.entities import Kept, Quantity
from cheng.kernel.observations import Batch, Quality
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
        self.jumps = bool(np.isfinite(self.jump).any())

    def mark(self, batch: Batch, now: int) -> None:
        """Marks readings out of range and dated after `now` (microseconds)."""
        out = (batch.value < self.low[batch.attr]) | (batch.value > self.high[batch.attr])
        batch.quality[out] |= int(Quality.OUT_OF_RANGE)
        batch.quality[batch.time > now + TOLERANCE] |= int(Quality.FUTURE)

    def mark_jumps(self, batch: Batch, before: Floats) -> None:
        """Marks readings further from the last value `before` (n,) than the field can move."""
        far = np.abs(batch.value - before) > self.jump[batch.attr]
        batch.quality[far] |= int(Quality.JUMP)
