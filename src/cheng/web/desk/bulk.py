"""Several cases at once: the same act for each, and for each that cannot be done the reason."""

import secrets
from typing import Any

from sqlalchemy import Connection

from cheng.kernel.cases import VERBS
from cheng.security import audit
from cheng.standards.problems import Refused
from cheng.web.desk import words
from cheng.web.desk.acts import Evidence, gather, note, tell
from cheng.web.desk.case import target
from cheng.web.desk.cases import BULK
from cheng.web.desk.seeing import case_of, may_do, person
from cheng.web.pages import Ask, Form, Page, post

MOST = 100


@post("/desk/bulk", needs=("enter", "desk"))
def bulk(ask: Ask) -> Page:
    """The same act for every case that was ticked; what was refused is listed with its reason, the rest is done."""
    form = Form(ask)
    verb = form.choice("verb", BULK, required="Please choose what is to be done.") or ""
    numbers = list(dict.fromkeys(map(str, ask.form.getall("number", []))))[:MOST]
    if not numbers:
        form.wrong("number", "Please tick at least one case.")
    rows = [] if form.errors else [one(ask, form, number, verb) for number in numbers]
    done = sum(row["done"] for row in rows)
    data = {"verb": verb, "done": done, "refused": len(rows) - done, "cases": rows}
    extra = {"form": form, "title": words.verb(ask, verb) if verb in VERBS else ""}
    return Page("desk/bulk.html", data, extra=extra, status=422 if form.errors else 200)


def one(ask: Ask, form: Form, number: str, verb: str) -> dict[str, Any]:
    """The act for one of the cases, with its line in the audit: {"number", "title", "url", "done", "why"}."""
    told: dict[str, Any] = {"number": number, "title": number, "url": ask.url(f"/desk/cases/{number}"), "done": False}
    try:
        filed = case_of(ask, number)
    except Refused as refused:
        return told | {"why": ask._(refused.message, **refused.values)}
    told["title"] = words.title(ask, filed.entry)
    if not may_do(ask, verb, filed):
        return told | {"why": ask._("Your role does not include this.")}
    now = ask.hub.clock.now()

    def also(conn: Connection) -> None:
        detail = {"act": verb, "bulk": True}
        audit.record(conn, now, ask.actor, "act", target(filed), address=ask.address, detail=detail)

    data = gather(ask, form, verb, Evidence())
    key = f"{form.text('key', most=100) or secrets.token_hex(16)}/{number}"
    try:
        done = ask.hub.cases.act(filed.entry.id, verb, person(ask.actor), data, key=key, also=also)
    except Refused as refused:
        note(ask, filed, verb, refused)
        return told | {"why": words.explain(ask, filed, refused, {})}
    tell(ask, done, verb)
    return told | {"done": True, "why": ""}


routes = [bulk]
