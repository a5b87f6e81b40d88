"""Readings that come one by one, from many senders: found in the register without columns, handed in together.

A number or a label of a registered thing is the rule; it costs a few look-ups here. Everything else (strangers, units,
positions, what is wrong) goes the general way, `resolving`, which gives the same batch and knows the reasons.
"""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any

import msgspec
import numpy as np

from cheng.hub import Hub
from cheng.infrastructure.resolving import Scope
from cheng.infrastructure.things import Things
from cheng.kernel.entities import Choice, Track
from cheng.kernel.observations import Batch
from cheng.protocols.decoding_rows import LINE, instant
from cheng.protocols.intake import SINGLE
from cheng.standards.problems import InputError

Column = tuple[int, dict[str, int] | None]
"""The number of an attribute and, of a choice, its codes by label."""
ENOUGH, MOMENT = 16, 0.001
"""Readings that are a lot at once, and seconds that fewer wait for more."""
Done = Callable[[int | Exception], None]
"""Is told whether the reading was marked (1) or not (0) when it is durable, or why it is not."""


class Rows:
    """Single readings on the way to a batch."""

    __slots__ = ("attr", "thing", "time", "value")

    def __init__(self) -> None:
        self.thing: list[int] = []
        self.attr: list[int] = []
        self.time: list[int] = []
        self.value: list[float] = []

    def __len__(self) -> int:
        return len(self.thing)

    def cut(self, size: int) -> None:
        """Forgets all but the first `size` of them."""
        for column in (self.thing, self.attr, self.time, self.value):
            del column[size:]

    def batch(self) -> Batch:
        return Batch(
            np.array(self.thing, np.int32),
            np.array(self.attr, np.int32),
            np.array(self.time, np.int64),
            np.array(self.value, np.float64),
            np.full(len(self.thing), np.nan),
            np.zeros(len(self.thing), np.uint16),
        )


class Places:
    """Where single readings belong."""

    def __init__(self, things: Things) -> None:
        self.things = things
        self._columns: dict[tuple[str, str], Column | None] = {}

    def add(self, rows: Rows, name: str, attr: str, time: int, said: Any) -> bool:
        """Puts a reading into the rows; False when it has to go the general way."""
        thing = self.things.find(name)
        if thing is None:
            return False
        try:
            column = self._columns[thing.type, attr]
        except KeyError:
            column = self._find(thing.type, attr)
        if column is None:
            return False
        number, codes = column
        if codes is not None:
            said = codes.get(said) if type(said) is str else None
        if (type(said) is not float and type(said) is not int) or not math.isfinite(said):
            return False
        rows.thing.append(thing.idx)
        rows.attr.append(number)
        rows.time.append(time)
        rows.value.append(said)
        return True

    def _find(self, kind: str, attr: str) -> Column | None:
        """The column of a declared attribute; None for the general way, which may declare it any moment."""
        number = self.things.attributes.get((kind, attr))
        field = self.things.fields[number] if number is not None else None
        if number is None or field is None:
            return None
        column = (number, self.things.codes(number) if isinstance(field, Choice) else None)
        found = self._columns[kind, attr] = None if isinstance(field, Track) else column
        return found


class Singles:
    """Gathers single readings: while one lot is judged and written, those that come in are the next one.

    The more there is to do, the larger the lots and the less each reading costs. A small lot waits a moment for those
    who were just answered, who often come again at once: so few clients do not become two halves, each a lot of its
    own, that take turns. Belongs to the loop's thread.
    """

    def __init__(self, hub: Hub, sender: str) -> None:
        self.hub, self.sender = hub, sender
        self.places = Places(hub.things)
        self._rows, self._done = Rows(), list[Done]()
        self._under_way = self._called = False
        self._expected = 0
        """how many are likely to come together"""
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        """when the first of them came"""

    def add(self, payload: bytes, may: Scope | None, done: Done) -> bool:
        """Takes the one line of NDJSON that a payload is; False when it has to go the general way."""
        try:
            said = LINE.decode(payload)
            time = instant(said.time)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InputError):
            return False
        if said.unit or (may is not None and not may(said.id)):
            return False
        if not self.places.add(self._rows, said.id, said.attr, time, said.value):
            return False
        if not self._done:
            self._since = monotonic()
        self._done.append(done)
        self._call()
        return True

    def _call(self) -> None:
        if not self._done or self._called or self._under_way:
            return
        if len(self._done) >= min(self._expected, ENOUGH):
            self._called = True
            asyncio.get_running_loop().call_soon(self._start)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(MOMENT, self._lapse)

    def _lapse(self) -> None:
        """Nobody else came."""
        self._timer, self._expected = None, 0
        self._call()

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._called, self._timer = False, None
        batch, done, since = self._rows.batch(), self._done, self._since
        self._rows, self._done = Rows(), []
        try:
            future = self.hub.pipeline.submit(batch, self.sender)
        except Exception as error:
            tell(done, error)
            return
        self._under_way = True
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda future: loop.call_soon_threadsafe(self._answer, future, batch, done, since))

    def _answer(self, future: "Future[int]", batch: Batch, done: list[Done], since: float) -> None:
        self._under_way = False
        self._expected = len(done) + len(self._done)
        error = future.exception()
        if isinstance(error, Exception):
            tell(done, error)
        elif future.result():
            for one, marked in zip(done, (batch.quality != 0).tolist(), strict=True):
                one(int(marked))
        else:
            for one in done:
                one(0)
        if error is None:
            self.hub.inputs.took(SINGLE, len(done), seconds=monotonic() - since)
        self._call()


def tell(done: list[Done], error: Exception) -> None:
    for one in done:
        one(error)
