"""The HTTP door for devices: POST /ingest/observations and /ingest/events. Answers come after the commit.

A plain ASGI application in front of the pages: a reading that comes alone should cost no more than it must.
"""

import gzip
import logging
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from cheng.hub import Hub
from cheng.protocols.decoding import DECODERS, NDJSON
from cheng.protocols.intake import Intake, Receipt, turned_away
from cheng.security.actors import Actor
from cheng.standards.problems import InputError, Refused

log = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
LONGEST = 64 * 1024 * 1024
"""Bytes of one delivery, after unpacking."""
JSON = b"application/json"
PROBLEM = b"application/problem+json"


def _operation(summary: str, types: tuple[str, ...], example: str) -> dict[str, Any]:
    told = {"type": "string", "format": "binary", "example": example}
    answers = {
        "200": "Durable: {accepted, marked, refused: [{line, code, reason}]}.",
        "400": "Nothing in it could be understood; it is kept aside.",
        "401": "No valid token.",
        "413": "Longer than 64 MB, unpacked.",
        "415": "A media type or packing that is not taken here.",
        "429": "Too much is waiting; come again after Retry-After seconds.",
        "503": "It could not be made durable; send it again.",
    }
    return {
        "summary": summary,
        "tags": ["ingest"],
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": {media: {"schema": told} for media in types}},
        "responses": {code: {"description": text} for code, text in answers.items()},
    }


READING = '{"id":"cover-1","attr":"tilt","time":"2026-11-20T08:00:00+08:00","value":3.5}'
EVENT = '{"event":"Panic","time":1795132800000,"button":"button-1","way":"pressed"}'
openapi_paths = {
    "/ingest/observations": {"post": _operation("Readings, acknowledged when durable", tuple(DECODERS), READING)},
    "/ingest/events": {"post": _operation("Events, one JSON object a line", (NDJSON,), EVENT)},
}
"""What stands in /api/openapi.json of doors that are outside the pages."""


class HttpDoor:
    """Answers /ingest/…; hands everything else to `others`."""

    def __init__(self, hub: Hub, others: Asgi) -> None:
        self.hub, self.others = hub, others
        self.intake = Intake(hub)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith("/ingest/"):
            await self.others(scope, receive, send)
            return
        try:
            receipt = await self._answer(scope, receive)
        except (InputError, Refused) as error:
            await self._problem(send, error)
        except Exception as error:
            log.exception("a delivery failed")
            await self._problem(send, error)
        else:
            await respond(send, 200, JSON, msgspec.json.encode(receipt.told()))

    async def _answer(self, scope: Scope, receive: Receive) -> Receipt:
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            raise Refused("method", "Send readings by POST.", status=405)
        actor = self._actor(headers)
        if scope["path"] not in ("/ingest/observations", "/ingest/events"):
            raise Refused("not-there", "There is no such door; send to /ingest/observations.", status=404)
        payload = unpacked(await body(receive), headers.get(b"content-encoding", b"").decode("latin-1"))
        if scope["path"] == "/ingest/events":
            return await self.intake.take_events(payload, actor, "http")
        media_type = headers.get(b"content-type", NDJSON.encode()).decode("latin-1")
        return await self.intake.take(payload, media_type, actor, "http")

    def _actor(self, headers: dict[bytes, bytes]) -> Actor:
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        actor = self.hub.tokens.actor(token.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            raise Refused("token", "Send a valid token: Authorization: Bearer cheng_…", status=401)
        return actor

    async def _problem(self, send: Send, error: Exception) -> None:
        status, problem = turned_away(error)
        await respond(send, status, PROBLEM, msgspec.json.encode(problem))


async def body(receive: Receive) -> bytes:
    """The whole request body; Refused 413 when it is longer than LONGEST."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("gone", "The sender hung up.", status=400)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LONGEST:
            raise Refused("too-long", "One delivery may be up to 64 MB; send it in parts.", status=413)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def unpacked(payload: bytes, encoding: str) -> bytes:
    """The payload without its gzip; never more than LONGEST bytes come out."""
    if encoding in ("", "identity"):
        return payload
    if encoding != "gzip":
        raise Refused("encoding", "Send readings plain or packed with gzip.", status=415)
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(payload, LONGEST)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError("not-understood", f"this is no gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise Refused("too-long", "One delivery may be up to 64 MB unpacked; send it in parts.", status=413)
    return plain


async def respond(send: Send, status: int, media_type: bytes, content: bytes) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(content)).encode())]
    headers += [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
    if status in (429, 503):
        headers.append((b"retry-after", b"1"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
