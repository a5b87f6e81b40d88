"""Open311 GeoReport v2: other people's apps and other cities' systems report here and follow what becomes of it.

By the specification, with these additions: photos in the form field `media`, the header `Idempotency-Key`, and for
lists `page`, `per_page`, `bbox` and `updated_after`. What a client calls `media_url` is kept as words, never fetched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException
from litestar.params import PathParameter

from cheng.hub import Hub
from cheng.infrastructure.report_book import NewReport
from cheng.protocols.filing import Filing
from cheng.protocols.open311_asked import jurisdiction, place, several, wanted
from cheng.protocols.open311_formats import FORMATS, Told, accepted, error, link_header, missing, split, written
from cheng.protocols.open311_requests import SOURCE, Wanted, Words, requests
from cheng.protocols.open311_services import CONDITION, Service, service, services
from cheng.standards.durations import Duration
from cheng.standards.problems import Refused

ROOT = "/open311/v2"
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
OPEN = {"needs": "public", "api": True}
LONGEST_LINK = 500
SENTENCES = {
    413: "This is too large; a photo may have {limit} MB.",
    400: "The request cannot be read; send a form, as the specification says.",
}
Asked = Request[Any, Any, Any]
Name = Annotated[str, PathParameter()]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a client: to which house, with which words, in which language."""

    hub: Hub
    filing: Filing
    words: Words
    query: Mapping[str, str]
    address: str
    base: str
    """where people reach us, without a slash at its end"""
    path: str
    bearer: str = ""
    key: str = ""
    """of the header Idempotency-Key"""


def paths(*names: str) -> list[str]:
    """Addresses without an ending and with each of ours."""
    return [f"{name}{ending}" for name in names for ending in ("", *(f".{form}" for form in FORMATS))]


# -- addresses


@get(paths(f"{ROOT}/discovery", "/open311/discovery"), opt=OPEN)
async def discovery(request: Asked) -> Response[bytes]:
    """Open311 service discovery: where the endpoint lies, its formats, and how a key is had."""
    return await answered(request, request.scope["path"], discovered)


@get(paths(f"{ROOT}/services"), opt=OPEN)
async def service_list(request: Asked) -> Response[bytes]:
    """Open311 service list: what may be reported."""
    return await answered(request, request.scope["path"], listed)


@get(f"{ROOT}/services/{{name:str}}", opt=OPEN)
async def service_definition(request: Asked, name: Name) -> Response[bytes]:
    """Open311 service definition: what is asked about one service; `.json` or `.xml` behind its code."""
    return await answered(request, name, lambda call: defined(call, split(name)[0]))


@get(paths(f"{ROOT}/requests"), opt=OPEN)
async def service_requests(request: Asked) -> Response[bytes]:
    """Open311 service requests: what was reported and what became of it, the last 90 days unless said otherwise."""
    return await answered(request, request.scope["path"], found)


@get(f"{ROOT}/requests/{{name:str}}", opt=OPEN)
async def service_request(request: Asked, name: Name) -> Response[bytes]:
    """Open311 service request: what became of one; `.json` or `.xml` behind its number."""
    return await answered(request, name, lambda call: one(call, split(name)[0]))


@get(f"{ROOT}/tokens/{{name:str}}", opt=OPEN)
async def token(request: Asked, name: Name) -> Response[bytes]:
    """Open311 token: the number of a request. We tell numbers at once, so a token is the number itself."""
    return await answered(request, name, lambda call: numbered(call, split(name)[0]))


@post(paths(f"{ROOT}/requests"), opt=OPEN, status_code=200)
async def file_request(request: Asked) -> Response[bytes]:
    """Open311 new request: a form with `api_key`, `service_code`, `lat` and `long` or an address, `description`, …"""
    try:
        form, photos = await sent(request)
    except HTTPException as failed:
        code = failed.status_code
        return await answered(request, request.scope["path"], lambda call: unread(call, code))
    return await answered(request, request.scope["path"], lambda call: filed(call, form, photos))


# -- an answer and its form


async def answered(request: Asked, name: str, work: Callable[[Call], Told]) -> Response[bytes]:
    """What `work` tells, as the client wants to read it; a refusal as the specification writes errors."""
    form = split(name)[1] or accepted(request.headers.get("accept", ""))
    call = call_of(request)

    def run() -> Told:
        try:
            call.filing.visit(call.address)
            return work(call)
        except Refused as refused:
            return error(refused.status, call.words.say(refused.message, **refused.values))

    told = await anyio.to_thread.run_sync(run)
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    headers |= {"Cross-Origin-Resource-Policy": "cross-origin", "Content-Language": call.words.language.tag}
    if told.links:
        headers["Link"] = link_header(told.links)
    if told.status == 429:
        headers["Retry-After"] = "60"
    content = written(told.root, told.data, form)
    return Response(content, status_code=told.status, media_type=FORMATS[form], headers=headers)


def call_of(request: Asked) -> Call:
    state = request.app.state
    hub: Hub = state.hub
    settings = hub.settings
    filing: Filing | None = state.get("filing")
    if filing is None:
        filing = state["filing"] = Filing(hub)
    chosen, accepted_languages = request.query_params.get("lang"), request.headers.get("accept-language")
    language = state.catalogues.best(chosen, accepted_languages, settings.language)
    base = settings.public_url.rstrip("/") or str(request.base_url).rstrip("/") + settings.root_path
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    return Call(
        hub,
        filing,
        Words(language, settings.zone, hub.clock.now()),
        {name: request.query_params[name] for name in request.query_params},
        request.client.host if request.client else "",
        base,
        request.scope["path"],
        bearer.strip() if kind.lower() == "bearer" else "",
        request.headers.get("idempotency-key", ""),
    )


async def sent(request: Asked) -> tuple[dict[str, str], list[bytes]]:
    """The fields of a form, several values of one joined by commas, and the photos in its field `media`."""
    fields: dict[str, str] = {}
    photos: list[bytes] = []
    for name, value in (await request.form()).multi_items():
        plain = name.removesuffix("[]")
        if isinstance(value, UploadFile):
            content = await value.read()
            if plain == "media" and content:
                photos.append(content)
        else:
            text = str(value).replace("\0", "").strip()
            fields[plain] = f"{fields[plain]},{text}" if plain in fields and text else text or fields.get(plain, "")
    return fields, photos


def unread(call: Call, status: int) -> Told:
    code = status if status in SENTENCES else 400
    limit = call.hub.settings.upload_limit // 1_000_000
    return error(code, call.words.say(SENTENCES[code], limit=limit))


# -- what is told


def discovered(call: Call) -> Told:
    known = services(call.hub, call.words.chinese).values()
    changed = max((each.of.since.isoformat() for each in known), default="")
    city = call.hub.settings.city
    endpoint = {
        "specification": SPECIFICATION,
        "url": call.base + ROOT,
        "changeset": changed,
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    told = {
        "changeset": changed,
        "contact": call.words.say("Ask whoever looks after the information systems of {city}.", city=city),
        "key_service": call.words.say("Keys are given by the operators of {city}: write to them.", city=city),
        "endpoints": [endpoint],
    }
    return Told("discovery", told, {})


def listed(call: Call) -> Told:
    jurisdiction(call.hub, call.query.get("jurisdiction_id", ""))
    return Told("services", [each.told() for each in services(call.hub, call.words.chinese).values()], {})


def defined(call: Call, code: str) -> Told:
    jurisdiction(call.hub, call.query.get("jurisdiction_id", ""))
    asked = service(call.hub, code, call.words.chinese)
    chinese = call.words.chinese
    attributes: list[dict[str, Any]] = []
    if asked.conditions:
        attributes.append(
            {
                "variable": True,
                "code": CONDITION,
                "datatype": "singlevaluelist",
                "required": False,
                "datatype_description": call.words.say("Choose one; leave it open when none fits."),
                "order": 1,
                "description": call.words.say("Which of these is it?"),
                "values": [{"key": key, "name": text} for key, text in asked.conditions.items()],
            }
        )
    for order, each in enumerate(asked.of.conditions, 2):
        values = {
            "condition": each.text_zh if chinese else each.text,
            "closes": each.closes_zh if chinese else each.closes,
        }
        message = "{condition} Done when: {closes} Time for it: {limit}."
        attributes.append(
            {
                "variable": False,
                "code": f"about-{each.id}",
                "datatype": "string",
                "required": False,
                "datatype_description": None,
                "order": order,
                "description": call.words.say(message, **values, limit=limit_of(call.words, each.limit)),
                "values": [],
            }
        )
    return Told("service_definition", {"service_code": asked.code, "attributes": attributes}, {})


def limit_of(words: Words, limit: Duration) -> str:
    return str(words.language.ngettext(f"{{n}} {limit.unit}", f"{{n}} {limit.unit}s", limit.amount))


def found(call: Call) -> Told:
    jurisdiction(call.hub, call.query.get("jurisdiction_id", ""))
    asked = wanted(call.query, call.words.zone, call.words.now)
    for code in asked.codes:
        service(call.hub, code, call.words.chinese)
    told, more = requests(call.hub, asked, call.words)
    return Told("service_requests", told, links(call, asked.page, more))


def links(call: Call, page: int, more: bool) -> dict[str, str]:
    """The pages beside this one."""
    pages = {"first": 1 if page > 1 else 0, "prev": page - 1, "next": page + 1 if more else 0}
    return {
        name: f"{call.base}{call.path}?{urlencode({**call.query, 'page': number})}"
        for name, number in pages.items()
        if number
    }


def one(call: Call, number: str) -> Told:
    jurisdiction(call.hub, call.query.get("jurisdiction_id", ""))
    told, _ = requests(call.hub, Wanted(numbers=(number.replace("\0", ""),)), call.words)
    if not told:
        raise Refused("no-such-request", "There is no request {number}.", {"number": number[:40]}, 404)
    return Told("service_requests", told, {})


def numbered(call: Call, number: str) -> Told:
    one(call, number)
    return Told("service_requests", [{"service_request_id": number, "token": number}], {})


# -- what is filed


def filed(call: Call, form: Mapping[str, str], photos: list[bytes]) -> Told:
    """File a report. The key is looked at before anything else."""
    actor = call.filing.sender(form.get("api_key") or call.query.get("api_key") or call.bearer, call.address)
    jurisdiction(call.hub, form.get("jurisdiction_id", ""))
    if not form.get("service_code"):
        raise missing("service_code")
    asked = service(call.hub, form["service_code"], call.words.chinese)
    point, thing = place(form), form.get("address_id", "")
    if thing and point is None:
        point = place_of(call.hub, thing)
    if point is None and not form.get("address_string"):
        raise missing("lat, long / address_string / address_id")
    report = NewReport(
        asked.flow,
        SOURCE,
        text(call, asked, form),
        asked.code,
        point,
        address=form.get("address_string", ""),
        name=person(form.get("first_name", ""), form.get("last_name", "")),
        phone=form.get("phone", ""),
        email=form.get("email", ""),
        thing_id=thing,
        lang=call.words.language.code,
    )
    entry = call.filing.file(actor, report, photos, call.key, call.address).filed.entry
    due = entry.overall_due or entry.due
    notice = call.words.say("Your report arrived under the number {number}.", number=entry.number)
    if due is not None:
        notice = f"{notice} {call.words.say('Somebody looks at it by {day}.', day=call.words.day(due))}"
    told = {"service_request_id": entry.number, "service_notice": notice, "account_id": None}
    return Told("service_requests", [told], {})


def text(call: Call, asked: Service, form: Mapping[str, str]) -> str:
    """What was written, which condition was chosen, and a link that was given: all of it as words."""
    chosen = []
    for name, value in form.items():
        if not name.startswith("attribute[") or not value:
            continue
        code = name.removeprefix("attribute[").partition("]")[0]
        if code != CONDITION:
            message = "{service} has no attribute {code}."
            raise Refused("no-such-attribute", message, {"service": asked.code, "code": code[:40]}, 400)
        for key in several(form, name):
            if key not in asked.conditions:
                values = {"name": f"attribute[{CONDITION}]", "value": key[:40], "options": ", ".join(asked.conditions)}
                raise Refused("no-such-choice", "{name} is “{value}”; it may be one of {options}.", values, 400)
            chosen.append(asked.conditions[key])
    link = form.get("media_url", "")
    if link and not (link.isprintable() and link.startswith(("https://", "http://")) and len(link) <= LONGEST_LINK):
        raise Refused("not-a-link", "media_url has to be a link that begins with https:// or http://.", {}, 400)
    return "\n".join(part for part in (form.get("description", "") or asked.name, *chosen, link) if part)


def place_of(hub: Hub, thing_id: str) -> tuple[float, float]:
    """Where a thing of the register stands that everybody may know of; Refused (404) when there is none."""
    thing = hub.things.find(thing_id)
    entity = hub.model.entities.get(thing.type) if thing is not None else None
    spot = thing.geometry if thing is not None else None
    if entity is None or not entity.public or spot is None or spot.get("type") != "Point":
        raise Refused("no-such-address", "There is no address_id {id} here.", {"id": thing_id[:40]}, 404)
    longitude, latitude = spot["coordinates"][:2]
    return float(longitude), float(latitude)


def person(first: str, last: str) -> str:
    """A name as people write it: the family first in Chinese."""
    western = f"{first} {last}".strip()
    return western if western.isascii() else f"{last}{first}"


routes = [discovery, service_list, service_definition, service_requests, service_request, token, file_request]
