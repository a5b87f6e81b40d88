"""Quiet times: rules that are shelved, things under maintenance. Both end by themselves; nothing is lost meanwhile."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from cheng.infrastructure import case_search
from cheng.infrastructure.area_lookup import AREA, counted
from cheng.infrastructure.registration import Thing
from cheng.security import audit
from cheng.security.permissions import Target, reach
from cheng.standards.durations import days
from cheng.standards.problems import Refused
from cheng.web.city.seeing import area_name
from cheng.web.city.words import name_of
from cheng.web.desk import words
from cheng.web.desk.seeing import enter_alerts
from cheng.web.pages import Answer, Ask, Form, Page, get, post, see_other

LONGEST = days(90).us


def everywhere(ask: Ask) -> bool:
    """Whether the reader may ask for quiet beyond the things of the own department."""
    return "any" in reach(ask.actor, "maintain", "thing")


def owns(ask: Ask, thing: Thing | None) -> bool:
    return thing is not None and ask.may("maintain", Target("thing", thing.id, thing.owner, thing.type))


@get("/desk/quiet", needs=("maintain", "thing"), entry="Quiet times", order=30)
def quiet(ask: Ask) -> Page:
    """What is kept quiet now or later, until when and why."""
    enter_alerts(ask)
    return quiet_page(ask, Form(ask, {"thing": ask.query("thing")}))


def quiet_page(ask: Ask, form: Form, status: int = 200) -> Page:
    asked = ask.hub.alerts.quiet.now_and_later()
    shelves = [row for row in asked.shelves if row["until"] > ask.now and shown(ask, row)]
    windows = [row for row in asked.windows if row["end"] > ask.now and concerned(ask, row)]
    people = case_search.names(ask.hub.store, [row["by"] for row in (*shelves, *windows)])
    data = {
        "shelves": [shelf_row(ask, row, people) for row in shelves],
        "windows": [window_row(ask, row, people) for row in windows],
    }
    if ask.representation == "json":
        return Page("desk/quiet.html", words.readable(ask, data), status=status)
    extra = {"form": form, "choices": choices(ask)}
    return Page("desk/quiet.html", data, extra=extra, status=status)


def shown(ask: Ask, shelf: Mapping[str, Any]) -> bool:
    """A shelf for all things is told to everybody; one for a thing to those who look after it, and who asked for it."""
    thing = shelf["thing"]
    return thing is None or shelf["by"] == ask.actor.name or owns(ask, ask.hub.things.by_idx[thing])


def concerned(ask: Ask, window: Mapping[str, Any]) -> bool:
    """Likewise a window."""
    scope = window["scope"]
    own = window["by"] == ask.actor.name
    return own or everywhere(ask) or "thing" not in scope or owns(ask, ask.hub.things.find(scope["thing"]))


def shelf_row(ask: Ask, row: Any, people: dict[str, str]) -> dict[str, Any]:
    rule = ask.hub.model.rules.get(row["rule"])
    thing = ask.hub.things.by_idx[row["thing"]] if row["thing"] is not None else None
    return {
        "id": row["id"],
        "rule": row["rule"],
        "rule_title": ask._(name_of(rule)) if rule else row["rule"],
        "thing": thing.id if thing else "",
        "what": (thing.name or thing.id) if thing else ask._("all things"),
        "until": row["until"],
        "by": people.get(row["by"], row["by"]),
        "reason": row["reason"],
        "mine": may_end(ask, row),
    }


def may_end(ask: Ask, shelf: Mapping[str, Any]) -> bool:
    """Who asked for it, who looks after the thing, and the operations room."""
    own = shelf["by"] == ask.actor.name or "any" in reach(ask.actor, "shelve", "alert")
    return own or (shelf["thing"] is not None and owns(ask, ask.hub.things.by_idx[shelf["thing"]]))


def window_row(ask: Ask, row: Any, people: dict[str, str]) -> dict[str, Any]:
    scope = row["scope"]
    return {
        "id": row["id"],
        "scope": scope,
        "what": ", ".join(scope_text(ask, kind, value) for kind, value in scope.items()),
        "start": row["start"],
        "end": row["end"],
        "by": people.get(row["by"], row["by"]),
        "reason": row["reason"],
        "mine": everywhere(ask) or owns(ask, ask.hub.things.find(scope.get("thing", ""))),
    }


def scope_text(ask: Ask, kind: str, value: str) -> str:
    if kind == "area":
        return area_name(ask, value)
    if kind == "rule":
        rule = ask.hub.model.rules.get(value)
        return ask._(name_of(rule)) if rule else value
    if kind == "type":
        entity = ask.hub.model.entities.get(value)
        return ask._(name_of(entity)) if entity else value
    thing = ask.hub.things.find(value)
    return (thing.name or thing.id) if thing else value


def choices(ask: Ask) -> dict[str, list[tuple[str, str]]]:
    """Areas, types and rules by name, for whoever may name them."""
    if not everywhere(ask):
        return {}
    model = ask.hub.model
    areas = sorted((each.name or each.id, each.id) for each in filter(counted, ask.hub.things.of_type(AREA)))
    types = sorted((ask._(name_of(each)), name) for name, each in model.entities.items())
    rules = sorted((ask._(name_of(each)), name) for name, each in model.rules.items())
    found = {"area": areas, "type": types, "rule": rules}
    return {kind: [(key, text) for text, key in pairs] for kind, pairs in found.items()}


# -- what people do


@post("/desk/quiet", needs=("maintain", "thing"))
def maintain(ask: Ask) -> Answer:
    """A maintenance window: alerts are kept, but nobody is called and no case is opened."""
    enter_alerts(ask)
    form = Form(ask)
    scope = scope_of(ask, form)
    start = form.moment("start") if form.value("start") else ask.now
    end = form.moment("end", required=True, future=True)
    reason = form.text("reason", required=True, most=2000)
    if start is not None and end is not None and end <= start:
        form.wrong("end", "The end has to come after the beginning.")
    if end is not None and end > ask.now + LONGEST:
        form.wrong("end", "Ninety days at most.")
    if form.errors or start is None or end is None or reason is None or not scope:
        return quiet_page(ask, form, 422)
    also = audited(ask, "maintain", Target("thing", scope.get("thing", "")), {"scope": scope, "end": end})
    ask.hub.alerts.quiet.maintain(scope, start, end, ask.actor.name, reason, also=also)
    return see_other(ask, "/desk/quiet", "The maintenance window is entered.")


def scope_of(ask: Ask, form: Form) -> dict[str, str]:
    """What is to be quiet, all of it at once; {} with a sentence beside a field when that is not clear."""
    found = {}
    for kind, offered in choices(ask).items():
        if form.value(kind) and (value := form.choice(kind, [key for key, _ in offered])):
            found[kind] = value
    thing_id = form.text("thing", required=not everywhere(ask), most=200)
    if thing_id is not None:
        if not owns(ask, ask.hub.things.find(thing_id)):
            form.wrong("thing", "There is no thing {id} that you look after.", id=thing_id)
            return {}
        found["thing"] = thing_id
    if not found:
        form.wrong("thing", "Say what it is about: a thing, an area, a type or a rule.")
    return found


@post("/desk/quiet/shelves/{shelf:int}/end", needs=("shelve", "alert"))
def unshelve(ask: Ask, shelf: int) -> Answer:
    """Hear the rule again before the time is over."""
    enter_alerts(ask)
    rows = [row for row in ask.hub.alerts.quiet.now_and_later().shelves if row["id"] == shelf]
    if not rows or not shown(ask, rows[0]):
        raise Refused("no-shelf", "This has ended already.", status=404)
    if not may_end(ask, rows[0]):
        refuse(ask, "shelve", Target("alert", f"shelf-{shelf}"))
    also = audited(ask, "shelve", Target("alert", f"shelf-{shelf}"), {"ended": rows[0]["rule"]})
    ask.hub.alerts.unshelve(shelf, also=also)
    ask.hub.bus.publish("alerts/shelved", {"rule": rows[0]["rule"]})
    return see_other(ask, "/desk/quiet", "It is heard again.")


@post("/desk/quiet/windows/{window:str}/end", needs=("maintain", "thing"))
def finish(ask: Ask, window: str) -> Answer:
    """End a maintenance window now."""
    enter_alerts(ask)
    rows = [row for row in ask.hub.alerts.quiet.now_and_later().windows if row["id"] == window]
    if not rows or not concerned(ask, rows[0]):
        raise Refused("no-window", "This has ended already.", status=404)
    scope = rows[0]["scope"]
    target = Target("thing", scope.get("thing", ""))
    if not everywhere(ask) and not owns(ask, ask.hub.things.find(scope.get("thing", ""))):
        refuse(ask, "maintain", target)
    ask.hub.alerts.quiet.finish(window, also=audited(ask, "maintain", target, {"ended": scope}))
    return see_other(ask, "/desk/quiet", "The maintenance window is over.")


def audited(ask: Ask, verb: str, target: Target, detail: dict[str, Any]) -> Any:
    """The line of the audit, for the transaction of the act."""
    now = ask.hub.clock.now()

    def also(conn: Connection) -> None:
        audit.record(conn, now, ask.actor, verb, target, address=ask.address, detail=detail)

    return also


def refuse(ask: Ask, verb: str, target: Target) -> None:
    """Always Refused (403), and the audit knows."""
    at = ask.hub.clock.now()
    refused = Refused("own-department", "This belongs to another department.", status=403)
    ask.hub.store.afterwards(
        lambda conn: audit.record(
            conn, at, ask.actor, verb, target, "refused", reason=refused.code, address=ask.address
        )
    )
    raise refused


routes = [quiet, maintain, unshelve, finish]
