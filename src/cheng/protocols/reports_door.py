"""The door for front ends: WeChat accounts, the city's app, a hotline's system, whatever hears people.

`POST /ingest/reports` files a report as JSON, `POST /ingest/photos` keeps a picture for one that is still to come, and
`GET /ingest/reports/{number}?secret=` tells whoever knows the word of a report how far it has come.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import anyio.to_thread
import msgspec
from litestar import Request, Response, get, post

from cheng.hub import Hub
from cheng.infrastructure.report_book import NewReport
from cheng.protocols.filing import MOST_PHOTOS, SHA256, Photo
from cheng.protocols.open311 import OPEN, Asked, Call, Name, call_of
from cheng.protocols.open311_requests import standing
from cheng.protocols.open311_services import service, services
from cheng.standards.moments import iso
from cheng.standards.problems import InputError, Refused

SOURCES = ("wechat", "portal", "hotline", "letter", "media", "citizen", "video")
"""Channels that report by this door; collectors, sensors and Open311 have their own."""
WORDS = 200_000
"""Bytes a report may have beside its photos."""
JSON = "application/json; charset=utf-8"


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """A report as a front end sends it."""

    source: str
    text: str = ""
    class_code: str = msgspec.field(default="", name="class")
    place: tuple[float, float] | None = None
    address: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    photos: tuple[str, ...] = ()
    key: str = ""
    external: str = ""
    flow: str = ""
    lang: str = ""


@post("/ingest/reports", opt=OPEN, status_code=201, request_max_body_size=None)
async def file_report(request: Asked) -> Response[bytes]:
    """File a report: its number, the word by which it is found again, and where people follow it."""
    call = call_of(request)
    room = (call.hub.settings.upload_limit * 4 // 3 + 1000) * MOST_PHOTOS + WORDS
    return await answered(request, lambda body: filed(call, body), 201, room)


@post("/ingest/photos", opt=OPEN, status_code=201, request_max_body_size=None)
async def keep_photo(request: Asked) -> Response[bytes]:
    """Keep a picture for a report: its SHA-256, to be named among the report's photos."""
    call = call_of(request)

    def keep(data: bytes) -> dict[str, Any]:
        actor = call.filing.sender(call.bearer, call.address)
        if not data:
            raise Refused("empty", "This file is empty; choose another one.", {}, 422)
        blob = call.filing.keep(actor, data, call.address)
        return {"photo": blob.sha256, "bytes": blob.size, "media_type": blob.media_type}

    return await answered(request, keep, 201, call.hub.settings.upload_limit)


@get("/ingest/reports/{number:str}", opt=OPEN)
async def follow_report(request: Asked, number: Name) -> Response[bytes]:
    """What became of a report, for whoever knows its word: `?secret=`."""
    call = call_of(request)
    return await answered(request, lambda _: followed(call, number, call.query.get("secret", "")), 200, 0)


async def answered(request: Asked, work: Callable[[bytes], dict[str, Any]], status: int, room: int) -> Response[bytes]:
    """What `work` makes of the body, as JSON. What it refuses becomes problem details; see `web.errors`."""
    call = call_of(request)
    call.filing.visit(call.address)
    if request.method == "POST" and not call.bearer:
        await anyio.to_thread.run_sync(call.filing.sender, "", call.address)
    body = await read(request, room) if room else b""
    told = await anyio.to_thread.run_sync(work, body)
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(told), status_code=status, media_type=JSON, headers=headers)


async def read(request: Request[Any, Any, Any], room: int) -> bytes:
    """The body, as far as there is room for it; Refused (413) as soon as it is too long."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > room:
            values = {"limit": f"{room / 1e6:.3g}"}
            raise Refused("too-big", "This is larger than {limit} MB; send smaller photos.", values, 413)
        parts.append(part)
    return b"".join(parts)


def filed(call: Call, body: bytes) -> dict[str, Any]:
    """File what a front end sent. The key is looked at before anything else."""
    actor = call.filing.sender(call.bearer, call.address)
    try:
        sent = msgspec.json.decode(body, type=Sent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("not-understood", f"{error}; a report is one JSON object") from error
    if sent.source not in SOURCES:
        values = {"source": sent.source[:40], "sources": ", ".join(SOURCES)}
        raise Refused("no-such-source", "There is no channel “{source}” here; it may be one of {sources}.", values, 422)
    if not sent.text.strip():
        raise Refused("no-text", "Please say what is wrong.", {}, 422)
    report = NewReport(
        flow_of(call.hub, sent),
        sent.source,
        sent.text,
        class_of(call, sent.class_code),
        sent.place,
        address=sent.address,
        name=sent.name,
        phone=sent.phone,
        email=sent.email,
        external=sent.external,
        lang=sent.lang or call.words.language.code,
    )
    photos = [picture(text) for text in sent.photos]
    receipt = call.filing.file(actor, report, photos, sent.key or call.key, call.address)
    number = receipt.filed.entry.number
    url = f"{call.base}/report/{quote(number)}?key={quote(receipt.secret)}"
    return {"number": number, "secret": receipt.secret, "url": url}


def class_of(call: Call, code: str) -> str:
    """The class itself when people may report it; "" leaves it to whoever accepts the report."""
    if not code:
        return ""
    try:
        return service(call.hub, code, call.words.chinese).of.code
    except Refused:
        raise Refused(
            "no-such-class", "There is no class {code} that people report.", {"code": code[:40]}, 422
        ) from None


def flow_of(hub: Hub, sent: Sent) -> str:
    """The flow that the report is for: the one named, that of its class, or the first that takes reports."""
    flows = [key for key, flow in hub.cases.flows.items() if flow.classes]
    if sent.flow and sent.flow not in flows:
        raise Refused("no-such-flow", "Nobody here handles such reports.", {}, 404)
    known = services(hub, chinese=False)
    if sent.flow or sent.class_code in known:
        return sent.flow or known[sent.class_code].flow
    if not flows:
        raise Refused("no-such-flow", "Nobody here handles such reports.", {}, 404)
    return flows[0]


def picture(text: str) -> Photo:
    """A photo in base64, with or without what an address of data has before it; or the name of one that was brought."""
    if SHA256.fullmatch(text):
        return text
    head, comma, rest = text.partition(",")
    try:
        data = base64.b64decode(rest if comma and head.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        message = "A photo is sent in base64, or named by the SHA-256 that its own delivery was answered with."
        raise Refused("not-base64", message, {}, 422)
    return data


def followed(call: Call, number: str, secret: str) -> dict[str, Any]:
    """How far a report has come. Refused (404) in the same words whether number or word is wrong."""
    entry = call.hub.reports.find(number, secret).entry
    zone = call.words.zone
    return {
        "number": number,
        "goes_on_in": entry.number,
        "state": entry.state,
        "step": entry.step,
        "notes": standing(entry, call.words),
        "agency": ", ".join(call.words.say(name) for name in entry.departments),
        "reported": iso(entry.opened, zone),
        "due": iso(entry.overall_due or entry.due, zone),
        "closed": iso(entry.closed, zone),
    }


PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
EXAMPLE = (
    '{"source":"wechat","text":"路灯不亮","class":"C0201","place":[106.55,29.56],"address":"滨江路 12 号",'
    '"name":"周敏","phone":"13800000000","photos":["/9j/4AAQ…"],"key":"wx-20261120-7"}'
)


def _post(summary: str, media: str, example: str, answer: str) -> dict[str, Any]:
    told = {"201": answer, "400": "It cannot be read.", "403": "No key, or one that files no reports."}
    told |= {"413": "Too large.", "422": "Something is missing or not right; the sentence says what."}
    told |= {"429": "Too often; come again after Retry-After seconds."}
    return {
        "summary": summary,
        "tags": ["ingest"],
        "security": [{"token": []}],
        "requestBody": {
            "required": True,
            "content": {media: {"schema": {"type": "string", "format": "binary", "example": example}}},
        },
        "responses": {
            code: {"description": text} | ({} if code == "201" else {"content": PROBLEM}) for code, text in told.items()
        },
    }


openapi_paths = {
    "/ingest/reports": {
        "post": _post("A report of somebody", "application/json", EXAMPLE, "Filed: {number, secret, url}.")
    },
    "/ingest/photos": {
        "post": _post(
            "A photo for a report", "image/jpeg", "…", "Kept: {photo, bytes, media_type}; photo is its SHA-256."
        )
    },
}
routes = [file_report, keep_photo, follow_report]
