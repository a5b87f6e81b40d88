"""What could not be taken: why, what was sent, and the means to mend it and send it again, one or many."""

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
    Column("principal", "Sent by"),
    Column("code", "Code"),
    Column("reason", "Reason"),
    Column("line", "Line"),
    Column("payload", "What was sent"),
    Column("state", "State"),
)
STATES = {"kept": "Kept", "retried": "Sent again", "dropped": "Dropped"}
SHOWN = 300
"""Signs of a payload in the list."""
AT_ONCE = 200
"""Payloads of one reason that are sent again, or dropped, in one go."""


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
    """The newest first, by state and reason."""
    state, before, limit = ask.choice("state", tuple(STATES), "kept"), ask.whole("before", 0), ask.limit(50, 500)
    counts, code = ask.hub.refused.counts(), ask.query("code")
    found = ask.hub.refused.list(state, before or None, limit + 1, code)
    rows = [row_of(ask, kept) for kept in found[:limit]]
    data: dict[str, Any] = {"refused": rows, "counts": counts}
    data["next"] = rows[-1]["id"] if len(found) > limit else None
    codes = [("", ask._("All reasons")), *((key, f"{key} ({count})") for key, count in counts.items())]
    if code and code not in counts:
        codes.append((code, code))
    extra: dict[str, Any] = {
        "states": [(key, ask._(text)) for key, text in STATES.items()],
        "state": state,
        "codes": codes,
    }
    extra |= {"code": code, "most": AT_ONCE, "may_retry": ask.may("retry-refused", "refused"), "can_retry": sends(ask)}
    return Page("console/refused.html", data, rows="refused", columns=COLUMNS, extra=extra, fragment="list")


@get("/console/refused/{number:int}", needs=("see", "refused"))
def one(ask: Ask, number: int) -> Page:
    """One payload with its reason, ready to be mended."""
    kept = ask.hub.refused.get(number)
    return page(ask, kept, Form(ask, {"payload": readable(kept.payload)}))


def page(ask: Ask, kept: Kept, form: Form, receipt: dict[str, Any] | None = None, status: int = 200) -> Page:
    extra: dict[str, Any] = {"form": form, "receipt": receipt, "may_retry": ask.may("retry-refused", "refused")}
    extra |= {"can_retry": sends(ask), "STATES": STATES, "of_file": kept.door == "file"}
    whole = len(kept.payload) < LONGEST
    data = {"payload": row_of(ask, kept, LONGEST), "whole": whole}
    return Page("console/refused_one.html", data, extra=extra, status=status)


def sends(ask: Ask) -> bool:
    """Whether payloads can be sent again from this process."""
    return ask.hub.retry is not None


def again(ask: Ask, kept: Kept, text: bytes) -> dict[str, Any]:
    """Sends a payload as it is written now and marks it when something of it was taken; the receipt.

    InputError when nothing of it could be understood.
    """
    if ask.hub.retry is None:
        raise Refused("no-retry", "Payloads cannot be sent again from this process.", status=409)
    receipt = ask.hub.retry(kept, text, ask.actor)
    if receipt["accepted"]:
        ask.hub.refused.mark(kept.id, "retried")
        told = {"accepted": receipt["accepted"], "refused": len(receipt["refused"])}
        note(ask, "retry-refused", Target("refused", id=str(kept.id)), **told)
    return receipt


def sentence(ask: Ask, receipt: dict[str, Any]) -> str:
    """What became of a payload that was sent again."""
    if "added" in receipt:
        told = ask._("Registered: {added} new, {changed} changed, {unchanged} as they were.", **receipt)
    else:
        told = ask.local.language.ngettext("{n} reading was taken.", "{n} readings were taken.", receipt["accepted"])
    if receipt["marked"]:
        told += " " + ask._("{n} of them carry a mark.", n=receipt["marked"])
    if receipt["refused"]:
        told += " " + ask._("{n} lines were refused again and are kept anew.", n=len(receipt["refused"]))
    return told


@post("/console/refused/{number:int}/retry", needs=("retry-refused", "refused"))
def retry(ask: Ask, number: int) -> Answer:
    """Send it again as it is written now; what is refused again says why, and nothing is lost."""
    ask.require("retry-refused", Target("refused", id=str(number)))
    kept = open_payload(ask, number)
    form = Form(ask, {"payload": readable(kept.payload)})
    text = form.text("payload", required=True, most=LONGEST)
    if text is None:
        return page(ask, kept, form, status=422)
    try:
        receipt = again(ask, kept, text.encode())
    except InputError as error:
        form.wrong("payload", "It was refused again: {reason}.", reason=error.reason)
        return page(ask, kept, form, status=422)
    if not receipt["accepted"]:
        reason = str(receipt["refused"][0]["reason"]).rstrip(".") if receipt["refused"] else ask._("nothing is in it")
        form.wrong("payload", "It was refused again: {reason}.", reason=reason)
        return page(ask, kept, form, receipt, 422)
    return see_other(ask, "/console/refused", sentence(ask, receipt))


def open_payload(ask: Ask, number: int) -> Kept:
    """A payload that nobody has dealt with yet. Refused: somebody has."""
    kept = ask.hub.refused.get(number)
    if kept.state != "kept":
        raise Refused("settled", "This payload was dealt with already.")
    return kept


@post("/console/refused/retry", needs=("retry-refused", "refused"))
def retry_all(ask: Ask) -> Answer:
    """Send all of one reason again as they are: when what was wrong was on our side, such as a missing entry."""
    ask.require("retry-refused", "refused")
    code = str(ask.form.get("code") or "")
    taken = refused_again = 0
    for kept in ask.hub.refused.list("kept", None, AT_ONCE, code):
        try:
            accepted = again(ask, kept, kept.payload)["accepted"]
        except InputError:
            accepted = 0
        taken, refused_again = taken + bool(accepted), refused_again + (not accepted)
    told = ask._("{taken} payloads were taken, {refused} were refused again.", taken=taken, refused=refused_again)
    return see_other(ask, "/console/refused", told, code=code or None)


@post("/console/refused/drop", needs=("retry-refused", "refused"))
def drop_all(ask: Ask) -> Answer:
    """Give up all of one reason."""
    ask.require("retry-refused", "refused")
    code = str(ask.form.get("code") or "")
    found = ask.hub.refused.list("kept", None, AT_ONCE, code) if code else []
    for kept in found:
        ask.hub.refused.mark(kept.id, "dropped")
    note(ask, "retry-refused", "refused", deed="drop", code=code, count=len(found))
    return see_other(ask, "/console/refused", ask._("{n} payloads were dropped.", n=len(found)))


@post("/console/refused/{number:int}/drop", needs=("retry-refused", "refused"))
def drop(ask: Ask, number: int) -> Answer:
    """Give it up; it stays in the list of dropped ones until its time is over."""
    ask.require("retry-refused", Target("refused", id=str(number)))
    kept = open_payload(ask, number)
    ask.hub.refused.mark(number, "dropped")
    note(ask, "retry-refused", Target("refused", id=str(number)), deed="drop", code=kept.code)
    return see_other(ask, "/console/refused", "It was dropped.")


routes = [refused, one, retry, retry_all, drop_all, drop]
