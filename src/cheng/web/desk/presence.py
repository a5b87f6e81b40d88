"""Who is at a case just now: open pages say so every few seconds; it is kept in memory alone, and soon forgotten."""

import threading
from dataclasses import dataclass
from functools import reduce
from typing import Any

from cheng.web.desk.seeing import case_of
from cheng.web.pages import Ask, Form, post

FORGOTTEN = 40_000_000
"""Microseconds after which nobody is taken to be there still."""
DOING = ("reading", "writing", "gone")


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody who has a case open."""

    name: str
    writing: bool
    at: int
    """when they said so, in microseconds UTC"""


class Presence:
    """One per house. Safe to use from many threads."""

    def __init__(self) -> None:
        self._cases: dict[str, dict[str, Seen]] = {}
        """case → account → what was last heard of them"""
        self._swept = 0
        self._lock = threading.Lock()

    def tell(self, case: str, account: str, seen: Seen | None, now: int) -> list[Seen]:
        """Somebody is at a case, or with None no longer; answers who else is, the first that came first."""
        with self._lock:
            if not 0 <= now - self._swept < FORGOTTEN:
                self._sweep(now)
            there = self._cases.setdefault(case, {})
            if seen is None:
                there.pop(account, None)
            else:
                there[account] = seen
            others = [each for name, each in there.items() if name != account and now - each.at < FORGOTTEN]
            if not there:
                del self._cases[case]
            return others

    def _sweep(self, now: int) -> None:
        """Forgets everybody who has not been heard of for long."""
        self._swept = now
        fresh = {
            case: {name: seen for name, seen in there.items() if now - seen.at < FORGOTTEN}
            for case, there in self._cases.items()
        }
        self._cases = {case: there for case, there in fresh.items() if there}


@post("/desk/cases/{number:str}/here", needs=("enter", "desk"))
def here(ask: Ask, number: str) -> dict[str, Any]:
    """A page says that its reader has this case open, and hears who else has."""
    filed = case_of(ask, number)
    doing = Form(ask).choice("doing", DOING) or "reading"
    now = ask.hub.sessions.clock.now()  # people are no faster in a city that is sped up
    seen = Seen(ask.actor.display_name or ask.actor.name, doing == "writing", now) if doing != "gone" else None
    presence: Presence = ask.request.app.state.presence
    others = presence.tell(filed.entry.id, ask.actor.name, seen, now)
    people = [{"name": each.name, "writing": each.writing} for each in others]
    return {"people": people, "text": sentence(ask, others)}


def sentence(ask: Ask, others: list[Seen]) -> str:
    """Li Na is looking at this case; Zhang Wei is writing."""
    told = [
        ask._("{name} is writing", name=each.name)
        if each.writing
        else ask._("{name} is looking at this case", name=each.name)
        for each in others
    ]
    return reduce(lambda first, then: ask._("{first}; {then}", first=first, then=then), told) if told else ""


routes = [here]
