"""Calling back: people whose case is closed are asked three things; who does not answer is tried again.

What they say is the act `rate` of the case. A call that reached nobody is no valid call-back and counts in no rate.
"""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, RowMapping

from cheng.infrastructure.call_book import MOST_TRIES, Outcome, Waiting
from cheng.infrastructure.case_book import Filed
from cheng.kernel.needs import ANSWERS
from cheng.kernel.standing import Person
from cheng.methods.evaluation import CallBacks
from cheng.security import audit
from cheng.standards.problems import Refused
from cheng.web.desk import call_form, filing, words
from cheng.web.desk.acts import tell
from cheng.web.desk.case import target
from cheng.web.desk.case_view import View
from cheng.web.desk.seeing import case_of, person
from cheng.web.pages import Answer, Ask, Column, Form, Page, get, post, see_other

COLUMNS = (
    Column("number", "Case"),
    Column("title", "What it is about"),
    Column("closed", "Closed", "moment"),
    Column("tries", "Called in vain", "number"),
    Column("last", "Last call", "moment"),
)
RATES = ("response", "solution", "satisfaction", "composite")
IN_VAIN: dict[str, Outcome] = {"missed": "missed", "declined": "declined"}
NOBODY = "Nobody left a number with this case, or wants no call."
TOLD = {
    "reached": "The answers are written down.",
    "reopened": "The answers are written down, and the case is open again.",
    "missed": "The call is noted; the case comes back to the list in two hours.",
    "given-up": "The call is noted. Nobody answered several times, so nobody calls any more.",
    "declined": "It is noted that the caller wants to say nothing.",
}


@get("/desk/call-backs", needs=("call-back", "case"), entry="Call-backs", order=16, opt={"key": "b"})
def call_backs(ask: Ask) -> Page:
    """Closed cases whose reporters are to be called, and what those who were called said this month (`?month=`)."""
    begin, end = month_of(ask)
    rows = [row(ask, each) for each in ask.hub.calls.waiting(ask.limit())]
    data = {"month": ask.local.when(begin).strftime("%Y-%m"), "said": rates(ask, begin, end), "waiting": rows}
    data["calls"] = ask.hub.calls.counts(begin, end)
    extra = {"most": MOST_TRIES}
    page, keep = "desk/call_backs.html", ("url", "later")
    return Page(page, data, extra=extra, rows="waiting", columns=COLUMNS, keep=keep, fragment="list")


def row(ask: Ask, each: Waiting) -> dict[str, Any]:
    """A case to call about, without a word of who reported it."""
    entry = each.entry
    return {
        "number": entry.number,
        "title": words.title(ask, entry),
        "closed": entry.closed,
        "tries": each.tries,
        "last": each.last,
        "later": not each.due(ask.now),
        "url": ask.url(f"/desk/call-backs/{entry.number}"),
    }


def month_of(ask: Ask) -> tuple[int, int]:
    """First and last moment of the month that the address names, or of this one; Refused (400) for no month."""
    told = ask.query("month") or ask.local.when(ask.now).strftime("%Y-%m")
    try:
        first = date.fromisoformat(f"{told}-01")
    except ValueError:
        raise Refused("bad-month", "Please write a month, for example 2026-11.", {}, 400) from None
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    begin, end = (round(datetime.combine(day, time(), ask.local.zone).timestamp() * 1e6) for day in (first, after))
    return begin, end


def rates(ask: Ask, begin: int, end: int) -> dict[str, Any]:
    """The rates of the hotline over all flows that calls go to; shares of one, and as people read them."""
    parts = [ask.hub.evaluation.period(flow, begin, end).said() for flow in call_form.flows(ask)]
    names = ("valid", "reached", "solved", "satisfied", "mostly")
    said = CallBacks(*(sum(getattr(part, name) for part in parts) for name in names))
    shares = {name: getattr(said, name) for name in RATES}
    told = {name: None if share is None else float(share) for name, share in shares.items()}
    texts = {name: "–" if share is None else ask.local.percent(share) for name, share in told.items()}
    return {**{name: getattr(said, name) for name in names}, **told, "texts": texts}


# -- one call


@get("/desk/call-backs/{number:str}", needs=("call-back", "case"))
def call_back(ask: Ask, number: str) -> Page:
    """Whom to call about a case, what was done about it, and the three questions."""
    filed, report = asked(ask, number)
    ask.require("see-contact", target(filed), purpose="a call back")
    return call_page(ask, filed, report, Form(ask))


def asked(ask: Ask, number: str) -> tuple[Filed, RowMapping]:
    """The case and the report whose sender is called; Refused (404) when there is nobody to call."""
    filed = case_of(ask, number)
    report = ask.hub.calls.reporter(filed.entry.id)
    if report is None:
        raise Refused("nobody-to-call", NOBODY, status=404)
    return filed, report


def call_page(ask: Ask, filed: Filed, report: RowMapping, form: Form, status: int = 200) -> Page:
    entry, closed = filed.entry, filed.entry.closed
    with ask.hub.store.read() as conn:
        tries = ask.hub.calls.tries(conn, entry.id, closed or 0)
    view = View.of(ask, filed)
    data = {
        "number": entry.number,
        "title": words.title(ask, entry),
        "state": entry.state,
        "text": report["text"] or entry.text,
        "name": report["name"],
        "phone": report["phone"],
        "opened": entry.opened,
        "closed": closed,
        "tries": tries,
        "case_url": ask.url(f"/desk/cases/{entry.number}"),
    }
    extra = {
        "form": form,
        "most": MOST_TRIES,
        "acts": view.timeline()[:6],
        "reopens": reopener(ask, filed, report) is not None,
        "questions": [
            (name, ask._(filing.QUESTIONS[name]), [(word, ask._(filing.ANSWER_WORDS[word])) for word in given])
            for name, given in ANSWERS.items()
        ],
    }
    return Page("desk/call_back.html", data, extra=extra, status=status)


def reopener(ask: Ask, filed: Filed, report: RowMapping) -> Person | None:
    """As whom the case can be opened again: a dispatcher as themselves, an agent for the caller who asks for it."""
    for someone in (person(ask.actor), ask.hub.reports.sender(report)):
        if any(option.verb == "reopen" for option in ask.hub.cases.next_acts(filed.entry.id, someone)):
            return someone
    return None


@post("/desk/call-backs/{number:str}", needs=("call-back", "case"))
def said(ask: Ask, number: str) -> Answer:
    """What became of the call: answers, nobody there, or somebody who wants to say nothing."""
    filed, report = asked(ask, number)
    form = Form(ask)
    deed = str(ask.form.get("do") or "")
    if filed.entry.state != "closed":
        raise Refused("not-closed", "This case is not closed; nobody is called back about it yet.")
    if (outcome := IN_VAIN.get(deed)) is not None:
        return see_other(ask, "/desk/call-backs", TOLD[tried(ask, filed, report, outcome)])
    answers = {name: form.choice(name, given, required=True) for name, given in ANSWERS.items()}
    again = form.flag("reopen")
    reason = form.text("reason", required="Please write what is still wrong." if again else False, most=2000)
    if again and answers["solved"] == "yes":
        form.wrong("reopen", "What is solved need not be opened again; please look at the answers once more.")
    if form.errors:
        return call_page(ask, filed, report, form, 422)
    try:
        done = written(ask, filed, report, answers, (reason or "") if again else "")
    except Refused as refused:
        form.wrong("reopen" if again else "reached", refused.message, **refused.values)
        return call_page(ask, ask.hub.cases.get(filed.entry.id), report, form, refused.status)
    return see_other(ask, "/desk/call-backs", TOLD[done])


def tried(ask: Ask, filed: Filed, report: RowMapping, outcome: Outcome) -> str:
    """Notes a call without answers."""
    entry = filed.entry
    with ask.hub.store.write() as conn:
        ask.hub.calls.record(conn, ask.actor.name, outcome, phone=report["phone"], case=entry.id)
        noted(ask, conn, filed, "call-back", {"as": outcome})
        tries = ask.hub.calls.tries(conn, entry.id, entry.closed or 0)
    return "given-up" if outcome == "missed" and tries >= MOST_TRIES else outcome


def written(ask: Ask, filed: Filed, report: RowMapping, answers: dict[str, str | None], reason: str) -> str:
    """The answers as an act of the case with its call and audit; then, if the caller asks for it, the case again."""
    entry, me = filed.entry, person(ask.actor)
    someone = reopener(ask, filed, report) if reason else None
    if reason and someone is None:
        raise Refused("closed-for-good", "This case was closed too long ago to be reopened; open a new one.")

    def also_called(conn: Connection) -> None:
        ask.hub.calls.record(conn, me.name, "reached", phone=report["phone"], case=entry.id)
        noted(ask, conn, filed, "call-back", {"as": "reached"})

    def also_reopened(conn: Connection) -> None:
        noted(ask, conn, filed, "act", {"act": "reopen"})

    done = ask.hub.cases.act(entry.id, "rate", me, {"answer": answers}, also=also_called)
    if someone is not None:
        data = reopening(ask, filed, someone, reason)
        done = ask.hub.cases.act(entry.id, "reopen", someone, data, also=also_reopened)
    tell(ask, done, "reopen" if reason else "rate")
    return "reopened" if reason else "reached"


def reopening(ask: Ask, filed: Filed, someone: Person, reason: str) -> dict[str, Any]:
    """What the act carries; done for somebody else, it says so."""
    flow = ask.hub.cases.flow(filed.entry.flow)
    told = ask._("By telephone, written down by {agent}: {reason}", agent=ask.actor.display_name, reason=reason)
    own = someone.name == ask.actor.name
    step = flow.reopen_at or flow.first(filed.case.values).name
    return {"reason": reason if own else told} | ({"step": step} if own else {})


def noted(ask: Ask, conn: Connection, filed: Filed, verb: str, detail: dict[str, str]) -> None:
    """A line of the audit: also an act in the name of a caller is the agent's."""
    audit.record(conn, ask.now, ask.actor, verb, target(filed), address=ask.address, detail=detail)


routes = [call_backs, call_back, said]
