"""What became of a report: where it stands, what was done, and what whoever sent it can still do about it."""

import secrets
from typing import Any

from litestar import Response

from cheng.infrastructure.photos import bare
from cheng.kernel.needs import ANSWERS
from cheng.security import audit
from cheng.standards.problems import Refused
from cheng.web.desk.case import drawing, target
from cheng.web.desk.words import readable
from cheng.web.pages import PUBLIC, SIGNED_IN, Answer, Ask, Column, Form, Page, get, post, see_other
from cheng.web.portal.access import Look, look
from cheng.web.portal.follow_view import own_photos, public_row, told, work_photos
from cheng.web.portal.kinds import kinds
from cheng.web.portal.report import ROOM
from cheng.web.portal.snapshots import Snapshots, collect

SENTENCES = {
    "urge": "Everybody who handles it sees that you asked for hurry.",
    "note": "Your note was added.",
    "reopen": "The case is open again.",
    "rate": "Thank you for your answer.",
}
VERBS = tuple(SENTENCES)
BESIDE = {"no-reason": "reason", "no-text": "text", "no-answer": "reached", "bad-answer": "reached"}
HIDDEN = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
"""For pages whose address holds a word that is not for everybody. Other sites hear of no address of ours anyway; with
"no-referrer" browsers would not say either that a form comes from our own page."""
COLUMNS = (
    Column("number", "Number"),
    Column("name", "What it is"),
    Column("street", "Street"),
    Column("state_text", "State"),
    Column("opened", "Reported on", "moment"),
)


@get("/report/mine", needs=SIGNED_IN)
def mine(ask: Ask) -> Page:
    """What the reader reported while signed in, the last first."""
    known = kinds(ask)
    rows = []
    for entry in ask.hub.reports.of_account(ask.actor.name):
        kind = known.get(entry.class_code)
        rows.append(public_row(ask, entry, kind.name if kind else ask._("Report")))
    return Page("portal/mine.html", {"reports": rows}, rows="reports", columns=COLUMNS, keep=("url", "light"))


@get("/report/{number:str}", needs=PUBLIC)
def follow(ask: Ask, number: str) -> Page:
    """The report with that number: everything for whoever sent it (`?key=`), else what is public."""
    return follow_page(ask, look(ask, number), Form(ask))


def follow_page(
    ask: Ask, seen: Look, form: Form, verb: str = "", photos: Snapshots | None = None, status: int = 200
) -> Page:
    """The page, with a form that came back when there is one."""
    headers = HIDDEN if seen.me is not None else {}
    data = told(ask, seen)
    if ask.representation == "json":
        return Page("portal/follow.html", readable(ask, data), status=status, headers=headers)
    if verb and verb not in data.get("next", ()):
        data["next"] = [*data.get("next", ()), verb]
    number = seen.asked
    link = ask.url(f"/report/{number}", key=seen.key) if seen.key else ""
    extra: dict[str, Any] = {
        "form": form if verb else Form(ask),
        "blank": Form(Ask(ask.request, ask.hub, ask.actor, ask.session, ask.local)),
        "sent": verb,
        "kept": photos.kept if photos else [],
        "once": secrets.token_hex(16),
        "key": seen.key,
        "link": link and (ask.hub.settings.public_url or str(ask.request.base_url)).rstrip("/") + link,
        "drawing": drawing(ask, seen.filed) if seen.me is not None else "",
    }
    return Page("portal/follow.html", data, extra=extra, status=status, headers=headers)


@post("/report/{number:str}", needs=PUBLIC, request_max_body_size=ROOM)
def act(ask: Ask, number: str) -> Answer:
    """Ask for hurry, add something, have it opened again, or say how it went."""
    seen, form = look(ask, number), Form(ask)
    if seen.me is None:
        raise Refused("no-such-case", "There is no case {case}.", {"case": number[:200]}, 404)
    verb = form.choice("verb", VERBS, required=True) or ""
    photos = Snapshots()
    try:
        ask.request.app.state.limits.count("form", ask.address, ask.now)
        photos = collect(ask, form)
        data = gathered(form, verb, photos)
        if not form.errors:
            perform(ask, seen, verb, data, photos)
    except Refused as refused:
        form.wrong(BESIDE.get(refused.code, "verb"), refused.message, **refused.values)
        return follow_page(ask, look(ask, number), form, verb, photos, refused.status)
    if form.errors:
        return follow_page(ask, seen, form, verb, photos, 422)
    return see_other(ask, f"/report/{number}", SENTENCES[verb], key=seen.key)


def gathered(form: Form, verb: str, photos: Snapshots) -> dict[str, Any]:
    """What the act carries."""
    if verb == "rate":
        answers = {name: form.choice(name, words, required=True) for name, words in ANSWERS.items()}
        return {"answer": answers}
    data: dict[str, Any] = {}
    if verb == "note":
        data["text"] = form.text("text", required="Please write what you want to add.", most=2000)
    if verb == "reopen":
        data["reason"] = form.text("reason", required="Please say what is still wrong.", most=2000)
    if photos.shas and verb in ("note", "reopen"):
        data["proof"] = photos.pieces
    return data


def perform(ask: Ask, seen: Look, verb: str, data: dict[str, Any], photos: Snapshots) -> None:
    """The act, its photos and its line in the audit, in one transaction; then open desks hear of it."""
    me, entry = seen.me, seen.filed.entry
    assert me is not None, "only whoever sent the report comes here"

    def also(conn: Any) -> None:
        for sha256 in photos.shas:
            ask.hub.blobs.record(conn, ask.hub.blobs.describe(sha256), me.name, ask.now)
        audit.record(conn, ask.now, me.name, "act", target(seen.filed), address=ask.address, detail={"act": verb})

    key = str(ask.form.get("key") or "") or None
    done = ask.hub.cases.act(entry.id, verb, me, data, key=key, also=also).entry
    told = {"id": done.id, "number": done.number, "version": done.version, "state": done.state, "verb": verb}
    ask.hub.bus.publish("cases/changed", told | {"step": done.step, "departments": list(done.departments)})


@get("/report/{number:str}/photos/{sha256:str}", needs=PUBLIC, opt={"uncompressed": True})
def photo(ask: Ask, number: str, sha256: str) -> Answer:
    """A photo of a report, for whoever sent it: their own, and those of the work. Its camera's notes are taken out."""
    seen = look(ask, number)
    acts = ask.hub.cases.acts(seen.filed.entry.id) if seen.me is not None else []
    if sha256 not in {*own_photos(seen, acts), *work_photos(seen, acts)}:
        raise Refused("no-file", "This file is not there or is damaged.", status=404)
    with ask.hub.store.read() as conn:
        blob = ask.hub.blobs.find(conn, sha256)
    headers = dict(blob.headers)
    media_type = headers.pop("Content-Type")
    return Response(bare(ask.hub.blobs.read(sha256)), media_type=media_type, headers=headers)


routes = [mine, follow, act, photo]
