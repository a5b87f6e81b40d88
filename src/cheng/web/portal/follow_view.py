"""Everything that the page of a report says, as plain data: one part for everybody, the rest for whoever sent it."""

from collections.abc import Iterable
from typing import Any

from cheng.infrastructure.case_rows import Entry
from cheng.kernel.flows import Flow, Step
from cheng.kernel.standing import Act, Case
from cheng.web.pages import Ask
from cheng.web.portal import words
from cheng.web.portal.access import Look

GRID = 3
"""Digits of degrees of a public place: about 100 m, the width of a unit grid."""
WORK = ("complete",)
"""Acts that may bring photos of the work."""
LIGHTS = {"closed": "green", "suspended": "grey"}


def public_row(ask: Ask, entry: Entry, name: str) -> dict[str, Any]:
    """What anybody may know of a case: no words of people, no exact place."""
    over = entry.closed if entry.closed is not None else ask.now
    return {
        "number": entry.number,
        "code": entry.class_code,
        "name": name,
        "street": str(entry.values.get("street") or ""),
        "state": entry.state,
        "state_text": words.state(ask, entry.state),
        "stage": words.stage(ask, entry.step) if entry.step else "",
        "opened": entry.opened,
        "closed": entry.closed,
        "days": round(max(over - entry.opened, 0) / 86_400e6, 1),
        "light": LIGHTS.get(entry.state, "yellow"),
        "geometry": rounded(entry),
        "url": ask.url(f"/report/{entry.number}"),
    }


def rounded(entry: Entry) -> list[float] | None:
    """The place as anybody may know it."""
    if entry.longitude is None or entry.latitude is None:
        return None
    return [round(entry.longitude, GRID), round(entry.latitude, GRID)]


def told(ask: Ask, seen: Look) -> dict[str, Any]:
    """The page as data."""
    entry, case = seen.filed.entry, seen.filed.case
    name = seen.kind.name if seen.kind else ask._("Report")
    report = public_row(ask, entry, name)
    report.pop("geometry")
    flow = ask.hub.cases.flow(entry.flow)
    data: dict[str, Any] = {
        "report": report | {"place": rounded(entry)},
        "stages": stages(ask, flow, case, own=seen.me is not None),
        "own": seen.me is not None,
        "joined": seen.me is not None and seen.asked != entry.number,
    }
    return data | own_part(ask, seen) if seen.me is not None else data


def stages(ask: Ask, flow: type[Flow], case: Case, own: bool) -> list[dict[str, Any]]:
    """The way of the case: what is done, where it is, what is to come."""
    done, at = {run.step for run in case.runs}, flow.position(case.step)
    ahead = flow.steps[at + 1 :] if case.state in ("open", "suspended") else ()
    names = [step.name for step in flow.steps if step not in ahead and step.name in done]
    names += [step.name for step in ahead if step.applies(case.values)]
    here = names.index(case.step) if case.step in names else len(names)
    return [stage(ask, flow.find(name), case, at, here, own) for at, name in enumerate(names)]


def stage(ask: Ask, step: Step, case: Case, at: int, here: int, own: bool) -> dict[str, Any]:
    runs = [run for run in case.runs if run.step == step.name]
    run = runs[-1] if runs and at <= here else None
    told: dict[str, Any] = {
        "name": step.name,
        "title": words.stage(ask, step.name),
        "state": "now" if at == here else "done" if at < here else "ahead",
        "done": run.done if run is not None and at < here else None,
    }
    if own and run is not None:
        names = (case.passed.to,) if step.away and case.passed else tuple(map(ask._, run.departments))
        told |= {"departments": list(names), "due": run.due if at == here and not run.away else None}
    return told


def own_part(ask: Ask, seen: Look) -> dict[str, Any]:
    """What only whoever sent the report sees."""
    filed, mine = seen.filed, seen.mine
    acts = ask.hub.cases.acts(filed.entry.id)
    away = filed.case.run is not None and filed.case.run.away
    return {
        "standing": words.standing(ask, filed.case),
        "due": filed.case.next_due if filed.case.state == "open" and not away else None,
        "text": mine["text"] if mine is not None else "",
        "address": mine["address"] if mine is not None else "",
        "exact": exact(filed.entry),
        "photos": [photo_url(ask, seen, sha) for sha in own_photos(seen, acts)],
        "work": [photo_url(ask, seen, sha) for sha in work_photos(seen, acts)],
        "story": [line for act in acts if (line := story_line(ask, seen, act)) is not None],
        "rating": dict(filed.case.rating) if first(seen) else {},
        "next": next_verbs(ask, seen),
        "weight": filed.entry.weight,
    }


def exact(entry: Entry) -> list[float] | None:
    return None if entry.longitude is None or entry.latitude is None else [entry.longitude, entry.latitude]


def first(seen: Look) -> bool:
    """Whether the reader is the one whose report opened the case, rather than somebody who reported the same."""
    return seen.me is not None and seen.me.name == seen.filed.case.reporter


def next_verbs(ask: Ask, seen: Look) -> list[str]:
    """What the reader may do now."""
    if seen.me is None:
        return []
    offered = {option.verb for option in ask.hub.cases.next_acts(seen.filed.entry.id, seen.me)}
    return [verb for verb in ("rate", "reopen", "urge", "note") if verb in offered]


def story_line(ask: Ask, seen: Look, act: Act) -> dict[str, Any] | None:
    """An act as the reader is told of it; None for what is between officials or between others and us."""
    mine = seen.me is not None and act.actor == seen.me.name
    if act.verb in ("note", "urge", "rate") and not mine:
        return None
    sentence = words.told(ask, act)
    if not sentence:
        return None
    text = str(act.data.get("reason") or "") if act.verb in words.EXPLAINED or (mine and act.verb == "reopen") else ""
    if mine and act.verb == "note":
        text = str(act.data.get("text") or "")
    if act.verb == "answered" or (act.verb == "complete" and act.by_house):
        text = str(act.data.get("text") or "")
    department = "" if act.by_house or mine else str(act.facts.get("department") or "")
    icon = words.ICONS.get(act.verb, "dot")
    return {"at": act.at, "what": sentence, "who": ask._(department) if department else "", "text": text, "icon": icon}


# -- photos


def own_photos(seen: Look, acts: Iterable[Act]) -> list[str]:
    """Those the reader sent."""
    me = seen.me.name if seen.me is not None else ""
    own = [
        act
        for act in acts
        if (me and act.actor == me)
        or (act.verb == "open" and first(seen))
        or (act.verb == "follow" and me and act.data.get("report") == me)
    ]
    return pictures(own)


def work_photos(seen: Look, acts: Iterable[Act]) -> list[str]:
    """Those the department handed in with what it did, where the class is public."""
    return pictures(act for act in acts if act.verb in WORK) if seen.public else []


def pictures(acts: Iterable[Act]) -> list[str]:
    found = [piece["blob"] for act in acts for piece in act.data.get("proof") or () if piece["kind"] == "photo"]
    return list(dict.fromkeys(found))


def photo_url(ask: Ask, seen: Look, sha256: str) -> str:
    return ask.url(f"/report/{seen.asked}/photos/{sha256}", key=seen.key)
