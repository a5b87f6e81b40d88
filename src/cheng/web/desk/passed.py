"""What was passed on to other cities of a case, as its page tells it."""

from typing import Any

from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.passing_book import Passing
from cheng.web.pages import Ask

STATES = {
    "waiting": "Is to be sent",
    "sending": "Is being sent",
    "unsure": "Nobody knows whether it arrived; it is looked for there",
    "token": "Has arrived; its number is still to come",
    "sent": "Is with them",
    "refused": "They did not take it",
    "over": "Is over",
    "withdrawn": "Was taken back here",
}
LIGHTS = {"waiting": "yellow", "sending": "yellow", "unsure": "yellow", "refused": "red", "withdrawn": "grey"}


def passed_on(ask: Ask, filed: Filed) -> list[dict[str, Any]]:
    """Each time it was passed on, the last first. Nothing of who reported it."""
    return [row(ask, each) for each in ask.hub.passings.of_case(filed.entry.id)]


def row(ask: Ask, one: Passing) -> dict[str, Any]:
    problem = ask._(one.problem[0], **one.problem[1]) if one.problem and one.state != "over" else ""
    return {
        "city": one.city,
        "state": one.state,
        "state_text": ask._(STATES[one.state]),
        "light": LIGHTS.get(one.state, "green"),
        "number": one.number,
        "says": one.notes,
        "at": one.at,
        "heard": one.heard_at,
        "next": one.next_at if one.state not in ("over", "withdrawn", "refused") else None,
        "problem": problem,
        "personal": one.personal,
        "photo": bool(one.photo),
    }
