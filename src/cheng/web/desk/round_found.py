"""Something found on the round: a class, a place, photos; and, when it was put right on the spot, how it looks now."""

import re
import secrets
from typing import Any

from litestar import Response

from cheng.infrastructure.report_book import NewReport, Receipt
from cheng.kernel.classes import CaseClass
from cheng.kernel.flows import Flow
from cheng.security import audit
from cheng.standards.problems import Refused
from cheng.web.desk import words
from cheng.web.desk.acts import ROOM, Evidence, collect, keep
from cheng.web.desk.case import target
from cheng.web.desk.round import STREET, told
from cheng.web.desk.seeing import person
from cheng.web.errors import answer as problem_of
from cheng.web.map.page import ground_told
from cheng.web.pages import Answer, Ask, Form, Page, get, post, see_other

COORDINATES = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*")
FIELDS = {
    "no-text": "text",
    "outside-the-city": "place",
    "no-such-place": "place",
    "no-such-class": "class",
    "too-many-photos": "proof",
    "too-long": "text",
}
"""Why a report was not taken → the field to say it at."""
SENT = ("class", "place", "address", "text", "key")
"""What goes along while it is asked whether it is the same as another."""


@get("/desk/round/found", needs=("enter", "round"))
def found(ask: Ask) -> Page:
    """The form."""
    return found_page(ask, Form(ask))


def found_page(ask: Ask, form: Form, kept: list[str] | None = None, problem: str = "", status: int = 200) -> Page:
    flow = flow_here(ask)
    extra: dict[str, Any] = {
        "form": form,
        "kept": kept or [],
        "problem": problem,
        "classes": class_choices(ask, flow),
        "map": ground_told(ask),
        "once": secrets.token_hex(16),
        "round": told(ask),
    }
    return Page("desk/round_found.html", {"flow": flow.key()}, extra=extra, status=status)


def flow_here(ask: Ask) -> type[Flow]:
    """The flow that handles what is found in the street: one with classes, in which somebody looks on the spot.
    Refused (404) where nothing of the kind is installed."""
    for flow in ask.hub.cases.flows.values():
        if flow.classes and any(set(step.posts).intersection(STREET) for step in flow.steps):
            found: type[Flow] = flow
            return found
    raise Refused("no-such-flow", "Nobody here handles such reports.", status=404)


def class_choices(ask: Ask, flow: type[Flow]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """(big class, its classes as (code, name, whether it may be put right on the spot))."""
    groups: dict[str, list[tuple[str, str, bool]]] = {}
    for one in ask.hub.classes.all(flow.key()):
        group = groups.setdefault(words.said(ask, one.group, one.group_zh), [])
        group.append((one.code, f"{words.named(ask, one)} · {one.code}", on_the_spot(one)))
    return list(groups.items())


def on_the_spot(one: CaseClass) -> bool:
    return any(condition.simple for condition in one.conditions)


@post("/desk/round/found", needs=("report", "case"), request_max_body_size=ROOM)
def reported(ask: Ask) -> Answer:
    """Take the report; the same key again is the same report."""
    ask.require("enter", "round")
    form, flow = Form(ask), flow_here(ask)
    evidence = collect(ask, form)
    report = gather(ask, form, flow, evidence)
    if form.errors or ("back" in ask.form and ask.representation != "json"):
        return came_back(ask, form, evidence, 422 if form.errors else 200)
    same = str(ask.form.get("same") or "")
    if ask.representation != "json" and not same and "new" not in ask.form:
        candidates = alike(ask, report)
        if candidates:
            return near_page(ask, form, evidence, candidates)
    try:
        receipt = file(ask, report, evidence, same)
    except Refused as refused:
        form.errors.setdefault(FIELDS.get(refused.code, ""), ask._(refused.message, **refused.values))
        return came_back(ask, form, evidence, refused.status)
    number = receipt.filed.entry.number
    text = "Your report was added to the case {number}." if same else "Reported under the number {number}."
    sentence = ask._(text, number=number)
    if ask.representation == "json":
        return Response({"number": number, "sentence": sentence})
    return see_other(ask, "/desk/round", sentence)


@post("/desk/round/found/near", needs=("report", "case"), request_max_body_size=ROOM)
def near(ask: Ask) -> Page:
    """For a phone that has a network: what may be the same, before it sends the report. Nothing is taken."""
    ask.require("enter", "round")
    form = Form(ask)
    evidence = collect(ask, form)
    report = gather(ask, form, flow_here(ask), evidence)
    return near_page(ask, form, evidence, alike(ask, report))


def alike(ask: Ask, report: NewReport) -> list[dict[str, Any]]:
    """Cases under way near by of the same class, nearest first, as far as anybody may know of them. What was put right
    on the spot is none of them."""
    one = ask.hub.classes.get(report.flow, report.class_code)
    if one is None or not one.public or report.place is None or report.simple:
        return []
    found = ask.hub.duplicates.is_it_one_of_these(report.place, one.code, report.flow)
    return [
        {
            "number": each.number,
            "name": words.named(ask, one),
            "street": each.street,
            "opened": each.opened,
            "metres": max(50, round(each.away / 50) * 50),
        }
        for each in found
    ]


def near_page(ask: Ask, form: Form, evidence: Evidence, candidates: list[dict[str, Any]]) -> Page:
    """“Is it one of these?”: the report goes along in hidden fields. A phone that asks has it all itself."""
    if not ask.fragment:
        keep(ask, evidence)
    sent = [(name, str(form.value(name))) for name in SENT if form.value(name)]
    sent += [("kept", each) for each in evidence.kept]
    data = {"candidates": candidates}
    return Page("desk/round_near.html", data, extra={"sent": sent}, fragment="near")


def gather(ask: Ask, form: Form, flow: type[Flow], evidence: Evidence) -> NewReport:
    """The report as the fields have it; what is wrong stands beside them."""
    code = form.text("class", required="Please choose what it is.", most=40) or ""
    one = ask.hub.classes.get(flow.key(), code) if code else None
    simple = form.flag("simple")
    before = tuple(piece["blob"] for piece in evidence.pieces if piece["kind"] == "photo")
    if code and one is None:
        form.wrong("class", "Please choose one of these.")
    if simple and one is not None and not on_the_spot(one):
        form.wrong("simple", "This is nothing to be put right by whoever finds it; please report it without that.")
    if simple and len(before) == len(evidence.pieces):
        form.wrong("after", "Please take a photo of how it looks now.")
    if not before:
        form.wrong("proof", "Please take a photo of what you found.")
    return NewReport(
        flow=flow.key(),
        source="collector",
        text=form.text("text", most=4000) or "",
        class_code=code,
        place=place_of(form, evidence),
        address=form.text("address", most=300) or "",
        account=ask.actor.name,
        photos=before,
        key=key_of(ask),
        simple=simple,
        lang=ask.local.language.code,
    )


def key_of(ask: Ask) -> str:
    """What makes a report that is sent twice one report; of this reader alone."""
    given = re.sub(r"[^0-9A-Za-z-]", "", str(ask.form.get("key") or ""))[:80]
    return f"round/{ask.actor.name}/{given or secrets.token_hex(16)}"


def place_of(form: Form, evidence: Evidence) -> tuple[float, float] | None:
    """Longitude and latitude: as they were told, else as the camera noted them."""
    text = form.text("place", most=60)
    if text:
        numbers = COORDINATES.fullmatch(text)
        if numbers and abs(float(numbers[1])) <= 90 and abs(float(numbers[2])) <= 180:
            return float(numbers[2]), float(numbers[1])
        form.wrong("place", "Please write latitude and longitude, for example 29.56012, 106.55034.")
        return None
    noted = next((piece["place"] for piece in evidence.pieces if piece.get("place")), "")
    if not noted:
        form.wrong("place", "Please say where it is: by this phone, on the map, or by a photo that knows its place.")
        return None
    longitude, latitude = map(float, noted.split(","))
    return longitude, latitude


def file(ask: Ask, report: NewReport, evidence: Evidence, same: str = "") -> Receipt:
    """Open the case, or join the one that it is the same as; how it looks afterwards is noted in it. All have keys, so
    that nothing is done twice."""
    actor, now, book = person(ask.actor), ask.hub.clock.now(), ask.hub.reports
    receipt: Receipt = book.follow(same, report) if same else book.file(report, actor)
    after = [piece for piece in evidence.pieces if piece["kind"] == "after"]
    if report.simple and after:
        data = {"text": ask._("Put right on the spot."), "proof": after}
        ask.hub.cases.act(receipt.filed.entry.id, "note", actor, data, key=f"{report.key}/after")
    with ask.hub.store.write() as conn:
        for blob in evidence.blobs:
            ask.hub.blobs.record(conn, blob, ask.actor.name, now)
        detail = {"act": "follow" if same else "open", "source": report.source}
        audit.record(conn, now, ask.actor, "report", target(receipt.filed), address=ask.address, detail=detail)
    return receipt


def came_back(ask: Ask, form: Form, evidence: Evidence, status: int = 422) -> Answer:
    """The form again with what was written; for the phone's queue the sentences alone."""
    keep(ask, evidence)
    problem = form.errors.pop("", "")
    if ask.representation == "json":
        return problem_of(ask, status, "not-complete", " ".join(filter(None, (problem, *form.errors.values()))), {})
    return found_page(ask, form, evidence.kept, problem, status)


routes = [found, reported, near]
