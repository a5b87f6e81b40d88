"""The page for calls: who calls, what they reported before, what is known about it, and one form that becomes a case.

A telephone system opens it by its address, `?phone=`. What is written goes nowhere but to the hub: no draft of it stays
in a browser, since it is about people and the desk is shared.
"""

import secrets
from datetime import datetime, time
from typing import Any

from cheng.infrastructure.call_book import Outcome
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.report_book import Receipt, telephone
from cheng.security import audit
from cheng.security.permissions import Target
from cheng.standards.problems import Refused
from cheng.web.desk import call_form, suggesting, words
from cheng.web.desk.acts import tell
from cheng.web.desk.alike import like_row
from cheng.web.desk.cases import case_row
from cheng.web.desk.seeing import person, sees_all
from cheng.web.map.page import ground_told
from cheng.web.pages import Answer, Ask, Column, Form, Page, get, post, see_other

HISTORY, ARTICLES = 10, 5
COLUMNS = (
    Column("number", "Number"),
    Column("title", "What it is about"),
    Column("state", "State"),
    Column("light", "Light"),
    Column("step_text", "Step"),
    Column("last_text", "Last act"),
    Column("last_at", "When", "moment"),
    Column("opened", "Opened", "moment"),
)
KEEP = ("url", "light_text", "state_text", "step")
ORDER = ("phone", "text", "class", "at_words", "address", "place", "same", "name", "urgent")
"""The fields as they stand on the page."""


@get("/desk/call", needs=("take", "call"), entry="Calls", order=15, opt={"key": "c"})
def call(ask: Ask) -> Page:
    """The form, with what a caller reported before (`?phone=`), and what is known about it (`?q=`)."""
    phone = telephone(ask.query("phone"))[:40]
    begun: dict[str, Any] = {"phone": phone, "q": ask.query("q"), "call_back": True}
    if phone:
        begun |= known_of(ask, phone)
    return call_page(ask, Form(ask, begun))


def known_of(ask: Ask, phone: str) -> dict[str, Any]:
    """The name that somebody with this number told the last time."""
    last = ask.hub.calls.caller(phone)
    return {"name": last["name"]} if last is not None else {}


@post("/desk/call", needs=("take", "call"))
def take(ask: Ask) -> Answer:
    """What the buttons of the form are for: look, answer from what is known, open a case, or join one."""
    deed, _, which = str(ask.form.get("do") or "look").partition("-")
    if deed == "answer":
        return answered(ask, which)
    if deed != "file":
        return call_page(ask, Form(call_form.chosen(ask)))
    return filed(ask)


# -- the page


def call_page(ask: Ask, form: Form, status: int = 200, *, undecided: bool = False, again: bool = False) -> Page:
    """The form with all that stands beside it; `again` makes it another report than the one before."""
    inner = form.ask
    phone = telephone(str(form.value("phone")))
    past = history(ask, phone) if not ask.fragment else []
    like = call_form.alike(inner, form)
    data: dict[str, Any] = {
        "phone": phone,
        "history": past,
        "answered": answers_of(ask, phone) if not ask.fragment else [],
        "articles": knowledge(ask, form),
        "alike": [like_row(ask, each) for each in like],
        "today": ask.hub.calls.counts(day_begin(ask), ask.now + 1, ask.actor.name),
    }
    form.errors = {name: form.errors[name] for name in ORDER if name in form.errors}
    if form.errors:
        data["errors"] = form.errors
    extra = {
        "form": form,
        "once": ("" if again else str(form.value("key"))) or secrets.token_hex(16),
        "classes": call_form.choices(ask),
        "fitting": fitting(ask, form),
        "areas": call_form.areas(ask, str(form.value("at_words"))),
        "map": ground_told(ask),
        "another": call_form.ANOTHER,
        "undecided": undecided,
    }
    page, block = "desk/call.html", "beside"
    return Page(page, data, extra=extra, rows="history", columns=COLUMNS, keep=KEEP, fragment=block, status=status)


def history(ask: Ask, phone: str) -> list[dict[str, Any]]:
    """The cases of a caller, the last first; that somebody looked is in the audit."""
    if not phone or not sees_all(ask):
        return []
    entries = ask.hub.reports.of_phone(phone, HISTORY)
    seen = ", ".join(entry.number for entry in entries) or "none"
    ask.require("see-contact", Target("case", f"caller {masked(phone)}"), purpose=f"a call; cases shown: {seen}")
    return [past_row(ask, entry) for entry in entries]


def past_row(ask: Ask, entry: Entry) -> dict[str, Any]:
    """A case with its light and the last thing that was done about it."""
    last = ask.hub.cases.acts(entry.id)[-1]
    row = case_row(ask, entry, {})
    told = {"state_text": words.say(ask, entry.state), "last_text": words.done(ask, last.verb), "last_at": last.at}
    return row | told


def answers_of(ask: Ask, phone: str) -> list[dict[str, Any]]:
    """What the caller asked before that was answered at once."""
    rows = ask.hub.calls.answered(phone, ARTICLES)
    return [{"at": row["at"], "text": row["text"], "article": row["article"]} for row in rows]


def knowledge(ask: Ask, form: Form) -> list[dict[str, Any]]:
    """Articles that answer what is looked for or, while nothing is, what the caller says."""
    asked = str(form.value("q") or form.value("text") or "")[:300]
    return [call_form.article_row(ask, each) for each in ask.hub.articles.find(asked, ARTICLES)]


def fitting(ask: Ask, form: Form) -> list[dict[str, Any]]:
    """Classes that the words of the caller may mean."""
    text = str(form.value("text") or "")[:1000]
    if not text.strip() or form.value("class"):
        return []
    found = [each for flow in call_form.flows(ask) for each in suggesting.classes(ask, flow, text)]
    found.sort(key=lambda each: -each["chance"])
    return [each | {"text": words.said(ask, each["name"], each["name_zh"])} for each in found[:3]]


def masked(phone: str) -> str:
    """A number as the audit has it: enough to find whose data was looked at, too little to call."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else "****"


def day_begin(ask: Ask) -> int:
    """Midnight in the city."""
    begin = datetime.combine(ask.local.when(ask.now), time(), ask.local.zone)
    return round(begin.timestamp() * 1_000_000)


# -- taking it


def filed(ask: Ask) -> Answer:
    """Open a case or join one, unless something is missing or there is perhaps such a case."""
    inner = call_form.chosen(ask)
    form = Form(inner)
    told = call_form.read(inner, form)
    same = str(ask.form.get("same") or "")
    if not form.errors and not same and call_form.probable(call_form.alike(inner, form)):
        return call_page(ask, form, undecided=True)
    if form.errors:
        return call_page(ask, form, 422)
    try:
        return receipt_page(ask, taken(ask, inner, told, "" if same == call_form.ANOTHER else same))
    except Refused as refused:
        if refused.code in ("key-used", "bad-key"):
            form.wrong("text", "This form was sent before. If this is another call, please send it once more.")
            return call_page(ask, form, refused.status, again=True)
        form.wrong(call_form.BESIDE.get(refused.code, "text"), refused.message, **refused.values)
        return call_page(ask, form, refused.status)


def taken(ask: Ask, inner: Ask, told: call_form.Told, same: str) -> Receipt:
    """The case, with the call and a line of the audit."""
    made = call_form.report_of(inner, told)
    book, me = ask.hub.reports, person(ask.actor)
    receipt: Receipt = book.follow(same, made) if same else book.file(made, me)
    entry = receipt.filed.entry
    outcome: Outcome = "followed" if same else "filed"
    with ask.hub.store.write() as conn:
        fresh = ask.hub.calls.record(conn, me.name, outcome, phone=told.phone, case=entry.id, key=made.key)
        if fresh:
            target, detail = Target("case", entry.number), {"by": "call", "act": outcome}
            audit.record(conn, ask.now, ask.actor, "report", target, address=ask.address, detail=detail)
    tell(ask, receipt.filed, "follow" if same else "open")
    return receipt


def receipt_page(ask: Ask, receipt: Receipt) -> Page:
    """What the caller is told: number, word and address, shown this once."""
    entry = receipt.filed.entry
    base = (ask.hub.settings.public_url or str(ask.request.base_url)).rstrip("/")
    data = {
        "number": entry.number,
        "title": words.title(ask, entry),
        "step": words.step_name(ask, entry.step),
        "key": receipt.secret,
        "link": base + ask.url(f"/report/{entry.number}", key=receipt.secret),
        "weight": entry.weight,
        "case_url": ask.url(f"/desk/cases/{entry.number}"),
    }
    return Page("desk/call_receipt.html", data, headers={"X-Robots-Tag": "noindex"})


def answered(ask: Ask, which: str) -> Answer:
    """The question was answered at once: nobody has anything to do, so it is a call that was answered, and no case."""
    number = int(which) if which.isascii() and which.isdigit() and len(which) < 9 else None
    form = Form(ask)
    text, phone = form.text("text", most=3000) or "", form.text("phone", most=40) or ""
    if number is not None:
        text = text or call_form.article_row(ask, ask.hub.articles.versions(number)[-1])["question"]
    if not text:
        form.wrong("text", "Please write what the caller asked.")
    if form.errors:
        return call_page(ask, form, 422)
    key = str(ask.form.get("key") or "")[:200] or None
    with ask.hub.store.write() as conn:
        ask.hub.calls.record(conn, ask.actor.name, "answered", phone=phone, article=number, text=text, key=key)
    return see_other(ask, "/desk/call", "The call is noted as answered.")


routes = [call, take]
