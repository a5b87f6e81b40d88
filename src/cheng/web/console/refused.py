"""What could not be taken: why, what was sent, and the means to mend it and send it again."""

from typing import Any

from cheng.infrastructure.refused_box import LONGEST, Kept
from cheng.security.permissions import Target
from cheng.standards.problems import InputError, Refused
from cheng.web.ask import Ask
from cheng.web.city.noting import note
from cheng.web.pages import Answer, Column, Form, Page, get, post, see_other

COLUMNS = (
    Column("id", "Number"),
    Column("at", "When", "moment"),
    Column("door", "Door"),
    Column("principal", "From"),
    Column("code", "Code"),
    Column("reason", "Reason"),
    Column("line", "Line"),
    Column("payload", "What was sent"),
    Column("state", "State"),
)
STATES = {"kept": "Kept", "retried": "Sent again", "dropped": "Dropped"}
SHOWN = 300
"""Signs of a payload in the list."""


def row_of(ask: Ask, kept: Kept, most: int = SHOWN) -> dict[str, Any]:
    """One payload for a list."""
    return {
        "id": kept.id,
        "at": kept.at,
        "door": kept.door,
        "principal": kept.principal,
        "code": kept.code,
        "reason": kept.reason,
        "line": kept.line,
        "payload": readable(kept.payload)[:most],
        "state": kept.state,
        "url": ask.url(f"/console/refused/{kept.id}"),
    }


def readable(payload: bytes) -> str:
    """Bytes as text; what is no text as dots."""
    return payload.decode("utf-8", "replace").replace("\0", "\ufffd")


@get("/console/refused", needs=("see", "refused"), entry="Refused", order=20)
def refused(ask: Ask) -> Page:
    """Refused payloads, the newest first."""
    state = ask.choice("state", tuple(STATES), "kept")
    limit, before = ask.limit(50, 500), ask.whole("before", 0)
    found = ask.hub.refused.list(state, before or None, limit + 1)
    rows = [row_of(ask, kept) for kept in found[:limit]]
    data: dict[str, Any] = {"refused": rows, "counts": ask.hub.refused.counts()}
    data["next"] = rows[-1]["id"] if len(found) > limit else None
    extra = {"states": [(key, ask._(text)) for key, text in STATES.items()], "state": state}
    return Page("console/refused.html", data, rows="refused", columns=COLUMNS, extra=extra, fragment="list")


@get("/console/refused/{number:int}", needs=("see", "refused"))
def one(ask: Ask, number: int) -> Page:
    """One payload with its reason, ready to be mended."""
    kept = ask.hub.refused.get(number)
    return page(ask, kept, Form(ask, {"payload": readable(kept.payload)}))


def page(ask: Ask, kept: Kept, form: Form, receipt: dict[str, Any] | None = None, status: int = 200) -> Page:
    extra = {"form": form, "receipt": receipt, "may_retry": ask.may("retry-refused", "refused")}
    extra |= {"can_retry": callable(getattr(ask.hub, "retry", None)), "STATES": STATES}
    whole = len(kept.payload) < LONGEST
    data = {"payload": row_of(ask, kept, LONGEST), "whole": whole}
    return Page("console/refused_one.html", data, extra=extra, status=status)


@post("/console/refused/{number:int}/retry", needs=("retry-refused", "refused"))
def retry(ask: Ask, number: int) -> Answer:
    """Send it again as it is written now; what is refused again says why, and nothing is lost."""
    ask.require("retry-refused", Target("refused", id=str(number)))
    send = getattr(ask.hub, "retry", None)
    if not callable(send):
        raise Refused("no-retry", "Payloads cannot be sent again from this process.", status=409)
    kept = ask.hub.refused.get(number)
    if kept.state != "kept":
        raise Refused("settled", "This payload was dealt with already.")
    form = Form(ask, {"payload": readable(kept.payload)})
    text = form.text("payload", required=True, most=LONGEST)
    if text is None:
        return page(ask, kept, form, status=422)
    try:
        receipt = send(kept, text.encode(), ask.actor)
    except InputError as error:
        form.wrong("payload", "It was refused again: {reason}.", reason=error.reason)
        return page(ask, kept, form, status=422)
    if receipt["refused"] and not receipt["accepted"]:
        reason = str(receipt["refused"][0]["reason"]).rstrip(".")
        form.wrong("payload", "It was refused again: {reason}.", reason=reason)
        return page(ask, kept, form, receipt, 422)
    ask.hub.refused.mark(number, "retried")
    note(ask, "retry-refused", Target("refused", id=str(number)), accepted=receipt["accepted"])
    return see_other(ask, "/console/refused", "It was taken.")


@post("/console/refused/{number:int}/drop", needs=("retry-refused", "refused"))
def drop(ask: Ask, number: int) -> Answer:
    """Give it up; it stays in the list of dropped ones until its time is over."""
    ask.require("retry-refused", Target("refused", id=str(number)))
    kept = ask.hub.refused.get(number)
    if kept.state != "kept":
        raise Refused("settled", "This payload was dealt with already.")
    ask.hub.refused.mark(number, "dropped")
    note(ask, "retry-refused", Target("refused", id=str(number)), deed="drop", code=kept.code)
    return see_other(ask, "/console/refused", "It was dropped.")


routes = [refused, one, retry, drop]
