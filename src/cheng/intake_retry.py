"""Sending a refused payload again: mended by an operator, taken by the same door's rules as any other.

`serve` gives the hub this function (`hub.retry = retry_of(hub)`), because pages and doors do not know each other.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cheng.beside import Retry
from cheng.hub import Hub
from cheng.infrastructure.refused_box import Kept
from cheng.infrastructure.registration import NewThing
from cheng.protocols.decoding import NDJSON
from cheng.protocols.intake import Intake, Receipt, what_was_sent
from cheng.security.actors import Actor
from cheng.security.permissions import Target
from cheng.standards.problems import InputError

SENML = "application/senml+json"
ROOT = "cheng"
"""Where topics of things begin."""
AGAIN = ", again"
"""What stands behind the door by which a payload came first."""
ROW = msgspec.json.Decoder(NewThing)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def retry_of(hub: Hub) -> Retry:
    """Takes a kept payload, what it was mended to, and who sends it; the receipt as the doors answer it, of a row for
    the register with what became of it beside: {"added", "changed", "unchanged"}.

    Call it from a thread. Refused, InputError as the doors raise them: nothing was taken then. What is refused of a
    payload is put aside anew, unless nothing of it was taken: then the old one stays as it is.
    """
    intake = Intake(hub, keeps=False)

    def retry(kept: Kept, payload: bytes, actor: Actor, /) -> dict[str, Any]:
        door = kept.door if kept.door.endswith(AGAIN) else f"{kept.door}{AGAIN}"
        payload = as_lines(payload, kept.at)
        if is_thing(payload):
            hub.guard.require(actor, "load", Target("thing"))
            return register(hub, payload, actor, door)
        media_type = media_type_of(payload)
        if is_event(payload):
            receipt = asyncio.run(intake.take_events(payload, actor, door))
        else:
            receipt = asyncio.run(intake.take(payload, media_type, actor, door))
        if receipt.accepted:
            hub.refused.keep(door, actor.name, what_was_sent(payload, media_type, receipt))
        return receipt.told()

    return retry


def register(hub: Hub, payload: bytes, actor: Actor, door: str) -> dict[str, Any]:
    """Rows for the register, one JSON object a line."""
    lines = payload.split(b"\n")
    rows, refused = list[NewThing](), list[InputError]()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = ROW.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused.append(InputError("not-understood", str(error), number))
            continue
        row.line = number
        rows.append(row)
    outcome = hub.things.put(rows, actor.name)
    refused += outcome.refused
    taken = outcome.added + outcome.changed + outcome.unchanged
    if taken:
        hub.refused.keep(door, actor.name, [(error, lines[(error.line or 1) - 1]) for error in refused])
    counts = {"added": outcome.added, "changed": outcome.changed, "unchanged": outcome.unchanged}
    return Receipt(taken, 0, refused).told() | counts


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


def is_thing(payload: bytes) -> bool:
    """Whether the first line is a row for the register: it has a type, and is neither reading nor event."""
    try:
        first = msgspec.json.decode(payload.lstrip().split(b"\n", 1)[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(first, dict) and {"id", "type"} <= first.keys() and not {"attr", "event"} & first.keys()


def is_event(payload: bytes) -> bool:
    """Whether the first line is the record of something that happened, not a reading."""
    first = payload.lstrip().split(b"\n", 1)[0]
    return b'"event"' in first and b'"attr"' not in first
