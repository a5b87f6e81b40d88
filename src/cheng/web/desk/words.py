"""What cases and acts are called, in the reader's language."""

from typing import Any

from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.case_rows import Entry
from cheng.kernel.cases import VERBS
from cheng.kernel.classes import CaseClass
from cheng.kernel.specs import title_of
from cheng.security.seen import cleared
from cheng.standards.durations import Duration
from cheng.standards.problems import Refused
from cheng.web.city.words import alert_text, condition, name_of, span
from cheng.web.pages import Ask

SENTENCES = {
    "open": "Open",
    "suspended": "Suspended",
    "closed": "Closed",
    "void": "Void",
    "merged": "Merged",
    "emergency": "day and night",
    "calendar": "calendar days",
    "working hours": "in working hours",
    "working days": "on working days",
    "standing": "Standing",
    "shelved": "Shelved",
    "suppressed": "Under maintenance",
    "cleared": "Over",
    "withdrawn": "Withdrawn",
    "photo": "Photo",
    "recorder": "Recorder file",
    "completed": "done",
    "returned": "sent back",
    "moved": "given to another department",
    "passed": "passed on",
    "refused": "not taken there",
    "now": "under way",
    "ahead": "to come",
    "collector": "Collector",
    "acceptor": "Acceptor",
    "agent": "Agent",
    "shift-leader": "Shift leader",
    "dispatcher": "Dispatcher",
    "handler": "Handler",
    "checker": "Checker",
    "evaluator": "Evaluator",
    "citizen": "Citizen",
    "hotline": "Hotline",
    "open311": "Open311",
    "wechat": "WeChat",
    "portal": "Portal",
    "letter": "Letter",
    "media": "Media",
    "patrol": "Patrol",
    "sensor": "Sensor",
    "video": "Video",
}
"""Words of the kernel → what people read."""
TITLES = {
    "open": "Case opened",
    "assign": "Assigned",
    "take": "Taken on",
    "move": "Given to another department",
    "complete": "Step done",
    "return": "Sent back",
    "extend": "More time asked for",
    "allow": "More time allowed",
    "deny": "More time refused",
    "suspend": "Suspended",
    "resume": "The clock goes on",
    "appeal": "Appealed against “late”",
    "uphold": "Agreed with the appeal",
    "dismiss": "Appeal dismissed",
    "urge": "Urged",
    "supervise": "Put under supervision",
    "note": "Note",
    "dispute": "Said that it is not theirs",
    "insist": "Left where it is",
    "rate": "Said how it went",
    "pass_on": "Passed on to another city",
    "merge": "Merged into another case",
    "unmerge": "Separated again",
    "void": "Declared void",
    "reopen": "Reopened",
}
"""Acts as they are told afterwards."""
ICONS = {
    "open": "bell",
    "take": "person",
    "assign": "person",
    "complete": "check",
    "return": "left",
    "note": "edit",
    "suspend": "pause",
    "extend": "clock",
    "allow": "clock",
    "deny": "clock",
    "urge": "bell",
    "supervise": "siren",
    "void": "cross",
    "pass_on": "right",
    "answered": "right",
    "turned_down": "left",
    "merge": "link",
    "follow": "plus",
    "rate": "person",
    "dispute": "left",
    "alert_cleared": "check",
    "alert_withdrawn": "cross",
    "alert_joined": "plus",
}
COLOURS = {"complete": "good", "return": "warning", "supervise": "danger", "void": "danger"}
COLOURS |= {"urge": "warning", "turned_down": "warning"}


PLACES = ("address", "community", "street", "district")
"""Where a report says it is, the closest first."""
MOMENTS = {"at", "opened", "due", "closed", "overall_due", "resumes", "started", "done", "onset", "raised", "over"}
MOMENTS |= {"heard", "next", "acknowledged_at", "until", "start", "end", "taken"}
"""Keys of data that hold microseconds."""


def readable(ask: Ask, data: Any) -> Any:
    """Data for programs: its moments in ISO 8601."""
    if isinstance(data, dict):
        return {
            key: ask.local.iso(value) if key in MOMENTS and isinstance(value, int) else readable(ask, value)
            for key, value in data.items()
        }
    return [readable(ask, each) for each in data] if isinstance(data, list) else data


def say(ask: Ask, word: str) -> str:
    """A word of the kernel as people read it."""
    return ask._(SENTENCES.get(word, title_of(word) if word else ""))


def step_name(ask: Ask, name: str) -> str:
    """A step as people call it: the application's own word for it, else its name in code as words."""
    text = ask._(name) if name else ""
    return text if text != name else title_of(name)


def verb(ask: Ask, name: str) -> str:
    """The title of an act, for its button."""
    known = VERBS.get(name)
    return ask._(known.title if known else title_of(name))


def done(ask: Ask, name: str) -> str:
    """An act in the list of what was done."""
    return ask._(TITLES[name]) if name in TITLES else verb(ask, name)


def taken(ask: Ask, away: float | None, at: int | None) -> str:
    """How far from the place of the case, in metres, and when a photo was taken; "" when neither is known."""
    ago = ask.local.ago(at)
    if away is None:
        return ask._("taken {ago}", ago=ago) if ago else ""
    far = f"{ask.local.number(away, 0)} m" if away < 1000 else f"{ask.local.number(away / 1000, 1)} km"
    return ask._("taken {far} away, {ago}", far=far, ago=ago) if ago else ask._("taken {far} away", far=far)


def limit(ask: Ask, length: Duration | None) -> str:
    """A limit with the clock it runs on: 1 hour, day and night."""
    if length is None:
        return ""
    if length.unit.startswith("working"):
        return span(ask, length)
    return ask._("{time}, {clock}", time=span(ask, length), clock=say(ask, length.clock))


def flow_title(ask: Ask, key: str) -> str:
    flow = ask.hub.cases.flows.get(key)
    return ask._(name_of(flow)) if flow else key


def title(ask: Ask, entry: Entry) -> str:
    """What a case is about, in one sentence."""
    rule = ask.hub.model.rules.get(entry.rule)
    if rule is not None:
        return heading(alert_text(ask, rule, entry.values, cleared(ask.actor)))
    if entry.class_code and not entry.rule:
        where = next((entry.values[name] for name in PLACES if entry.values.get(name)), "")
        name = class_name(ask, entry.flow, entry.class_code)
        return f"{name} · {where}" if where else name
    if entry.text:
        first = entry.text.strip().splitlines()[0]
        return first if len(first) <= 120 else first[:119] + "…"
    thing = str(entry.values.get("name") or entry.thing_id or "")
    name = flow_title(ask, entry.flow)
    return f"{name} · {thing}" if thing else name


def named(ask: Ask, one: CaseClass) -> str:
    """A class as the reader calls it."""
    return one.name_zh if ask.local.language.code == "zh_CN" and one.name_zh else one.name or one.name_zh


def said(ask: Ask, english: str, chinese: str) -> str:
    """The reader's half of a text that a table has in both languages."""
    return chinese if ask.local.language.code == "zh_CN" and chinese else english or chinese


def class_name(ask: Ask, flow: str, code: str) -> str:
    """The name of a class as it is today, or as it was last; its code when it never was here."""
    if not code:
        return ""
    known = ask.hub.classes.get(flow, code) or next(reversed(ask.hub.classes.versions(flow, code)), None)
    return named(ask, known) if known else code


def heading(sentence: str) -> str:
    """A sentence as a heading: without its full stop."""
    return sentence.rstrip(" .。")


def explain(ask: Ask, filed: Filed, refused: Refused, people: dict[str, str]) -> str:
    """Why something cannot be done now: people by the name they are called by, steps and conditions in words."""
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    until = flow.find(filed.case.step).until if flow is not None and filed.case.run else None
    named = {k: people.get(v, v) if isinstance(v, str) else v for k, v in refused.values.items()}
    if "condition" in named and until is not None:
        named["condition"] = condition(ask, until)
    if "post" in named:
        named["post"] = " / ".join(say(ask, post) for post in str(named["post"]).split(" / "))
    for name in ("department", "departments"):
        if name in named:
            named[name] = " / ".join(map(ask._, str(named[name]).split(" / ")))
    if "kind" in named:
        named["kind"] = say(ask, named["kind"])
    if "steps" in named:
        named["steps"] = ", ".join(step_name(ask, name) for name in str(named["steps"]).split(", "))
    return ask._(refused.message, **named)
