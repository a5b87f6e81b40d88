"""Parts of pages that many readers ask for in the same moment, drawn once for all who may know the same."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

AGE = 1.0
"""Seconds for which a part is new enough where nothing has changed: it says how long ago things were."""


class Shared:
    """Belongs to the event loop on which pages are served."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    def changed(self) -> None:
        """Something happened: what was drawn before is not true any more."""
        self._kept.clear()

    async def get(self, key: Hashable, draw: Callable[[], Awaitable[Any]]) -> Any:
        """What was drawn for the key, or is being drawn; who leaves early takes it from nobody."""
        now = asyncio.get_running_loop().time()
        begun, task = self._kept.get(key, (now, None))
        if task is None or now - begun > AGE:
            self._kept = {each: kept for each, kept in self._kept.items() if now - kept[0] <= AGE}
            task = asyncio.ensure_future(draw())
            self._kept[key] = (now, task)
        return await asyncio.shield(task)
