"""One alert: what was read, what was said about it since, and what somebody does: acknowledge it, shelve its rule."""

from typing import Any

from sqlalchemy import Connection

from cheng.infrastructure import case_search
from cheng.infrastructure.alert_lists import AlertEntry
from cheng.infrastructure.case_book import Filed
from cheng.security import audit
from cheng.security.permissions import Target, reach
from cheng.standards.durations import days, hours, minutes
from cheng.standards.problems import Refused
from cheng.web.desk import words
from cheng.web.desk.alert_view import alert_row, meaning, notice, readings, thing_of, thing_url
from cheng.web.desk.seeing import enter_alerts, may, mine, whose_alerts
from cheng.web.pages import Answer, Ask, Form, Page, get, post, see_other

LONGEST = days(30).us
"""The longest time a rule is kept quiet in one go."""
SPANS = {"1h": hours(1).us, "8h": hours(8).us, "1d": days(1).us, "7d": days(7).us}


def find(ask: Ask, number: str) -> AlertEntry:
    """The alert with that number. Refused (404) when there is none or it is another department's; the audit knows."""
    enter_alerts(ask)
    whose = whose_alerts(ask)
    try:
        found: AlertEntry = ask.hub.alerts.get(number, whose)
    except Refused:
        if whose is not None and number.isalnum():
            record_refusal(ask, "see", number)
        raise
    return found


def may_do(ask: Ask, verb: str, found: AlertEntry) -> bool:
    """Whether the reader may do this with the alert: with any, or with those of the own department."""
    ways = reach(ask.actor, verb, "alert")
    if "any" in ways or "own department" not in ways or not mine(ask):
        return "any" in ways
    try:
        ask.hub.alerts.get(found.id, mine(ask))
    except Refused:
        return False
    return True


def require(ask: Ask, verb: str, found: AlertEntry) -> None:
    """Go on only if the reader may; else Refused (403), and the audit knows."""
    if not may_do(ask, verb, found):
        record_refusal(ask, verb, str(found.number), "own-department")
        raise Refused("own-department", "This belongs to another department.", status=403)


@get("/desk/alerts/{number:str}", needs=("see", "alert"))
def alert(ask: Ask, number: str) -> Page:
    """The alert with that number (or id)."""
    return alert_page(ask, find(ask, number))


def alert_page(
    ask: Ask, found: AlertEntry, form: Form | None = None, sent: str = "", problem: str = "", status: int = 200
) -> Page:
    """The page of an alert; `sent`: which form came back, `problem`: why."""
    notices = ask.hub.alerts.notices(found.id)
    people = case_search.names(ask.hub.store, [found.acknowledged_by])
    row = alert_row(ask, found, people)
    thing = thing_of(ask, found)
    data: dict[str, Any] = {
        "alert": {key: value for key, value in row.items() if key != "geometry"},
        "readings": readings(ask, found),
        "rule": meaning(ask, found),
        "notices": [notice(ask, each) for each in reversed(notices)],
        "case": case_link(ask, found),
        "joined": [joined(ask, each) for each in ask.hub.alerts.led_by(found.id)],
        "may": {verb: may_do(ask, verb, found) for verb in ("acknowledge", "shelve")},
    }
    if ask.representation == "json":
        return Page("desk/alert.html", words.readable(ask, data), status=status)
    seen = data["may"]["acknowledge"] and found.acknowledged_at is None and row["state"] != "withdrawn"
    extra: dict[str, Any] = {"form": form or Form(ask), "sent": sent, "problem": problem, "can_acknowledge": seen}
    extra |= {"thing_link": thing_url(ask, thing), "chart": chart(ask, found, data["readings"])}
    extra |= {"spans": span_choices(ask), "shelves_all": shelves_all(ask)}
    return Page("desk/alert.html", data, extra=extra, status=status)


def joined(ask: Ask, other: AlertEntry) -> dict[str, Any]:
    row = alert_row(ask, other, {})
    return {key: row[key] for key in ("number", "text", "raised", "state_text", "url")}


def case_link(ask: Ask, found: AlertEntry) -> dict[str, str] | None:
    """The case that was opened for it, or for the alert it joined; None when there is none for this reader."""
    key = ask.hub.alerts.get(found.group_id).key if found.group_id else found.key
    filed: Filed | None = ask.hub.cases.by_alert(key)
    if filed is None or not ask.may("enter", "desk") or not may(ask, "see", filed):
        return None
    entry = filed.entry
    state = words.step_name(ask, entry.step) if entry.state == "open" else words.say(ask, entry.state)
    return {"number": entry.number, "state": state, "url": ask.url(f"/desk/cases/{entry.number}")}


def chart(ask: Ask, found: AlertEntry, rows: list[dict[str, Any]]) -> dict[str, str] | None:
    """The readings around the onset: the address of the thing's own history, from before until after."""
    first = next((row for row in rows if row["url"]), None)
    if first is None:
        return None
    end = min(ask.now, (found.cleared or ask.now) + hours(1).us, found.onset + days(2).us)
    start = found.onset - hours(1).us
    window = f"?from={moment(ask, start)}&to={moment(ask, max(end, found.onset) + minutes(1).us)}"
    return {"title": str(first["title"]), "src": f"{first['url']}.json{window}", "url": f"{first['url']}{window}"}


def moment(ask: Ask, us: int) -> str:
    return ask.local.when(us).strftime("%Y-%m-%dT%H:%M")


def span_choices(ask: Ask) -> list[tuple[str, str]]:
    """For how long a rule may be kept quiet, in one choice."""
    return [(key, ask.local.duration(us)) for key, us in SPANS.items()]


# -- what people do


@post("/desk/alerts/{number:str}/acknowledge", needs=("acknowledge", "alert"))
def acknowledge(ask: Ask, number: str) -> Answer:
    """I have seen it and see to it."""
    found, form = find(ask, number), Form(ask)
    require(ask, "acknowledge", found)
    note = form.text("note", most=2000) or ""
    if form.errors:
        return alert_page(ask, found, form, "acknowledge", status=422)
    name = ask.actor.display_name or ask.actor.name
    try:
        done = ask.hub.alerts.acknowledge(
            found.id, ask.actor.name, name, note, whose=whose_alerts(ask), also=audited(ask, "acknowledge", found)
        )
    except Refused as refused:
        record_refusal(ask, "acknowledge", str(found.number), refused.code)
        people = case_search.names(ask.hub.store, [str(refused.values.get("person", ""))])
        told = {key: people.get(value, value) for key, value in refused.values.items()}
        fresh = ask.hub.alerts.get(found.id)
        return alert_page(ask, fresh, form, "acknowledge", ask._(refused.message, **told), refused.status)
    ask.hub.bus.publish("alerts/acknowledged", {"id": done.id, "number": done.number, "rule": done.rule})
    return see_other(ask, f"/desk/alerts/{found.number}", "The alert is acknowledged.")


@post("/desk/alerts/{number:str}/shelve", needs=("shelve", "alert"))
def shelve(ask: Ask, number: str) -> Answer:
    """Keep the rule quiet for this thing, or for all of them, until a time."""
    found, form = find(ask, number), Form(ask)
    require(ask, "shelve", found)
    until, reason = until_of(ask, form), form.text("reason", required=True, most=2000)
    every = form.flag("every")
    if every and not shelves_all(ask):
        form.wrong("every", "Only the operations room keeps a rule quiet for all things of the city.")
    if form.errors or until is None or reason is None:
        return alert_page(ask, found, form, "shelve", status=422)
    name = ask.actor.display_name or ask.actor.name
    also = audited(ask, "shelve", found, {"until": until, "every": every, "reason": reason})
    ask.hub.alerts.shelve(found.id, until, ask.actor.name, name, reason, every=every, also=also)
    ask.hub.bus.publish("alerts/shelved", {"id": found.id, "number": found.number, "rule": found.rule})
    return see_other(ask, f"/desk/alerts/{found.number}", "It is kept quiet until then.")


def shelves_all(ask: Ask) -> bool:
    """Whether the reader may keep a rule quiet for every thing of the city."""
    return "any" in reach(ask.actor, "shelve", "alert")


def until_of(ask: Ask, form: Form) -> int | None:
    """The end that was chosen: one of SPANS, or a time."""
    until = form.moment("until", future=True)
    if until is None and "until" not in form.errors:
        chosen = form.choice("span", SPANS, required=True)
        until = ask.now + SPANS[chosen] if chosen else None
    if until is not None and until > ask.now + LONGEST:
        form.wrong("until", "Thirty days at most; it can be shelved again.")
    return until


def audited(ask: Ask, verb: str, found: AlertEntry, detail: dict[str, Any] | None = None) -> Any:
    """The line of the audit, for the transaction of the act."""
    now, target = ask.hub.clock.now(), Target("alert", str(found.number))

    def also(conn: Connection) -> None:
        audit.record(conn, now, ask.actor, verb, target, address=ask.address, detail=detail)

    return also


def record_refusal(ask: Ask, verb: str, number: str, code: str = "not-yours") -> None:
    """Who tried what, and why not."""
    at, target = ask.hub.clock.now(), Target("alert", number[:40])
    ask.hub.store.afterwards(
        lambda conn: audit.record(conn, at, ask.actor, verb, target, "refused", reason=code, address=ask.address)
    )


routes = [alert, acknowledge, shelve]
