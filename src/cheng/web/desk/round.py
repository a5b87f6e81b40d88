"""The round: what somebody who walks through the streets has to look at or to do today, on a phone, also off line."""

from dataclasses import replace
from typing import Any

from litestar import Request, Response

from cheng.infrastructure import case_search
from cheng.infrastructure.case_lists import Page as Listed
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.case_search import Sought
from cheng.kernel.flows import Flow, Step
from cheng.web.assets import Assets
from cheng.web.desk.cases import KEEP, case_row
from cheng.web.desk.posts import posts_of
from cheng.web.desk.seeing import mine, scope
from cheng.web.guards import masked, wanted
from cheng.web.map.page import ground_told
from cheng.web.pages import PUBLIC, Answer, Ask, Column, Page, get

STREET = ("collector", "checker")
"""Posts whose steps are done in the street."""
HANDLER = "handler"
WORKER = "round_worker.js"
SCRIPTS = ("cheng.js", "keys.js", "live.js", "drafts.js", "previews.js", "round.js", "round_queue.js", "round_keep.js")
MORE = ("desk_map.js", "place_picker.js", "class_search.js", "vendor/htmx.min.js")
ASSETS = ("cheng.css", "icon.svg", "icons.svg", *SCRIPTS, *MORE)
"""What the pages of the round are drawn with."""
COLUMNS = (
    Column("title", "What"),
    Column("number", "Number"),
    Column("step_text", "Step"),
    Column("light_text", "Limit"),
    Column("level", "Level", "level"),
    Column("area_name", "Area"),
    Column("address", "Address"),
    Column("text", "What was reported"),
    Column("assignee_name", "With"),
    Column("opened", "Opened", "moment"),
    Column("due", "Due", "moment"),
    Column("light", "Light"),
    Column("step", "Step's name"),
)


@get("/desk/round", needs=("enter", "round"), entry="My round", order=5)
def tasks(ask: Ask) -> Page:
    """What waits for this reader in the street, most urgent first; a phone that knows its place sorts it anew."""
    page = Listed((), None)
    sought = wanted_here(ask)
    if sought is not None:
        page = case_search.find(ask.hub.store, ask.now, sought, limit=ask.limit(), cursor=ask.query("after"))
    people = case_search.names(ask.hub.store, [entry.assignee for entry in page.entries])
    rows = [task_row(ask, entry, people) for entry in page.entries if for_me(ask, entry)]
    data = {"next": page.cursor, "tasks": rows}
    extra = {"map": ground_told(ask), "round": told(ask, rows if not ask.query("after") else None)}
    keep = (*KEEP, "mark")
    return Page("desk/round.html", data, extra=extra, rows="tasks", columns=COLUMNS, keep=keep)


def wanted_here(ask: Ask) -> Sought | None:
    """The open cases of the reader's department at a step that is done in the street; None when there are none."""
    base = scope(ask)
    names = tuple(dict.fromkeys(step.name for flow in ask.hub.cases.flows.values() for step in street_steps(ask, flow)))
    if base is None or not mine(ask) or not names:
        return None
    return Sought(replace(base, departments=mine(ask), person="", steps=names))


def street_steps(ask: Ask, flow: type[Flow]) -> tuple[Step, ...]:
    """The steps of a flow that this reader does in the street: those of a post for it and, for handlers, work that asks
    for evidence and for no post."""
    posts = set(posts_of(ask)).intersection(STREET)
    works = ask.actor.has(HANDLER)
    return tuple(
        step for step in flow.steps if posts.intersection(step.posts) or (works and step.proofs and not step.posts)
    )


def for_me(ask: Ask, entry: Entry) -> bool:
    """Whether the step belongs to the round in the flow of this very case."""
    flow = ask.hub.cases.flows.get(entry.flow)
    return flow is not None and entry.step in {step.name for step in street_steps(ask, flow)}


def task_row(ask: Ask, entry: Entry, people: dict[str, str]) -> dict[str, Any]:
    """A case as a task of the round. `mark` changes with everything that its page shows."""
    row = case_row(ask, entry, people)
    row["address"] = str(entry.values.get("address") or "")
    row["text"] = entry.text[:200]
    row["url"] = ask.url(f"/desk/round/{entry.number}")
    row["mark"] = f"{entry.version}.{version(ask)}.{ask.local.language.code}"
    return row


def told(ask: Ask, rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What the scripts have to know; `rows`: the tasks whose pages are to be there off line too."""
    kept = [{"url": ask.url("/desk/round"), "mark": ""}, {"url": ask.url("/desk/round/found"), "mark": ""}]
    kept += [{"url": row["url"], "mark": row["mark"]} for row in rows or ()]
    assets: Assets = ask.request.app.state.templates.assets
    return {
        "account": ask.actor.name,
        "round": ask.url("/desk/round"),
        "here": ask.url("/desk/round/here"),
        "worker": ask.url("/desk/round/worker.js"),
        "pages": kept if rows is not None else [],
        "assets": [ask.url(assets.path(name)) for name in ASSETS if name in assets],
        "words": said(ask),
    }


def said(ask: Ask) -> dict[str, str]:
    """What the scripts say."""
    return {
        "count": ask._("Waiting to be sent: {n}"),
        "refused": ask._("Not taken: {n}"),
        "waits": ask._("Waits on this phone until there is a network."),
        "offline": ask._("Off line. You can go on working; what you do is sent when the network is back."),
        "shown": ask._("Off line. The tasks are those of {time}; what you do is sent when the network is back."),
        "signed_out": ask._("Please sign in again, so that what waits on this phone can be sent."),
        "not_kept": ask._("This phone has no room to keep it. Please stay on this page until there is a network."),
        "sent": ask._("Sent."),
        "open": ask._("Look at it"),
        "discard": ask._("Throw away"),
        "sure": ask._("Throw this away for good? It was not sent."),
        "photo": ask._("Please take a photo first."),
        "metres": ask._("{n} m away"),
        "kilometres": ask._("{n} km away"),
        "no_place": ask._("This phone does not tell where it is. The tasks stay sorted by their limit."),
        "nowhere": ask._("This phone does not tell where it is."),
        "photos": ask._("Photos: {n}"),
    }


def version(ask: Ask) -> str:
    assets: Assets = ask.request.app.state.templates.assets
    return assets.version


@get("/desk/round/here", needs=("enter", "round"), api=True)
def here(ask: Ask) -> Answer:
    """Who is signed in, and the secret that forms have to carry: what was kept off line is sent with it."""
    content = {"account": ask.actor.name, "token": masked(wanted(ask.request) or "")}
    return Response(content, headers={"Cache-Control": "no-store"})


@get("/desk/round/worker.js", needs=PUBLIC, api=True, opt={"static": True})
async def worker(request: Request[Any, Any, Any]) -> Answer:
    """The script that stands between the round and the network. Its address never changes, so that browsers find a
    newer one by themselves; it may speak for the round's pages and for no other."""
    assets: Assets = request.app.state.templates.assets
    prefix = request.app.state.hub.settings.root_path
    headers = {"Service-Worker-Allowed": f"{prefix}/desk/round", "Cache-Control": "no-cache"}
    file = assets.files[WORKER]
    return Response(file.data, headers=headers, media_type=file.media_type)


def kind_of(step: Step) -> str:
    """look: is there anything; check: was it done, somebody else asks; work: do it."""
    if not step.posts:
        return "work"
    return "check" if step.by is not None else "look"


routes = [tasks, here, worker]
