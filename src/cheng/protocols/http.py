"""The HTTP door for devices: POST /ingest/observations and /ingest/events. Answers come after the commit.

A plain ASGI application in front of the pages: a reading that comes alone should cost no more than it must.
"""

import asyncio
import gzip
import logging
import secrets
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.exc import OperationalError

from cheng.hub import Hub
from cheng.protocols.decoding import DECODERS, NDJSON
from cheng.protocols.http_heads import EVENTS, OBSERVATIONS, may_report, thing_of
from cheng.protocols.http_state import States
from cheng.protocols.intake import Intake, Receipt, turned_away
from cheng.security.actors import ANONYMOUS, Actor
from cheng.standards.problems import InputError, Refused

log = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers and content."""
LONGEST = 64 * 1024 * 1024
"""Bytes of one delivery, after unpacking."""
LARGE, MANY = 1 << 20, 200
"""Bytes of a body, and lines refused, beyond which they are the work of a thread."""
JSON = b"application/json"
PROBLEM = b"application/problem+json"
TOO_LONG = "One delivery may be up to 64 MB; send it in parts."


INCIDENT = (
    "Something went wrong on our side; it has been written down under the number {incident}. "
    "Nobody can say how much of this was taken: look there, then send it again."
)
REFUSED = "refused: [{line, code, reason}]"
PEOPLE = ("/ingest/reports", "/ingest/photos")
"""Below these people are heard, not devices: `reports_door` answers there."""


def _operation(
    summary: str, types: tuple[str, ...], example: str, answer: str = f"Durable: {{accepted, marked, {REFUSED}}}."
) -> dict[str, Any]:
    told = {"type": "string", "format": "binary", "example": example}
    answers = {
        "200": answer,
        "400": "Nothing in it could be understood; it is kept aside.",
        "401": "No valid token.",
        "403": "The role of the token does not include this.",
        "413": "Longer than 64 MB, unpacked.",
        "415": "A media type or packing that is not taken here.",
        "429": "Too much is waiting; come again after Retry-After seconds.",
        "500": "Our mistake; the number of the incident is told.",
        "503": "It could not be made durable; send it again.",
        "507": "There is no room; nothing was taken.",
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "summary": summary,
        "tags": ["ingest"],
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": {media: {"schema": told} for media in types}},
        "responses": {
            code: {"description": text} | ({} if code == "200" else {"content": problem})
            for code, text in answers.items()
        },
    }


READING = '{"id":"cover-1","attr":"tilt","time":"2026-11-20T08:00:00+08:00","value":3.5}'
EVENT = '{"event":"Panic","time":1795132800000,"button":"button-1","way":"pressed"}'
THING = '{"id":"cover-7","type":"Cover","geometry":{"type":"Point","coordinates":[106.55,29.56]}}'
ROWS = '{"file":"covers.csv","rows":[{"line":4,"code":"no-id","reason":"it has no id","payload":",One,North"}]}'
openapi_paths = {
    "/ingest/observations": {"post": _operation("Readings, acknowledged when durable", tuple(DECODERS), READING)},
    "/ingest/events": {"post": _operation("Events, one JSON object a line", (NDJSON,), EVENT)},
    "/ingest/things": {
        "post": _operation(
            "Things for the register, one JSON object a line",
            (NDJSON,),
            THING,
            f"Registered: {{added, changed, unchanged, {REFUSED}}}.",
        )
    },
    "/ingest/refused": {
        "post": _operation(
            "Rows of a file that could not be read, to be kept aside", (JSON.decode(),), ROWS, "Kept: {kept}."
        )
    },
}
"""What stands in /api/openapi.json of doors that are outside the pages."""


class HttpDoor:
    """Answers /ingest/… and /api/things/…/state; hands everything else to `others`."""

    def __init__(self, hub: Hub, others: Asgi) -> None:
        self.hub, self.others = hub, others
        self.intake = Intake(hub)
        self.states = States(hub)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(self.hub.settings.root_path)
        if scope["type"] != "http" or not ours(path):
            await self.others(scope, receive, send)
            return
        try:
            answer = self._tell if thing_of(path) else self._answer
            status, headers, content = await answer(path, scope, receive)
        except Exception as error:
            await tell_problem(send, error)
        else:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

    async def _tell(self, path: str, scope: Scope, _: Receive) -> Answer:
        """The state of a thing, to whoever may see it; without a token what everybody may see."""
        headers = dict(scope["headers"])
        if scope["method"] not in ("GET", "HEAD"):
            raise Refused("method", "Ask for a state by GET.", status=405)
        actor = self._actor(headers) if b"authorization" in headers else ANONYMOUS
        name = thing_of(path)
        found = self.states.answer(actor, name, headers.get(b"if-none-match", b"").decode("latin-1"))
        if found is None:
            raise await asyncio.to_thread(self.states.refusal, actor, name)
        return found

    async def _answer(self, path: str, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            raise Refused("method", "Send readings by POST.", status=405)
        actor = self._actor(headers)
        if path not in (OBSERVATIONS, EVENTS):
            raise Refused("not-there", "There is no such door; send to /ingest/observations.", status=404)
        if not may_report(actor):
            await asyncio.to_thread(self.intake.scope, actor)
        content = await self.take(path, await body(receive, headers), headers, actor)
        return 200, headers_of(200, JSON, len(content)), content

    async def take(self, path: str, parts: Sequence[bytes], headers: Mapping[bytes, bytes], actor: Actor) -> bytes:
        """The answer to what was posted to OBSERVATIONS or EVENTS, when it is durable. Refused and InputError as
        answered. The loop is not held by what is large: that is joined, unpacked, decoded and told in threads."""
        self.hub.pipeline.inbox.check(actor.name)
        large = sum(map(len, parts)) > LARGE
        payload = await asyncio.to_thread(b"".join, parts) if large else b"".join(parts)
        receipt = await self._take(path, payload, headers, actor)
        if len(receipt.refused) > MANY:
            return await asyncio.to_thread(told, receipt)
        return told(receipt)

    async def _take(self, path: str, payload: bytes, headers: Mapping[bytes, bytes], actor: Actor) -> Receipt:
        encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        if encoding not in ("", "identity"):
            payload = await asyncio.to_thread(unpacked, payload, encoding)
        if path == EVENTS:
            return await self.intake.take_events(payload, actor, "http")
        return await self.intake.take(payload, media_type(headers), actor, "http")

    def _actor(self, headers: dict[bytes, bytes]) -> Actor:
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        actor = self.hub.tokens.actor(token.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            raise Refused("token", "Send a valid token: Authorization: Bearer cheng_…", status=401)
        return actor


def ours(path: str) -> bool:
    """Whether this door answers there."""
    return (path.startswith("/ingest/") and not path.startswith(PEOPLE)) or bool(thing_of(path))


def media_type(headers: Mapping[bytes, bytes]) -> str:
    return headers.get(b"content-type", NDJSON.encode()).decode("latin-1")


def problem_of(error: Exception) -> tuple[int, bytes]:
    """Status and problem details in the form of the pages; what nobody expected gets a number, the log its trace."""
    extra: dict[str, Any] = {}
    if isinstance(error, (InputError, Refused)):
        status, problem = turned_away(error)
        extra["code"] = error.code
    elif isinstance(error, (OSError, OperationalError)):
        log.error("a delivery could not be written down", exc_info=error)
        status, problem = turned_away(error)
        extra["code"] = problem["title"]
    else:
        incident = secrets.token_hex(4)
        log.error("incident %s: a delivery failed", incident, exc_info=error)
        status, problem = 500, {"title": "incident", "detail": INCIDENT.format(incident=incident)}
        extra |= {"code": "incident", "incident": incident}
    problem |= {"type": f"urn:cheng:problem:{extra['code']}", "status": status, **extra}
    return status, msgspec.json.encode(problem)


async def tell_problem(send: Send, error: Exception) -> None:
    status, problem = problem_of(error)
    await respond(send, status, PROBLEM, problem)


def told(receipt: Receipt) -> bytes:
    return msgspec.json.encode(receipt.told())


async def body(receive: Receive, headers: Mapping[bytes, bytes]) -> list[bytes]:
    """The whole request body, in parts; Refused 413 when it is longer than LONGEST, at once when it says so itself."""
    if int(headers.get(b"content-length", b"0")) > LONGEST:
        raise Refused("too-long", TOO_LONG, status=413)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("gone", "The sender hung up.", status=400)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LONGEST:
            raise Refused("too-long", TOO_LONG, status=413)
        more = message.get("more_body", False)
    return parts


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


def headers_of(status: int, media_type: bytes, length: int) -> list[tuple[bytes, bytes]]:
    """What every answer of this door carries."""
    headers = [(b"content-type", media_type), (b"content-length", b"%d" % length)]
    headers += [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
    if status in (429, 503):
        headers.append((b"retry-after", b"1"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return headers


async def respond(send: Send, status: int, media_type: bytes, content: bytes) -> None:
    headers = headers_of(status, media_type, len(content))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
