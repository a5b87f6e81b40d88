"""What every door does with a payload: decode, resolve, hand in, and keep aside what cannot be taken."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from cheng.hub import Hub
from cheng.infrastructure.refused_box import Delivery
from cheng.infrastructure.resolving import Scope, resolve
from cheng.kernel.columns import Times
from cheng.kernel.entities import Event
from cheng.kernel.event_judging import event_record
from cheng.kernel.observations import Batch, Events
from cheng.kernel.reports import Reports
from cheng.protocols.decoding import NDJSON, SENML, decode, decode_many
from cheng.protocols.decoding_ndjson import END
from cheng.protocols.decoding_rows import instant
from cheng.security.actors import Actor
from cheng.security.permissions import Target
from cheng.standards.problems import InputError, Refused

SINGLE = "single"
"""The input that readings which come alone by HTTP are counted under."""
SMALL = 4_096
"""Payloads up to this many bytes are decoded in place; larger ones in a thread, so that the others go on."""


@dataclass
class Receipt:
    """The answer to a delivery, after the commit."""

    accepted: int = 0
    marked: int = 0
    refused: list[InputError] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As the doors answer."""
        lines = [{"line": e.line, "code": e.code, "reason": e.reason} for e in self.refused]
        return {"accepted": self.accepted, "marked": self.marked, "refused": lines}


class Intake:
    """One per hub; every door shares it."""

    def __init__(self, hub: Hub, keeps: bool = True) -> None:
        """`keeps`: what is refused is put aside; else whoever asks sees to it."""
        self.hub, self.keeps = hub, keeps
        self._scopes: dict[Actor, Scope] = {}
        """by device"""
        self._keeping = asyncio.Lock()
        self._aside: tuple[list[Delivery], asyncio.Task[None]] | None = None
        """what was refused and waits to be kept, and who will see to it"""

    def warm_up(self) -> None:
        """Has the compiled readers ready before the first delivery; once on a machine it takes some seconds."""
        for nothing, media_type in ((b"", NDJSON), (b"[]", SENML)):
            resolve(decode(nothing, media_type, self.hub.things.meanings)[0], self.hub.things, None)

    def scope(self, actor: Actor) -> Scope | None:
        """For which things the actor may report; None for all. Refused when it may report for none at all."""
        if actor.kind == "device" and actor.has("device"):
            known = self._scopes.get(actor)
            if known is None:
                known = self._scopes[actor] = Scope(self.hub.things, actor.scope.covers, actor.scope.types)
            return known
        self.hub.guard.require(actor, "ingest", Target("thing"))
        return None

    async def take(self, payload: bytes, media_type: str, actor: Actor, door: str) -> Receipt:
        """Readings of a payload, durable when it returns. Refused 403, 429, 503 or 507: nothing was taken."""
        (answer,) = await self.take_many([payload], media_type, actor, door)
        if isinstance(answer, InputError):
            raise answer
        return answer

    async def take_many(
        self, payloads: Sequence[bytes], media_type: str, actor: Actor, door: str
    ) -> list[Receipt | InputError]:
        """What one sender brought in one go, handed in as one batch: for each payload its receipt, durable when this
        returns, or why nothing in it could be understood. A bad payload stops no other. Refused as for `take`.
        """
        began = time.monotonic()
        work = (payloads, media_type, self.scope(actor))
        small = sum(map(len, payloads)) <= SMALL
        batch, answers = self._read(*work) if small else await asyncio.to_thread(self._read, *work)
        if len(batch):
            marked = await asyncio.wrap_future(self.hub.pipeline.submit(batch, actor.name))
            if marked:
                count_marks(answers, batch)
        refused = await self._keep_of(payloads, media_type, answers, actor, door)
        one = door == "http" and len(batch) + refused == 1
        self.hub.inputs.took(SINGLE if one else door, len(batch), refused, time.monotonic() - began)
        return answers

    def take_now(self, reports: Reports, actor: Actor, door: str) -> Receipt:
        """Readings that are columns already; for threads."""
        began = time.monotonic()
        batch, refused = resolve(reports, self.hub.things, self.scope(actor))
        marked = self.hub.pipeline.submit(batch, actor.name).result() if len(batch) else 0
        self.hub.inputs.took(door, len(batch), len(refused), time.monotonic() - began)
        return Receipt(len(batch), marked, refused)

    def _read(
        self, payloads: Sequence[bytes], media_type: str, scope: Scope | None
    ) -> tuple[Batch, list[Receipt | InputError]]:
        """The readings of all payloads, one after the other, and what to answer to each; nothing is marked yet."""
        if len(payloads) == 1:
            return self._read_one(payloads[0], media_type, scope)
        reports, errors, lines = decode_many(payloads, media_type, self.hub.things.meanings)
        batch, refused = resolve(reports, self.hub.things, scope)
        ends = np.cumsum([0 if isinstance(count, InputError) else count for count in lines])
        rows = np.diff(np.searchsorted(reports.line, ends, side="right"), prepend=0).tolist()
        answers = [count if isinstance(count, InputError) else Receipt(n) for count, n in zip(lines, rows, strict=True)]
        for error in refused:
            answer_to(error, answers, ends).accepted -= 1
        for error in sorted([*errors, *refused], key=lambda error: error.line or 0):
            answer_to(error, answers, ends).refused.append(error)
        for answer, count, end in zip(answers, lines, ends.tolist(), strict=True):
            for error in answer.refused if isinstance(answer, Receipt) and isinstance(count, int) else ():
                error.line = (error.line or 1) - (end - count)
        return batch, answers

    def _read_one(
        self, payload: bytes, media_type: str, scope: Scope | None
    ) -> tuple[Batch, list[Receipt | InputError]]:
        """As `_read`, of a payload that came alone, as most do: there is nothing to count and to share out."""
        try:
            reports, errors = decode(payload, media_type, self.hub.things.meanings)
        except InputError as error:
            return Batch.empty(), [error]
        batch, refused = resolve(reports, self.hub.things, scope)
        refused = sorted([*errors, *refused], key=lambda error: error.line or 0)
        for fault in refused:
            fault.line = fault.line or 1
        return batch, [Receipt(len(batch), 0, refused)]

    async def _keep_of(
        self,
        payloads: Sequence[bytes],
        media_type: str,
        answers: Sequence[Receipt | InputError],
        actor: Actor,
        door: str,
    ) -> int:
        """Keeps aside what was refused of some payloads; how much it was."""

        def found() -> list[tuple[InputError, bytes]]:
            return [row for n, answer in enumerate(answers) for row in what_was_sent(payloads[n], media_type, answer)]

        refused = sum(1 if isinstance(answer, InputError) else len(answer.refused) for answer in answers)
        if refused and self.keeps:
            await self._keep((door, actor.name, await asyncio.to_thread(found)))
        return refused

    async def _keep(self, refused: Delivery) -> None:
        """Keeps what was refused: while one write goes on, whatever comes is gathered for the next."""
        if self._aside is None or self._aside[1].done():
            gathered: list[Delivery] = []
            self._aside = gathered, asyncio.ensure_future(self._keep_all(gathered))
        gathered, task = self._aside
        gathered.append(refused)
        await asyncio.shield(task)

    async def _keep_all(self, gathered: list[Delivery]) -> None:
        async with self._keeping:
            self._aside = None
            await asyncio.to_thread(self.hub.refused.keep_all, gathered)

    async def take_events(self, payload: bytes, actor: Actor, door: str) -> Receipt:
        """Events as NDJSON: {"event": "Panic", "time": …, and the fields}. Durable when it returns."""
        began = time.monotonic()
        work = (payload, self.scope(actor))
        small = len(payload) <= SMALL
        events, receipt = self._read_events(*work) if small else await asyncio.to_thread(self._read_events, *work)
        if len(events):
            await asyncio.wrap_future(self.hub.pipeline.submit(events, actor.name))
        refused = await self._keep_of([payload], NDJSON, [receipt], actor, door)
        self.hub.inputs.took(door, len(events), refused, time.monotonic() - began)
        return receipt

    def _read_events(self, payload: bytes, may: Scope | None) -> tuple[Events, Receipt]:
        receipt = Receipt()
        kinds: list[int] = []
        times: list[int] = []
        payloads: list[bytes] = []
        for line, text in enumerate(payload.split(b"\n"), 1):
            if not text.strip():
                continue
            try:
                kind, time, record = self._event(text, may)
            except InputError as error:
                error.line = line
                receipt.refused.append(error)
                continue
            kinds.append(kind)
            times.append(time)
            payloads.append(msgspec.json.encode(record))
        receipt.accepted = len(kinds)
        return Events.of(kinds, times, payloads), receipt

    def _event(self, text: bytes, may: Scope | None) -> tuple[int, int, dict[str, Any]]:
        try:
            sent = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError("not-understood", f"{error}; an event is one JSON object a line") from error
        event = self.hub.model.events.get(str(sent.get("event")))
        if event is None:
            known = ", ".join(self.hub.model.events) or "none"
            raise InputError("unknown-event", f"there is no event {sent.get('event')!r}; known are {known}")
        record, fault = event_record(event, sent)
        if fault:
            raise InputError("bad-event", fault)
        self._check_subject(event, record, may)
        when = sent.get("time")
        if not isinstance(when, (int, float, str)):
            raise InputError("bad-time", "'time' is missing; send ISO 8601 or an epoch number")
        return self.hub.things.event_number(event.__name__), instant(when), record

    def _check_subject(self, event: type[Event], record: dict[str, Any], may: Scope | None) -> None:
        """What happened has to have happened to something that is registered, and that the sender speaks for."""
        subject = event.subject()
        if subject is None:
            if may is not None:
                raise InputError("not-yours", f"{event.__name__} is about no thing; a device may not send it")
            return
        name = str(record[subject.name])
        if may is not None and not may(name):
            raise InputError("not-yours", f"this sender may not report for '{name}'")
        known = self.hub.things.find(name)
        if known is None or known.type != subject.target:
            raise InputError(
                "unknown-thing", f"'{name}' is not registered as {subject.target}; register it, then retry"
            )


def answer_to(error: InputError, answers: Sequence[Receipt | InputError], ends: Times) -> Receipt:
    """The answer to the payload that a line lies in; `ends` are the last lines of the payloads."""
    receipt = answers[int(np.searchsorted(ends, error.line or 1))]
    assert isinstance(receipt, Receipt)
    return receipt


def count_marks(answers: Sequence[Receipt | InputError], batch: Batch) -> None:
    """How many of each payload's readings were marked: they stand one after the other in the batch."""
    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    marked = np.concatenate(([0], np.cumsum(batch.quality != 0)))
    ends = np.cumsum([0, *(receipt.accepted for receipt in receipts)])
    for receipt, count in zip(receipts, np.diff(marked[ends]).tolist(), strict=True):
        receipt.marked = count


def what_was_sent(payload: bytes, media_type: str, answer: Receipt | InputError) -> list[tuple[InputError, bytes]]:
    """What of a payload was refused, each with its reason: lines of NDJSON, otherwise the whole."""
    if isinstance(answer, InputError):
        return [(answer, payload)]
    if not answer.refused:
        return []
    if not media_type.startswith(NDJSON):
        return [(error, payload) for error in answer.refused]
    ends = [-1, *np.flatnonzero(np.frombuffer(payload, np.uint8) == END).tolist(), len(payload)]
    lines = [error.line or 1 for error in answer.refused]
    return [(e, payload[ends[n - 1] + 1 : ends[n]]) for e, n in zip(answer.refused, lines, strict=True)]


def turned_away(error: Exception) -> tuple[int, dict[str, Any]]:
    """HTTP status and problem details (RFC 9457) of a delivery that was not taken."""
    if isinstance(error, InputError):
        status, code, detail = (415 if error.code == "media-type" else 400), error.code, error.reason
    elif isinstance(error, Refused):
        status, code, detail = error.status, error.code, str(error)
    else:
        status, code, detail = 503, "not-durable", "The readings could not be written down; send them again."
    return status, {"type": f"about:blank#{code}", "title": code, "status": status, "detail": detail}
