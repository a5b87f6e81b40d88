"""Cases that are perhaps the same, and what speaks for it, as people read it."""

from collections.abc import Sequence
from typing import Any

from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.duplicates import Alike, Like
from cheng.methods.likeness import GROUP, SAME
from cheng.standards.problems import Refused
from cheng.web.desk import words
from cheng.web.desk.seeing import may, may_do, person
from cheng.web.pages import Ask

MOST = 5
LOOKED_AT = 12
"""Some may not be for this reader."""
LONGEST = 140
HERE = 2.0
"""Metres within which two reports stand at one place."""
AT_ONCE = 60_000_000
LIKELY, PROBABLE = 0.6, 0.25
REASON = "The same matter was reported twice."


def suggestions(ask: Ask, filed: Filed, verbs: Sequence[str]) -> list[dict[str, Any]]:
    """Up to five cases that are perhaps the same as this one; `verbs`: what the reader may do about it."""
    if filed.entry.state not in ("open", "suspended"):
        return []
    found = []
    for like in ask.hub.duplicates.like_case(filed.entry, LOOKED_AT):
        other = seen(ask, like.entry.id)
        if other is not None:
            found.append(like_row(ask, like) | {"pair": pair(ask, filed, other, verbs)})
        if len(found) == MOST:
            break
    return found


def seen(ask: Ask, case_id: str) -> Filed | None:
    """The case, if there is one and this reader may see it."""
    try:
        filed: Filed = ask.hub.cases.get(case_id)
    except Refused:
        return None
    return filed if may(ask, "see", filed) else None


def pair(ask: Ask, filed: Filed, other: Filed, verbs: Sequence[str]) -> str:
    """What the button merges, "older:newer" by their numbers; "" when this reader may not, or it cannot be."""
    older, newer = sorted((filed, other), key=lambda each: (each.entry.opened, each.entry.number))
    allowed = "merge" in verbs if newer is filed else may_merge(ask, newer)
    alive = older.entry.state in ("open", "suspended") and newer.entry.state == "open"
    return f"{older.entry.number}:{newer.entry.number}" if allowed and alive else ""


def may_merge(ask: Ask, filed: Filed) -> bool:
    return may_do(ask, "merge", filed) and offers(ask, filed, "merge")


def offers(ask: Ask, filed: Filed, verb: str) -> bool:
    """Whether the flow lets this reader do it now."""
    return any(option.verb == verb for option in ask.hub.cases.next_acts(filed.entry.id, person(ask.actor)))


def separable(ask: Ask, filed: Filed) -> set[str]:
    """Numbers of the cases merged into this one that the reader may separate again."""
    merged = (seen(ask, id_) for id_ in filed.case.absorbed[-MOST:])
    return {
        other.entry.number
        for other in merged
        if other is not None and may_do(ask, "unmerge", other) and offers(ask, other, "unmerge")
    }


def like_row(ask: Ask, like: Like) -> dict[str, Any]:
    return {
        **case_told(ask, like.entry, like.photos),
        "chance": round(like.chance, 3),
        "likely": likely(ask, like.chance),
        "reasons": reasons(ask, like.reasons),
        "away": round(like.reasons.away, 1),
    }


def case_told(ask: Ask, entry: Entry, photos: Sequence[str]) -> dict[str, Any]:
    """A case in a few words, with the first photo that came with it."""
    url = f"/desk/cases/{entry.number}"
    return {
        "number": entry.number,
        "title": words.title(ask, entry),
        "text": shortened(entry.text),
        "state": words.say(ask, entry.state),
        "opened": entry.opened,
        "place": [entry.longitude, entry.latitude],
        "url": ask.url(url),
        "photo": ask.url(f"{url}/files/{photos[0]}") if photos else "",
    }


def shortened(text: str) -> str:
    """The words of a report, as far as one line or two hold them."""
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def likely(ask: Ask, chance: float) -> str:
    """The chance in a word: a number would look more certain than it is."""
    if chance >= LIKELY:
        return ask._("very likely the same")
    return ask._("probably the same") if chance >= PROBABLE else ask._("possibly the same")


def reasons(ask: Ask, alike: Alike) -> list[str]:
    """What speaks for it, one after the other: 18 m away, 2 hours earlier, same class, text 71 % alike."""
    local = ask.local
    found = [
        ask._("at the same place")
        if alike.away < HERE
        else ask._("{metres} m away", metres=local.number(round(alike.away), 0))
    ]
    if abs(alike.earlier) < AT_ONCE:
        found.append(ask._("at the same time"))
    else:
        message = "{time} earlier" if alike.earlier > 0 else "{time} later"
        found.append(ask._(message, time=local.duration(alike.earlier)))
    found.append(ask._({SAME: "same class", GROUP: "related class"}.get(alike.shared, "another class")))
    if alike.text is not None:
        found.append(ask._("text {share} alike", share=local.percent(alike.text, 0)))
    if alike.photo is not None:
        found.append(ask._("photo {share} alike", share=local.percent(alike.photo, 0)))
    return found
