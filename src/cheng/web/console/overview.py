"""The operator's room at a glance: what comes in, what is kept, what works by itself, and what does not."""

from typing import Any

from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.noting import note
from cheng.web.console.backups import OLD, last_made
from cheng.web.console.flows import flows
from cheng.web.console.inputs import queue_rows
from cheng.web.console.machine import gauges, versions
from cheng.web.console.silent import silent_count
from cheng.web.console.storage import kept, outlook
from cheng.web.console.watch import rule_states
from cheng.web.console.works import works
from cheng.web.pages import Answer, Page, get, post, see_other


@get("/console", needs=("enter", "console"), entry="Overview", order=1)
def console(ask: Ask) -> Page:
    """What has to be seen to, the numbers that move, and what works by itself."""
    seen = outlook(ask)
    data: dict[str, Any] = {"flows": flows(ask), "storage": kept(ask), "jobs": works(ask), "versions": versions()}
    data["storage"] |= {"full": seen["told"].full, "free": seen["sizes"].free, "level": seen["level"]}
    data["warnings"] = house_warnings(ask, seen)
    states = rule_states(ask)
    data["failing"] = [row for row in states if row["state"] == "failing"]
    data["rules"] = {"all": len(states), "flood": sum(row["state"] == "flood" for row in states)}
    last = last_made(ask)
    data["backup"] = None if last is None else last.started
    data["refused"] = ask.hub.refused.counts()
    data["silent"] = silent_count(ask)
    data["trouble"] = str(ask.hub.history.trouble) if ask.hub.history.trouble else ""
    extra = {"may_run": ask.may("run", "job") and ask.hub.worker is not None}
    extra |= {"may_back_up": ask.may("backup", "store"), "backup_old": last is None or ask.now - last.started > OLD}
    return Page("console/overview.html", data, extra=extra)


@get("/console/flows", needs=("enter", "console"))
def flows_now(ask: Ask) -> Page:
    """The numbers that move, for the tiles: `/console/flows.json`."""
    return Page("console/flows.html", flows(ask))


@post("/console/jobs/{key:str}", needs=("run", "job"))
def run_job(ask: Ask, key: str) -> Answer:
    """Have a job worked out now."""
    if ask.hub.worker is None:
        raise Refused("no-worker", "Nothing is worked out in this process.", status=409)
    ask.hub.worker.run_now(key)
    note(ask, "run", f"job:{key}")
    return see_other(ask, "/console", "The job has begun.")


def house_warnings(ask: Ask, outlook: dict[str, Any]) -> list[dict[str, str]]:
    """What an operator has to see to, each with where: nothing here is a matter of taste."""
    hub, found = ask.hub, []
    if outlook["level"] != "good":
        told, free = outlook["told"], ask.local.size(outlook["sizes"].free)
        text = ask._("{free} are free.", free=free)
        if told.full is not None:
            text = ask._("{free} are free; the disk is full on about {day}.", free=free, day=ask.local.date(told.full))
        found.append({"level": outlook["level"], "text": text, "url": ask.url("/console/storage")})
    for gauge in gauges(ask, hub.machine.now(), []):
        if gauge["level"] and gauge["key"] != "disk":
            text = ask._("{what}: {used}", what=gauge["name"], used=gauge["text"])
            found.append({"level": gauge["level"], "text": text, "url": ask.url("/console/machine")})
    for row in queue_rows(ask):
        if row["level"] != "good":
            text = ask._("{what}: {used}", what=row["name"], used=ask.local.number(row["now"]))
            found.append({"level": row["level"], "text": text, "url": ask.url("/console/inputs")})
    return found


routes = [console, flows_now, run_job]
