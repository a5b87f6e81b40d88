"""Report a problem: a photo, a place and a sentence; from a phone, without an account, without JavaScript."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from cheng.infrastructure.report_book import NewReport, Receipt
from cheng.standards.problems import Refused
from cheng.web.map.page import ground_told
from cheng.web.pages import PUBLIC, Answer, Ask, Form, Page, get, post, see_other
from cheng.web.point import point
from cheng.web.portal.kinds import Kind, grouped, kinds, reporting
from cheng.web.portal.near import alike
from cheng.web.portal.snapshots import MOST, Place, Snapshots, collect

ROOM = 62_000_000
"""Bytes of one form with its photos; each photo has the house's own limit."""
LONGEST = 2000
TRAP = "website"
"""A field that no person sees; programs that fill in whatever they find fill it in, too."""
PHONE = re.compile(r"\+?[\d\s()（）-]{5,24}")
ORDER = ("text", "photos", "place", "address", "class", "name", "phone", TRAP)
"""The fields as they stand on the page."""
BESIDE = {
    "outside-the-city": "place",
    "no-such-place": "place",
    "no-text": "text",
    "no-such-class": "class",
    "no-file": "photos",
}
"""Why a report was not taken → the field to say it at."""


@dataclass
class Told:
    """What a form says, as far as it could be read."""

    flow: str
    text: str
    kind: Kind | None
    place: Place | None
    address: str
    name: str
    phone: str
    photos: Snapshots


@get(
    "/report",
    needs=PUBLIC,
    entry="Report a problem",
    about="A broken cover, rubbish, a dark lamp: tell us with a photo and a place, and see what becomes of it.",
    icon="camera",
    order=5,
    section="portal",
)
def report(ask: Ask) -> Page:
    """The form; `?class=` chooses what it is about, for a link or a printed code."""
    return report_page(ask, Form(ask, {"class": ask.query("class")}), Snapshots())


def report_page(ask: Ask, form: Form, photos: Snapshots, status: int = 200, again: bool = False) -> Page:
    """The form, with everything that was filled in already; `again` makes it another report than the one before."""
    found = kinds(ask)
    once = ("" if again else str(form.value("key"))) or secrets.token_hex(16)
    rows = [{"code": each.code, "name": each.name, "group": each.group} for each in found.values()]
    data: dict[str, Any] = {"classes": rows, "most_photos": MOST, "open": bool(reporting(ask))}
    form.errors = {name: form.errors[name] for name in ORDER if name in form.errors}
    if form.errors:
        data["errors"] = form.errors
    extra = {
        "form": form,
        "groups": grouped(found.values()),
        "kept": photos.kept,
        "once": once,
        "trap": TRAP,
        "longest": LONGEST,
        "map": ground_told(ask),
    }
    return Page("portal/report.html", data, extra=extra, status=status)


@post("/report", needs=PUBLIC, request_max_body_size=ROOM)
def send(ask: Ask) -> Answer:
    """Take the report; or show it again with what is wrong, or with what may be the same."""
    form = Form(ask)
    if refused := too_many(ask, form, "form"):
        return refused
    photos = collect(ask, form)
    told = read(ask, form, photos)
    if form.errors or "back" in ask.form:
        return report_page(ask, form, photos, 422 if form.errors else 200)
    if not settled(ask) and told.kind is not None and told.place is not None:
        candidates = alike(ask, told.kind, told.place)
        if candidates:
            return near_page(ask, form, told, candidates)
    if refused := too_many(ask, form, "report", photos):
        return refused
    try:
        receipt = take(ask, told)
    except Refused as error:
        return not_taken(ask, form, photos, error)
    return thanks(ask, receipt)


def not_taken(ask: Ask, form: Form, photos: Snapshots, refused: Refused) -> Page:
    """The form with the reason. What was sent once and changed since needs a key of its own to be another report."""
    if refused.code in ("key-used", "bad-key"):
        form.wrong("text", "A report was sent from this page already. If this is another one, please send it now.")
        return report_page(ask, form, photos, refused.status, again=True)
    form.wrong(BESIDE.get(refused.code, "text"), refused.message, **refused.values)
    return report_page(ask, form, photos, refused.status)


def settled(ask: Ask) -> bool:
    """Whether it was said already if this is one of those that are known."""
    return bool(ask.form.get("same") or ask.form.get("new"))


def thanks(ask: Ask, receipt: Receipt) -> Answer:
    """To the page of the report, by an address that only who sent it knows."""
    number = receipt.filed.entry.number
    return see_other(ask, f"/report/{number}", "Thank you. Your report has arrived.", key=receipt.secret)


def too_many(ask: Ask, form: Form, kind: str, photos: Snapshots | None = None) -> Page | None:
    """The form again for an address from which far too much comes; None for everybody else."""
    try:
        ask.request.app.state.limits.count(kind, ask.address, ask.now)
    except Refused as refused:
        form.wrong("text", refused.message, **refused.values)
        page = report_page(ask, form, photos or Snapshots(), refused.status)
        page.headers["Retry-After"] = str(60 * int(refused.values["minutes"]))
        return page
    return None


def near_page(ask: Ask, form: Form, told: Told, candidates: list[dict[str, Any]]) -> Page:
    """“Is it one of these?”: the report goes along in hidden fields."""
    names = ("text", "class", "place", "address", "name", "phone", "key")
    sent = [(name, str(form.value(name))) for name in names if form.value(name)]
    sent += [("kept", each) for each in told.photos.kept]
    return Page("portal/near.html", {"candidates": candidates}, extra={"sent": sent})


# -- reading the form


def read(ask: Ask, form: Form, photos: Snapshots) -> Told:
    """What was filled in; what is wrong stands beside its field."""
    flows = reporting(ask)
    if not flows:
        raise Refused("no-reports", "No department of this city takes reports yet.", status=404)
    if form.text(TRAP, most=1000):
        form.wrong(TRAP, "Please leave this field empty: it is there to tell programs from people.")
    known = kinds(ask)
    code = form.choice("class", known)
    kind = known[code] if code else None
    text = form.text("text", required="Please say what is wrong.", most=LONGEST)
    address = form.text("address", most=200)
    place = located(ask, form, photos, address)
    name, phone = form.text("name", most=60), form.text("phone", most=40)
    if phone and not PHONE.fullmatch(phone):
        form.wrong("phone", "Please write a phone number, for example 138 0000 0000.")
    flow = kind.flow if kind else flows[0]
    return Told(flow, text or "", kind, place, address or "", name or "", phone or "", photos)


def located(ask: Ask, form: Form, photos: Snapshots, address: str | None) -> Place | None:
    """Where it is: what was chosen, else what the camera noted, else the address alone has to do."""
    chosen = point(form)
    place = chosen or photos.place
    if place is not None and "place" not in form.errors:
        try:
            ask.hub.reports.areas(place)
        except Refused as refused:
            if chosen is not None:
                form.wrong("place", refused.message, **refused.values)
            elif address is None:
                form.wrong("address", "The photo was taken outside the city. Please say where it is.")
            place = None
    if place is None and address is None and not {"place", "address"} & form.errors.keys():
        form.wrong("address", "Please say where it is: write the address, or choose the place on the map.")
    return place


def take(ask: Ask, told: Told) -> Receipt:
    """Open a case for it, or join the one that was pointed at."""
    made = NewReport(
        flow=told.flow,
        source="portal",
        text=told.text,
        class_code=told.kind.code if told.kind else "",
        place=told.place,
        address=told.address,
        name=told.name,
        phone=told.phone,
        account=ask.actor.name,
        photos=tuple(told.photos.shas),
        key=str(ask.form.get("key") or ""),
        lang=ask.local.language.code,
    )
    same = str(ask.form.get("same") or "")
    receipt: Receipt = ask.hub.reports.follow(same, made) if same else ask.hub.reports.file(made)
    return receipt


routes = [report, send]
