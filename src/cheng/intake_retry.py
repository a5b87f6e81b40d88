"""Sending a refused payload again: mended by an operator, taken by the same door's rules as any other.

`serve` gives the hub this function (`hub.retry = retry_of(hub)`), because pages and doors do not know each other.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cheng.hub import Hub
from cheng.infrastructure.refused_box import Kept
from cheng.protocols.decoding import NDJSON
from cheng.protocols.intake import Intake
from cheng.security.actors import Actor

Retry = Callable[[Kept, bytes, Actor], dict[str, Any]]
SENML = "application/senml+json"
ROOT = "cheng"
"""Where topics of things begin."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def retry_of(hub: Hub) -> Retry:
    """Takes a kept payload, what it was mended to, and who sends it; the receipt as the doors answer it.

    Call it from a thread. Refused, InputError as the doors raise them: nothing was taken then.
    """
    intake = Intake(hub)

    def retry(kept: Kept, payload: bytes, actor: Actor) -> dict[str, Any]:
        door = f"{kept.door}, again"[:40]
        payload = as_lines(payload, kept.at)
        if is_event(payload):
            return asyncio.run(intake.take_events(payload, actor, door)).told()
        return asyncio.run(intake.take(payload, media_type_of(payload), actor, door)).told()

    return retry


def as_lines(payload: bytes, at: int) -> bytes:
    """What came by MQTT is kept as `topic payload`: the same as NDJSON, at the time it came unless it says another.

    Anything else is left alone.
    """
    topic, _, body = payload.partition(b" ")
    levels = topic.decode("utf-8", "replace").split("/")
    if levels[0] != ROOT or len(levels) not in (2, 3):
        return payload
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = body.decode("utf-8", "replace")
    time = EPOCH + timedelta(microseconds=at)
    values: dict[str, Any] = {levels[2]: said} if len(levels) == 3 else dict(said) if isinstance(said, dict) else {}
    told = values.pop("time", None) if len(levels) == 2 else None
    rows = [{"id": levels[1], "attr": attr, "time": told or time.isoformat(), "value": v} for attr, v in values.items()]
    return b"\n".join(msgspec.json.encode(row) for row in rows) or payload


def media_type_of(payload: bytes) -> str:
    """What a payload is by its first sign: a list is SenML, everything else a line of NDJSON."""
    return SENML if payload.lstrip().startswith(b"[") else NDJSON


def is_event(payload: bytes) -> bool:
    """Whether the first line is the record of something that happened, not a reading."""
    first = payload.lstrip().split(b"\n", 1)[0]
    return b'"event"' in first and b'"attr"' not in first
